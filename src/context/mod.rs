//! What the models are shown of a change: one text, the same for all reviewers of a bundle, byte for byte the same for
//! the same change. It never asks a model, never judges, and never shows more than its budget.
//!
//! [`Analysis`] reads the changed files once, [`bundles`] packs them, and [`shared`] writes the text of one bundle:
//! purpose, overview, diff, related code and rule hits inside a fence (they are strangers' text, see [`fence`]); after it
//! the rules that apply and the project's conventions, which come from the policy commit.

mod agents;
mod analysis;
mod bundle;
mod changes;
mod cluster;
mod fence;
mod grammar;
mod overview;
mod pack;
mod page;
mod parse;
mod related;
mod render;
mod repository;
mod sections;
mod symbols;
mod testing;
#[cfg(test)]
mod tests;
mod text;
mod widen;
mod words;

pub use analysis::{Analysis, FileView, affordable};
pub use bundle::{Bundle, Part, bundles};
pub use changes::{ChangeKind, SymbolChange, symbol_changes};
pub use fence::{Fenced, MARKS, clean, fence};
pub use grammar::Class;
pub use pack::{Packing, pack};
pub(crate) use related::{COMMON, declares, is_comment, same_family, word_at};
pub use repository::Repository;
pub use symbols::{Symbol, enclosing, symbols_of};
pub(crate) use testing::{is_noise, is_test_path, stem};

use crate::change::Change;
use crate::gateway::estimate_tokens;
use crate::path::RepoPath;
use page::Page;
use std::borrow::Cow;

/// Replaces secrets in a text and keeps its lines.
pub type Mask<'a> = &'a (dyn Fn(&str) -> Cow<'_, str> + Sync);
/// Whether a path's contents must not leave the machine.
pub type Private<'a> = &'a (dyn Fn(&RepoPath) -> bool + Sync);

/// The commits' messages are cut to so many bytes together.
const PURPOSE_BYTES: usize = 2_000;
/// AGENTS.md files are cut to so many bytes together (1,500 tokens).
const AGENTS_BYTES: usize = 6_000;

/// A hit of a rule, as evidence for reviewers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HitNote {
    /// Where.
    pub path: RepoPath,
    /// On which new line, 1-based.
    pub line: u32,
    /// The rule's id.
    pub rule_id: String,
    /// The rule's title, or the detector's more precise words.
    pub title: String,
}

/// What the shared text of a bundle is made from.
pub struct ContextInput<'a> {
    /// The change.
    pub change: &'a Change,
    /// Where files and policy are read from; the change itself, except in tests.
    pub repo: &'a dyn Repository,
    /// What was read of the changed files.
    pub analysis: &'a Analysis,
    /// Which part of the change.
    pub bundle: &'a Bundle,
    /// Changed files that this text does not show: those of other bundles, and filtered ones.
    pub other_files: &'a [RepoPath],
    /// Changed files (indices) that reviewers have seen before as they stand.
    pub outlined: &'a [usize],
    /// Hits of rules in the bundle's files.
    pub rule_hits: &'a [HitNote],
    /// Facts that were computed from filtered files, such as lock files; one line each.
    pub facts: &'a [String],
    /// The rules that apply, ready to be read; from policy, so it stands outside the fence.
    pub rules_index: &'a str,
    /// Paths that no model may see.
    pub private: Private<'a>,
    /// Masks secrets.
    pub mask: Mask<'a>,
    /// The state key, if there is one, for the fence.
    pub key: Option<&'a [u8]>,
    /// Tokens that everything but the diff itself may take; see [`default_budget`].
    pub budget_tokens: u64,
}

/// The shared text of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The text.
    pub text: String,
    /// Its tokens, estimated.
    pub tokens: u64,
    /// Files of which something was cut for a documented bound, with the reason: they end as partial.
    pub bounded: Vec<(RepoPath, String)>,
    /// How many invisible characters were left out.
    pub invisible: usize,
}

/// What the modules below share.
struct Material<'a> {
    change: &'a Change,
    repo: &'a dyn Repository,
    analysis: &'a Analysis,
    mask: Mask<'a>,
    private: Private<'a>,
}

/// The budget for everything but the diff where none is configured: 0.35 of the diff's tokens, at least 4,000.
pub fn default_budget(diff_tokens: u64) -> u64 {
    (diff_tokens.saturating_mul(35) / 100).max(4_000)
}

/// Writes the shared text of a bundle. Its tokens are at most the bundle's own plus the budget.
pub fn shared(input: &ContextInput<'_>) -> Shared {
    let budget = usize::try_from(input.budget_tokens.saturating_mul(4)).unwrap_or(usize::MAX / 2);
    let material = Material { change: input.change, repo: input.repo, analysis: input.analysis, mask: input.mask, private: input.private };
    let paths: Vec<&RepoPath> = input.bundle.parts.iter().filter_map(|p| input.change.files.get(p.file)).map(|f| f.path()).collect();

    // What is small and always worth it comes first, each with its share; what is left goes to the code around.
    let mut before = overview::purpose(&input.change.messages, input.mask, PURPOSE_BYTES.min(budget / 8));
    before.append(&agents::catalog(&paths, input.repo, input.mask, input.private));
    before.append(&overview::overview(input, budget / 8));
    let hits = hits(input, budget / 8);
    let rules = rules(input.rules_index, budget / 3);
    let agents = agents::agents(&paths, input.repo, input.mask, input.private, AGENTS_BYTES.min(budget * 3 / 8));
    let fixed = before.len() + hits.len() + rules.len() + agents.len() + 200;

    let mut inside = before;
    inside.heading(1, "Diff");
    let left = budget.saturating_sub(fixed);
    let diff = render::render(&material, input.bundle, left * 2 / 5);
    inside.append(&diff.page);
    let left = left.saturating_sub(diff.extra);
    inside.append(&related::related(&material, input.bundle, &diff.shown, left));
    inside.append(&hits);

    let fenced = fence("change", inside.as_str(), input.key);
    let text = format!("{}{}{}", fenced.text, rules, agents.as_str());
    Shared { tokens: estimate_tokens(&text), text, bounded: diff.bounded, invisible: inside.invisible() + fenced.invisible }
}

fn hits(input: &ContextInput<'_>, bytes: usize) -> Page {
    let mut page = Page::default();
    let mut list = |title: &str, entries: Vec<String>| {
        for (i, entry) in entries.iter().enumerate() {
            if i == 0 {
                page.heading(1, title);
            }
            if page.len() + entry.len() > bytes {
                page.note(&format!("{} more", entries.len() - i));
                break;
            }
            page.item(entry);
        }
    };
    list(
        "Rules that hit (reported already: do not repeat them)",
        input.rule_hits.iter().map(|h| format!("{}:{} {} {}", h.path, h.line, h.rule_id, h.title)).collect(),
    );
    list("Facts about filtered files", input.facts.iter().map(|f| (input.mask)(f).into_owned()).collect());
    page
}

/// The rules' index, cut at a line where it is longer than its share.
fn rules(index: &str, bytes: usize) -> String {
    let index = index.trim_end();
    if index.is_empty() {
        return String::new();
    }
    let mut out = "# Rules that apply (cite the id)\n".to_owned();
    let mut lines = index.lines();
    while let Some(line) = lines.next() {
        if out.len() + line.len() + 60 > bytes {
            out.push_str(&format!("[{} more lines of rules; codex_rule shows a rule by its id]\n", lines.count() + 1));
            break;
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}
