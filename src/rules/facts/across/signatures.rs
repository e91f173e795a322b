//! A function that takes other arguments now while calls that the change leaves alone still pass the old ones. Told only where it
//! is sure by counting: the call fits the old parameters and cannot fit the new ones.

use super::Found;
use super::removed;
use super::view::{Gone, View};
use crate::context::{self, ChangeKind, Class, is_test_path, word_at};
use crate::diff::Side;
use crate::git::GrepHit;
use crate::path::RepoPath;
use std::collections::BTreeMap;

/// Names that are searched for.
const MAX_NAMES: usize = 60;
/// With more callers than this the name means something else.
const MAX_CALLS: usize = 40;

/// How many arguments a call may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Arity {
    least: usize,
    most: usize,
}

impl Arity {
    fn takes(self, n: usize) -> bool {
        (self.least..=self.most).contains(&n)
    }
}

pub(super) fn in_use(view: &View<'_>) -> Vec<Found> {
    let mut changed = BTreeMap::new();
    for file in view.files.iter().filter(|f| !is_test_path(&f.diff.new_path) && f.diff.old_path == f.diff.new_path) {
        for change in file.changes.iter().filter(|c| c.kind == ChangeKind::Signature) {
            let (Some(old), Some(new)) = (&change.old, &change.new) else { continue };
            let free = new.class == Class::Code && new.name == new.own && new.parent.is_none() && new.own.len() >= 4;
            let extension = file.diff.new_path.extension();
            let arities = arity(&extension, &old.signature, &old.own).zip(arity(&extension, &new.signature, &new.own));
            if let Some((before, after)) = arities.filter(|(before, after)| free && before != after) {
                // Two of a name cannot be told apart.
                changed.entry(new.own.as_str()).and_modify(|c| *c = None).or_insert(Some((file, old, new, before, after)));
            }
        }
    }
    if changed.is_empty() {
        return Vec::new();
    }
    let hits = view.search(changed.keys().take(MAX_NAMES).map(|n| (*n).to_owned()).collect(), true);
    let mut found = Vec::new();
    for (name, candidate) in changed {
        let Some((file, old, new, before, after)) = candidate else { continue };
        let here: Vec<&GrepHit> = hits.iter().filter(|h| word_at(&h.text, name).is_some()).collect();
        let path = &file.diff.new_path;
        let declared = here.iter().filter(|h| context::declares(&h.path, &h.text, name)).collect::<Vec<_>>();
        // Another of the name, an overload, or a search that came to its end: not sure.
        if declared.iter().any(|h| h.path != *path || h.line != new.line) || here.len() >= 100 {
            continue;
        }
        let gone = Gone { file, symbol: old, renamed: None, hits: Vec::new() };
        let calls: Vec<&&GrepHit> = here
            .iter()
            .filter(|h| !(h.path == *path && (new.start..=new.line).contains(&h.line)))
            .filter(|h| h.text.len() < 500 && removed::uses(view, &gone, h))
            .filter(|h| passed(&h.text, name).is_some_and(|n| before.takes(n) && !after.takes(n)))
            .filter(|h| shadowed(view, &h.path, path, name).is_none())
            .collect();
        if calls.is_empty() || calls.len() > MAX_CALLS {
            continue;
        }
        // The line of the declaration, if the change touches it; else there is no line to tell it on.
        let Some(line) = file.added().map(|(n, _)| n).find(|n| (new.start..=new.end).contains(n)) else { continue };
        let words = |a: Arity| if a.least == a.most { a.least.to_string() } else { format!("{} to {}", a.least, a.most) };
        found.push(Found {
            file: file.index,
            side: Side::New,
            lines: (line, line),
            message: format!("`{name}` takes {} arguments now, not {}, but code still passes the old ones", words(after), words(before)),
            places: calls.iter().map(|h| format!("{}:{}", h.path, h.line)).collect(),
        });
    }
    found
}

/// A file that gives the name another meaning: by a definition or an assignment of its own.
fn shadowed(view: &View<'_>, user: &RepoPath, home: &RepoPath, name: &str) -> Option<()> {
    if user == home {
        return None;
    }
    let text = view.text(user)?;
    let own = |l: &str| {
        let code = l.trim_start();
        ["def ", "fn ", "func ", "function ", "let ", "const ", "var "]
            .iter()
            .any(|w| code.strip_prefix(w).is_some_and(|rest| rest.trim_start().starts_with(name)))
            || code.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('=') && !rest.trim_start().starts_with("=="))
    };
    text.lines().any(own).then_some(())
}

