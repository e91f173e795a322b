#!/usr/bin/env python3
"""What many rules cost: so many detectors on a change of so many lines, and an audit of a large tree. Runs the binary.

    rules.py change BINARY DETECTORS LINES     a review by clones of the built-in detectors under other ids
    rules.py audit  BINARY REPO                an audit of a tree: files, lines, wall time, memory
"""
import json, os, re, resource, subprocess, sys, tempfile, time

RULES = os.path.join(os.path.dirname(__file__), "..", "rules")
ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}

def run(command, **more):
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, env=ENV, **more)
    return done, time.monotonic() - started

def detectors():
    for folder, _, names in sorted(os.walk(RULES)):
        for name in sorted(names):
            text = open(os.path.join(folder, name)).read()
            if name.endswith(".md") and re.search(r"^detect:$", text, re.M) and "builtin: secrets" not in text:
                yield name.removesuffix(".md"), text

def source(into, count):
    """Writes `count` rules with detectors, clones of the built-in ones in turn."""
    all_, made = list(detectors()), 0
    while made < count:
        for id_, text in all_[: count - made]:
            new = f"CLONE{made}-{id_}"
            open(os.path.join(into, new + ".md"), "w").write(text.replace(f"id: {id_}", f"id: {new}", 1))
            made += 1

def code(lines):
    """Ordinary Python and Go, so that patterns of two languages are tried."""
    python = "import os\n\n\n" + "".join(f"def f{i}(a, b):\n    value = call(a, key=b, name=\"x{i}\")\n    return [value, {{\"k\": a}}]\n\n\n" for i in range(lines // 12))
    go = "package main\n\n" + "".join(f"func f{i}(a int) (int, error) {{\n\tx, err := call(a, \"y{i}\")\n\tif err != nil {{\n\t\treturn 0, err\n\t}}\n\treturn x, nil\n}}\n\n" for i in range(lines // 16))
    return {"a.py": python, "b.go": go}

def change(binary, count, lines):
    with tempfile.TemporaryDirectory() as folder:
        rules, repo, config = (os.path.join(folder, n) for n in ("org", "repo", "operator.yaml"))
        os.mkdir(rules), os.mkdir(repo)
        source(rules, count)
        open(config, "w").write(f"rule_sources: [{json.dumps(rules)}]\n")
        git = ["git", "-C", repo, "-c", "user.name=bench", "-c", "user.email=bench@example.invalid"]
        subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "start"], check=True)
        files = code(lines)
        for name, text in files.items():
            open(os.path.join(repo, name), "w").write(text)
        print(count, "detectors beside the built-in ones,", sum(t.count("\n") for t in files.values()), "lines")
        command = [binary, "review", "--repo", repo, "--config", config, "--offline", "--format", "json", "--no-progress", "--fail-on", "never"]
        times = []
        for _ in range(5):
            done, seconds = run(command)
            assert done.returncode == 0, done.stderr
            times.append(seconds)
        plain = [run([c for c in command if c not in ("--config", config)])[1] for _ in range(5)]
        print(f"review: best {min(times):.3f} s of {len(times)}, worst {max(times):.3f} s; without the clones {min(plain):.3f} s")

def audit(binary, repo):
    done, seconds = run([binary, "audit", repo, "--offline", "-q", "--format", "json"])
    report = json.loads(done.stdout)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{report['coverage']['looked']} files, {report['coverage']['lines']} lines, {len(report['rules'])} rules: {seconds:.1f} s, {peak:.0f} MiB, {os.cpu_count()} cores")

match sys.argv[1:]:
    case ["change", binary, count, lines]: change(binary, int(count), int(lines))
    case ["audit", binary, repo]: audit(binary, repo)
    case _: sys.exit(__doc__)
