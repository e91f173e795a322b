//! Writes generated files into a folder of their own. It never replaces what something else wrote.

use crate::error::UserError;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

/// Lists what a generated folder holds; what it names may be replaced.
const MARKER: &str = ".tribune-generated";
/// The marker's first line.
const HEAD: &str = "Written by tribune. The files listed here are replaced or deleted when it writes this folder again.\n";
/// A longer marker is not ours.
const MAX_MARKER: u64 = 4 << 20;

/// Writes `files` (path with `/`, text) below `out`; a folder that was written before is brought up to date. Nothing is written unless all can be: a folder with anything in it that
/// was not written this way before, a symlink, or a file that is not listed as ours ends it with exit 2.
pub(super) fn write(out: &Path, files: &[(String, String)]) -> Result<(), UserError> {
    let mut ours = BTreeSet::new();
    match fs::symlink_metadata(out) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(unwritable(out, &e)),
        Ok(kind) if !kind.is_dir() => return Err(refused(out, "it is there, and not a folder")),
        Ok(_) => {
            if fs::read_dir(out).map_err(|e| unwritable(out, &e))?.next().is_some() {
                ours = listed(out).ok_or_else(|| refused(out, "it is not empty, and tribune did not write it"))?;
            }
        }
    }
    for (path, _) in files {
        free(out, path, &ours)?;
    }
    let new: BTreeSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    for stale in ours.iter().filter(|p| !new.contains(p.as_str())) {
        // Whoever took it away already has done what is wanted.
        if free(out, stale, &ours).is_ok() {
            drop(fs::remove_file(out.join(stale)));
            drop(out.join(stale).parent().filter(|p| *p != out).map(fs::remove_dir));
        }
    }
    for (path, text) in files {
        let to = out.join(path);
        let folder = to.parent().unwrap_or(out);
        fs::create_dir_all(folder).and_then(|()| fs::write(&to, text)).map_err(|e| unwritable(&to, &e))?;
    }
    let marker = new.iter().fold(HEAD.to_owned(), |text, path| text + path + "\n");
    fs::write(out.join(MARKER), marker).map_err(|e| unwritable(out, &e))
}

/// The files that the marker lists; `None` where there is none of ours.
fn listed(out: &Path) -> Option<BTreeSet<String>> {
    let marker = out.join(MARKER);
    if !fs::symlink_metadata(&marker).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    fs::File::open(&marker).ok()?.take(MAX_MARKER).read_to_string(&mut text).ok()?;
    let inside = |path: &&str| Path::new(path).components().all(|c| matches!(c, Component::Normal(_)));
    Some(text.strip_prefix(HEAD)?.lines().filter(inside).map(str::to_owned).collect())
}

/// Whether `path` below `out` can be written: through folders only, and over nothing but our own file.
fn free(out: &Path, path: &str, ours: &BTreeSet<String>) -> Result<(), UserError> {
    let mut at = PathBuf::from(out);
    let parts: Vec<Component<'_>> = Path::new(path).components().collect();
    for (i, part) in parts.iter().enumerate() {
        at.push(part);
        let last = i + 1 == parts.len();
        match fs::symlink_metadata(&at) {
            Err(_) => return Ok(()),
            Ok(kind) if !last && kind.is_dir() => {}
            Ok(kind) if last && kind.is_file() && ours.contains(path) => {}
            Ok(_) => return Err(refused(out, &format!("{} stands in it, and tribune did not write that", at.display()))),
        }
    }
    Ok(())
}

fn refused(out: &Path, why: &str) -> UserError {
    UserError::usage(format!("{} is not overwritten", out.display()), why.to_owned(), "Name a folder that does not exist yet, or an empty one.")
}

fn unwritable(path: &Path, error: &std::io::Error) -> UserError {
    UserError::unreadable(format!("{} cannot be written", path.display()), error.to_string(), "Name a folder that can be written.")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::platform;

    fn files(list: &[&str]) -> Vec<(String, String)> {
        list.iter().map(|p| ((*p).to_owned(), format!("text of {p}\n"))).collect()
    }

    #[test]
    fn brings_its_own_folder_up_to_date() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("new/skill");
        write(&out, &files(&["a.md", "b/c.md"])).unwrap();
        fs::write(out.join("mine.txt"), "mine").unwrap();
        write(&out, &files(&["a.md", "d/e.md"])).unwrap();
        assert_eq!(fs::read_to_string(out.join("d/e.md")).unwrap(), "text of d/e.md\n");
        assert!(!out.join("b").exists() && out.join("mine.txt").exists());
        assert_eq!(fs::read_to_string(out.join(MARKER)).unwrap(), format!("{HEAD}a.md\nd/e.md\n"));
    }

    #[test]
    fn overwrites_nothing_that_something_else_wrote() {
        let dir = tempfile::tempdir().unwrap();
        let refusal = |out: &Path, list: &[&str]| write(out, &files(list)).map_err(|e| (e.exit.code(), e.cause)).unwrap_err();
        let full = dir.path().join("full");
        fs::create_dir(&full).unwrap();
        fs::write(full.join("a.md"), "by hand").unwrap();
        let told = refusal(&full, &["a.md"]);
        assert_eq!(told, (2, "it is not empty, and tribune did not write it".to_owned()));
        // A marker that tribune did not write is none, and one that names files elsewhere frees nothing there.
        fs::write(full.join(MARKER), "a.md\n").unwrap();
        refusal(&full, &["a.md"]);
        fs::write(full.join(MARKER), format!("{HEAD}../outside.md\n/etc/passwd\n")).unwrap();
        fs::write(dir.path().join("outside.md"), "outside").unwrap();
        assert!(refusal(&full, &["a.md"]).1.ends_with("stands in it, and tribune did not write that"));
        assert_eq!(fs::read_to_string(full.join("a.md")).unwrap(), "by hand");
        write(&full, &files(&["b.md"])).unwrap();
        assert!(dir.path().join("outside.md").exists());
        // Neither through a link nor onto a file.
        let linked = dir.path().join("linked");
        platform::link(&full, &linked).unwrap();
        refusal(&linked, &["b.md"]);
        fs::create_dir(dir.path().join("target")).unwrap();
        platform::link(&dir.path().join("target"), &full.join("sub")).unwrap();
        refusal(&full, &["sub/x.md"]);
        assert!(!dir.path().join("target/x.md").exists());
    }
}
