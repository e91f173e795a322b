//! `find_symbol`: where a name is declared, with the declaration, and where it is used.

use super::{Found, Toolbox};
use crate::change::MAX_TEXT_BYTES;
use crate::context::{Symbol, enclosing, symbols_of};
use crate::diff::Side;
use crate::git::GrepQuery;
use crate::path::RepoPath;
use crate::text::FileText;
use std::collections::BTreeMap;

/// Lines of one declaration.
const MAX_LINES: u32 = 60;
/// Declarations shown whole.
const MAX_DECLARATIONS: usize = 6;
/// Uses listed.
const MAX_USES: usize = 40;
/// Files opened to tell declarations from uses.
const MAX_FILES: usize = 60;

impl Toolbox {
    pub(super) fn find_symbol(&self, name: &str, side: Side) -> Found {
        let objects = self.change.objects.as_ref().ok_or("Only the patch is known here, not the repository.")?;
        // `Client::send` and `client.send` are looked for by their last part.
        let own = name.trim().trim_end_matches("()").rsplit([':', '.', '#']).next().unwrap_or_default();
        if own.is_empty() || !own.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '-')) {
            return Err("Give the name of one function, type, constant or field.".into());
        }
        let query = GrepQuery { needles: vec![own.to_owned()], word: true, glob: None, max_per_file: 40, max_hits: 600 };
        let hits = objects.grep(side, &query).map_err(|e| format!("The search failed: {e}."))?;
        let mut by_file: BTreeMap<&RepoPath, Vec<u32>> = BTreeMap::new();
        for hit in hits.iter().filter(|h| !(self.private)(&h.path)) {
            by_file.entry(&hit.path).or_default().push(hit.line);
        }
        if by_file.is_empty() {
            return Ok(format!("{own} does not occur.\n"));
        }
        let (mut declared, mut used) = (String::new(), String::new());
        let (mut declarations, mut uses) = (0, 0);
        for (path, lines) in by_file.iter().take(MAX_FILES) {
            let Ok(bytes) = objects.file(side, path, MAX_TEXT_BYTES) else { continue };
            let text = FileText::whole(&bytes);
            let symbols = symbols_of(path, &text);
            for symbol in symbols.iter().filter(|s| s.own == own) {
                declarations += 1;
                if declarations <= MAX_DECLARATIONS {
                    declaration(&mut declared, path, symbol, &text);
                }
            }
            for line in lines {
                if symbols.iter().any(|s| s.own == own && s.line == *line) {
                    continue;
                }
                uses += 1;
                if uses <= MAX_USES {
                    let around = enclosing(&symbols, *line).and_then(|i| symbols.get(i)).map(|s| format!(" in {}", s.name)).unwrap_or_default();
                    used.push_str(&format!("{}:{line}{around}: {}\n", path.display(), text.line(*line).unwrap_or_default().trim()));
                }
            }
        }
        let more = |n: usize, most: usize| if n > most { format!(" (the first {most} of {n})") } else { String::new() };
        let mut out = format!(
            "declared{}:\n{}\n",
            more(declarations, MAX_DECLARATIONS),
            if declared.is_empty() { "nowhere that was recognised\n" } else { &declared }
        );
        out.push_str(&format!("used{}:\n{used}", more(uses, MAX_USES)));
        if by_file.len() > MAX_FILES {
            out.push_str(&format!("[{} more files mention it]\n", by_file.len() - MAX_FILES));
        }
        Ok(out)
    }
}

fn declaration(out: &mut String, path: &RepoPath, symbol: &Symbol, text: &FileText) {
    let end = symbol.end.min(symbol.start.saturating_add(MAX_LINES - 1));
    out.push_str(&format!("{}:{}-{} {}\n", path.display(), symbol.start, symbol.end, symbol.name));
    for number in symbol.start..=end {
        out.push_str(text.line(number).unwrap_or_default());
        out.push('\n');
    }
    if end < symbol.end {
        out.push_str(&format!("[{} more lines]\n", symbol.end - end));
    }
}
