use super::super::testing::diff;
use super::*;
use crate::diff::FileStatus;
use proptest::prelude::*;

/// A change of files, and what stands beside them.
struct World {
    files: Vec<FileDiff>,
    texts: Vec<[Arc<FileText>; 2]>,
    beside: Vec<(&'static str, Arc<FileText>)>,
}

impl World {
    fn of(files: &[(&str, &str, &str)]) -> Self {
        let mut world = World { files: Vec::new(), texts: Vec::new(), beside: Vec::new() };
        for (path, old, new) in files {
            let (file, old, new) = diff(path, old, new);
            world.files.push(file);
            world.texts.push([old, new]);
        }
        world
    }

    fn find(&self, proposal: &Proposal) -> Anchored {
        let text = |file: &FileDiff, side: Side| {
            let i = self.files.iter().position(|f| f == file)?;
            let exists = side == Side::New || file.old_id.as_deref() != Some("none");
            exists.then(|| Arc::clone(&self.texts[i][usize::from(side == Side::New)]))
        };
        let elsewhere = |path: &RepoPath| self.beside.iter().find(|(p, _)| path.as_str() == Some(p)).map(|(_, t)| Arc::clone(t));
        anchor(&AnchorInput { files: &self.files, text: &text, elsewhere: &elsewhere }, proposal)
    }

