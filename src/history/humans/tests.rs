use super::super::testing::{
    AUTHOR, BOT, DEVELOPER, KEY, MAINTAINER, STRANGER, TARGET, comment, conversation, merge_request, record, sha, state, summary, thread, trust, user,
};
use super::super::{Past, Status, read};
use super::*;
use crate::forge::Thread;

fn roles() -> Roles {
    Roles::from([(AUTHOR, Role::Developer), (DEVELOPER, Role::Developer), (MAINTAINER, Role::Maintainer)])
}

/// One thread on a finding of that severity, and what was understood of it.
fn understood(severity: Severity, key: Option<&'static [u8]>, change: impl FnOnce(&mut Thread)) -> (Vec<String>, Humans) {
    let mut t = thread("t1", &record("Never ends", severity, "a.rs", 3, "loop {}"), key, &[]);
    change(&mut t);
    let memory = read(&conversation(Vec::new(), vec![t]), &trust(Some(KEY)));
    let asked = memory.asked(&merge_request()).into_iter().map(|u| u.name).collect();
    (asked, memory.humans(&merge_request(), &roles(), Role::Maintainer))
}

fn told(humans: &Humans) -> String {
    let settled = humans.settled.values().map(|s| format!("settled by {} ({}){}", s.by, s.how, if s.gates { ", still gates" } else { "" }));
    let argued = humans.arguments.values().flatten().map(|a| format!("{} argues: {}", a.by, a.text));
    let all: Vec<String> = settled.chain(argued).chain(humans.notes.iter().cloned()).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(" / ") }
}

#[test]
fn who_settles_what() {
    use Severity::{Critical, Important};
    for (severity, by, body, expected) in [
        (Important, DEVELOPER, "won't fix", "settled by developer (won't fix)"),
        (Important, AUTHOR, "won't fix", "settled by author (won't fix), still gates"),
        (Important, STRANGER, "won't fix", "stranger cannot settle “Never ends”: the role is reader."),
        (Important, BOT, "won't fix", "nothing"),
        (Critical, DEVELOPER, "by design", "settled by developer (by design), still gates"),
        (Critical, MAINTAINER, "by design", "settled by maintainer (by design)"),
        (Important, DEVELOPER, "The caller checks this.", "developer argues: The caller checks this."),
        (Important, STRANGER, "The caller checks this.", "nothing"),
        (Important, DEVELOPER, "> won't fix", "developer argues: > won't fix"),
    ] {
        let (_, humans) = understood(severity, Some(KEY), |t| t.comments.push(comment("2", by, body)));
        assert_eq!(told(&humans), expected, "{by} {body}");
    }
}

#[test]
fn only_what_stands_and_can_be_known_counts() {
    let reply = |body: &str| comment("2", DEVELOPER, body);
    let edited = understood(Severity::Important, Some(KEY), |t| t.comments.push(Comment { edited: true, ..reply("won't fix") }));
    assert_eq!(told(&edited.1), "developer argues: won't fix");
    let system = understood(Severity::Important, Some(KEY), |t| t.comments.push(Comment { system: true, ..reply("won't fix") }));
    assert_eq!((told(&system.1).as_str(), system.0.len()), ("nothing", 0));
    let first = understood(Severity::Important, Some(KEY), |t| t.comments[0].body.insert_str(0, "won't fix\n\n"));
    assert_eq!(told(&first.1), "nothing");
    let (asked, unsigned) = understood(Severity::Important, None, |t| t.comments.push(reply("won't fix")));
    assert_eq!(asked.len(), 0);
    assert_eq!(told(&unsigned), "Replies that settle a finding do not count: without TRIBUNE_STATE_KEY nobody can say what a thread is about.");
    let (asked, both) = understood(Severity::Important, Some(KEY), |t| {
        t.comments.extend([comment("2", AUTHOR, "won't fix"), comment("3", DEVELOPER, "by design: agreed"), comment("4", AUTHOR, "Thanks")]);
    });
    assert_eq!(asked, ["author", "developer"]);
    assert_eq!(told(&both), "settled by developer (by design) / author argues: Thanks");
}

