//! What is written is read back equal, and what is read is bounded.

use super::*;
use crate::diff::{LineKind, Side};
use crate::findings::{Category, FindingSource, FindingStatus, Lines, RuleRef, Severity};
use crate::forge::Role;
use crate::history::{Override, Prior, Status};
use crate::report::{Posting, ReviewerStatus};
use crate::rules::RuleStatus;
use crate::rules::waiver::Waived;
use proptest::prelude::*;

/// Written, read, and taken for the same merge request again.
fn back(review: &Review) -> Review {
    let report = read(json(review).as_bytes()).expect("a sound report");
    report.review(review.target.clone()).expect("a review")
}

/// A merge request's review with all that there can be.
fn whole() -> Review {
    let mut review = review();
    let head = "a5".repeat(20);
    review.change.head_sha = Some(head.clone());
    review.target = Some(forge::Target { forge: "test", host: "forge.example:8443".into(), project: "group/project".into(), number: 7 });
    review.round = 3;
    review.seconds = 61.25;
    review.spent_before_usd = Some(1.5);
    review.posting = Some(Posting { inline_max: 500, always: true });
    review.fail_on = None;
    review.path_fail_on = vec![None, Some(None), Some(Some(Severity::Important)), None];
    let f = &mut review.findings;
    f[0].cause = Some("    subprocess.call(cmd)".into());
    f[1].old_path = Some(RepoPath::new(b"old\xff.rs".to_vec()));
    f[1].path = RepoPath::from("src/a\nb.rs");
    f[1].anchor = findings::Anchor::Moved(Lines { start: 2, end: 8, old_line: Some(7) });
    let end = |old, new, kind| forge::End { old, new, kind };
    let span = |lines, side, ends| Some(forge::Span { lines, side, ends, in_hunk: true });
    review.spans = vec![
        span((6, 6), Side::New, (end(5, 6, LineKind::Added), end(5, 6, LineKind::Added))),
        span((2, 8), Side::New, (end(1, 2, LineKind::Context), end(7, 8, LineKind::Context))),
        span((12, 12), Side::Old, (end(12, 14, LineKind::Removed), end(12, 14, LineKind::Removed))),
        None,
    ];
    review.coverage[3].bounded = true;
    review.usage.estimated = true;
    review.usage.cache_write_tokens = 17;
    review.provenance.prices = Some("2026-11-01".into());
    review.reviewers[1].first_token_seconds = Some(0.25);
    review.reviewers[1].models =
        vec![crate::report::ModelRun { model: "model-a".into(), requests: 2, usage: review.usage, seconds: 9.5, first_token_seconds: Some(0.25) }];
    let prior = |digit: &str, status| Prior {
        fingerprint: digit.repeat(32),
        status,
        by: Some("dev".into()),
        title: "T".into(),
        severity: Severity::Important,
        thread: None,
        why: Some("because".into()),
    };
    review.prior = vec![prior("0", Status::Open), prior("1", Status::Fixed), prior("2", Status::Settled), prior("3", Status::Withdrawn)];
    review.override_ = Some(Override { by: "boss".into(), role: Role::Maintainer, reason: "we must".into(), head: head.clone() });
    review.waived = vec![Waived {
        rule_id: "SEC-PY-003".into(),
        severity: Severity::Critical,
        title: "W".into(),
        path: RepoPath::from("w.py"),
        lines: (3, 4),
        reason: "a constant".into(),
        by: "comment".into(),
        until: crate::date::Date::parse("2027-01-31"),
    }];
    let mut state = history::testing::state(Vec::new());
    state.head = head;
    review.next = Some(state);
    review
}

#[test]
fn everything_that_a_review_says_comes_back() {
    for review in [whole(), review(), clean_review()] {
        let mut wanted = review.clone();
        // Lists that run along the findings are as long as these.
        wanted.spans.resize(review.findings.len(), None);
        wanted.path_fail_on.resize(review.findings.len(), None);
        assert_eq!(back(&review), wanted);
    }
}

#[test]
fn what_is_hostile_comes_back_as_it_was_written() {
    let once = back(&hostile());
    assert_eq!(Report::of(&once), Report::of(&hostile()));
    assert_eq!(back(&once), once);
    assert_eq!(once.findings[0].path, hostile().findings[0].path, "names are kept to the byte");
}

