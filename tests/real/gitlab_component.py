#!/usr/bin/env python3
"""The GitLab component really runs: gitlab-ci-local, the real program, a served fake GitLab.

    gitlab_component.py FOLDER      (with TRIBUNE, SERVED and NPM in the environment)
"""
import functools, hashlib, http.server, json, os, pathlib, re, shutil, subprocess, sys, threading
from served import ROOT, STATE_KEY, Pipeline, Served, clone

TEMPLATES = ROOT / "ci-templates/gitlab/templates"
work = pathlib.Path(sys.argv[1])
made = 0


def project(served):
    global made
    made += 1
    return clone(served, work / f"component-{made}" / "project", TEMPLATES)


def ci(head, inputs="", by="component"):
    place = {"component": f"component: 127.0.0.1/gitlab/group/sub/project/review@{head}", "local": "local: templates/review.yml"}[by]
    return f"""
stages: [test]
unit-test:
  stage: test
  script: echo tested
include:
  - {place}
    inputs: {{{inputs}}}
"""


def variables(served, rights="write", **more):
    return served.env(rights) | {"TRIBUNE_STATE_KEY": STATE_KEY, "CI_COMMIT_REF_SLUG": "topic"} | more


MERGE_REQUEST = ("CI_COMMIT_BRANCH",)


def branch(served, rights="write", **more):
    """The same in a branch pipeline: none of the variables of a merge request, but the list of the open ones."""
    env = {n: v for n, v in variables(served, rights).items() if not n.startswith("CI_MERGE_REQUEST_")}
    return env | {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "topic", "CI_OPEN_MERGE_REQUESTS": "group/sub/project!7"} | more


def one_job():
    with Served("gitlab") as gitlab:
        folder = project(gitlab)
        head = gitlab.first["head"]
        done = Pipeline(folder, ci(head), variables(gitlab), unset=MERGE_REQUEST, schema=True)
        done.expect("by default findings fail nothing", {"unit-test": "PASS", "tribune": "PASS"})
        state = gitlab.state()
        assert len(state["threads"]) == 2 and len(state["comments"]) == 1, state
        assert state["violations"] == [] and state["unfinished"] == 0, state
        quality = json.loads((folder / "gl-code-quality-report.json").read_text())
        assert sorted(e["severity"] for e in quality if e["location"]["path"] == "app.py") == ["critical", "major"], quality
        assert json.loads((folder / "tribune-report.sarif").read_text())["version"] == "2.1.0"

        failed = Pipeline(folder, ci(head, "fail-on: critical, formats: json rdjson markdown"), variables(gitlab), unset=MERGE_REQUEST)
        failed.expect("exit 1 is not allowed to fail", {"unit-test": "PASS", "tribune": "FAIL"})
        assert (folder / "tribune-report.json").exists() and (folder / "tribune-report.rdjson").exists() and (folder / "tribune-report.md").exists()
        assert len(gitlab.state()["threads"]) == 2 and gitlab.state()["violations"] == []

        # A gateway that is not there: exit 3, which is allowed to.
        down = {"TRIBUNE_GATEWAY_URL": "http://127.0.0.1:9/v1", "TRIBUNE_MODEL": "none"}
        done = Pipeline(folder, ci(head), variables(gitlab, **down), unset=MERGE_REQUEST)
        done.expect("exit 3 is a warning", {"unit-test": "PASS", "tribune": "WARN"})
        # A token that cannot write: exit 4.
        done = Pipeline(folder, ci(head), variables(gitlab, "read", TRIBUNE_STATE_KEY="another"), unset=MERGE_REQUEST)
        done.expect("exit 4 is a warning", {"unit-test": "PASS", "tribune": "WARN"}, "api")
        # A severity that is none, by a variable that wins over the input: exit 2.
        done = Pipeline(folder, ci(head), variables(gitlab, TRIBUNE_FAIL_ON="huge"), unset=MERGE_REQUEST)
        done.expect("exit 2 is a warning", {"unit-test": "PASS", "tribune": "WARN"})
        return state


