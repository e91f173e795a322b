//! The reviewed repository itself: where its parts lie, the few plain settings that decide what its files
//! contain, and what its names stand for. Nothing else asks the real repository anything; no call here
//! reads contents, so nothing that its configuration names can run.

use super::program::{Call, GitError};
use crate::error::UserError;
use crate::platform;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Where a repository's parts lie.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// `HEAD` and `index` lie here; a linked work tree has its own.
    pub(crate) git_dir: PathBuf,
    /// Objects, refs and configuration lie here.
    pub(crate) common_dir: PathBuf,
    /// The top of the work tree: the folder that holds `.git`. `core.worktree` does not count, since a
    /// repository could name any folder of this machine with it. `None` for a bare repository.
    pub(crate) top: Option<PathBuf>,
    /// `.git` is a folder, so `core.bare` can say that there is no work tree after all.
    git_is_folder: bool,
}

impl Origin {
    /// The repository that `dir` lies in.
    pub(crate) fn discover(dir: &Path) -> Result<Self, UserError> {
        let start = platform::canonicalize(dir)
            .map_err(|e| UserError::usage(format!("cannot open {}", dir.display()), e.to_string(), "Give the path of a folder with --repo."))?;
        for folder in start.ancestors() {
            let dot_git = folder.join(".git");
            if dot_git.is_file() {
                let git_dir = pointed_to(&dot_git, "gitdir: ").filter(|d| is_git_dir(d)).ok_or_else(|| {
                    UserError::unreadable(
                        "the repository cannot be opened",
                        format!("{} does not lead to a git directory", dot_git.display()),
                        "Repair it (`git worktree repair`, or `git submodule update --init`), or clone again.",
                    )
                })?;
                return Ok(Self::at(git_dir, Some(folder.to_owned()), false));
            }
            if is_git_dir(&dot_git) {
                return Ok(Self::at(dot_git, Some(folder.to_owned()), true));
            }
            if is_git_dir(folder) {
                return Ok(Self::at(folder.to_owned(), None, true));
            }
        }
        Err(UserError::unreadable(
            "not a git repository",
            format!("neither {} nor a folder above it is one", start.display()),
            "Run tribune inside a repository, name one with --repo DIR, or review a patch with --diff FILE.",
        ))
    }

    fn at(git_dir: PathBuf, top: Option<PathBuf>, git_is_folder: bool) -> Self {
        let common_dir = pointed_to(&git_dir.join("commondir"), "").unwrap_or_else(|| git_dir.clone());
        Self { git_dir, common_dir, top, git_is_folder }
    }

    /// The work tree's top, unless the settings say that there is none.
    pub(crate) fn work_tree(&self, settings: &Settings) -> Option<&Path> {
        self.top.as_deref().filter(|_| !(self.git_is_folder && settings.bare))
    }

    /// Whether history is cut off.
    pub(crate) fn is_shallow(&self) -> bool {
        fs::metadata(self.common_dir.join("shallow")).is_ok_and(|m| m.len() > 0)
    }

    /// The branch that `origin/HEAD` stands for, as `origin/main`, where a loose ref says so.
    pub(crate) fn origin_head(&self) -> Option<String> {
        let text = read_small(&self.common_dir.join("refs/remotes/origin/HEAD"))?;
        let name = text.strip_prefix(b"ref: refs/remotes/")?.trim_ascii();
        let plain = name.iter().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(b));
        plain.then(|| String::from_utf8_lossy(name).into_owned())
    }

    /// The settings that decide how files become objects. The only call in which the user's and the
    /// repository's own configuration is read.
    pub(crate) fn settings(&self) -> Result<Settings, GitError> {
        let keys = PASSED_SETTINGS.iter().chain(OWN_SETTINGS).map(|k| k.replace('.', "\\.")).collect::<Vec<_>>();
        let keys = format!(r"^({}|remote\..*\.promisor)$", keys.join("|"));
        let args = ["config", "-z", "--show-scope", "--get-regexp", &keys];
        match self.call(&args)?.with_user_config().bounds(1 << 20, super::ASK_TIME).run() {
            Ok(answer) => Ok(Settings::parse(&answer.value)),
            Err(e) if e.code() == Some(1) => Ok(Settings::default()),
            Err(e) => Err(e),
        }
    }

    /// The commits that names stand for, in their order; `None` where a name stands for none. A name must not
    /// hold a line end.
    pub(crate) fn commits(&self, names: &[&str]) -> Result<Vec<Option<String>>, GitError> {
        let input: String = names.iter().map(|name| format!("{name}^{{commit}}\n")).collect();
        let call = self.call(&["cat-file", "--batch-check=%(objectname)"])?.stdin(input.into_bytes());
        let answer = call.bounds(1 << 20, super::ASK_TIME).run()?;
        let ids = answer.value.split(|b| *b == b'\n').map(super::object_id);
        Ok(ids.take(names.len()).collect())
    }

    /// The URL of the remote `origin`, as the clone has it: a stranger's text where somebody else made the clone.
    pub(crate) fn remote(&self) -> Option<String> {
        let answer = self.call(&["config", "--get", "remote.origin.url"]).ok()?.bounds(1 << 12, super::ASK_TIME).run().ok()?;
        Some(String::from_utf8_lossy(&answer.value).trim().to_owned()).filter(|url| !url.is_empty())
    }

    fn call<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<Call, GitError> {
        // A work tree is named so that `core.worktree` is not followed; neither question looks into it.
        Ok(Call::new(&self.git_dir, args)?.env("GIT_WORK_TREE", "."))
    }
}

