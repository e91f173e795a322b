use super::super::testing::{diff, mask};
use super::*;
use crate::rules::RuleStatus;
use proptest::prelude::*;

const OLD: &str = "def f(x):\n    return x\n\ndef g():\n    return f(1)\n";
const NEW: &str = "def f(x, y):\n    return x / y\n\ndef g():\n    return f(1)\n";

/// Checks proposals about a change of `app.py` (and of `.ci/run`, a sensitive file).
fn run(proposals: &[Proposal]) -> Checked {
    run_as(Category::Quality, proposals)
}

/// The same for a reviewer of another category.
fn run_as(category: Category, proposals: &[Proposal]) -> Checked {
    let (app, app_old, app_new) = diff("app.py", OLD, NEW);
    let (ci, ci_old, ci_new) = diff(".ci/run", "make\n", "make all\n");
    let files = [app, ci];
    let text = |file: &FileDiff, side: Side| {
        let texts = if file.new_path.as_str() == Some("app.py") { [&app_old, &app_new] } else { [&ci_old, &ci_new] };
        Some(Arc::clone(texts[usize::from(side == Side::New)]))
    };
    let other = Arc::new(FileText::whole(b"from app import f\nf(2)\n"));
    check(
        &CheckInput {
            anchor: AnchorInput { files: &files, text: &text, elsewhere: &|p| (p.as_str() == Some("other.py")).then(|| Arc::clone(&other)) },
            reviewer: "quality",
            category,
            min_confidence: 0.5,
            rule: &|id| {
                let known = RuleRef { id: id.to_owned(), status: RuleStatus::Enforced, source: None, url: None, owner: None };
                (id == "SEC-PY-003").then_some((known, Severity::Suggestion))
            },
            mask: &mask,
            sensitive: &|p| p.as_bytes().starts_with(b".ci/"),
            symbol: &|_, _, line| (line <= 2).then(|| Enclosing { name: "f".to_owned(), start: 1, end: 2 }),
        },
        proposals,
    )
}

fn proposal() -> Proposal {
    Proposal {
        path: "app.py".to_owned(),
        quote: "    return x / y".to_owned(),
        severity: "important".to_owned(),
        title: "Division by zero".to_owned(),
        body: "It raises.".to_owned(),
        trigger: Some("a request with y=0".to_owned()),
        ..Proposal::default()
    }
}

fn one(change: impl FnOnce(&mut Proposal)) -> Finding {
    let mut p = proposal();
    change(&mut p);
    let mut checked = run(&[p]);
    assert_eq!(checked.dropped, []);
    checked.findings.pop().expect("a finding")
}

