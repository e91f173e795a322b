use super::*;
use crate::config::{Resolved, resolve};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::mpsc;
use tempfile::TempDir;

/// A server for one document: answers each request with the next of these, and tells what it was asked.
struct Server {
    url: String,
    asked: mpsc::Receiver<String>,
}

fn serve(answers: Vec<String>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/tribune.yaml?ref=main", listener.local_addr().expect("bound"));
    let (tell, asked) = mpsc::channel();
    std::thread::spawn(move || {
        for answer in answers {
            let Ok((mut socket, _)) = listener.accept() else { return };
            let mut request = [0; 4096];
            let n = socket.read(&mut request).unwrap_or(0);
            let _ = tell.send(String::from_utf8_lossy(&request[..n]).to_lowercase());
            let _ = socket.write_all(answer.as_bytes());
        }
    });
    Server { url, asked }
}

fn ok(etag: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\netag: {etag}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn status(line: &str) -> String {
    format!("HTTP/1.1 {line}\r\nconnection: close\r\ncontent-length: 0\r\nlocation: http://127.0.0.1:1/\r\n\r\n")
}

struct Machine {
    home: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Machine {
    fn new(url: &str) -> Self {
        Self {
            home: tempfile::tempdir().expect("a folder"),
            variables: vec![("TRIBUNE_CONFIG_URL", url.to_owned()), ("TRIBUNE_CONFIG_TOKEN", "conf-s3cret".to_owned())],
        }
    }

    fn env(&self, name: &str) -> Option<String> {
        if name == "XDG_CACHE_HOME" {
            return self.home.path().join(".cache").to_str().map(str::to_owned);
        }
        self.variables.iter().rev().find(|(n, _)| *n == name).map(|(_, v)| v.clone())
    }

    fn source(&self, ci: bool) -> Source {
        Source::find(&[], &|name| self.env(name), self.home.path(), ci).expect("valid").expect("set")
    }

    fn fetch(&self) -> Fetched {
        self.source(false).fetch()
    }

    fn copies(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.home.path().join(".cache/tribune")).map(|d| d.map(|e| e.expect("an entry").path()).collect()).unwrap_or_default()
    }
}

fn told(fetched: Fetched) -> String {
    let state = format!("{:?}", fetched.state);
    let notes = fetched.layer.notes.join(" ");
    match resolve(vec![fetched.layer], &|_| None) {
        Ok(Resolved { config, remote_missing, .. }) => format!("{state} language={} missing={remote_missing} {notes}", config.language),
        Err(error) => format!("{state} {error}"),
    }
}

/// Ports differ from run to run.
fn plain(text: String) -> String {
    let at = text.find("127.0.0.1:").map(|at| at + 10).unwrap_or(text.len());
    let digits = text[at..].chars().take_while(char::is_ascii_digit).count();
    format!("{}{}", &text[..at], &text[at + digits..])
}

#[test]
#[cfg_attr(windows, ignore = "compares the system's own words")]
fn the_last_good_copy_holds() {
    let server = serve(vec![
        ok("\"one\"", "language: German\n"),
        status("304 Not Modified"),
        status("503 Service Unavailable"),
        ok("\"two\"", "language: 7\nlimits: {usd: -1}\n"),
        status("302 Found"),
        ok("\"three\"", &format!("#{}", "x".repeat(MAX_CONFIG_BYTES))),
        ok("\"four\"", "language: French\n"),
    ]);
    let machine = Machine::new(&server.url);
    let table: Vec<String> = (0..8).map(|_| plain(told(machine.fetch()))).collect();
    insta::assert_snapshot!(table.join("\n"), @"
    Fresh language=German missing=false 
    Unchanged language=German missing=false 
    Held(\"it answered 503\") language=German missing=false The organisation's configuration at 127.0.0.1: could not be had (it answered 503): the last good copy holds.
    Held(\"it is not valid: line 1: `language`: `language` has to be a language's English name such as `German`, not `7`. Put it in quotes, if it is meant as text and 1 more problems\") language=German missing=false The organisation's configuration at 127.0.0.1: could not be had (it is not valid: line 1: `language`: `language` has to be a language's English name such as `German`, not `7`. Put it in quotes, if it is meant as text and 1 more problems): the last good copy holds.
    Held(\"it answered 302; redirects are not followed\") language=German missing=false The organisation's configuration at 127.0.0.1: could not be had (it answered 302; redirects are not followed): the last good copy holds.
    Held(\"the answer has more than the 262144 bytes that are read\") language=German missing=false The organisation's configuration at 127.0.0.1: could not be had (the answer has more than the 262144 bytes that are read): the last good copy holds.
    Fresh language=French missing=false 
    Held(\"it cannot be reached: Connection refused (os error 111)\") language=French missing=false The organisation's configuration at 127.0.0.1: could not be had (it cannot be reached: Connection refused (os error 111)): the last good copy holds.
    ");
    let asked: Vec<String> = server.asked.iter().take(7).collect();
    assert!(asked.iter().all(|r| r.contains("authorization: bearer conf-s3cret") && r.starts_with("get /tribune.yaml?ref=main ")));
    let conditions: Vec<bool> = asked.iter().map(|r| r.contains("if-none-match: \"one\"")).collect();
    assert_eq!(conditions, [false, true, true, true, true, true, true]);
}

#[test]
fn without_a_copy_the_rules_run_alone() {
    let server =
        serve(vec![status("304 Not Modified"), ok("", "endpoints: {evil: {url: 'https://evil.example'}}\n"), ok("", "rule_sources: [rules]\n")]);
    let machine = Machine::new(&server.url);
    let table: Vec<String> = (0..3).map(|_| plain(told(machine.fetch()))).collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    Missing("it answered 304 to a request without a condition") language=English missing=true The organisation's configuration at 127.0.0.1: could not be had (it answered 304 to a request without a condition), and there is no earlier copy: the rules ran alone, nothing is posted, and the run is inconclusive.
    Missing("it is not valid: line 1: `endpoints`: `endpoints` cannot be set by a remote configuration. It belongs in the operator's file or environment: a remote configuration chooses among what they name") language=English missing=true The organisation's configuration at 127.0.0.1: could not be had (it is not valid: line 1: `endpoints`: `endpoints` cannot be set by a remote configuration. It belongs in the operator's file or environment: a remote configuration chooses among what they name), and there is no earlier copy: the rules ran alone, nothing is posted, and the run is inconclusive.
    Missing("it is not valid: `rule_sources`: a directory has to be an absolute path here. Begin it with `/`") language=English missing=true The organisation's configuration at 127.0.0.1: could not be had (it is not valid: `rule_sources`: a directory has to be an absolute path here. Begin it with `/`), and there is no earlier copy: the rules ran alone, nothing is posted, and the run is inconclusive.
    "#);
    assert_eq!(machine.copies(), [] as [PathBuf; 0]);
}

#[test]
fn a_copy_is_its_owners_and_nobody_else_plants_one() {
    let german = || ok("\"one\"", "language: German\n");
    let down = || status("500 Internal Server Error");
    let held = |machine: &Machine, ci: bool| matches!(machine.source(ci).fetch().state, State::Held(_));
    let server = serve(vec![german(), down(), down(), down(), german(), down(), down()]);
    let mut machine = Machine::new(&server.url);
    assert_eq!(machine.fetch().state, State::Fresh);
    let copy = machine.copies().pop().expect("a copy");
    assert!(held(&machine, true), "its MAC tells, wherever it lies");
    let text = std::fs::read_to_string(&copy).expect("the copy");
    assert!(!text.contains("s3cret"));
    std::fs::write(&copy, text.replace("German", "French")).expect("written");
    assert!(!held(&machine, true));
    std::fs::write(&copy, &text).expect("written");
    machine.variables.push(("TRIBUNE_CONFIG_TOKEN", "another".to_owned()));
    assert!(!held(&machine, false), "another key");

    machine.variables.push(("TRIBUNE_CONFIG_TOKEN", String::new()));
    assert_eq!(machine.fetch().state, State::Fresh);
    assert!(!machine.source(true).keeps_copy(), "without a key none is believed in the tree of a change");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&copy), mode(copy.parent().expect("a folder"))), (0o600, 0o700));
        assert!(held(&machine, false));
        std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o644)).expect("changed");
        assert!(!held(&machine, false));
    }
}

