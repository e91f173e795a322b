//! One line of Markdown: read as text, code and bold, and written so that there is only one way to read it.

use super::danger::acts;
use super::{longest_run, tame};
use std::collections::HashMap;

/// Longer delimiters of code spans are no longer recognised by some renderers (cmark: 80).
const MAX_RUN: usize = 8;
/// How far a link's text and address may go, in bytes.
const MAX_LINK: usize = 1_000;

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A character of text, no longer escaped.
    Char(char),
    /// The inside of a code span.
    Code(String),
    /// `**`, as a pair with another.
    Strong,
}

/// A line without block structure: bold is text.
pub(super) fn line(text: &str) -> String {
    let mut tokens = Vec::new();
    for token in tokens_of(text) {
        match token {
            Token::Strong => tokens.extend([Token::Char('*'), Token::Char('*')]),
            other => tokens.push(other),
        }
    }
    line_start(write(&tokens))
}

/// Reads a line. Bold is recognised only where both marks stand in it.
pub(super) fn tokens_of(line: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut stars = Vec::new();
    let spans = Spans::of(line);
    let mut i = 0;
    while let Some(c) = line[i..].chars().next() {
        let rest = &line[i + c.len_utf8()..];
        i += c.len_utf8();
        match c {
            '\\' if rest.starts_with(|c: char| c.is_ascii_punctuation()) => {
                out.extend(rest.chars().next().map(Token::Char));
                i += 1;
            }
            '`' => {
                let run = 1 + rest.bytes().take_while(|b| *b == b'`').count();
                let inside = i - 1 + run;
                match spans.close(run, inside) {
                    Some(end) => {
                        out.push(Token::Code(unpadded(&line[inside..end]).to_owned()));
                        i = end + run;
                    }
                    None => {
                        out.extend(std::iter::repeat_n(Token::Char('`'), run));
                        i = inside;
                    }
                }
            }
            '*' => {
                let run = 1 + rest.bytes().take_while(|b| *b == b'*').count();
                i += run - 1;
                if run == 2 {
                    stars.push(out.len());
                }
                out.extend(std::iter::repeat_n(Token::Char('*'), run));
            }
            '!' if rest.starts_with('[') && link(rest).is_some() => {}
            '[' => match link(&line[i - 1..]) {
                Some((text, address, length)) => {
                    out.extend(text.trim().chars().map(Token::Char));
                    out.extend(Some(Token::Char(' ')).filter(|_| !text.trim().is_empty()));
                    out.push(Token::Char('('));
                    out.push(Token::Code(address.to_owned()));
                    out.push(Token::Char(')'));
                    i += length - 1;
                }
                None => out.push(Token::Char('[')),
            },
            c => out.push(Token::Char(c)),
        }
    }
    bold(out, &stars)
}

/// `[text](address)` at the start of `at`: text, address and how long all of it is.
fn link(at: &str) -> Option<(&str, &str, usize)> {
    let at = super::super::words::cut_bytes(at, MAX_LINK);
    let inner = at.strip_prefix('[')?;
    let close = inner.find(['[', ']', '`', '\\'])?;
    let target = inner[close..].strip_prefix("](")?;
    let end = target.find(|c: char| c == ')' || c.is_whitespace() || c == '`')?;
    (end > 0 && target[end..].starts_with(')')).then(|| (&inner[..close], &target[..end], close + end + 4))
}

/// Replaces pairs of `**` (at the given places, two characters each) by marks; a lone one stays text. They have to stand at the
/// borders of words: some renderers drop the tags of nested bold, and then `@**a**` is a mention.
fn bold(tokens: Vec<Token>, stars: &[usize]) -> Vec<Token> {
    let space = |t: Option<&Token>| t.is_none_or(|t| matches!(t, Token::Char(c) if c.is_whitespace()));
    let before = |at: usize| at.checked_sub(1).and_then(|i| tokens.get(i));
    let begins = |at: usize| space(before(at)) || (before(at) == Some(&Token::Char('(')) && space(before(at - 1)));
    let stop = |t: Option<&Token>| matches!(t, Some(Token::Char('.' | ',' | ';' | ':' | '!' | '?' | ')')));
    let ends = |at: usize| space(tokens.get(at)) || (stop(tokens.get(at)) && space(tokens.get(at + 1)));
    let mut marks = Vec::new();
    let mut open: Option<usize> = None;
    for at in stars {
        match open {
            Some(_) if space(before(*at)) || !ends(*at + 2) => {}
            Some(start) if says_something(&tokens[start + 2..*at]) => {
                marks.extend([start, *at]);
                open = None;
            }
            _ => open = Some(*at).filter(|at| begins(*at) && !space(tokens.get(at + 2))),
        }
    }
    let mut marks = marks.into_iter().peekable();
    let mut out = Vec::with_capacity(tokens.len());
    let mut skip = false;
    for (i, token) in tokens.into_iter().enumerate() {
        if std::mem::take(&mut skip) {
        } else if marks.next_if_eq(&i).is_some() {
            out.push(Token::Strong);
            skip = true;
        } else {
            out.push(token);
        }
    }
    out
}

