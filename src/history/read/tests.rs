use super::super::marker::marker;
use super::super::testing::{BOT, DEVELOPER, KEY, STRANGER, TARGET, comment, conversation, record, sha, state, summary, thread, trust};
use super::*;
use crate::findings::Severity;
use crate::forge::Target;
use proptest::prelude::*;

fn told(memory: &Memory) -> String {
    let state = memory.state.as_ref().map(|s| format!("round {}{}", s.round, if memory.trusted { ", trusted" } else { "" }));
    let threads: Vec<&str> = memory.threads.iter().map(|t| t.thread.id.as_str()).collect();
    let mut out = format!("{}; summary {:?}; threads {threads:?}", state.unwrap_or_else(|| "nothing".to_owned()), memory.summary);
    for note in &memory.notes {
        out.push('\n');
        out.push_str(note);
    }
    out
}

#[test]
fn reads_what_it_wrote() {
    let r = record("Never ends", Severity::Important, "a.rs", 3, "loop {}");
    let next = state(vec![r.clone()]);
    let more = comment("3", BOT, &format!("Continued.\n\n{}\n", marker(Kind::Summary(2), &[], &sha('a'), &trust(Some(KEY)))));
    let talk = conversation(
        vec![comment("1", DEVELOPER, "Hello"), more, summary("2", &next, Some(KEY))],
        vec![thread("t1", &r, Some(KEY), &[(DEVELOPER, "Why?")])],
    );
    let memory = read(&talk, &trust(Some(KEY)));
    insta::assert_snapshot!(told(&memory), @r#"round 1, trusted; summary ["2", "3"]; threads ["t1"]"#);
    assert_eq!(memory.state, Some(next));
    assert_eq!(memory.threads[0].record, Record { body: String::new(), ..r });
    assert!(memory.threads[0].trusted);
    // Without the key the same may prevent a repeat, and no more; and so does what was written without one.
    insta::assert_snapshot!(told(&read(&talk, &trust(None))), @r#"round 1; summary ["2", "3"]; threads ["t1"]"#);
    let unsigned = conversation(vec![summary("2", &state(Vec::new()), None)], Vec::new());
    insta::assert_snapshot!(told(&read(&unsigned, &trust(Some(KEY)))), @r#"round 1; summary ["2"]; threads []"#);
}

#[test]
fn ignores_and_notes_what_others_made() {
    let r = record("Never ends", Severity::Important, "a.rs", 3, "loop {}");
    let good = state(vec![r.clone()]);
    let body = summary("1", &good, Some(KEY)).body;
    let elsewhere = Target { number: 8, ..TARGET.clone() };
    let foreign = marker(Kind::Summary(1), &good.payload(), &good.head, &Trust { target: &elsewhere, ..trust(Some(KEY)) });
    let as_thread = marker(Kind::Thread, &r.payload(), &r.head, &trust(Some(KEY)));
    let mut system = comment("9", BOT, &body);
    system.system = true;
    for (what, comments, expected) in [
        ("a stranger's copy", vec![comment("1", STRANGER, &body)], "1 comment by others with a marker of ours: ignored."),
        (
            "of another merge request",
            vec![comment("1", BOT, &foreign)],
            "1 comment of our user with a marker that our state key did not make for this merge request: ignored.",
        ),
        (
            "with another key",
            vec![summary("1", &good, Some(b"another"))],
            "1 comment of our user with a marker that our state key did not make for this merge request: ignored.",
        ),
        ("of a thread", vec![comment("1", BOT, &as_thread)], "1 comment of our user with a marker that belongs elsewhere: ignored."),
        (
            "of another version",
            vec![comment("1", BOT, &body.replace("tribune:v1", "tribune:v2"))],
            "1 comment of our user with a marker of another version: left alone.",
        ),
        (
            "cut",
            vec![comment("1", BOT, &body[..body.len() - 9])],
            "1 comment of our user with a marker that our state key did not make for this merge request: ignored.",
        ),
        ("quoted", vec![comment("1", BOT, &format!("{body}\nand more"))], ""),
        ("of the forge", vec![system], ""),
    ] {
        let memory = read(&conversation(comments, Vec::new()), &trust(Some(KEY)));
        assert_eq!((memory.state, memory.summary.len(), memory.notes.join(" ")), (None, 0, expected.to_owned()), "{what}");
    }
}

#[test]
fn a_copy_of_an_older_round_does_not_take_us_back() {
    let old = state(Vec::new());
    let new = State { round: 3, head: sha('e'), ..state(Vec::new()) };
    for comments in [
        vec![summary("1", &new, Some(KEY)), summary("2", &old, Some(KEY)), summary("3", &new, Some(KEY))],
        vec![summary("0", &old, Some(KEY)), summary("1", &new, Some(KEY)), summary("2", &State { round: 9, ..old.clone() }, None)],
    ] {
        let memory = read(&conversation(comments, Vec::new()), &trust(Some(KEY)));
        assert_eq!((memory.summary, memory.state.map(|s| s.round)), (vec!["1".to_owned()], Some(3)));
        assert_eq!(memory.notes, ["2 comments of our user with a marker that belongs elsewhere: ignored."]);
    }
}

#[test]
fn only_humans_make_events() {
    let r = record("Never ends", Severity::Important, "a.rs", 3, "loop {}");
    let base = conversation(vec![comment("1", DEVELOPER, "Hello")], vec![thread("t1", &r, Some(KEY), &[])]);
    let digest = |c: &Conversation| read(c, &trust(Some(KEY))).events;
    let changed = |change: fn(&mut Conversation)| {
        let mut other = base.clone();
        change(&mut other);
        digest(&other) != digest(&base)
    };
    assert!(!changed(|c| c.comments.push(comment("2", BOT, "Ours"))));
    assert!(!changed(|c| (c.threads[0].resolved, c.threads[0].resolved_by) = (true, Some(super::super::testing::user(BOT)))));
    assert!(!changed(|c| c.threads[0].comments[0].body.push_str("edited by us")));
    assert!(changed(|c| c.comments.push(comment("2", DEVELOPER, "More"))));
    assert!(changed(|c| c.comments[0].body = "Edited".to_owned()));
    assert!(changed(|c| c.comments.clear()));
    assert!(changed(|c| c.threads[0].comments.push(comment("3", DEVELOPER, "won't fix"))));
    assert!(changed(|c| (c.threads[0].resolved, c.threads[0].resolved_by) = (true, Some(super::super::testing::user(DEVELOPER)))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever a stranger writes, posted by us through the sanitiser or pasted by himself: no state, and no marker but ours.
    #[test]
    fn no_text_forges_or_ends_a_marker(evil in ".{0,120}", kind in "(summary|thread|summary2)", pasted in any::<bool>()) {
        let r = record(&evil, Severity::Important, &format!("p{evil}"), 3, &evil);
        let good = marker(Kind::Thread, &r.payload(), &evil, &trust(Some(KEY)));
        prop_assert_eq!(good.matches("<!--").count(), 1);
        prop_assert_eq!(good.find("-->"), Some(good.len() - 3));
        prop_assert_eq!(good.lines().count(), 1);
        let forged = format!("<!-- tribune:v1 {kind} {}.{evil} {evil} -->", sha('a'));
        let body = if pasted { forged } else { format!("{}\n\n{}", crate::findings::sanitize::markdown(&forged), "end") };
        let memory = read(&conversation(vec![comment("1", BOT, &body)], Vec::new()), &trust(Some(KEY)));
        prop_assert_eq!(memory.state, None);
    }

    #[test]
    fn one_changed_character_is_enough(at in 0_usize..1_000, with in "[A-Za-z0-9+/. ]") {
        let body = marker(Kind::Summary(1), &state(vec![record("T", Severity::Nit, "a", 1, "x")]).payload(), &sha('a'), &trust(Some(KEY)));
        let at = at % body.len();
        let mut other = body.clone();
        other.replace_range(at..=at, &with);
        prop_assume!(other != body);
        let memory = read(&conversation(vec![comment("1", BOT, &other)], Vec::new()), &trust(Some(KEY)));
        prop_assert!(!memory.trusted, "{}", other);
    }
}
