//! The object store that everything after the diff reads from: both sides' trees, the policy tree, blobs.

use super::batch::{Batch, Header, Mode};
use super::program::{Call, GitError};
use super::room::Room;
use super::texts::Texts;
use super::{GrepHit, GrepQuery, ObjectError, TreeEntry, compare, object_id, search};
use crate::diff::{self, FileDiff, FileMode, Side};
use crate::path::RepoPath;
use crate::text::FileText;
use crate::threads::both;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Where a side's files are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tree {
    /// A commit or tree, by its full id.
    Treeish(String),
    /// An index file of the clean room: what is staged, or a snapshot of the work tree.
    Index(PathBuf),
}

impl Tree {
    /// Makes a call see this tree, where that takes more than naming it.
    pub(crate) fn scope(&self, call: Call) -> Call {
        match self {
            Tree::Treeish(_) => call,
            Tree::Index(path) => call.env("GIT_INDEX_FILE", path),
        }
    }
}

/// A tree and its entries, once they were asked for.
#[derive(Debug, Default)]
struct Listed {
    tree: Option<Tree>,
    entries: OnceLock<Vec<TreeEntry>>,
}

/// Git objects of both sides of a change, read from the clean room. Cheap to share; safe to use from several threads.
#[derive(Debug)]
pub struct Objects {
    room: Room,
    old: Listed,
    new: Listed,
    policy: Listed,
    contents: Mutex<Option<Batch>>,
    sizes: Mutex<Option<Batch>>,
    texts: Texts,
}

impl Objects {
    /// The objects of `room`, with the trees that are there.
    pub(crate) fn new(room: Room, old: Option<Tree>, new: Option<Tree>, policy: Option<Tree>) -> Self {
        let listed = |tree| Listed { tree, entries: OnceLock::new() };
        let (old, new, policy) = (listed(old), listed(new), listed(policy));
        Self { room, old, new, policy, contents: Mutex::default(), sizes: Mutex::default(), texts: Texts::default() }
    }

    /// The bytes of the object `id`, if it has at most `bound` bytes.
    pub fn blob(&self, id: &str, bound: u64) -> Result<Vec<u8>, ObjectError> {
        self.converse(&self.contents, Mode::Contents, id, |batch, header| {
            if !header.is_blob {
                return Ok(Err(ObjectError::NotAFile));
            }
            if header.size > bound {
                return Ok(Err(ObjectError::TooLarge { size: header.size, bound }));
            }
            batch.contents(header.size).map(Ok)
        })
    }

    /// The object `id` as a text, if it has at most `bound` bytes; `None` where it is none (it has a NUL).
    pub fn text(&self, id: &str, bound: u64) -> Result<Option<FileText>, ObjectError> {
        if let Some(known) = self.texts.get(id) {
            let size = known.as_ref().map_or(0, |t| t.as_str().len() as u64);
            return if size <= bound { Ok(known) } else { Err(ObjectError::TooLarge { size, bound }) };
        }
        let bytes = self.blob(id, bound)?;
        let text = memchr::memchr(0, &bytes).is_none().then(|| FileText::whole(&bytes));
        self.texts.keep(id, text.as_ref());
        Ok(text)
    }

    /// The size in bytes of the object `id`, without reading it.
    pub fn size(&self, id: &str) -> Result<u64, ObjectError> {
        self.converse(&self.sizes, Mode::Sizes, id, |_, header| Ok(Ok(header.size)))
    }

