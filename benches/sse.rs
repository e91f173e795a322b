//! Our own share of CPU for an answer of 100 MB, in each format, from the socket to the answer: TCP, HTTP, framing, JSON,
//! joining. The bar is 200 MB/s on one core. Run it with `cargo bench --bench sse` on a quiet machine.
//!
//! The client runs on this thread alone, whose CPU time Linux counts; what the server's thread uses is not in it.

#![expect(clippy::print_stdout, reason = "the result is printed")]

#[path = "../tests/support/calls.rs"]
mod calls;
#[path = "../tests/support/gateway.rs"]
mod gateway;

use calls::{Case, Wire, quick};
use gateway::{FakeGateway, Script, Step, head};

const BAR: f64 = 200.0;
const MEGABYTES: usize = 100;

/// What comes before, again and again (one token's event, with all that providers put into it), and at the end.
fn parts(wire: Wire) -> [&'static str; 3] {
    match wire {
        Wire::Chat => [
            "",
            "data: {\"id\":\"chatcmpl-AbCdEf0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1780000000,\"model\":\"model-1\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"a1b2c3d4\"}\n\n",
            "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        ],
        Wire::Responses => [
            "",
            "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":4711,\"item_id\":\"msg_0123456789abcdef0123456789abcdef\",\"output_index\":0,\"content_index\":0,\"delta\":\" word\",\"logprobs\":[],\"obfuscation\":\"a1b2c3d4\"}\n\n",
            "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"output\":[]}}\n\n",
        ],
        Wire::Messages => [
            "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" wo\"}}\n\n",
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        ],
        Wire::Generate => [
            "",
            "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \" word\"}],\"role\": \"model\"},\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 48211,\"candidatesTokenCount\": 12,\"totalTokenCount\": 48223,\"promptTokensDetails\": [{\"modality\": \"TEXT\",\"tokenCount\": 48211}]},\"modelVersion\": \"model-1\",\"responseId\": \"0123456789abcdef\"}\n\n",
            "data: {\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":9}}\n\n",
        ],
    }
}

fn script(wire: Wire) -> (Script, usize) {
    let [before, again, end] = parts(wire);
    let megabyte = again.repeat(1_000_000 / again.len());
    let events = MEGABYTES * (1_000_000 / again.len());
    (vec![head(&[]), Step::Write(before.into()), Step::Repeat(megabyte.into_bytes(), MEGABYTES), Step::Write(end.into())], events)
}

/// Nanoseconds that this thread has run.
fn cpu() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts the time of threads");
    told.split(' ').next().and_then(|first| first.parse().ok()).expect("a number")
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut slow = false;
    for wire in Wire::ALL {
        let (script, events) = script(wire);
        let case = Case::new(wire, FakeGateway::scripted(vec![script]), quick());
        let rates = (0..3).map(|_| {
            let before = cpu();
            let answer = runtime.block_on(case.complete()).expect("a whole answer");
            let seconds = (cpu() - before) / 1e9;
            assert!(answer.turn.text.len() > events, "each event says something");
            MEGABYTES as f64 / seconds
        });
        let best = rates.fold(0.0, f64::max);
        slow |= best < BAR;
        println!("{wire:?}: {best:.0} MB/s ({events} events)");
    }
    assert!(!slow, "below {BAR} MB/s");
}
