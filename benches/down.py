#!/usr/bin/env python3
"""How long until a run says that its gateway is down, by what "down" means. Numbers for people: nothing here is a test.

    cargo build --release
    benches/down.py [--binary target/release/tribune] [--silence]

For each kind it prints wall time, exit code (3 is right), findings of rules that are shown, attempts of each reviewer, and
what the first of them says. The bar is 15 s and three attempts a reviewer. --silence adds gateways that accept a request
and never answer: these are given `first_byte_seconds` (120 s by default), since slow models look the same.
The silent name server needs user namespaces (`unshare -r`), and is left out where there are none.
"""
import argparse, collections, contextlib, json, os, socket, subprocess, sys, tempfile, threading, time

LARGE = "".join(f"+def step_{i}(value, table):\n+    return table[value] + helper_{i}(value)\n" for i in range(400))


def patch(large):
    """A change that a rule finds something in; with `large`, long enough that one request warms the cache for the others."""
    body = "+import os\n+\n+\n+def pack(name):\n+    os.system('tar ' + name)\n" + (LARGE if large else "")
    return f"diff --git a/app/pack.py b/app/pack.py\nnew file mode 100644\n--- /dev/null\n+++ b/app/pack.py\n@@ -0,0 +1,{body.count(chr(10))} @@\n{body}"


@contextlib.contextmanager
def refuses():
    """Nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{free.getsockname()[1]}/v1", {}


@contextlib.contextmanager
def swallows():
    """A listener whose queue is full: the kernel drops every further packet that asks for a connection."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        time.sleep(0.2)
        with socket.socket() as probe:
            probe.settimeout(2)
            try:
                probe.connect(listener.getsockname())
                sys.exit("this kernel's queue does not fill up: nothing to measure")
            except TimeoutError:
                pass
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", {}


@contextlib.contextmanager
def accepts(scheme="http"):
    """Takes every connection and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        kept = []

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    kept.append(listener.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/v1", {}
        listener.shutdown(socket.SHUT_RDWR)
        [one.close() for one in kept]


@contextlib.contextmanager
def silent_proxy():
    with accepts() as (url, _):
        yield "https://gateway.example.com/v1", {"HTTPS_PROXY": url.removesuffix("/v1")}


@contextlib.contextmanager
def no_name():
    yield "https://gateway.invalid/v1", {}


def silent_names(command, home):
    """The command, where the only name server never answers."""
    resolv = os.path.join(home, "resolv.conf")
    with open(resolv, "w") as f:
        f.write("nameserver 127.0.0.1\n")
    bind = "import os,socket,sys;s=socket.socket(type=socket.SOCK_DGRAM);s.bind(('127.0.0.1',53));s.set_inheritable(True);os.execvp(sys.argv[1],sys.argv[1:])"
    inside = f'ip link set lo up && mount --bind "$0" /etc/resolv.conf && exec "$@"'
    return ["unshare", "-rmn", "sh", "-c", inside, resolv, sys.executable, "-c", bind, *command]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--binary", default="target/release/tribune")
    ap.add_argument("--silence", action="store_true")
    a = ap.parse_args()
    binary = os.path.abspath(a.binary)
    kinds = [("nobody listens", refuses(), None), ("packets are swallowed", swallows(), None), ("TLS handshake without an end", accepts("https"), None),
             ("proxy without an answer", silent_proxy(), None), ("name that does not resolve", no_name(), None)]
    if subprocess.run(["unshare", "-rmn", "true"], capture_output=True).returncode == 0:
        kinds.append(("name server without an answer", no_name(), silent_names))
    else:
        print("name server without an answer: left out, no user namespaces")
    if a.silence:
        kinds.append(("accepts, and never answers", accepts(), None))
    with tempfile.TemporaryDirectory() as home:
        for name, kind, wrap in kinds:
            with kind as (url, more):
                for large in (False, True):
                    diff, out, log = (os.path.join(home, file) for file in ("change.patch", "report.json", "events.jsonl"))
                    with open(diff, "w") as f:
                        f.write(patch(large))
                    with contextlib.suppress(FileNotFoundError):
                        os.remove(out)
                    env = {"PATH": os.environ["PATH"], "HOME": home, "TRIBUNE_GATEWAY_URL": url, "TRIBUNE_GATEWAY_TOKEN": "none", "TRIBUNE_MODEL": "m", **more}
                    command = [binary, "review", "--diff", diff, "--tier", "full", "--fail-on", "never", "--no-progress", "--format", "json", "--output", out, "--events", log]
                    began = time.monotonic()
                    done = subprocess.run(wrap(command, home) if wrap else command, cwd=home, env=env, capture_output=True, text=True)
                    wall = time.monotonic() - began
                    if not os.path.exists(out):
                        print(f"{name}: exit {done.returncode}, {wall:.2f} s, no report: {done.stderr[-500:]}")
                        continue
                    with open(out) as f, open(log) as events:
                        report = json.load(f)
                        attempts = collections.Counter(e["reviewer"] for e in map(json.loads, events) if e.get("event", e.get("type")) == "model_called")
                    said = next((r["reason"] for r in report["reviewers"] if r["status"] == "failed"), "?")
                    print(f"{name}, {'with' if large else 'without'} a warm-up: {wall:.2f} s, exit {done.returncode}, {len(report['findings'])} findings of rules, "
                          f"attempts {sorted(attempts.values(), reverse=True)} of {len(report['reviewers'])} reviewers: {said}")


if __name__ == "__main__":
    sys.exit(main())
