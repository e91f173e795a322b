#!/usr/bin/env python3
"""How noisy and how sharp the built-in detectors are on real commits. Runs the binary, one process at a time.

    noise.py noise  BINARY OUT.jsonl COMMITS REPO...   the newest COMMITS non-merge commits of each repository
    noise.py recall BINARY OUT.jsonl LIST DIR          fixes listed as `repository commit class`, reversed
    noise.py table  OUT.jsonl...                       hits by rule and severity, for rules/EVIDENCE.md
"""
import collections, json, os, re, subprocess, sys, tempfile

def git(repo, *args):
    return subprocess.run(["git", "--git-dir", repo, *args], capture_output=True, text=True, errors="replace", check=True).stdout

def review(binary, repo, base, head):
    command = [binary, "review", "--repo", repo, "--base", base, "--head", head, "--offline", "--format", "json", "--no-progress", "--no-post"]
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=env)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        return {"error": done.stderr[-400:]}

def work_tree(repo, to):
    """The program wants a work tree; an empty one that borrows the repository's objects will do."""
    subprocess.run(["git", "clone", "-q", "--shared", "--no-checkout", repo, to], check=True)

def record(out, repo, commit, report, **more):
    change = report.get("change", {})
    row = {"repo": repo, "commit": commit, "lines": change.get("lines_added", 0) + change.get("lines_removed", 0),
           "error": report.get("error"), "findings": [], **more}
    for f in report.get("findings", []):
        row["findings"].append({k: f.get(k) for k in ("rule_id", "severity", "path", "start_line", "title", "body")})
    out.write(json.dumps(row) + "\n")
    out.flush()

def noise(binary, out, count, repos):
    with open(out, "a") as file, tempfile.TemporaryDirectory() as folder:
        for repo in repos:
            name = repo.rstrip("/").removesuffix("/repo").rsplit("/", 1)[-1]
            tree = os.path.join(folder, name)
            work_tree(repo, tree)
            for commit in git(repo, "log", "--no-merges", "--min-parents=1", "-n", count, "--format=%H").split():
                record(file, name, commit, review(binary, tree, commit + "^", commit))

def recall(binary, out, listed, folder):
    with open(out, "a") as file, tempfile.TemporaryDirectory() as trees:
        for line in open(listed):
            if not line.strip() or line.startswith("#"):
                continue
            name, commit, kind = line.split()[:3]
            repo, tree = os.path.join(folder, name, "repo"), os.path.join(trees, name)
            if not os.path.isdir(tree):
                work_tree(repo, tree)
            # The tree before the fix, on top of the fix: the change that brings the defect back.
            author = ["-c", "user.name=noise", "-c", "user.email=noise@example.invalid"]
            undone = git(os.path.join(tree, ".git"), *author, "commit-tree", commit + "^^{tree}", "-p", commit, "-m", "Undo").strip()
            record(file, name, commit, review(binary, tree, commit, undone), kind=kind)

def table(paths):
    rows = [json.loads(line) for path in paths for line in open(path)]
    lines = sum(r["lines"] for r in rows)
    print(f"{len(rows)} commits, {len({r['repo'] for r in rows})} repositories, {lines} changed lines, {sum(bool(r['error']) for r in rows)} not read")
    count = collections.Counter((f["severity"], f["rule_id"]) for r in rows for f in r["findings"])
    order = ["critical", "important", "suggestion", "nit"]
    for (severity, rule), n in sorted(count.items(), key=lambda e: (order.index(e[0][0]), -e[1])):
        print(f"| {rule} | {severity} | {n} |")
    loud = sum(n for (s, _), n in count.items() if s in order[:2])
    print(f"critical and important: {loud}, {1000 * loud / max(lines, 1):.3f} per 1,000 changed lines")
    kinds = collections.defaultdict(lambda: [0, 0])
    for r in rows:
        if "kind" in r:
            kinds[r["kind"]][0] += 1
            kinds[r["kind"]][1] += bool(r["findings"])
    for kind, (all_, hit) in sorted(kinds.items()):
        print(f"| {kind} | {all_} | {hit} |")

def main():
    match sys.argv[1:]:
        case ["noise", binary, out, count, *repos]: noise(binary, out, count, repos)
        case ["recall", binary, out, listed, folder]: recall(binary, out, listed, folder)
        case ["table", *paths]: table(paths)
        case _: sys.exit(__doc__)

main()
