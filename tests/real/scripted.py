"""A scripted gateway in the four wire formats, and reviews by tribune through it. Used by the parts in this folder."""
import http.server, json, os, pathlib, subprocess, threading

WIRES = {"chat": "openai", "responses": "openai", "messages": "anthropic", "generate-content": "google"}
KEY = "sk-real-0123456789"


def wire_of(path):
    for end, wire in (("/messages", "messages"), ("/responses", "responses"), (":streamGenerateContent", "generate-content")):
        if path.split("?")[0].endswith(end):
            return wire
    return "chat"


def first_user(body):
    """The text parts of the first user message."""
    turns = next(body[name] for name in ("messages", "input", "contents") if name in body)
    user = next(turn for turn in turns if turn.get("role") == "user")
    content = user["parts"] if "parts" in user else user["content"]
    return [content] if isinstance(content, str) else [part["text"] for part in content]


def asks(body):
    """Who asks: a reviewer's id or `coordinator`."""
    own = next(text for text in reversed(first_user(body)) if text.startswith("# "))
    head = own.split("\n")[0]
    return head.removeprefix("# Reviewer:").strip() if head.startswith("# Reviewer:") else "coordinator"


def answer(wire, text="", calls=(), cut=False, model="scripted-1"):
    """The event stream of an answer. `calls` are pairs of a name and arguments. It reports 10,000 tokens of input, 6,000 of them cached, 20 of output."""
    calls = [(f"call_{n}", name, arguments) for n, (name, arguments) in enumerate(calls)]
    events = {"chat": chat, "responses": responses, "messages": messages, "generate-content": generate}[wire](text, calls, cut, model)
    named = wire in ("responses", "messages")
    lines = [(f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events]
    return "".join(lines) + ("data: [DONE]\n\n" if wire == "chat" else "")


def halves(text):
    return [piece for piece in (text[: len(text) // 2], text[len(text) // 2 :]) if piece]


def chat(text, calls, cut, model):
    def chunk(delta, reason=None):
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], "usage": None}

    yield chunk({"role": "assistant", "content": ""})
    yield from (chunk({"content": piece}) for piece in halves(text))
    for index, (call, name, arguments) in enumerate(calls):
        yield chunk({"tool_calls": [{"index": index, "id": call, "type": "function", "function": {"name": name, "arguments": ""}}]})
        yield from (chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}) for piece in halves(json.dumps(arguments)))
    yield chunk({}, "length" if cut else "tool_calls" if calls else "stop")
    usage = {"prompt_tokens": 10000, "completion_tokens": 20, "total_tokens": 10020, "prompt_tokens_details": {"cached_tokens": 6000}}
    yield chunk({}) | {"choices": [], "usage": usage}