def kinds_of_pipelines():
    with Served("gitlab") as gitlab:
        folder = project(gitlab)
        head = gitlab.first["head"]
        with_job, without = {"unit-test": "PASS", "tribune": "PASS"}, {"unit-test": "PASS"}
        merge_request, of_branch = variables(gitlab), branch(gitlab)
        for kind, in_merge_request, in_branch in (("auto", with_job, with_job), ("merge_request", with_job, without), ("branch", without, with_job)):
            Pipeline(folder, ci(head, f"pipeline: {kind}"), merge_request, unset=MERGE_REQUEST).expect(f"{kind} in a merge request's", in_merge_request)
            Pipeline(folder, ci(head, f"pipeline: {kind}"), of_branch).expect(f"{kind} in a branch's", in_branch)
        assert len(gitlab.state()["threads"]) == 2 and gitlab.state()["violations"] == []
        Pipeline(folder, ci(head), of_branch | {"CI_OPEN_MERGE_REQUESTS": ""}).expect("a branch without merge request", without)
        train = merge_request | {"CI_MERGE_REQUEST_EVENT_TYPE": "merge_train"}
        Pipeline(folder, ci(head), train, unset=MERGE_REQUEST).expect("a merge train", without)
        own = """rules: [{if: '$CI_MERGE_REQUEST_SOURCE_BRANCH_NAME == "topic"', when: never}]"""
        Pipeline(folder, ci(head, own, by="local"), merge_request, unset=MERGE_REQUEST).expect("a rule of the project's", without)
        Pipeline(folder, ci(head, "stage: test, needs: [unit-test], tags: [big]"), merge_request, unset=MERGE_REQUEST).expect("stage, needs, tags", with_job)
        refused = Pipeline(folder, ci(head, "fail-on: '$(id)'"), merge_request, unset=MERGE_REQUEST)
        assert refused.code != 0 and not refused.jobs, refused.said
        # The same jobs without a header, for instances without inputs.
        plain = ci(head, by="local").replace("templates/review.yml", "templates/include.yml").replace("    inputs: {}\n", "")
        Pipeline(folder, plain, merge_request, unset=MERGE_REQUEST).expect("include.yml", with_job)
        Pipeline(folder, plain, merge_request | {"TRIBUNE_PIPELINE": "branch"}, unset=MERGE_REQUEST).expect("include.yml, set by a variable", without)
        Pipeline(folder, plain, of_branch | {"TRIBUNE_FAIL_ON": "critical"}).expect("include.yml, gate", with_job | {"tribune": "FAIL"})


def read(state):
    """What a reader of the page sees: threads, and the comment without what changes from run to run (cost, time, hidden state)."""
    seen = [(t["path"], t["line"], t["resolved"], [plain(body) for _, body in t["bodies"]]) for t in state["threads"]]
    return sorted(seen), [plain(c["body"]) for c in state["comments"]], state["labels"]


def plain(body):
    return re.sub(r"127.0.0.1:\d+|\d+ ms|\d+(\.\d+)? s\b|\b[0-9a-f]{7,40}\b", "…", re.sub(r"<!--.*?-->", "", body, flags=re.S)).strip()


def two_jobs(of_one_job):
    with Served("gitlab") as gitlab:
        folder = project(gitlab)
        head = gitlab.first["head"]
        # Each token is bound to the environment of the job that it is for, as the README says.
        tokens = {"values": {"tribune/review": gitlab.env("read")["GITLAB_TOKEN"], "tribune/publish": gitlab.env("write")["GITLAB_TOKEN"]}}
        common = {n: v for n, v in variables(gitlab).items() if n != "GITLAB_TOKEN"}

        def run(inputs, jobs, what, *texts, **settings):
            return Pipeline(folder, ci(head, f"split: true{inputs}"), common, unset=MERGE_REQUEST, settings={"GITLAB_TOKEN": tokens} | settings).expect(what, {"unit-test": "PASS"} | jobs, *texts)

        def push(text):
            """Somebody pushes; the next job's clone has it."""
            nonlocal head
            gitlab.ask("push", "edited.py", text)
            head = common["CI_COMMIT_SHA"] = gitlab.state()["head"]
            subprocess.run(["git", "-C", folder, "fetch", "-q", "origin", "topic"], check=True)
            subprocess.run(["git", "-C", folder, "reset", "-q", "--hard", head], check=True)
            shutil.copytree(TEMPLATES, folder / "templates", dirs_exist_ok=True)

        run("", {"tribune-review": "PASS", "tribune-publish": "PASS"}, "two jobs")
        state = gitlab.state()
        assert read(state) == read(of_one_job), f"two jobs: {read(state)}\none job: {read(of_one_job)}"
        assert state["violations"] == [] and state["unfinished"] == 0, state
        run("", {"tribune-review": "PASS", "tribune-publish": "PASS"}, "two jobs again")
        assert gitlab.state()["writes"] == state["writes"], "the same was written twice"
        push("short = 1")
        run(", fail-on: critical", {"tribune-review": "PASS", "tribune-publish": "FAIL"}, "the second of two jobs gates")
        state = gitlab.state()
        run(", fail-on: critical", {"tribune-review": "PASS", "tribune-publish": "FAIL"}, "and the retried one")
        assert gitlab.state()["writes"] == state["writes"], "the same was written twice"
        # A gateway that is not there: the first job says so, the second still posts what there is, and both are warnings.
        push("shorter = 1")
        down = {"TRIBUNE_GATEWAY_URL": {"values": {"tribune/review": "http://127.0.0.1:9/v1"}}, "TRIBUNE_MODEL": "none"}
        run("", {"tribune-review": "WARN", "tribune-publish": "WARN"}, "a gateway that is not there", **down)
        assert gitlab.state()["violations"] == [] and len(gitlab.state()["threads"]) == 2, gitlab.state()


