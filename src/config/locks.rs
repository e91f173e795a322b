//! Locked keys: what the organisation's configuration locks, later layers can only tighten. What tightening is depends
//! on the key: a number only lower, `fail_on` and severities only stricter, a reviewer only switched on, lists of what
//! to protect only longer. Everything else can only be repeated.

use super::keys::Kind;
use super::settings::{KeyPath, Origin, Setting, Settings, dotted};
use super::table::ROOT;
use crate::error::UserError;
use serde_json::Value as Json;

/// A setting that was taken out, since it would loosen a locked key.
#[derive(Debug)]
pub(crate) struct Loosening {
    key: String,
    origin: Origin,
}

/// What can be locked: any key but those that only an operator's own machine has.
pub(crate) fn lockable(text: &str) -> Result<(), String> {
    let path = path_of(text);
    if matches!(path.first().map(String::as_str), Some("endpoints" | "remote" | "locked")) {
        return Err("it is the operator's own, or the list itself".to_owned());
    }
    kind_at(&path).map(|_| ()).ok_or_else(|| "there is no such key".to_owned())
}

/// Takes out of `later` what would loosen a key that `now` says is locked.
pub(crate) fn hold(now: &Settings, later: &mut Settings) -> Vec<Loosening> {
    let locked: Vec<KeyPath> = match now.get(["locked".to_owned()].as_slice()) {
        Some(Setting::Many(keys)) => keys.iter().filter_map(|(key, _)| key.as_str()).map(path_of).collect(),
        _ => Vec::new(),
    };
    let is_locked = |path: &[String]| locked.iter().any(|lock| path.starts_with(lock));
    let mut taken = Vec::new();
    later.retain(|path, setting| {
        let keep = !is_locked(path)
            || match &*setting {
                Setting::One(value, _) => tightens(path, now.get(path).map(Setting::value).as_ref(), value),
                Setting::Many(_) => growth_tightens(path),
            };
        if !keep {
            taken.push(Loosening { key: dotted(path), origin: setting.origin().clone() });
        } else if path.first().is_some_and(|name| name == "overrides")
            && let Setting::Many(entries) = setting
        {
            for (entry, origin) in entries {
                prune(entry, &mut Vec::new(), &mut |path, value| {
                    let keep = !is_locked(path)
                        || match value {
                            Json::Array(_) => growth_tightens(path),
                            value => tightens(path, now.get(path).map(Setting::value).as_ref(), value),
                        };
                    if !keep {
                        taken.push(Loosening { key: dotted(path), origin: origin.clone() });
                    }
                    keep
                });
            }
        }
        keep
    });
    taken
}

/// Removes the values of an override for which `keep` says no. What the entry is for (`paths`) stays.
fn prune(value: &mut Json, path: &mut KeyPath, keep: &mut dyn FnMut(&[String], &Json) -> bool) {
    let Json::Object(fields) = value else { return };
    fields.retain(|name, value| {
        path.push(name.clone());
        let kept = match value {
            _ if path.len() == 1 && name == "paths" => true,
            Json::Object(_) => {
                prune(value, path, keep);
                true
            }
            value => keep(path, value),
        };
        path.pop();
        kept
    });
}

impl Loosening {
    /// For the report: a repository's setting that does not count.
    pub(crate) fn note(&self) -> String {
        format!("`{}` ({}) does not count: the organisation has locked it, and it can only be tightened.", self.key, self.origin)
    }
}

/// The error where the operator's own layers would loosen what is locked.
pub(crate) fn refused(taken: &[Loosening]) -> UserError {
    let told: Vec<String> = taken.iter().map(|t| format!("`{}` from {}", t.key, t.origin)).collect();
    UserError::usage(
        "a locked setting cannot be loosened",
        format!("the organisation's configuration locks {}", told.join(", ")),
        "Take it out, or set it stricter; `tribune config show` tells which layer each value came from.",
    )
}

/// From least to most strict.
const GATE: &[&str] = &["never", "critical", "important", "suggestion", "nit"];
const SEVERITY: &[&str] = &["nit", "suggestion", "important", "critical"];
const STATUS: &[&str] = &["trial", "advisory", "enforced"];
const SWITCH: &[&str] = &["false", "true"];

fn tightens(path: &[String], now: Option<&Json>, new: &Json) -> bool {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let order = match names[..] {
        ["fail_on"] => GATE,
        ["rules", "severity", _] => SEVERITY,
        ["rules", "status", _] => STATUS,
        ["reviewers", _, "enabled"] => SWITCH,
        _ => {
            let number = matches!(kind_at(path), Some(Kind::Whole { .. } | Kind::Number { .. }));
            let lower = || Some(new.as_f64()? <= now?.as_f64()?);
            return now == Some(new) || (number && lower().unwrap_or(false));
        }
    };
    let place = |value: &Json| {
        let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        order.iter().position(|o| *o == word)
    };
    match (now.and_then(place), place(new)) {
        (Some(now), Some(new)) => new >= now,
        (None, Some(new)) => new + 1 == order.len(),
        _ => false,
    }
}

/// Whether a longer list protects more. The others (`rules.off`, `noise.paths`, `waivers`, `overrides`) excuse more.
fn growth_tightens(path: &[String]) -> bool {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(names[..], ["private_paths"] | ["tiers", "sensitive_paths"] | ["noise", "keep"] | ["rule_sources"] | ["endpoints_off"])
}

fn path_of(dotted: &str) -> KeyPath {
    dotted.split('.').map(str::to_owned).collect()
}

/// What the table of keys has at a path.
fn kind_at(path: &[String]) -> Option<&'static Kind> {
    path.iter().try_fold(&ROOT, |kind, name| match kind {
        Kind::Table(keys) => keys.iter().find(|key| key.name == name && key.usable()).map(|key| &key.kind),
        Kind::Map { names, of } => (names.test)(name).is_ok().then_some(*of),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
