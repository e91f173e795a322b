//! Chains of models at the socket: what moves on to the next link, what does not, and what a breaker saves.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/gateway.rs"]
mod gateway;

use calls::{KEY, Kept, Wire, context, quick, request};
use gateway::answers::ModelAnswer;
use gateway::{FakeGateway, Script, Step, answer, status};
use std::collections::BTreeMap;
use tribune::gateway::{Answer, CallContext, Endpoint, ErrorKind, Gateway, GatewayError, Limits, Link, Secret, Setup};
use tribune::telemetry::Events;

/// A client for a chain with one link for each URL, named `m1 at e1` and so on.
struct Chain {
    gateway: Gateway,
    links: Vec<Link>,
    events: Kept,
}

impl Chain {
    fn new(wire: Wire, urls: &[String], limits: Limits) -> Self {
        let endpoint = |url: &String| Endpoint::new(url, wire.preset(), Some(wire.kind()), Some(Secret::new(KEY))).expect("a valid endpoint");
        let endpoints: BTreeMap<String, Endpoint> = urls.iter().enumerate().map(|(i, url)| (format!("e{}", i + 1), endpoint(url))).collect();
        let links = (1..=urls.len()).map(|i| Link::new(format!("m{i}"), format!("e{i}"))).collect();
        let events = Kept::default();
        let events_of = Events::new(vec![Box::new(events.clone())]);
        let gateway = Gateway::new(Setup { endpoints, limits, events: events_of, ..Setup::default() });
        Self { gateway, links, events }
    }

    fn of(fakes: &[&FakeGateway]) -> Self {
        Self::new(Wire::Chat, &fakes.iter().map(|fake| fake.url()).collect::<Vec<_>>(), quick())
    }

    async fn ask(&self, reviewer: &str) -> Result<Answer, GatewayError> {
        self.gateway.complete(&CallContext { reviewer, chain: &self.links, ..context() }, &request(reviewer)).await
    }

    /// Which models the attempts went to.
    fn attempts(&self) -> Vec<String> {
        let lines = self.events.lines().into_iter().filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
        lines.filter(|event| event["event"] == "model_called").filter_map(|event| event["model"].as_str().map(str::to_owned)).collect()
    }
}

fn whole() -> FakeGateway {
    FakeGateway::scripted(vec![answer("whole").chat()])
}

/// A URL on which nobody listens.
fn nobody() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    format!("http://{free}/v1")
}

