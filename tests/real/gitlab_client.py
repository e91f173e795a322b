#!/usr/bin/env python3
"""python-gitlab drives the served fake GitLab through everything that tribune uses: an independent client has to understand each
answer, and has to be refused where the real server refuses.

    gitlab_client.py FOLDER      (with SERVED in the environment; run by the Python that has python-gitlab)
"""
import datetime, hashlib
import gitlab
from served import Served


def refused(code, what, *texts):
    """`what` has to be refused with this status, and to say so."""
    try:
        what()
    except gitlab.GitlabError as e:
        assert e.response_code == code, f"{code} expected, not {e!r}"
        missing = [t for t in texts if t not in str(e)]
        assert not missing, f"{e}: does not say {missing}"
        return
    raise AssertionError(f"{code} expected, but it was taken")


def a_time(text):
    assert datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo is not None, text


def reading(forge, server, project):
    assert server.version() == ("18.4.1-ee", "a1b2c3d")
    server.auth()
    me = server.user
    assert me.username == "bot" and me.bot is True and isinstance(me.id, int), me
    assert server.users.get(me.id).state == "active"
    assert server.personal_access_tokens.get("self").scopes == ["api"]
    assert server.projects.get(42).path_with_namespace == project.path_with_namespace == "group/sub/project"
    assert project.branches.get("main").protected is True and project.branches.get("main").commit["id"]
    refused(404, lambda: project.branches.get("nowhere"), "Branch Not Found")
    assert [project.members_all.get(1001 + n).access_level for n in range(4)] == [30, 30, 30, 40]
    refused(404, lambda: project.members_all.get(1005))
    refused(404, lambda: server.projects.get("group/other"), "Project Not Found")
    assert [m.iid for m in project.mergerequests.list(state="opened", source_branch="topic", get_all=True)] == [7]
    assert [p.source for p in project.pipelines.list(get_all=True)] == ["merge_request_event"]
    mr = project.mergerequests.get(7)
    assert (mr.state, mr.draft, mr.source_branch, mr.target_branch, mr.author["username"]) == ("opened", False, "topic", "main", "author"), mr
    assert mr.web_url == forge["url"] and mr.sha == mr.diff_refs["head_sha"] == forge["head"]
    a_time(mr.created_at)
    versions = mr.diffs.list(get_all=True)
    newest = versions[0]
    assert newest.head_commit_sha == mr.sha and newest.base_commit_sha == mr.diff_refs["base_sha"] and newest.start_commit_sha, newest
    entries = server.http_list("/projects/42/merge_requests/7/diffs", get_all=True)
    shown = {(e["old_path"], e["new_path"]): e for e in entries}
    assert shown["old name.py", "new name.py"]["renamed_file"] and shown["app.py", "app.py"]["new_file"] and shown["gone.py", "gone.py"]["deleted_file"]
    assert str(len(entries)) == mr.changes_count and all(e["diff"].startswith("@@") for e in entries)
    patch = server.http_get("/projects/42/merge_requests/7/raw_diffs", raw=True).text
    assert patch.count("\ndiff --git ") + patch.startswith("diff --git ") == len(entries)
    return mr


def position(mr, old, new, old_line=None, new_line=None, **more):
    lines = {k: v for k, v in (("old_line", old_line), ("new_line", new_line)) if v is not None}
    return mr.diff_refs | {"position_type": "text", "old_path": old, "new_path": new} | lines | more


def code(path, old, new):
    return f"{hashlib.sha1(path.encode()).hexdigest()}_{old}_{new}"


def comments(mr):
    note = mr.notes.create({"body": "A plain comment."})
    assert (note.type, note.system, note.resolvable, note.author["username"], note.noteable_type) == (None, False, False, "bot", "MergeRequest")
    a_time(note.created_at)
    note.body = "Edited."
    note.save()
    again = mr.notes.get(note.id)
    assert again.body == "Edited." and again.updated_at > again.created_at
    refused(400, lambda: mr.notes.create({"body": ""}))
    more = [mr.notes.create({"body": f"Number {n}"}) for n in range(5)]
    # Pages: newest first, in the order asked for, with the same words on each page.
    ids = sorted(n.id for n in [note, *more])
    assert [n.id for n in mr.notes.list(get_all=True, per_page=2)] == ids[::-1]
    assert [n.id for n in mr.notes.list(get_all=True, per_page=2, sort="asc", order_by="created_at")] == ids
    lazily = mr.notes.list(iterator=True, per_page=4)
    assert (lazily.total, lazily.total_pages, lazily.per_page, len(list(lazily))) == (6, 2, 4, 6)
    assert len(mr.notes.list(page=2, per_page=4, get_all=False)) == 2
    for one in more:
        one.delete()
    refused(404, lambda: mr.notes.get(more[0].id))
    refused(404, more[1].delete)


