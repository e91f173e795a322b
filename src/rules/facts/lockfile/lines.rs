//! Lock files of plain lines.

use super::entry::{Entry, Source};
use std::collections::BTreeMap;

/// `go.sum`. Only lines of modules that are built count, not those that vouch for a `go.mod` alone. The `/v2` of a
/// module's path is part of its version, so that a step from v1 to v2 shows as one.
pub(super) fn go_sum(text: &str) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        let mut fields = line.split_whitespace();
        let (module, version, hash) = (fields.next()?, fields.next()?, fields.next()?);
        if !version.starts_with('v') || !hash.contains(':') {
            return None;
        }
        if version.ends_with("/go.mod") {
            continue;
        }
        let name = match module.rsplit_once("/v") {
            Some((base, major)) if !major.is_empty() && major.bytes().all(|b| b.is_ascii_digit()) => base,
            _ => module,
        };
        let mut entry = Entry::new(name, version, Source::Registry(Vec::new()));
        entry.hash(hash);
        entries.push(entry);
    }
    Some(entries)
}

/// `Gemfile.lock` and `gems.locked`.
pub(super) fn gemfile(text: &str) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut hashes: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    let (mut section, mut source) = ("", Source::Registry(Vec::new()));
    for line in text.lines().map(str::trim_end).filter(|l| !l.is_empty()) {
        if !line.starts_with(' ') {
            section = line;
            continue;
        }
        let content = line.trim_start();
        let indent = line.len() - content.len();
        match (section, indent) {
            ("GEM" | "GIT" | "PATH" | "PLUGIN SOURCE", 2) => {
                if let Some(place) = content.strip_prefix("remote: ") {
                    source = match section {
                        "GIT" => Source::git(place),
                        "PATH" => Source::Local,
                        _ => Source::of(place),
                    };
                }
            }
            ("GEM" | "GIT" | "PATH" | "PLUGIN SOURCE", 4) => {
                if let Some((name, version)) = named(content) {
                    entries.push((name, version, source.clone()));
                }
            }
            ("CHECKSUMS", 2) => {
                if let (Some(key), Some((_, hash))) = (named(content), content.split_once(") ")) {
                    hashes.insert(key, hash);
                }
            }
            _ => {}
        }
    }
    let entry = |(name, version, source): (&str, &str, Source)| {
        let mut entry = Entry::new(name, version, source);
        entry.hash(hashes.get(&(name, version)).copied().unwrap_or_default());
        entry
    };
    Some(entries.into_iter().map(entry).collect())
}

/// `name (version)`.
fn named(content: &str) -> Option<(&str, &str)> {
    let (name, rest) = content.split_once(" (")?;
    Some((name, rest.split(')').next().unwrap_or(rest)))
}
