#!/usr/bin/env python3
"""Makes of CI files what readers of plain files can judge: `render.py FOLDER FILE...`

Of a component template the header is taken off and each input replaced by its default (an array by one entry, which is what
the schema for editors wants). Beside each file lie its jobs' scripts, a file each.
"""
import pathlib, re, sys
from ruamel.yaml import YAML

SAMPLES = {"tags": ["big"], "needs": [], "rules": [{"if": "$NO_REVIEW", "when": "never"}]}


def filled(value, inputs):
    """A value with its inputs filled in, as GitLab does it: what is nothing but an input keeps the input's type."""
    if isinstance(value, dict):
        return {k: filled(v, inputs) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(v, inputs) for v in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\[\[ inputs\.([a-z-]+) \]\]", value)
    return inputs[whole[1]] if whole else re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda m: str(inputs[m[1]]).lower() if isinstance(inputs[m[1]], bool) else str(inputs[m[1]]), value)


def reference(loader, node):
    return {"!reference": loader.construct_sequence(node)}


def resolved(value, root):
    """References followed, lists of lists flattened."""
    if isinstance(value, dict) and "!reference" in value:
        found = root
        for key in value["!reference"]:
            found = found[key]
        return resolved(found, root)
    if isinstance(value, dict):
        return {k: resolved(v, root) for k, v in value.items()}
    if isinstance(value, list):
        out = []
        for item in (resolved(v, root) for v in value):
            out.extend(item if isinstance(item, list) else [item])
        return out
    return value


def merged(one, two):
    if isinstance(one, dict) and isinstance(two, dict):
        return one | {k: merged(one.get(k), v) for k, v in two.items()}
    return two


def extended(job, root):
    """A job with what it extends, since readers look at no hidden job."""
    if isinstance(job, dict) and "extends" in job:
        job = merged(extended(root[job["extends"]], root), {k: v for k, v in job.items() if k != "extends"})
    return job


def main():
    folder, *files = map(pathlib.Path, sys.argv[1:])
    yaml = YAML(typ="safe", pure=True)
    yaml.constructor.add_constructor("!reference", reference)
    yaml.default_flow_style = False
    for file in files:
        documents = list(yaml.load_all(file.read_text()))
        body = documents[-1]
        if len(documents) == 2:
            header = documents[0]["spec"]["inputs"]
            for name, of in header.items():
                if of.get("type", "string") == "array" and name not in SAMPLES:
                    sys.exit(f"{file}: no sample for the input {name}")
                if "description" not in of or "default" not in of:
                    sys.exit(f"{file}: the input {name} needs a description and a default")
            used = set(re.findall(r"\$\[\[ inputs\.([a-z-]+)", file.read_text()))
            if used != set(header):
                sys.exit(f"{file}: inputs declared and used differ: {used ^ set(header)}")
            body = filled(body, {n: SAMPLES.get(n, of["default"]) for n, of in header.items()})
        body = resolved(body, body)
        body = {name: extended(job, body) for name, job in body.items()}
        for name, job in list(body.items()):
            if isinstance(job, dict) and job.get("tags") == []:
                del job["tags"]
            if isinstance(job, dict) and "script" in job:
                script = job["script"] if isinstance(job["script"], list) else [job["script"]]
                (folder / f"{file.stem}-{name.strip('.')}.sh").write_text("#!/bin/sh\n" + "\n".join(script) + "\n")
        with open(folder / f"{file.name.strip('.')}", "w") as out:
            yaml.dump(body, out)


main()
