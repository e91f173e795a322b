//! Who may change whose rules: a repository may tighten a `must` rule of the organisation or of tribune,
//! never relax it. Which of a rule's texts is weaker nobody can tell, so it may not change those either.

use super::front::Detect;
use super::problem::Problem;
use super::set::{Entry, Origin};
use super::{Rule, RuleLevel};

/// Whether the rule is out of a repository's reach.
fn binds_repositories(entry: &Entry) -> bool {
    entry.loaded.origin != Origin::Repository && entry.rule.level == RuleLevel::Must
}

/// Whether a rule of `origin` may stand in for `old`, which has the same id.
pub(super) fn may_replace(old: &Entry, new: &Rule, detect: Option<&Detect>, origin: Origin) -> Result<(), Problem> {
    if origin != Origin::Repository || !binds_repositories(old) {
        return Ok(());
    }
    let was = &old.rule;
    let changed: Vec<&str> = [
        ("level", new.level != was.level),
        ("status (lowered)", new.status < was.status),
        ("severity (lowered)", new.severity < was.severity),
        ("title", new.title != was.title),
        ("category", new.category != was.category),
        ("languages", new.languages != was.languages),
        ("paths", new.paths != was.paths),
        ("source", new.source != was.source || new.url != was.url || new.owner != was.owner),
        ("detect", value(detect) != value(old.loaded.file.detect.as_ref())),
        ("text", new.body != was.body),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect();
    if changed.is_empty() {
        return Ok(());
    }
    let title = format!("`{}` is a `must` rule of {}: {} cannot be changed here", was.id, old.loaded.origin.of(), changed.join(", "));
    Err(Problem::line(0, title, "a repository can raise its `status` and `severity`; for more give your rule an id of its own"))
}

/// For comparison: maps in it have no order.
fn value(detect: Option<&Detect>) -> Option<serde_json::Value> {
    detect.and_then(|d| serde_json::to_value(d).ok())
}
