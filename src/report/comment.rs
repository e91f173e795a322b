//! One finding as the comment on its line: read in ten seconds, by somebody who sees only the comment and the file.
//! The limits of words are kept here, whatever a model wrote: one bold line, one paragraph, the fix, one small line.

use super::plain::{cut_chars, cut_words, one_line, plain};
use super::{clean, uri, words};
use crate::findings::{Finding, aside};

/// Characters of the bold line, severity included.
const MAX_TITLE: usize = 80;
/// Words of the paragraph.
const MAX_WORDS: usize = 60;
/// Words of the fix, where it is not a suggestion.
const MAX_FIX: usize = 40;
/// What else was said of these lines: how many, and words of each.
const MAX_ASIDES: usize = 3;
const MAX_ALSO: usize = 40;

/// A finding as an inline comment in Markdown, ending with a line end. `suggestion` is the info string with which the forge
/// marks a suggestion block (`suggestion`, `suggestion:-2+0`); `None` leaves the block out, for a place where the forge
/// could not apply it.
pub fn comment(finding: &Finding, suggestion: Option<&str>) -> String {
    let (body, asides) = aside::texts(&finding.body);
    let (problem, fix) = paragraphs(body);
    let mut out = format!("**{}**\n\n", bold_line(finding));
    let mut paragraph = cut_words(&problem, MAX_WORDS);
    if let Some(trigger) = finding.trigger.as_deref().map(one_line).filter(|t| !t.is_empty()) {
        // The body tells the same in other words, so the trigger is what gives way.
        let with = format!("{paragraph} When: {}.", trigger.trim_end_matches('.'));
        if cut_words(&with, MAX_WORDS) == with.trim() {
            paragraph = with;
        }
    }
    put(&mut out, &clean::markdown(paragraph.trim()));
    for aside in asides.split("\n\n").filter(|a| !a.is_empty()).take(MAX_ASIDES) {
        put(&mut out, &clean::markdown(&cut_words(&one_line(aside), MAX_ALSO)));
    }
    match (suggestion, &finding.suggestion) {
        (Some(info), Some(code)) => put(&mut out, clean::code_fence(code, info).trim_end()),
        _ => put(&mut out, &clean::markdown(&cut_words(&fix, MAX_FIX))),
    }
    out.push_str(&format!("<sub>{}. {}</sub>\n", origin(finding), disagree(finding)));
    out
}

/// Severity and title, cut to [`MAX_TITLE`] before it is escaped: what a reader counts.
pub(super) fn bold_line(finding: &Finding) -> String {
    let severity = finding.severity.label();
    let title = cut_chars(one_line(&finding.title).trim_end_matches('.'), MAX_TITLE - severity.len() - 2);
    format!("{severity}: {}", clean::inline(&title))
}

/// Where the finding comes from, in Markdown: the rule linked to its text, its source and owner, and the reviewers.
pub(super) fn origin(finding: &Finding) -> String {
    let mut parts = Vec::new();
    if let Some(rule) = &finding.rule {
        let id = clean::code_span(&one_line(&rule.id));
        parts.push(match rule.url.as_deref().and_then(uri::link) {
            Some(url) => format!("[{id}]({url})"),
            None => id,
        });
        parts.extend(rule.source.as_deref().map(|s| clean::inline(&one_line(s))));
        parts.extend(rule.owner.as_deref().map(|o| format!("owner {}", clean::inline(&one_line(o)))));
    }
    parts.extend(words::reviewers(finding).map(|r| clean::inline(&r)));
    parts.extend(words::remarks(finding).into_iter().map(str::to_owned));
    parts.join(" · ")
}

fn disagree(finding: &Finding) -> &'static str {
    match finding.rule.as_ref().and_then(|r| r.owner.as_ref()) {
        Some(_) => "Disagree? Reply with the reason and \"won't fix\", or take the rule up with its owner.",
        None => "Disagree? Reply with the reason and \"won't fix\", or resolve this thread.",
    }
}

fn put(out: &mut String, text: &str) {
    if !text.is_empty() {
        out.push_str(text);
        out.push_str("\n\n");
    }
}

/// The problem (the first paragraph) and the fix (all others), each as one line of prose. Code blocks are left out: a comment
/// has room for one, the suggestion's.
fn paragraphs(body: &str) -> (String, String) {
    let mut prose = Vec::new();
    let mut fenced = false;
    for line in plain(body).lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
        } else if !fenced {
            prose.push(trimmed.strip_prefix("- ").or_else(|| trimmed.strip_prefix("* ")).unwrap_or(trimmed).to_owned());
        }
    }
    let text = prose.join("\n");
    let (problem, fix) = text.trim().split_once("\n\n").unwrap_or((text.trim(), ""));
    (one_line(problem), one_line(fix))
}

#[cfg(test)]
mod tests;
