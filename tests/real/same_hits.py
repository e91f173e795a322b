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


def main():
    tribune, sg, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    compared = differ = 0
    for rule, block, body, by_path in rules("rules"):
        good = {code for part in re.split(r"^## ", body, flags=re.M) if part.lower().startswith(("good", "also good")) for code in re.findall(r"^```(\S[^\n]*\n.*?)^```$", part, re.M | re.S)}
        for i, (info, code) in enumerate(re.findall(r"^```(\S[^\n]*)\n(.*?)^```$", body, re.M | re.S)):
            words = info.split()
            language = NAMES.get(words[0], words[0])
            if language not in EXTENSIONS:
                continue  # SQL is not among the program's languages.
            path = words[1] if len(words) > 1 else f"example.{EXTENSIONS[language]}"
            file = os.path.join(out, os.path.basename(path))
            with open(file, "w") as f:
                f.write(code)
            yaml = f"id: x\nlanguage: {language}\nseverity: error\n{without_words(block)}\n"
            done = subprocess.run([sg, "scan", "--inline-rules", yaml, "--json", file], capture_output=True, text=True)
            try:
                theirs = sorted({m["range"]["start"]["line"] + 1 for m in json.loads(done.stdout)})
            except ValueError:
                print(f"{rule} example {i + 1}: the program did not take the rule: {done.stderr.strip()[:300]}")
                differ += 1
                continue
            lines = code.split("\n")[:-1]
            patch = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n" + "".join(f"+{line}\n" for line in lines)
            report = subprocess.run([tribune, "review", "--diff", "-", "--format", "json", "--no-progress", "--offline"], input=patch, capture_output=True, text=True)
            ours = sorted({f["start_line"] for f in json.loads(report.stdout)["findings"] if f.get("rule_id") == rule})
            compared += 1
            # The program knows nothing of `paths`, which alone make some examples good ones.
            if ours != theirs and not (by_path and ours == [] and f"{info}\n{code}" in good):
                differ += 1
                print(f"{rule} example {i + 1} ({path}): ours {ours}, ast-grep's {theirs}")
    print(f"{compared} examples compared, {differ} differ")
    return 0 if compared > 50 and differ == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
