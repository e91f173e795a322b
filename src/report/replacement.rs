//! A suggestion as the few lines that it changes.

use super::Sources;
use super::plain::plain;
use crate::findings::Finding;

/// What a suggestion takes away and what it brings, without the lines that both share at either end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replacement {
    /// Lines that go; empty where the present code is not known, or the suggestion only adds.
    pub(super) old: Vec<String>,
    /// Lines that come; empty for a deletion.
    pub(super) new: Vec<String>,
}

/// `None` for a finding without a suggestion, and for one that changes nothing.
pub(super) fn replacement(finding: &Finding, sources: &Sources) -> Option<Replacement> {
    let suggestion = plain(finding.suggestion.as_deref()?);
    let mut new: Vec<String> = if suggestion.is_empty() { Vec::new() } else { suggestion.split('\n').map(str::to_owned).collect() };
    let mut old = current(finding, sources);
    while !old.is_empty() && old.last() == new.last() {
        old.pop();
        new.pop();
    }
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    old.drain(..same);
    new.drain(..same);
    (!old.is_empty() || !new.is_empty()).then_some(Replacement { old, new })
}

/// The lines that the finding stands on, from the file, else from its quote where that has as many lines.
fn current(finding: &Finding, sources: &Sources) -> Vec<String> {
    let Some(lines) = finding.anchor.lines() else {
        return Vec::new();
    };
    if let Some(text) = sources.get(&finding.path, finding.side)
        && lines.end <= text.line_count()
    {
        return (lines.start..=lines.end).filter_map(|n| text.line(n)).map(plain).collect();
    }
    let quoted: Vec<String> = plain(&finding.quote).lines().map(str::to_owned).collect();
    let span = usize::try_from(u64::from(lines.end) - u64::from(lines.start) + 1);
    if span == Ok(quoted.len()) { quoted } else { Vec::new() }
}
