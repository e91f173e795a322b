//! What a change of a lock file means: which packages came, went or moved, and whether what vouches
//! for them (registry, host, hash) got weaker.
//!
//! Lock files are filtered from review, yet are where a supply chain is attacked, so their facts stay.
//! Everything in them is a stranger's text: sizes are bounded, names lose control characters, URLs lose
//! credentials. Nothing here contacts a registry or tells whether a version is vulnerable, and nothing
//! here replaces the package manager's own check (`--locked`, `npm ci`).

mod entry;
mod json;
mod lines;
mod summary;
mod toml;
mod yaml;

use crate::path::RepoPath;
use entry::{Entry, Source, algorithm, order};
use std::collections::{BTreeMap, BTreeSet};

/// Larger files give no facts.
const MAX_BYTES: usize = 16 << 20;
/// Files with more packages give no facts.
const MAX_ENTRIES: usize = 100_000;

/// A kind of lock file.
struct Format {
    /// File names, compared as they are.
    names: &'static [&'static str],
    /// Text that shows an otherwise empty file to be of this kind.
    markers: &'static [&'static str],
    /// Reads the packages; `None` where the shape is unknown.
    parse: fn(&str) -> Option<Vec<Entry>>,
}

const FORMATS: &[Format] = &[
    Format { names: &["Cargo.lock"], markers: &["version = "], parse: toml::cargo },
    Format { names: &["package-lock.json", "npm-shrinkwrap.json"], markers: &["\"packages\""], parse: json::npm },
    Format { names: &["pnpm-lock.yaml"], markers: &["lockfileVersion:"], parse: yaml::pnpm },
    Format { names: &["yarn.lock"], markers: &["# yarn lockfile", "__metadata:"], parse: yaml::yarn },
    Format { names: &["poetry.lock", "uv.lock"], markers: &["version = ", "[metadata]"], parse: toml::python },
    Format { names: &["Pipfile.lock"], markers: &["\"_meta\""], parse: json::pipfile },
    Format { names: &["go.sum"], markers: &[], parse: lines::go_sum },
    Format { names: &["composer.lock"], markers: &["\"packages\""], parse: json::composer },
    Format { names: &["Gemfile.lock", "gems.locked"], markers: &["DEPENDENCIES", "PLATFORMS"], parse: lines::gemfile },
];

/// Whether the lock file itself came or went with the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockChange {
    /// It is new.
    Added,
    /// It was there and still is.
    Changed,
    /// It is gone.
    Removed,
}

/// A package at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version, as the file writes it.
    pub version: String,
}

/// A package that moved from one version to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionChange {
    /// Its name.
    pub name: String,
    /// The version before.
    pub old: String,
    /// The version after.
    pub new: String,
}

impl VersionChange {
    /// The leading parts of both versions that promise compatibility (`1` and `3`, `0.8` and `0.9`), where they
    /// differ; `None` where they agree or are no numbers. A step down counts too.
    pub fn major(&self) -> Option<(String, String)> {
        let (old, new) = (entry::compatibility(&self.old)?, entry::compatibility(&self.new)?);
        (old != new).then_some((old, new))
    }
}

/// A package that is now fetched from another host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostChange {
    /// The package.
    pub name: String,
    /// The host after the change, with its port where it has one.
    pub host: String,
}

/// A package that comes from a place that this lock file did not use before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSource {
    /// The package.
    pub name: String,
    /// `git`, `url`, `path`, or `host` for a registry on a host that no package came from before.
    pub kind: &'static str,
    /// Host and path, without scheme, credentials, query and fragment. Empty for `path`.
    pub from: String,
}

/// What a change does to a lock file. Lists are sorted by name; names and versions hold no control characters and are
/// at most 100 characters long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockFacts {
    /// What became of the file.
    pub change: LockChange,
    /// Packages, or further versions of a package, that were not there. For a new file: all.
    pub added: Vec<Package>,
    /// Packages or versions that are gone. For a removed file: all.
    pub removed: Vec<Package>,
    /// Packages at another version than before.
    pub changed: Vec<VersionChange>,
    /// Packages that came from one host and now come from another.
    pub host_changes: Vec<HostChange>,
    /// Packages that had a hash and now have none.
    pub lost_integrity: Vec<String>,
    /// Packages with another hash at the same version.
    pub rehashed: Vec<String>,
    /// Packages from git, a URL, a path or a host that were not their source before.
    pub new_sources: Vec<NewSource>,
}

impl LockFacts {
    /// The changes of version that break compatibility by semantic versioning.
    pub fn majors(&self) -> impl Iterator<Item = &VersionChange> {
        self.changed.iter().filter(|c| c.major().is_some())
    }

    /// One line for people and models, at most 600 characters: `12 packages changed, 1 major: openssl 1 -> 3,
    /// source host of left-pad changed, 1 integrity hash lost`.
    pub fn summary(&self) -> String {
        summary::line(self)
    }
}

/// Whether facts can be read off a file of this name.
pub fn is_lock_file(path: &RepoPath) -> bool {
    format_of(path).is_some()
}

/// The facts of a change from `old` to `new` (`None`: the file is not there on that side). `None` where the name is
/// no lock file's, the shape is unknown, or a side is over 16 MiB or 100,000 packages.
pub fn lock_facts(path: &RepoPath, old: Option<&str>, new: Option<&str>) -> Option<LockFacts> {
    let format = format_of(path)?;
    let change = match (old, new) {
        (None, None) => return None,
        (None, Some(_)) => LockChange::Added,
        (Some(_), Some(_)) => LockChange::Changed,
        (Some(_), None) => LockChange::Removed,
    };
    let read = |side: Option<&str>| side.map_or(Some(Vec::new()), |text| read(format, text));
    Some(compare(change, &read(old)?, &read(new)?))
}

