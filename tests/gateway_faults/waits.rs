//! What only a client of its own can show: how long it waits, that nobody listens, that nothing is said in the clear.

use crate::calls::{Case, Wire, quick};
use crate::gateway::{FakeGateway, Step, answer, status};
use tribune::gateway::ErrorKind;

#[tokio::test]
async fn the_wait_that_is_asked_for_is_waited() {
    for (header, least, most) in [
        // And somewhat more, so that those who were told the same do not come back together.
        ("retry-after-ms: 120", 120, 180),
        ("retry-after: 0.3", 300, 450),
        ("retry-after: 0", 0, 5),
        ("retry-after: Sun, 06 Nov 1994 08:49:37 GMT", 0, 5),
        // Our own wait, which is 5 ms here, less up to a quarter.
        ("retry-after: soon", 3, 5),
        ("retry-after: -5", 3, 5),
    ] {
        let scripts = vec![status(429, &[header], ""), Wire::Chat.script(&answer("whole"))];
        let case = Case::new(Wire::Chat, FakeGateway::scripted(scripts), quick());
        case.complete().await.expect(header);
        let events = case.events.lines();
        let retried = events.iter().find(|line| line.contains("model_retried")).expect("a second attempt");
        let told: serde_json::Value = serde_json::from_str(retried).expect("JSON");
        let wait = told["wait_ms"].as_u64().expect("a wait");
        let requests = case.fake.requests();
        let waited = requests[1].at - requests[0].at;
        assert!((least..=most).contains(&wait) && waited.as_millis() >= u128::from(least), "{header}: {told}, {waited:?}");
    }
}

#[tokio::test]
async fn nobody_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let case = Case::at(Wire::Chat, &format!("http://{address}/v1"), FakeGateway::scripted(vec![]), quick());
    let outcome = case.complete().await;
    assert_eq!(outcome.as_ref().expect_err("nobody is there").kind, ErrorKind::Network);
    assert_eq!(case.attempts(), 3);
    let shown = outcome.as_ref().expect_err("as above").to_string().replace(&address.to_string(), "HOST");
    insta::assert_snapshot!(shown, @"HOST cannot be reached: Connection refused (os error 111) (3 attempts). Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
}

#[tokio::test]
async fn tls_where_none_is_spoken() {
    let fake = FakeGateway::scripted(vec![vec![Step::ResetAtAccept]; 3]);
    let url = fake.url().replace("http:", "https:");
    let case = Case::at(Wire::Chat, &url, fake, quick());
    let outcome = case.complete().await;
    assert_eq!(outcome.as_ref().expect_err("no TLS there").kind, ErrorKind::Network);
    assert!(case.fake.requests().is_empty(), "nothing is sent in the clear");
    case.assert_key_is_nowhere("TLS", &outcome);
}
