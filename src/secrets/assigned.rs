//! Secrets that their surroundings give away: a random value assigned to a name such as `password`, the
//! password in a URL, what follows `Bearer`.

use super::random::{is_placeholder, is_random};
use super::shapes::{Body, is_word};

/// Parts of names whose values are secrets, word by word. What matters is how a name ends: `token` but not `token_url`.
const NAMES: [&[&str]; 15] = [
    &["password"],
    &["passwd"],
    &["passphrase"],
    &["pwd"],
    &["secret"],
    &["token"],
    &["credential"],
    &["credentials"],
    &["api", "key"],
    &["access", "key"],
    &["auth", "key"],
    &["secret", "key"],
    &["private", "key"],
    &["signing", "key"],
    &["encryption", "key"],
];

/// Names that end like a secret's and are none.
const HARMLESS: [&str; 16] = [
    "public",
    "csrf",
    "xsrf",
    "page",
    "cursor",
    "continuation",
    "sync_token",
    "next_token",
    "nexttoken",
    "cache",
    "hash",
    "digest",
    "sha",
    "checksum",
    "etag",
    "commit",
];

/// What may follow the secret part of a name without changing what it is.
const TAILS: [&str; 16] =
    ["", "s", "_value", "_prod", "_production", "_staging", "_dev", "_ci", "_live", "_b64", "_base64", "_main", "_default", "_old", "_new", "_raw"];

/// Every way in which the names are written: `api_key`, `api-key`, `apikey`, `apiKey`, `ApiKey`, `API_KEY`, `APIKEY`.
pub(super) fn spellings() -> Vec<String> {
    let mut out = Vec::new();
    for words in NAMES {
        let capital = |w: &&str| w[..1].to_ascii_uppercase() + &w[1..];
        let pascal: String = words.iter().map(capital).collect();
        let camel = words[0].to_owned() + &words[1..].iter().map(capital).collect::<String>();
        out.extend([words.join("_"), words.join("-"), words.concat(), camel, pascal, words.join("_").to_uppercase(), words.concat().to_uppercase()]);
    }
    out.sort();
    out.dedup();
    out
}

/// The bytes of the value that is assigned to the name of which `text[from..to]` is a keyword, if it looks like a secret.
pub(super) fn assigned(text: &str, from: usize, to: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let in_name = |b: &u8| is_word(*b) || *b == b'-';
    let tail = bytes[to..].iter().take(24).take_while(|b| in_name(b)).count();
    let ending = text[to..to + tail].to_ascii_lowercase().replace('-', "_");
    if !TAILS.contains(&ending.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_')) {
        return None;
    }
    let head = bytes[..from].iter().rev().take(48).take_while(|b| in_name(b)).count();
    let name = text[from - head..to].to_ascii_lowercase();
    // A path: `/etc/passwd: 429b…` is a checksum of it.
    let in_path = text[..from - head].ends_with('/');
    if in_path || HARMLESS.iter().any(|h| name.contains(h)) {
        return None;
    }
    let as_flag = name.starts_with("--");
    let (at, least) = value_start(bytes, to + tail, as_flag)?;
    let end = at + value_length(bytes, at, least)?;
    is_random(&text[at..end], least.length()).then_some((at, end))
}

/// How a value is written.
#[derive(Clone, Copy)]
enum Written {
    /// Between two of these.
    Quoted(u8),
    /// Up to the next blank or bracket.
    Bare,
}

impl Written {
    /// The shortest value to believe in: a bare one can be a name.
    fn length(self) -> usize {
        match self {
            Written::Quoted(_) => 12,
            Written::Bare => 16,
        }
    }
}

fn blanks(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().take(16).take_while(|b| **b == b' ' || **b == b'\t').count()
}

fn is_quote(b: Option<&u8>) -> bool {
    matches!(b, Some(b'"' | b'\'' | b'`'))
}

/// Where the value begins that is assigned to a name which ends at `at`, by any of the usual notations.
fn value_start(bytes: &[u8], mut at: usize, as_flag: bool) -> Option<(usize, Written)> {
    if bytes.get(at) == Some(&b'\\') {
        at += 1; // JSON in a string: \"password\": \"…\"
    }
    let key_quoted = is_quote(bytes.get(at));
    at += usize::from(key_quoted);
    at += usize::from(bytes.get(at) == Some(&b']'));
    let gap = blanks(bytes, at);
    let rest = &bytes[at + gap..];
    let sign = match rest {
        [b':', b':', ..] => return None,
        [b':', b'=', ..] | [b'=', b'>', ..] | [b'=', b'=', ..] => 2,
        [b'=' | b':', ..] => 1,
        [b',', ..] if key_quoted => 1,
        [b'>', ..] if gap == 0 && !key_quoted => 1,
        _ if as_flag && gap > 0 => 0,
        _ => return None,
    };
    let colon = rest.first() == Some(&b':') && sign == 1;
    at += gap + sign;
    at += blanks(bytes, at);
    if colon {
        at = past_type(bytes, at);
    }
    quote_after_call(bytes, at).or(Some((at, Written::Bare)))
}

