//! Lock files in TOML, as their tools print them: one key a line, `[[package]]` before each package.
//! Read line by line, since their tools refuse or rewrite other layouts anyway.

use super::entry::{Entry, Source, host};
use std::collections::BTreeMap;

/// `Cargo.lock`, all versions; the checksums that version 1 holds apart are not read.
pub(super) fn cargo(text: &str) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    for block in packages(text) {
        let (Some(name), Some(version)) = (block.own("name"), block.own("version")) else { continue };
        // A package without a source is the workspace's own or lies in a folder beside it.
        let mut entry = Entry::new(name, version, block.own("source").map_or(Source::Local, Source::of));
        entry.hash(block.own("checksum").unwrap_or_default());
        entries.push(entry);
    }
    Some(entries)
}

/// `poetry.lock` and `uv.lock`.
pub(super) fn python(text: &str) -> Option<Vec<Entry>> {
    let apart = poetry_hashes(text);
    let mut entries = Vec::new();
    for block in packages(text) {
        let Some(name) = block.own("name") else { continue };
        let mut entry = Entry::new(name, block.own("version").unwrap_or_default(), python_source(&block));
        for hash in block.lines.iter().flat_map(|l| strings(l, "hash = \"")).chain(apart.get(name).into_iter().flatten().copied()) {
            entry.hash(hash);
        }
        entries.push(entry);
    }
    Some(entries)
}

fn python_source(block: &Block<'_>) -> Source {
    // uv: source = { registry = "https://…" }
    if let Some(inline) = block.lines.iter().find_map(|l| value(l, "source")).and_then(|v| v.strip_prefix('{')) {
        let field = |key| value(inline.trim_start(), key).and_then(quoted);
        return match (field("registry"), field("git"), field("url")) {
            // The files' own addresses decide what is fetched.
            (Some(place), _, _) => {
                let mut hosts: Vec<String> = block.lines.iter().flat_map(|l| strings(l, "url = \"")).filter_map(host).collect();
                hosts.extend(host(place));
                hosts.sort_unstable();
                hosts.dedup();
                Source::Registry(hosts)
            }
            (_, Some(place), _) => Source::git(place),
            (_, _, Some(place)) => Source::url(place),
            _ => Source::Local,
        };
    }
    // Poetry: a table [package.source] with type and url
    let place = block.inside("[package.source]", "url").unwrap_or_default();
    match block.inside("[package.source]", "type") {
        Some("git") => Source::git(place),
        Some("url") => Source::url(place),
        Some("file" | "directory") => Source::Local,
        Some(_) => Source::of(place),
        None => Source::Registry(Vec::new()),
    }
}

/// One `[[package]]` with its sub-tables.
struct Block<'a> {
    lines: Vec<&'a str>,
}

impl<'a> Block<'a> {
    /// A key of the package itself.
    fn own(&self, key: &str) -> Option<&'a str> {
        self.lines.iter().take_while(|l| !l.starts_with('[')).find_map(|l| value(l, key)).and_then(quoted)
    }

    /// A key of a sub-table.
    fn inside(&self, table: &str, key: &str) -> Option<&'a str> {
        let mut rest = self.lines.iter().skip_while(|l| **l != table).skip(1).take_while(|l| !l.starts_with('['));
        rest.find_map(|l| value(l, key)).and_then(quoted)
    }
}

fn packages(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    for line in text.lines().map(str::trim) {
        if line == "[[package]]" {
            blocks.push(Block { lines: Vec::new() });
            open = true;
        } else if line.starts_with('[') && !line.starts_with("[package.") && !line.starts_with("[[package.") && line.ends_with(']') && line.len() > 2
        {
            open = false;
        } else if open && let Some(block) = blocks.last_mut() {
            block.lines.push(line);
        }
    }
    blocks
}

/// Poetry before 1.4 lists hashes apart: `[metadata.files]`, then `name = [` and a line for each file.
fn poetry_hashes(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in text.lines().map(str::trim).skip_while(|l| *l != "[metadata.files]").skip(1).take_while(|l| !l.starts_with("[metadata")) {
        if let Some((key, _)) = line.split_once(" = [") {
            name = key.trim_matches('"');
        }
        all.entry(name).or_default().extend(strings(line, "hash = \""));
    }
    all
}

/// Every string of a line that stands behind `key` (given with its opening quote).
fn strings<'a>(line: &'a str, key: &'static str) -> impl Iterator<Item = &'a str> {
    line.split(key).skip(1).filter_map(|rest| rest.split('"').next())
}

/// What stands behind `key =`.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.trim_start().strip_prefix('=').map(str::trim_start)
}

/// The text of a string at the start of `value`.
fn quoted(value: &str) -> Option<&str> {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next()
}
