#!/usr/bin/env python3
"""PyGithub drives the served fake GitHub through everything that tribune uses: an independent client has to understand each answer,
and has to be refused where the real server refuses.

    github_client.py FOLDER      (with SERVED in the environment; run by the Python that has PyGithub)
"""
import github
from github import Auth, Github, GithubException
from served import Served

APP, ACTIONS, READ = "ghs_app-4f9c2b7e1d", "ghs_actions-7c1e55d0b9", "ghs_read-81aa03c6f2"


def client(forge, token):
    return Github(base_url=f"{forge['origin']}/api/v3", auth=Auth.Token(token), retry=None, seconds_between_requests=None, seconds_between_writes=None)


def refused(code, what, *texts):
    """`what` has to be refused with this status, and to say so."""
    try:
        what()
    except GithubException as e:
        assert e.status == code, f"{code} expected, not {e!r}"
        missing = [t for t in texts if t not in str(e.data)]
        assert not missing, f"{e}: does not say {missing}"
        return
    raise AssertionError(f"{code} expected, but it was taken")


def whole(thing):
    """Reads each attribute that the answer has: a value of another type than GitHub's own is an error of the client's."""
    given = {k for k, v in thing.raw_data.items() if v is not None}
    for name in sorted(given & {n for n in dir(type(thing)) if isinstance(getattr(type(thing), n), property)}):
        getattr(thing, name)
    return thing


def commit_of(repo, sha):
    return github.Commit.Commit(repo.requester, {}, {"sha": sha, "url": f"{repo.url}/commits/{sha}"}, completed=True)


def reading(forge, server, repo):
    whole(repo)
    assert (repo.full_name, repo.default_branch, repo.permissions.push) == ("octo/app", "main", True)
    pull = whole(repo.get_pull(7))
    assert (pull.state, pull.draft, pull.head.ref, pull.base.ref, pull.user.login) == ("open", False, "topic", "main", "author")
    assert pull.head.sha == forge["head"] and pull.head.repo.full_name == "octo/app" and pull.html_url == forge["url"]
    files = {f.filename: whole(f) for f in pull.get_files()}
    assert len(files) == pull.changed_files and files["new name.py"].previous_filename == "old name.py"
    assert [files[n].status for n in ("app.py", "edited.py", "gone.py", "new name.py")] == ["added", "modified", "removed", "renamed"]
    assert files["app.py"].patch.startswith("@@ -0,0 +1,") and files["app.py"].additions == files["app.py"].changes == 13
    assert repo.get_branch("main").protected is True and repo.get_branch("topic").protected is False
    refused(404, lambda: repo.get_branch("nowhere"), "Branch not found")
    compared = repo.compare(pull.base.sha, pull.head.sha)
    assert compared.merge_base_commit.sha and compared.status == "ahead" and compared.behind_by == 0 and compared.ahead_by == compared.total_commits == 1
    assert [repo.get_collaborator_permission(n) for n in ("dev", "maintainer", "stranger")] == ["write", "write", "read"]
    assert [repo.get_collaborator_role_name(n) for n in ("dev", "maintainer", "stranger")] == ["write", "maintain", "read"]
    assert [p.number for p in repo.get_pulls(state="open", head="octo:topic")] == [7] and list(repo.get_pulls(head="octo:other")) == []
    refused(404, lambda: server.get_repo("octo/other"), "Not Found")
    status, headers, data = repo.requester.requestBlob("GET", f"{repo.url}/pulls/7", headers={"Accept": "application/vnd.github.diff"})
    assert status == 200 and data.count("diff --git ") == len(files), (status, data[:200])
    return pull