def forks():
    with Served("gitlab", "fork") as gitlab:
        folder = project(gitlab)
        of_fork = variables(gitlab, "job", CI_PROJECT_ID="43", CI_PROJECT_PATH="fork/project") | {"TRIBUNE_GATEWAY_URL": "http://127.0.0.1:9/v1", "TRIBUNE_MODEL": "none"}
        done = Pipeline(folder, ci(gitlab.first["head"], by="local"), of_fork, unset=MERGE_REQUEST)
        done.expect("a fork", {"unit-test": "PASS", "tribune": "PASS"}, "runs in a fork", "rules only")
        state = gitlab.state()
        assert state["writes"] == 0 and state["threads"] == [] and state["requests"] == 0, state
        paths = {e["location"]["path"] for e in json.loads((folder / "gl-code-quality-report.json").read_text())}
        assert "app.py" in paths, paths
        done = Pipeline(folder, ci(gitlab.first["head"], "split: true, fail-on: critical", by="local"), of_fork, unset=MERGE_REQUEST)
        done.expect("a fork in two jobs has no second", {"unit-test": "PASS", "tribune-review": "PASS"}, "runs in a fork")


def downloads():
    """A release's template brings its own program, and takes no other."""
    served = work / "downloads"
    served.mkdir()
    target = f"{os.uname().machine}-unknown-linux-musl"
    program = served / f"tribune-9.9.9-{target}"
    program.write_text(f'#!/bin/sh\necho "the downloaded program"\nexec "{os.environ["TRIBUNE"]}" "$@"\n')
    others = [f"{'0' * 64}  tribune-9.9.9-{t}\n" for t in ("x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl") if t != target]
    (work / "SHA256SUMS").write_text(f"{hashlib.sha256(program.read_bytes()).hexdigest()}  {program.name}\n" + "".join(others))
    shutil.copytree(ROOT / "ci-templates", work / "released")
    subprocess.run([work / "released/release", "9.9.9", work / "SHA256SUMS"], check=True)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=served))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"download: 'http://127.0.0.1:{server.server_port}'"
    with Served("gitlab") as gitlab:
        folder = clone(gitlab, work / "downloading" / "project", work / "released/gitlab/templates")
        head, jobs = gitlab.first["head"], {"unit-test": "PASS", "tribune": "PASS"}
        Pipeline(folder, ci(head, place, by="local"), variables(gitlab), unset=MERGE_REQUEST).expect("a download", jobs, "the downloaded program")
        assert len(gitlab.state()["threads"]) == 2
        done = Pipeline(folder, ci(head, place + ", version: 9.9.8", by="local"), variables(gitlab), unset=MERGE_REQUEST)
        done.expect("another version", jobs | {"tribune": "WARN"}, "knows no checksum")
        program.write_text(program.read_text() + "# tampered with\n")
        done = Pipeline(folder, ci(head, place, by="local"), variables(gitlab), unset=MERGE_REQUEST)
        done.expect("another program", jobs | {"tribune": "WARN"}, "not what was released")
        program.unlink()
        Pipeline(folder, ci(head, place, by="local"), variables(gitlab), unset=MERGE_REQUEST).expect("nothing there", jobs | {"tribune": "WARN"}, "404")
    server.shutdown()


def main():
    two_jobs(one_job())
    kinds_of_pipelines()
    forks()
    downloads()
    print("ok")


main()
