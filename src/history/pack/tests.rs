use super::super::marker::{Kind, marker};
use super::super::testing::{KEY, record, sha, state, trust};
use super::*;
use proptest::prelude::*;

/// Titles, paths and bodies of the kind that reviewers write, no two the same.
fn findings(n: usize) -> Vec<Record> {
    let words = "request response timeout retry lock buffer index offset header cookie session token parser stream thread cache \
                 handler writer reader socket channel future cursor record bucket shard replica leader quorum ledger invoice";
    let words: Vec<&str> = words.split_whitespace().collect();
    let word = |i: usize| words[(i * 7 + i / 5) % words.len()];
    let path = |i: usize| format!("services/{}/src/{}/{}_{}.rs", word(i / 25), word(i / 9 + 3), word(i / 4 + 1), word(i / 4 + 11));
    (0..n)
        .map(|i| {
            let quote = format!("let {} = {}.{}({i});", word(i), word(i + 2), word(i + 5));
            let title = format!("The {} outlives the {} when the {} {} fails", word(i), word(i + 3), word(i * 3), word(i * 5 + 1));
            let mut r = record(&title, Severity::Important, &path(i), u32::try_from(i).unwrap_or(0) * 13 % 900 + 1, &quote);
            r.symbol = format!("{}_{}", word(i + 9), word(i + 4));
            r.body = format!("When {} is empty and the {} has been closed, {} panics. Check it first.", word(i + 1), word(i + 8), word(i + 13));
            r
        })
        .collect()
}

#[test]
fn a_summary_holds_five_hundred_findings_and_a_thread_is_small() {
    let mut all = state(findings(500));
    all.files = (0..400).map(|i| file_tag(KEY, &RepoPath::from("a"), &format!("{i}"), "quality")).collect();
    let text = marker(Kind::Summary(1), &all.payload(), &all.head, &trust(Some(KEY)));
    assert!(text.len() < 40_000, "{}", text.len());
    let back = State::unpack(&all.payload(), &all.head).expect("readable");
    assert_eq!(back.findings.len(), 500);
    for (one, other) in all.findings.iter().zip(&back.findings) {
        assert_eq!((&one.fingerprint, &one.path, one.place, &one.code), (&other.fingerprint, &other.path, other.place, &other.code));
        assert_eq!(one.title, other.title);
    }
    let thread = all.findings.iter().map(|r| marker(Kind::Thread, &r.payload(), &r.head, &trust(Some(KEY))).len()).max();
    assert!(thread < Some(900), "{thread:?}");
}

#[test]
fn few_findings_are_kept_whole() {
    let mut all = state(findings(20));
    all.findings[0].status = Status::Fixed;
    all.findings[0].body = String::new();
    all.findings[1].path = RepoPath::new(b"caf\xe9/\xff.rs".to_vec());
    all.findings[2].old_path = Some(RepoPath::from("old.rs"));
    all.findings[3].place = Place::File;
    all.findings[4] = Record {
        status: Status::Settled,
        by: Some("developer".to_owned()),
        gates: true,
        also: vec!["security".to_owned()],
        ..all.findings[4].clone()
    };
    assert_eq!(State::unpack(&all.payload(), &all.head), Some(all.clone()));
    assert_eq!(State::from_text(&all.to_text()), Some(all));
}

#[test]
fn what_does_not_fit_loses_texts_first_and_findings_last() {
    let noise =
        |i: usize, n: usize| (0..n).map(|k| char::from_u32(0x4e00 + ((i * 7919 + k * 104_729) % 20_000) as u32).unwrap_or('x')).collect::<String>();
    let mut all = state(findings(500));
    for (i, r) in all.findings.iter_mut().enumerate() {
        r.title = noise(i, 80);
        r.path = RepoPath::from(noise(i + 1_000, 800).as_str());
    }
    let back = State::unpack(&all.payload(), &all.head).expect("readable");
    assert!(all.payload().len() <= MAX_STATE);
    assert_eq!(back.findings.len(), 500);
    assert!(back.findings.iter().zip(&all.findings).all(|(a, b)| a.fingerprint == b.fingerprint));
    let thread = all.findings[3].payload();
    assert!(thread.len() <= MAX_RECORD);
    assert_eq!(Record::unpack(&thread, &sha('a')).map(|r| r.fingerprint), Some(all.findings[3].fingerprint.clone()));
    let many = state(findings(4_000));
    assert!(many.payload().len() <= MAX_STATE && State::unpack(&many.payload(), "").is_some_and(|s| s.findings.len() > 500));
}

#[test]
fn a_bomb_is_no_payload() {
    let bomb = compress_to_vec(&vec![b'['; MAX_UNPACKED + 1], 9);
    assert!(bomb.len() < MAX_STATE);
    assert_eq!(State::unpack(&bomb, ""), None);
    assert_eq!(State::unpack(&compress_to_vec(&vec![b'['; 100_000], 9), ""), None);
    assert_eq!(State::unpack(&vec![0; MAX_STATE * 2 + 1], ""), None);
}

#[test]
fn code_ignores_white_space_only() {
    assert_eq!((code("  a  = 1\n\tb").as_str(), code(" \n")), ("028fb94cf2da", String::new()));
    assert_eq!(code("a = 1 b"), code("  a  = 1\r\n\tb"));
    assert_ne!(code("a = 1"), code("a=1"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400), json in r#"[\[\]{}",:hfrcq0-9]{0,200}"#) {
        for payload in [&bytes, &compress_to_vec(&bytes, 1), &compress_to_vec(json.as_bytes(), 1)] {
            State::unpack(payload, "");
            Record::unpack(payload, "");
        }
    }

    #[test]
    fn any_texts_come_back(title in ".{0,80}", body in ".{0,200}", path in "[^\0]{1,60}", by in ".{0,20}") {
        let mut r = record(&title, Severity::Nit, &path, 3, "x()");
        r.body = body;
        r.by = Some(by).filter(|b| !b.is_empty());
        let all = state(vec![r]);
        prop_assert_eq!(State::unpack(&all.payload(), &all.head), Some(all));
    }
}
