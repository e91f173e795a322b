//! The diff as models see it.

use super::fake::{Fake, file_diff, mask, read};
use crate::context::render::{Rendered, render};
use crate::context::{Analysis, Bundle, Material, Part, bundles};
use crate::diff::{FileMode, FileStatus, LineKind};
use crate::path::RepoPath;
use proptest::prelude::*;

fn rendered(fake: &Fake, widen: usize) -> Rendered {
    let change = fake.to_change();
    rendered_of(fake, &change, widen)
}

fn rendered_of(fake: &Fake, change: &crate::change::Change, widen: usize) -> Rendered {
    let private = |p: &RepoPath| fake.private.iter().any(|x| p.display().starts_with(x));
    let all: Vec<usize> = (0..change.files.len()).collect();
    let analysis = read(change, fake, &all, &private);
    let bundle = bundles(change, &all, &analysis, 1_000_000).remove(0);
    render(&Material { change, repo: fake, analysis: &analysis, mask: &mask, private: &private }, &bundle, widen)
}

const CLIENT: &str = "use std::io;\n\nimpl Client {\n    /// Sends.\n    fn send(&self) -> u8 {\n        let a = 1;\n        let b = 2;\n        let c = 3;\n        let d = 4;\n        let e = 5;\n        let f = 6;\n        let g = 7;\n        let h = 8;\n        let i = 9;\n        a + g\n    }\n}\n";

