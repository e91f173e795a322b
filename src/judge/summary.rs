//! The summary when no judge wrote one. It counts what stands; what was looked at is for the ledger to say.

use crate::findings::{Finding, FindingStatus, Severity};
use std::collections::BTreeSet;

/// One or two sentences about the findings, plain text; those that a human settled are none to look at. For none it says only that.
pub fn by_code(findings: &[Finding]) -> String {
    let findings: Vec<&Finding> = findings.iter().filter(|f| f.status != FindingStatus::Settled).collect();
    let Some(worst) = findings.iter().max_by_key(|f| (f.severity, std::cmp::Reverse((&f.path, f.anchor.lines().map(|l| l.start))))) else {
        return "Nothing to report.".to_owned();
    };
    let kinds = [
        (Severity::Critical, "critical finding"),
        (Severity::Important, "important finding"),
        (Severity::Suggestion, "suggestion"),
        (Severity::Nit, "nit"),
    ];
    let counts: Vec<String> = kinds
        .into_iter()
        .map(|(s, name)| (findings.iter().filter(|f| f.severity == s).count(), name))
        .filter(|(n, _)| *n > 0)
        .map(|(n, name)| count(n, name))
        .collect();
    let list = match counts.as_slice() {
        [init @ .., last] if !init.is_empty() => format!("{} and {last}", init.join(", ")),
        all => all.concat(),
    };
    let files = findings.iter().map(|f| &f.path).collect::<BTreeSet<_>>().len();
    let line = worst.anchor.lines().map(|l| format!(":{}", l.start)).unwrap_or_default();
    let first = if findings.len() == 1 { "" } else { " The first to look at:" };
    let title = worst.title.trim_end_matches('.');
    format!("{list} in {}.{first} {title} ({}{line}).", count(files, "file"), worst.path.display())
}

/// "1 file", "2 files".
pub(super) fn count(n: usize, name: &str) -> String {
    format!("{n} {name}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::super::testing::told;
    use super::*;
    use Severity::{Critical, Important, Nit, Suggestion};

    #[test]
    fn counts_what_stands() {
        let of = |severities: &[Severity]| {
            let list: Vec<Finding> = severities.iter().zip(1..).map(|(s, i)| told("q", *s, &format!("Title {i}"), "x", i, i)).collect();
            by_code(&list)
        };
        insta::assert_snapshot!(of(&[]), @"Nothing to report.");
        insta::assert_snapshot!(of(&[Nit]), @"1 nit in 1 file. Title 1 (a.rs:1).");
        insta::assert_snapshot!(of(&[Suggestion, Important, Important, Nit]), @"2 important findings, 1 suggestion and 1 nit in 1 file. The first to look at: Title 2 (a.rs:2).");
        insta::assert_snapshot!(of(&[Critical, Suggestion]), @"1 critical finding and 1 suggestion in 1 file. The first to look at: Title 1 (a.rs:1).");
    }
}
