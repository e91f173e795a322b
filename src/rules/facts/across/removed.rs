//! A function, type or constant that is gone while code still uses it. A compiler tells that too, where there is one and it
//! builds everything: not behind another feature or platform, not in scripts, examples, templates.

use super::Found;
use super::view::{Gone, View};
use crate::context::{self, Class, is_noise, same_family};
use crate::diff::Side;
use crate::git::GrepHit;

/// With more users than this the name means something else.
const MAX_USES: usize = 60;

pub(super) fn in_use(view: &View<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for gone in view.gone() {
        let uses: Vec<&&GrepHit> = gone.hits.iter().filter(|h| uses(view, &gone, h)).collect();
        if uses.is_empty() || uses.len() > MAX_USES {
            continue;
        }
        let name = &gone.symbol.own;
        let what = match gone.symbol.label {
            "def" | "fn" | "func" => "function",
            label => label,
        };
        let message = match gone.renamed {
            Some(new) => format!("`{name}` is called `{new}` now, but code still uses the old name"),
            None => format!("The {what} `{name}` is removed, but code still uses it"),
        };
        let line = gone.symbol.line;
        found.push(Found {
            file: gone.file.index,
            side: Side::Old,
            lines: (line, line),
            message,
            places: uses.iter().map(|h| format!("{}:{}", h.path, h.line)).collect(),
        });
    }
    found
}

/// Whether a line certainly uses what is gone: as code, in a file that can see it.
pub(super) fn uses(view: &View<'_>, gone: &Gone<'_>, hit: &GrepHit) -> bool {
    let from = &gone.file.diff.old_path;
    let code = hit.text.trim_start();
    let family =
        from.extension() == hit.path.extension() || (same_family(from, &hit.path) && !matches!(hit.path.extension().as_str(), "md" | "rst" | "txt"));
    if !family || context::is_comment(code) || is_noise(&hit.path) || in_string(&hit.text, &gone.symbol.own) {
        return false;
    }
    let Some(at) = context::word_at(&hit.text, &gone.symbol.own) else { return false };
    let (before, after) = (&hit.text[..at], hit.text[at + gone.symbol.own.len()..].trim_start());
    let qualified = before.ends_with('.') || before.ends_with("::") || before.ends_with("->");
    let called = after.starts_with('(') || after.starts_with("::<") || after.starts_with('!');
    let imported = ["import ", "from ", "use "].iter().any(|w| code.starts_with(w));
    let meant = match gone.symbol.class {
        Class::Code => called || imported,
        // A key of an object, or a parameter, can have any name.
        _ => !after.starts_with(':') || after.starts_with("::"),
    };
    if !meant || after.starts_with("=>") {
        return false;
    }
    if hit.path == gone.file.diff.new_path {
        return !qualified || before.ends_with("self.") || before.ends_with("Self::");
    }
    // Another file has to name the module: by import or by qualification.
    let stem = context::stem(from);
    let stem = stem.rsplit('/').next().unwrap_or_default().to_owned();
    let folder = from.parent();
    let folder = folder.rsplit('/').next().unwrap_or_default();
    match from.extension().as_str() {
        "go" => {
            let package = format!("{folder}.");
            if qualified { !folder.is_empty() && before.ends_with(&package) } else { from.parent() == hit.path.parent() }
        }
        "py" | "pyi" | "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" => {
            let Some(text) = view.text(&hit.path) else { return false };
            let module = if matches!(stem.as_str(), "index" | "__init__") { folder } else { &stem };
            imports(&text, module, &gone.symbol.own)
        }
        "rs" | "java" | "kt" | "cs" | "c" | "h" | "cc" | "cpp" => !qualified || before.ends_with("::"),
        _ => !qualified && from.parent() == hit.path.parent(),
    }
}

/// Whether a text imports `name` from a module of that name, or the module itself and uses the name through it.
fn imports(text: &str, module: &str, name: &str) -> bool {
    let mut open = false;
    let mut from_module = false;
    for line in text.lines().filter(|l| l.len() < 1_000) {
        let code = line.trim();
        let starts = ["import ", "from ", "export "].iter().any(|w| code.starts_with(w)) || code.contains("require(");
        if starts {
            from_module = context::word_at(code, module).is_some();
            open = code.ends_with(['(', '{']) || (code.contains('{') && !code.contains('}'));
        }
        let closes = open && (code.starts_with(')') || code.contains('}'));
        let here = starts || open;
        if here && context::word_at(code, name).is_some() {
            // JavaScript names the module at the end of the list.
            if from_module
                || text
                    .lines()
                    .skip_while(|l| l.trim() != code)
                    .take(40)
                    .find(|l| l.contains(" from "))
                    .is_some_and(|l| context::word_at(l, module).is_some())
            {
                return true;
            }
        }
        if closes {
            open = false;
        }
    }
    text.contains(&format!("{module}.{name}("))
        && text.lines().any(|l| l.trim_start().starts_with("import ") && context::word_at(l, module).is_some())
}

/// Whether the name stands between quotes on its line.
pub(super) fn in_string(line: &str, name: &str) -> bool {
    let Some(at) = context::word_at(line, name) else { return true };
    let before = &line[..at];
    ['"', '\'', '`'].iter().any(|q| before.matches(*q).count() % 2 == 1)
}
