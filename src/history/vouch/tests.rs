use super::super::state::State;
use super::super::testing::{AUTHOR, DEVELOPER, KEY, MAINTAINER, STRANGER, conversation, merge_request, record, sha, state, summary, thread, trust};
use super::super::{Override, read, role_name};
use super::*;
use crate::forge::Role;
use crate::report::sample;

/// What stands at the merge request: two findings of round 1 at another head, a thread for each, and what people said in these.
fn past(replies: [&[(u64, &str)]; 2], key: Option<&'static [u8]>) -> Past {
    let records = [record("Grave", Severity::Critical, "a.py", 3, "boom()"), record("Less so", Severity::Important, "b.py", 5, "slow()")];
    let mut left = state(records.to_vec());
    (left.head, left.outcome, left.exit) = (sha('9'), crate::report::Outcome::Fail, 1);
    let threads = records.iter().zip(replies).enumerate().map(|(i, (r, said))| thread(&format!("t{i}"), r, key, said)).collect();
    let memory = read(&conversation(vec![summary("9", &left, key)], threads), &trust(Some(KEY)));
    let roles = [(AUTHOR, Role::Developer), (DEVELOPER, Role::Developer), (MAINTAINER, Role::Maintainer), (STRANGER, Role::Reader)];
    Past { target: super::super::testing::TARGET.clone(), mr: merge_request(), memory, roles: roles.into(), full: false }
}

/// A report for `past` that says `status` of both findings, as `told` of earlier ones, and whatever else it likes.
fn report(status: FindingStatus, told: Status) -> Review {
    let mut review = sample::clean_review();
    let mr = merge_request();
    (review.change.head_sha, review.change.base_sha) = (Some(mr.head_sha.clone()), Some(mr.base_sha.clone()));
    review.round = 2;
    let mut next = state(Vec::new());
    (next.head, next.base, next.round) = (mr.head_sha.clone(), mr.base_sha.clone(), 2);
    for (title, severity, quote) in [("Grave", Severity::Critical, "boom()"), ("Less so", Severity::Important, "slow()")] {
        let mut kept = record(title, severity, "a.py", 3, quote);
        (kept.status, kept.by) = (told, Some("boss".into()));
        let mut finding = sample::finding(severity, title);
        (finding.fingerprint, finding.status) = (kept.fingerprint.clone(), status);
        review.findings.push(finding);
        review.prior.push(Prior {
            fingerprint: kept.fingerprint.clone(),
            status: told,
            by: Some("boss".into()),
            title: "what the report says".into(),
            severity: Severity::Nit,
            thread: Some("another".into()),
            why: Some("so it says".into()),
        });
        next.findings.push(kept);
    }
    review.override_ = Some(Override { by: "boss".into(), role: Role::Maintainer, reason: "so it says".into(), head: mr.head_sha });
    review.next = Some(next);
    review
}

/// What is left of a report, a line for each of the two findings.
fn vouched(past: &Past, mut review: Review) -> String {
    let humans = past.humans(Role::Maintainer);
    match vouch(past, &humans, &mut review) {
        Err(why) => return format!("refused: {why}"),
        Ok(Vouched::Outdated(stored)) => return format!("outdated: round {}, exit {}", stored.round, stored.exit),
        Ok(Vouched::Holds) => {}
    }
    let next = review.next.clone().expect("a state");
    let mut lines: Vec<String> = (review.findings.iter().zip(&review.prior).zip(&next.findings))
        .map(|((f, p), r)| {
            let by = p.by.as_deref().unwrap_or("-");
            format!(
                "{} {:?}; prior {:?} by {by} in {:?}; kept {:?}{}",
                p.title,
                f.status,
                p.status,
                p.thread,
                r.status,
                if r.gates { ", gates" } else { "" }
            )
        })
        .collect();
    let glass = review.override_.map_or("shut".to_owned(), |o| format!("opened by {} ({})", o.by, role_name(o.role)));
    lines.push(format!("round {}, {glass}, spent {:?}, {} notes", next.round, next.spent_usd, review.notes.len()));
    lines.join("\n")
}

