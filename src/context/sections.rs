//! Symbols of files that are not parsed: headings of Markdown, tables of TOML, keys of YAML. Found line by line.
//!
//! YAML has a grammar, but its scanner overruns its own state on deep nesting, and keys are all that is wanted.

use super::grammar::Class;
use super::symbols::Symbol;
use super::text::{cut, fold};
use crate::path::RepoPath;

const MAX_SECTIONS: usize = 5_000;
/// Keys nested deeper repeat and say nothing.
const MAX_DEPTH: usize = 3;

/// The file's sections, outer ones before what they hold; empty for other kinds of files.
pub(super) fn sections(path: &RepoPath, text: &str) -> Vec<Symbol> {
    match path.extension().as_str() {
        "md" | "markdown" | "mdx" => flat(text, |line| {
            let level = line.bytes().take_while(|b| *b == b'#').count();
            (1..=6).contains(&level).then(|| line[level..].strip_prefix(' ')).flatten()
        }),
        "toml" => flat(text, |line| line.trim_end().strip_prefix('[')?.strip_suffix(']')),
        "yaml" | "yml" => keys(text),
        _ => Vec::new(),
    }
}

/// Sections that do not nest: each up to the next.
fn flat(text: &str, title: fn(&str) -> Option<&str>) -> Vec<Symbol> {
    let mut out: Vec<Symbol> = Vec::new();
    let mut fenced = false;
    let mut number = 0;
    for line in text.lines() {
        number += 1;
        fenced ^= line.starts_with("```");
        let Some(title) = title(line).filter(|_| !fenced) else { continue };
        if let Some(last) = out.last_mut() {
            last.end = number - 1;
        }
        let own = cut(&fold(title), 80).to_owned();
        if !own.is_empty() && out.len() < MAX_SECTIONS {
            out.push(symbol("section", Class::Section, own.clone(), own, number, None));
        }
    }
    if let Some(last) = out.last_mut() {
        last.end = number;
    }
    out
}

/// Keys of block mappings, by indentation.
fn keys(text: &str) -> Vec<Symbol> {
    let mut out: Vec<Symbol> = Vec::new();
    // What is open: its column and its place in `out`.
    let mut open: Vec<(usize, usize)> = Vec::new();
    // The lines of a block scalar are deeper than this column.
    let mut scalar: Option<usize> = None;
    let mut last = 0;
    for (line, number) in text.lines().zip(1..) {
        let code = line.trim_start_matches(' ');
        let mut column = line.len() - code.len();
        if code.is_empty() || code.starts_with('#') || scalar.is_some_and(|of| column > of) {
            continue;
        }
        scalar = None;
        // An entry of a list may stand in the column of the key that holds it.
        let entry = code.starts_with("- ");
        close(&mut open, &mut out, if entry { column + 1 } else { column }, last);
        last = number;
        let key = code.trim_start_matches("- ");
        column += code.len() - key.len();
        let Some((own, value)) =
            key.split_once(':').filter(|(k, v)| !k.is_empty() && !k.contains([' ', '{', '[']) && (v.is_empty() || v.starts_with(' ')))
        else {
            continue;
        };
        if value.trim_start().starts_with(['|', '>']) {
            scalar = Some(column);
        }
        if open.len() >= MAX_DEPTH || out.len() >= MAX_SECTIONS {
            continue;
        }
        let own = cut(own.trim_matches(['"', '\'']), 80).to_owned();
        let parent = open.last().map(|(_, i)| *i);
        let name = parent.and_then(|p| out.get(p)).map_or_else(|| own.clone(), |p| format!("{}.{own}", p.name));
        open.push((column, out.len()));
        out.push(symbol("key", Class::Container, name, own, number, parent));
    }
    close(&mut open, &mut out, 0, u32::try_from(text.lines().count()).unwrap_or(u32::MAX));
    out
}

/// Ends what is open at `column` or deeper.
fn close(open: &mut Vec<(usize, usize)>, out: &mut [Symbol], column: usize, line: u32) {
    while let Some((_, i)) = open.pop_if(|(c, _)| *c >= column) {
        out[i].end = line.max(out[i].start);
    }
}

fn symbol(label: &'static str, class: Class, name: String, own: String, line: u32, parent: Option<usize>) -> Symbol {
    Symbol { label, class, name, signature: own.clone(), own, start: line, line, end: line, is_test: false, parent }
}
