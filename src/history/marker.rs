//! `<!-- tribune:v1 KIND HEAD.PAYLOAD MAC -->`, the last line of a comment of ours: how it is written, and whom to believe one.
//!
//! The MAC covers the version, host, project, number, kind, head and payload, so that a marker is worth nothing on another
//! merge request, on another kind of comment, or with another head. A payload is base64, so it cannot end the comment.

use crate::forge::Target;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What all versions begin with.
pub(super) const OPENING: &str = "<!-- tribune:";
const VERSION: &str = "v1";
const CLOSING: &str = " -->";
/// Stands where a MAC would, without a key.
const UNSIGNED: &str = "unsigned";
/// A longer line is no marker of ours, in bytes.
const MAX_LINE: usize = 64 << 10;
/// Bytes of a MAC that are written: 128 bits.
const MAC_BYTES: usize = 16;

/// Whose markers are believed.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// The state key, where there is one.
    pub key: Option<&'a [u8]>,
    /// Our author ids, former ones too.
    pub ours: &'a [u64],
    /// The merge request that this is.
    pub target: &'a Target,
}

/// What a comment of ours is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The summary: 1 is the main one, which holds the state; continuations count on from 2.
    Summary(u32),
    /// The first comment of a thread.
    Thread,
    /// What a job that nobody trusts has told, in a comment of its own.
    Unverified,
}

impl Kind {
    fn name(self) -> String {
        match self {
            Kind::Summary(1) => "summary".to_owned(),
            Kind::Summary(n) => format!("summary{n}"),
            Kind::Thread => "thread".to_owned(),
            Kind::Unverified => "unverified".to_owned(),
        }
    }

    fn of(name: &str) -> Option<Self> {
        match name {
            "thread" => Some(Kind::Thread),
            "unverified" => Some(Kind::Unverified),
            "summary" => Some(Kind::Summary(1)),
            _ => {
                let number: u32 = name.strip_prefix("summary")?.parse().ok()?;
                Some(Kind::Summary(number)).filter(|k| number > 1 && k.name() == name)
            }
        }
    }
}

/// The line that makes a comment ours: the last one of its body, after a line end. `payload` is what [`super::State::payload`] or
/// [`super::Record::payload`] gives; continuations have an empty one.
pub fn marker(kind: Kind, payload: &[u8], head: &str, trust: &Trust<'_>) -> String {
    let payload = STANDARD_NO_PAD.encode(payload);
    // A head is hexadecimal; whatever else somebody gave must not break out of the comment.
    let head: String = head.chars().filter(char::is_ascii_hexdigit).collect();
    let mac = match trust.key {
        Some(key) => STANDARD_NO_PAD.encode(&mac(key, trust.target, &kind.name(), &head, &payload).finalize().into_bytes()[..MAC_BYTES]),
        None => UNSIGNED.to_owned(),
    };
    format!("{OPENING}{VERSION} {} {head}.{payload} {mac}{CLOSING}", kind.name())
}

fn mac(key: &[u8], target: &Target, kind: &str, head: &str, payload: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    let number = target.number.to_string();
    for part in ["tribune", VERSION, &target.host, &target.project, &number, kind, head, payload] {
        // Lengths first, so that no two lists of parts run together to the same bytes.
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part.as_bytes());
    }
    mac
}

/// A marker that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) kind: Kind,
    pub(super) head: String,
    pub(super) payload: Vec<u8>,
    /// The MAC fits our key.
    pub(super) signed: bool,
}

/// What the last line of a body says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// No marker.
    None,
    /// One of another version.
    Unknown,
    /// One that is broken, or whose MAC is wrong: made by somebody else, for another merge request, or with another key.
    Forged,
    /// One that fits, or that cannot be checked.
    Marker(Marker),
}

/// Looks at a body's last line.
pub(super) fn find(body: &str, trust: &Trust<'_>) -> Found {
    let Some(line) = body.trim_end().rsplit('\n').next().map(str::trim).filter(|l| l.len() <= MAX_LINE) else { return Found::None };
    let Some(rest) = line.strip_prefix(OPENING) else { return Found::None };
    let Some(inner) = rest.strip_suffix(CLOSING) else { return Found::Forged };
    let mut parts = inner.split(' ');
    if parts.next() != Some(VERSION) {
        return Found::Unknown;
    }
    let (Some(name), Some(rest), Some(given), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else { return Found::Forged };
    let Some((kind, (head, encoded))) = Kind::of(name).zip(rest.split_once('.')) else { return Found::Forged };
    let Ok(payload) = STANDARD_NO_PAD.decode(encoded) else { return Found::Forged };
    if head.len() > 64 || !head.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Found::Forged;
    }
    let signed = match trust.key.filter(|_| given != UNSIGNED) {
        None => false,
        Some(key) => {
            let given = STANDARD_NO_PAD.decode(given).unwrap_or_default();
            if given.len() != MAC_BYTES || mac(key, trust.target, name, head, encoded).verify_truncated_left(&given).is_err() {
                return Found::Forged;
            }
            true
        }
    };
    Found::Marker(Marker { kind, head: head.to_owned(), payload, signed })
}