fn format_of(path: &RepoPath) -> Option<&'static Format> {
    let name = path.file_name();
    FORMATS.iter().find(|f| f.names.contains(&name.as_ref()))
}

fn read(format: &Format, text: &str) -> Option<Vec<Entry>> {
    if text.len() > MAX_BYTES {
        return None;
    }
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    let entries = (format.parse)(text)?;
    let known = !entries.is_empty() || format.markers.iter().any(|m| text.contains(m));
    (known && entries.len() <= MAX_ENTRIES).then_some(entries)
}

/// What one side knows of a package, all its versions and copies together.
#[derive(Default)]
struct Known<'a> {
    /// Version to hashes, of the entries that are not the project's own.
    versions: BTreeMap<&'a str, BTreeSet<&'a str>>,
    hosts: BTreeSet<&'a str>,
    direct: BTreeSet<(&'static str, &'a str)>,
    local: bool,
    hashed: bool,
    /// A registry's package without a hash.
    bare: bool,
}

fn index(entries: &[Entry]) -> BTreeMap<&str, Known<'_>> {
    let mut all: BTreeMap<&str, Known<'_>> = BTreeMap::new();
    for e in entries {
        let known = all.entry(&e.name).or_default();
        match &e.source {
            Source::Local => {
                known.local = true;
                continue;
            }
            Source::Registry(hosts) => {
                known.hosts.extend(hosts.iter().map(String::as_str));
                known.bare |= e.hashes.is_empty();
            }
            Source::Direct { kind, from } => {
                known.direct.insert((kind, from));
            }
        }
        known.hashed |= !e.hashes.is_empty();
        known.versions.entry(&e.version).or_default().extend(e.hashes.iter().map(String::as_str));
    }
    all
}

fn compare(change: LockChange, old: &[Entry], new: &[Entry]) -> LockFacts {
    let (before, after) = (index(old), index(new));
    let hosts_before: BTreeSet<&str> = before.values().flat_map(|k| k.hosts.iter().copied()).collect();
    let nothing = Known::default();
    let mut facts = LockFacts {
        change,
        added: Vec::new(),
        removed: Vec::new(),
        changed: Vec::new(),
        host_changes: Vec::new(),
        lost_integrity: Vec::new(),
        rehashed: Vec::new(),
        new_sources: Vec::new(),
    };
    let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    for name in names {
        let (was, is) = (before.get(name).unwrap_or(&nothing), after.get(name).unwrap_or(&nothing));
        versions(&mut facts, name, was, is);
        sources(&mut facts, name, was, is, &hosts_before);
        if was.hashed && !was.bare && is.bare {
            facts.lost_integrity.push(name.to_owned());
        }
        let other = |(version, hashes): (&&str, &BTreeSet<&str>)| was.versions.get(version).is_some_and(|before| swapped(before, hashes));
        if is.versions.iter().any(other) {
            facts.rehashed.push(name.to_owned());
        }
    }
    facts
}

/// Pairs what went with what came, oldest with oldest; the rest was added or removed.
fn versions(facts: &mut LockFacts, name: &str, was: &Known<'_>, is: &Known<'_>) {
    let missing = |from: &Known<'_>, other: &Known<'_>| {
        let mut list: Vec<String> = from.versions.keys().filter(|v| !other.versions.contains_key(**v)).map(|v| (*v).to_owned()).collect();
        list.sort_by(|a, b| order(a, b));
        list
    };
    let (gone, come) = (missing(was, is), missing(is, was));
    let pairs = gone.len().min(come.len());
    let package = |version: &String| Package { name: name.to_owned(), version: version.clone() };
    facts.removed.extend(gone[pairs..].iter().map(package));
    facts.added.extend(come[pairs..].iter().map(package));
    facts.changed.extend(gone.into_iter().zip(come).map(|(old, new)| VersionChange { name: name.to_owned(), old, new }));
}

fn sources(facts: &mut LockFacts, name: &str, was: &Known<'_>, is: &Known<'_>, hosts_before: &BTreeSet<&str>) {
    let source = |kind, from: &str| NewSource { name: name.to_owned(), kind, from: from.to_owned() };
    for host in is.hosts.difference(&was.hosts) {
        if !was.hosts.is_empty() {
            facts.host_changes.push(HostChange { name: name.to_owned(), host: (*host).to_owned() });
        } else if !hosts_before.is_empty() && !hosts_before.contains(host) {
            facts.new_sources.push(source("host", host));
        }
    }
    facts.new_sources.extend(is.direct.difference(&was.direct).map(|(kind, from)| source(kind, from)));
    if is.local && !was.local && !was.versions.is_empty() {
        facts.new_sources.push(source("path", ""));
    }
}

/// Whether some hash of an algorithm went and another of the same one came. Further files of a release only add
/// hashes, and a lock for fewer platforms only drops some.
fn swapped(before: &BTreeSet<&str>, after: &BTreeSet<&str>) -> bool {
    let kinds =
        |hashes: &BTreeSet<&str>, other: &BTreeSet<&str>| -> BTreeSet<String> { hashes.difference(other).map(|h| algorithm(h).to_owned()).collect() };
    !kinds(before, after).is_disjoint(&kinds(after, before))
}

#[cfg(test)]
mod tests;