/// Whether there is more than punctuation, which could make a rule or an underline when it stands alone.
pub(super) fn says_something(tokens: &[Token]) -> bool {
    tokens.iter().any(|t| match t {
        Token::Char(c) => c.is_alphanumeric(),
        Token::Code(_) => true,
        Token::Strong => false,
    })
}

/// Writes tokens as Markdown; white space is folded, none at the ends.
pub(super) fn write(tokens: &[Token]) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for token in tokens {
        match token {
            Token::Char(c) if c.is_whitespace() => {
                put_word(&mut out, &mut word);
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            Token::Char(c) => word.push(*c),
            Token::Code(code) => {
                put_word(&mut out, &mut word);
                put_code(&mut out, code);
            }
            Token::Strong => {
                put_word(&mut out, &mut word);
                out.push_str("**");
            }
        }
    }
    put_word(&mut out, &mut word);
    out.truncate(out.trim_end().len());
    out
}

fn put_word(out: &mut String, word: &mut String) {
    let whole = std::mem::take(word);
    if !acts(&whole) {
        escape(out, &whole);
        return;
    }
    let start = whole.len() - whole.trim_start_matches(['(', '[', '{', '<', '"', '\'']).len();
    let end = whole.trim_end_matches([')', ']', '}', '>', '"', '\'', '.', ',', ';', ':', '!', '?']).len();
    // What is left outside must not act by itself.
    let (start, end) = if start < end { (start, end) } else { (0, whole.len()) };
    let start = if acts(&whole[..start]) { 0 } else { start };
    let end = if acts(&whole[end..]) { whole.len() } else { end };
    escape(out, &whole[..start]);
    put_code(out, &whole[start..end]);
    escape(out, &whole[end..]);
}

fn put_code(out: &mut String, code: &str) {
    // Two code spans side by side would be one.
    if out.ends_with('`') {
        out.push(' ');
    }
    out.push_str(&code_span(code));
}

fn escape(out: &mut String, text: &str) {
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let special = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '$' | '^' => true,
            '_' => !(before.is_some_and(char::is_alphanumeric) && chars.peek().is_some_and(|n| n.is_alphanumeric())),
            // An HTML comment, to whoever searches for our markers in the raw text.
            '!' => before == Some('<'),
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(c);
        before = Some(c);
    }
}

/// A code span with delimiters longer than any run inside.
pub(super) fn code_span(code: &str) -> String {
    let code = tame(code, MAX_RUN);
    if code.is_empty() {
        return code;
    }
    let ticks = "`".repeat(longest_run(&code) + 1);
    let spaces = code.starts_with(' ') && code.ends_with(' ') && !code.trim_matches(' ').is_empty();
    let pad = if code.starts_with('`') || code.ends_with('`') || spaces { " " } else { "" };
    format!("{ticks}{pad}{code}{pad}{ticks}")
}

/// What a code span says: one space is taken off both ends if there is more than spaces.
fn unpadded(code: &str) -> &str {
    match code.strip_prefix(' ').and_then(|c| c.strip_suffix(' ')) {
        Some(inner) if !inner.trim_matches(' ').is_empty() => inner,
        _ => code,
    }
}

/// Escapes what would begin a block at the start of a line or list item.
pub(super) fn line_start(line: String) -> String {
    let number = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &line[number..];
    if number > 0 && rest.starts_with(['.', ')']) && rest[1..].chars().next().is_none_or(|c| c == ' ') {
        return format!("{}\\{rest}", &line[..number]);
    }
    let bullet = line.starts_with(['-', '+']) && line[1..].chars().next().is_none_or(|c| c == ' ');
    if bullet || line.starts_with(['#', ':']) || is_rule(&line) { format!("\\{line}") } else { line }
}

/// A thematic break, an underline of a heading, or the delimiter row of a table.
pub(super) fn is_rule(line: &str) -> bool {
    !line.is_empty() && line.chars().all(|c| matches!(c, '-' | '=' | '*' | '_' | '+' | ':' | '|' | ' ' | '\t'))
}

/// Where runs of backticks stand in a line, by length.
struct Spans(HashMap<usize, Vec<usize>>);

impl Spans {
    fn of(line: &str) -> Self {
        let mut by_length: HashMap<usize, Vec<usize>> = HashMap::new();
        let bytes = line.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            let run = bytes[i..].iter().take_while(|b| **b == b'`').count();
            if run > 0 {
                by_length.entry(run).or_default().push(i);
            }
            i += run.max(1);
        }
        Self(by_length)
    }

    /// The first run of just that length at or after `from`.
    fn close(&self, length: usize, from: usize) -> Option<usize> {
        let places = self.0.get(&length)?;
        places.get(places.partition_point(|p| *p < from)).copied()
    }
}
