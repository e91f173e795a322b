//! One hunk: `@@ -1,3 +1,4 @@ section` and its lines. Counts are a claim that the lines have to bear out.

use super::lines::{Lines, trim_cr};
use super::{Hunk, Line, LineKind};

/// Where the previous hunk of the file ended: the first line numbers that the next may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor {
    pub(crate) old: u32,
    pub(crate) new: u32,
}

impl Floor {
    /// Nothing of the file was shown so far.
    pub(crate) const START: Floor = Floor { old: 1, new: 1 };

    /// The floor after `hunk`.
    pub(crate) fn after(hunk: &Hunk) -> Floor {
        Floor { old: first(hunk.old_start, hunk.old_lines) + hunk.old_lines, new: first(hunk.new_start, hunk.new_lines) + hunk.new_lines }
    }
}

/// The number of the first line on a side. With no lines there, git names the line before.
fn first(start: u32, count: u32) -> u32 {
    if count == 0 { start.saturating_add(1) } else { start }
}

/// Reads the hunk whose `@@` line is next. Returns what is sound of it, and what is wrong with the rest.
pub(crate) fn parse(lines: &mut Lines<'_>, floor: Floor) -> (Option<Hunk>, Option<&'static str>) {
    let Some(mut hunk) = lines.next().and_then(header) else {
        return (None, Some("a hunk's header is not readable"));
    };
    let (mut old, mut new) = (first(hunk.old_start, hunk.old_lines), first(hunk.new_start, hunk.new_lines));
    if old < floor.old || new < floor.new {
        return (None, Some("its hunks are not in order"));
    }
    let (mut old_left, mut new_left) = (hunk.old_lines, hunk.new_lines);
    while old_left > 0 || new_left > 0 {
        let Some(line) = lines.peek() else { break };
        let (kind, text) = match line.split_first() {
            Some((b' ', text)) => (LineKind::Context, text),
            Some((b'+', text)) => (LineKind::Added, text),
            Some((b'-', text)) => (LineKind::Removed, text),
            Some((b'\\', _)) => {
                mark_no_newline(&mut hunk);
                lines.next();
                continue;
            }
            // GNU diff and mail programs leave the blank of an empty context line out.
            None | Some((b'\r', [])) => (LineKind::Context, line),
            Some(_) => break,
        };
        let (on_old, on_new) = (kind != LineKind::Added, kind != LineKind::Removed);
        if (on_old && old_left == 0) || (on_new && new_left == 0) {
            break;
        }
        lines.next();
        hunk.lines.push(Line { kind, text: text.to_vec(), old: on_old.then_some(old), new: on_new.then_some(new), no_newline: false });
        old += u32::from(on_old);
        new += u32::from(on_new);
        old_left -= u32::from(on_old);
        new_left -= u32::from(on_new);
    }
    if lines.starts(b"\\") {
        mark_no_newline(&mut hunk);
        lines.next();
    }
    let problem = if old_left > 0 || new_left > 0 {
        trim_to_lines(&mut hunk);
        Some("it breaks off inside a hunk")
    } else if more_lines_follow(lines) {
        Some("a hunk has more lines than its header says")
    } else {
        None
    };
    (Some(hunk).filter(|h| !h.lines.is_empty()), problem)
}

/// `@@ -l[,s] +l[,s] @@[ section]`, without lines. `None` also where the numbers leave no room for the lines.
fn header(line: &[u8]) -> Option<Hunk> {
    let rest = trim_cr(line).strip_prefix(b"@@ -")?;
    let (old_start, old_lines, rest) = range(rest)?;
    let (new_start, new_lines, rest) = range(rest.strip_prefix(b" +")?)?;
    let section = rest.strip_prefix(b" @@")?;
    let fits = |start: u32, count: u32| start.checked_add(count).is_some_and(|end| end < u32::MAX) && (start > 0 || count == 0);
    (fits(old_start, old_lines) && fits(new_start, new_lines)).then(|| Hunk {
        old_start,
        old_lines,
        new_start,
        new_lines,
        section: section.strip_prefix(b" ").unwrap_or(section).to_vec(),
        lines: Vec::new(),
    })
}

fn range(input: &[u8]) -> Option<(u32, u32, &[u8])> {
    let (start, rest) = number(input)?;
    match rest.strip_prefix(b",") {
        Some(rest) => number(rest).map(|(count, rest)| (start, count, rest)),
        None => Some((start, 1, rest)),
    }
}

fn number(input: &[u8]) -> Option<(u32, &[u8])> {
    let digits = input.iter().take_while(|b| b.is_ascii_digit()).count();
    let value = std::str::from_utf8(&input[..digits]).ok()?.parse().ok()?;
    Some((value, &input[digits..]))
}

fn mark_no_newline(hunk: &mut Hunk) {
    if let Some(last) = hunk.lines.last_mut() {
        last.no_newline = true;
    }
}

/// Makes the counts those of the lines that are there.
fn trim_to_lines(hunk: &mut Hunk) {
    let count = |skip: LineKind| u32::try_from(hunk.lines.iter().filter(|l| l.kind != skip).count()).unwrap_or(u32::MAX);
    let (old, new) = (count(LineKind::Added), count(LineKind::Removed));
    // A side that turned out empty is named by the line before it.
    if old == 0 && hunk.old_lines > 0 {
        hunk.old_start -= 1;
    }
    if new == 0 && hunk.new_lines > 0 {
        hunk.new_start -= 1;
    }
    (hunk.old_lines, hunk.new_lines) = (old, new);
}

/// Whether something that looks like a hunk's line follows a hunk that is complete.
fn more_lines_follow(lines: &Lines<'_>) -> bool {
    // `-- ` begins the signature of a mailed patch, `--- ` the next file of a plain diff.
    let Some(line) = lines.peek() else { return false };
    match line.first() {
        Some(b'+' | b' ') => true,
        Some(b'-') => !(trim_cr(line) == b"-- " || line == b"--" || line.starts_with(b"--- ")),
        _ => false,
    }
}
