//! One package of a lock file, in the terms that all kinds share.

use crate::path::is_invisible;
use std::cmp::Ordering;

/// Names, versions and places are cut after this many characters.
const MAX_CHARS: usize = 100;
/// Of one package's hashes this many are kept; the rest adds nothing.
const MAX_HASHES: usize = 1000;

/// A package at a version, as locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) source: Source,
    pub(super) hashes: Vec<String>,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A registry, on these hosts where the file tells.
    Registry(Vec<String>),
    /// Not a registry: `git` or `url`, with host and path.
    Direct { kind: &'static str, from: String },
    /// The project itself or a folder beside it.
    Local,
}

impl Entry {
    pub(super) fn new(name: &str, version: &str, source: Source) -> Self {
        Self { name: clean(name), version: clean(version), source, hashes: Vec::new() }
    }

    pub(super) fn hash(&mut self, hash: &str) {
        if !hash.is_empty() && self.hashes.len() < MAX_HASHES {
            self.hashes.push(hash.to_owned());
        }
    }
}

/// A stranger's text on one line, without characters that change what a reader sees, cut at 100 characters.
pub(super) fn clean(text: &str) -> String {
    let mut shown = text.trim().chars().filter(|c| !c.is_control() && !is_invisible(*c));
    let mut out: String = shown.by_ref().take(MAX_CHARS).collect();
    if shown.next().is_some() {
        out.pop();
        out.push('…');
    }
    out
}

impl Source {
    /// Reads a place as package managers write it: `registry+https://…`, `git+ssh://…`, `git@host:path`, `file:…`, a plain URL.
    /// A plain URL is taken for a registry's; nothing in it tells otherwise.
    pub(super) fn of(place: &str) -> Self {
        let place = place.trim();
        let is = |prefixes: &[&str]| prefixes.iter().any(|p| place.starts_with(p));
        if is(&["file:", "link:", "portal:", "workspace:", "./", "../", "/"]) {
            return Source::Local;
        }
        let repository = place.split(['#', '?']).next().unwrap_or(place).ends_with(".git");
        if repository || is(&["git+", "git:", "git@", "ssh:", "github:", "gitlab:", "bitbucket:"]) {
            return Source::git(place);
        }
        // What GitHub and others serve for a commit of a repository.
        if is(&["http"]) && (place.contains("/tar.gz/") || place.contains("/archive/")) {
            return Source::url(place);
        }
        Source::registry(place)
    }

    pub(super) fn registry(place: &str) -> Self {
        Source::Registry(host(place).into_iter().collect())
    }

    pub(super) fn git(place: &str) -> Self {
        Source::Direct { kind: "git", from: location(place) }
    }

    pub(super) fn url(place: &str) -> Self {
        Source::Direct { kind: "url", from: location(place) }
    }
}

/// The host (and port) of a URL, in lower case.
pub(super) fn host(place: &str) -> Option<String> {
    place.contains("://").then(|| location(place)).and_then(|l| l.split('/').next().map(str::to_ascii_lowercase)).filter(|h| !h.is_empty())
}

/// Host and path, without scheme, credentials, query and fragment.
fn location(place: &str) -> String {
    let bare = place.split_once("://").map_or(place, |(_, rest)| rest);
    let bare = bare.split(['?', '#']).next().unwrap_or(bare);
    let (authority, path) = bare.split_at(bare.find('/').unwrap_or(bare.len()));
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    clean(&format!("{authority}{}", path.trim_end_matches('/')))
}

/// What kind of hash it is, as far as its spelling tells; only hashes of one kind can be compared.
pub(super) fn algorithm(hash: &str) -> &str {
    match hash.find(['-', ':', '/', '=']) {
        Some(at) => &hash[..at],
        None if hash.len() == 64 => "hex64",
        None if hash.len() == 40 => "hex40",
        None => "",
    }
}

/// The leading numbers that promise compatibility: `3` of `3.1.4`, `0.8` of `0.8.5`.
pub(super) fn compatibility(version: &str) -> Option<String> {
    let number = |part: &str| {
        let digits = &part[..part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len())];
        (!digits.is_empty()).then(|| digits.trim_start_matches('0').to_owned()).map(|d| if d.is_empty() { "0".to_owned() } else { d })
    };
    let mut parts = version.trim_start_matches(['v', '=']).split('.');
    let first = number(parts.next()?)?;
    if first != "0" {
        return Some(first);
    }
    Some(parts.next().and_then(number).map_or(first, |second| format!("0.{second}")))
}

/// Orders versions by their numbers where they have some, else by their text.
pub(super) fn order(a: &str, b: &str) -> Ordering {
    let key = |v: &str| -> Vec<u64> {
        v.trim_start_matches(['v', '=']).split(|c: char| !c.is_ascii_digit()).map_while(|n| n.parse().ok()).take(4).collect()
    };
    key(a).cmp(&key(b)).then_with(|| a.cmp(b))
}