/// What a signature says about the number of arguments; `None` where it does not say it for sure.
fn arity(extension: &str, signature: &str, name: &str) -> Option<Arity> {
    let at = word_at(signature, name)? + name.len();
    let rest = signature.get(at..)?;
    // Type parameters may stand in between.
    let open = rest.find('(').filter(|i| rest[..*i].trim().is_empty() || rest.trim_start().starts_with(['<', '[']))?;
    let list = arguments(&rest[open..])?;
    let parameters: Vec<&str> = list.iter().map(|p| p.trim()).filter(|p| !p.is_empty()).collect();
    let exact = |n: usize| Some(Arity { least: n, most: n });
    match extension {
        "rs" => exact(parameters.len()).filter(|_| !parameters.iter().any(|p| p.ends_with("self") || p.contains("self:"))),
        "go" => {
            // `a, b int` are two; a variadic one takes any number.
            (!parameters.iter().any(|p| p.contains("..."))).then_some(())?;
            exact(parameters.len())
        }
        "py" => {
            (!parameters.iter().any(|p| p.starts_with('*') || *p == "/" || matches!(*p, "self" | "cls"))).then_some(())?;
            let optional = parameters.iter().filter(|p| p.contains('=')).count();
            Some(Arity { least: parameters.len() - optional, most: parameters.len() })
        }
        "ts" | "mts" | "cts" => {
            (!parameters.iter().any(|p| p.starts_with("...") || p.starts_with('{') || p.starts_with('[') || p.starts_with("this"))).then_some(())?;
            let optional = |p: &&&str| p.contains('=') || p.split(':').next().is_some_and(|n| n.trim_end().ends_with('?'));
            let optional = parameters.iter().filter(optional).count();
            Some(Arity { least: parameters.len() - optional, most: parameters.len() })
        }
        _ => None,
    }
}

/// How many arguments the call of `name` on this line passes; `None` where the line does not hold it whole, spreads a list, or is no call.
fn passed(line: &str, name: &str) -> Option<usize> {
    let at = word_at(line, name)? + name.len();
    let rest = line.get(at..)?;
    // Two calls on a line, or a decorator, are left alone.
    if !rest.starts_with('(') || word_at(rest, name).is_some() || line.trim_start().starts_with('@') {
        return None;
    }
    let list = arguments(rest)?;
    let given: Vec<&str> = list.iter().map(|a| a.trim()).filter(|a| !a.is_empty()).collect();
    // A generator, a closure or a macro's hole can stand for more than it looks like.
    let unsure = |a: &&str| a.starts_with(['*', '$', '#']) || a.contains("...") || a.contains(" for ") || a.contains('|');
    (!given.iter().any(unsure)).then_some(given.len())
}

/// The parts between commas of what stands in the first pair of brackets; `None` where it does not end here.
fn arguments(text: &str) -> Option<Vec<&str>> {
    let mut depth = 0_usize;
    let mut quote = None;
    let (mut from, mut out) = (1, Vec::new());
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        if let Some(q) = quote {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if c == q => quote = None,
                _ => {}
            }
            continue;
        }
        match c {
            '"' | '`' => quote = Some(c),
            // A character or a lifetime in Rust: nobody can tell from here, but a pair of them on a line.
            '\'' if text[i + 1..].contains('\'') => quote = Some(c),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    out.push(text.get(from..i)?);
                    return Some(out);
                }
            }
            // Type arguments hold commas too.
            '<' if text[i..].contains('>') && !text[i..].starts_with("< ") && !text[i..].starts_with("<=") => return None,
            ',' if depth == 1 => {
                out.push(text.get(from..i)?);
                from = i + 1;
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_parameters_where_it_is_sure() {
        let count = |extension: &str, signature: &str| {
            arity(extension, signature, "load_page").map(|a| format!("{}..{}", a.least, a.most)).unwrap_or_default()
        };
        for (extension, signature, expected) in [
            ("py", "def load_page(url, retries=3)", "1..2"),
            ("py", "def load_page(url: dict[str, int], *, retries)", ""),
            ("py", "def load_page(*args)", ""),
            ("py", "def load_page(self, url)", ""),
            ("rs", "pub fn load_page(url: &str, n: (u8, u8)) -> u8", "2..2"),
            ("rs", "pub fn load_page(&self)", ""),
            ("rs", "pub fn load_page<T>(map: Map<K, V>)", ""),
            ("go", "func load_page(url string, n int) error", "2..2"),
            ("go", "func load_page(urls ...string)", ""),
            ("ts", "export function load_page(url: string, n?: number, m = 1)", "1..3"),
            ("ts", "function load_page({ a, b }: Options)", ""),
            ("js", "function load_page(a, b)", ""),
        ] {
            assert_eq!(count(extension, signature), expected, "{signature}");
        }
    }

    #[test]
    fn counts_arguments_of_whole_calls_only() {
        for (line, expected) in [
            ("x = load_page(url)", Some(1)),
            ("load_page()", Some(0)),
            ("load_page(f(a, b), [c, d], \"e, f\", g='h, i')", Some(4)),
            ("load_page(url,", None),
            ("load_page(*urls)", None),
            ("load_page(load_page(a), b)", None),
            ("load_page(x for x in y)", None),
            ("my_load_page(url)", None),
            ("load_page = 1", None),
            ("load_page(a if b < c else d, e > f)", Some(2)),
        ] {
            assert_eq!(passed(line, "load_page"), expected, "{line}");
        }
    }
}