    /// Asks the long-lived process in `slot`, started where there is none. One that died is started once more.
    fn converse<T>(
        &self,
        slot: &Mutex<Option<Batch>>,
        mode: Mode,
        id: &str,
        mut read: impl FnMut(&mut Batch, Header) -> std::io::Result<Result<T, ObjectError>>,
    ) -> Result<T, ObjectError> {
        let id = object_id(id.as_bytes()).ok_or(ObjectError::Missing)?;
        let mut slot: MutexGuard<'_, _> = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let mut retried = false;
        loop {
            let batch = match slot.as_mut() {
                Some(batch) => batch,
                None => slot.insert(Batch::start(&self.room, mode)?),
            };
            let answer = match batch.ask(&id) {
                Ok(Some(header)) => read(batch, header),
                Ok(None) => return Err(ObjectError::Missing),
                Err(e) => Err(e),
            };
            match answer {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(refused)) => {
                    // Its contents are under way; a new process costs less than reading them.
                    *slot = None;
                    return Err(refused);
                }
                Err(e) => {
                    *slot = None;
                    if retried {
                        return Err(ObjectError::Git(e.to_string()));
                    }
                    retried = true;
                }
            }
        }
    }

    /// All entries of a side's tree, sorted by path (bytes); read once, then kept. Empty where the side has no tree.
    pub fn entries(&self, side: Side) -> Result<&[TreeEntry], ObjectError> {
        self.list(self.side(side))
    }

    /// One entry of a side's tree.
    pub fn entry(&self, side: Side, path: &RepoPath) -> Option<&TreeEntry> {
        find(self.entries(side).ok()?, path)
    }

    /// A regular file's bytes on one side. Symlinks are not followed (`NotAFile`).
    pub fn file(&self, side: Side, path: &RepoPath, bound: u64) -> Result<Vec<u8>, ObjectError> {
        self.regular(find(self.entries(side)?, path), bound)
    }

    /// The files of the policy tree (see [`crate::change::Policy`]), sorted by path (bytes); empty where there is none.
    pub fn policy_entries(&self) -> Result<&[TreeEntry], ObjectError> {
        if self.policy.tree == self.old.tree { self.list(&self.old) } else { self.list(&self.policy) }
    }

    /// A regular file's bytes in the policy tree. Symlinks are not followed (`NotAFile`).
    pub fn policy_file(&self, path: &RepoPath, bound: u64) -> Result<Vec<u8>, ObjectError> {
        self.regular(find(self.policy_entries()?, path), bound)
    }

    /// Searches a side's tree for fixed strings, text files of at most 8 MiB only, hits sorted by path and line; each file is read once
    /// for all queries, whose hits come in their order. A search of more than five seconds is an error.
    pub fn grep_all(&self, side: Side, queries: &[GrepQuery]) -> Result<Vec<Vec<GrepHit>>, ObjectError> {
        search::search(&self.room, self.entries(side)?, queries)
    }

    /// The hits of one query, see [`Objects::grep_all`].
    pub fn grep(&self, side: Side, query: &GrepQuery) -> Result<Vec<GrepHit>, ObjectError> {
        Ok(self.grep_all(side, std::slice::from_ref(query))?.pop().unwrap_or_default())
    }

    /// Git's raw list and patch from the commit `base` (before the first one: from nothing) to the new side. Meanwhile the trees
    /// are listed, and the process that reads contents is started, since everybody asks for them next.
    pub(crate) fn diff(&self, base: Option<&str>) -> Result<Vec<u8>, GitError> {
        let Some(new) = &self.new.tree else { return Ok(Vec::new()) };
        // What fails here fails again, and is told, where it is asked for.
        let before = || {
            drop(self.policy_entries());
            drop(self.entries(Side::Old));
        };
        let after = || drop(self.entries(Side::New));
        let start = || {
            let mut slot = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
            if slot.is_none() {
                *slot = Batch::start(&self.room, Mode::Contents).ok();
            }
        };
        both(before, || both(after, || both(start, || compare::diff(&self.room, base, new)).1).1).1
    }

    /// Git's own diff from another commit to the new side; `None` where git has not all of that commit, or it cannot be read whole.
    pub fn since(&self, commit: &str) -> Option<Vec<FileDiff>> {
        let id = object_id(commit.as_bytes())?;
        let bytes = compare::diff(&self.room, Some(&id), self.new.tree.as_ref()?).ok()?;
        let parsed = diff::parse::parse(&bytes).ok()?;
        parsed.problems.is_empty().then_some(parsed.files)
    }

    fn side(&self, side: Side) -> &Listed {
        match side {
            Side::Old => &self.old,
            Side::New => &self.new,
        }
    }

    fn regular(&self, entry: Option<&TreeEntry>, bound: u64) -> Result<Vec<u8>, ObjectError> {
        let entry = entry.ok_or(ObjectError::Missing)?;
        match entry.mode {
            FileMode::Regular | FileMode::Executable => self.blob(&entry.id, bound),
            FileMode::Symlink | FileMode::Submodule => Err(ObjectError::NotAFile),
        }
    }

    fn list<'a>(&'a self, listed: &'a Listed) -> Result<&'a [TreeEntry], ObjectError> {
        let Some(tree) = &listed.tree else { return Ok(&[]) };
        if listed.entries.get().is_none() {
            let entries = read_entries(&self.room, tree)?;
            // Somebody else may have been faster, with the same entries.
            drop(listed.entries.set(entries));
        }
        Ok(listed.entries.get().map(Vec::as_slice).unwrap_or_default())
    }
}