def reviews(repo, pull):
    head = commit_of(repo, pull.head.sha)
    comments = [
        {"path": "app.py", "line": 8, "side": "RIGHT", "body": "An added line."},
        {"path": "edited.py", "line": 10, "side": "LEFT", "body": "A removed line."},
        {"path": "edited.py", "line": 12, "side": "RIGHT", "body": "An unchanged line."},
        {"path": "app.py", "start_line": 6, "start_side": "RIGHT", "line": 8, "side": "RIGHT", "body": "Several lines."},
        {"path": "new name.py", "line": 5, "side": "RIGHT", "body": "A renamed file."},
    ]
    made = whole(pull.create_review(commit=head, body="Five comments.", event="COMMENT", comments=comments))
    assert (made.state, made.commit_id, made.user.login, made.user.type) == ("COMMENTED", pull.head.sha, "bot[bot]", "Bot")
    shown = [whole(c) for c in pull.get_review_comments()]
    assert [(c.path, c.line, c.side, c.start_line) for c in shown] == [(c["path"], c["line"], c["side"], c.get("start_line")) for c in comments]
    assert len({c.pull_request_review_id for c in shown}) == 1 and all(c.in_reply_to_id is None for c in shown)
    assert len(list(pull.get_single_review_comments(made.id))) == 5
    # One bad comment loses the whole review, and the answer does not name it.
    for what, bad in {
        "a line outside of all hunks": {"path": "edited.py", "line": 25, "side": "RIGHT"},
        "a line that is not there": {"path": "app.py", "line": 800, "side": "RIGHT"},
        "no such file": {"path": "other.py", "line": 1, "side": "RIGHT"},
        "a range that ends before it starts": {"path": "app.py", "start_line": 8, "line": 8, "side": "RIGHT"},
        "a range over two hunks": {"path": "edited.py", "start_line": 10, "line": 31, "side": "RIGHT"},
    }.items():
        refused(422, lambda: pull.create_review(commit=head, body=what, event="COMMENT", comments=[comments[0], bad | {"body": what}]), "Unprocessable")
    refused(422, lambda: pull.create_review(commit=commit_of(repo, "0" * 40), body="x", event="COMMENT", comments=[comments[0]]))
    refused(422, lambda: pull.create_review(commit=head, event="REQUEST_CHANGES"))
    assert len(list(pull.get_review_comments())) == 5 and len(list(pull.get_reviews())) == 1
    # Unpublished ones: one at a time, seen by their author, and they hold up single comments.
    pending = pull.create_review(commit=head, body="Later.", comments=[comments[0] | {"body": "Not yet."}])
    assert pending.state == "PENDING"
    refused(422, lambda: pull.create_review(commit=head, body="x", comments=[]), "one pending review")
    pending.delete()
    assert len(list(pull.get_reviews())) == 1 and len(list(pull.get_review_comments())) == 5
    single = whole(pull.create_review_comment("On the file.", head, "app.py", subject_type="file"))
    assert single.subject_type == "file"
    reply = pull.create_review_comment_reply(shown[0].id, "An answer.")
    assert reply.in_reply_to_id == shown[0].id and reply.path == "app.py"
    reply.edit("Edited.")
    again = pull.get_review_comment(reply.id)
    assert again.body == "Edited." and again.updated_at > again.created_at
    again.delete()
    refused(404, lambda: pull.get_review_comment(reply.id))
    approved = pull.create_review(commit=head, event="APPROVE")
    assert approved.state == "APPROVED"
    approved.dismiss("Taken back.")
    assert [r.state for r in pull.get_reviews()] == ["COMMENTED", "DISMISSED"]
    refused(422, lambda: made.dismiss("x"))
    return shown[0]


def comments_and_labels(pull):
    made = [whole(pull.create_issue_comment(f"Number {n}")) for n in range(65)]
    assert [c.id for c in pull.get_issue_comments()] == [c.id for c in made], "pages"
    made[0].edit("Edited.")
    assert pull.get_issue_comment(made[0].id).body == "Edited."
    made[1].delete()
    refused(404, lambda: pull.get_issue_comment(made[1].id))
    refused(422, lambda: pull.create_issue_comment(""))
    refused(422, lambda: pull.create_issue_comment("x" * 65_537))
    pull.add_to_labels("tribune: seen", "second")
    pull.remove_from_labels("second")
    refused(404, lambda: pull.remove_from_labels("second"), "Label does not exist")
    assert [label.name for label in pull.get_labels()] == ["tribune: seen"]
    events = [whole(e) for e in pull.get_issue_events()]
    assert [(e.event, e.label.name, e.actor.login) for e in events] == [("labeled", "tribune: seen", "bot[bot]"), ("labeled", "second", "bot[bot]"), ("unlabeled", "second", "bot[bot]")]


