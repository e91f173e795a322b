//! What lies between two commits, or between a commit and an index: git's own diff, the merge base, the messages.

use super::objects::Tree;
use super::program::GitError;
use super::room::Room;
use super::{ASK_TIME, object_id, shorten};
use std::collections::BTreeSet;
use std::io::Read as _;

/// At most so many commit messages are read, the newest ones.
const MAX_MESSAGES: usize = 50;
/// What is kept of a message.
const MAX_MESSAGE_BYTES: usize = 4 << 10;
/// How much of all messages together is read.
const MAX_MESSAGES_BYTES: u64 = 4 << 20;

/// Options that pin what git shows, whatever its defaults become. Attributes cannot hide contents, since the clean
/// room has none; programs and textconv cannot run, since its configuration names none.
/// Similarity is looked at for at most 400 by 400 files, seconds of work at worst; renames without edits are always found.
const DIFF_OPTIONS: &[&str] = &[
    "--raw",
    "--patch",
    "--full-index",
    "--find-renames",
    "-l400",
    "--unified=3",
    "--inter-hunk-context=0",
    "--diff-algorithm=myers",
    "--indent-heuristic",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--submodule=short",
    "--ignore-submodules=none",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
];

/// The best common ancestor; `None` where there is none to be found.
pub(crate) fn merge_base(room: &Room, one: &str, other: &str) -> Result<Option<String>, GitError> {
    match room.call(&["merge-base", one, other])?.run() {
        Ok(answer) => Ok(object_id(answer.value.trim_ascii())),
        Err(e) if e.code() == Some(1) => Ok(None),
        Err(e) => Err(e),
    }
}

/// The messages of the commits that `head` has and `base` has not, oldest first, merges left out.
pub(crate) fn messages(room: &Room, base: &str, head: &str) -> Result<Vec<String>, GitError> {
    let (count, not_base) = (format!("--max-count={MAX_MESSAGES}"), format!("^{base}"));
    let args = ["rev-list", &count, "--no-merges", "--encoding=UTF-8", "--format=%x00%B%x00", head, &not_base];
    let answer = room.call(&args)?.bounds(MAX_MESSAGES_BYTES, ASK_TIME).run_reading(|stdout| {
        let mut bytes = Vec::new();
        stdout.take(MAX_MESSAGES_BYTES).read_to_end(&mut bytes)?;
        let whole = (bytes.len() as u64) < MAX_MESSAGES_BYTES;
        Ok((bytes, whole))
    })?;
    // `commit <id> LF NUL <message> NUL LF ...`: every second field is a message.
    let messages = answer.value.split(|b| *b == 0).skip(1).step_by(2).map(|bytes| shorten(bytes, MAX_MESSAGE_BYTES).trim_end().to_owned());
    let mut messages: Vec<String> = messages.filter(|m| !m.is_empty()).collect();
    messages.reverse();
    Ok(messages)
}

/// Git's raw list and patch from the commit `base` (before the first one: from nothing) to `new`.
pub(crate) fn diff(room: &Room, base: Option<&str>, new: &Tree) -> Result<Vec<u8>, GitError> {
    let base = base.unwrap_or(room.empty_tree());
    let mut args = match new {
        Tree::Treeish(_) => vec!["diff-tree", "-r"],
        Tree::Index(_) => vec!["diff-index", "--cached", "--ita-invisible-in-index"],
    };
    args.extend(DIFF_OPTIONS);
    args.push(base);
    if let Tree::Treeish(id) = new {
        args.push(id);
    }
    args.push("--");
    Ok(new.scope(room.call(&args)?).run()?.value)
}

/// The ids of all files that differ between two commits, both sides; nothing of their contents is read.
pub(crate) fn changed_ids(room: &Room, base: &str, head: &str) -> Result<BTreeSet<String>, GitError> {
    let raw = room.call(&["diff-tree", "-r", "--raw", "--no-abbrev", "--no-renames", "-z", base, head, "--"])?.run()?.value;
    // `:100644 100755 <old id> <new id> M NUL path NUL`; a submodule's id (160000) is no object of this repository.
    let fields = raw.split(|b| *b == 0).filter(|f| f.first() == Some(&b':'));
    let mut ids = BTreeSet::new();
    for field in fields {
        let words: Vec<&[u8]> = field[1..].split(|b| *b == b' ').collect();
        if let [old_mode, new_mode, old, new, _] = words.as_slice() {
            for (mode, id) in [(old_mode, old), (new_mode, new)] {
                let is_file = mode.starts_with(b"1") && *mode != b"160000";
                ids.extend(object_id(id).filter(|_| is_file));
            }
        }
    }
    Ok(ids)
}