fn reason(change: impl FnOnce(&mut Proposal)) -> String {
    let mut p = proposal();
    change(&mut p);
    let mut checked = run(&[p]);
    assert_eq!(checked.findings, []);
    checked.dropped.pop().expect("a reason").reason
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn makes_a_finding_of_a_good_proposal() {
    let f = one(|p| p.suggestion = some("    return x / y if y else 0"));
    assert_eq!(f.fingerprint, fingerprint(None, "return x / y", Some("f"), 0));
    assert_eq!(
        (f.severity, f.category, f.reviewer.as_str(), f.quote.as_str()),
        (Severity::Important, Category::Quality, "quality", "    return x / y")
    );
    assert_eq!(f.suggestion.as_deref(), Some("    return x / y if y else 0"));
}

#[test]
fn reads_severity_and_category_leniently() {
    for (word, severity) in [
        ("critical", Severity::Critical),
        (" CRITICAL ", Severity::Critical),
        ("optional nit", Severity::Nit),
        ("blocker", Severity::Suggestion),
        ("", Severity::Suggestion),
    ] {
        assert_eq!(one(|p| p.severity = word.to_owned()).severity, severity, "{word}");
    }
    for (word, category) in [
        ("security", Category::Security),
        ("AGENTS.md", Category::AgentsMd),
        ("agents-md", Category::AgentsMd),
        ("Code Quality", Category::Quality),
        ("art", Category::Quality),
    ] {
        assert_eq!(one(|p| p.category = some(word)).category, category, "{word}");
    }
}

#[test]
fn grave_findings_need_a_trigger() {
    for trigger in [None, some(""), some("N/A"), some("unknown"), some(" Always. "), some("division  by zero!")] {
        let checked = run(&[Proposal { trigger, ..proposal() }]);
        assert_eq!((checked.findings[0].severity, checked.lowered), (Severity::Suggestion, 1));
        assert_eq!(checked.findings[0].trigger, None);
    }
    assert_eq!(one(|p| p.trigger = some("零除数请求")).severity, Severity::Suggestion);
    assert_eq!(one(|p| p.trigger = some("请求中的除数为零")).severity, Severity::Important);
}

#[test]
fn untouched_code_needs_a_cause() {
    let untouched = "about code that the change does not touch";
    let cause = |quote: &str, cause: &str| {
        let (quote, cause) = (quote.to_owned(), some(cause));
        move |p: &mut Proposal| (p.quote, p.cause) = (quote, cause)
    };
    assert_eq!(reason(|p| p.quote = "    return f(1)".to_owned()), untouched);
    assert_eq!(reason(cause("    return f(1)", "def g():")), format!("{untouched}, and its cause is no changed line"));
    assert_eq!(reason(cause("    return f(1)", " ")), untouched);
    assert_eq!(reason(cause("    return f(1)", "y")), format!("{untouched}, and its cause is no changed line"));
    for quoted in ["def f(x, y):", "+def f(x, y):", "```\ndef  f(x,y):\n```", "-def f(x):", "return x / y"] {
        let f = one(cause("    return f(1)", quoted));
        assert_eq!(f.anchor.lines().map(|l| (l.start, l.old_line)), Some((5, Some(5))), "{quoted}");
    }
    // In a file that the change leaves alone, placed or not.
    assert_eq!(reason(|p| (p.path, p.quote) = ("other.py".to_owned(), "f(2)".to_owned())), untouched);
    assert_eq!(reason(|p| (p.path, p.quote) = ("other.py".to_owned(), String::new())), untouched);
    let f = one(|p| (p.path, p.quote, p.cause) = ("other.py".to_owned(), "f(2)".to_owned(), some("def f(x, y):")));
    assert_eq!(f.anchor.lines().map(|l| (l.start, l.old_line)), Some((2, Some(2))));
}

#[test]
fn what_has_no_place_is_kept() {
    // Half of it stands in the file, and half is wrong.
    assert_eq!(one(|p| p.quote = "    return x / y\n    made_up()".to_owned()).anchor, Anchor::File);
    assert_eq!(one(|p| p.path = "docs/migrating.md".to_owned()).anchor, Anchor::None);
    let (a, b) = (one(|p| p.quote = String::new()), one(|p| (p.quote, p.title) = (String::new(), "Other".to_owned())));
    assert_ne!(a.fingerprint, b.fingerprint);
}

#[test]
fn a_quote_that_stands_nowhere_proves_nothing() {
    for quote in ["nowhere", "conn.verify = True\nconn.send(x)", "+    made_up(x, y)"] {
        assert_eq!(reason(|p| p.quote = quote.to_owned()), "its quote stands nowhere in the file", "{quote}");
    }
    // What the change removes stands in the old text.
    assert_eq!(one(|p| p.quote = "def f(x):\n    return x".to_owned()).side, Side::Old);
}

#[test]
fn trifles_that_only_advise_are_dropped() {
    let told = |title: &str, severity: &str| run(&[Proposal { title: title.to_owned(), severity: severity.to_owned(), ..proposal() }]).findings.len();
    for title in ["Consider a guard", "ensure that y is not 0", "Make sure it is tested", "Please add a comment"] {
        assert_eq!((told(title, "suggestion"), told(title, "important")), (0, 1), "{title}");
    }
    assert_eq!((told("Considerable slowdown", "nit"), told("Verified users are refused", "nit"), told("Ensure", "nit")), (1, 1, 1));
}

#[test]
fn drops_what_is_unsure_or_empty() {
    assert_eq!(reason(|p| p.confidence = Some(0.3)), "confidence 0.30 is below 0.50");
    assert_eq!(one(|p| p.confidence = Some(0.5)).confidence, Some(0.5));
    assert_eq!(reason(|p| (p.title, p.body) = (String::new(), " ".to_owned())), "says nothing: neither title nor body");
    assert_eq!(reason(|p| p.path = " `` ".to_owned()), "names no file");
}

#[test]
fn texts_are_bounded_and_clean() {
    assert_eq!(one(|p| (p.title, p.body) = (" ".to_owned(), "The call\nfails. Then more.".to_owned())).title, "The call fails");
    assert_eq!(one(|p| p.title = "## **Bad\u{202e}**\r\n".to_owned()).title, "Bad");
    let f = one(|p| (p.title, p.body, p.trigger) = ("word ".repeat(9_000), "body text ".repeat(9_000), some(&"who knows ".repeat(900))));
    assert!(f.title.chars().count() <= MAX_TITLE && f.body.chars().count() <= MAX_BODY && f.title.ends_with("word…") && f.body.ends_with('…'));
    let f = one(|p| (p.title, p.body, p.trigger) = ("Leaks hunter2".to_owned(), "So: hunter2".to_owned(), some("whoever reads hunter2")));
    assert!(!format!("{f:?}").contains("hunter2"));
}

#[test]
fn citations_are_checked() {
    assert_eq!(one(|p| p.rule_id = some(" SEC-PY-003 ")).rule.map(|r| r.id), some("SEC-PY-003"));
    let checked = run(&[Proposal { rule_id: some("MADE-UP-1"), ..proposal() }, Proposal { rule_id: some(""), ..proposal() }]);
    assert_eq!((checked.citations_removed, checked.findings.iter().filter(|f| f.rule.is_none()).count()), (1, 2));
}

#[test]
fn the_codex_reviewer_says_no_more_than_the_rules() {
    let cites = |id: Option<&str>| run_as(Category::Codex, &[Proposal { rule_id: id.and_then(some), ..proposal() }]);
    for id in [None, Some(" "), Some("MADE-UP-1")] {
        let checked = cites(id);
        assert_eq!((checked.findings.len(), checked.dropped[0].reason.as_str()), (0, "cites no rule that applies"), "{id:?}");
    }
    assert_eq!(cites(Some("SEC-PY-003")).findings[0].severity, Severity::Suggestion);
    // Others may tell more than a rule that they cite.
    assert_eq!(one(|p| p.rule_id = some("SEC-PY-003")).severity, Severity::Important);
}

#[test]
fn suggestions_need_whole_new_lines_of_an_ordinary_file() {
    let fix = "    return x // y";
    assert_eq!(one(|p| p.suggestion = some(fix)).suggestion.as_deref(), Some(fix));
    for (path, quote) in [("app.py", "x / y"), ("app.py", "return x  /  y + 1"), (".ci/run", "make all"), ("app.py", "-    return x")] {
        let f = one(|p| (p.path, p.quote, p.suggestion) = (path.to_owned(), quote.to_owned(), some("    fixed(x)")));
        assert_eq!(f.suggestion, None, "{quote}");
    }
}

proptest! {
    /// Whatever a model writes, what stands can be shown without another check.
    #[test]
    fn findings_hold_what_they_promise(
        (path, quote) in ("app\\.py|other\\.py|.{0,10}", "(?s)[ +-]{0,5}(return x / y|def g|.{0,30})\n?"), texts in prop::collection::vec("(?s).{0,120}", 5),
        line in any::<Option<i64>>(), confidence in any::<Option<f64>>(), severity in "critical|nit|.{0,5}",
    ) {
        let p = Proposal {
            path, quote, line, confidence, severity, title: texts[0].clone(), body: texts[1].clone(), trigger: Some(texts[2].clone()),
            cause: Some(texts[3].clone()), suggestion: Some(texts[4].clone()), ..Proposal::default()
        };
        let checked = run(&[p]);
        prop_assert_eq!(checked.findings.len() + checked.dropped.len(), 1);
        for f in checked.findings {
            prop_assert!(f.fingerprint.len() == 32 && !f.title.is_empty() && !f.title.contains('\n') && f.title.chars().count() <= MAX_TITLE);
            prop_assert!(f.severity < Severity::Important || f.trigger.is_some());
            prop_assert!(f.suggestion.is_none() || (f.side == Side::New && f.anchor.lines().is_some()));
            prop_assert!(f.anchor.lines().is_none_or(|l| 1 <= l.start && l.start <= l.end && l.end <= 5));
        }
    }
}
