//! Keeps hostile text away from the grammars. Their error recovery takes time and memory without bound on some texts
//! (22 GB on 100 KB of Rust, found by fuzzing), and scanners keep their state in 1,024 bytes and write past that when
//! indentation or heredocs nest too deep, which aborts the process. What is counted are the parser's own steps, not a
//! clock, so that the outcome is the same on every machine.

use super::Lang;
use ast_grep_core::tree_sitter::LanguageExt;
use std::ops::ControlFlow;
use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

/// Texts whose brackets stand open deeper are not parsed: recovering from their end takes memory by the square of it.
const MAX_OPEN: usize = 420;
/// Steps (of about a hundred operations each) that the parser may take: so many, and one more for so many bytes. Real code
/// takes one for 80 bytes at most.
const STEPS: usize = 500;
const BYTES_PER_STEP: usize = 20;
/// Pieces of text that the scanner may read: so many, and so many for each piece there is. Real code reads each about
/// twice; a scanner that looks for an end which never comes reads to the end of the text from each place.
const READS: usize = 64;
const READS_PER_PIECE: usize = 16;
const PIECE: usize = 1_024;
/// Columns of indentation, and indicators on one line of YAML, that stay well inside of a scanner's state.
const MAX_INDENT: usize = 250;
const MAX_YAML: usize = 100;

/// The syntax tree of a text; `None` where it is too deep or too wild for the grammar. `old` is that of the text before, which has
/// been told what was edited.
pub(super) fn tree(lang: Lang, text: &str, old: Option<&Tree>) -> Option<Tree> {
    if !is_shallow(text) || !is_safe(lang, text) {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&lang.get_ts_language()).ok()?;
    let mut steps = STEPS + text.len() / BYTES_PER_STEP;
    let mut count = |_: &ParseState| {
        steps = steps.saturating_sub(1);
        if steps == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut reads = READS + text.len() / PIECE * READS_PER_PIECE;
    let mut read = |at: usize, _| {
        reads = reads.saturating_sub(1);
        // Nothing more to read ends the parse soon.
        if reads == 0 { &[] } else { text.as_bytes().get(at..(at + PIECE).min(text.len())).unwrap_or_default() }
    };
    let options = ParseOptions::new().progress_callback(&mut count);
    let tree = parser.parse_with_options(&mut read, old, Some(options))?;
    (reads > 0).then_some(tree)
}

/// Whether no more than [`MAX_OPEN`] brackets stand open anywhere, strings and comments not told apart.
fn is_shallow(text: &str) -> bool {
    let mut open = 0usize;
    text.bytes().all(|b| {
        match b {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open <= MAX_OPEN
    })
}

/// Whether a grammar's scanner can take the text.
fn is_safe(lang: Lang, text: &str) -> bool {
    match lang {
        // Two bytes for each level of indentation, one for each open string (at most 255).
        Lang::Python => text.lines().all(|l| indent(l) <= MAX_INDENT),
        // Five bytes for each open string (they nest by interpolation only), four and its word for each open heredoc.
        Lang::Ruby => {
            let heredocs: usize = text.match_indices("<<").map(|(at, _)| heredoc(&text[at + 2..])).sum();
            heredocs == 0 || heredocs + 5 * (text.matches("#{").count() + 1) + 2 < 1_000
        }
        // Up to four bytes for each level; a level needs a deeper column, by indentation or by an indicator on the line.
        Lang::Yaml => text.lines().all(|l| indent(l) <= MAX_YAML && l.bytes().filter(|b| matches!(b, b'-' | b'?' | b':')).count() <= MAX_YAML),
        // The scanners of C++, C#, PHP and Dockerfiles count what they keep: what does not fit is not kept.
        _ => true,
    }
}

/// The columns of a line's indentation; a tab counts as eight.
fn indent(line: &str) -> usize {
    line.bytes().map_while(|b| [(b' ', 1), (b'\t', 8)].iter().find(|(c, _)| *c == b).map(|(_, n)| *n)).sum()
}

/// The bytes that what follows `<<` takes if it opens a heredoc, at most.
fn heredoc(after: &str) -> usize {
    let word = after.trim_start_matches(['-', '~']);
    let line = word.lines().next().unwrap_or_default();
    match line.chars().next() {
        Some(quote @ ('"' | '\'' | '`')) => 4 + line[1..].find(quote).unwrap_or(line.len()),
        Some(c) if c.is_alphanumeric() || c == '_' => 4 + line.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(line.len()),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Lang;
    use tree_sitter::Tree;

    fn tree(lang: Lang, text: &str) -> Option<Tree> {
        super::tree(lang, text, None)
    }

    /// What fills a scanner's state; that it comes back at all is what is asked.
    #[test]
    fn scanners_that_count_what_they_keep_survive_too_much_of_it() {
        for (lang, piece) in [
            (Lang::CSharp, "var a = $\"{"),
            (Lang::CSharp, "$\"\"\"{{ $@\"{"),
            (Lang::Php, "<<<ABCDEFGHIJKLMNOPQRSTUVWXYZ\n{${"),
            (Lang::Php, "<?php echo <<<A\n"),
            (Lang::Cpp, "R\"abcdefghijklmnopqrstuvwxyz("),
            (Lang::Dockerfile, "RUN <<ABCDEFGHIJKLMNOPQRSTUVWXYZ <<'B' <<-C\n"),
            (Lang::Dockerfile, "COPY <<A <<B <<C <<D <<E <<F <<G <<H <<I <<J <<K <<L /\n"),
        ] {
            for count in [1, 40, 300, 5_000] {
                let _ = tree(lang, &piece.repeat(count));
            }
        }
    }

    #[test]
    fn hostile_nesting_is_refused_and_ordinary_code_is_not() {
        assert!(tree(Lang::Yaml, &"- ".repeat(50)).is_some());
        for text in [format!("{}a", "- ".repeat(5_000)), format!("{}a: 1\n", " ".repeat(5_000)), format!("{}a", "? ".repeat(5_000))] {
            assert!(tree(Lang::Yaml, &text).is_none());
        }
        let stairs: String = (0..2_000).map(|n| format!("{}if x:\n", " ".repeat(n))).collect();
        assert!(tree(Lang::Python, &stairs).is_none());
        assert!(tree(Lang::Ruby, &"<<A\n".repeat(1_000)).is_none());
        assert!(tree(Lang::Rust, &"(".repeat(100_000)).is_none());
        assert!(tree(Lang::JavaScript, &format!("{}1{}", "f(".repeat(400), ")".repeat(400))).is_some());
    }
}
