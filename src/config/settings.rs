//! Checked settings by key path, each with the place it came from, and how layers of them combine.

use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// A key's names from the top: `["limits", "usd"]`.
pub(crate) type KeyPath = Vec<String>;

/// The settings of one layer, or of several.
pub(crate) type Settings = BTreeMap<KeyPath, Setting>;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The default.
    BuiltIn,
    /// The organisation's remote configuration, at this line.
    Remote(u32),
    /// `.tribune.yaml` of the policy commit, at this line.
    Repository(u32),
    /// An operator's file, at this line.
    File(PathBuf, u32),
    /// An environment variable.
    Environment(&'static str),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::BuiltIn => f.write_str("built-in"),
            Origin::Remote(line) => write!(f, "remote:{line}"),
            Origin::Repository(line) => write!(f, "{}:{line}", super::REPOSITORY_FILE),
            Origin::File(path, line) => write!(f, "{}:{line}", path.display()),
            Origin::Environment(name) | Origin::Flag(name) => f.write_str(name),
        }
    }
}

/// A value that holds until a later layer sets another, or elements that add up over the layers.
#[derive(Clone)]
pub(crate) enum Setting {
    One(Json, Origin),
    Many(Vec<(Json, Origin)>),
}

/// Only where it came from: values of headers may be secrets.
impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {}", self.origin())
    }
}

impl Setting {
    /// The value without its origins.
    pub(crate) fn value(&self) -> Json {
        match self {
            Setting::One(value, _) => value.clone(),
            Setting::Many(items) => Json::Array(items.iter().map(|(value, _)| value.clone()).collect()),
        }
    }

    /// The origin that had the last word.
    pub(crate) fn origin(&self) -> &Origin {
        match self {
            Setting::One(_, origin) => origin,
            Setting::Many(items) => items.last().map_or(&Origin::BuiltIn, |(_, origin)| origin),
        }
    }
}

/// Lays `later` over `settings`.
pub(crate) fn overlay(settings: &mut Settings, later: Settings) {
    for (path, setting) in later {
        match (settings.get_mut(&path), setting) {
            (Some(Setting::Many(items)), Setting::Many(more)) => items.extend(more),
            (_, setting) => {
                settings.insert(path, setting);
            }
        }
    }
}

/// The settings as one JSON document.
pub(crate) fn document(settings: &Settings) -> Json {
    let mut root = serde_json::Map::new();
    for (path, setting) in settings {
        let Some((last, parents)) = path.split_last() else { continue };
        let mut at = &mut root;
        for name in parents {
            let next = at.entry(name).or_insert_with(|| Json::Object(serde_json::Map::new()));
            // A path is either a value or a parent of values, as the table of keys says.
            let Json::Object(next) = next else { unreachable!("a value has no keys of its own") };
            at = next;
        }
        at.insert(last.clone(), setting.value());
    }
    Json::Object(root)
}

/// A key path for people: `limits.usd`, `prices."gpt-4.1".input`, `overrides[0].paths`.
pub(crate) fn dotted(path: &[String]) -> String {
    let mut out = String::new();
    for name in path {
        let plain = !name.is_empty() && name.len() <= 60 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if name.starts_with('[') && name.ends_with(']') {
            out.push_str(name);
            continue;
        }
        if !out.is_empty() {
            out.push('.');
        }
        if plain {
            out.push_str(name);
        } else {
            out.push('"');
            out.extend(name.chars().take(60).flat_map(char::escape_debug));
            out.push('"');
        }
    }
    out
}
