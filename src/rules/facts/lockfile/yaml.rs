//! Lock files in YAML or nearly so, as their tools print them. Read line by line: indentation is fixed, and a YAML
//! parser would only add ways to be slow.

use super::entry::{Entry, Source};

/// `pnpm-lock.yaml`, lockfileVersion 5 to 9.
pub(super) fn pnpm(text: &str) -> Option<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let (mut inside, mut resolution) = (false, false);
    for line in text.lines() {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        match indent {
            0 => inside = content == "packages:",
            2 if inside => {
                resolution = false;
                entries.push(pnpm_entry(unquote(content.trim_end_matches(':'))));
            }
            4 if inside => {
                let fields = content.strip_prefix("resolution:");
                resolution = fields.is_some();
                if let (Some(fields), Some(entry)) = (fields, entries.last_mut()) {
                    pnpm_resolution(entry, fields);
                }
            }
            _ if inside && resolution => {
                if let Some(entry) = entries.last_mut() {
                    pnpm_resolution(entry, content);
                }
            }
            _ => {}
        }
    }
    Some(entries)
}

/// Keys are `/name/1.0.0_peer` (5), `/name@1.0.0(peer@2)` (6), `name@1.0.0` (9), with `@scope/` before the name.
fn pnpm_entry(key: &str) -> Entry {
    let key = key.split('(').next().unwrap_or(key);
    let rooted = key.strip_prefix('/');
    let key = rooted.unwrap_or(key);
    let scope = if key.starts_with('@') { key.find('/').map_or(0, |at| at + 1) } else { 0 };
    let (name, version) = match key[scope..].find(['@', '/']).map(|at| scope + at) {
        Some(at) if key[at..].starts_with('@') => (&key[..at], &key[at + 1..]),
        Some(at) if rooted.is_some() => (&key[..at], key[at + 1..].split('_').next().unwrap_or_default()),
        _ => (key, ""),
    };
    let direct = version.contains("://") || version.starts_with("git") || version.starts_with("file:") || version.starts_with("link:");
    let source = match (direct, version.is_empty()) {
        (true, _) => direct_url(version),
        // github.com/user/repo/commit
        (false, true) => Source::git(name.rsplit_once('/').map_or(name, |(repository, _)| repository)),
        (false, false) => Source::Registry(Vec::new()),
    };
    Entry::new(name, version, source)
}

/// A place that stands where a version would: not a registry, whatever it looks like.
fn direct_url(place: &str) -> Source {
    match Source::of(place) {
        Source::Registry(_) => Source::url(place),
        other => other,
    }
}

/// `{integrity: sha512-…, tarball: https://…}`, or one such field.
fn pnpm_resolution(entry: &mut Entry, fields: &str) {
    for field in fields.trim().trim_start_matches('{').trim_end_matches('}').split(", ") {
        let Some((key, value)) = field.trim().split_once(": ") else { continue };
        let value = unquote(value.trim());
        match (key, &entry.source) {
            ("integrity", _) => entry.hash(value),
            ("tarball", Source::Registry(_)) => entry.source = Source::of(value),
            ("repo", _) => entry.source = Source::git(value),
            ("directory", _) => entry.source = Source::Local,
            _ => {}
        }
    }
}

/// `yarn.lock`, classic and berry.
pub(super) fn yarn(text: &str) -> Option<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut hashed = false;
    for line in text.lines() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if !line.starts_with(' ') {
            hashed = false;
            let header = unquote(line.trim_end().trim_end_matches(':'));
            let first = header.split(", ").next().unwrap_or(header).trim_matches('"');
            let (name, range) = split_at_sign(first);
            entries.push(Entry::new(name, "", yarn_source(range)));
            continue;
        }
        let (Some(field), Some(entry)) = (line.strip_prefix("  ").filter(|f| !f.starts_with(' ')), entries.last_mut()) else { continue };
        let Some((key, value)) = field.split_once(' ') else { continue };
        let value = unquote(value.trim());
        match key.trim_end_matches(':') {
            "version" => entry.version = super::entry::clean(value),
            "resolution" => entry.source = yarn_source(split_at_sign(value).1),
            "resolved" => {
                let place = value.split_once('#');
                if let Source::Registry(_) = entry.source {
                    entry.source = Source::of(value);
                }
                if let (Some((_, sha1)), Source::Registry(_)) = (place, &entry.source) {
                    entry.hash(sha1);
                }
            }
            "integrity" | "checksum" => {
                // The address's SHA-1 is the weaker word for the same.
                if !std::mem::replace(&mut hashed, true) {
                    entry.hashes.clear();
                }
                value.split_whitespace().for_each(|hash| entry.hash(hash));
            }
            _ => {}
        }
    }
    entries.retain(|e| e.name != "__metadata");
    Some(entries)
}

/// Where the part behind the `@` of a descriptor points: a range means a registry.
fn yarn_source(range: &str) -> Source {
    let places = ["http:", "https:", "git", "ssh:", "file:", "link:", "portal:", "workspace:", "bitbucket:"];
    if places.iter().any(|p| range.starts_with(p)) { direct_url(range) } else { Source::Registry(Vec::new()) }
}

/// `@scope/name@range` at the second `@`.
fn split_at_sign(descriptor: &str) -> (&str, &str) {
    match descriptor.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) => (&descriptor[..at], &descriptor[at + 1..]),
        None => (descriptor, ""),
    }
}

fn unquote(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote).map(|t: &str| t.strip_suffix(quote).unwrap_or(t));
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}
