//! Payloads: a state or a record as bytes that fit into a comment, and back. What is read is a stranger's until its MAC says
//! otherwise: sizes, counts and nesting are bounded, and what does not fit the form is no state at all.
//!
//! A payload is deflated JSON of flat lists, one a field rather than one a finding, because that is what deflates best.

use super::gate::Gate;
use super::state::{Place, Record, State, Status};
use crate::diff::Side;
use crate::findings::words::{cut_bytes, one_line};
use crate::findings::{Category, FindingSource, Severity};
use crate::path::RepoPath;
use crate::report::Outcome;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// A summary's payload is at most so large, in bytes: in base64, with the marker around it, under 40 KB.
pub(super) const MAX_STATE: usize = 29_500;
/// The same of a thread: under 900 bytes.
const MAX_RECORD: usize = 570;
/// What a payload may unpack to.
const MAX_UNPACKED: usize = 2 << 20;
/// The same two of a state in a report, which no comment has to hold.
const MAX_TEXT: usize = 12 << 20;
const MAX_TEXT_UNPACKED: usize = 32 << 20;
/// Findings that a state may hold.
const MAX_FINDINGS: usize = 5_000;
/// Files that a state may hold.
const MAX_FILES: usize = 20_000;
/// Hex digits of a file's tag and of a piece of code.
const TAG_DIGITS: usize = 16;
const CODE_DIGITS: usize = 12;
/// How hard to deflate: it is done once a run, on some kilobytes.
const LEVEL: u8 = 9;

/// What lines of code are known by where they are not kept: white space does not count. Empty for no code.
pub fn code(lines: &str) -> String {
    let text = one_line(lines);
    if text.is_empty() { text } else { hex(&Sha256::digest(text), CODE_DIGITS) }
}