prop_compose! {
    fn finding()(
        (fingerprint, title, body) in ("[0-9a-f]{32}", "[ -~äß…]{0,40}", any::<String>()),
        (severity, category, source, status) in (0..4_usize, 0..7_usize, any::<bool>(), 0..3_usize),
        (lines, old_line, side, moved) in (prop::option::of((1..900_u32, 0..9_u32)), prop::option::of(1..900_u32), any::<bool>(), any::<bool>()),
        (path, old_path) in (prop::collection::vec(1..=255_u8, 1..20), prop::option::of(prop::collection::vec(1..=255_u8, 1..20))),
        (trigger, cause, suggestion, quote) in (prop::option::of("[ -~]{0,20}"), prop::option::of("[ -~\n\t]{0,20}"), prop::option::of("[ -~\n]{0,20}"), "[ -~\n]{0,20}"),
        (confidence, rule, own) in (prop::option::of(0..=1000_u32), prop::option::of((0..3_usize, prop::option::of("[ -~]{0,20}"))), prop::option::of(prop::option::of(0..4_usize))),
    ) -> (findings::Finding, Option<Option<Severity>>) {
        let severities = [Severity::Critical, Severity::Important, Severity::Suggestion, Severity::Nit];
        let text = |t: String| one_line(&t);
        let lines = lines.map(|(start, more)| Lines { start, end: start + more, old_line });
        let anchor = match (lines, moved) {
            (Some(l), true) => findings::Anchor::Moved(l),
            (Some(l), false) => findings::Anchor::Exact(l),
            (None, true) => findings::Anchor::File,
            (None, false) => findings::Anchor::None,
        };
        let statuses = [RuleStatus::Trial, RuleStatus::Advisory, RuleStatus::Enforced];
        let finding = findings::Finding {
            fingerprint,
            severity: severities[severity],
            category: Category::ALL[category],
            reviewer: "quality".into(),
            also: vec!["docs".into()],
            source: if source { FindingSource::Rule } else { FindingSource::Model },
            title: text(title),
            body: plain(&body),
            trigger,
            cause,
            rule: rule.map(|(i, url)| RuleRef { id: "A-B1".into(), status: statuses[i], source: url.clone().map(text), url: url.map(text), owner: None }),
            path: RepoPath::new(path),
            old_path: old_path.map(RepoPath::new),
            side: if side { Side::New } else { Side::Old },
            anchor,
            quote,
            suggestion,
            confidence: confidence.map(|c| f64::from(c) / 1000.0),
            status: [FindingStatus::New, FindingStatus::Persisting, FindingStatus::Settled][status],
        };
        (finding, own.map(|o| o.map(|i| severities[i])))
    }
}

proptest! {
    #[test]
    fn any_findings_come_back(all in prop::collection::vec(finding(), 0..6)) {
        let mut review = whole();
        (review.findings, review.path_fail_on) = all.into_iter().unzip();
        review.spans = vec![None; review.findings.len()];
        review.reviewers[0].status = ReviewerStatus::Skipped;
        prop_assert_eq!(back(&review), review);
    }

    #[test]
    fn a_broken_report_is_refused_or_sound(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = json(&whole()).into_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Ok(review) = read(&bytes).and_then(|r| r.review(None)) {
            let again = read(json(&review).as_bytes()).and_then(|r| r.review(None));
            prop_assert_eq!(again, Ok(review));
        }
    }
}

#[test]
fn texts_are_taken_as_we_write_them() {
    let mut report = Report::of(&whole());
    report.findings[0].title = "\u{7f} a  title ".into();
    report.notes = vec![" a\u{7f}\tnote".into()];
    let review = report.review(None).expect("a review");
    assert_eq!((review.findings[0].title.as_str(), review.notes), ("a title", vec!["a note".to_owned()]));
}

