//! What a file's contents say about whether it is noise: measures and markers, which a name cannot fake.

use super::minified::is_minified;
use super::noise::{Noise, NoiseKind};
use crate::diff::{FileDiff, FileStatus, Side};
use crate::path::RepoPath;
use crate::text::FileText;
use std::cell::OnceCell;

/// Reads one side of a file; `None` where it does not exist, is binary or too large.
pub(super) type Texts<'a> = &'a dyn Fn(&FileDiff, Side) -> Option<FileText>;

/// Both sides of a file, read when first asked for.
pub(super) struct Pair<'a> {
    file: &'a FileDiff,
    texts: Texts<'a>,
    before: OnceCell<Option<FileText>>,
    after: OnceCell<Option<FileText>>,
}

impl<'a> Pair<'a> {
    pub(super) fn new(file: &'a FileDiff, texts: Texts<'a>) -> Self {
        Self { file, texts, before: OnceCell::new(), after: OnceCell::new() }
    }

    fn before(&self) -> Option<&FileText> {
        self.before.get_or_init(|| (self.texts)(self.file, Side::Old)).as_ref()
    }

    fn after(&self) -> Option<&FileText> {
        self.after.get_or_init(|| (self.texts)(self.file, Side::New)).as_ref()
    }

    /// The new side; the old one of a deleted file.
    fn latest(&self) -> Option<&FileText> {
        self.after().or_else(|| self.before())
    }

    /// A lock file by its contents.
    pub(super) fn is_lock(&self) -> bool {
        self.latest().is_some_and(|text| looks_like_lock(&self.file.new_path, text))
    }

    /// Measurably minified.
    pub(super) fn is_minified(&self) -> bool {
        self.latest().is_some_and(is_minified)
    }

    /// A file of some size that was minified and is.
    pub(super) fn stays_minified(&self) -> Option<Noise> {
        let was_and_is = |text: &FileText| text.as_str().len() > 5_000 && is_minified(text);
        if self.before().is_some_and(was_and_is) && self.after().is_some_and(was_and_is) {
            Noise::because(NoiseKind::Minified, "minified, as it was")
        } else {
            None
        }
    }

    /// A generator's marker counts when it stood in the base, in a comment near the top, and still stands.
    pub(super) fn by_marker(&self) -> Option<Noise> {
        if matches!(self.file.status, FileStatus::Added | FileStatus::Copied) || self.file.old_path != self.file.new_path {
            return None;
        }
        let marked = |text: &FileText| text.lines().take(40).any(|(_, line)| is_marker(line));
        let stands = self.before().is_some_and(marked) && self.after().is_none_or(marked);
        if stands { Noise::because(NoiseKind::Generated, "generated (its own marker)") } else { None }
    }

    /// It is there, and no text: larger than what is read.
    pub(super) fn oversized(&self) -> Option<Noise> {
        let deleted = self.file.status == FileStatus::Deleted;
        let there = if deleted { self.file.old_id.is_some() } else { self.file.new_id.is_some() };
        let read = if deleted { self.before().is_some() } else { self.after().is_some() };
        (there && !read).then(|| Noise { kind: NoiseKind::Oversized, reason: format!("larger than {} MiB", crate::change::MAX_TEXT_BYTES >> 20) })
    }
}

/// Whether a text has the form that the package manager of its name writes. The first lines say so.
fn looks_like_lock(path: &RepoPath, text: &FileText) -> bool {
    let head: String = text.lines().take(60).map(|(_, line)| line.chars().take(200).collect::<String>() + "\n").collect();
    let any = |marks: &[&str]| marks.iter().any(|mark| head.contains(mark));
    match path.file_name().as_ref() {
        "go.sum" | "go.work.sum" => any(&[" h1:"]),
        "Gemfile.lock" => any(&["GEM\n", "GIT\n", "PATH\n"]),
        "Podfile.lock" => any(&["PODS:"]),
        "mix.lock" => any(&["{:hex,"]),
        "pubspec.lock" => any(&["packages:"]),
        "gradle.lockfile" => any(&["This is a Gradle generated file"]),
        ".terraform.lock.hcl" => any(&["provider \""]),
        "conan.lock" => any(&["\"requires\""]),
        _ => any(&[
            "[[package]]",
            "lockfileVersion",
            "lockFileVersion",
            "yarn lockfile",
            "__metadata:",
            "\"_meta\"",
            "content-hash",
            "\"dependencies\"",
            "\"nodes\"",
            "\"pins\"",
            "\"specifiers\"",
            "\"remote\"",
        ]),
    }
}

fn is_marker(line: &str) -> bool {
    let line = line.trim_start();
    let comment = ["//", "#", "/*", "*", "--", "<!--", ";", "%", "\"\"\"", "'''"].iter().any(|start| line.starts_with(start));
    comment
        && line.len() < 1_000
        && (line.contains("@generated") || (line.to_ascii_lowercase().contains("generated") && line.contains("DO NOT EDIT")))
}

/// Whether git should have shown lines of it: a NUL byte makes any file binary to git, and few compilers mind.
pub(super) fn is_named_as_text(path: &RepoPath) -> bool {
    const TEXT: &[&str] = &[
        "rs", "py", "js", "mjs", "cjs", "jsx", "ts", "tsx", "go", "java", "kt", "c", "h", "cc", "cpp", "hpp", "cs", "rb", "php", "sh", "bash", "ps1",
        "sql", "html", "css", "yml", "yaml", "toml", "json", "xml", "md", "txt", "tf", "swift", "scala", "lua", "pl", "vue", "svelte",
    ];
    TEXT.contains(&path.extension().as_str())
}
