#!/usr/bin/env python3
"""The GitLab component really runs: gitlab-ci-local, the real program, a served fake GitLab.

    gitlab_component.py FOLDER      (with TRIBUNE, SERVED and NPM in the environment)
"""
import json, pathlib, subprocess, sys
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
        writes = state["writes"]

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
        return writes


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


def main():
    one_job()
    kinds_of_pipelines()
    forks()
    print("ok")


main()