def checks(repo, pull):
    note = {"path": "app.py", "start_line": 8, "end_line": 8, "annotation_level": "failure", "message": "m"}
    output = {"title": "1 finding", "summary": "s", "annotations": [note] * 50}
    run = whole(repo.create_check_run("tribune", pull.head.sha, status="completed", conclusion="failure", output=output))
    assert (run.conclusion, run.status, run.output.annotations_count, run.head_sha) == ("failure", "completed", 50, pull.head.sha)
    run.edit(output={"title": "1 finding", "summary": "s", "annotations": [note] * 7})
    found = list(commit_of(repo, pull.head.sha).get_check_runs(check_name="tribune", filter="latest"))
    assert [(r.id, r.output.annotations_count) for r in found] == [(run.id, 57)]
    run.edit(conclusion="success", status="completed")
    assert repo.get_check_run(run.id).conclusion == "success"
    refused(422, lambda: repo.create_check_run("tribune", pull.head.sha, output=output | {"annotations": [note] * 51}))
    refused(422, lambda: repo.create_check_run("tribune", pull.head.sha, status="completed"))


def graphql(forge, server, first):
    listing = """query($owner: String!, $name: String!, $number: Int!, $after: String) { repository(owner: $owner, name: $name) { pullRequest(number: $number) {
        reviewThreads(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { id isResolved resolvedBy { login databaseId } comments(first: 100) { nodes { id lastEditedAt } } } } } } }"""
    variables = {"owner": "octo", "name": "app", "number": 7}

    def threads():
        _, answer = server.requester.graphql_query(listing, variables)
        return answer["data"]["repository"]["pullRequest"]["reviewThreads"]["nodes"]

    thread = next(t for t in threads() if t["comments"]["nodes"][0]["id"] == first.raw_data["node_id"])
    resolve = "mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }"

    def said(server, query, **variables):
        """The kinds of the errors of an answer that is 200 all the same."""
        try:
            server.requester.graphql_query(query, variables)
        except GithubException as e:
            assert e.status in (200, 400, 404), e
            return [error.get("type") for error in e.data["errors"]]
        return []

    assert said(client(forge, ACTIONS), resolve, id=thread["id"]) == ["FORBIDDEN"]
    assert said(server, resolve, id="PRRT_1") == ["NOT_FOUND"]
    assert said(server, resolve, id=thread["id"]) == []
    now = next(t for t in threads() if t["id"] == thread["id"])
    # A bot's login has no [bot] here.
    assert now["isResolved"] is True and now["resolvedBy"]["login"] == "bot" and now["resolvedBy"]["databaseId"] == 1001
    fold = "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: RESOLVED}) { minimizedComment { isMinimized } } }"
    assert said(client(forge, ACTIONS), fold, id=first.raw_data["node_id"]) == []


def tokens(forge):
    reader = client(forge, READ).get_repo("octo/app")
    assert reader.permissions.push is False
    refused(403, lambda: reader.get_pull(7).create_issue_comment("No."), "not accessible by integration")
    refused(401, lambda: client(forge, "ghs_wrong").get_repo("octo/app"), "Bad credentials")
    refused(403, lambda: client(forge, APP).get_user().login, "not accessible by integration")
    person = client(forge, "ghp_of-dev")
    assert person.get_user().login == "dev" and "repo" in person.oauth_scopes
    refused(403, lambda: person.get_repo("octo/app").create_check_run("x", forge["head"]), "GitHub App")
    refused(422, lambda: client(forge, ACTIONS).get_repo("octo/app").get_pull(7).create_review(event="APPROVE"), "not permitted to approve")


def main():
    with Served("github") as served:
        forge = served.first
        server = client(forge, APP)
        repo = server.get_repo("octo/app")
        pull = reading(forge, server, repo)
        first = reviews(repo, pull)
        checks(repo, pull)
        graphql(forge, server, first)
        tokens(forge)
        # A push moves comments along; a comment whose line is gone has none.
        served.ask("push", "edited.py", "short = 1")
        moved = {c.id: c for c in pull.get_review_comments()}
        gone = [c for c in moved.values() if c.path == "edited.py" and c.raw_data["line"] is None]
        assert moved[first.id].line == 8 and gone and all(c.original_line for c in gone)
        assert served.state()["violations"] == [], served.state()["violations"]
    # Another, since writes are limited to 80 a minute; which is seen at the end.
    with Served("github") as served:
        pull = client(served.first, APP).get_repo("octo/app").get_pull(7)
        comments_and_labels(pull)
        try:
            for n in range(20):
                pull.create_issue_comment("One too many.")
        except github.RateLimitExceededException as e:
            assert e.status == 403 and int(e.headers["retry-after"]) > 0 and "secondary rate limit" in str(e.data)
        else:
            raise AssertionError("more than 80 writes in a minute were taken")
    print("ok")


main()
