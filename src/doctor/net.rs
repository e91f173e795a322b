//! How hosts are reached from here: proxy, certificates, and what a broken connection means. Connects, sends no token.

use super::Line;
use crate::config::Env;
use crate::error::Exit;
use crate::http::{Origin, explained};
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Client, StatusCode, Url};
use std::io::Read as _;
use std::time::Duration;

/// How long connecting may take in all.
const TIME: Duration = Duration::from_secs(10);
/// What is read of a file of certificates.
const MAX_CERTIFICATES: u64 = 16 << 20;

/// The first of these variables that is set, as the client reads them, and its name.
fn first(env: Env<'_>, names: [&'static str; 2]) -> Option<(&'static str, String)> {
    names.into_iter().find_map(|name| Some((name, env(name)?))).filter(|(_, value)| !value.is_empty())
}

/// Whether a proxy stands between here and these hosts.
pub(super) fn proxy(env: Env<'_>, hosts: &[Url]) -> Line {
    let value = |names| first(env, names).map(|(_, v)| v).unwrap_or_default();
    let (https, all) = (first(env, ["HTTPS_PROXY", "https_proxy"]), first(env, ["ALL_PROXY", "all_proxy"]));
    let Some((name, _)) = https.as_ref().or(all.as_ref()) else {
        return match first(env, ["HTTP_PROXY", "http_proxy"]) {
            Some((name, _)) => Line::warning("proxy", format!("{name} alone is set, which is for http: https goes directly"))
                .fix("Set HTTPS_PROXY to the same proxy, if these hosts are behind it."),
            None => Line::idle("proxy", "none is set (HTTPS_PROXY): connections go directly"),
        };
    };
    let no = value(["NO_PROXY", "no_proxy"]);
    let set = |all: &str| Matcher::builder().all(all.to_owned()).https(value(["HTTPS_PROXY", "https_proxy"])).no(no.as_str().to_owned()).build();
    let matcher = set(&value(["ALL_PROXY", "all_proxy"]));
    let probe = Matcher::builder().all(value(["ALL_PROXY", "all_proxy"])).https(value(["HTTPS_PROXY", "https_proxy"])).build();
    let by = |matcher: &Matcher, url: &str| url.parse().ok().and_then(|uri| matcher.intercept(&uri)).map(|i| i.uri().to_string());
    // The proxy's own address may hold a password, which stays out of it.
    let Some(proxy) = by(&probe, "https://host.invalid/").map(|uri| shown(&uri)) else {
        return Line::warning("proxy", format!("{name} cannot be read, so it is ignored and connections go directly"))
            .fix(format!("Write {name} like http://proxy.example:3128."));
    };
    let mut told: Vec<String> = Vec::new();
    for url in hosts {
        let Ok(origin) = Origin::of(url) else { continue };
        let way = match by(&matcher, url.as_str()) {
            _ if origin.is_loopback() => "directly (this machine)".to_owned(),
            Some(_) => "through it".to_owned(),
            None => "directly (NO_PROXY)".to_owned(),
        };
        let line = format!("{} {way}", origin.host());
        if !told.contains(&line) {
            told.push(line);
        }
    }
    let hosts = if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) };
    Line::ok("proxy", format!("{proxy} ({name}){hosts}"))
}

/// Host and port of a proxy.
fn shown(uri: &str) -> String {
    match Url::parse(uri) {
        Ok(url) => format!("{}{}", url.host_str().unwrap_or_default(), url.port().map(|p| format!(":{p}")).unwrap_or_default()),
        Err(_) => "a proxy".to_owned(),
    }
}

/// Which certificates servers are checked against.
pub(super) fn certificates(env: Env<'_>) -> Line {
    let Some(file) = env("SSL_CERT_FILE").filter(|f| !f.is_empty()) else {
        let folder = env("SSL_CERT_DIR").filter(|f| !f.is_empty());
        return Line::ok("certificates", folder.map_or("of the system".to_owned(), |f| format!("SSL_CERT_DIR={f}")));
    };
    let mut bytes = Vec::new();
    let read = std::fs::File::open(&file).and_then(|f| f.take(MAX_CERTIFICATES).read_to_end(&mut bytes));
    let count = bytes.windows(CERTIFICATE.len()).filter(|w| *w == CERTIFICATE).count();
    match (read, count) {
        (Err(e), _) => Line::problem(
            "certificates",
            format!("SSL_CERT_FILE={file}: {e}"),
            "Point it to a file of certificates in PEM, or unset it to use the system's.",
            Exit::Usage,
        ),
        (Ok(_), 0) => Line::problem(
            "certificates",
            format!("SSL_CERT_FILE={file} holds no certificate in PEM"),
            "Put the certificate of your authority there (`-----BEGIN CERTIFICATE-----`), beside those of the system.",
            Exit::Usage,
        ),
        (Ok(_), n) => Line::ok("certificates", format!("SSL_CERT_FILE={file}, {n} of them, instead of the system's")),
    }
}

const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Connects, TLS included, and sends one request without a token: any answer will do. Fails with the reason.
pub(super) async fn reach(client: &Client, url: &Url) -> Result<(), String> {
    match client.head(url.clone()).timeout(TIME).send().await {
        Ok(answer) if answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED => Err("the proxy asks for a password (407)".to_owned()),
        Ok(_) => Ok(()),
        Err(e) if e.is_timeout() => Err(format!("no answer within {} s", TIME.as_secs())),
        Err(e) => Err(explained(&e)),
    }
}

