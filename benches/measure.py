#!/usr/bin/env python3
"""Measures the release binary on real changes. Numbers for people: nothing here is a test.

    cargo build --release
    benches/measure.py --repo PATH_OF_A_CLONE_OF_nextest-rs/nextest [--binary target/release/tribune]

It starts a scripted gateway on the loopback interface that answers every request after --delay seconds
with no findings (two per reviewer with --findings, so that the judge runs), and prints, for the changes
F and H of that repository: wall time above the longest chain of dependent requests, CPU time and peak
memory of the whole process tree, requests, bytes of the shared prefix against the diff, and coverage.

The gateway caches prefixes as OpenAI does (from 1,024 tokens on, in blocks of 128; a token is 4 bytes): a request reads from
the cache what it shares with one whose answer has begun. That is set against what any earlier request of its model had sent.
"""
import argparse, json, os, resource, socket, subprocess, sys, tempfile, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

F = ("2016d003", "ac25b4d1")
H = ("a6688391", "b2a481b1")


class Gateway(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    delay, findings, prose, bytes_per_token, output = 2.0, False, False, 4.0, 20
    log, lock, sent, warm = [], threading.Lock(), {}, {}

    def log_message(self, *a):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        began = time.monotonic()
        text = json.dumps([body["tools"], body["messages"]])
        with self.lock:
            sent, warm = self.sent.setdefault(body["model"], []), self.warm.setdefault(body["model"], [])
            repeated, cached = cacheable(text, sent), cacheable(text, warm)
            sent.append(text)
        time.sleep(self.delay)
        with self.lock:
            warm.append(text)
        ended = time.monotonic()
        own = body["messages"][1]["content"]
        own = own if isinstance(own, str) else own[-1]["text"]
        judge = own.startswith("# Coordinator")
        if judge:
            name, args = "submit_review", {"findings": [], "summary": "Scripted."}
        else:
            name, args = "report_findings", {"findings": self.reports(body, own) if self.findings else []}
        delta = {"role": "assistant", "content": "Looks fine to me."} if self.prose else {"role": "assistant", "tool_calls": [
            {"index": 0, "id": "c1", "type": "function", "function": {"name": name, "arguments": json.dumps(args)}}]}
        size, cached, output = int(len(text) / self.bytes_per_token), int(cached * 4 / self.bytes_per_token), self.output
        usage = {"prompt_tokens": size, "completion_tokens": output, "total_tokens": size + output, "prompt_tokens_details": {"cached_tokens": cached}}
        chunk = lambda choices, **more: b"data: " + json.dumps({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": body["model"], "choices": choices, **more}).encode() + b"\n\n"
        out = chunk([{"index": 0, "delta": delta, "finish_reason": None}]) + chunk([{"index": 0, "delta": {}, "finish_reason": "stop" if self.prose else "tool_calls"}]) + chunk([], usage=usage) + b"data: [DONE]\n\n"
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)
        with self.lock:
            self.log.append({"began": began, "ended": ended, "body": body, "own": own, "judge": judge, "tokens": size, "output": output, "cached": cached, "repeated": repeated})

    def reports(self, body, own):
        shared = body["messages"][1]["content"]
        shared = shared[0]["text"] if isinstance(shared, list) else shared
        added, path = [], ""
        for line in shared.splitlines():
            path = line[3:].split(" ")[0] if line.startswith("## ") else path
            added += [(path, line[1:])] if line.startswith("+") and len(line) > 30 else []
        # Each reviewer tells of other lines, or one finding would be left for the judge.
        first = sum(own.splitlines()[0].encode()) % 20 * 2
        return [{"path": path, "quote": line, "severity": "suggestion", "title": f"Scripted {i}", "body": "Scripted."} for i, (path, line) in enumerate(added[first:first + 2])]


def cacheable(text, others):
    """Tokens of the longest beginning that text shares with another one, as far as they can be cached."""
    longest = 0
    for other in others:
        low, high = 0, min(len(text), len(other))
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if text[:middle] == other[:middle] else (low, middle - 1)
        longest = max(longest, low)
    blocks = longest // 4 // 128 * 128
    return blocks if blocks >= 1024 else 0


def run(binary, repo, args, env):
    """Runs the binary; returns (result, wall, CPU seconds, peak MiB of the largest process)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.NamedTemporaryFile("r") as peak:
        began = time.monotonic()
        done = subprocess.run(["/usr/bin/env", "python3", "-c",
                               "import resource,subprocess,sys;r=subprocess.run(sys.argv[2:]);open(sys.argv[1],'w').write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss));sys.exit(r.returncode)",
                               peak.name, binary, *args], cwd=repo, env=env, capture_output=True, text=True)
        wall = time.monotonic() - began
        kib = int(peak.read() or 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done, wall, cpu, kib / 1024


def chain(log):
    """The longest chain of dependent requests: what must wait for something else began after it ended."""
    best = []
    for r in sorted(log, key=lambda r: r["began"]):
        before = [b for e, b in best if e <= r["began"]]
        best.append((r["ended"], max(before, default=0) + r["ended"] - r["began"]))
    return max((b for _, b in best), default=0)


def grown(folder, lines):
    """A repository whose last commit adds so many lines of ordinary code in files of 500 lines."""
    git = lambda *x: subprocess.run(["git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.org", *x], check=True, capture_output=True)
    os.makedirs(folder)
    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "base")
    git("checkout", "-q", "-b", "work")
    for i in range(max(1, lines // 500)):
        with open(f"{folder}/module_{i}.py", "w") as f:
            for j in range(min(500, lines) // 5):
                f.write(f"def step_{i}_{j}(value, table):\n    if value in table:\n        return table[value] + {j}\n    return helper_{j}(value)\n\n")
    git("add", "-A")
    git("commit", "-q", "-m", "grow")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--repo", required=True)
    ap.add_argument("--binary", default="target/release/tribune")
    ap.add_argument("--delay", type=float, default=2.0)
    ap.add_argument("--repeat", type=int, default=3)
    ap.add_argument("--caps", action="store_true", help="only F and H with a cap of 0.10 dollars")
    ap.add_argument("--quick", action="store_true", help="only F through the gateway")
    a = ap.parse_args()
    binary = os.path.abspath(a.binary)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = tempfile.mkdtemp()
    offline = {"PATH": os.environ["PATH"], "HOME": home}
    online = {**offline, "TRIBUNE_GATEWAY_URL": f"http://127.0.0.1:{server.server_address[1]}/v1", "TRIBUNE_GATEWAY_TOKEN": "none", "TRIBUNE_MODEL": "scripted"}
    git = lambda *x: subprocess.run(["git", "-C", a.repo, *x], capture_output=True, check=True).stdout

    idle = min(run("true", a.repo, [], offline)[1] for _ in range(5))
    idle_cpu = min(run("true", a.repo, [], offline)[2] for _ in range(5))
    print(f"version: {min(run(binary, a.repo, ['--version'], offline)[1] for _ in range(10)) - idle:.4f} s; binary {os.path.getsize(binary) / 1e6:.1f} MB")

    def report(name, span, args, env, delay=0.0, findings=False, prose=False):
        Gateway.delay, Gateway.findings, Gateway.prose = delay, findings, prose
        best = None
        for _ in range(a.repeat):
            for kept in (Gateway.log, Gateway.sent, Gateway.warm):
                kept.clear()
            out = os.path.join(home, "r.json")
            done, wall, cpu, mib = run(binary, a.repo, ["review", "--base", span[0], "--head", span[1], "--no-progress", "--format", "json", "--output", out, *args], env)
            above = wall - idle - chain(Gateway.log)
            if best is None or above < best[0]:
                best = (above, wall, cpu - idle_cpu, mib, done, list(Gateway.log), json.load(open(out)) if os.path.exists(out) else None)
        above, wall, cpu, mib, done, log, rep = best
        status = {}
        for c in rep["coverage"] if rep else []:
            status[c["status"]] = status.get(c["status"], 0) + 1
        print(f"{name}: exit {done.returncode}, wall {wall:.2f} s, above the chain {above:.3f} s, CPU {cpu:.2f} s, peak {mib:.0f} MiB, requests {len(log)}, coverage {status}, files {rep['change']['files'] if rep else '?'}")
        if not rep:
            print(done.stderr[-2000:])
        return log, rep

    def capped(name, span, bytes_per_token, output):
        """A cap of 0.10 dollars at 1, 0.1 and 4 dollars per million: what the provider counted, and what the report says."""
        Gateway.delay, Gateway.findings, Gateway.prose, Gateway.bytes_per_token, Gateway.output = 0.05, False, False, bytes_per_token, output
        config, out = os.path.join(home, "prices.yaml"), os.path.join(home, "capped.json")
        with open(config, "w") as f:
            f.write("prices: {scripted: {input: 1, cached: 0.1, output: 4}}\n")
        counted, told, requests, exits, reviewed = [], [], [], [], []
        for _ in range(a.repeat):
            for kept in (Gateway.log, Gateway.sent, Gateway.warm):
                kept.clear()
            done = run(binary, a.repo, ["review", "--base", span[0], "--head", span[1], "--no-progress", "--format", "json", "--output", out, "--tier", "full", "--config", config, "--max-cost", "0.10"], online)[0]
            rep = json.load(open(out))
            counted.append(sum(r["tokens"] - r["cached"] + r["cached"] / 10 + 4 * r["output"] for r in Gateway.log) / 1e6)
            told.append(rep["usage"].get("cost_usd", 0.0))
            requests.append(len(Gateway.log))
            exits.append(done.returncode)
            reviewed.append(sum(len([r for r in c["reviewers"] if r != "rules"]) for c in rep["coverage"]))
        print(f"{name}, cap of $0.10, {bytes_per_token} bytes a token, {output} tokens an answer: the provider counted ${max(counted):.4f} at most, the report is off by ${max(abs(c - t) for c, t in zip(counted, told)):.6f} at most; "
              f"requests {requests}, files times reviewers {reviewed} of {rep['change']['files']} files, exits {exits}")
        print("   " + "; ".join(n for n in rep["notes"] if "limit" in n))
        Gateway.bytes_per_token, Gateway.output = 4.0, 20

    if a.caps:
        for name, span in (("F", F), ("H", H)):
            for bytes_per_token, output in ((4.0, 20), (4.0, 1500), (3.0, 600), (2.0, 600)):
                capped(name, span, bytes_per_token, output)
        return
    diff = len(git("diff", *F))
    log, _ = report("F, gateway", F, [], online, a.delay)
    prefix = {json.dumps([r["body"]["tools"], r["body"]["messages"][0], r["body"]["messages"][1]["content"][0]]) for r in log if not r["judge"]}
    shared = [len(r["body"]["messages"][1]["content"][0]["text"].encode()) for r in log if not r["judge"]]
    whole = [len(json.dumps(r["body"]["tools"])) + len(r["body"]["messages"][0]["content"].encode()) + s for r, s in zip([r for r in log if not r["judge"]], shared)]
    print(f"   diff {diff} bytes; shared context {max(shared)} ({max(shared) / diff:.2f} x), with tools and instructions {max(whole)} ({max(whole) / diff:.2f} x); distinct prefixes {len(prefix)}; largest own part {max(len(r['own'].encode()) for r in log) // 4} tokens")
    log, rep = report("F, gateway, full tier, findings and judge", F, ["--tier", "full"], online, a.delay, findings=True)
    tokens, cached, repeated = (sum(r[k] for r in log) for k in ("tokens", "cached", "repeated"))
    print(f"   input {tokens} tokens, repeated {repeated}, of these from the cache {cached} ({cached / max(1, repeated):.1%}); {cached / tokens:.1%} of all input; "
          f"paid for (uncached + cached / 10) {tokens - cached + cached / 10:.0f}, {(tokens - cached + cached / 10) / (diff / 4):.2f} x the diff's; as reported: {rep['usage'] if rep else '?'}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    _, rep = report("F, gateway down", F, ["--tier", "full"], {**online, "TRIBUNE_GATEWAY_URL": nobody})
    print("   requests a reviewer:", {r["id"]: r["requests"] for r in rep["reviewers"]} if rep else "?")
    if a.quick:
        return
    log, _ = report("F, prose for ever", F, [], online, 0, prose=True)
    counts = {}
    for r in log:
        counts[r["own"].splitlines()[0]] = counts.get(r["own"].splitlines()[0], 0) + 1
    print("   requests a reviewer:", counts)
    report("F, offline", F, ["--offline"], offline)
    report("H, offline", H, ["--offline"], offline)
    for lines in (1_000, 10_000, 100_000):
        folder = os.path.join(home, f"grown{lines}")
        grown(folder, lines)
        times = [run(binary, folder, ["review", "--base", "main", "--offline", "--no-progress", "--format", "json", "--output", os.path.join(home, "g.json")], offline)[2] - idle_cpu for _ in range(a.repeat)]
        print(f"{lines} added lines, offline: CPU {min(times):.2f} s, {min(times) / lines * 1e6:.0f} us a line")
    Gateway.delay = 0
    log, rep = report("H, gateway", H, ["--max-tokens", "20000000"], online)
    if rep:
        unseen = [c["path"] for c in rep["coverage"] if c["status"] == "reviewed" and not [r for r in c["reviewers"] if r != "rules"]]
        print(f"   reviewed by rules alone: {len(unseen)} {unseen[:5]}")


if __name__ == "__main__":
    sys.exit(main())