def threads(mr):
    taken = {
        "an added line": position(mr, "app.py", "app.py", new_line=8),
        "a removed line": position(mr, "edited.py", "edited.py", old_line=10),
        "an unchanged line": position(mr, "edited.py", "edited.py", old_line=11, new_line=12),
        "a renamed file": position(mr, "old name.py", "new name.py", new_line=5),
        "a deleted file": position(mr, "gone.py", "gone.py", old_line=2),
        "a whole file": mr.diff_refs | {"position_type": "file", "old_path": "app.py", "new_path": "app.py"},
        "several lines": position(mr, "app.py", "app.py", new_line=8, line_range={"start": {"line_code": code("app.py", 0, 6), "type": "new"}, "end": {"line_code": code("app.py", 0, 8), "type": "new"}}),
    }
    for what, place in taken.items():
        thread = mr.discussions.create({"body": what, "position": place})
        first = thread.attributes["notes"][0]
        assert (first["type"], first["resolvable"], first["resolved"], thread.individual_note) == ("DiffNote", True, False, False), (what, first)
        assert {k: first["position"][k] for k in place} == place, (what, first["position"])
    for what, place in {
        "no such line": position(mr, "app.py", "app.py", new_line=800),
        "an unchanged line with one number": position(mr, "edited.py", "edited.py", new_line=12),
        "a changed line with two": position(mr, "edited.py", "edited.py", old_line=10, new_line=10),
        "no such file": position(mr, "other.py", "other.py", new_line=1),
        "a renamed file with one name": position(mr, "new name.py", "new name.py", new_line=5),
        "another commit": position(mr, "app.py", "app.py", new_line=8, head_sha="0" * 40),
    }.items():
        refused(400, lambda: mr.discussions.create({"body": what, "position": place}), "line_code")
    everything = mr.discussions.list(get_all=True, per_page=3)
    places = [d for d in everything if d.attributes["notes"][0]["type"] == "DiffNote"]
    assert len(places) == len(taken)
    thread = mr.discussions.get(places[0].id)
    answer = thread.notes.create({"body": "An answer."})
    assert (answer.type, answer.resolvable) == ("DiffNote", True)
    thread.resolved = True
    thread.save()
    thread = mr.discussions.get(thread.id)
    assert all(n["resolved"] and n["resolved_by"]["username"] == "bot" for n in thread.attributes["notes"])
    # An answer alone leaves it resolved; resolving is taken back by the thread.
    thread.notes.create({"body": "One more."})
    assert mr.discussions.get(thread.id).attributes["notes"][-1]["resolved"] is True
    thread.resolved = False
    thread.save()
    assert mr.discussions.get(thread.id).attributes["notes"][0]["resolved"] is False
    first = thread.notes.get(thread.attributes["notes"][0]["id"])
    first.body = "Edited in the thread."
    first.save()
    answer.delete()
    assert [n["body"] for n in mr.discussions.get(thread.id).attributes["notes"]] == ["Edited in the thread.", "One more."]
    # A discussion without a place can be resolved, a plain comment cannot.
    assert mr.discussions.create({"body": "No place."}).attributes["notes"][0]["type"] == "DiscussionNote"
    plain = next(d for d in everything if d.individual_note)
    refused(404, lambda: mr.manager.gitlab.http_put(f"{mr.discussions.path}/{plain.id}", post_data={"resolved": True}))
    refused(404, lambda: mr.discussions.get("0" * 40))
    return thread


def drafts(mr, thread):
    before = len(mr.discussions.list(get_all=True))
    good = mr.draft_notes.create({"note": "A draft.", "position": position(mr, "app.py", "app.py", new_line=13)})
    assert good.line_code == code("app.py", 0, 13) and good.merge_request_id == mr.id and good.discussion_id is None
    # A wrong place is taken, and lost when it is published.
    lost = mr.draft_notes.create({"note": "Lost.", "position": position(mr, "app.py", "app.py", new_line=800)})
    assert lost.line_code is None
    reply = mr.draft_notes.create({"note": "Draft answer.", "in_reply_to_discussion_id": thread.id, "resolve_discussion": True})
    assert reply.discussion_id == thread.id and reply.resolve_discussion is True
    refused(400, lambda: mr.draft_notes.create({"note": "Twice.", "in_reply_to_discussion_id": thread.id}), "already been taken")
    assert len(mr.draft_notes.list(get_all=True)) == 3 and mr.draft_notes.get(good.id).note == "A draft."
    single = mr.draft_notes.create({"note": "Alone."})
    single.note = "Alone, edited."
    single.save()
    single.publish()
    gone = mr.draft_notes.create({"note": "Never."})
    gone.delete()
    refused(404, lambda: mr.draft_notes.get(gone.id))
    mr.draft_notes.bulk_publish()
    assert mr.draft_notes.list(get_all=True) == []
    now = mr.discussions.list(get_all=True)
    bodies = [n["body"] for d in now for n in d.attributes["notes"]]
    assert "A draft." in bodies and "Lost." not in bodies and "Alone, edited." in bodies and "Never." not in bodies
    assert len(now) == before + 2 and mr.discussions.get(thread.id).attributes["notes"][-1]["resolved"] is True