#[test]
fn who_settled_what_is_read_here_and_not_in_the_report() {
    let claim = || report(FindingStatus::Settled, Status::Settled);
    let nobody = past([&[], &[]], Some(KEY));
    insta::assert_snapshot!(vouched(&nobody, claim()), @r#"
    Grave Persisting; prior Open by - in Some("t0"); kept Open
    Less so Persisting; prior Open by - in Some("t1"); kept Open
    round 2, shut, spent Some(0.25), 1 notes
    "#);
    // A stranger says so; and the author says so, who counts for what is not critical and not for the gate.
    let some = past([&[(STRANGER, "won't fix")], &[(AUTHOR, "won't fix")]], Some(KEY));
    insta::assert_snapshot!(vouched(&some, claim()), @r#"
    Grave Persisting; prior Open by - in Some("t0"); kept Open
    Less so Persisting; prior Settled by author in Some("t1"); kept Settled, gates
    round 2, shut, spent Some(0.25), 1 notes
    "#);
    let both = past([&[(MAINTAINER, "by design")], &[(DEVELOPER, "false positive")]], Some(KEY));
    insta::assert_snapshot!(vouched(&both, claim()), @r#"
    Grave Settled; prior Settled by maintainer in Some("t0"); kept Settled
    Less so Settled; prior Settled by developer in Some("t1"); kept Settled
    round 2, shut, spent Some(0.25), 0 notes
    "#);
    // The report does not say so: what is settled is not for this job to find out, since the code may have changed.
    insta::assert_snapshot!(vouched(&both, report(FindingStatus::Persisting, Status::Open)), @r#"
    Grave Persisting; prior Open by - in Some("t0"); kept Open
    Less so Persisting; prior Open by - in Some("t1"); kept Open
    round 2, shut, spent Some(0.25), 0 notes
    "#);
    // Without signed threads nobody knows what they are about.
    let unsigned = past([&[(MAINTAINER, "by design")], &[(DEVELOPER, "false positive")]], None);
    insta::assert_snapshot!(vouched(&unsigned, claim()), @r#"
    Grave Persisting; prior Open by - in Some("t0"); kept Open
    Less so Persisting; prior Open by - in Some("t1"); kept Open
    round 2, shut, spent None, 1 notes
    "#);
}

#[test]
fn a_withdrawal_needs_an_argument_and_never_takes_a_critical_one() {
    let claim = || report(FindingStatus::Settled, Status::Withdrawn);
    let argued = past([&[(DEVELOPER, "It cannot be reached.")], &[(DEVELOPER, "It runs once a year.")]], Some(KEY));
    insta::assert_snapshot!(vouched(&argued, claim()), @r#"
    Grave Persisting; prior Open by - in Some("t0"); kept Open
    Less so Settled; prior Withdrawn by developer in Some("t1"); kept Withdrawn
    round 2, shut, spent Some(0.25), 1 notes
    "#);
    let by_author = past([&[], &[(AUTHOR, "It runs once a year.")]], Some(KEY));
    insta::assert_snapshot!(vouched(&by_author, claim()), @r#"
    Grave Persisting; prior Open by - in Some("t0"); kept Open
    Less so Persisting; prior Withdrawn by author in Some("t1"); kept Withdrawn, gates
    round 2, shut, spent Some(0.25), 1 notes
    "#);
}

#[test]
fn rounds_heads_and_earlier_findings_are_those_of_this_merge_request() {
    let here = || past([&[], &[]], Some(KEY));
    let fixed = report(FindingStatus::Persisting, Status::Fixed);
    let with = |change: &dyn Fn(&mut Review, &mut State)| {
        let mut review = fixed.clone();
        let mut next = review.next.take().expect("a state");
        change(&mut review, &mut next);
        review.next = Some(next);
        vouched(&here(), review)
    };
    insta::assert_snapshot!(with(&|_, _| {}), @r#"
    Grave Persisting; prior Fixed by - in Some("t0"); kept Fixed
    Less so Persisting; prior Fixed by - in Some("t1"); kept Fixed
    round 2, shut, spent Some(0.25), 0 notes
    "#);
    insta::assert_snapshot!(with(&|_, s| s.head = sha('1')), @"refused: it is about the changes from bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb to 1111111111111111111111111111111111111111, and these go from bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb to aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    insta::assert_snapshot!(with(&|r, _| r.change.base_sha = None), @"refused: it is about the changes from bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb to aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, and these go from bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb to aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    insta::assert_snapshot!(with(&|r, s| (r.round, s.round) = (900, 900)), @r#"
    Grave Persisting; prior Fixed by - in Some("t0"); kept Fixed
    Less so Persisting; prior Fixed by - in Some("t1"); kept Fixed
    round 2, shut, spent Some(0.25), 0 notes
    "#);
    insta::assert_snapshot!(with(&|r, _| r.prior.iter_mut().for_each(|p| p.fingerprint = "f".repeat(32))), @"round 2, shut, spent Some(0.25), 0 notes");
    let mut nothing = fixed.clone();
    nothing.next = None;
    insta::assert_snapshot!(vouched(&here(), nothing), @"refused: it does not say what the next round has to know");
    // A later round of this head was published since.
    let mut later = here();
    if let Some(s) = &mut later.memory.state {
        (s.head, s.round) = (merge_request().head_sha, 3);
    }
    insta::assert_snapshot!(vouched(&later, fixed.clone()), @"outdated: round 3, exit 1");
    // This very round was: it is the same again.
    let mut same = here();
    if let Some(s) = &mut same.memory.state {
        (s.head, s.round, s.spent_usd) = (merge_request().head_sha, 2, Some(0.75));
    }
    insta::assert_snapshot!(vouched(&same, fixed), @r#"
    Grave Persisting; prior Fixed by - in Some("t0"); kept Fixed
    Less so Persisting; prior Fixed by - in Some("t1"); kept Fixed
    round 2, shut, spent Some(0.75), 0 notes
    "#);
}
