//! Programs, looked for on the PATH by ourselves: Windows would begin in the current folder, which is a stranger's.

use super::system;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// A path as it is, from [`super::neutral_folder`] where it is relative; a name from the folders of `path` (a PATH),
/// relative ones left out: both would else name a file of the reviewed tree.
pub(crate) fn find_program(name: &str, path: &OsStr) -> Option<PathBuf> {
    if !is_bare(name) {
        return Some(super::neutral_folder().join(name));
    }
    let names = system::program_names(name);
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    folders.flat_map(|folder| names.iter().map(move |name| folder.join(name)).collect::<Vec<_>>()).find(|file| file.is_file())
}

/// Whether a program is named without a folder, so that it is looked for on the PATH.
pub(crate) fn is_bare(name: &str) -> bool {
    name.is_empty() || Path::new(name).file_name() == Some(OsStr::new(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn programs_of_the_current_folder_do_not_count() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = |name: &str| dir.path().join(system::program_names(name).swap_remove(0));
        fs::write(file("tool"), "").expect("written");
        fs::write(file("git"), "").expect("written");
        fs::create_dir(file("folder")).expect("made");
        let path = std::env::join_paths([Path::new("."), Path::new("bin"), Path::new(""), dir.path()]).expect("a PATH");
        for nowhere in ["", ".", "bin"] {
            assert_eq!((find_program("tool", OsStr::new(nowhere)), system::find_git(OsStr::new(nowhere))), (None, None));
        }
        assert_eq!((find_program("tool", &path), system::find_git(&path)), (Some(file("tool")), Some(file("git"))));
        assert_eq!((find_program("folder", &path), find_program("none", &path)), (None, None));
        let relative = find_program("./tool", &path).expect("a path is taken as it is");
        assert!(relative.is_absolute() && relative.starts_with(system::neutral_folder()), "{relative:?}");
        assert_eq!(find_program(&file("tool").display().to_string(), OsStr::new("")), Some(file("tool")));
    }
}
