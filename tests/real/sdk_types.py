#!/usr/bin/env python3
"""The providers' own Python SDKs as judges of every body that we send: `openai`, `anthropic`, `google-genai`.

    sdk_types.py FOLDER      (with TRIBUNE in the environment)

Reviews run through a scripted gateway so that each kind of request is sent: first ones, with tool results, after an answer
that was cut, after prose, and the judge's. A body is walked along the SDK's types, key by key; pydantic judges the leaves.
A `TypeAdapter` over a whole body would look at no `Iterable`, so at no message. That the judge can refuse is proven by
bodies with one fault each.
"""
import base64, collections.abc, copy, itertools, json, pathlib, sys, types, typing

try:
    import anthropic.types.message_create_params as anthropic_params
    import openai.types.chat.completion_create_params as chat_params
    import openai.types.responses.response_create_params as responses_params
    from google import genai
    from google.genai import models as google_models
    from google.genai import types as google_types
    from pydantic import BaseModel, TypeAdapter, ValidationError
    from typing_extensions import NotRequired, Required, get_type_hints, is_typeddict
except ImportError as missing:
    print(missing)
    sys.exit(77)
from scripted import KEY, WIRES, Gateway, answer, finding, project, review

# Google's SDK has no type of the body as a whole: what its own writer makes of these is compared below.
GOOGLE_BODY = {
    "contents": list[google_types.Content],
    "systemInstruction": google_types.Content,
    "tools": list[google_types.Tool],
    "generationConfig": google_types.GenerateContentConfig,
}
TYPES = {
    "chat": chat_params.CompletionCreateParamsStreaming,
    "responses": responses_params.ResponseCreateParamsStreaming,
    "messages": anthropic_params.MessageCreateParamsStreaming,
}


def faults(value, type_, at="body"):
    """What is wrong with a value of the JSON, by this type."""
    origin, args = typing.get_origin(type_), typing.get_args(type_)
    if origin in (Required, NotRequired, typing.Annotated):
        return faults(value, args[0], at)
    if origin in (typing.Union, types.UnionType):
        told = [faults(value, member, at) for member in args]
        # Of several, the one that it was most likely meant to be.
        return [] if [] in told else min(told, key=len)
    if is_typeddict(type_):
        # What a TypedDict says of itself leaves out what is required where annotations are postponed, as they are here.
        hints = get_type_hints(type_, include_extras=True)
        required = [name for name, hint in hints.items() if typing.get_origin(hint) is Required]
        return of_object(value, hints, required, at)
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        return of_model(value, type_, at) or by_pydantic(lambda: type_.model_validate_json(json.dumps(value), strict=True), at)
    if origin in (list, collections.abc.Iterable, collections.abc.Sequence):
        if not isinstance(value, list):
            return [f"{at}: no list"]
        return [fault for n, item in enumerate(value) for fault in faults(item, args[0], f"{at}[{n}]")]
    if origin is dict:
        if not isinstance(value, dict):
            return [f"{at}: no object"]
        return [fault for key, item in value.items() for fault in faults(item, args[1], f"{at}.{key}")]
    return by_pydantic(lambda: TypeAdapter(type_).validate_python(value, strict=True), at)


def of_object(value, fields, required, at):
    if not isinstance(value, dict):
        return [f"{at}: no object"]
    told = [f"{at}: `{name}` is missing" for name in required if name not in value]
    for name, item in value.items():
        told += faults(item, fields[name], f"{at}.{name}") if name in fields else [f"{at}: `{name}` is unknown"]
    return told


def of_model(value, type_, at):
    """Only names: pydantic takes those of Python, too, and looks at the rest by itself."""
    if isinstance(value, list):
        return [fault for n, item in enumerate(value) for fault in of_model(item, type_, f"{at}[{n}]")]
    if not isinstance(value, dict):
        return []
    told = []
    for name, item in value.items():
        field = next((field for python, field in type_.model_fields.items() if (field.alias or camel(python)) == name), None)
        if field is None:
            told.append(f"{at}: `{name}` is unknown")
        for inner in models_in(field.annotation) if field else ():
            told += of_model(item, inner, f"{at}.{name}")
    return told


