//! What a model's answer can look like: calls in pieces, counts, reasons to stop.

use crate::calls::Wire;
use crate::gateway::{Script, stream};
use crate::review::{HIT, counted, good_answer};
use crate::table::{Failed, Whole, always, changed, row, table, whole};
use serde_json::{Value, json};

/// A stream of these events as the format frames them.
fn events(wire: Wire, events: &[Value]) -> Script {
    let named = matches!(wire, Wire::Responses | Wire::Messages);
    let name = |event: &Value| if named { format!("event: {}\n", event["type"].as_str().unwrap_or_default()) } else { String::new() };
    stream(&events.iter().map(|event| format!("{}data: {event}\n\n", name(event))).collect::<String>())
}

/// One call: the index under which it comes, its number, its name and its arguments in pieces.
struct Call {
    index: u64,
    number: u64,
    name: &'static str,
    pieces: Vec<String>,
}

impl Call {
    fn new(index: u64, number: u64, name: &'static str, arguments: &Value, pieces: usize) -> Self {
        let text = arguments.to_string();
        let characters: Vec<char> = text.chars().collect();
        let pieces = characters.chunks(characters.len().div_ceil(pieces).max(1)).map(|c| c.iter().collect()).collect();
        Self { index, number, name, pieces }
    }

    fn begin(&self, wire: Wire) -> Value {
        let (index, id, name) = (self.index, format!("call_{}", self.number), self.name);
        match wire {
            Wire::Messages => {
                json!({"type": "content_block_start", "index": index, "content_block": {"type": "tool_use", "id": id, "name": name, "input": {}}})
            }
            Wire::Responses => {
                json!({"type": "response.output_item.added", "output_index": index, "item": {"type": "function_call", "id": format!("fc_{id}"), "call_id": id, "name": name, "arguments": ""}})
            }
            _ => {
                json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}]}}]})
            }
        }
    }

    fn piece(&self, wire: Wire, piece: &str) -> Value {
        let index = self.index;
        match wire {
            Wire::Messages => json!({"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": piece}}),
            Wire::Responses => json!({"type": "response.function_call_arguments.delta", "output_index": index, "delta": piece}),
            _ => json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}}]}),
        }
    }

    fn end(&self, wire: Wire) -> Vec<Value> {
        match wire {
            Wire::Messages => vec![json!({"type": "content_block_stop", "index": self.index})],
            _ => Vec::new(),
        }
    }
}

/// What ends an answer with calls.
fn ending(wire: Wire) -> Vec<Value> {
    match wire {
        Wire::Messages => vec![
            json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}),
            json!({"type": "message_stop"}),
        ],
        Wire::Responses => vec![json!({"type": "response.completed", "response": {"status": "completed", "output": []}})],
        _ => vec![json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})],
    }
}

/// Calls one after the other.
fn in_turn(wire: Wire, calls: &[Call]) -> Vec<Script> {
    let all = calls.iter().flat_map(|call| {
        let pieces = call.pieces.iter().map(|piece| call.piece(wire, piece));
        [call.begin(wire)].into_iter().chain(pieces).chain(call.end(wire)).collect::<Vec<_>>()
    });
    vec![events(wire, &all.chain(ending(wire)).collect::<Vec<_>>())]
}

/// Calls whose pieces come by turns.
fn mixed(wire: Wire, calls: &[Call]) -> Vec<Script> {
    let longest = calls.iter().map(|call| call.pieces.len()).max().unwrap_or_default();
    let begun = calls.iter().map(|call| call.begin(wire));
    let pieces = (0..longest).flat_map(|n| calls.iter().rev().filter_map(move |call| Some(call.piece(wire, call.pieces.get(n)?))));
    let ended = calls.iter().flat_map(|call| call.end(wire));
    vec![events(wire, &begun.chain(pieces).chain(ended).chain(ending(wire)).collect::<Vec<_>>())]
}

fn report() -> Value {
    good_answer(HIT).arguments(0)
}

/// Two calls, the first of which alone would not end the review.
fn two(indices: [u64; 2], pieces: usize) -> [Call; 2] {
    [Call::new(indices[0], 0, "list_files", &json!({"path": ""}), pieces), Call::new(indices[1], 1, "report_findings", &report(), pieces)]
}

/// Google sends a call in one piece, so there is nothing to mix up.
const IN_PIECES: &[Wire] = &[Wire::Chat, Wire::Responses, Wire::Messages];