#[test]
fn what_cannot_be_is_refused_and_not_repeated() {
    let sound: serde_json::Value = serde_json::from_str(&json(&whole())).expect("JSON");
    let told = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value = sound.clone();
        change(&mut value);
        match read(value.to_string().as_bytes()).and_then(|r| r.review(None)) {
            Ok(_) => "taken".to_owned(),
            Err(e) => {
                let told = e.to_string();
                assert!(!told.contains("SECRET"), "{told}");
                // Where it is depends on all that stands before it.
                told.split_once(": ").filter(|(place, _)| place.starts_with("line ")).map_or(told.clone(), |(_, what)| what.to_owned())
            }
        }
    };
    use serde_json::json;
    let first = |key: &'static str, value: serde_json::Value| told(&move |v| v["findings"][0][key] = value.clone());
    let table = [
        told(&|v| v["later"] = json!({"a": [1]})),
        told(&|v| v["schema"] = json!("SECRET")),
        told(&|v| v["outcome"] = json!("SECRET")),
        told(&|v| v["findings"] = json!({})),
        told(&|v| drop(v.as_object_mut().map(|o| o.remove("coverage")))),
        told(&|v| v["findings"] = json!(vec![v["findings"][0].clone(); 20_001])),
        told(&|v| v["notes"] = json!(["x".repeat(65_537)])),
        told(&|v| v["change"]["head_sha"] = json!("SECRET")),
        told(&|v| v["seconds"] = json!(-1.0)),
        told(&|v| v["usage"]["cost_usd"] = json!(-0.5)),
        told(&|v| v["next"] = json!("SECRET")),
        told(&|v| v["prior"][0]["fingerprint"] = json!("SECRET")),
        told(&|v| v["override"]["role"] = json!("SECRET")),
        told(&|v| v["waived"][0]["until"] = json!("SECRET")),
        first("fingerprint", json!("SECRET")),
        first("start_line", json!(0)),
        first("start_line", json!(7)),
        first("end_line", json!(null)),
        first("start_line", json!(-1)),
        first("anchor", json!("file")),
        first("confidence", json!(1.5)),
        first("path", json!("")),
        first("path_bytes", json!("SECRET")),
        first("span", json!({"start": {"old": 1, "new": 1, "kind": "added"}, "end": {"old": 1, "new": 1, "kind": "added"}, "in_hunk": true})),
        first("rule_id", json!(null)),
    ];
    insta::assert_snapshot!(table.join("\n"), @"
    taken
    its schema is not tribune.report/v1
    not a report (a field is missing, doubled or of another kind)
    not a report (a field is missing, doubled or of another kind)
    not a report (a field is missing, doubled or of another kind)
    `findings` has 20001 entries, more than 20000
    `notes` is longer than 65536 bytes
    a commit in it is none
    a time or a sum of money in it is none
    a time or a sum of money in it is none
    `next` is of another version, or broken
    a fingerprint in `prior` is none
    `override` names a role that there is not
    `waived` holds a day that there is not
    finding 1: its fingerprint is none
    finding 1: its lines and its anchor contradict each other
    finding 1: its lines and its anchor contradict each other
    finding 1: its lines and its anchor contradict each other
    not a report (a field is missing, doubled or of another kind)
    finding 1: its lines and its anchor contradict each other
    finding 1: its confidence is not within 0 and 1
    finding 1: it has no path, or a rule without an id
    the bytes of a path are none
    finding 1: its lines and its place in the diff contradict each other
    finding 1: it has no path, or a rule without an id
    ");
    // What nobody knows is passed over, however deep; what is known is none of that.
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let with = |name: &str| sound.to_string().replacen('{', &format!("{{\"{name}\":{deep},"), 1);
    assert!(read(with("x").as_bytes()).is_ok() && read(with("notes").as_bytes()).is_err() && read(deep.as_bytes()).is_err());
    assert!(read(&vec![b' '; MAX_BYTES as usize + 1]).is_err_and(|e| e.to_string().contains("bytes")));
    assert!(read(b"\xff\xfe").is_err() && read(b"").is_err() && read(b"null").is_err());
}

#[test]
fn a_report_of_a_run_that_did_not_look_is_sound() {
    let stored = history::Stored { outcome: Outcome::Fail, exit: 1, round: 4, gate: None, complete: true };
    let target = forge::Target { forge: "test", host: "h".into(), project: "a/b".into(), number: 7 };
    let validator = jsonschema::validator_for(&json_schema()).expect("the schema is one");
    for report in [Report::skipped("the label says so"), Report::unchanged(&stored, &target, &"ab".repeat(20), None, "c0")] {
        let value = serde_json::to_value(&report).expect("JSON");
        assert_eq!(validator.iter_errors(&value).map(|e| e.to_string()).collect::<Vec<_>>(), [""; 0]);
        assert_eq!(read(value.to_string().as_bytes()), Ok(report));
    }
}