def models_in(annotation):
    """The one model that an annotation names, where it names one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    inner = [model for argument in typing.get_args(annotation) for model in models_in(argument)]
    return inner if len(inner) == 1 else []


def by_pydantic(check, at):
    try:
        check()
        return []
    except ValidationError as why:
        first = why.errors()[0]
        return [f"{at}.{'.'.join(map(str, first['loc']))}: {first['msg']}"]


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def judge(wire, body):
    if wire == "generate-content":
        return of_object(body, GOOGLE_BODY, {"contents"}, "body") or as_google_writes(body) or pairs(wire, body)
    return faults(body, TYPES[wire]) or pairs(wire, body)


def as_google_writes(body):
    """Google's SDK, given the same contents and settings, would send the same body."""
    config = google_types.GenerateContentConfig(
        system_instruction=body.get("systemInstruction"), tools=body.get("tools"), max_output_tokens=body["generationConfig"]["maxOutputTokens"]
    )
    parameters = google_types._GenerateContentParameters(model="m", contents=[google_types.Content.model_validate(c) for c in body["contents"]], config=config)
    theirs = google_models._GenerateContentParameters_to_mldev(genai.Client(api_key="none")._api_client, parameters)
    theirs = {name: plain(item) for name, item in theirs.items() if not name.startswith("_")}
    ours = plain(body)
    return [f"body.{name}: the SDK would send {theirs.get(name)}, not {ours.get(name)}" for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)]