/// All entries of a tree, sorted by path (bytes).
pub(super) fn read_entries(room: &Room, tree: &Tree) -> Result<Vec<TreeEntry>, GitError> {
    let args: &[&str] = match tree {
        Tree::Treeish(id) => &["ls-tree", "-r", "-z", "--full-tree", id],
        Tree::Index(_) => &["ls-files", "--stage", "-z"],
    };
    let output = tree.scope(room.call(args)?).run()?.value;
    let mut entries: Vec<TreeEntry> = output.split(|b| *b == 0).filter_map(|line| tree_entry(line, tree)).collect();
    entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

fn find<'a>(entries: &'a [TreeEntry], path: &RepoPath) -> Option<&'a TreeEntry> {
    entries.binary_search_by(|e| e.path.cmp(path)).ok().and_then(|i| entries.get(i))
}

/// `<mode> <type> <id>\t<path>` of a tree, or `<mode> <id> <stage>\t<path>` of an index, whose conflicts are left out.
fn tree_entry(line: &[u8], tree: &Tree) -> Option<TreeEntry> {
    let tab = line.iter().position(|b| *b == b'\t')?;
    let words: Vec<&[u8]> = line[..tab].split(|b| *b == b' ').collect();
    let (mode, id) = match (tree, words.as_slice()) {
        (Tree::Treeish(_), [mode, _, id]) | (Tree::Index(_), [mode, id, b"0"]) => (*mode, *id),
        _ => return None,
    };
    Some(TreeEntry { path: RepoPath::new(&line[tab + 1..]), mode: FileMode::from_octal(mode)?, id: object_id(id)? })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::git::origin::{Origin, Settings};
    use std::process::Command;

    #[test]
    fn answers_again_after_its_process_died() {
        let dir = tempfile::tempdir().unwrap();
        let git = |args: &[&str]| {
            let output = Command::new("git").current_dir(dir.path()).env("GIT_CONFIG_GLOBAL", "/dev/null").args(args).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        git(&["init", "-q"]);
        std::fs::write(dir.path().join("x"), "contents").unwrap();
        let id = git(&["hash-object", "-w", "x"]);
        let origin = Origin::discover(dir.path()).unwrap();
        let objects = Objects::new(Room::build(&origin, &Settings::default()).unwrap(), None, None, None);
        for _ in 0..2 {
            assert_eq!(objects.blob(&id, 8).unwrap(), b"contents");
            objects.contents.lock().unwrap().as_mut().unwrap().kill();
        }
        assert!(matches!(objects.blob(&id, 7), Err(ObjectError::TooLarge { size: 8, bound: 7 })));
        assert_eq!((objects.size(&id).unwrap(), objects.blob(&id, 8).unwrap().len()), (8, 8));
        // Several threads share one process.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50).for_each(|_| assert_eq!(objects.blob(&id, 8).unwrap(), b"contents")));
            }
        });
    }
}
