//! Gateways behind TLS, private authorities and proxies, against the whole binary: what is trusted, what a proxy gets to
//! see, and whether the reason of a failure names the cure.

#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/program.rs"]
mod program;
#[path = "support/review.rs"]
mod review;
#[path = "support/tls.rs"]
mod tls;

use gateway::FakeGateway;
use review::{HIT, KEY, Review, Told};
use std::net::SocketAddr;
use std::ops::Range;
use tls::{Authority, Proxy, tls_before};

const NOW: Range<i32> = 2020..2090;

/// A gateway, the TLS in front of it, and who vouches for it.
struct Site {
    gateway: FakeGateway,
    authority: Authority,
    address: SocketAddr,
}

impl Site {
    /// With a certificate for this name that is valid in these years.
    fn new(name: &str, years: Range<i32>) -> Self {
        let authority = Authority::new("tests' authority");
        Self::with(authority, name, years, None)
    }

    /// With a certificate by this authority; clients have to show one by `clients`.
    fn with(authority: Authority, name: &str, years: Range<i32>, clients: Option<&Authority>) -> Self {
        let gateway = FakeGateway::smart(review::good);
        let plain = gateway.url().trim_start_matches("http://").trim_end_matches("/v1").parse().expect("an address");
        let address = tls_before(plain, authority.issue(name, years).server(clients));
        Self { gateway, authority, address }
    }

    /// A review at `https://{host}:{its port}`.
    fn review(&self, host: &str) -> Review {
        Review::new(&self.url(host), &[HIT])
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/v1", self.address.port())
    }

    /// A review that trusts the site's authority.
    fn trusting(&self, host: &str) -> Review {
        trust(self.review(host), &self.authority)
    }

    /// What became of a review: `completed`, or why it did not; ports are left out. The key is told nowhere, and was
    /// sent only where the review completed.
    fn told(&self, review: Review) -> String {
        let told = review.run();
        told.assert_clean("TLS");
        let sent = self.gateway.requests();
        let outcome = outcome(&told).replace(&format!(":{}", self.address.port()), "");
        assert_eq!(sent.len(), usize::from(outcome == "completed"), "{outcome}");
        assert!(sent.iter().all(|r| r.header("authorization") == Some(&format!("Bearer {KEY}"))));
        outcome
    }
}

fn trust(review: Review, authority: &Authority) -> Review {
    let file = review.folder().join("authorities.pem");
    std::fs::write(&file, authority.pem()).expect("written");
    review.env("SSL_CERT_FILE", file)
}

fn outcome(told: &Told) -> String {
    let (status, requests) = told.of(HIT);
    match status {
        "completed" => {
            assert_eq!((told.code, told.titles().len()), (Some(0), 2), "{}", told.all);
            status.to_owned()
        }
        _ => {
            assert_eq!((told.code, told.titles()), (Some(3), vec![review::BY_RULE]), "{}", told.all);
            format!("{requests} attempts: {}", told.why(HIT))
        }
    }
}

