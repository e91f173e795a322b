"""Prism serves GitHub's own OpenAPI document. Used by the parts that let it judge."""
import http.server, os, pathlib, socket, subprocess, tempfile, threading, time, urllib.error, urllib.request


class Prism:
    """A running Prism: it answers with the document's examples, and refuses with 422 what the document does not allow."""

    def __init__(self):
        modules = pathlib.Path(os.environ["NPM"]) / "node_modules"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        document = modules / "@octokit/openapi/generated/api.github.com.json"
        command = [modules / ".bin/node", modules / "@stoplight/prism-cli/dist/index.js", "mock", "-h", "127.0.0.1", "-p", str(self.port), document]
        self.log = tempfile.TemporaryFile()
        self.program = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.root = f"http://127.0.0.1:{self.port}"

    def door(self):
        """The root of a server that passes requests on with another `accept`: GitHub recommends application/vnd.github+json, which its
        document does not list."""
        prism = self

        class Door(http.server.BaseHTTPRequestHandler):
            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0)) or None
                headers = {k: v for k, v in self.headers.items() if k.lower() in ("authorization", "content-type")}
                status, _, answer = prism.ask(self.command, self.path, body, headers | {"accept": "application/json"})
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = pass_on

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and body of the answer."""
        request = urllib.request.Request(self.root + path, data=body, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read()

    def __enter__(self):
        for _ in range(600):
            if self.program.poll() is not None:
                raise SystemExit(f"Prism has ended: {self.said()[-2000:]}")
            try:
                self.ask("GET", "/meta")
                return self
            except OSError:
                time.sleep(0.1)
        self.program.kill()
        raise SystemExit(f"Prism does not answer: {self.said()[-2000:]}")

    def __exit__(self, *_):
        self.program.terminate()
        self.program.wait(timeout=20)
