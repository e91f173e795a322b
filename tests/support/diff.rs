//! Git's own diff of a version, and where a position stands in it.

use crate::git_repo::git_in;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

/// A line of a file's whole diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DiffLine {
    pub(crate) old: u32,
    pub(crate) new: u32,
    /// ` `, `+`, `-`.
    pub(crate) kind: u8,
}

#[derive(Debug, Clone)]
pub(crate) struct DiffFile {
    pub(crate) status: char,
    pub(crate) old_path: String,
    pub(crate) new_path: String,
    old_id: String,
    new_id: String,
    pub(crate) modes: (String, String),
}

/// Which files differ between two commits.
pub(crate) fn files(origin: &Path, base: &str, head: &str) -> Vec<DiffFile> {
    let raw = git_in(origin, &["diff-tree", "-r", "-z", "--raw", "-M", "--no-abbrev", base, head]);
    let text = String::from_utf8_lossy(&raw).into_owned();
    let mut fields = text.split('\0');
    let mut files = Vec::new();
    while let Some(info) = fields.next().filter(|f| !f.is_empty()) {
        let words: Vec<&str> = info.trim_start_matches(':').split(' ').collect();
        let old_path = fields.next().expect("a path").to_owned();
        let status = words[4].chars().next().expect("a status");
        let new_path = if matches!(status, 'R' | 'C') { fields.next().expect("a path").to_owned() } else { old_path.clone() };
        let (old_id, new_id) = (words[2].to_owned(), words[3].to_owned());
        files.push(DiffFile { status, old_path, new_path, old_id, new_id, modes: (words[0].to_owned(), words[1].to_owned()) });
    }
    files
}

/// All lines of a file, unchanged ones too.
pub(crate) fn lines(origin: &Path, file: &DiffFile) -> Vec<DiffLine> {
    let blob = |id: &str| if id.bytes().all(|b| b == b'0') { empty_blob(origin) } else { id.to_owned() };
    let (old, new) = (blob(&file.old_id), blob(&file.new_id));
    if old == new {
        return all_lines(origin, &new);
    }
    let bytes = git_in(origin, &["diff", "--no-color", "-U10000000", &old, &new]);
    let (mut old, mut new) = (0, 0);
    let mut lines = Vec::new();
    for line in bytes.split(|b| *b == b'\n').skip_while(|l| !l.starts_with(b"@@")) {
        match line.first() {
            Some(b'@') => {
                let text = String::from_utf8_lossy(line).into_owned();
                let start = |sign: char| text.split(' ').find_map(|w| w.strip_prefix(sign)?.split(',').next()?.parse().ok()).expect("a number");
                (old, new) = (start('-'), start('+'));
            }
            Some(kind @ (b' ' | b'+' | b'-')) => {
                lines.push(DiffLine { old, new, kind: *kind });
                old += u32::from(*kind != b'+');
                new += u32::from(*kind != b'-');
            }
            _ => {}
        }
    }
    lines
}

fn empty_blob(origin: &Path) -> String {
    String::from_utf8(git_in(origin, &["hash-object", "-w", "--stdin"])).expect("an id").trim().to_owned()
}

fn all_lines(origin: &Path, id: &str) -> Vec<DiffLine> {
    let bytes = git_in(origin, &["cat-file", "blob", id]);
    let count = bytes.iter().filter(|b| **b == b'\n').count() + usize::from(bytes.last().is_some_and(|b| *b != b'\n'));
    (1..=count as u32).map(|n| DiffLine { old: n, new: n, kind: b' ' }).collect()
}

/// Diffs that were asked for, since one test asks for hundreds of positions.
#[derive(Debug, Default)]
pub(crate) struct Diffs {
    files: HashMap<(String, String), Vec<DiffFile>>,
    lines: HashMap<(String, String, String), Vec<DiffLine>>,
}

impl Diffs {
    pub(crate) fn files(&mut self, origin: &Path, base: &str, head: &str) -> &[DiffFile] {
        self.files.entry((base.to_owned(), head.to_owned())).or_insert_with(|| files(origin, base, head))
    }

    pub(crate) fn lines(&mut self, origin: &Path, base: &str, head: &str, file: &DiffFile) -> &[DiffLine] {
        let key = (base.to_owned(), head.to_owned(), file.new_path.clone());
        self.lines.entry(key).or_insert_with(|| lines(origin, file))
    }

    /// The line code of a text position, or why it has none.
    pub(crate) fn line_code(&mut self, origin: &Path, position: &Value) -> Result<String, String> {
        let text = |key: &str| position[key].as_str().unwrap_or_default().to_owned();
        let (base, head, old_path, new_path) = (text("base_sha"), text("head_sha"), text("old_path"), text("new_path"));
        let Some(file) = self.files(origin, &base, &head).iter().find(|f| f.old_path == old_path && f.new_path == new_path).cloned() else {
            return Err(format!("no such file in the diff: {old_path} -> {new_path}"));
        };
        let number = |key: &str| position[key].as_u64().map(|n| n as u32);
        let lines = self.lines(origin, &base, &head, &file);
        let found = match (number("old_line"), number("new_line")) {
            (None, Some(n)) => lines.iter().find(|l| l.kind == b'+' && l.new == n),
            (Some(n), None) => lines.iter().find(|l| l.kind == b'-' && l.old == n),
            (Some(o), Some(n)) => lines.iter().find(|l| l.kind == b' ' && l.old == o && l.new == n),
            (None, None) => None,
        };
        let line = *found.ok_or_else(|| format!("no such line: {position}"))?;
        let sum = sha1(&new_path);
        let code = |l: DiffLine| format!("{sum}_{}_{}", l.old, l.new);
        if let Some(range) = position.get("line_range").filter(|r| !r.is_null()) {
            let all: HashMap<String, DiffLine> = lines.iter().map(|l| (code(*l), *l)).collect();
            let end = |name: &str| {
                let given = &range[name];
                let found = all.get(given["line_code"].as_str().unwrap_or_default()).ok_or_else(|| format!("no line has the code {given}"))?;
                let kind = if found.kind == b'+' { "new" } else { "old" };
                match given["type"].as_str() == Some(kind) && given.as_object().is_some_and(|o| o.len() == 2) {
                    true => Ok(*found),
                    false => Err(format!("the end of a range is written wrongly: {given}")),
                }
            };
            let (start, last) = (end("start")?, end("end")?);
            if last != line || start.old > last.old || start.new > last.new {
                return Err(format!("the range does not end at its line: {position}"));
            }
        }
        Ok(code(line))
    }
}

/// SHA-1 of a path, by git's own neighbour in coreutils: another program than ours.
pub(crate) fn sha1(text: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut child = Command::new("sha1sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sha1sum runs");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    String::from_utf8_lossy(&child.wait_with_output().expect("it ends").stdout).split(' ').next().expect("a sum").to_owned()
}