#[test]
fn calls_in_pieces() {
    let one = |pieces| Call::new(0, 0, "report_findings", &report(), pieces);
    table(vec![
        row("arguments in one piece", move |w| in_turn(w, &[one(1)]), Whole(1)).only(IN_PIECES),
        row("arguments a character at a time", move |w| in_turn(w, &[one(usize::MAX)]), Whole(1)).only(IN_PIECES),
        row("a call of a high index", move |w| in_turn(w, &[Call::new(7, 0, "report_findings", &report(), 3)]), Whole(1)).only(IN_PIECES),
        row("indices interleaved", |w| mixed(w, &two([0, 1], 40)), Whole(1)).only(IN_PIECES),
        row("indices interleaved, the last first", |w| mixed(w, &two([1, 0], 40)), Whole(1)).only(IN_PIECES),
        row("two calls under one index", |w| in_turn(w, &two([0, 0], 3)), Whole(1)).only(IN_PIECES),
        row("two calls under one index, the other first", |w| {
            let [first, second] = two([0, 0], 3);
            in_turn(w, &[second, first])
        }, Whole(1)).only(IN_PIECES),
        row("a call that is begun twice", |w| {
            let call = Call::new(0, 0, "report_findings", &report(), 3);
            let pieces = call.pieces.iter().map(|piece| call.piece(w, piece));
            let all = [call.begin(w), call.begin(w)].into_iter().chain(pieces).chain(call.end(w)).chain(ending(w));
            vec![events(w, &all.collect::<Vec<_>>())]
        }, Whole(1)).only(IN_PIECES),
        row("name and id in each piece", |w| {
            let call = Call::new(0, 0, "report_findings", &report(), 3);
            let pieces = call.pieces.iter().map(|piece| json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "call_0", "function": {"name": "report_findings", "arguments": piece}}]}}]}));
            vec![events(w, &pieces.chain(ending(w)).collect::<Vec<_>>())]
        }, Whole(1)).only(&[Wire::Chat]),
        row("another id in each piece", |w| {
            let call = Call::new(0, 0, "report_findings", &report(), 3);
            let pieces = call.pieces.iter().enumerate().map(|(n, piece)| json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": format!("call_{n}"), "function": {"arguments": piece}}]}}]}));
            vec![events(w, &[call.begin(w)].into_iter().chain(pieces).chain(ending(w)).collect::<Vec<_>>())]
        }, Whole(1)).only(&[Wire::Chat]),
        row("no index, and arguments as an object", |w| {
            let call = json!({"choices": [{"delta": {"tool_calls": [{"id": "a", "function": {"name": "report_findings", "arguments": report()}}]}}]});
            vec![events(w, &[call].into_iter().chain(ending(w)).collect::<Vec<_>>())]
        }, Whole(1)).only(&[Wire::Chat]),
        row("both calls in one part", |w| {
            let part = |name: &str, args: Value| json!({"functionCall": {"name": name, "args": args}});
            let parts = [part("list_files", json!({"path": ""})), part("report_findings", report())];
            vec![events(w, &[json!({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]})])]
        }, Whole(1)).only(&[Wire::Generate]),
        row("a tool that does not exist", |w| vec![w.script(&counted("").call("shell", json!({"command": "id"}))), whole(w)], Whole(2)),
        row("arguments that are no arguments", |w| vec![w.script(&counted("").call("report_findings", json!({"findings": 7}))), whole(w)], Whole(2)),
        row("arguments that are nested deeply", |w| {
            let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
            vec![w.script(&counted("").call("report_findings", json!({"findings": deep}))), whole(w)]
        }, Whole(2)),
        row("the same arguments twice", |w| vec![w.script(&counted("").call("report_findings", json!({"findings": 7})))], Failed(2, "it called report_findings with something unreadable, twice", "")),
    ]);
}

/// The stream with each count of tokens replaced.
fn counts(usage: Value) -> impl Fn(Wire) -> Vec<Script> {
    changed(move |text| {
        let replace = |line: &str| {
            let Some(mut event) = line.strip_prefix("data: ").and_then(|data| serde_json::from_str::<Value>(data).ok()) else {
                return format!("{line}\n");
            };
            for place in ["/usage", "/usageMetadata", "/message/usage", "/response/usage"] {
                if let Some(slot) = event.pointer_mut(place).filter(|slot| !slot.is_null()) {
                    *slot = usage.clone();
                }
            }
            format!("data: {event}\n")
        };
        stream(&text.lines().map(replace).collect::<String>())
    })
}

/// One value for every count of every format.
fn each(value: Value) -> Value {
    json!({"prompt_tokens": value, "completion_tokens": value, "input_tokens": value, "output_tokens": value, "cache_read_input_tokens": value,
        "promptTokenCount": value, "candidatesTokenCount": value, "cachedContentTokenCount": value})
}

