#!/usr/bin/env python3
"""The central template really runs: a webhook's payload in, a review and a commit status out. gitlab-ci-local runs the pipeline
and its child, the program is the real one, the GitLab is a served fake.

    gitlab_central.py FOLDER      (with TRIBUNE, SERVED and NPM in the environment)
"""
import json, pathlib, shutil, subprocess, sys
from served import ROOT, STATE_KEY, Pipeline, Served

work = pathlib.Path(sys.argv[1])
BOT, DEV = 1001, 1003
NASTY = """"; touch pwned; $(touch pwned) `touch pwned` ' \n/merge ${{ x }} \u202e ::error:: """

CI = """
include:
  - local: templates/central.yml
    inputs: {fail-on: critical}
"""


def push(**more):
    """A merge-request event as GitLab sends it, with a stranger's text wherever strangers write."""
    event = {
        "object_kind": "merge_request", "event_type": "merge_request",
        "user": {"id": DEV, "name": NASTY, "username": NASTY, "email": NASTY},
        "project": {"id": 42, "name": NASTY, "path_with_namespace": "stranger.example/" + NASTY, "web_url": "https://stranger.example", "default_branch": NASTY},
        "repository": {"name": NASTY, "url": "https://stranger.example", "homepage": NASTY},
        "object_attributes": {"id": 99, "iid": 7, "action": "update", "oldrev": "0" * 40, "title": NASTY, "description": NASTY, "url": "https://stranger.example/-/merge_requests/1",
                              "source_branch": NASTY, "target_branch": NASTY, "last_commit": {"id": "f" * 40, "message": NASTY}},
        "labels": [], "changes": {"updated_at": {}}, "assignees": [],
    }
    return event | more


def note(**attributes):
    return {
        "object_kind": "note", "user": {"id": DEV, "username": NASTY}, "project": {"id": 42},
        "object_attributes": {"id": 5, "note": NASTY, "noteable_type": "MergeRequest", "system": False} | attributes,
        "merge_request": {"id": 99, "iid": 7, "title": NASTY},
    }


def main():
    with Served("gitlab") as gitlab:
        folder = work / "central" / "project"
        folder.mkdir(parents=True)
        shutil.copytree(ROOT / "ci-templates/gitlab/templates", folder / "templates")
        for args in (["init", "-q"], ["remote", "add", "origin", f"{gitlab.first['origin']}/gitlab/ops/central.git"], ["add", "."],
                     ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "central"]):
            subprocess.run(["git", "-C", folder, *args], check=True)
        env = gitlab.env("write")
        server = {n: env[n] for n in ("CI_SERVER_URL", "CI_API_V4_URL", "GITLAB_CI", "GITLAB_TOKEN")} | {"TRIBUNE_STATE_KEY": STATE_KEY}
        payload = work / "payload.json"

        def run(event, what, *texts, jobs={"tribune-find": "PASS"}, child="review", end="WARN", **settings):
            payload.write_bytes(event if isinstance(event, bytes) else json.dumps(event).encode())
            variables = {"CI_PIPELINE_SOURCE": "trigger", "TRIGGER_PAYLOAD": str(payload)}
            done = Pipeline(folder, CI, variables, settings=server | settings)
            wanted = dict(jobs) | ({child: end} if child else {})
            # The trigger job itself runs nothing; gitlab-ci-local reports it as passed.
            done.jobs.pop("tribune-run", None)
            done.expect(what, wanted, *texts)
            assert "pwned" not in done.said and "stranger.example" not in done.said, done.said
            assert not list(work.rglob("pwned")), "text of the payload was run"
            return done

        nothing = {"child": "nothing-to-review", "end": "PASS"}
        run(note(noteable_type="Issue"), "a note elsewhere", "changes nothing that a review looks at", **nothing)
        run(note(system=True), "a system note", "changes nothing", **nothing)
        run(push(object_attributes={"iid": 7, "action": "approved"}), "an approval", "changes nothing", **nothing)
        run(push(project={"id": "42; touch pwned"}), "an id that is none", "not one of a merge request", **nothing)
        run(push(project={"id": 42.5}), "half an id", "not one of a merge request", **nothing)
        run(push(project={"id": -42}), "a negative id", "not one of a merge request", **nothing)
        run(b"not JSON $(touch pwned)", "no JSON", "not one of a merge request", **nothing)
        run(b"[" * 100_000, "deep JSON", "not one of a merge request", **nothing)
        run(b" " * (5 << 20), "a huge event", "larger than 4 MiB", **nothing)
        run(push(user={"id": BOT}), "our own event", "tribune's own doing", **nothing)
        run(push(user={"id": 77}), "our own event, by the ids given", "tribune's own doing", TRIBUNE_BOT_ID="76, 77", **nothing)
        run(push(project={"id": 41}), "a project that the token cannot read", jobs={"tribune-find": "FAIL"}, child=None)
        assert gitlab.state()["writes"] == 0

        # Findings fail the commit status; the central project's own job may fail by them.
        run(push(), "a push", "To review: ")
        state = gitlab.state()
        assert len(state["threads"]) == 2 and len(state["comments"]) == 1 and state["violations"] == [], state
        assert [status for _, status in state["checks"]] == ["failed"], state["checks"]
        writes = state["writes"]
        # What we wrote comes back as events; and even if it were taken for another's, nothing is written.
        run(push(user={"id": BOT}), "the echo", "tribune's own doing", **nothing)
        run(note(), "an echo under another name")
        assert gitlab.state()["writes"] == writes, gitlab.state()
        # A maintainer opens the gate without a push.
        head = gitlab.first["head"]
        gitlab.ask("comment", "maintainer", f"tribune break glass {head[:12]}: the incident is worse")
        run(note(), "break glass", end="PASS")
        assert [status for _, status in gitlab.state()["checks"]] == ["success"], gitlab.state()["checks"]
        assert gitlab.state()["violations"] == []
    print("ok")


main()