#[test]
fn widens_to_the_symbol_and_merges() {
    let new = CLIENT.replace("let a = 1", "let a = 10").replace("a + g", "a - g");
    let fake = Fake::default().change("src/client.rs", CLIENT, &new);
    insta::assert_snapshot!(rendered(&fake, 4_000).page.as_str(), @r"
    ## src/client.rs
    @@ -3,15 +3,15 @@
     impl Client {
         /// Sends.
         fn send(&self) -> u8 {
    -        let a = 1;
    +        let a = 10;
             let b = 2;
             let c = 3;
             let d = 4;
             let e = 5;
             let f = 6;
             let g = 7;
             let h = 8;
             let i = 9;
    -        a + g
    +        a - g
         }
     }
    ");
    // Without a budget: git's own hunks, and what encloses them by name.
    insta::assert_snapshot!(rendered(&fake, 0).page.as_str(), @r"
    ## src/client.rs
    @@ -3,7 +3,7 @@
     impl Client {
         /// Sends.
         fn send(&self) -> u8 {
    -        let a = 1;
    +        let a = 10;
             let b = 2;
             let c = 3;
             let d = 4;
    @@ -12,6 +12,6 @@ impl Client > fn send(&self) -> u8
             let g = 7;
             let h = 8;
             let i = 9;
    -        a + g
    +        a - g
         }
     }
    ");
}

#[test]
fn widens_to_the_block_of_a_long_function() {
    let filler: String = (0..80).map(|n| format!("    step({n});\n")).collect();
    let text = format!(
        "fn long() {{\n{filler}    match kind {{\n        One => {{\n            a();\n            b();\n            c();\n            d();\n            e();\n        }}\n        Two => f(),\n    }}\n{filler}}}\n"
    );
    let fake = Fake::default().change("a.rs", &text, &text.replace("e();", "e(1);"));
    insta::assert_snapshot!(rendered(&fake, 4_000).page.as_str(), @r"
    ## a.rs
    @@ -82,10 +82,10 @@ fn long()
         match kind {
             One => {
                 a();
                 b();
                 c();
                 d();
    -            e();
    +            e(1);
             }
             Two => f(),
         }
    ");
    insta::assert_snapshot!(rendered(&fake, 0).page.as_str().lines().nth(1).unwrap_or_default(), @"@@ -85,7 +85,7 @@ fn long() > match kind > One =>");
}

#[test]
fn says_what_it_does_not_show() {
    let long = format!("let x = \"{}\";", "a".repeat(5_000));
    let fake = Fake::default().change("a.rs", "fn a() {}\n", &format!("fn a() {{}}\n{long}\n")).change(
        "private/key.rs",
        "fn a() {}\n",
        "const KEY: u8 = 1;\n",
    );
    let fake = Fake { private: vec!["private/"], ..fake };
    let out = rendered(&fake, 0);
    let shown = out.page.as_str().replace(&"a".repeat(1_991), "AAA");
    insta::assert_snapshot!(shown, @r#"
    ## a.rs
    @@ -1,1 +1,2 @@
     fn a() {}
    +let x = "AAA[… 3011 bytes cut]
    ## private/key.rs
    [private path: contents are not shown]
    "#);
    insta::assert_snapshot!(format!("{:?}", out.bounded), @r#"
    [("a.rs", "line 2 is cut after 2000 of its 5011 bytes"), ("private/key.rs", "private path: no model saw its contents")]
    "#);
}

#[test]
fn outlines_deleted_files() {
    let text: String = (0..30).map(|n| format!("/// Does {n}.\nfn f{n}(a: u8) {{\n    a\n}}\n")).collect();
    let out = rendered(&Fake::default().change("gone.rs", &text, ""), 0);
    let lines: Vec<&str> = out.page.as_str().lines().collect();
    assert_eq!(lines.len(), 2 + 40 + 1 + 20);
    insta::assert_snapshot!([&lines[..4], &lines[42..46]].concat().join("\n"), @r"
    ## gone.rs (deleted)
    @@ -1,120 +0,0 @@
    -/// Does 0.
    -fn f0(a: u8) {
    [80 more removed lines are not shown; what they declared:]
    * 42-44: fn f10(a: u8)
    * 46-48: fn f11(a: u8)
    * 50-52: fn f12(a: u8)
    ");
    assert_eq!(out.bounded, []);
    // Without an outline, what is not shown was not reviewed.
    let out = rendered(&Fake::default().change("gone.txt", &"line\n".repeat(300), ""), 0);
    insta::assert_snapshot!(format!("{:?}", out.bounded), @r#"
    [("gone.txt", "deleted: its first 40 of 300 lines and 0 of its declarations were shown")]
    "#);
    // A short one is shown whole.
    let out = rendered(&Fake::default().change("gone.txt", &"line\n".repeat(40), ""), 0);
    assert_eq!((out.page.as_str().lines().count(), out.bounded.len()), (42, 0));
}

#[test]
fn tells_what_lines_do_not_show() {
    let fake = Fake::default().change("a.txt", "one\r\ntwo\r\n", "one\ntwo");
    let mut change = fake.to_change();
    change.files[0].status = FileStatus::Renamed;
    change.files[0].old_path = "b.txt".into();
    change.files[0].new_mode = Some(FileMode::Executable);
    let mut binary = file_diff(&"logo.png".into(), "", "");
    binary.status = FileStatus::Added;
    binary.binary = true;
    change.files.push(binary);
    insta::assert_snapshot!(rendered_of(&fake, &change, 0).page.as_str(), @r"
    ## a.txt (renamed from b.txt, regular -> executable)
    [line ends change from CRLF to LF]
    @@ -1,2 +1,2 @@
    -one
    -two
    +one
    +two
    [no line end after the last line]
    ## logo.png (new)
    [binary: contents are not shown]
    ");
}

#[test]
fn masks_and_cleans() {
    let out = rendered(&Fake::default().change("a\nb.py", "x = 1\n", "x = 1\npassword = 'hunter2'\ny\u{202e} = '\x1b[2J'\n"), 0);
    insta::assert_snapshot!(out.page.as_str(), @r"
    ## a\nb.py
    @@ -1,1 +1,3 @@
     x = 1
    +password = '‹masked:hunt…›'
    +y = '\u{1b}[2J'
    ");
    assert_eq!(out.page.invisible(), 1);
}

#[test]
fn a_split_hunk_says_so() {
    let text: String = (1..=30).map(|n| format!("line {n}\n")).collect();
    let fake = Fake::default().change("a.txt", "", &text);
    let change = fake.to_change();
    let bundle = Bundle { parts: vec![Part { file: 0, hunks: 0..1, lines: Some(10..13) }], tokens: 0 };
    let material = Material { change: &change, repo: &fake, analysis: &Analysis::default(), mask: &mask, private: &|_| false };
    insta::assert_snapshot!(render(&material, &bundle, 0).page.as_str(), @r"
    ## a.txt (new)
    [lines 11-13 of the 30 lines of hunk 1 of 1; the rest is reviewed apart]
    @@ -0,0 +11,3 @@
    +line 11
    +line 12
    +line 13
    ");
}

/// Lines of a small program: declarations, nesting, repeats.
fn program() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("fn f() {"),
        Just("    a();"),
        Just("    if x {"),
        Just("        b();"),
        Just("    }"),
        Just("}"),
        Just(""),
        Just("impl A {"),
        Just("@@ -1 +1 @@"),
        Just("# x"),
    ];
    prop::collection::vec(line, 0..60).prop_map(|lines| lines.iter().map(|l| format!("{l}\n")).collect())
}

proptest! {
    #[test]
    fn every_hunk_reads_back_to_both_sides(old in program(), new in program(), widen in 0usize..600) {
        prop_assume!(old != new && !new.is_empty() && !old.is_empty());
        let page = rendered(&Fake::default().change("a.rs", &old, &new), widen).page;
        let sides = [old.lines().collect::<Vec<_>>(), new.lines().collect::<Vec<_>>()];
        let expected = file_diff(&"a.rs".into(), &old, &new);
        let mut at = [0usize, 0];
        let mut left = [0usize, 0];
        let mut changed = [0, 0];
        for line in page.as_str().lines().skip(1) {
            if let Some(ranges) = line.strip_prefix("@@ ") {
                prop_assert_eq!(left, [0, 0], "the hunk before has as many lines as it says");
                for (side, range) in ranges.split(' ').take(2).enumerate() {
                    let (start, count) = range[1..].split_once(',').expect("both numbers");
                    let (start, count): (usize, usize) = (start.parse().expect("a number"), count.parse().expect("a number"));
                    let first = if count == 0 { start } else { start - 1 };
                    prop_assert!(first >= at[side], "hunks do not overlap");
                    (at[side], left[side]) = (first, count);
                }
                continue;
            }
            let on: &[usize] = match &line[..1] { "+" => &[1], "-" => &[0], _ => &[0, 1] };
            for &side in on {
                prop_assert_eq!(sides[side][at[side]], &line[1..]);
                at[side] += 1;
                left[side] -= 1;
                changed[side] += usize::from(on.len() == 1);
            }
        }
        prop_assert_eq!(left, [0, 0]);
        prop_assert_eq!(changed, [expected.removed_lines(), expected.added_lines()]);
        prop_assert!(expected.hunks.iter().flat_map(|h| &h.lines).any(|l| l.kind != LineKind::Context));
    }
}