#[test]
fn a_finding_that_became_critical_takes_a_maintainer() {
    let r = record("Never ends", Severity::Important, "a.rs", 3, "loop {}");
    let worse = Record { severity: Severity::Critical, ..r.clone() };
    let left = summary("1", &state(vec![worse]), Some(KEY));
    let memory = read(&conversation(vec![left], vec![thread("t1", &r, Some(KEY), &[(DEVELOPER, "won't fix")])]), &trust(Some(KEY)));
    assert_eq!(told(&memory.humans(&merge_request(), &roles(), Role::Maintainer)), "settled by developer (won't fix), still gates");
}

#[test]
fn answers_in_a_copy_of_a_thread_are_none() {
    let r = record("Never ends", Severity::Important, "a.rs", 3, "loop {}");
    let threads = vec![thread("t1", &r, Some(KEY), &[]), thread("t2", &r, Some(KEY), &[(DEVELOPER, "won't fix")])];
    let memory = read(&conversation(Vec::new(), threads), &trust(Some(KEY)));
    assert_eq!(memory.notes, ["1 comment of our user with a marker that belongs elsewhere: ignored."]);
    assert_eq!(told(&memory.humans(&merge_request(), &roles(), Role::Maintainer)), "nothing");
}

#[test]
fn a_thread_that_calls_itself_withdrawn_settles_nothing() {
    let withdrawn = Record { status: Status::Withdrawn, ..record("Never ends", Severity::Important, "a.rs", 3, "loop {}") };
    for key in [Some(KEY), None] {
        let talk = conversation(vec![summary("1", &state(Vec::new()), Some(KEY))], vec![thread("t1", &withdrawn, key, &[])]);
        let past = Past { target: TARGET.clone(), mr: merge_request(), memory: read(&talk, &trust(Some(KEY))), roles: roles(), full: false };
        assert_eq!(past.standing(&Humans::default())[0].status, Status::Open);
    }
}

#[test]
fn resolving_is_a_word_too() {
    let resolved = |by: Option<u64>| told(&understood(Severity::Important, Some(KEY), |t| (t.resolved, t.resolved_by) = (true, by.map(user))).1);
    assert_eq!(resolved(Some(DEVELOPER)), "settled by developer (resolved the thread)");
    assert_eq!(resolved(Some(STRANGER)), "stranger cannot settle “Never ends”: the role is reader.");
    // We, or nobody knows who.
    assert_eq!((resolved(Some(BOT)), resolved(None)), ("nothing".to_owned(), "nothing".to_owned()));
}

#[test]
fn the_gate_opens_for_a_maintainer_and_this_head_only() {
    let line = |head: char| format!("tribune break glass {}: production is down", &sha(head)[..12]);
    let glass = |comment: Comment| {
        let memory = read(&conversation(vec![comment], Vec::new()), &trust(None));
        let humans = memory.humans(&merge_request(), &roles(), Role::Maintainer);
        (humans.glass.map(|g| format!("{} as {}: {}", g.by, role_name(g.role), g.reason)), humans.notes.join(""))
    };
    let (open, shut) = (|t: &str| (Some(t.to_owned()), String::new()), |t: &str| (None, t.to_owned()));
    assert_eq!(glass(comment("1", MAINTAINER, &line('a'))), open("maintainer as maintainer: production is down"));
    assert_eq!(glass(comment("1", DEVELOPER, &line('a'))), shut("The break glass by developer does not count: the role is developer."));
    assert_eq!(glass(comment("1", STRANGER, &line('a'))), shut("The break glass by stranger does not count: the role is reader."));
    assert_eq!(glass(comment("1", MAINTAINER, &line('b'))), shut("The break glass by maintainer does not count: it is about another head."));
    let edited = Comment { edited: true, ..comment("1", MAINTAINER, &line('a')) };
    assert_eq!(glass(edited), shut("The break glass by maintainer does not count: it was edited."));
    for ignored in [comment("1", BOT, &line('a')), comment("1", MAINTAINER, &format!("> {}", line('a')))] {
        assert_eq!(glass(ignored), shut(""));
    }
}
