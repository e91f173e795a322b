#!/usr/bin/env python3
"""Compares our engine with ast-grep's own program: same rules, same files, same lines.

    same_hits.py TRIBUNE AST_GREP FOLDER

Every Bad and Good example of every built-in rule with an ast-grep detector becomes a file. ast-grep scans it with the
rule's own YAML; tribune reviews it as a new file of a patch.
"""
import json, os, re, subprocess, sys

EXTENSIONS = {"python": "py", "rust": "rs", "javascript": "js", "typescript": "ts", "go": "go", "java": "java", "bash": "sh", "yaml": "yml"}
NAMES = {"js": "javascript", "ts": "typescript", "py": "python", "rs": "rust", "sh": "bash", "shell": "bash", "yml": "yaml"}


def rules(root):
    """Id, detector (YAML) and body of each rule with an ast-grep detector."""
    for folder, _, files in os.walk(root):
        for name in sorted(files):
            text = open(os.path.join(folder, name)).read()
            if name.endswith(".md") and text.startswith("---\n") and "\ndetect:" in text and "builtin:" not in text and "\n  fact:" not in text and "detect: { fact:" not in text and "detect: {fact:" not in text:
                front, body = text[4:].split("\n---\n", 1)
                detect = re.search(r"^detect:[^\n]*\n?((?:[ \n#][^\n]*\n?)*)", front, re.M)
                block = "\n".join(line[2:] for line in detect.group(1).split("\n"))
                yield name[:-3], block, body, "\npaths:" in front


def without_words(block):
    """Without `message` and `fix`, which do not decide what is hit."""
    kept, skip = [], False
    for line in block.split("\n"):
        if line and not line[0].isspace():
            skip = bool(re.match(r"(message|fix):", line))
        if not skip:
            kept.append(line)
    return "\n".join(kept)


def examples():
    """Each example of each rule: what decides what is hit, and which path it has."""
    for rule, block, body, by_path in rules("rules"):
        good = {code for part in re.split(r"^## ", body, flags=re.M) if part.lower().startswith(("good", "also good")) for code in re.findall(r"^```(\S[^\n]*\n.*?)^```$", part, re.M | re.S)}
        for i, (info, code) in enumerate(re.findall(r"^```(\S[^\n]*)\n(.*?)^```$", body, re.M | re.S)):
            words = info.split()
            language = NAMES.get(words[0], words[0])
            if language in EXTENSIONS:  # SQL is not among the program's languages.
                path = words[1] if len(words) > 1 else f"example.{EXTENSIONS[language]}"
                yield {"rule": rule, "number": i + 1, "language": language, "path": path, "code": code, "block": without_words(block),
                       "by_path": by_path, "good": f"{info}\n{code}" in good}


def theirs(sg, out, all_examples):
    """Lines that ast-grep's program hits: one run for each rule and language, over a folder of that rule's examples."""
    groups = {}
    for n, example in enumerate(all_examples):
        folder = os.path.join(out, example["rule"], example["language"])
        os.makedirs(os.path.join(folder, str(n)), exist_ok=True)
        with open(os.path.join(folder, str(n), os.path.basename(example["path"])), "w") as f:
            f.write(example["code"])
        groups.setdefault((folder, example["language"], example["block"]), []).append(n)
    hits = {}
    for (folder, language, block), numbers in groups.items():
        yaml = f"id: x\nlanguage: {language}\nseverity: error\n{block}\n"
        done = subprocess.run([sg, "scan", "--no-ignore", "hidden", "--inline-rules", yaml, "--json", folder], capture_output=True, text=True)
        try:
            found = json.loads(done.stdout)
        except ValueError:
            print(f"{folder}: the program did not take the rule: {done.stderr.strip()[:300]}")
            continue
        hits |= {n: set() for n in numbers}
        for match in found:
            hits[int(os.path.relpath(match["file"], folder).split(os.sep)[0])].add(match["range"]["start"]["line"] + 1)
    return hits


def ours(tribune, all_examples):
    """Lines that tribune hits: the examples are new files of as few patches as their paths allow. Only rules that look at paths
    need an example's own path at the root; the others' lie in a folder each."""
    patches = []
    for n, example in enumerate(all_examples):
        path = example["path"] if example["by_path"] else f"e{n}/{example['path']}"
        patch = next((p for p in patches if path not in p and len(p) < 200), None)
        if patch is None:
            patches.append(patch := {})
        patch[path] = n
    hits = {n: set() for n in range(len(all_examples))}
    for patch in patches:
        text = ""
        for path, n in patch.items():
            lines = all_examples[n]["code"].split("\n")[:-1]
            text += f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n" + "".join(f"+{line}\n" for line in lines)
        done = subprocess.run([tribune, "review", "--diff", "-", "--format", "json", "--no-progress", "--offline"], input=text, capture_output=True, text=True)
        report = json.loads(done.stdout)
        if report["dropped"] or {c["path"] for c in report["coverage"]} != set(patch):
            sys.exit(f"a patch was not reviewed whole: {report['dropped'][:5]} {report['notes'][:5]}")
        for finding in report["findings"]:
            example = all_examples[patch[finding["path"]]]
            if finding.get("rule_id") == example["rule"]:
                hits[patch[finding["path"]]].add(finding["start_line"])
    return hits, len(patches)


def main():
    tribune, sg, out = sys.argv[1:]
    all_examples = list(examples())
    their_hits = theirs(sg, out, all_examples)
    our_hits, patches = ours(tribune, all_examples)
    differ = len(all_examples) - len(their_hits)
    for n, hits in their_hits.items():
        example = all_examples[n]
        # The program knows nothing of `paths`, which alone make some examples good ones.
        if our_hits[n] != hits and not (example["by_path"] and not our_hits[n] and example["good"]):
            differ += 1
            print(f"{example['rule']} example {example['number']} ({example['path']}): ours {sorted(our_hits[n])}, ast-grep's {sorted(hits)}")
    hit = sum(1 for hits in their_hits.values() if hits)
    print(f"{len(all_examples)} examples compared, {hit} of them hit, {differ} differ; {patches} patches")
    return 0 if hit > 300 and len(all_examples) - hit > 300 and differ == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
