//! A text that is parsed at most once, whoever asks for its tree.

use super::edit::edited;
use super::{Lang, Parsed, guard};
use crate::diff::Hunk;
use crate::path::RepoPath;
use crate::text::FileText;
use ast_grep_core::AstGrep;
use ast_grep_core::tree_sitter::StrDoc;
use std::sync::OnceLock;
use tree_sitter::Tree;

/// A file's text on one side, with its language and, once somebody asked, its syntax tree.
pub struct Source<'b> {
    text: FileText,
    lang: Option<Lang>,
    before: Option<(&'b Source<'b>, &'b [Hunk])>,
    parsed: OnceLock<Option<(Parsed, Tree)>>,
}

impl<'b> Source<'b> {
    /// The text of the file at `path`, whose language the path names.
    pub fn new(path: &RepoPath, text: FileText) -> Self {
        Self { text, lang: Lang::of(path), before: None, parsed: OnceLock::new() }
    }

    /// A text in a language that is known otherwise.
    pub fn in_lang(lang: Lang, text: FileText) -> Self {
        Self { text, lang: Some(lang), before: None, parsed: OnceLock::new() }
    }

    /// The same text, known to be what `hunks` made of `before`: its tree is made from that one, in a fraction of the time.
    pub fn after(self, before: &'b Source<'b>, hunks: &'b [Hunk]) -> Self {
        Self { before: Some((before, hunks)).filter(|(b, _)| b.lang == self.lang), ..self }
    }

    /// The text.
    pub fn text(&self) -> &FileText {
        &self.text
    }

    /// Its language, where it has a grammar.
    pub fn lang(&self) -> Option<Lang> {
        self.lang
    }

    /// Its tree, see [`Lang::parse`]; `None` without a grammar too.
    pub fn parsed(&self) -> Option<&Parsed> {
        self.both().map(|(parsed, _)| parsed)
    }

    fn both(&self) -> Option<&(Parsed, Tree)> {
        let parse = || {
            let lang = self.lang?;
            let text = self.text.as_str();
            let tree = self.made_from_before(lang).or_else(|| guard::tree(lang, text, None))?;
            Some((AstGrep::doc(StrDoc { src: text.to_owned(), lang, tree: tree.clone() }), tree))
        };
        self.parsed.get_or_init(parse).as_ref()
    }

    /// The tree, made from the one before. Where a text is broken, what is made of it depends on the way there, so that both have to
    /// be sound: the same text has the same tree.
    fn made_from_before(&self, lang: Lang) -> Option<Tree> {
        let (before, hunks) = self.before?;
        let (_, old) = before.both().filter(|(_, tree)| !tree.root_node().has_error())?;
        let tree = guard::tree(lang, self.text.as_str(), Some(&edited(old, &before.text, &self.text, hunks)?))?;
        (!tree.root_node().has_error()).then_some(tree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{FileDiff, parse::parse};
    use proptest::prelude::*;
    use std::process::Command;

    /// Git's own diff of two texts.
    fn diff(path: &str, old: &str, new: &str) -> Option<FileDiff> {
        let dir = tempfile::tempdir().expect("a folder");
        let file = |side: &str, text: &str| {
            let file = dir.path().join(side).join(path);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            std::fs::write(file, text).expect("written");
        };
        file("a", old);
        file("b", new);
        let args = ["diff", "--no-index", "--no-prefix", "--full-index", "a", "b"];
        let output = Command::new("git").current_dir(dir.path()).env("GIT_CONFIG_GLOBAL", "/dev/null").args(args).output().expect("git");
        parse(&output.stdout).expect("a diff").files.into_iter().next()
    }

    /// Both trees of the text after, the second made from the one before; and whether it was.
    fn both(path: &str, old: &str, new: &str) -> Option<(String, String, bool)> {
        let diff = diff(path, old, new)?;
        let source = |text: &str| Source::new(&path.into(), FileText::whole(text.as_bytes()));
        let (before, fresh) = (source(old), source(new));
        let after = source(new).after(&before, &diff.hunks);
        let shown = |s: &Source<'_>| s.parsed().map(|p| p.root().get_inner_node().to_sexp()).unwrap_or_default();
        let spans =
            |s: &Source<'_>| s.parsed().map(|p| p.root().dfs().map(|n| format!("{:?}{:?}", n.range(), n.start_pos().line())).collect::<String>());
        assert_eq!(spans(&after), spans(&fresh));
        Some((shown(&fresh), shown(&after), after.made_from_before(after.lang()?).is_some()))
    }

    #[test]
    fn a_tree_made_from_the_one_before_is_the_same() {
        for (path, old, new) in [
            ("a.rs", "fn a() {\n    b();\n}\n\nfn c() {}\n", "fn a() {\n    b(1);\n    d();\n}\n\nfn c() {}\n"),
            ("a.py", "def a():\n    b\n\n\ndef c():\n    d", "def a():\n    if b:\n        b\n\n\ndef c():\n    d\n"),
            ("a.go", "package a\r\n\r\nfunc b() {\r\n}\r\n", "package a\r\n\r\nfunc b(ä int) {\r\n}\r\n"),
            ("a.ts", "let a = `x\n${b}\n`;\nlet c = 1;\n", "let a = `x\n${b}\ny`;\n"),
            ("a.sh", "cat <<E\na\nE\nb\n", "cat <<E\na\nc\nE\nb\nd\n"),
            ("a.rb", "x = <<~A\n  a\nA\n", "y\nx = <<~A\n  a\n  b\nA\n"),
        ] {
            let (fresh, made, quick) = both(path, old, new).expect("they differ");
            assert_eq!(made, fresh, "{path}");
            assert!(quick, "{path}");
        }
        // What is broken is parsed as if nothing had been known.
        assert_eq!(both("a.rs", "fn a() {}\n", "fn a( {}\n").map(|(fresh, made, quick)| (fresh == made, quick)), Some((true, false)));
    }

    #[test]
    fn hunks_of_another_text_are_not_believed() {
        let diff = diff("a.rs", "fn a() {}\nfn b() {}\n", "fn a() {}\nfn c() {}\n").expect("they differ");
        let source = |text: &str| Source::new(&"a.rs".into(), FileText::whole(text.as_bytes()));
        let before = source("fn x() {}\nfn b() {}\n");
        assert!(source("fn a() {}\nfn c() {}\n").after(&before, &diff.hunks).made_from_before(Lang::Rust).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn whatever_lines_come_and_go(old in prop::collection::vec(0..LINES.len(), 0..30), new in prop::collection::vec(0..LINES.len(), 0..8), at in 0..30usize, gone in 0..6usize) {
            let text = |lines: &[usize]| lines.iter().map(|i| LINES[*i]).collect::<String>();
            let mut after = old.clone();
            let (from, to) = (at.min(old.len()), (at + gone).min(old.len()));
            after.splice(from..to, new);
            if let Some((fresh, made, _)) = both("a.rs", &text(&old), &text(&after)) {
                prop_assert_eq!(made, fresh);
            }
        }
    }

    const LINES: [&str; 10] = [
        "fn a(b: u8) -> u8 { b + 1 }\n",
        "/// Words.\n",
        "struct S { a: Vec<u8>, b: &'static str }\n",
        "const C: &str = \"x { y\";\n",
        "\n",
        "impl S { fn a(&self) { self.b(|c| c < 1 && d > 2); } }\n",
        "fn g() { let x = r#\"a\nb\"#; match x { _ => {} } }\n",
        "/* a\n b */\n",
        "mod m { use a::{b, c}; }\n",
        "fn h() {\n    if a { b() } else { c!(d, e) }\n}\n",
    ];
}
