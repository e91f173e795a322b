//! Merges the same defect told several times, before any model judges. Rules' hits are never lost or merged with each other.

use super::{absorb, enforced, is_hit, overlap, same_file};
use crate::findings::fingerprint::same_defect;
use crate::findings::{Anchor, Finding};
use crate::path::RepoPath;
use std::cmp::Reverse;
use std::collections::HashMap;

/// By so many lines a model's span may be longer than a rule's hit to still be about the same thing.
const WIDER: u32 = 4;
/// A body that is longer, in bytes, takes up no further titles.
const MAX_BODY: usize = 1_000;

/// Merges findings, in an order that does not depend on the given one but among equals: hits first, then by severity. What
/// merges keeps the rule's id and the higher severity; `also` lists who else told it, and a title in other words is kept in the body.
pub fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut todo = findings;
    todo.sort_by_key(|f| (!is_hit(f), Reverse(f.severity)));
    let mut kept: Vec<Finding> = Vec::with_capacity(todo.len());
    let mut by_file: HashMap<RepoPath, Vec<usize>> = HashMap::new();
    for finding in todo {
        let names = [Some(&finding.path), finding.old_path.as_ref()].map(|p| p.cloned());
        let known = names.iter().flatten().filter_map(|p| by_file.get(p)).flatten().copied();
        let candidates: Vec<usize> = known.filter(|i| same(&kept[*i], &finding)).collect();
        // The same code before mere neighbourhood, then the first.
        let into = candidates.iter().copied().min_by_key(|i| (!same_defect(&kept[*i].fingerprint, &finding.fingerprint), *i));
        match into {
            Some(i) => join(&mut kept[i], finding),
            None => {
                for name in names.into_iter().flatten() {
                    by_file.entry(name).or_default().push(kept.len());
                }
                kept.push(finding);
            }
        }
    }
    kept
}

/// Whether `new` tells the defect of `kept`, which came first.
fn same(kept: &Finding, new: &Finding) -> bool {
    if !same_file(kept, new) {
        return false;
    }
    if is_hit(new) {
        return is_hit(kept) && kept.fingerprint == new.fingerprint && kept.anchor == new.anchor;
    }
    let cited = kept.rule.as_ref().zip(new.rule.as_ref());
    if cited.is_some_and(|(a, b)| a.id != b.id) {
        return false;
    }
    // A rule that never gates takes only findings that cite it or are no worse than it.
    if is_hit(kept) && !enforced(kept) && cited.is_none() && new.severity > kept.severity {
        return false;
    }
    if same_defect(&kept.fingerprint, &new.fingerprint) {
        return true;
    }
    if is_hit(kept) {
        return overlap(kept, new) && (cited.is_some() || (kept.category == new.category && comparable(kept, new)));
    }
    let apart = placed(kept) && placed(new) && !overlap(kept, new);
    kept.reviewer != new.reviewer && words(&kept.title) == words(&new.title) && !apart
}

fn placed(f: &Finding) -> bool {
    matches!(f.anchor, Anchor::Exact(_) | Anchor::Moved(_))
}

fn comparable(hit: &Finding, told: &Finding) -> bool {
    let length = |f: &Finding| f.anchor.lines().map_or(0, |l| l.end - l.start);
    length(told) <= length(hit) + WIDER
}

