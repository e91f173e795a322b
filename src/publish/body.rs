//! The texts that are posted. Everything that a stranger or a model wrote goes through the sanitiser; what is added is ours.

use super::Desk;
use crate::findings::Finding;
use crate::findings::sanitize;
use crate::forge::{NewThread, Span};
use crate::history::{Kind, State, marker};
use crate::report::{self, Review, comment, markdown};

/// Characters of a reason that is repeated in a comment.
const MAX_REASON: usize = 200;

/// A thread about a finding, its marker included.
pub(super) fn thread(desk: &Desk<'_>, review: &Review, state: &State, finding: &Finding, span: &Span) -> NewThread {
    let head = review.change.head_sha.as_deref().unwrap_or_default();
    // Other files may hold the same code.
    let same = || state.findings.iter().filter(|r| r.fingerprint == finding.fingerprint);
    let record = same().find(|r| r.path == finding.path).or_else(|| same().next());
    let mark = record.map(|r| marker(Kind::Thread, &r.payload(), head, &desk.trust)).unwrap_or_default();
    let offered = (finding.side == crate::diff::Side::New).then(|| desk.forge.suggestion(span.lines.0, span.lines.1));
    let old = finding.old_path.as_ref().unwrap_or(&finding.path);
    NewThread {
        old_path: old.display().into_owned(),
        new_path: finding.path.display().into_owned(),
        span: Some(span.clone()),
        body: format!("{}\n{mark}", comment::comment(finding, offered.as_deref())),
        plain_body: format!("{}\n{mark}", comment::comment(finding, None)),
    }
}

/// What the first line of a thread whose finding is gone begins with.
const GONE: [&str; 2] = ["Fixed in ", "Withdrawn at "];

/// The acknowledgement of a finding that is gone: a sentence.
pub(super) fn gone(head: &str, withdrawn: bool, why: Option<&str>) -> String {
    let [fixed, taken_back] = GONE;
    let words = if withdrawn { taken_back } else { fixed };
    let why = why.map(|w| sanitize::inline(short(w).trim_end_matches(['.', ' ']))).filter(|w| !w.is_empty()).map(|w| format!(": {w}"));
    format!("{words}{}{}.", short_head(head), why.unwrap_or_default())
}

/// Our first comment, marked as gone.
pub(super) fn struck(words: &str, body: &str) -> String {
    format!("**{words}**\n\n{body}")
}

/// Whether our first comment is marked as gone: in a thread that the token could not resolve.
pub(super) fn is_struck(body: &str) -> bool {
    body.strip_prefix("**").is_some_and(says_gone)
}

/// Whether a comment of ours is such an acknowledgement.
pub(super) fn says_gone(body: &str) -> bool {
    GONE.iter().any(|words| body.starts_with(words))
}

/// Why changes are asked for.
pub(super) fn changes_wanted(review: &Review) -> String {
    format!("{}. The findings are in the threads and in the summary.", title(review))
}

/// The outcome in a line.
pub(super) fn title(review: &Review) -> String {
    report::title(review)
}

/// The summary of a check: the same as in the comment, cut to what a check takes.
pub(super) fn check_summary(review: &Review) -> String {
    markdown::summary(review, &report::Sources::default())
}

/// Title and text of a finding beside the code.
pub(super) fn annotation(finding: &Finding) -> (String, String) {
    let title = format!("{}: {}", finding.severity.label(), sanitize::terminal(&finding.title));
    (title, sanitize::terminal(&report::message(finding)))
}

/// As much of a commit's id as people need.
pub(super) fn short_head(head: &str) -> &str {
    head.get(..12).unwrap_or(head)
}

/// One line of a stranger's text, cut.
pub(super) fn short(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_REASON) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
