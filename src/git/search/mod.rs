//! Searching a tree for fixed strings: its files are streamed through `git cat-file`, each once for all questions.
//!
//! `git grep` takes several times the CPU where there are many strings, needs a build with the right patterns, and reads
//! the tree once more for each question.

mod needles;

use super::batch::header;
use super::program::GitError;
use super::room::Room;
use super::{GrepHit, GrepQuery, ObjectError, TreeEntry, shorten};
use crate::diff::FileMode;
use crate::threads::{cores, in_parts};
use globset::{GlobBuilder, GlobMatcher};
use memchr::{memchr, memchr_iter, memrchr};
use needles::Needles;
use std::io::{self, BufReader, Read};
use std::time::Duration;

/// How long a search may take.
const MAX_TIME: Duration = Duration::from_secs(5);
/// Larger files are not searched, in bytes.
const MAX_FILE: u64 = 8 << 20;
/// A NUL among so many first bytes says that a file is no text, as git sees it.
const HEAD: usize = 8_000;
/// Longer lines are cut in [`GrepHit::text`].
const MAX_LINE: usize = 500;
/// Longer globs are refused, in bytes.
const MAX_GLOB: usize = 1_000;
/// One more process pays from so many files on.
const FILES_A_PROCESS: usize = 100;
/// Files that are no text by their name, and need not be unpacked.
const NO_TEXT: [&str; 30] = [
    "7z", "a", "avif", "bin", "bmp", "bz2", "class", "dll", "eot", "exe", "gif", "gz", "ico", "jar", "jpeg", "jpg", "mov", "mp3", "mp4", "o", "otf",
    "pdf", "png", "so", "ttf", "wasm", "webp", "woff", "woff2", "zip",
];

/// The hits of each query in the files of `entries` (sorted by path), sorted by path and line.
pub(super) fn search(room: &Room, entries: &[TreeEntry], queries: &[GrepQuery]) -> Result<Vec<Vec<GrepHit>>, ObjectError> {
    let questions = queries.iter().map(Question::new).collect::<Result<Vec<_>, _>>()?;
    let wanted = |e: &&TreeEntry| {
        matches!(e.mode, FileMode::Regular | FileMode::Executable)
            && questions.iter().any(|q| q.is_about(e))
            && !NO_TEXT.contains(&e.path.extension().as_str())
    };
    let files: Vec<&TreeEntry> = entries.iter().filter(wanted).collect();
    let processes = cores().min(files.len().div_ceil(FILES_A_PROCESS));
    let found = in_parts(&files, processes, |part| search_part(room, part, &questions));
    let mut all: Vec<Vec<GrepHit>> = vec![Vec::new(); queries.len()];
    for part in found {
        for (hits, more) in all.iter_mut().zip(part?) {
            hits.extend(more);
        }
    }
    for (hits, query) in all.iter_mut().zip(queries) {
        hits.truncate(query.max_hits);
    }
    Ok(all)
}

/// A query, ready to be asked.
struct Question<'q> {
    query: &'q GrepQuery,
    needles: Needles,
    glob: Option<Glob>,
}

/// What a glob stands for, as git's `:(glob)` does: without a wildcard it names a file, or a folder with all that it holds.
enum Glob {
    Below(String),
    Pattern(GlobMatcher),
}

impl<'q> Question<'q> {
    fn new(query: &'q GrepQuery) -> Result<Self, ObjectError> {
        let refused = |why: String| ObjectError::Git(format!("the glob {why}"));
        let glob = match query.glob.as_deref() {
            None => None,
            Some(glob) if glob.len() > MAX_GLOB || glob.contains('\0') => return Err(refused(format!("is not a path of at most {MAX_GLOB} bytes"))),
            Some(glob) if glob.starts_with('/') || glob.split('/').any(|part| part == "..") => {
                return Err(refused("leads out of the tree".to_owned()));
            }
            Some(glob) if !glob.contains(['*', '?', '[', '\\', '{']) => {
                Some(Glob::Below(glob.trim_start_matches("./").trim_end_matches('/').to_owned()))
            }
            Some(glob) => {
                let pattern = GlobBuilder::new(glob).literal_separator(true).backslash_escape(true).build();
                Some(Glob::Pattern(pattern.map_err(|e| refused(format!("cannot be read: {}", e.kind())))?.compile_matcher()))
            }
        };
        Ok(Self { query, needles: Needles::new(&query.needles, query.word), glob })
    }

    fn is_about(&self, entry: &TreeEntry) -> bool {
        let asked = !self.needles.is_empty() && self.query.max_hits > 0 && self.query.max_per_file > 0;
        asked
            && match &self.glob {
                None => true,
                Some(Glob::Below(folder)) => {
                    let rest = entry.path.as_bytes().strip_prefix(folder.as_bytes());
                    folder.is_empty() || folder == "." || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
                }
                Some(Glob::Pattern(pattern)) => pattern.is_match(entry.path.display().as_ref()),
            }
    }

    /// Adds the hits in one file's text.
    fn look(&self, entry: &TreeEntry, text: &[u8], hits: &mut Vec<GrepHit>) {
        let (mut at, mut counted, mut line) = (0, 0, 1u32);
        let before = hits.len();
        let mut places = self.needles.places(text);
        while hits.len() < self.query.max_hits && hits.len() - before < self.query.max_per_file {
            let Some(found) = places.next_from(at) else { return };
            let start = memrchr(b'\n', &text[..found]).map_or(0, |i| i + 1);
            let end = memchr(b'\n', &text[found..]).map_or(text.len(), |i| found + i);
            line = line.saturating_add(u32::try_from(memchr_iter(b'\n', &text[counted..start]).count()).unwrap_or(u32::MAX));
            let shown = text[start..end].strip_suffix(b"\r").unwrap_or(&text[start..end]);
            hits.push(GrepHit { path: entry.path.clone(), line, text: shorten(shown, MAX_LINE) });
            (counted, at) = (start, end);
        }
    }
}

/// Searches some files through one process.
fn search_part(room: &Room, files: &[&TreeEntry], questions: &[Question<'_>]) -> Result<Vec<Vec<GrepHit>>, GitError> {
    let ids: Vec<u8> = files.iter().flat_map(|e| [e.id.as_bytes(), b"\n"].concat()).collect();
    let call = room.call(&["cat-file", "--batch", "--buffer"])?.stdin(ids).bounds(u64::MAX, MAX_TIME);
    let answer = call.run_reading(|stdout| {
        let mut all: Vec<Vec<GrepHit>> = vec![Vec::new(); questions.len()];
        let mut output = BufReader::with_capacity(128 << 10, stdout);
        let mut text = Vec::new();
        for entry in files {
            if questions.iter().zip(&all).all(|(question, hits)| hits.len() >= question.query.max_hits) {
                return Ok((all, false));
            }
            // One that a partial clone has not is nowhere to be found.
            let Some(header) = header(&mut output)? else { continue };
            text.clear();
            // A line end closes each answer.
            let mut contents = output.by_ref().take(header.size + 1);
            if header.size > MAX_FILE || !header.is_blob {
                io::copy(&mut contents, &mut io::sink())?;
                continue;
            }
            contents.read_to_end(&mut text)?;
            if text.len() as u64 != header.size + 1 {
                return Err(io::Error::other("git broke off inside of an object"));
            }
            text.pop();
            if memchr(0, &text[..text.len().min(HEAD)]).is_some() {
                continue;
            }
            for (question, hits) in questions.iter().zip(&mut all).filter(|(question, _)| question.is_about(entry)) {
                question.look(entry, &text, hits);
            }
        }
        Ok((all, true))
    });
    Ok(answer?.value)
}
