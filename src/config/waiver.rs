//! Entries of `waivers`: findings of a rule that are accepted in some files until a day.

use super::resolve::impossible;
use super::settings::{Setting, Settings};
use super::{Case, Origin, PathSet};
use crate::date::Date;
use crate::error::UserError;
use serde::Deserialize;

/// One entry, checked.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// The rule's id. Whether there is such a rule is not known here.
    pub rule: String,
    /// The files.
    pub paths: PathSet,
    /// The last day on which it counts.
    pub until: Date,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub origin: Origin,
}

#[derive(Deserialize)]
struct Raw {
    rule: String,
    paths: Vec<String>,
    until: String,
    reason: String,
}

/// The entries of all layers, in their order.
pub(super) fn waivers(settings: &Settings) -> Result<Vec<Waiver>, UserError> {
    let Some(Setting::Many(entries)) = settings.get(["waivers".to_owned()].as_slice()) else { return Ok(Vec::new()) };
    let read = |(value, origin): &(serde_json::Value, Origin)| {
        let raw: Raw = serde_json::from_value(value.clone()).map_err(|e| e.to_string())?;
        Ok(Waiver {
            rule: raw.rule,
            paths: PathSet::new(&raw.paths, Case::Sensitive)?,
            until: Date::parse(&raw.until).ok_or("`until` is no day")?,
            reason: raw.reason,
            origin: origin.clone(),
        })
    };
    entries.iter().map(|entry| read(entry).map_err(|why: String| impossible(&format!("`waivers`: {why}")))).collect()
}