fn words(title: &str) -> String {
    title.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A model's other words for the same place are worth a sentence: it may be another side of the matter.
fn join(kept: &mut Finding, other: Finding) {
    if !is_hit(kept) && kept.body.len() < MAX_BODY && words(&kept.title) != words(&other.title) && !other.title.is_empty() {
        let end = if other.title.ends_with(['.', '!', '?', '…']) { "" } else { "." };
        kept.body = format!("{}\n\nAlso: {}{end}", kept.body.trim_end(), other.title).trim_start().to_owned();
    }
    absorb(kept, other);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cite, hit, show, told};
    use super::*;
    use crate::findings::Category;
    use crate::findings::Severity::{Critical, Important, Nit, Suggestion};
    use crate::rules::RuleStatus::{Advisory, Enforced, Trial};

    #[test]
    fn a_rule_and_a_model_tell_the_same() {
        let merged = merge(vec![
            told("security", Critical, "Shell injection", "run(x)", 3, 3),
            told("quality", Nit, "Next to it", "run(x)\nok()", 3, 4),
            hit("SEC-PY-003", Enforced, Important, "run(x)", 3, 3),
        ]);
        insta::assert_snapshot!(show(&merged), @"Critical Quality a.rs:3-3 Rule SEC-PY-003 [SEC-PY-003] (rules +quality+security)");
        assert_eq!(merged[0].fingerprint, hit("SEC-PY-003", Enforced, Important, "run(x)", 3, 3).fingerprint);
    }

    #[test]
    fn rules_stay_apart() {
        let hits = vec![
            hit("A-ONE", Enforced, Important, "x", 3, 3),
            hit("A-TWO", Enforced, Important, "x", 3, 3),
            hit("A-ONE", Enforced, Important, "x", 9, 9),
        ];
        assert_eq!(merge(hits.clone()).len(), 3);
        assert_eq!(merge([hits.clone(), hits].concat()).len(), 3);
        let cited =
            vec![cite(told("codex", Nit, "One", "x", 3, 3), "A-ONE", Enforced), cite(told("codex", Nit, "Two", "x", 3, 3), "A-TWO", Enforced)];
        assert_eq!(merge(cited).len(), 2);
    }

    #[test]
    fn a_rule_that_does_not_gate_swallows_nothing_worse() {
        for status in [Trial, Advisory] {
            let worse = vec![hit("A-ONE", status, Suggestion, "x", 3, 3), told("security", Critical, "Worse", "x", 3, 3)];
            assert_eq!(merge(worse).len(), 2);
            let cites = vec![hit("A-ONE", status, Suggestion, "x", 3, 3), cite(told("codex", Critical, "Same", "x", 3, 3), "A-ONE", status)];
            assert_eq!(merge(cites).len(), 1);
        }
        let adopted = merge(vec![told("security", Critical, "Bad", "x", 3, 3), cite(told("codex", Nit, "Bad", "x", 3, 3), "A-ONE", Advisory)]);
        assert_eq!((adopted.len(), adopted[0].rule.is_none()), (1, true));
    }

    #[test]
    fn two_reviewers_tell_the_same_line() {
        let merged = merge(vec![
            told("quality", Suggestion, "It can panic", "a / b", 5, 5),
            told("security", Important, "Zero from a request ends the process", "a  /  b", 5, 5),
            told("performance", Suggestion, "it can panic!", "let c =\n  a / b", 4, 5),
        ]);
        insta::assert_snapshot!(show(&merged), @r"
        Important Quality a.rs:5-5 Zero from a request ends the process (security +quality)
        Suggestion Quality a.rs:4-5 it can panic! (performance)
        ");
        insta::assert_snapshot!(merged[0].body, @r"
        Zero from a request ends the process, at length.

        Also: It can panic.
        ");
    }

    #[test]
    fn alike_is_not_the_same() {
        let mut other_file = told("security", Nit, "Same", "x", 3, 3);
        other_file.path = RepoPath::from("b.rs");
        let mut category = told("security", Nit, "Whole function", "f\nx\ng", 3, 30);
        category.category = Category::Security;
        for pair in [
            // Equal code in another file is another place to mend.
            vec![told("quality", Nit, "Same", "x", 3, 3), other_file],
            // The same words about other lines.
            vec![told("quality", Nit, "Same", "x", 3, 3), told("security", Nit, "Same", "y", 30, 30)],
            vec![hit("A-ONE", Enforced, Nit, "x", 3, 3), category],
            // A function with a hit in it.
            vec![hit("A-ONE", Enforced, Nit, "x", 3, 3), told("quality", Nit, "Whole function", "f\nx\ng", 1, 30)],
        ] {
            assert_eq!(merge(pair.clone()).len(), 2, "{}", show(&pair));
        }
    }

    #[test]
    fn stays_quick_with_many() {
        let many: Vec<_> = (0..5_000).map(|i| hit("A-ONE", Enforced, Nit, &format!("x{i}"), i + 1, i + 1)).collect();
        assert_eq!(merge(many).len(), 5_000);
    }
}
