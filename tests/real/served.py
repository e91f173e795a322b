"""Drives tests/served_forge, a fake forge as a program, and gitlab-ci-local with it. Used by the parts in this folder."""
import json, os, pathlib, re, shutil, subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATE_KEY = "a state key of this test"


class Served:
    """A running fake forge; it ends with the block it is opened for."""

    def __init__(self, *arguments):
        self.program = subprocess.Popen([os.environ["SERVED"], *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.first = self.answer()

    def answer(self):
        line = self.program.stdout.readline()
        if not line:
            raise SystemExit("the fake forge has ended")
        answer = json.loads(line)
        if isinstance(answer, dict) and "error" in answer:
            raise SystemExit(answer["error"])
        return answer

    def ask(self, *words):
        self.program.stdin.write(" ".join(words) + "\n")
        self.program.stdin.flush()
        return self.answer()

    def state(self):
        return self.ask("state")

    def env(self, rights="write"):
        return self.ask("env", rights)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.stdin.close()
        self.program.wait(timeout=20)


def bare_env(home):
    """An environment without anything of this machine but where programs lie, tribune among them."""
    path = os.pathsep.join([str(pathlib.Path(os.environ["TRIBUNE"]).parent), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"}


class Pipeline:
    """What gitlab-ci-local made of a file: the state of each job that ran (PASS, WARN, FAIL), and what was said.

    Its own exit code is no oracle: it is 0 for every failed job that has an `allow_failure`, whichever codes that allows. Its
    report looks at the codes.
    """

    def __init__(self, folder, ci, variables, unset=(), settings=None, schema=False):
        """`settings` are the project's variables, which child pipelines have too; `schema` lets it check its own schema, too."""
        modules = pathlib.Path(os.environ["NPM"]) / "node_modules"
        (folder / "ci.yml").write_text(ci)
        (folder / ".gitlab-ci-local-variables.yml").write_text(json.dumps(settings or {}))
        home = folder.parent / "home"
        home.mkdir(exist_ok=True)
        command = [modules / ".bin/node", modules / "gitlab-ci-local/dist/index.js", "--file", "ci.yml", "--force-shell-executor"]
        command += ["--ignore-predefined-vars", ",".join([*variables, *(settings or {})])]
        # GitLab takes an empty list of tags (any runner); only the schema for editors does not.
        command += ["--ignore-schema-paths", "#/definitions/tags/minItems"] if schema else ["--json-schema-validation=false"]
        for name, value in variables.items():
            command += ["--variable", f"{name}={value}"]
        for name in unset:
            command += ["--unset-variable", name]
        done = subprocess.run([*map(str, command)], cwd=folder, env=bare_env(home), capture_output=True, text=True, timeout=300)
        self.code, self.said = done.returncode, done.stdout + done.stderr
        self.jobs = {}
        for line in self.said.splitlines():
            # A child pipeline's jobs have its name before theirs.
            if found := re.fullmatch(r" (PASS|WARN|FAIL) +(?:\[.*\] -> )?(\S+) *(?:pre_script)? *", line):
                self.jobs[found[2]] = found[1]

    def expect(self, what, jobs, *texts):
        """Fails loudly unless exactly these jobs ran with these ends, and the texts were said."""
        missing = [t for t in texts if t not in self.said]
        if self.jobs != jobs or missing:
            raise SystemExit(f"{what}: jobs {self.jobs}, expected {jobs}; not said: {missing}\n{self.said[-6000:]}")
        return self


def clone(served, folder, templates):
    """The job's clone as a runner makes it, with the component's templates in it, as gitlab-ci-local needs them."""
    repo = pathlib.Path(served.first["repo"])
    subprocess.run(["git", "clone", "-q", repo, folder], check=True)
    origin = f"{served.first['origin']}/gitlab/group/sub/project.git"
    # Where gitlab-ci-local looks for the project's name; `origin` stays what can be fetched from.
    subprocess.run(["git", "-C", folder, "remote", "add", "gcl-origin", origin], check=True)
    subprocess.run(["git", "-C", folder, "checkout", "-q", "topic"], check=True)
    (folder / ".git/info/exclude").write_text("ci.yml\n.gitlab-ci-local*\n")
    shutil.copytree(templates, folder / "templates")
    shutil.copy(templates.parent / "include.yml", folder / "templates")
    # It includes files that git knows only.
    subprocess.run(["git", "-C", folder, "add", "templates"], check=True)
    return folder
