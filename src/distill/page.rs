//! The page about a folder of drafts: what is there, what to settle, what was left out, what to do next.

use super::document::Document;
use super::draft::Draft;
use super::extract::{Extracted, Left};
use super::talk::Sum;
use crate::findings::sanitize::inline;
use crate::report::count;
use std::fmt::Write as _;

/// What was left out is told one by one up to so many, then counted.
const MAX_LEFT: usize = 200;

/// README.md of the drafts' folder.
pub(super) fn page(documents: &[Document], drafts: &[Draft], extracted: &Extracted, contradictions: &[String], sum: &Sum, past: &[Left]) -> String {
    let mut out = format!(
        "# Drafts of rules\n\n{} from {} in {}, made by models. None is in force: read each against its passage, \
         mend it, give it an id of your own, set its status, and move its file to your rules. `tribune rules test DIR` and `tribune rules check DIR` run on this folder.\n",
        count(drafts.len(), "draft"),
        count(extracted.requirements.len(), "requirement"),
        count(documents.len(), "document")
    );
    if !drafts.is_empty() {
        out.push_str("\n| draft | rule | level | detector | source |\n|---|---|---|---|---|\n");
    }
    for d in drafts {
        let detector = match (&d.detector, d.proven) {
            (None, _) => "none",
            (Some(_), true) => "passes its examples",
            (Some(_), false) => "**fails its examples**",
        };
        let level = if d.must { "must" } else { "should" };
        let cell = |text: &str| inline(text).replace('|', "\\|").replace("](", "] (");
        let _ = writeln!(out, "| [{}]({}.md) | {} | {level} | {detector} | {} |", d.id, d.id, cell(&d.title), cell(&d.source(documents)));
    }
    let mut list = |heading: &str, lines: &[String]| {
        if !lines.is_empty() {
            let _ = write!(out, "\n## {heading}\n\n");
            lines.iter().for_each(|l| out.push_str(&format!("- {}\n", inline(l).replace("](", "] ("))));
        }
    };
    list("To settle first", contradictions);
    let all = || extracted.left.iter().chain(past);
    let told = |left: &Left| {
        let name = documents.get(left.document).map_or("", |d| d.name.as_str());
        format!("{name} from line {}: {} ({})", left.line, left.text, left.why)
    };
    let mut left: Vec<String> = all().take(MAX_LEFT).map(told).collect();
    if all().count() > MAX_LEFT {
        left.push(format!("and {} more", all().count() - MAX_LEFT));
    }
    list("Left out", &left);
    list("What failed", &sum.failures);
    out
}
