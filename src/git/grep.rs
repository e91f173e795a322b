//! Searching a tree for fixed strings with `git grep`.
//!
//! Many needles go to git as one pattern of alternatives, since it searches for them one after the other otherwise
//! (80 names in 12 MB: 0.98 s of CPU, as one pattern 0.08 s). Alternatives of plain text cannot backtrack further than
//! their own length, so this is no opening for hostile texts (TRUST 13).

use super::objects::Tree;
use super::program::GitError;
use super::room::Room;
use super::{GrepHit, GrepQuery, ObjectError, shorten};
use crate::path::RepoPath;
use std::io::{self, BufRead, BufReader, Read};
use std::time::Duration;

/// How long a search may take.
const MAX_TIME: Duration = Duration::from_secs(5);
/// How much of git's answer is read; it ends a search early, always at the same place.
const MAX_BYTES: u64 = 16 << 20;
/// Longer lines are cut in [`GrepHit::text`].
const MAX_LINE: usize = 500;
/// Longer patterns of alternatives are not tried: they have a bound of their own in the library that git uses.
const MAX_PATTERN: usize = 20_000;
/// Longer globs are refused: matching them can take git exponential time.
const MAX_GLOB: usize = 1_000;

pub(crate) fn grep(room: &Room, tree: &Tree, query: &GrepQuery) -> Result<Vec<GrepHit>, ObjectError> {
    // Git reads one needle a line; one with a line end or a NUL is in no line of a text file.
    let needles: Vec<&str> = query.needles.iter().map(String::as_str).filter(|n| !n.is_empty() && !n.contains(['\n', '\0'])).collect();
    if needles.is_empty() || query.max_hits == 0 || query.max_per_file == 0 {
        return Ok(Vec::new());
    }
    if query.glob.as_ref().is_some_and(|g| g.len() > MAX_GLOB || g.contains('\0')) {
        return Err(ObjectError::Git(format!("the glob is not a path of at most {MAX_GLOB} bytes")));
    }
    if needles.len() > 1
        && let Some(pattern) = alternatives(&needles, query.word)
    {
        match search(room, tree, query, &["-P"], pattern) {
            // A git without this kind of pattern, or one that finds the pattern too large, says so at once.
            Err(GitError::Failed { code: Some(128), .. }) => {}
            done => return Ok(done?),
        }
    }
    let kind: &[&str] = if query.word { &["-F", "-w"] } else { &["-F"] };
    Ok(search(room, tree, query, kind, needles.join("\n"))?)
}

/// The needles as one pattern; `None` where it would be very long.
fn alternatives(needles: &[&str], word: bool) -> Option<String> {
    let mut pattern = String::new();
    for needle in needles {
        pattern.push(if pattern.is_empty() { ' ' } else { '|' });
        for c in needle.chars() {
            if c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_' {
                pattern.push('\\');
            }
            pattern.push(c);
        }
    }
    let (before, after) = if word { ("(?<![A-Za-z0-9_])", "(?![A-Za-z0-9_])") } else { ("", "") };
    (pattern.len() <= MAX_PATTERN).then(|| format!("{before}(?:{}){after}", &pattern[1..]))
}

fn search(room: &Room, tree: &Tree, query: &GrepQuery, kind: &[&str], patterns: String) -> Result<Vec<GrepHit>, GitError> {
    let mut args = vec!["grep", "-z", "-n", "-I", "--no-color", "--full-name", "--no-recurse-submodules", "-f", "-"];
    args.extend(kind);
    let pathspec = query.glob.as_ref().map(|glob| format!(":(glob){glob}"));
    let prefix = match tree {
        Tree::Treeish(id) => {
            args.push(id);
            id.len() + 1
        }
        Tree::Index(_) => {
            args.push("--cached");
            0
        }
    };
    args.push("--");
    args.extend(pathspec.as_deref());
    let call = tree.scope(room.call(&args)?).stdin(patterns.into_bytes()).bounds(MAX_BYTES, MAX_TIME);
    let answer = call.run_reading(|stdout| {
        let mut output = BufReader::new(stdout.take(MAX_BYTES));
        let (hits, ended) = read_hits(&mut output, prefix, query)?;
        Ok((hits, ended && output.get_ref().limit() > 0))
    });
    match answer {
        Ok(answer) => Ok(answer.value),
        // Nothing found.
        Err(GitError::Failed { code: Some(1), .. }) => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

/// Reads `path NUL line NUL text LF ...`; the second value is whether the output was read to its end.
fn read_hits(output: &mut impl BufRead, prefix: usize, query: &GrepQuery) -> io::Result<(Vec<GrepHit>, bool)> {
    let mut hits: Vec<GrepHit> = Vec::new();
    let (mut path, mut number, mut text) = (Vec::new(), Vec::new(), Vec::new());
    let (mut in_file, mut last_path) = (0, Vec::new());
    loop {
        for (field, end) in [(&mut path, 0), (&mut number, 0), (&mut text, b'\n')] {
            field.clear();
            output.read_until(end, field)?;
            if field.pop() != Some(end) {
                // The end, or the bound inside of a line.
                return Ok((hits, field.is_empty()));
            }
        }
        if path != last_path {
            (in_file, last_path) = (0, path.clone());
        }
        in_file += 1;
        let line = std::str::from_utf8(&number).ok().and_then(|n| n.parse().ok());
        if let (Some(line), Some(name), true) = (line, path.get(prefix..), in_file <= query.max_per_file) {
            hits.push(GrepHit { path: RepoPath::new(name), line, text: shorten(text.strip_suffix(b"\r").unwrap_or(&text), MAX_LINE) });
        }
        if hits.len() >= query.max_hits {
            return Ok((hits, false));
        }
    }
}
