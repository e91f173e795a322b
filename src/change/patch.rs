//! A bare patch as a change: no repository, so only what the patch shows is known.

use super::{Change, MAX_TEXT_BYTES, Policy, SourceKind};
use crate::diff::parse::{ParseError, parse};
use crate::diff::{FileDiff, FileMode, FileStatus, Side};
use crate::error::UserError;
use crate::text::FileText;

/// A file of which a patch shows lines beyond this number is not made a text, since every line before would be a blank.
const MAX_LINE_NUMBER: u32 = 1_000_000;

/// Reads a patch.
pub(super) fn read(bytes: &[u8]) -> Result<Change, UserError> {
    let parsed = parse(bytes).map_err(|e| {
        let fix = match e {
            ParseError::TooLarge(_) | ParseError::TooManyFiles => "Review it in parts.",
            ParseError::NoPatch | ParseError::Coloured => {
                "Make one with `git diff --no-color BASE HEAD` and pass it with --diff FILE, or - for stdin."
            }
        };
        UserError::unreadable("the patch cannot be read", e.to_string(), fix)
    })?;
    let (mut unreadable, mut notes) = (Vec::new(), Vec::new());
    for (path, problem) in parsed.problems {
        match path {
            Some(path) => unreadable.push((path, problem)),
            None => notes.push(format!("Not read in the patch: {problem}")),
        }
    }
    unreadable.extend(parsed.unmerged.into_iter().map(|path| (path, "it has an unresolved conflict, which a patch does not show".to_owned())));
    unreadable.sort();
    Ok(Change {
        kind: SourceKind::Patch,
        label: "patch".to_owned(),
        base_sha: None,
        head_sha: None,
        files: parsed.files,
        messages: Vec::new(),
        policy: Policy::None,
        objects: None,
        unreadable,
        oversized: Vec::new(),
        notes,
    })
}

/// The lines of one side that the patch shows; the whole file where the patch adds or deletes it and is `sound`.
pub(super) fn text(file: &FileDiff, side: Side, sound: bool) -> Option<FileText> {
    let (absent, mode) = match side {
        Side::Old => (FileStatus::Added, file.old_mode),
        Side::New => (FileStatus::Deleted, file.new_mode),
    };
    if file.binary || file.status == absent || matches!(mode, Some(FileMode::Symlink | FileMode::Submodule)) {
        return None;
    }
    let lines = || {
        let lines = file.hunks.iter().flat_map(|h| &h.lines);
        lines.filter_map(move |l| Some((if side == Side::Old { l.old? } else { l.new? }, l)))
    };
    let bytes: u64 = lines().map(|(_, l)| l.text.len() as u64 + 1).sum();
    let readable = lines().all(|(number, l)| number <= MAX_LINE_NUMBER && !l.text.contains(&0));
    if bytes > MAX_TEXT_BYTES || !readable {
        return None;
    }
    if sound && matches!(file.status, FileStatus::Added | FileStatus::Deleted) && starts_at_first_line(file, side) {
        let mut whole = Vec::new();
        for (_, line) in lines() {
            whole.extend_from_slice(&line.text);
            if !line.no_newline {
                whole.push(b'\n');
            }
        }
        return Some(FileText::whole(&whole));
    }
    Some(FileText::sparse(lines().map(|(number, line)| (number, line.text.as_slice()))))
}

/// Whether the side's lines are those of one hunk from line 1 (or there are none).
fn starts_at_first_line(file: &FileDiff, side: Side) -> bool {
    match file.hunks.as_slice() {
        [] => true,
        [only] => (if side == Side::Old { only.old_start } else { only.new_start }) == 1,
        _ => false,
    }
}
