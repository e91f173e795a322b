//! What differs between the systems that tribune runs on, behind one set of names: paths of git on disk, kinds of files,
//! private folders, where a user's own files lie, and programs. Nowhere else in `src` does a `cfg` ask for the system, but
//! for tests of what one of them alone has. What Windows has rules for is plain text work in [`names`] and [`folders`],
//! which every system compiles for its tests.

mod folders;
#[cfg(any(windows, test))]
mod names;
mod program;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use folders::{cache_home, config_home};
pub(crate) use program::{find_program, is_bare};
#[cfg(test)]
pub(crate) use system::link;
pub(crate) use system::{
    GIT_ENVIRONMENT, GIT_SETTINGS, canonicalize, create_private_folder, disk_path, find_git, from_git, is_private, neutral_folder, on_stop,
    special_kind, to_git,
};

use std::path::Path;

/// A path of this machine with `/` between its parts, for names that have to be the same on all systems; what is no Unicode
/// is replaced.
pub(crate) fn with_slashes(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn names_of_git_are_the_same_on_all_systems() {
        let path: PathBuf = ["src", "a b", "é.rs"].iter().collect();
        assert_eq!((with_slashes(&path).as_str(), with_slashes(Path::new(""))), ("src/a b/é.rs", String::new()));
        assert_eq!(disk_path("src/a b/é.rs".as_bytes()), Ok(path.clone()));
        assert_eq!(to_git(&path).as_deref(), Some("src/a b/é.rs".as_bytes()));
    }

    #[test]
    fn a_private_folder_is_private() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("a").join("b");
        create_private_folder(&folder).expect("made");
        create_private_folder(&folder).expect("may be there");
        let file = tempfile::NamedTempFile::new_in(&folder).expect("a file");
        assert!(is_private(file.path(), &file.path().metadata().expect("there")));
    }

    #[test]
    fn canonical_paths_are_such_as_git_takes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = canonicalize(folder.path()).expect("there");
        assert!(path.is_absolute() && !path.as_os_str().as_encoded_bytes().starts_with(br"\\?\"), "{path:?}");
        assert!(canonicalize(&folder.path().join("none")).is_err());
    }

    #[test]
    fn special_files_are_told_from_files_and_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("written");
        let kind = |path: &Path| special_kind(path.symlink_metadata().expect("there").file_type());
        assert_eq!((kind(&file), kind(folder.path())), (None, None));
        link(&file, &folder.path().join("link")).expect("linked");
        assert_eq!(kind(&folder.path().join("link")), None);
    }
}