    /// `side start-end old_line` of a quote.
    fn at(&self, path: &str, quote: &str, line: Option<i64>) -> String {
        tell(&self.find(&Proposal { path: path.to_owned(), quote: quote.to_owned(), line, ..Proposal::default() }))
    }
}

fn tell(a: &Anchored) -> String {
    let name = match a.anchor {
        Anchor::Exact(_) => "exact",
        Anchor::Moved(_) => "moved",
        Anchor::File => "file",
        Anchor::None => "none",
    };
    let lines =
        a.anchor.lines().map(|l| format!(" {:?} {}-{} was {:?}{}", a.side, l.start, l.end, l.old_line, if a.touched { " touched" } else { "" }));
    format!("{name} {}{}", a.path, lines.unwrap_or_default())
}

const OLD: &str = "use std;\n\nfn a() {\n    open();\n    close();\n}\n\nfn b() {\n    open();\n    close();\n}\n";
const NEW: &str = "use std;\nuse more;\n\nfn a() {\n    open();\n    work();\n}\n\nfn b() {\n    open();\n    close();\n}\n";

#[test]
fn finds_lines_on_both_sides() {
    let w = World::of(&[("src/a.rs", OLD, NEW)]);
    assert_eq!(w.at("src/a.rs", "    work();", None), "exact src/a.rs New 6-6 was None touched");
    assert_eq!(w.at("src/a.rs", "work();\n}", None), "exact src/a.rs New 6-7 was Some(6) touched");
    assert_eq!(w.at("src/a.rs", "fn b() {\n    open();", None), "exact src/a.rs New 9-10 was Some(9)");
    // It went from `a` and stays in `b`: what is said is about the removal, unless that very line is claimed.
    assert_eq!(w.at("src/a.rs", "    close();", None), "exact src/a.rs Old 5-5 was None touched");
    assert_eq!(w.at("src/a.rs", "    close();", Some(11)), "exact src/a.rs New 11-11 was Some(10)");
    assert_eq!(w.at("src/a.rs", "-    close();", Some(11)), "exact src/a.rs Old 5-5 was None touched");
    assert_eq!(w.at("src/a.rs", "     open();\n-    close();\n+    work();", None), "exact src/a.rs New 5-6 was None touched");
    assert_eq!(w.at("src/a.rs", "fn a()  {\n  open( );\n  work();", None), "moved src/a.rs New 4-6 was None touched");
    assert_eq!(w.at("src/a.rs", "nothing like it", None), "file src/a.rs");
    assert_eq!(w.at("src/a.rs", "", Some(3)), "file src/a.rs");
    assert_eq!(w.at("src/c.rs", "    work();", None), "none src/c.rs");
}

#[test]
fn chooses_among_several() {
    let w = World::of(&[("a", "x(1)\ny\n", "x(1)\ny\nx(1)\nx(1)\n"), ("b", "", "one = two\n\n\n\n\n\n one =  two\n")]);
    assert_eq!(w.at("a", "x(1)", None), "exact a New 3-3 was None touched");
    assert_eq!(w.at("a", "x(1)", Some(5)), "exact a New 4-4 was None touched");
    // With other white space there has to be one only, or one near the claimed line.
    assert_eq!(w.at("b", "one=two", None), "file b");
    assert_eq!(w.at("b", "one=two", Some(8)), "moved b New 7-7 was None touched");
    assert_eq!(w.at("b", "one=two", Some(4)), "moved b New 1-1 was None touched");
    assert_eq!(w.at("b", "one=two", Some(50)), "file b");
    assert_eq!(w.at("b", "one=two", Some(-4)), "file b");
}

#[test]
fn counts_old_lines_beyond_hunks() {
    let w = World::of(&[("a", "1\n2\n3\n4\n5\n", "1\n3\nx\ny\n4\n5\n")]);
    for (quote, old) in [("1", Some(1)), ("3", Some(3)), ("x", None), ("4", Some(4)), ("5", Some(5))] {
        let found = w.find(&Proposal { path: "a".to_owned(), quote: quote.to_owned(), ..Proposal::default() });
        assert_eq!(found.anchor.lines().and_then(|l| l.old_line), old, "{quote}");
    }
}

#[test]
fn resolves_paths_as_they_are_written() {
    let mut w = World::of(&[
        ("src/new.rs", "x\n", "yyyyyyyy\n"),
        ("docs/README.md", "", "z\n"),
        ("b/src/lib.rs", "", "q\n"),
        ("c/lib.rs", "", "q\n"),
        ("odd\nname", "", "q\n"),
    ]);
    w.files[0].old_path = RepoPath::from("lib/old.rs");
    w.files[0].status = FileStatus::Renamed;
    w.beside.push(("README.md", Arc::new(FileText::whole(b"root\n"))));
    for (written, found) in [
        ("src/new.rs", "src/new.rs"),
        (" `./src/new.rs` ", "src/new.rs"),
        ("a/src/new.rs", "src/new.rs"),
        ("b/src/lib.rs", "b/src/lib.rs"),
        ("lib/old.rs", "src/new.rs"),
        ("a/lib/old.rs", "src/new.rs"),
        ("new.rs", "src/new.rs"),
        ("README.md", "README.md"),
        ("docs/README.md", "docs/README.md"),
        ("odd\\nname", "odd\nname"),
    ] {
        let a = w.find(&Proposal { path: written.to_owned(), quote: "none".to_owned(), ..Proposal::default() });
        assert_eq!((a.path, a.anchor), (RepoPath::from(found), Anchor::File), "{written}");
    }
    assert_eq!(w.at("README.md", "root", None), "exact README.md New 1-1 was Some(1)");
    assert_eq!(w.find(&Proposal { path: "new.rs".to_owned(), ..Proposal::default() }).old_path, Some(RepoPath::from("lib/old.rs")));
    for odd in ["lib.rs", "../README.md", "/", "", ".", "ew.rs", &"a/".repeat(5_000)] {
        assert!(w.at(odd, "q", None).starts_with("none"), "{odd}");
    }
}

#[test]
fn tells_code_as_it_stands() {
    let w = World::of(&[("a", "", &format!("let x = foo_bar(1); // why\n{}\n", "long ".repeat(10_000)))]);
    let a = w.find(&Proposal { path: "a".to_owned(), quote: "foo_bar(1)".to_owned(), ..Proposal::default() });
    assert_eq!((a.quote.as_str(), a.whole_lines), ("let x = foo_bar(1); // why", false));
    let a = w.find(&Proposal { path: "a".to_owned(), quote: "long long long".to_owned(), ..Proposal::default() });
    assert_eq!((tell(&a).as_str(), a.quote.as_str()), ("exact a New 2-2 was None touched", "long long long"));
}

#[test]
fn hostile_sizes_take_no_time() {
    let w = World::of(&[("a", "", &"}\n".repeat(1_500))]);
    let text = Arc::new(FileText::whole("}\n".repeat(300_000).as_bytes()));
    let w = World { texts: vec![[Arc::clone(&w.texts[0][0]), text]], ..w };
    for quote in ["}\n".repeat(100_000), "} ".repeat(100_000), "+}\n".repeat(99) + "+x", "`".repeat(1 << 20)] {
        w.at("a", &quote, Some(i64::MAX));
    }
}

fn file() -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof!["[a-c]{1,3}", "( |\t){0,4}[a-e]{1,2}\\(\\);", "", "  \\}", "(é|x){1,9} = [0-9]{1,2};"];
    prop::collection::vec(line, 1..25)
}

