//! What a reviewer is told of its earlier findings: a short list with ids, and what people answered, inside a fence.

use super::humans::Humans;
use super::past::Standing;
use super::whereabouts::Now;
use std::fmt::Write as _;

/// So many findings are listed; the rest persists.
const MAX_LISTED: usize = 30;

/// A reviewer's open findings, to be added to its own part; empty where there are none. `fence` puts a border around strangers'
/// text; inside, our lines begin at the margin and theirs are indented.
pub(crate) fn prior_part(findings: &[(&Standing<'_>, Now)], humans: &Humans, fence: &dyn Fn(&str) -> String) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let (mut list, mut answered) = (String::new(), false);
    for (s, now) in findings.iter().take(MAX_LISTED) {
        let severity = format!("{:?}", s.record.severity).to_lowercase();
        let line = now.anchor.lines().map(|l| format!(":{}", l.start)).unwrap_or_default();
        let _ = writeln!(list, "{} {severity} {}{line}: {}", s.id, now.path, s.record.title);
        let arguments = s.thread.filter(|_| s.unheard()).and_then(|t| humans.arguments.get(&t.thread.id));
        for argument in arguments.into_iter().flatten() {
            answered = true;
            let _ = writeln!(list, "  {} answers:", argument.by);
            for text in argument.text.split(['\n', '\r']).filter(|l| !l.trim().is_empty()) {
                let _ = writeln!(list, "    {text}");
            }
        }
    }
    let mut out = String::from(
        "\n## Told before and still open\nDo not report these again. For each that the change now fixes, say so in `prior` with its id, `fixed` and why; the others persist.",
    );
    if answered {
        out.push_str(" Where somebody answered and is wrong, say `persists` and why; where the answer holds, leave it out.");
    }
    if findings.len() > MAX_LISTED {
        let _ = write!(out, " {} more are not listed and persist.", findings.len() - MAX_LISTED);
    }
    out.push('\n');
    out.push_str(&fence(&list));
    out
}