/// Plain settings that are passed on to the clean room where they have a plain value.
const PASSED_SETTINGS: &[&str] = &[
    "core.autocrlf",
    "core.eol",
    "core.filemode",
    "core.symlinks",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.checkstat",
    "core.trustctime",
    "extensions.objectformat",
];
/// Settings that we heed ourselves.
const OWN_SETTINGS: &[&str] = &["core.bare", "core.excludesfile", "extensions.partialclone"];

/// What the configuration says about how files become objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Keys of [`PASSED_SETTINGS`] with the values in force: one plain word each.
    pub(crate) passed: Vec<(&'static str, String)>,
    /// The user's own file of ignored names. A repository's setting does not count.
    pub(crate) excludes_file: Option<Vec<u8>>,
    /// There is no work tree.
    pub(crate) bare: bool,
    /// Objects may be missing until somebody fetches them.
    pub(crate) partial: bool,
}

impl Settings {
    /// Reads `scope NUL key LF value NUL ...`; later entries win.
    fn parse(output: &[u8]) -> Self {
        let mut settings = Self::default();
        let mut fields = output.split(|b| *b == 0);
        while let (Some(scope), Some(entry)) = (fields.next(), fields.next()) {
            // A key without `=` is true.
            let (key, value) = match entry.iter().position(|b| *b == b'\n') {
                Some(at) => (&entry[..at], &entry[at + 1..]),
                None => (entry, &b"true"[..]),
            };
            match key {
                b"core.excludesfile" if matches!(scope, b"global" | b"system") => settings.excludes_file = Some(value.to_vec()),
                b"core.bare" => settings.bare = matches!(value.to_ascii_lowercase().as_slice(), b"true" | b"yes" | b"on" | b"1"),
                b"extensions.partialclone" => settings.partial = true,
                _ if key.starts_with(b"remote.") => settings.partial = true,
                _ => settings.pass(key, value),
            }
        }
        settings
    }

    fn pass(&mut self, key: &[u8], value: &[u8]) {
        let plain = !value.is_empty() && value.len() <= 16 && value.iter().all(u8::is_ascii_alphanumeric);
        if let (Some(key), true) = (PASSED_SETTINGS.iter().find(|k| k.as_bytes() == key), plain) {
            self.passed.retain(|(known, _)| known != key);
            self.passed.push((key, String::from_utf8_lossy(value).into_owned()));
        }
    }

    /// Whether object ids are SHA-256.
    pub(crate) fn sha256(&self) -> bool {
        self.passed.iter().any(|(key, value)| *key == "extensions.objectformat" && value.eq_ignore_ascii_case("sha256"))
    }
}

/// Whether git would take `dir` for a repository's directory.
fn is_git_dir(dir: &Path) -> bool {
    let common = pointed_to(&dir.join("commondir"), "").unwrap_or_else(|| dir.to_owned());
    fs::symlink_metadata(dir.join("HEAD")).is_ok() && common.join("objects").is_dir() && common.join("refs").is_dir()
}

/// The path that a small file holds after `prefix`, relative ones taken from the file's folder.
fn pointed_to(file: &Path, prefix: &str) -> Option<PathBuf> {
    let text = read_small(file)?;
    let path = text.strip_prefix(prefix.as_bytes())?;
    let end = path.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |last| last + 1);
    let target = file.parent()?.join(platform::from_git(&path[..end])?);
    (end > 0).then(|| platform::canonicalize(&target).ok()).flatten()
}

/// A regular file of at most 8 KiB.
fn read_small(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::metadata(path).ok().filter(fs::Metadata::is_file).and_then(|_| fs::File::open(path).ok())?;
    file.take(8 << 10).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_plain_values_only() {
        let output = b"global\0core.autocrlf\ninput\0local\0core.autocrlf\ntrue\0local\0core.eol\nlf\nevil = 1\0local\0core.symlinks\0local\0core.excludesfile\n/etc/passwd\0global\0core.excludesfile\n~/.ignore\0";
        let settings = Settings::parse(output);
        assert_eq!(settings.passed, [("core.autocrlf", "true".to_owned()), ("core.symlinks", "true".to_owned())]);
        assert_eq!(settings.excludes_file.as_deref(), Some(&b"~/.ignore"[..]));
        assert_eq!((settings.bare, settings.sha256()), (false, false));
    }
}