/// What a file's contents at a path, as some reviewers saw them, are known by. Keyed, because it is short: whoever could find
/// another file with the same tag could have that file pass as reviewed.
pub fn file_tag(key: &[u8], path: &RepoPath, blob: &str, reviewers: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    for part in [b"file", path.as_bytes(), blob.as_bytes(), reviewers.as_bytes()] {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    hex(&mac.finalize().into_bytes(), TAG_DIGITS)
}

pub(super) fn hex(bytes: &[u8], digits: usize) -> String {
    let mut out = String::with_capacity(digits);
    for byte in &bytes[..digits / 2] {
        write!(out, "{byte:02x}").expect("writing to a string does not fail");
    }
    out
}

/// How much of a finding's texts is kept.
#[derive(Clone, Copy)]
struct Detail {
    body: usize,
    title: usize,
    path: usize,
    /// Findings that are gone are kept too.
    gone: bool,
    files: bool,
}

/// From everything to what is needed to know a finding again.
const DETAILS: [Detail; 6] = [
    Detail { body: 2_400, title: 400, path: 4_096, gone: true, files: true },
    Detail { body: 200, title: 400, path: 4_096, gone: true, files: true },
    Detail { body: 0, title: 400, path: 4_096, gone: true, files: true },
    Detail { body: 0, title: 80, path: 1_024, gone: false, files: true },
    Detail { body: 0, title: 40, path: 300, gone: false, files: false },
    Detail { body: 0, title: 0, path: 0, gone: false, files: false },
];

impl State {
    /// The payload of a summary: as much detail as fits into its bound. Should even the least not fit, the worst findings are
    /// kept, in the given order.
    pub fn payload(&self) -> Vec<u8> {
        for detail in DETAILS {
            let packed = self.packed(detail, usize::MAX);
            if packed.len() <= MAX_STATE {
                return packed;
            }
        }
        let mut keep = self.findings.len();
        loop {
            keep = keep * 3 / 4;
            let packed = self.packed(DETAILS[DETAILS.len() - 1], keep);
            if packed.len() <= MAX_STATE || keep == 0 {
                return packed;
            }
        }
    }

    /// The whole of it as text, with its head, for a report. Nothing is cut but what no state can hold.
    pub fn to_text(&self) -> String {
        let all = Self { files: self.files.iter().take(MAX_FILES).cloned().collect(), ..self.clone() };
        format!("{}.{}", self.head, STANDARD_NO_PAD.encode(all.packed(DETAILS[0], MAX_FINDINGS)))
    }

    /// Reads [`State::to_text`]; `None` where it is not that.
    pub fn from_text(text: &str) -> Option<Self> {
        let (head, encoded) = text.split_once('.').filter(|(h, _)| h.len() <= 64 && h.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Self::unpack_within(&STANDARD_NO_PAD.decode(encoded).ok()?, head, (MAX_TEXT, MAX_TEXT_UNPACKED))
    }

    fn packed(&self, detail: Detail, keep: usize) -> Vec<u8> {
        let kept: Vec<&Record> = self.findings.iter().filter(|f| detail.gone || f.status != Status::Fixed).take(keep).collect();
        let wire = StateWire {
            head: (
                self.round,
                self.base.clone(),
                self.start.clone(),
                self.policy_sha.clone(),
                self.config_digest.clone(),
                outcome_letter(self.outcome),
                self.exit,
                self.complete,
                self.spent_usd,
                self.events.clone(),
            ),
            findings: Columns::of(&kept, detail),
            files: if detail.files { self.files.concat() } else { String::new() },
            gate: self.gate.map(|g| (g.worst.map(|s| letter(&SEVERITIES, s)), g.own, g.opened)),
        };
        deflate(&wire)
    }

    /// Reads a summary's payload; `None` where it is not one. `head` is the marker's.
    pub(super) fn unpack(payload: &[u8], head: &str) -> Option<Self> {
        Self::unpack_within(payload, head, (MAX_STATE * 2, MAX_UNPACKED))
    }

    /// The same, of at most so many bytes before and after it is unpacked.
    fn unpack_within(payload: &[u8], head: &str, most: (usize, usize)) -> Option<Self> {
        let wire: StateWire = inflate(payload, most)?;
        let (round, base, start, policy_sha, config_digest, outcome, exit, complete, spent_usd, events) = wire.head;
        let short = [&base, &start, &config_digest, &events].into_iter().chain(&policy_sha).all(|t| t.len() <= 128);
        let files = split(&wire.files, TAG_DIGITS)?;
        let gate = match wire.gate {
            Some((worst, own, opened)) => {
                Some(Gate { worst: worst.map(|letter| pick(&SEVERITIES, letter).ok_or(())).transpose().ok()?, own, opened })
            }
            None => None,
        };
        (short && files.len() <= MAX_FILES && spent_usd.is_none_or(|c| c.is_finite() && c >= 0.0)).then_some(())?;
        Some(Self {
            round,
            head: head.to_owned(),
            base,
            start,
            policy_sha,
            config_digest,
            outcome: letter_outcome(outcome)?,
            exit,
            complete,
            gate,
            spent_usd,
            events,
            findings: wire.findings.records(head)?,
            files,
        })
    }
}

impl Record {
    /// The payload of a thread: without the body, and cut until it fits into its bound.
    pub fn payload(&self) -> Vec<u8> {
        let mut detail = Detail { body: 0, title: 200, path: 300, gone: true, files: false };
        loop {
            let packed = deflate(&Columns::of(&[self], detail));
            if packed.len() <= MAX_RECORD || (detail.title, detail.path) == (0, 0) {
                return packed;
            }
            detail = Detail { title: detail.title * 2 / 3, path: if detail.title == 0 { 0 } else { detail.path }, ..detail };
        }
    }

    /// Reads a thread's payload; `None` where it is not one. `head` is the marker's.
    pub(super) fn unpack(payload: &[u8], head: &str) -> Option<Self> {
        let columns: Columns = inflate(payload, (MAX_RECORD * 4, MAX_UNPACKED))?;
        let mut records = columns.records(head)?;
        records.pop().filter(|_| records.is_empty())
    }
}

#[derive(Serialize, Deserialize)]
struct StateWire {
    #[serde(rename = "h")]
    #[expect(clippy::type_complexity, reason = "a flat list in JSON")]
    head: (u32, String, String, Option<String>, String, char, u8, bool, Option<f64>, String),
    #[serde(rename = "f")]
    findings: Columns,
    #[serde(rename = "r")]
    files: String,
    /// Worst severity's letter, then two flags; states of before have none.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    gate: Option<(Option<char>, bool, bool)>,
}

/// Findings by field.
#[derive(Serialize, Deserialize, Default)]
struct Columns(
    /// Fingerprints, one after the other.
    String,
    /// Severity, category, source, side, place, status, gate: a letter each.
    Vec<String>,
    /// Lines: start and length, both 0 where there are none.
    Vec<(u32, u32)>,
    /// Pieces of code; empty or of [`CODE_DIGITS`].
    Vec<String>,
    /// Rules; empty for none.
    Vec<String>,
    /// Reviewers, separated by commas.
    Vec<String>,
    /// Paths, and old ones where they differ.
    Vec<String>,
    Vec<String>,
    Vec<String>,
    /// Rounds, and replies heard.
    Vec<(u32, u32)>,
    /// Who settled it; empty for nobody.
    Vec<String>,
    /// Titles, then bodies.
    Vec<String>,
    Vec<String>,
);

/// Hex digits of a fingerprint.
const FINGERPRINT_DIGITS: usize = 32;

impl Columns {
    fn of(records: &[&Record], detail: Detail) -> Self {
        let mut out = Self::default();
        for r in records {
            let (start, end) = r.place.lines().unwrap_or((0, 0));
            out.0.push_str(&format!("{:0<32.32}", hex_only(&r.fingerprint)));
            out.1.push(letters(r));
            out.2.push((start, end.saturating_sub(start)));
            out.3.push(r.code.clone());
            out.4.push(cut_bytes(r.rule.as_deref().unwrap_or_default(), 80).to_owned());
            out.5.push(cut_bytes(&std::iter::once(&r.reviewer).chain(&r.also).map(String::as_str).collect::<Vec<_>>().join(","), 200).to_owned());
            out.6.push(path_text(&r.path, detail.path));
            out.7.push(r.old_path.as_ref().map(|p| path_text(p, detail.path)).unwrap_or_default());
            out.8.push(cut_bytes(&r.symbol, 120).to_owned());
            out.9.push((r.round, r.heard));
            out.10.push(cut_bytes(r.by.as_deref().unwrap_or_default(), 80).to_owned());
            let gone = r.status == Status::Fixed;
            out.11.push(cut_bytes(&r.title, detail.title).to_owned());
            out.12.push(cut_bytes(&r.body, if gone { 0 } else { detail.body }).to_owned());
        }
        out
    }

    fn records(self, head: &str) -> Option<Vec<Record>> {
        let fingerprints = split(&self.0, FINGERPRINT_DIGITS)?;
        let n = fingerprints.len();
        let texts = [&self.1, &self.3, &self.4, &self.5, &self.6, &self.7, &self.8, &self.10, &self.11, &self.12];
        (n <= MAX_FINDINGS && texts.iter().all(|c| c.len() == n) && self.2.len() == n && self.9.len() == n).then_some(())?;
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut out = Vec::with_capacity(n);
        for (i, fingerprint) in fingerprints.into_iter().enumerate() {
            let flags: Vec<char> = self.1[i].chars().collect();
            let [severity, category, source, side, place, status, gates] = flags[..] else { return None };
            let (start, length) = self.2[i];
            let end = start.checked_add(length)?;
            let mut who = self.5[i].split(',').map(str::to_owned);
            let code = &self.3[i];
            (code.is_empty() || (code.len() == CODE_DIGITS && *code == hex_only(code))).then_some(())?;
            out.push(Record {
                fingerprint,
                rule: filled(&self.4[i]),
                severity: pick(&SEVERITIES, severity)?,
                category: pick(&CATEGORIES, category)?,
                reviewer: who.next()?,
                also: who.collect(),
                source: pick(&SOURCES, source)?,
                title: self.11[i].clone(),
                body: self.12[i].clone(),
                path: text_path(&self.6[i])?,
                old_path: if self.7[i].is_empty() { None } else { Some(text_path(&self.7[i])?) },
                side: pick(&SIDES, side)?,
                place: match place {
                    'e' | 'm' if start > 0 => Place::Lines { start, end, moved: place == 'm' },
                    'f' => Place::File,
                    'n' => Place::Nowhere,
                    _ => return None,
                },
                code: code.clone(),
                symbol: self.8[i].clone(),
                status: pick(&STATUSES, status)?,
                by: filled(&self.10[i]),
                gates: pick(&[(true, 'g'), (false, '-')], gates)?,
                round: self.9[i].0,
                heard: self.9[i].1,
                head: head.to_owned(),
            });
        }
        Some(out)
    }
}

const SEVERITIES: [(Severity, char); 4] = [(Severity::Critical, 'c'), (Severity::Important, 'i'), (Severity::Suggestion, 's'), (Severity::Nit, 'n')];
const CATEGORIES: [(Category, char); 7] = [
    (Category::Security, 's'),
    (Category::Quality, 'q'),
    (Category::Codex, 'c'),
    (Category::Documentation, 'd'),
    (Category::Performance, 'p'),
    (Category::Release, 'r'),
    (Category::AgentsMd, 'a'),
];
const SOURCES: [(FindingSource, char); 2] = [(FindingSource::Rule, 'r'), (FindingSource::Model, 'm')];
const SIDES: [(Side, char); 2] = [(Side::Old, 'o'), (Side::New, 'n')];
const STATUSES: [(Status, char); 4] = [(Status::Open, 'o'), (Status::Fixed, 'f'), (Status::Settled, 's'), (Status::Withdrawn, 'w')];
const OUTCOMES: [(Outcome, char); 3] = [(Outcome::Pass, 'p'), (Outcome::Fail, 'f'), (Outcome::Inconclusive, 'i')];

fn pick<T: Copy>(table: &[(T, char)], letter: char) -> Option<T> {
    table.iter().find(|(_, l)| *l == letter).map(|(value, _)| *value)
}

fn letter<T: Copy + PartialEq>(table: &[(T, char)], value: T) -> char {
    table.iter().find(|(v, _)| *v == value).map_or('?', |(_, l)| *l)
}

fn outcome_letter(outcome: Outcome) -> char {
    letter(&OUTCOMES, outcome)
}

fn letter_outcome(letter: char) -> Option<Outcome> {
    pick(&OUTCOMES, letter)
}

fn letters(r: &Record) -> String {
    let place = match r.place {
        Place::Lines { moved: false, .. } => 'e',
        Place::Lines { moved: true, .. } => 'm',
        Place::File => 'f',
        Place::Nowhere => 'n',
    };
    [
        letter(&SEVERITIES, r.severity),
        letter(&CATEGORIES, r.category),
        letter(&SOURCES, r.source),
        letter(&SIDES, r.side),
        place,
        letter(&STATUSES, r.status),
        if r.gates { 'g' } else { '-' },
    ]
    .into_iter()
    .collect()
}

/// A path as text: what is not UTF-8 in hex behind a NUL, which no path has. One longer than `max` bytes is left out: such a
/// finding is known by its fingerprint alone.
fn path_text(path: &RepoPath, max: usize) -> String {
    match path.as_str() {
        Some(text) if text.len() <= max => text.to_owned(),
        None if path.as_bytes().len() * 2 < max => format!("\0{}", hex(path.as_bytes(), path.as_bytes().len() * 2)),
        _ => String::new(),
    }
}

fn text_path(text: &str) -> Option<RepoPath> {
    let Some(digits) = text.strip_prefix('\0') else { return (text.len() <= 4_096).then(|| RepoPath::from(text)) };
    let pairs = split(digits, 2)?;
    let bytes: Result<Vec<u8>, _> = pairs.iter().map(|p| u8::from_str_radix(p, 16)).collect();
    Some(RepoPath::new(bytes.ok()?))
}

fn hex_only(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '0'..='9' | 'a'..='f')).collect()
}

/// Pieces of `digits` hex digits each; `None` where it is not made of such.
fn split(text: &str, digits: usize) -> Option<Vec<String>> {
    let sound = text.len().is_multiple_of(digits) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    sound.then(|| text.as_bytes().chunks(digits).map(|c| String::from_utf8_lossy(c).into_owned()).collect())
}

fn deflate<T: Serialize>(value: &T) -> Vec<u8> {
    compress_to_vec(&serde_json::to_vec(value).expect("plain data becomes JSON"), LEVEL)
}

fn inflate<T: for<'de> Deserialize<'de>>(payload: &[u8], (packed, unpacked): (usize, usize)) -> Option<T> {
    if payload.len() > packed {
        return None;
    }
    let bytes = decompress_to_vec_with_limit(payload, unpacked).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests;
