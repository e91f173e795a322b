//! Symbols of files without a grammar: headings of Markdown, tables of TOML. Found line by line.

use super::grammar::Class;
use super::symbols::Symbol;
use super::text::{cut, fold};
use crate::path::RepoPath;

const MAX_SECTIONS: usize = 5_000;

/// The file's sections, each up to the next; empty for other kinds of files.
pub(super) fn sections(path: &RepoPath, text: &str) -> Vec<Symbol> {
    let title: fn(&str) -> Option<&str> = match path.extension().as_str() {
        "md" | "markdown" | "mdx" => |line| {
            let level = line.bytes().take_while(|b| *b == b'#').count();
            (1..=6).contains(&level).then(|| line[level..].strip_prefix(' ')).flatten()
        },
        "toml" => |line| line.trim_end().strip_prefix('[')?.strip_suffix(']'),
        _ => return Vec::new(),
    };
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
        if own.is_empty() || out.len() >= MAX_SECTIONS {
            continue;
        }
        out.push(Symbol {
            label: "section",
            class: Class::Section,
            name: own.clone(),
            signature: own.clone(),
            own,
            start: number,
            line: number,
            end: number,
            is_test: false,
            parent: None,
        });
    }
    if let Some(last) = out.last_mut() {
        last.end = number;
    }
    out
}