/// What to do about a connection that failed for this reason.
pub(crate) fn advice(reason: &str) -> &'static str {
    let says = |words: &[&str]| words.iter().any(|w| reason.to_ascii_lowercase().contains(w));
    if says(&["407", "proxy wants"]) {
        "Give the proxy its user and password: HTTPS_PROXY=http://user:password@proxy.example:3128 (a masked variable)."
    } else if says(&["the proxy"]) {
        "Ask whoever runs the proxy to let this host through, or name the host in NO_PROXY."
    } else if says(&["client certificate"]) {
        "Set `client_cert` of the endpoint to a file with the certificate and its key, both in PEM."
    } else if says(&["for other hosts"]) {
        "Use the host that the certificate is for: look at the URL."
    } else if says(&["expired", "not valid yet", "revoked"]) {
        "The server's certificate is out of date, or this machine's clock is wrong."
    } else if says(&["certificate"]) {
        "Put the certificate of the authority that signed the server's into a file, beside the system's, and set SSL_CERT_FILE to it."
    } else if says(&["dns", "lookup", "resolve", "name or service", "nodename"]) {
        "Check the host's name, and that this machine may ask a DNS server for it; where only a proxy may, set HTTPS_PROXY."
    } else if says(&["no answer within", "timed out"]) {
        "A firewall drops the connection, or only a proxy gets through: set HTTPS_PROXY, or let this runner out."
    } else {
        "Check the URL, its port, and that the server is up and lets this machine in."
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    fn told(variables: &[(&str, &str)]) -> String {
        let env = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let hosts = ["https://gw.example/v1", "https://git.corp.example/gitlab", "http://127.0.0.1:9/v1"].map(|u| Url::parse(u).expect("a URL"));
        let line = proxy(&env, &hosts);
        format!("{:?}: {}", line.state, line.told)
    }

    #[test]
    fn tells_which_hosts_a_proxy_is_for_and_shows_no_password() {
        let proxy = ("HTTPS_PROXY", "http://me:hunter2@proxy.example:3128");
        insta::assert_snapshot!(told(&[]), @"NotApplicable: none is set (HTTPS_PROXY): connections go directly");
        insta::assert_snapshot!(told(&[proxy]), @"Ok: proxy.example:3128 (HTTPS_PROXY): gw.example through it, git.corp.example through it, 127.0.0.1:9 directly (this machine)");
        insta::assert_snapshot!(told(&[proxy, ("NO_PROXY", ".corp.example, 10.0.0.0/8")]), @"Ok: proxy.example:3128 (HTTPS_PROXY): gw.example through it, git.corp.example directly (NO_PROXY), 127.0.0.1:9 directly (this machine)");
        insta::assert_snapshot!(told(&[("all_proxy", "proxy.example:3128"), ("no_proxy", "*")]), @"Ok: proxy.example:3128 (all_proxy): gw.example directly (NO_PROXY), git.corp.example directly (NO_PROXY), 127.0.0.1:9 directly (this machine)");
        insta::assert_snapshot!(told(&[("HTTP_PROXY", "http://proxy.example:3128")]), @"Warning: HTTP_PROXY alone is set, which is for http: https goes directly");
        insta::assert_snapshot!(told(&[("HTTPS_PROXY", "http://")]), @"Warning: HTTPS_PROXY cannot be read, so it is ignored and connections go directly");
    }

    #[test]
    #[cfg_attr(windows, ignore = "compares the system's own words")]
    fn certificates_have_to_be_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let told = |name: &str| {
            let file = folder.path().join(name).display().to_string();
            let line = certificates(&|n| (n == "SSL_CERT_FILE").then(|| file.clone()));
            (line.state, line.told.replace(&folder.path().display().to_string(), "DIR"))
        };
        std::fs::write(folder.path().join("empty.pem"), "hello").expect("written");
        std::fs::write(folder.path().join("two.pem"), "-----BEGIN CERTIFICATE-----\nx\n-----BEGIN CERTIFICATE-----\n").expect("written");
        assert_eq!(told("none.pem"), (State::Problem, "SSL_CERT_FILE=DIR/none.pem: No such file or directory (os error 2)".into()));
        assert_eq!(told("empty.pem"), (State::Problem, "SSL_CERT_FILE=DIR/empty.pem holds no certificate in PEM".into()));
        assert_eq!(told("two.pem"), (State::Ok, "SSL_CERT_FILE=DIR/two.pem, 2 of them, instead of the system's".into()));
        assert_eq!(certificates(&|_| None).told, "of the system");
    }

    #[test]
    fn a_broken_connection_has_its_own_fix() {
        for (reason, fix) in [
            ("its certificate is of an authority that is not trusted here", "Put the certificate"),
            ("its certificate is for other hosts: look at the URL's host", "Use the host"),
            ("it wants a client certificate (`client_cert` of the endpoint)", "Set `client_cert`"),
            ("its certificate has expired", "The server's certificate is out of date"),
            ("failed to lookup address information: Name or service not known", "Check the host's name"),
            ("no answer within 10 s", "A firewall"),
            ("Connection refused (os error 111)", "Check the URL"),
            ("the proxy does not connect to it (HTTPS_PROXY; hosts that need no proxy stand in NO_PROXY)", "Ask whoever runs the proxy"),
            ("the proxy asks for a password (407)", "Give the proxy"),
        ] {
            assert!(advice(reason).starts_with(fix), "{reason}: {}", advice(reason));
        }
    }
}