#[test]
fn urls_and_tokens_that_cannot_be_used_are_told_without_their_text() {
    let found = |variables: Vec<(&'static str, &str)>| {
        let machine =
            Machine { home: tempfile::tempdir().expect("a folder"), variables: variables.into_iter().map(|(n, v)| (n, v.to_owned())).collect() };
        let found = Source::find(&[], &|name| machine.env(name), machine.home.path(), false);
        found.map_or_else(|e| format!("{e}"), |source| format!("{source:?}"))
    };
    let table = [
        found(vec![]),
        found(vec![("TRIBUNE_CONFIG_URL", "http://config.example/s3cret")]),
        found(vec![("TRIBUNE_CONFIG_URL", "https://s3cret@config.example/")]),
        found(vec![("TRIBUNE_CONFIG_URL", "https://config.example/a"), ("TRIBUNE_CONFIG_TOKEN", "s3cret s3cret")]),
    ];
    insta::assert_snapshot!(table.join("\n"), @"
    None
    TRIBUNE_CONFIG_URL cannot be used: the URL for config.example is plain http, which would send everything in the clear; that is for this machine only
    TRIBUNE_CONFIG_URL cannot be used: the URL for config.example holds a user or a password
    TRIBUNE_CONFIG_TOKEN cannot be used: it has blanks, line ends or characters that no HTTP header may hold
    ");
    let (layer, problems) = Layer::operator("remote: {url: 'https://config.example/t.yaml', token_env: TRIBUNE_ORG}\n", Path::new("/c.yaml"));
    assert_eq!(problems, []);
    let env = |name: &str| (name == "TRIBUNE_ORG").then(|| "s3cret-token".to_owned());
    let source = Source::find(&[layer], &env, Path::new("/"), false).expect("valid").expect("set");
    assert_eq!((source.host(), source.token()), ("config.example".to_owned(), ("TRIBUNE_ORG", true)));
    assert!(!format!("{source:?}").contains("s3cret"));
}
