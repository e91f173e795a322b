#!/usr/bin/env python3
"""GitHub's own OpenAPI document judges each request that tribune sends: those of the tests with the fake GitHub (six rounds, and the
client's own) are recorded and sent to Prism. Then GitHub's own examples of `pull_request` events start the program.

    github_requests.py FOLDER      (with TRIBUNE, SERVED and NPM in the environment)
"""
import collections, json, os, pathlib, re, subprocess, sys
from prism import Prism
from served import STATE_KEY, Served, bare_env

work = pathlib.Path(sys.argv[1]) / "github-requests"
work.mkdir(parents=True, exist_ok=True)


def recorded():
    """What the client sent in the tests: one request of each form."""
    log = work / "requests.jsonl"
    log.unlink(missing_ok=True)
    command = ["cargo", "test", "--locked", "--quiet", "--test", "github_client", "--test", "six_rounds", "--", "--skip", "gitlab"]
    done = subprocess.run(command, env=os.environ | {"TRIBUNE_TEST_LOG": str(log)}, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"the tests fail: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    forms = collections.OrderedDict()
    for line in log.read_text().splitlines():
        request = json.loads(line)
        path = request["path"].removeprefix("/api/v3")
        # Git's own requests and GraphQL are in no OpenAPI document; nor is the form of a whole diff.
        if path == request["path"] or "diff" in request["headers"].get("accept", ""):
            continue
        form = re.sub(r"\b\d+\b|\b[0-9a-f]{40}\b", "N", path), request["method"], request["query"], shape(json.loads(request["body"] or "null"))
        forms.setdefault(form, request | {"path": path})
    return list(forms.values())


def shape(value):
    """Keys and types of a JSON value: what two bodies have in common that a schema judges alike."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{k}:{shape(v) if k not in LITERAL else v}" for k, v in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted({shape(v) for v in value})) + "]"
    return type(value).__name__


LITERAL = {"event", "side", "start_side", "status", "conclusion", "annotation_level", "subject_type"}


def judged(prism, request):
    """Why the document does not allow it; nothing where it does."""
    query = f"?{request['query']}" if request["query"] else ""
    headers = {k: v for k, v in request["headers"].items() if k in ("content-type", "authorization", "x-github-api-version", "user-agent")} | {"accept": "application/json"}
    status, told, body = prism.ask(request["method"], request["path"] + query, request["body"].encode() or None, headers)
    # What it finds in its own examples of answers is none of ours.
    violations = [v for v in json.loads(told.get("sl-violations") or "[]") if v["location"][0] == "request"]
    if violations or status in (404, 405, 406, 415, 422) and b"stoplight" in body or status >= 500:
        return f"{status} {violations} {body[:600].decode(errors='replace')}"


def requests(prism):
    sent = recorded()
    refused = [(r["method"], r["path"], r["query"], r["body"][:300], why) for r in sent if (why := judged(prism, r))]
    if refused:
        sys.exit("\n".join(map(str, refused)))
    kinds = {(r["method"], re.sub(r"\b\d+\b|\b[0-9a-f]{40}\b", "N", r["path"])) for r in sent}
    methods = collections.Counter(method for method, _ in kinds)
    if methods["POST"] < 5 or methods["GET"] < 10 or not methods["PATCH"] or not methods["DELETE"] or not methods["PUT"]:
        sys.exit(f"too little was recorded: {sorted(kinds)}")
    # It has to see what is wrong: each body without one of its parts that the document demands, a path that there is not.
    for method, path, body in (
        ("POST", "/repos/octo/app/check-runs", {"head_sha": "0" * 40}),
        ("POST", "/repos/octo/app/issues/7/comments", {"text": "no body"}),
        ("POST", "/repos/octo/app/pulls/7/reviews", {"event": "SHRUG"}),
        ("POST", "/repos/octo/app/pulls/7/reviews", {"comments": [{"path": "app.py", "line": 8}]}),
        ("PATCH", "/repos/octo/app/issues/comments/x", {"body": "b"}),
        ("GET", "/repos/octo/app/pulls/7/threads", None),
    ):
        wrong = {"method": method, "path": path, "query": "", "headers": {"content-type": "application/json"}, "body": json.dumps(body) if body else ""}
        if not judged(prism, wrong):
            sys.exit(f"Prism took a wrong request: {method} {path} {body}")
    return len(sent), len(kinds)


def run(environment, folder, *arguments):
    command = [os.environ["TRIBUNE"], "review", "--no-progress", *arguments]
    done = subprocess.run(command, cwd=folder, env=bare_env(work) | environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


def events(prism):
    """GitHub's own examples of events: each is understood, and none leads astray."""
    examples = json.loads((pathlib.Path(os.environ["NPM"]) / "node_modules/@octokit/webhooks-examples/api.github.com/index.json").read_text())
    examples = {kind["name"]: kind["examples"] for kind in examples}
    file = work / "event.json"
    empty = work / "empty"
    empty.mkdir(exist_ok=True)
    common = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(file), "GITHUB_ACTOR": "Codertocat", "TRIBUNE_STATE_KEY": STATE_KEY}
    ends = collections.Counter()
    root = prism.door()
    for event in examples["pull_request"]:
        file.write_text(json.dumps(event))
        # As it is, with GitHub's own examples as the server: read by the API, whose example is of another head.
        here = {"GITHUB_SERVER_URL": root, "GITHUB_API_URL": root, "GITHUB_REPOSITORY": event["repository"]["full_name"], "GITHUB_TOKEN": "ghs_x"}
        code, said = run(common | here, empty)
        if code != 4 or "older head" not in said or "panicked" in said:
            sys.exit(f"{event['action']}: {code} {said}")
        ends["read"] += 1
        code, said = run(common | here | {"GITHUB_REPOSITORY": "someone/else"}, empty)
        if code != 4 or "another repository" not in said:
            sys.exit(f"{event['action']} elsewhere: {code} {said}")
    # As it would be of our pull request: reviewed, whatever else stands in it.
    with Served("github") as served:
        head, env = served.first["head"], served.env("write")
        for event in examples["pull_request"]:
            text = json.dumps(event).replace(event["repository"]["full_name"], "octo/app").replace(event["pull_request"]["head"]["sha"], head)
            event = json.loads(text)
            event["number"] = event["pull_request"]["number"] = 7
            file.write_text(json.dumps(event))
            code, said = run(env | {"GITHUB_EVENT_PATH": str(file), "TRIBUNE_STATE_KEY": STATE_KEY}, served.first["repo"])
            if code != 1 or "panicked" in said:
                sys.exit(f"{event['action']}: {code} {said}")
            ends["reviewed"] += 1
        state = served.state()
        if len(state["threads"]) != 2 or len(state["comments"]) != 1 or state["violations"]:
            sys.exit(f"not posted once: {state}")
        # Events of other kinds are about no pull request, or say so.
        for name in ("push", "issues", "issue_comment", "check_run", "pull_request_review", "release", "workflow_dispatch", "workflow_run"):
            for event in examples.get(name, []):
                text = json.dumps(event).replace(event["repository"]["full_name"], "octo/app")
                file.write_text(text)
                code, said = run(env | {"GITHUB_EVENT_PATH": str(file), "GITHUB_EVENT_NAME": name, "TRIBUNE_STATE_KEY": STATE_KEY}, served.first["repo"], "--no-post", "--fail-on", "never")
                if code not in (0, 4) or "panicked" in said:
                    sys.exit(f"{name}: {code} {said}")
                ends[name] += 1
    if ends["read"] < 20 or len(ends) < 6:
        sys.exit(f"too few examples: {ends}")
    return sum(ends.values())


def main():
    with Prism() as prism:
        forms, kinds = requests(prism)
        print(f"{forms} forms of {kinds} kinds of requests, {events(prism)} starts")


main()