#[test]
fn certificates() {
    let site = Site::new("localhost", NOW);
    insta::assert_snapshot!(site.told(site.trusting("localhost")), @"completed");
    let site = Site::new("localhost", NOW);
    insta::assert_snapshot!(site.told(site.review("localhost")), @"1 attempts: localhost cannot be reached: its certificate is of an authority that is not trusted here (the file that SSL_CERT_FILE names holds those that are). Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
    let site = Site::new("localhost", NOW);
    insta::assert_snapshot!(site.told(trust(site.review("localhost"), &Authority::new("another authority"))), @"1 attempts: localhost cannot be reached: its certificate is of an authority that is not trusted here (the file that SSL_CERT_FILE names holds those that are). Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
    let site = Site::new("localhost", 2020..2021);
    insta::assert_snapshot!(site.told(site.trusting("localhost")), @"1 attempts: localhost cannot be reached: its certificate has expired. Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
    let site = Site::new("localhost", 2080..2090);
    insta::assert_snapshot!(site.told(site.trusting("localhost")), @"1 attempts: localhost cannot be reached: its certificate is not valid yet: look at this machine's clock. Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
    let site = Site::new("gateway.invalid", NOW);
    insta::assert_snapshot!(site.told(site.trusting("localhost")), @"1 attempts: localhost cannot be reached: its certificate is for other hosts: look at the URL's host. Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
    let site = Site::new("127.0.0.1", NOW);
    insta::assert_snapshot!(site.told(site.trusting("127.0.0.1")), @"completed");
    // A file without certificates trusts nobody.
    let site = Site::new("localhost", NOW);
    insta::assert_snapshot!(site.told(site.review("localhost").env("SSL_CERT_FILE", "/nowhere/authorities.pem")), @"0 attempts: no connection to localhost can be set up: no certificate of an authority can be read, neither in the file that SSL_CERT_FILE names nor of the system. Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
    let review = site.review("localhost");
    let file = review.folder().join("authorities.pem");
    std::fs::write(&file, "not a certificate").expect("written");
    insta::assert_snapshot!(site.told(review.env("SSL_CERT_FILE", "authorities.pem")), @"0 attempts: no connection to localhost can be set up: no certificate of an authority can be read, neither in the file that SSL_CERT_FILE names nor of the system. Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
}

#[test]
fn client_certificates() {
    let clients = Authority::new("clients' authority");
    let show = |site: &Site, pem: Option<String>| {
        let review = site.trusting("localhost").unset("TRIBUNE_GATEWAY_URL");
        let endpoint = format!("endpoints: {{default: {{url: '{}', token_env: TRIBUNE_GATEWAY_TOKEN", site.url("localhost"));
        let Some(pem) = pem else { return site.told(review.config(&format!("{endpoint}}}}}\n"))) };
        std::fs::write(review.folder().join("client.pem"), pem).expect("written");
        site.told(review.config(&format!("{endpoint}, client_cert: client.pem}}}}\n")))
    };
    let site = || Site::with(Authority::new("tests' authority"), "localhost", NOW, Some(&clients));
    insta::assert_snapshot!(show(&site(), Some(clients.issue("runner", NOW).pem())), @"completed");
    insta::assert_snapshot!(show(&site(), None), @"1 attempts: localhost cannot be reached: it wants a client certificate (`client_cert` of the endpoint). Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
    insta::assert_snapshot!(show(&site(), Some(Authority::new("another").issue("runner", NOW).pem())), @"1 attempts: localhost cannot be reached: it does not accept our client certificate (`client_cert` of the endpoint). Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
    insta::assert_snapshot!(show(&site(), Some(clients.issue("runner", 2020..2021).pem())), @"1 attempts: localhost cannot be reached: it does not accept our client certificate (`client_cert` of the endpoint). Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
}

/// A proxy is told the host and nothing else: the key goes inside TLS, whose certificate is the gateway's.
#[test]
fn proxies() {
    let site = Site::new("gateway.invalid", NOW);
    let through = |proxy: &Proxy, review: Review| review.env("HTTPS_PROXY", format!("http://someone:pa55word-x@{}", proxy.address));
    let proxy = Proxy::new(site.address, None);
    insta::assert_snapshot!(site.told(through(&proxy, site.trusting("gateway.invalid"))), @"completed");
    let seen = proxy.seen();
    assert!(seen.starts_with(&format!("CONNECT gateway.invalid:{} HTTP/1.1\r\n", site.address.port())), "{seen}");
    assert!(seen.to_lowercase().contains("proxy-authorization: basic c29tzw9uztpwytu1d29yzc14\r\n"), "{seen}");
    assert!(!seen.contains(KEY) && !seen.contains("subprocess") && !seen.contains("model-1"), "{seen}");

    // Neither the proxy nor who stands behind it is trusted for being there.
    let site = Site::new("gateway.invalid", NOW);
    let proxy = Proxy::new(site.address, None);
    insta::assert_snapshot!(site.told(through(&proxy, site.review("gateway.invalid"))), @"1 attempts: gateway.invalid cannot be reached: its certificate is of an authority that is not trusted here (the file that SSL_CERT_FILE names holds those that are). Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");

    let refuse = |refusal: &'static str| {
        let site = Site::new("gateway.invalid", NOW);
        let told = through(&Proxy::new(site.address, Some(refusal)), site.trusting("gateway.invalid"));
        let told = site.told(told);
        assert!(!told.contains("pa55word"));
        told
    };
    insta::assert_snapshot!(refuse("HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n"), @"1 attempts: gateway.invalid cannot be reached: the proxy wants a name and a password (HTTPS_PROXY=http://name:password@host). Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
    insta::assert_snapshot!(refuse("HTTP/1.1 403 Forbidden\r\n\r\n"), @"3 attempts: gateway.invalid cannot be reached: the proxy does not connect to it (HTTPS_PROXY; hosts that need no proxy stand in NO_PROXY) (3 attempts). Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
    insta::assert_snapshot!(refuse("HTTP/1.1 502 Bad Gateway\r\n\r\n"), @"3 attempts: gateway.invalid cannot be reached: the proxy does not connect to it (HTTPS_PROXY; hosts that need no proxy stand in NO_PROXY) (3 attempts). Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
    insta::assert_snapshot!(refuse(""), @"3 attempts: gateway.invalid cannot be reached: the proxy broke the connection off (HTTPS_PROXY; hosts that need no proxy stand in NO_PROXY) (3 attempts). Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    let told = site.told(site.trusting("gateway.invalid").env("HTTPS_PROXY", format!("http://{nobody}")));
    insta::assert_snapshot!(told.replace(&nobody.to_string(), "PROXY"), @"3 attempts: gateway.invalid cannot be reached: Connection refused (os error 111) (3 attempts). Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
}

#[test]
fn hosts_that_no_proxy_is_for() {
    // Reached directly, a name that does not exist is not found; the proxy would have found it.
    let site = Site::new("gateway.invalid", NOW);
    let proxy = Proxy::new(site.address, None);
    let url = format!("http://{}", proxy.address);
    let direct = |review: Review| review.env("HTTPS_PROXY", &url).env("NO_PROXY", "other.invalid,gateway.invalid,0.0.0.0");
    let told = site.told(direct(site.trusting("gateway.invalid")));
    assert!(told.starts_with("3 attempts: gateway.invalid cannot be reached: failed to lookup address"), "{told}");

    // An address of this machine that is no loopback address to anyone else.
    let site = Site::new("0.0.0.0", NOW);
    insta::assert_snapshot!(site.told(direct(site.trusting("0.0.0.0"))), @"completed");

    // This machine is never asked for by a proxy.
    let site = Site::new("localhost", NOW);
    insta::assert_snapshot!(site.told(site.trusting("localhost").env("HTTPS_PROXY", &url).env("ALL_PROXY", &url)), @"completed");
    let gateway = FakeGateway::smart(review::good);
    let told = Review::new(&gateway.url(), &[HIT]).env("HTTP_PROXY", &url).env("http_proxy", &url).env("ALL_PROXY", &url).run();
    assert_eq!((outcome(&told).as_str(), gateway.requests().len()), ("completed", 1));
    assert_eq!(proxy.seen(), "");
}

#[test]
fn names_that_do_not_exist() {
    let told = Review::new("https://gateway.invalid/v1", &[HIT]).run();
    told.assert_clean("DNS");
    let why = outcome(&told);
    assert!(why.starts_with("3 attempts: gateway.invalid cannot be reached: failed to lookup address information"), "{why}");
    assert!(why.ends_with("Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up."), "{why}");
}