def the_rest(server, project, mr):
    project.mergerequests.update(7, {"add_labels": "tribune: seen,second"})
    project.mergerequests.update(7, {"remove_labels": "second"})
    assert project.mergerequests.get(7).labels == ["tribune: seen"]
    mr.labels = ["one", "two"]
    mr.title = "Another title"
    mr.save()
    again = project.mergerequests.get(7)
    assert (sorted(again.labels), again.title) == (["one", "two"], "Another title")
    events = mr.resourcelabelevents.list(get_all=True)
    assert [(e.action, e.label["name"], e.user["username"]) for e in events][:3] == [("add", "tribune: seen", "bot"), ("add", "second", "bot"), ("remove", "second", "bot")]
    head = mr.sha
    refused(409, lambda: mr.approve(sha="0" * 40))
    mr.approve(sha=head)
    told = mr.approvals.get()
    assert told.approved_by[0]["user"]["username"] == "bot" and told.user_has_approved is True and told.user_can_approve is False
    refused(401, lambda: mr.approve(sha=head))
    mr.unapprove()
    refused(404, mr.unapprove)
    # The client takes over what each of these answers.
    assert mr.approved_by == [] and mr.iid == 7
    mr = project.mergerequests.get(7)
    statuses = project.commits.get(mr.sha, lazy=True).statuses
    assert statuses.create({"state": "pending", "name": "tribune"}).status == "pending"
    assert statuses.create({"state": "success", "name": "tribune", "description": "1 finding"}).description == "1 finding"
    refused(400, lambda: statuses.create({"state": "success", "name": "tribune"}), "Cannot transition")
    refused(400, lambda: statuses.create({"state": "neutral", "name": "tribune"}))
    assert [(s.name, s.status) for s in statuses.list(get_all=True)] == [("tribune", "success")]


def tokens(forge):
    url, write, read = f"{forge['origin']}/gitlab", "glpat-write-4f9c2b7e1d", "glpat-read-81aa03c6f2"
    reader = gitlab.Gitlab(url, private_token=read).projects.get(42, lazy=True).mergerequests.get(7)
    refused(403, lambda: reader.notes.create({"body": "No."}), "insufficient_scope")
    refused(401, lambda: gitlab.Gitlab(url, private_token="glpat-wrong").projects.get(42))
    refused(404, lambda: gitlab.Gitlab(url, job_token="glcbt-64_job-7c1e55d0b9").projects.get(42))
    assert gitlab.Gitlab(url, oauth_token=write).projects.get(42).id == 42
    stranger = gitlab.Gitlab(url, private_token="glpat-of-stranger").projects.get(42, lazy=True).mergerequests.get(7)
    refused(403, lambda: stranger.manager.gitlab.http_put("/projects/42/merge_requests/7", post_data={"add_labels": "x"}))
    refused(401, lambda: stranger.approve())


def main():
    with Served("gitlab") as served:
        forge = served.first
        server = gitlab.Gitlab(f"{forge['origin']}/gitlab", private_token="glpat-write-4f9c2b7e1d")
        project = server.projects.get("group/sub/project")
        mr = reading(forge, server, project)
        comments(mr)
        thread = threads(mr)
        drafts(mr, thread)
        the_rest(server, project, mr)
        tokens(forge)
        # A push moves the thread's place along and makes a new version; our own notes are the last word on violations.
        served.ask("push", "edited.py", "short = 1")
        moved = project.mergerequests.get(7)
        assert moved.sha != forge["head"] and len(moved.diffs.list(get_all=True)) == 2
        on_app = [d for d in moved.discussions.list(get_all=True) if (d.attributes["notes"][0].get("position") or {}).get("new_path") == "app.py"]
        assert on_app and all(d.attributes["notes"][0]["position"]["head_sha"] == moved.sha for d in on_app)
        system = [n for d in moved.discussions.list(get_all=True) for n in d.attributes["notes"] if n["system"]]
        assert system and not any(n["resolvable"] for n in system)
        assert served.state()["violations"] == [], served.state()["violations"]
        mr.notes.create({"body": "Hello @dev\n\n/merge"})
        assert len(served.state()["violations"]) == 2, served.state()["violations"]
    print("ok")


main()