/// Skips a type between `:` and `=`, as in `token: &str = "…"`; `at` itself where there is none.
fn past_type(bytes: &[u8], at: usize) -> usize {
    let in_type = |b: &&u8| b.is_ascii_alphanumeric() || b"&'<>[]?|_. ".contains(b);
    let length = bytes[at..].iter().take(40).take_while(in_type).count();
    match bytes.get(at + length..at + length + 2) {
        Some([b'=', next]) if length > 0 && !b"=>".contains(next) => at + length + 1 + blanks(bytes, at + length + 1),
        _ => at,
    }
}

/// A quoted value, perhaps with a literal's prefix or inside a call: `b"…"`, `Some("…")`, `String::from("…")`.
fn quote_after_call(bytes: &[u8], at: usize) -> Option<(usize, Written)> {
    let word = bytes[at..].iter().take(40).take_while(|b| is_word(**b) || b":.@".contains(b)).count();
    let open = usize::from(bytes.get(at + word) == Some(&b'('));
    let mut quote = at + word + open;
    if word > 2 && open == 0 {
        return None;
    }
    quote += usize::from(bytes.get(quote) == Some(&b'\\'));
    let mark = *bytes.get(quote).filter(|b| is_quote(Some(b)))?;
    let triple = bytes.get(quote + 1) == Some(&mark) && bytes.get(quote + 2) == Some(&mark);
    Some((quote + if triple { 3 } else { 1 }, Written::Quoted(mark)))
}

/// How long the value is that begins at `at`; `None` where it is too long or goes on as code does.
fn value_length(bytes: &[u8], at: usize, written: Written) -> Option<usize> {
    let rest = &bytes[at..bytes.len().min(at + 513)];
    match written {
        Written::Quoted(mark) => {
            let end = rest.iter().position(|b| *b == mark || *b == b'\n')?;
            Some(end - usize::from(end > 0 && matches!(rest[end - 1], b'\\' | b'\r')))
        }
        Written::Bare => {
            let end = rest.iter().position(|b| !(b.is_ascii_alphanumeric() || b"+/=_-.~!@#%^*".contains(b))).unwrap_or(rest.len());
            rest.get(end).is_none_or(|b| b.is_ascii_whitespace() || b";,\"'`&)]}<\\|".contains(b)).then_some(end)
        }
    }
}

/// The password of `scheme://user:password@host`, where `at` is behind the `://`, and whether it looks made by
/// a machine. Without that it is masked all the same, but nobody is told.
pub(super) fn url_password(text: &str, at: usize) -> Option<(usize, usize, bool)> {
    let rest = &text.as_bytes()[at..text.len().min(at + 300)];
    let end = rest.iter().position(|b| !b.is_ascii_graphic() || b"/?#@\"'`<>\\".contains(b)).filter(|i| rest[*i] == b'@')?;
    let colon = rest[..end].iter().position(|b| *b == b':')?;
    let (user, password) = (&text[at..at + colon], &text[at + colon + 1..at + end]);
    let usual = [
        "pass", "password", "passwd", "passw0rd", "pwd", "secret", "token", "root", "admin", "postgres", "mysql", "guest", "test", "foo", "bar",
        "user", "pw",
    ];
    if password.len() < 4 || password == user || usual.contains(&password.to_ascii_lowercase().as_str()) || is_placeholder(password) {
        return None;
    }
    Some((at + colon + 1, at + end, is_random(password, 12)))
}

/// The credential that follows `Bearer ` or `Basic `, where `at` is behind the blank.
pub(super) fn header_value(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = &text.as_bytes()[at..text.len().min(at + 513)];
    let length = rest.iter().take_while(|b| Body::Dotted.has(**b) || Body::Base64.has(**b) || **b == b'~').count();
    let value = &text[at..at + length];
    // `user:p…`, `username:…` and RFC 7617's `Aladdin`, as every manual has them.
    let sample = ["dXNlcjpw", "dXNlcm5hbWU6", "QWxhZGRpbj"].iter().any(|s| value.starts_with(s));
    (!sample && is_random(value, 16)).then_some((at, at + length))
}