proptest! {
    #[test]
    fn a_quote_of_the_new_side_comes_back(old in file(), new in file(), keep in any::<u64>(), from in any::<prop::sample::Index>(), len in 1_usize..6) {
        // Some lines of the old side stay, so that there is context.
        let new: Vec<String> = new.into_iter().enumerate().flat_map(|(i, l)| {
            let kept = old.get(i).filter(|_| keep >> (i % 64) & 1 == 1).cloned();
            kept.into_iter().chain([l])
        }).collect();
        let w = World::of(&[("src/a.rs", &old.join("\n"), &new.join("\n"))]);
        let from = from.index(new.len());
        let span = &new[from..(from + len).min(new.len())];
        // A line end at the end is no line, and nothing at all is no quote.
        let Some(last) = span.iter().rposition(|l| !l.trim().is_empty()) else { return Ok(()) };
        let span = &span[..=last];
        let (start, end) = (u32::try_from(from + 1).expect("small"), u32::try_from(from + span.len()).expect("small"));
        let ask = |quote: String, line| w.find(&Proposal { path: "src/a.rs".to_owned(), quote, line, ..Proposal::default() });
        let same = |a: &Anchored, squeeze: bool| {
            let key = |l: &str| if squeeze { l.split_whitespace().collect() } else { l.to_owned() };
            let Some(lines) = a.anchor.lines() else { return false };
            let text = &w.texts[0][usize::from(a.side == Side::New)];
            let found: Vec<String> = (lines.start..=lines.end).filter_map(|n| text.line(n)).map(key).filter(|l| !squeeze || !l.is_empty()).collect();
            found == span.iter().map(|l| key(l)).filter(|l| !squeeze || !l.is_empty()).collect::<Vec<_>>()
        };

        let plain = ask(span.join("\n"), None);
        prop_assert!(matches!(plain.anchor, Anchor::Exact(_)) && same(&plain, false), "{plain:?}");
        let all = |lines: &[String]| lines.windows(span.len()).filter(|w| *w == span).count();
        if all(&new) == 1 && all(&old) == 0 {
            prop_assert_eq!(plain.anchor.lines().map(|l| (l.start, l.end)), Some((start, end)));
        }
        // With its line, it is just that place, unless others are touched by the change and this one is not.
        let claimed = ask(span.join("\n"), Some(i64::from(start)));
        prop_assert!(same(&claimed, false));
        let changed = Changed::of(&w.files[0], Side::New);
        if changed.touches(start, end) || all(&new) == 1 {
            prop_assert_eq!((claimed.side, claimed.anchor.lines().map(|l| (l.start, l.end))), (Side::New, Some((start, end))));
        }
        if let Some(lines) = claimed.anchor.lines().filter(|_| claimed.side == Side::New) {
            let old_text = lines.old_line.map(|o| old[o as usize - 1].as_str());
            let own = new[lines.end as usize - 1].as_str();
            prop_assert_eq!(old_text, Some(own).filter(|_| !changed.touches(lines.end, lines.end)));
        }

        let marked: Vec<String> = span.iter().enumerate().map(|(i, l)| {
            let n = start + u32::try_from(i).expect("small");
            format!("{}{l}", if changed.touches(n, n) { '+' } else { ' ' })
        }).collect();
        let marked = ask(marked.join("\n"), Some(i64::from(start)));
        prop_assert!(same(&marked, true), "{marked:?}");

        let indented: Vec<String> = span.iter().map(|l| format!("   {}", l.replace(' ', "  "))).collect();
        let blank = span.iter().take_while(|l| l.trim().is_empty()).count();
        let moved = ask(indented.join("\n"), i64::try_from(from + 1 + blank).ok());
        prop_assert!(same(&moved, true), "{moved:?}");
    }

    #[test]
    fn nothing_panics(path in ".{0,20}", quote in "(?s).{0,200}", line in any::<Option<i64>>(), text in "(?s).{0,200}") {
        let w = World::of(&[("a", "x\n", &text)]);
        w.find(&Proposal { path, quote: quote.clone(), line, ..Proposal::default() });
        w.at("a", &quote, line);
    }
}