#[tokio::test]
async fn what_another_model_can_mend_moves_on() {
    let error = |code: u16, word: &str| status(code, &[], &format!(r#"{{"error":{{"message":"no","code":"{word}"}}}}"#));
    let broken: Script = gateway::stream(&Wire::Chat.without_end(&answer("half")));
    let silent = vec![Step::Wait(std::time::Duration::from_millis(600))];
    for (name, script, attempts) in [
        ("overloaded", error(529, ""), 3),
        ("conflict", error(409, ""), 3),
        ("broken off", broken, 3),
        ("busy for long", status(429, &["retry-after: 31"], ""), 1),
        ("silent", silent, 1),
        ("dead key", error(401, ""), 1),
        ("forbidden model", error(403, ""), 1),
        ("no such model", error(404, ""), 1),
        ("too long", error(400, "context_length_exceeded"), 1),
        ("not understood", error(400, ""), 1),
        ("no credit", error(402, ""), 1),
        ("another server", status(200, &["content-type: text/html"], "<html>"), 1),
    ] {
        let (first, second) = (FakeGateway::scripted(vec![script]), whole());
        let limits = Limits { first_byte: std::time::Duration::from_millis(200), ..quick() };
        let chain = Chain::new(Wire::Chat, &[first.url(), second.url()], limits);
        let answer = chain.ask("quality").await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((first.requests().len(), second.requests().len(), answer.link), (attempts, 1, 1), "{name}");
        assert_eq!(second.requests()[0].json()["model"], "m2", "{name}");
        assert_eq!(chain.gateway.stats("quality").requests, attempts as u32 + 1, "{name}");
        let notes = chain.gateway.take_notes();
        assert!(notes.len() == 1 && notes[0].starts_with("m1 at e1 did not answer"), "{name}: {notes:?}");
        assert!(!format!("{notes:?}{:?}", chain.events.lines()).contains(KEY), "{name}");
    }
}

#[tokio::test]
async fn what_a_guardrail_refused_is_not_shopped_around() {
    let (first, second) = (FakeGateway::scripted(vec![status(446, &[], r#"{"error":{"message":"guardrail"}}"#)]), whole());
    let chain = Chain::of(&[&first, &second]);
    let error = chain.ask("quality").await.expect_err("refused");
    assert_eq!((error.kind, second.requests().len(), chain.gateway.take_notes().len()), (ErrorKind::Refused, 0, 0));
}

#[tokio::test]
async fn other_models_at_an_endpoint_that_cannot_be_reached_are_not_tried() {
    let up = whole();
    let down = nobody();
    let mut chain = Chain::new(Wire::Chat, &[down, up.url()], quick());
    chain.links = vec![Link::new("m1", "e1"), Link::new("m2", "e1"), Link::new("m3", "e2")];
    assert_eq!(chain.ask("quality").await.expect("the third").link, 2);
    assert_eq!(chain.attempts(), ["m1", "m1", "m1", "m3"]);

    chain.links.pop();
    chain.ask("quality").await.expect_err("nobody is there");
    assert_eq!(chain.gateway.stats("quality").requests, 5, "one more, since three were in vain, and none at m2");
}

#[tokio::test]
async fn once_nobody_could_reach_an_endpoint_each_call_tries_once() {
    let chain = Chain::new(Wire::Chat, &[nobody()], quick());
    let mut attempts = Vec::new();
    for reviewer in ["a", "b", "c", "d"] {
        chain.ask(reviewer).await.expect_err("nobody is there");
        attempts.push(chain.gateway.stats(reviewer).requests);
    }
    assert_eq!(attempts, [3, 1, 1, 1]);
}

#[tokio::test]
async fn what_nobody_can_reach_is_found_out_once() {
    let chain = Chain::new(Wire::Chat, &[nobody()], quick());
    let told = futures::future::join_all(["a", "b", "c", "d", "e", "f"].map(|who| chain.ask(who))).await;
    for error in told.iter().map(|outcome| outcome.as_ref().expect_err("nobody is there")) {
        assert!(error.message.contains("cannot be reached") && error.message.contains("(3 attempts)"), "{error}");
    }
    // Those whose first attempt was under way have failed by themselves; nobody but the first tries again.
    assert!((3..=6 + 2).contains(&chain.attempts().len()), "{:?}", chain.attempts());
}

#[tokio::test]
async fn all_at_once_each_has_three_attempts_where_a_gateway_answers_that_it_is_down() {
    let down = FakeGateway::scripted(vec![status(503, &[], "")]);
    let chain = Chain::of(&[&down]);
    let all = ["a", "b", "c", "d", "e", "f"];
    for outcome in futures::future::join_all(all.map(|who| chain.ask(who))).await {
        let error = outcome.expect_err("it is down");
        assert!(error.message.ends_with("(3 attempts)"), "{error}");
    }
    assert_eq!(all.map(|who| chain.gateway.stats(who).requests), [3; 6]);
}

#[tokio::test]
async fn a_spent_chain_tells_of_each_model() {
    let (first, second) = (FakeGateway::scripted(vec![status(503, &[], "")]), FakeGateway::scripted(vec![status(401, &[], "")]));
    let chain = Chain::of(&[&first, &second]);
    let error = chain.ask("quality").await.expect_err("both fail");
    let host = |fake: &FakeGateway| fake.url().replace("http://", "").replace("/v1", "");
    let told = error.to_string().replace(&host(&first), "ONE").replace(&host(&second), "TWO");
    insta::assert_snapshot!(told, @"no model of the chain answered: m1 at e1: ONE answered 503 (Service Unavailable): an empty body (3 attempts); m2 at e2: TWO answered 401 (Unauthorized): an empty body. Check the gateway's token and what it is allowed to use.");
    assert_eq!(error.kind, ErrorKind::Auth);
}

#[tokio::test]
async fn a_model_that_is_down_for_good_costs_a_run_few_requests() {
    let (first, second) = (FakeGateway::scripted(vec![status(503, &[], "")]), whole());
    let chain = Chain::of(&[&first, &second]);
    for reviewer in ["a", "b", "c", "d", "e"] {
        assert_eq!(chain.ask(reviewer).await.expect("the second answers").link, 1, "{reviewer}");
    }
    assert_eq!(chain.attempts(), ["m1", "m1", "m1", "m2", "m1", "m2", "m2", "m2", "m2"], "open after the second reviewer's first failure");
    assert!(chain.events.lines().iter().any(|line| line.contains("m1 at e1 failed again and again: passed over for 120 s.")));

    // Where nobody else is left, an attempt is better than none.
    let alone = Chain { links: chain.links[..1].to_vec(), ..chain };
    let error = alone.ask("f").await.expect_err("it is down");
    assert!(error.message.ends_with("(3 attempts)"), "{error}");
}

#[tokio::test]
async fn an_answer_ends_the_row_of_failures() {
    let flaky = [status(503, &[], ""), answer("ok").chat()];
    let first = FakeGateway::scripted(flaky.iter().cycle().take(12).cloned().collect());
    let chain = Chain::of(&[&first, &whole()]);
    for reviewer in ["a", "b", "c", "a", "b", "c"] {
        assert_eq!(chain.ask(reviewer).await.expect("at the second attempt").link, 0);
    }
}

#[tokio::test]
async fn each_endpoint_has_its_own_turns() {
    // One turn each: the second link answers while the first still holds its turn.
    let (slow, second) = (FakeGateway::scripted(vec![vec![Step::Hang]]), whole());
    let chain = Chain::new(Wire::Chat, &[slow.url(), second.url()], Limits { parallel: 1, ..quick() });
    let stuck = [chain.links[0].clone()];
    let cancel = tokio_util::sync::CancellationToken::new();
    let holds = CallContext { chain: &stuck, cancel: cancel.clone(), ..context() };
    let (first_request, second_request) = (request("a"), request("b"));
    let holding = chain.gateway.complete(&holds, &first_request);
    let other = CallContext { reviewer: "b", chain: &chain.links[1..], ..context() };
    let (held, answered) = tokio::join!(holding, async {
        let answered = chain.gateway.complete(&other, &second_request).await;
        cancel.cancel();
        answered
    });
    assert_eq!(held.expect_err("cancelled").kind, ErrorKind::Cancelled);
    assert_eq!(answered.expect("an answer").model, "fake-model-1");
}

#[tokio::test]
async fn a_conversation_can_go_on_at_another_model_on_all_wires() {
    for wire in Wire::ALL {
        let said: ModelAnswer = answer("I look.").call("read_file", serde_json::json!({"path": "a.rs"}));
        let first = FakeGateway::scripted(vec![wire.script(&said), status(500, &[], "")]);
        let second = FakeGateway::scripted(vec![wire.script(&answer("done"))]);
        let chain = Chain::new(wire, &[first.url(), second.url()], quick());
        let begun = chain.ask("quality").await.expect("the first answers");
        let results = begun.turn.calls.iter().map(|call| tribune::gateway::ToolResult {
            call_id: call.id.clone(),
            name: call.name.clone(),
            content: "text".into(),
            is_error: false,
        });
        let turns = vec![tribune::gateway::Turn::ToolResults(results.collect())];
        let mut next = request("quality");
        next.turns = [vec![tribune::gateway::Turn::Assistant(begun.turn.clone())], turns].concat();
        let call = CallContext { chain: &chain.links, ..context() };
        let answer = chain.gateway.complete(&call, &next).await.unwrap_or_else(|error| panic!("{wire:?}: {error}"));
        assert_eq!((answer.link, answer.turn.text.as_str()), (1, "done"), "{wire:?}");
        let body = String::from_utf8(second.requests()[0].body.clone()).expect("UTF-8");
        assert!(body.contains("a.rs") && !body.contains("gAAAfake") && !body.contains("c2lnbmF0dXJl"), "{wire:?}: {body}");
    }
}
