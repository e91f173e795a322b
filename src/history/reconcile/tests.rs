//! Rounds over a hand-made merge request.

use super::super::testing::{AUTHOR, DEVELOPER, KEY, MAINTAINER};
use super::world::World;
use super::*;
use crate::findings::Category;

const RUN: &str = "fn run(cmd: &str) {\n    shell(cmd);\n}\n\nfn log(text: &str) {\n    print(text);\n}\n";
const RETRY: &str = "fn retry() {\n    loop {\n        get();\n    }\n}\n";

fn two(w: &World) -> Vec<Finding> {
    vec![w.finding(Severity::Critical, "Runs anything", "run.rs", "shell(cmd)"), w.finding(Severity::Important, "Never ends", "retry.rs", "loop")]
}

#[test]
fn the_six_rounds() {
    let mut w = World::new(&[]);
    insta::assert_snapshot!(w.round(&[("run.rs", RUN), ("retry.rs", RETRY)], two), @"
    New Critical run.rs:2 Runs anything
    New Important retry.rs:2 Never ends
    gate: closed
    ");
    // Thirty lines above one, the other renamed; the reviewer tells only one of them again, in other words.
    let longer = format!("{}{RUN}", "// text\n".repeat(30));
    w.renamed = vec![("retry.rs", "net/retry.rs")];
    let files = [("run.rs", longer.as_str()), ("net/retry.rs", RETRY)];
    insta::assert_snapshot!(w.round(&files, |w| vec![w.finding(Severity::Important, "A shell gets it", "run.rs", "shell(cmd)")]), @"
    Persisting Critical run.rs:32 A shell gets it
    Persisting Important net/retry.rs:2 Never ends
    gate: closed
    ");
    let mended = longer.replace("shell(cmd)", "exec([cmd])");
    let files = [("run.rs", mended.as_str()), ("net/retry.rs", RETRY)];
    insta::assert_snapshot!(w.round(&files, |_| Vec::new()), @"
    Persisting Important net/retry.rs:2 Never ends
    (Fixed: A shell gets it: the code that it is about is gone)
    gate: open
    ");
    w.reply(1, DEVELOPER, "won't fix: the server ends it");
    let unrelated = mended.replace("print(text)", "print_all(text)");
    let files = [("run.rs", unrelated.as_str()), ("net/retry.rs", RETRY)];
    insta::assert_snapshot!(w.round(&files, |w| vec![w.finding(Severity::Important, "Never ends", "net/retry.rs", "loop")]), @"
    Settled Important net/retry.rs:2 Never ends
    (Settled by developer: Never ends: won't fix)
    gate: open
    ");
    // Rebased and force-pushed: git does not have the head of before any more.
    w.has_last = false;
    let rebased = format!("// from the target\n{RETRY}");
    let files = [("run.rs", unrelated.as_str()), ("net/retry.rs", rebased.as_str())];
    insta::assert_snapshot!(w.round(&files, |w| vec![w.finding(Severity::Important, "Never ends", "net/retry.rs", "loop")]), @"
    Settled Important net/retry.rs:3 Never ends
    (Settled by developer: Never ends: won't fix)
    gate: open
    ");
    w.has_last = true;
    insta::assert_snapshot!(w.round(&files, |_| Vec::new()), @"
    Settled Important net/retry.rs:3 Never ends
    (Settled by developer: Never ends: won't fix)
    gate: open
    ");
    assert_eq!(w.threads.len(), 2);
}

/// The two findings told, then another round on the same head with these replies in the threads.
fn answered(change: impl FnOnce(&mut World), again: bool) -> String {
    let files = [("run.rs", RUN), ("retry.rs", RETRY)];
    let mut w = World::new(&[]);
    w.round(&files, two);
    change(&mut w);
    w.round(&files, |w| if again { two(w) } else { Vec::new() })
}

#[test]
fn the_gate_hears_others_and_for_the_worst_a_maintainer() {
    insta::assert_snapshot!(answered(|w| { w.reply(0, DEVELOPER, "by design"); w.reply(1, AUTHOR, "by design"); }, true), @"
    Persisting Critical run.rs:2 Runs anything
    Persisting Important retry.rs:2 Never ends
    (Settled by developer: Runs anything: by design; for the gate it counts on, because that takes another role or person)
    (Settled by author: Never ends: by design; for the gate it counts on, because that takes another role or person)
    gate: closed
    ");
    insta::assert_snapshot!(answered(|w| w.reply(0, MAINTAINER, "accepted risk"), false), @"
    Settled Critical run.rs:2 Runs anything
    Persisting Important retry.rs:2 Never ends
    (Settled by maintainer: Runs anything: accepted risk)
    gate: open
    ");
}

#[test]
fn an_answer_that_is_not_contradicted_withdraws_but_never_a_critical() {
    let argue = |w: &mut World| {
        w.reply(0, DEVELOPER, "cmd is a constant");
        w.reply(1, DEVELOPER, "get() panics after a while");
    };
    insta::assert_snapshot!(answered(argue, false), @"
    Persisting Critical run.rs:2 Runs anything
    Settled Important retry.rs:2 Never ends
    (Withdrawn by developer: Never ends: its reviewer did not repeat it after an answer)
    gate: closed
    ");
    // Contradicted, or its reviewer failed.
    let persists = "Persisting Critical run.rs:2 Runs anything\nPersisting Important retry.rs:2 Never ends\ngate: closed";
    let both = |change: fn(&mut World)| {
        answered(
            |w| {
                argue(w);
                change(w);
            },
            false,
        )
    };
    assert_eq!(both(|w| w.says("P2", false, "get() never panics")), persists);
    assert_eq!(both(|w| w.failed = true), persists);
    // What was heard once is no answer to silence later.
    let files = [("run.rs", RUN), ("retry.rs", RETRY)];
    let mut w = World::new(&[]);
    w.round(&files, two);
    argue(&mut w);
    w.says("P2", false, "get() never panics");
    w.round(&files, |_| Vec::new());
    assert_eq!(w.round(&files, |_| Vec::new()), persists);
}

#[test]
fn a_retry_never_opens_the_gate() {
    // Silent, milder, without lines, failed: the critical finding stands.
    let files = [("run.rs", RUN), ("retry.rs", RETRY)];
    let milder = |w: &World| vec![w.finding(Severity::Nit, "Runs anything", "run.rs", "shell(cmd)")];
    let placeless = |w: &World| vec![Finding { anchor: Anchor::File, ..w.finding(Severity::Critical, "Runs anything", "run.rs", "shell(cmd)") }];
    let silent = |_: &World| Vec::new();
    for again in [&milder as &dyn Fn(&World) -> Vec<Finding>, &placeless, &silent] {
        for key in [Some(KEY), None] {
            for has_last in [true, false] {
                let mut w = World { key, ..World::new(&[]) };
                w.round(&files, |w| two(w)[..1].to_vec());
                w.has_last = has_last;
                w.says("P1", true, "I was wrong");
                assert_eq!(w.round(&files, again), "Persisting Critical run.rs:2 Runs anything\ngate: closed");
            }
        }
    }
}

#[test]
fn a_reviewer_says_fixed_only_where_something_was_pushed() {
    let guarded = RUN.replace("{\n    shell", "{\n    check(cmd);\n    shell");
    let elsewhere = RUN.replace("print(text)", "write(text)");
    let ask = |text: &str, id: &str, fixed: bool| {
        let mut w = World::new(&[]);
        w.round(&[("run.rs", RUN)], two_of);
        w.says(id, fixed, "cmd is checked now");
        w.round(&[("run.rs", text)], |_| Vec::new())
    };
    fn two_of(w: &World) -> Vec<Finding> {
        vec![w.finding(Severity::Critical, "Runs anything", "run.rs", "shell(cmd)")]
    }
    insta::assert_snapshot!(ask(&guarded, "p1 ", true), @"
    (Fixed: Runs anything: cmd is checked now)
    gate: open
    ");
    for (text, id, fixed) in [(guarded.as_str(), "P1", false), (&guarded, "P2", true), (&elsewhere, "P1", true)] {
        assert!(ask(text, id, fixed).ends_with("Runs anything\ngate: closed"), "{id} {fixed}");
    }
}

#[test]
fn gone_code_counts_only_for_who_looked() {
    let mended = RUN.replace("shell(cmd)", "exec([cmd])");
    let mut w = World::new(&[]);
    w.round(&[("run.rs", RUN)], two_first);
    fn two_first(w: &World) -> Vec<Finding> {
        vec![w.finding(Severity::Critical, "Runs anything", "run.rs", "shell(cmd)"), w.hit("A-ONE", "run.rs", "print(text)")]
    }
    (w.failed, w.rules_read) = (true, false);
    insta::assert_snapshot!(w.round(&[("run.rs", mended.as_str())], |_| Vec::new()), @"
    Persisting Critical run.rs:- Runs anything
    Persisting Important run.rs:6 A rule
    gate: open
    ");
    (w.failed, w.rules_read) = (false, true);
    insta::assert_snapshot!(w.round(&[("run.rs", mended.as_str())], |_| Vec::new()), @"
    (Fixed: Runs anything: the code that it is about is gone)
    (Fixed: A rule: the rule does not hit there any more)
    gate: open
    ");
    // It comes back: that is new, and told again.
    insta::assert_snapshot!(w.round(&[("run.rs", RUN)], two_first), @"
    New Critical run.rs:2 Runs anything
    New Important run.rs:6 A rule
    gate: closed
    ");
}

#[test]
fn settled_code_that_changes_is_told_again() {
    let mut w = World::new(&[]);
    w.round(&[("retry.rs", RETRY)], |w| vec![w.finding(Severity::Important, "Never ends", "retry.rs", "loop")]);
    w.reply(0, DEVELOPER, "won't fix");
    let files = RETRY.replace("get();", "get();\n        count += 1;");
    let again = |w: &World| vec![w.finding(Severity::Important, "Never ends", "retry.rs", "loop")];
    insta::assert_snapshot!(w.round(&[("retry.rs", files.as_str())], again), @"
    New Important retry.rs:2 Never ends
    gate: open
    ");
    // Its new thread is the one that counts from now on.
    insta::assert_snapshot!(w.round(&[("retry.rs", files.as_str())], again), @"
    Persisting Important retry.rs:2 Never ends
    gate: open
    ");
}

#[test]
fn reviewed_code_brings_nothing_new_but_the_worst() {
    let mut w = World::new(&[]);
    w.round(&[("run.rs", RUN), ("retry.rs", RETRY)], |_| Vec::new());
    let pushed = RETRY.replace("get();", "get_all();");
    let found = |w: &World| {
        vec![
            w.finding(Severity::Important, "Old news", "run.rs", "print(text)"),
            w.finding(Severity::Critical, "Bad news", "run.rs", "shell(cmd)"),
            w.finding(Severity::Important, "News", "retry.rs", "get_all"),
            w.hit("A-ONE", "run.rs", "fn log"),
        ]
    };
    insta::assert_snapshot!(w.round(&[("run.rs", RUN), ("retry.rs", pushed.as_str())], found), @"
    New Critical run.rs:2 Bad news
    New Important retry.rs:3 News
    New Important run.rs:5 A rule
    (dropped: Old news: its code was reviewed in round 1 and has not changed since: only critical findings are new there)
    gate: closed
    ");
    // A memory that cannot be believed holds nothing back.
    let mut w = World { key: None, ..World::new(&[]) };
    w.round(&[("run.rs", RUN)], |_| Vec::new());
    assert!(w.round(&[("run.rs", RUN)], |w| vec![w.finding(Severity::Nit, "N", "run.rs", "print(text)")]).starts_with("New Nit"));
}

#[test]
fn without_a_key_nothing_is_told_twice_and_nothing_is_settled() {
    let files = [("run.rs", RUN), ("retry.rs", RETRY)];
    let mut w = World { key: None, ..World::new(&[]) };
    w.round(&files, two);
    w.reply(1, MAINTAINER, "won't fix");
    insta::assert_snapshot!(w.round(&files, two), @"
    Persisting Critical run.rs:2 Runs anything
    Persisting Important retry.rs:2 Never ends
    (note: Replies that settle a finding do not count: without TRIBUNE_STATE_KEY nobody can say what a thread is about.)
    gate: closed
    ");
}

#[test]
fn a_killed_run_left_threads_and_no_summary() {
    let files = [("run.rs", RUN), ("retry.rs", RETRY)];
    let mut w = World::new(&[]);
    w.round(&files, two);
    w.left = None;
    insta::assert_snapshot!(w.round(&files, two), @"
    Persisting Critical run.rs:2 Runs anything
    Persisting Important retry.rs:2 Never ends
    gate: closed
    ");
}

#[test]
fn what_a_model_said_of_a_hit_s_line_stands_as_long_as_that_line() {
    let mut w = World::new(&[]);
    let with = |w: &World| {
        let mut hit = w.hit("A-ONE", "run.rs", "shell(cmd)");
        hit.body.push_str("\n\nAlso: It leaks the key.");
        vec![Finding { severity: Severity::Critical, ..hit }]
    };
    w.round(&[("run.rs", RUN)], with);
    // The next run's models say nothing: the rule hits as it always does.
    let moved = format!("// text\n{RUN}");
    insta::assert_snapshot!(w.round(&[("run.rs", &moved)], |w| vec![w.hit("A-ONE", "run.rs", "shell(cmd)")]), @"
    Persisting Critical run.rs:3 A rule
    gate: closed
    ");
    assert_eq!(w.left.as_ref().expect("a state").findings[0].body, "A rule, because.\n\nAlso: It leaks the key.");
    let other = moved.replace("shell(cmd)", "shell(&cmd)");
    let told = w.round(&[("run.rs", &other)], |w| vec![w.hit("A-ONE", "run.rs", "shell(&cmd)")]);
    assert!(told.contains("Persisting Important run.rs:3 A rule"), "{told}");
}

#[test]
fn two_defects_on_one_line_stay_two() {
    let mut w = World::new(&[]);
    let pair = |w: &World| {
        let one = w.finding(Severity::Critical, "Runs anything", "run.rs", "shell(cmd)");
        vec![one.clone(), Finding { fingerprint: "0123".repeat(8), category: Category::Security, title: "Leaks it".to_owned(), ..one }]
    };
    w.round(&[("run.rs", RUN)], pair);
    insta::assert_snapshot!(w.round(&[("run.rs", RUN)], pair), @"
    Persisting Critical run.rs:2 Runs anything
    Persisting Critical run.rs:2 Leaks it
    gate: closed
    ");
}