def responses(text, calls, cut, model):
    items = [{"type": "reasoning", "id": "rs_0", "summary": [], "encrypted_content": "gAAAscripted"}]
    if text:
        items.append({"type": "message", "id": "msg_0", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": text, "annotations": []}]})
    items += [{"type": "function_call", "id": f"fc_{call}", "call_id": call, "name": name, "arguments": json.dumps(arguments), "status": "completed"} for call, name, arguments in calls]
    whole = {
        "id": "resp_1", "object": "response", "created_at": 1, "model": model, "status": "in_progress", "error": None, "incomplete_details": None, "output": [], "instructions": None,
        "metadata": {}, "parallel_tool_calls": True, "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0, "usage": None,
    }
    events = [{"type": "response.created", "response": whole}]
    for index, item in enumerate(items):
        place = {"output_index": index, "item_id": item["id"]}
        events.append({"type": "response.output_item.added", "output_index": index, "item": item | {"message": {"content": []}, "function_call": {"arguments": ""}}.get(item["type"], {})})
        if item["type"] == "message":
            part = item["content"][0]
            events.append({"type": "response.content_part.added", **place, "content_index": 0, "part": part | {"text": ""}})
            events += [{"type": "response.output_text.delta", **place, "content_index": 0, "delta": piece, "logprobs": []} for piece in halves(text)]
            events.append({"type": "response.output_text.done", **place, "content_index": 0, "text": text, "logprobs": []})
            events.append({"type": "response.content_part.done", **place, "content_index": 0, "part": part})
        if item["type"] == "function_call":
            events += [{"type": "response.function_call_arguments.delta", **place, "delta": piece} for piece in halves(item["arguments"])]
            events.append({"type": "response.function_call_arguments.done", **place, "name": item["name"], "arguments": item["arguments"]})
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    status = "incomplete" if cut else "completed"
    usage = {"input_tokens": 10000, "input_tokens_details": {"cached_tokens": 6000, "cache_write_tokens": 0}, "output_tokens": 20, "output_tokens_details": {"reasoning_tokens": 5}, "total_tokens": 10020}
    whole = whole | {"status": status, "output": items, "usage": usage, "incomplete_details": {"reason": "max_output_tokens"} if cut else None}
    events.append({"type": f"response.{status}", "response": whole})
    return [event | {"sequence_number": number} for number, event in enumerate(events)]


def messages(text, calls, cut, model):
    usage = {"input_tokens": 4000, "cache_read_input_tokens": 6000, "cache_creation_input_tokens": 0, "output_tokens": 1}
    yield {"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}}
    blocks = [({"type": "thinking", "thinking": "", "signature": ""}, [{"type": "thinking_delta", "thinking": "Hm."}, {"type": "signature_delta", "signature": "c2ln"}])]
    if text:
        blocks.append(({"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in halves(text)]))
    for call, name, arguments in calls:
        pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in halves(json.dumps(arguments))]
        blocks.append(({"type": "tool_use", "id": call, "name": name, "input": {}}, pieces))
    for index, (block, deltas) in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        yield from ({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": {"stop_reason": "max_tokens" if cut else "tool_use" if calls else "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 20}}
    yield {"type": "message_stop"}


def generate(text, calls, cut, model):
    def chunk(parts, **more):
        return {"candidates": [{"index": 0, "content": {"role": "model", "parts": parts}, **more}], "modelVersion": model}

    yield from (chunk([{"text": piece}]) for piece in halves(text))
    for number, (_, name, arguments) in enumerate(calls):
        yield chunk([{"functionCall": {"name": name, "args": arguments}} | ({"thoughtSignature": "c2lnbmF0dXJl"} if number == 0 else {})])
    usage = {"promptTokenCount": 10000, "cachedContentTokenCount": 6000, "candidatesTokenCount": 15, "thoughtsTokenCount": 5, "totalTokenCount": 10020}
    yield chunk([{"text": ""}], finishReason="MAX_TOKENS" if cut else "STOP") | {"usageMetadata": usage}


class Server:
    """Answers each POST on `url` with what `reply(path, headers, body)` gives: a content type and the bytes."""

    def __init__(self, reply):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                kind, said = reply(self.path, self.headers, self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Gateway(Server):
    """Answers each request with what `script(who, number, wire)` says: a stream's text, `number` from 0 for each who."""

    def __init__(self, script):
        self.script, self.requests, self.counts, self.lock = script, [], {}, threading.Lock()
        super().__init__(self.answer)

    def answer(self, path, headers, body):
        body = json.loads(body)
        wire, who = wire_of(path), asks(body)
        with self.lock:
            number = self.counts[who] = self.counts.get(who, -1) + 1
            self.requests.append({"wire": wire, "who": who, "path": path, "headers": dict(headers), "body": body})
        return "text/event-stream", self.script(who, number, wire).encode()


def project(folder):
    """A repository with a small change in its work tree."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    git = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    (folder / "app.py").write_text("def pack(name):\n    return name\n")
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "start"], check=True)
    (folder / "app.py").write_text("import os\n\ndef pack(name):\n    os.remove(name)\n    return name\n")
    return folder


def finding(quote, title):
    return {"path": "app.py", "quote": quote, "severity": "suggestion", "title": title, "body": "It goes wrong.", "confidence": 0.9}


def review(folder, url, preset, wire, model="scripted-1", key=KEY, more={}):
    """A review by `quality` and `docs`: exit code, report, standard error."""
    env = {"PATH": os.environ["PATH"], "HOME": str(pathlib.Path(folder).parent), "TRIBUNE_GATEWAY_URL": url, "TRIBUNE_GATEWAY_PRESET": preset}
    env |= {"TRIBUNE_GATEWAY_WIRE": wire, "TRIBUNE_GATEWAY_TOKEN": key, "TRIBUNE_MODEL": model} | more
    command = [os.environ["TRIBUNE"], "review", "--format", "json", "--no-progress", "--fail-on", "never", "--only", "quality,docs"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"no report: {done.stdout} {done.stderr}")
    return done.returncode, report, done.stderr
