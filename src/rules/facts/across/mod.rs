//! Facts across files: what no pattern in one file can see, because it is about what the change took away or what the rest
//! of the tree still says. Each is a rule of its own (`detect: { fact: NAME }`), told on a line of the change.
//!
//! They read git objects and symbols only; nothing is run. A fact that is not sure is not told: where another declaration of
//! a name is left, where a name is common, where a document speaks of the past.

mod commands;
mod docs;
mod removed;
mod signatures;
mod tests_gone;
mod variables;
mod versions;
mod view;

use crate::change::Change;
use crate::context::Analysis;
use crate::diff::Side;
use crate::rules::RuleSet;
use crate::rules::front::Fact;
use view::View;

/// Hits of one rule in a change; of more the first are told.
const MAX_HITS: usize = 20;
/// Places that a message names.
const NAMED: usize = 3;

/// A fact that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactHit {
    /// The rule's id.
    pub rule_id: String,
    /// The file, by its index in `Change::files`.
    pub file: usize,
    /// Which side the lines are on: what was removed stands on the old one.
    pub side: Side,
    /// First and last line, both changed by the change.
    pub lines: (u32, u32),
    /// What is wrong, on one line.
    pub message: String,
    /// Where it shows, one line: for the body.
    pub places: String,
}

/// A hit before its rule is known.
struct Found {
    file: usize,
    side: Side,
    lines: (u32, u32),
    message: String,
    places: Vec<String>,
}

/// The facts of a change that a rule of `set` asks for, by file and line. `analysis` is what was read of its files; `skip` tells
/// those (by index) that are noise.
/// Nothing is found in a bare patch: the rest of the tree is not known.
pub fn facts(set: &RuleSet, change: &Change, analysis: &Analysis, skip: &dyn Fn(usize) -> bool) -> Vec<FactHit> {
    let wanted: Vec<(&str, Fact)> = set.facts().collect();
    if wanted.is_empty() || change.files.is_empty() {
        return Vec::new();
    }
    let Some(view) = View::new(change, analysis, skip) else { return Vec::new() };
    let mut hits = Vec::new();
    for (id, fact) in wanted {
        let mut found = match fact {
            Fact::RemovedInUse => removed::in_use(&view),
            Fact::RemovedInDocs => docs::symbols(&view),
            Fact::SignatureInUse => signatures::in_use(&view),
            Fact::CommandGone => commands::gone(&view),
            Fact::PathGone => docs::paths(&view),
            Fact::MajorVersion => versions::majors(&view),
            Fact::UndocumentedVariable => variables::undocumented(&view),
            Fact::TestGone => tests_gone::tests_gone(&view),
        };
        found.retain(|f| set.applies(id, change.files[f.file].path(), crate::lang::Lang::of(change.files[f.file].path())));
        found.sort_by(|a, b| (a.file, a.side, a.lines, &a.message).cmp(&(b.file, b.side, b.lines, &b.message)));
        found.truncate(MAX_HITS);
        hits.extend(found.into_iter().map(|f| FactHit {
            rule_id: id.to_owned(),
            file: f.file,
            side: f.side,
            lines: f.lines,
            message: f.message,
            places: list(&f.places),
        }));
    }
    hits.sort_by(|a, b| (a.file, a.lines, &a.rule_id).cmp(&(b.file, b.lines, &b.rule_id)));
    hits
}

/// `a, b, c and 4 more`.
fn list(places: &[String]) -> String {
    let shown = places.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if places.len() > NAMED { format!("{shown} and {} more", places.len() - NAMED) } else { shown }
}