#[test]
fn counts_that_are_none() {
    table(vec![
        row(
            "a prompt that was cut in silence",
            |w| vec![w.script(&good_answer(HIT).usage(200, 0, 20))],
            Failed(1, "it cut the prompt without saying so", "Use a model with a larger context"),
        ),
        row("no usage", |w| vec![w.script(&good_answer(HIT).uncounted())], Whole(1)),
        row("usage without counts", counts(json!({})), Whole(1)),
        row("counts that are null", counts(each(Value::Null)), Whole(1)),
        row("counts of nothing", counts(each(json!(0))), Whole(1)),
        row("counts below nothing", counts(each(json!(-1))), Whole(1)),
        row("counts with fractions", counts(each(json!(1.5))), Whole(1)),
        row("counts that are words", counts(each(json!("many"))), Whole(1)),
        row("counts beyond all numbers", counts(each(json!(u64::MAX))), Whole(1)),
        row("more read from the cache than was sent", |w| vec![w.script(&good_answer(HIT).usage(10, 20_000, 5))], Whole(1)).only(&[
            Wire::Chat,
            Wire::Responses,
            Wire::Generate,
        ]),
        row("usage that is a list", counts(json!([1, 2])), Whole(1)),
        row("usage that is a word", counts(json!("none")), Whole(1)),
    ]);
}

fn cut(wire: Wire) -> Script {
    wire.script(&counted("cut").stop(match wire {
        Wire::Chat => "length",
        Wire::Responses => "max_output_tokens",
        Wire::Messages => "max_tokens",
        Wire::Generate => "MAX_TOKENS",
    }))
}

fn refusal(wire: Wire) -> Script {
    wire.script(&counted("").stop(match wire {
        Wire::Chat | Wire::Responses => "content_filter",
        Wire::Messages => "refusal",
        Wire::Generate => "SAFETY",
    }))
}

#[test]
fn reasons_to_stop() {
    table(vec![
        row("cut off by length, once", |w| vec![cut(w), whole(w)], Whole(2)),
        row("cut off by length, twice", |w| vec![cut(w)], Failed(2, "its answer was cut off at 24000 tokens, twice", "")),
        row(
            "half a call, cut off by length",
            |w| {
                let reason = match w {
                    Wire::Chat => "length",
                    Wire::Responses => "max_output_tokens",
                    Wire::Messages => "max_tokens",
                    Wire::Generate => "MAX_TOKENS",
                };
                vec![w.script(&counted("").call("report_findings", json!({"findings": []})).stop(reason)), whole(w)]
            },
            Whole(2),
        ),
        row("refused", |w| vec![refusal(w)], Failed(1, "the model refused to answer", "")),
        row("a reason that nobody knows", |w| vec![w.script(&good_answer(HIT).stop("brand_new"))], Whole(1)),
        row("prose, once", |w| vec![w.script(&counted("Looks good to me!")), whole(w)], Whole(2)),
        row(
            "prose, twice",
            |w| vec![w.script(&counted("Looks good to me!"))],
            Failed(2, "it answered in prose instead of calling report_findings, twice", ""),
        ),
        row("nothing at all, once", |w| vec![w.script(&counted("")), whole(w)], Whole(2)),
    ]);
}

/// A whole answer as one document, from servers that do not stream.
fn document(wire: Wire) -> String {
    let arguments = report();
    let text = arguments.to_string();
    match wire {
        Wire::Chat => json!({"model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": null, "tool_calls": [{"id": "a", "type": "function", "function": {"name": "report_findings", "arguments": text}}]}, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 20_000, "completion_tokens": 2}}),
        Wire::Responses => json!({"model": "m", "status": "completed", "error": null, "output": [{"type": "function_call", "id": "fc", "call_id": "a", "name": "report_findings", "arguments": text}]}),
        Wire::Messages => json!({"model": "m", "type": "message", "role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "report_findings", "input": arguments}], "stop_reason": "tool_use", "usage": {"input_tokens": 20_000, "output_tokens": 2}}),
        Wire::Generate => json!([{"candidates": [{"content": {"role": "model", "parts": [{"functionCall": {"name": "report_findings", "args": arguments}}]}, "finishReason": "STOP"}]}]),
    }
    .to_string()
}

#[test]
fn documents_instead_of_streams() {
    table(vec![
        row("a whole document", |w| vec![stream(&document(w))], Whole(1)),
        row("a document after blank lines and a mark", |w| vec![stream(&format!("\n \u{feff}\r\n{}\n", document(w)))], Whole(1)),
        row("a document that is cut", |w| vec![stream(&document(w)[..80])], Failed(3, "broke its answer off", "run again later")),
        row(
            "a document of something else",
            always(stream("{\"ok\": true}")),
            Failed(1, "instead of a model's answer", "Check the gateway's URL and preset"),
        ),
        row("a list of nothing", always(stream("[]")), Failed(1, "instead of a model's answer", "Check the gateway's URL and preset")),
    ]);
}