def plain(value):
    """As JSON, bytes in base64 of one alphabet."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="json", by_alias=True, exclude_none=True))
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def pairs(wire, body):
    """Beyond types: each call is answered once, at once (WIRE: what servers refuse)."""
    def ids(turn, *kinds):
        return [item.get("id") or item.get("tool_use_id") for item in turn.get("content") or [] if isinstance(item, dict) and item.get("type") in kinds]

    if wire == "responses":
        # The types leave the output's `call_id` out, the server does not.
        calls = [item.get("call_id") for item in body["input"] if item.get("type") == "function_call"]
        results = [item.get("call_id") for item in body["input"] if item.get("type") == "function_call_output"]
        return [] if calls == results else [f"calls {calls} are answered by {results}"]
    told, turns = [], body.get("messages") or body.get("contents")
    for n, turn in enumerate(turns):
        if wire == "chat" and turn.get("tool_calls"):
            calls = [call["id"] for call in turn["tool_calls"]]
            results = [later.get("tool_call_id") for later in itertools.takewhile(lambda later: later.get("role") == "tool", turns[n + 1 :])]
        elif wire == "messages":
            calls, results = ids(turn, "tool_use"), ids(turns[n + 1], "tool_result") if n + 1 < len(turns) else []
        elif wire == "generate-content":
            calls = [part["functionCall"]["name"] for part in turn["parts"] if "functionCall" in part]
            results = [part["functionResponse"]["name"] for part in turns[n + 1]["parts"] if "functionResponse" in part] if n + 1 < len(turns) else []
        else:
            continue
        if calls != results:
            told.append(f"turn {n}: calls {calls} are answered by {results}")
    return told


def script(who, number, wire):
    """Each kind of turn: tools, a cut, prose, something unreadable, the end."""
    report = ("report_findings", {"findings": [finding("    os.remove(name)" if who == "quality" else "import os", f"From {who}")]})
    if who == "coordinator":
        return answer(wire, "I judge.") if number == 0 else answer(wire, calls=[("submit_review", {"findings": [], "summary": "Judged."})])
    if who == "docs":
        return answer(wire, calls=[report])
    steps = [
        lambda: answer(wire, "I look.", [("read_file", {"path": "app.py"}), ("read_file", {"path": "no/such/file"}), ("search", {"text": "pack"})]),
        lambda: answer(wire, "cut", cut=True),
        lambda: answer(wire, calls=[("list_files", {"path": ""}), ("shell", {"command": "id"})]),
        lambda: answer(wire, "Looks good."),
        lambda: answer(wire, calls=[report]),
    ]
    return steps[min(number, len(steps) - 1)]()


def find(value, test, at=()):
    """Paths of all objects that pass a test."""
    if isinstance(value, dict):
        if test(value):
            yield at
        for name, item in value.items():
            yield from find(item, test, (*at, name))
    if isinstance(value, list):
        for n, item in enumerate(value):
            yield from find(item, test, (*at, n))


def spoilt(body, test, change):
    """The body with the first object that passes a test changed; nothing where there is none."""
    body = copy.deepcopy(body)
    path = next(find(body, test), None)
    if path is None:
        return None
    value = body
    for step in path:
        value = value[step]
    change(value)
    return body


def put(name, item):
    return lambda value: value.__setitem__(name, item)


def drop(name):
    return lambda value: value.pop(name)


def whole(value):
    return "stream" in value or "generationConfig" in value


def kind(name):
    return lambda value: value.get("type") == name


def has(name):
    return lambda value: name in value


# One fault each: what servers would refuse. Which body shows it is searched for; none is a fault of this test.
SPOILT = {
    "chat": [
        (whole, drop("model")), (whole, put("max_tokens", "8000")), (whole, put("maxTokens", 8)), (whole, put("messages", "hello")),
        (has("role"), put("role", "robot")), (has("tool_call_id"), drop("tool_call_id")), (has("tool_call_id"), put("content", {"a": 1})),
        (lambda v: isinstance(v.get("arguments"), str), put("arguments", {"path": "a"})), (has("tool_calls"), put("tool_calls", {})),
        (has("parameters"), drop("name")), (kind("function"), put("type", "tool")), (kind("text"), put("text", None)), (has("tool_calls"), lambda v: v["tool_calls"].pop()),
        (has("include_usage"), put("include_usage", "yes")),
    ],
    "responses": [
        (whole, put("stream_options", {"include_usage": True})), (whole, put("store", "no")), (whole, put("max_output_tokens", "8")), (whole, put("input", {"a": 1})),
        (kind("function_call_output"), drop("call_id")), (kind("function_call_output"), put("output", 7)), (kind("function_call"), put("arguments", {})),
        (has("parameters"), drop("name")), (has("parameters"), put("function", {"name": "x"})), (kind("input_text"), put("type", "text")), (kind("reasoning"), drop("summary")),
        (kind("function_call"), put("call_id", "other")),
    ],
    "messages": [
        (whole, drop("max_tokens")), (whole, put("max_tokens", "8")), (whole, put("max_completion_tokens", 8)), (has("role"), put("role", "tool")), (kind("tool_result"), drop("tool_use_id")),
        (kind("tool_use"), put("input", "{}")), (kind("thinking"), drop("signature")), (kind("text"), put("type", "input_text")), (kind("text"), put("text", 7)),
        (has("cache_control"), put("cache_control", {"type": "for ever"})), (has("input_schema"), drop("input_schema")), (kind("tool_use"), put("id", "other")),
    ],
    "generate-content": [
        (whole, drop("contents")), (whole, put("max_tokens", 8)), (whole, put("generationConfig", {"max_output_tokens": 8})), (whole, put("generationConfig", {"maxOutputTokens": "many"})),
        (has("functionCall"), lambda v: v["functionCall"].__setitem__("args", "{}")), (has("functionResponse"), lambda v: v["functionResponse"].__setitem__("response", "text")),
        (has("functionResponse"), lambda v: v["functionResponse"].__setitem__("tool_call_id", "1")), (lambda v: isinstance(v.get("text"), str), put("type", "text")), (has("parametersJsonSchema"), put("strict", True)),
        (has("thoughtSignature"), put("thoughtSignature", 7)), (has("functionCall"), lambda v: v["functionCall"].__setitem__("name", "other")),
    ],
}


def main():
    work = pathlib.Path(sys.argv[1]) / "sdk-types"
    wrong, judged, refused = [], 0, 0
    for wire, preset in WIRES.items():
        gateway = Gateway(script)
        url = gateway.url + ("/v1" if preset == "openai" else "")
        code, report, said = review(project(work / wire / "project"), url, preset, wire)
        titles = sorted(f["title"] for f in report["findings"])
        if (code, titles, report["summary"]) != (0, ["From docs", "From quality"], "Judged."):
            wrong.append(f"{wire}: the review ended with {code}, {titles}: {report['coverage']} {report['notes']} {said}")
        counts = {who: sum(r["who"] == who for r in gateway.requests) for who in ("quality", "docs", "coordinator")}
        if counts != {"quality": 5, "docs": 1, "coordinator": 2}:
            wrong.append(f"{wire}: {counts} requests")
        bodies = [r["body"] for r in gateway.requests]
        for request in gateway.requests:
            judged += 1
            wrong += [f"{wire}, {request['who']}: {fault}" for fault in judge(wire, request["body"])]
            if KEY in str(request["body"]) or not any(KEY in value for value in request["headers"].values()):
                wrong.append(f"{wire}: the key belongs into a header")
        for number, (test, change) in enumerate(SPOILT[wire]):
            bad = next((b for b in (spoilt(body, test, change) for body in bodies) if b is not None), None)
            if bad is None or not judge(wire, bad):
                wrong.append(f"{wire}: fault {number} " + ("is in no body" if bad is None else "was not refused, so this judge proves nothing"))
            refused += 1
    print("\n".join(wrong) or f"{judged} bodies fit, {refused} spoilt ones do not")
    return 1 if wrong else 0


sys.exit(main())
