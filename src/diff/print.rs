//! Prints files back as a patch that `git apply` takes. Binary contents are not part of a
//! [`FileDiff`], so of a binary file only a word remains that it differs.

use super::quote::quote_into;
use super::{FileDiff, FileMode, FileStatus, Hunk, LineKind};

/// The patch of several files.
pub fn patch(files: &[FileDiff]) -> Vec<u8> {
    let mut out = Vec::new();
    for file in files {
        print(file, &mut out);
    }
    out
}

/// Appends one file's patch to `out`.
pub fn print(file: &FileDiff, out: &mut Vec<u8>) {
    if file.status != FileStatus::TypeChanged {
        return part(file, &file.hunks.iter().collect::<Vec<_>>(), out);
    }
    // `git apply` takes a change of type only as a deletion and an addition.
    let (gone, come): (Vec<&Hunk>, Vec<&Hunk>) = file.hunks.iter().partition(|h| h.new_lines == 0);
    let deletion = FileDiff { status: FileStatus::Deleted, new_mode: None, new_id: None, hunks: Vec::new(), ..file.clone() };
    let addition = FileDiff { status: FileStatus::Added, old_mode: None, old_id: None, hunks: Vec::new(), ..file.clone() };
    part(&deletion, &gone, out);
    part(&addition, &come, out);
}

fn part(file: &FileDiff, hunks: &[&Hunk], out: &mut Vec<u8>) {
    let (old, new) = (file.old_path.as_bytes(), file.new_path.as_bytes());
    out.extend_from_slice(b"diff --git ");
    quote_into(out, b"a/", old);
    out.push(b' ');
    quote_into(out, b"b/", new);
    out.push(b'\n');
    headers(file, out);
    if file.binary {
        two_names(file, out, b"Binary files ", b" and ", b" differ\n");
    } else if !hunks.is_empty() {
        two_names(file, out, b"--- ", b"\n+++ ", b"\n");
        for hunk in hunks {
            print_hunk(hunk, out);
        }
    }
}

fn headers(file: &FileDiff, out: &mut Vec<u8>) {
    let mut mode = |what: &str, mode: Option<FileMode>| {
        if let Some(mode) = mode {
            out.extend_from_slice(format!("{what} {}\n", octal(mode)).as_bytes());
        }
    };
    let same_mode = file.old_mode == file.new_mode;
    match file.status {
        // A patch must say that the file is new or gone, even where its mode is not known.
        FileStatus::Added => mode("new file mode", file.new_mode.or(Some(FileMode::Regular))),
        FileStatus::Deleted => mode("deleted file mode", file.old_mode.or(Some(FileMode::Regular))),
        _ if same_mode => {}
        _ => {
            mode("old mode", file.old_mode);
            mode("new mode", file.new_mode);
        }
    }
    let moved = match file.status {
        FileStatus::Renamed => "rename",
        FileStatus::Copied => "copy",
        _ => "",
    };
    if !moved.is_empty() {
        for (word, path) in [("from", &file.old_path), ("to", &file.new_path)] {
            out.extend_from_slice(format!("{moved} {word} ").as_bytes());
            quote_into(out, b"", path.as_bytes());
            out.push(b'\n');
        }
    }
    if let Some(known) = file.old_id.as_ref().or(file.new_id.as_ref()) {
        let null = "0".repeat(known.len());
        let (old, new) = (file.old_id.as_ref().unwrap_or(&null), file.new_id.as_ref().unwrap_or(&null));
        out.extend_from_slice(format!("index {old}..{new}").as_bytes());
        if let Some(mode) = file.old_mode.filter(|_| same_mode) {
            out.extend_from_slice(format!(" {}", octal(mode)).as_bytes());
        }
        out.push(b'\n');
    }
}

/// Both names with their prefixes, `/dev/null` for a side that is not there.
fn two_names(file: &FileDiff, out: &mut Vec<u8>, before: &[u8], between: &[u8], after: &[u8]) {
    out.extend_from_slice(before);
    match file.status {
        FileStatus::Added => out.extend_from_slice(b"/dev/null"),
        _ => quote_into(out, b"a/", file.old_path.as_bytes()),
    }
    out.extend_from_slice(between);
    match file.status {
        FileStatus::Deleted => out.extend_from_slice(b"/dev/null"),
        _ => quote_into(out, b"b/", file.new_path.as_bytes()),
    }
    out.extend_from_slice(after);
}

/// Appends one hunk with its `@@` line.
pub fn print_hunk(hunk: &Hunk, out: &mut Vec<u8>) {
    let header = format!("@@ -{} +{} @@", range(hunk.old_start, hunk.old_lines), range(hunk.new_start, hunk.new_lines));
    out.extend_from_slice(header.as_bytes());
    if !hunk.section.is_empty() {
        out.push(b' ');
        out.extend_from_slice(&hunk.section);
    }
    out.push(b'\n');
    for line in &hunk.lines {
        out.push(match line.kind {
            LineKind::Context => b' ',
            LineKind::Added => b'+',
            LineKind::Removed => b'-',
        });
        out.extend_from_slice(&line.text);
        out.push(b'\n');
        if line.no_newline {
            out.extend_from_slice(b"\\ No newline at end of file\n");
        }
    }
}

fn range(start: u32, count: u32) -> String {
    if count == 1 { start.to_string() } else { format!("{start},{count}") }
}

fn octal(mode: FileMode) -> &'static str {
    match mode {
        FileMode::Regular => "100644",
        FileMode::Executable => "100755",
        FileMode::Symlink => "120000",
        FileMode::Submodule => "160000",
    }
}
