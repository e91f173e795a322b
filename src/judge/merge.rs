//! Merges the same defect told several times, before any model judges. Rules' hits are never lost or merged with each other.

use super::{absorb, enforced, is_hit, overlap, same_file};
use crate::findings::aside;
use crate::findings::fingerprint::same_defect;
use crate::findings::{Anchor, Finding, Severity};
use crate::path::RepoPath;
use std::cmp::Reverse;
use std::collections::HashMap;

/// By so many lines a model's span may be longer than a rule's hit to still be about the same thing.
const WIDER: u32 = 4;
/// Bytes of what a body says besides, after which no further places are told.
const MAX_PLACES: usize = 400;

/// Merges findings, in an order that does not depend on the given one but among equals: hits first, then by severity, then what
/// its reviewer is sure of. What merges keeps the rule's id and the higher severity; `also` lists who else told it, and what is not said yet is kept in the body.
pub fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut todo = findings;
    todo.sort_by_key(|f| (!is_hit(f), Reverse(f.severity), Reverse(percent(f))));
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
    // One reviewer's title over several places of a file is one defect; two reviewers may mean different ones by it.
    let apart = placed(kept) && placed(new) && !overlap(kept, new);
    words(&kept.title) == words(&new.title) && (kept.reviewer == new.reviewer || !apart)
}

/// How sure its reviewer is, 0 to 100; in the middle where it did not say.
fn percent(f: &Finding) -> u32 {
    (f.confidence.unwrap_or(0.5) * 100.0).round() as u32
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

/// What `other` says besides is kept. Of the line of a rule's hit it is another matter, unless it cites that rule: models know what the
/// rules have told. Among models, who know nothing of each other, the same category is another telling, worth its title, but one
/// reviewer does not tell one matter twice.
fn join(kept: &mut Finding, mut other: Finding) {
    let cited = kept.rule.as_ref().zip(other.rule.as_ref()).is_some_and(|(a, b)| a.id == b.id);
    let alike = words(&kept.title) == words(&other.title);
    // A remark of another kind (a comment, a test that is missing) does not hang on a grave finding.
    let trifle = !is_hit(kept) && kept.category != other.category && other.severity < Severity::Important && kept.severity >= Severity::Important;
    if alike && placed(&other) && !overlap(kept, &other) {
        also_at(kept, &other);
    } else if !(alike || trifle || (is_hit(kept) && cited)) {
        let whole = is_hit(kept) || kept.reviewer == other.reviewer || kept.category != other.category;
        aside::add(kept, &other, whole);
        if is_hit(kept) {
            // They belong to the other matter, and would be read as the rule's.
            (other.trigger, other.cause, other.suggestion) = (None, None, None);
        }
    }
    absorb(kept, other);
}

/// The same defect at another place of the file, which has no words of its own.
fn also_at(kept: &mut Finding, other: &Finding) {
    if let Some(lines) = other.anchor.lines()
        && aside::texts(&kept.body).1.len() < MAX_PLACES
    {
        aside::append(&mut kept.body, &format!("Also: the same at line {}.", lines.start));
    }
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
    fn another_defect_on_the_line_of_a_hit_is_not_lost() {
        let mut leak = told("security", Suggestion, "The name goes into the log", "run(x)", 3, 3);
        (leak.trigger, leak.suggestion, leak.category) = (Some("any customer".to_owned()), Some("run(y)".to_owned()), Category::Security);
        let again = cite(told("codex", Important, "Shell, as the rule says", "run(x)", 3, 3), "SEC-PY-003", Enforced);
        let merged = merge(vec![leak, again, hit("SEC-PY-003", Enforced, Important, "run(x)", 3, 3)]);
        insta::assert_snapshot!(show(&merged), @"Important Quality a.rs:3-3 Rule SEC-PY-003 [SEC-PY-003] (rules +codex+security)");
        insta::assert_snapshot!(merged[0].body, @"
        Rule SEC-PY-003, at length.

        Also: The name goes into the log. The name goes into the log, at length. When: any customer.
        ");
        assert_eq!((&merged[0].trigger, &merged[0].suggestion), (&None, &None), "the other matter's, not the rule's");
    }

    #[test]
    fn one_reviewer_s_two_defects_on_one_line_are_both_told() {
        let merged = merge(vec![told("quality", Nit, "It can panic", "a / b", 5, 5), told("quality", Nit, "The order is wrong", "a / b", 5, 5)]);
        insta::assert_snapshot!(merged[0].body, @"
        It can panic, at length.

        Also: The order is wrong. The order is wrong, at length.
        ");
    }

    #[test]
    fn the_surest_leads_and_no_trifle_hangs_on_it() {
        let of = |reviewer: &str, severity, title: &str, category, confidence| {
            let mut f = told(reviewer, severity, title, "x = shared", 5, 5);
            (f.category, f.confidence) = (category, Some(confidence));
            f
        };
        let merged = merge(vec![
            of("codex", Important, "Shared without a lock", Category::Codex, 0.5),
            of("security", Important, "Other sessions send the certificate", Category::Security, 0.9),
            of("docs", Nit, "No comment", Category::Documentation, 1.0),
        ]);
        insta::assert_snapshot!(show(&merged), @"Important Security a.rs:5-5 Other sessions send the certificate (security +codex+docs)");
        insta::assert_snapshot!(merged[0].body, @r"
        Other sessions send the certificate, at length.

        Also: Shared without a lock. Shared without a lock, at length.
        ");
    }

    #[test]
    fn a_reviewer_tells_a_defect_once() {
        let merged = merge(vec![told("quality", Important, "Appends", "x += a", 5, 5), told("quality", Important, "Appends.", "x += b", 30, 31)]);
        insta::assert_snapshot!(show(&merged), @"Important Quality a.rs:5-5 Appends (quality)");
        insta::assert_snapshot!(merged[0].body, @r"
        Appends, at length.

        Also: the same at line 30.
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
