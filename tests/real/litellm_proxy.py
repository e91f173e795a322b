#!/usr/bin/env python3
"""The LiteLLM proxy, the real program, as the gateway in front of a scripted upstream: whole reviews in three formats.

    litellm_proxy.py FOLDER      (with TRIBUNE, and LITELLM: the folder that it is installed in)
"""
import json, os, pathlib, re, socket, subprocess, sys, time, urllib.request
from scripted import Gateway, answer, finding, project, review

MASTER, UPSTREAM = "sk-litellm-master-1", "sk-upstream-2"
BASES = {"chat": ("openai", "/v1"), "responses": ("openai", "/v1"), "messages": ("anthropic", "")}
work = pathlib.Path(sys.argv[1]) / "litellm"
wrong = []


def expect(what, found, wanted):
    if found != wanted:
        wrong.append(f"{what}: {found!r}, not {wanted!r}")


def script(who, number, wire):
    """Tools, then the report; the judge keeps all."""
    if who == "coordinator":
        return answer(wire, calls=[("submit_review", {"findings": [], "summary": "Judged."})])
    if who == "quality" and number == 0:
        return answer(wire, "I look.", [("read_file", {"path": "app.py"}), ("search", {"text": "pack"})])
    return answer(wire, calls=[("report_findings", {"findings": [finding("    os.remove(name)" if who == "quality" else "import os", f"From {who}")]})])


class Proxy:
    """A running proxy; it ends with the block."""

    def __init__(self, upstream):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        models = [
            {"model_name": f"by-{wire}", "litellm_params": {"model": f"{provider}/scripted-1", "api_base": upstream + base, "api_key": UPSTREAM}}
            for wire, (provider, base) in BASES.items()
        ]
        # JSON is YAML. No attempt but tribune's own.
        settings = {"model_list": models, "general_settings": {"master_key": MASTER}, "litellm_settings": {"num_retries": 0}}
        (work / "config.yaml").write_text(json.dumps(settings))
        self.url, self.log = f"http://127.0.0.1:{port}", open(work / "proxy.log", "w")
        bin = pathlib.Path(os.environ["LITELLM"]) / "bin"
        env = {"PATH": f"{bin}:{os.environ['PATH']}", "HOME": str(work), "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "*"}
        command = [bin / "litellm", "--config", work / "config.yaml", "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
        self.program = subprocess.Popen(command, cwd=work, env=env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def wait(self):
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for _ in range(600):
            try:
                return direct.open(self.url + "/health/liveliness", timeout=5).read()
            except OSError:
                if self.program.poll() is not None:
                    break
                time.sleep(0.2)
        print("LiteLLM does not start: " + (work / "proxy.log").read_text()[-500:])
        sys.exit(77)

    def __enter__(self):
        self.wait()
        return self

    def __exit__(self, *_):
        self.program.terminate()
        self.program.wait(timeout=30)


def whole(proxy, upstream, wire):
    """A review with tools and judge ends right, and what it used arrives."""
    before = len(upstream.requests)
    upstream.counts.clear()
    code, report, said = review(project(work / wire / "project"), proxy.url, "litellm", wire, model=f"by-{wire}", key=MASTER)
    told = f"{report['coverage']} {report['notes']} {said}"
    expect(f"{wire}: {told}", (code, report["outcome"], report["summary"]), (0, "pass", "Judged."))
    expect(wire, sorted(f["title"] for f in report["findings"] if f["source"] == "model"), ["From docs", "From quality"])
    for run in report["reviewers"]:
        if run["id"] == "rules":
            continue
        requests = {"quality": 2, "docs": 1, "coordinator": 1}[run["id"]]
        usage = {"input_tokens": 10000 * requests, "cached_tokens": 6000 * requests, "output_tokens": 20 * requests}
        counted = {name: run["usage"][name] for name in usage}
        expect(f"{wire}, {run['id']}", (run["status"], run["requests"], counted), ("completed", requests, usage))
    asked = upstream.requests[before:]
    expect(f"{wire}: formats upstream", {request["wire"] for request in asked}, {wire})
    expect(f"{wire}: requests upstream", len(asked), 4)
    expect(f"{wire}: its own key upstream", [request for request in asked if MASTER in str(request)], [])
    expect(f"{wire}: the provider's key", all(UPSTREAM in str(request["headers"]) for request in asked), True)
    expect(f"{wire}: keys that are told", re.findall("sk-[a-z]+", json.dumps(report) + said), [])


def refused(proxy, wire, what, model, key, cause, fix):
    """What LiteLLM refuses fails the reviewers with cause and cure, once each, and tells no key."""
    code, report, said = review(project(work / f"{wire}-{what}" / "project"), proxy.url, "litellm", wire, model=model, key=key)
    why = report["coverage"][0]["reason"]
    expect(f"{wire}, {what}: {why}", (code, report["outcome"], bool(re.search(cause, why)), fix in why), (3, "inconclusive", True, True))
    expect(f"{wire}, {what}", [run["requests"] for run in report["reviewers"] if run["id"] != "rules"], [1, 1])
    expect(f"{wire}, {what}: the key", key in json.dumps(report) + said, False)


def main():
    work.mkdir(parents=True)
    upstream = Gateway(script)
    with Proxy(upstream.url) as proxy:
        for wire in BASES:
            whole(proxy, upstream, wire)
            refused(proxy, wire, "a wrong key", f"by-{wire}", "sk-wrong-0123456789", "answered 40[01]", "Check the gateway's token")
            refused(proxy, wire, "no such model", "by-nobody", MASTER, "answered 400", "Check the model's name")
    print("\n".join(wrong) or f"{len(upstream.requests)} requests went through it")
    return 1 if wrong else 0


sys.exit(main())
