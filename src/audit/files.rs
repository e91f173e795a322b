//! The audited files: which there are, what their text is, and which are nobody's to read.

use crate::change::{Change, MAX_TEXT_BYTES};
use crate::diff::{FileDiff, FileMode, FileStatus, Hunk, Line, LineKind, Side};
use crate::git::{ObjectError, TreeEntry};
use crate::path::RepoPath;
use crate::risk::{Attributes, NoiseFilter, NoiseKind};
use crate::run::Setup;
use crate::text::FileText;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A policy file larger than this is not read, and of more of them not all.
const MAX_ATTRIBUTES: u64 = 1 << 20;
const MAX_ATTRIBUTE_FILES: usize = 500;

/// The files of the audited folder.
pub(super) struct Files<'a> {
    change: &'a Change,
    noise: NoiseFilter<'a>,
    /// Regular files, by path.
    pub(super) all: Vec<&'a TreeEntry>,
    /// Links and submodules.
    pub(super) special: u64,
}

/// What a file holds.
pub(super) enum Held {
    Text(FileText),
    /// Not a text, for this reason.
    Not(&'static str),
    /// More than can be read.
    TooLarge,
    /// It should be there.
    Failed(String),
}

impl<'a> Files<'a> {
    /// The files of `change`'s new side at or below `below` (`""`: all).
    pub(super) fn new(setup: &'a Setup, change: &'a Change, below: &str) -> Result<Self, ObjectError> {
        let entries = match &change.objects {
            Some(objects) => objects.entries(Side::New)?,
            None => &[],
        };
        let inside = |e: &&TreeEntry| {
            let rest = e.path.as_bytes().strip_prefix(below.as_bytes());
            below.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let (all, special): (Vec<&TreeEntry>, Vec<&TreeEntry>) =
            entries.iter().filter(inside).partition(|e| matches!(e.mode, FileMode::Regular | FileMode::Executable));
        let attributes = attributes(change);
        let attributes = Attributes::new(attributes.iter().map(|(path, text)| (path, text.as_str())));
        Ok(Self { change, noise: NoiseFilter::new(setup.config(), attributes, entries), all, special: special.len() as u64 })
    }

    /// SHA-256 (hex) over what is audited.
    pub(super) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for entry in &self.all {
            hash.update((entry.path.as_bytes().len() as u64).to_le_bytes());
            hash.update(entry.path.as_bytes());
            hash.update(format!("{:?} {}", entry.mode, entry.id));
        }
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Reads a file.
    pub(super) fn read(&self, entry: &TreeEntry) -> Held {
        let Some(objects) = &self.change.objects else { return Held::Failed("no objects".to_owned()) };
        match objects.blob(&entry.id, MAX_TEXT_BYTES) {
            Ok(bytes) if bytes.contains(&0) => Held::Not("binary"),
            Ok(bytes) => Held::Text(FileText::whole(&bytes)),
            Err(ObjectError::TooLarge { .. }) => Held::TooLarge,
            Err(e) => Held::Failed(e.to_string()),
        }
    }

    /// Its size in bytes.
    pub(super) fn size(&self, entry: &TreeEntry) -> Option<u64> {
        self.change.objects.as_ref()?.size(&entry.id).ok()
    }

    /// Why nobody reads the file: vendored, generated, minified, written by a package manager.
    pub(super) fn noise(&self, entry: &TreeEntry, text: &FileText) -> Option<&'static str> {
        let line = Line { kind: LineKind::Added, text: Vec::new(), old: None, new: Some(1), no_newline: false };
        let file = FileDiff {
            status: FileStatus::Modified,
            old_path: entry.path.clone(),
            new_path: entry.path.clone(),
            old_mode: Some(entry.mode),
            new_mode: Some(entry.mode),
            old_id: Some(entry.id.clone()),
            new_id: Some(entry.id.clone()),
            binary: false,
            hunks: vec![Hunk { old_start: 1, old_lines: 0, new_start: 1, new_lines: 1, section: Vec::new(), lines: vec![line] }],
        };
        let noise = self.noise.judge(&file, &|_: &FileDiff, _: Side| Some(text.clone()))?;
        Some(match noise.kind {
            NoiseKind::Lock => "lock file",
            NoiseKind::Minified => "minified",
            NoiseKind::Bundle => "bundle",
            NoiseKind::SourceMap => "source map",
            NoiseKind::Vendored => "vendored",
            NoiseKind::Generated => "generated",
            NoiseKind::Binary | NoiseKind::Oversized => "no text",
        })
    }
}

/// The policy's `.gitattributes`, at any depth.
fn attributes(change: &Change) -> BTreeMap<RepoPath, String> {
    let Some(objects) = &change.objects else { return BTreeMap::new() };
    let entries = objects.policy_entries().unwrap_or_default();
    let named = entries.iter().filter(|e| e.path.file_name() == ".gitattributes").take(MAX_ATTRIBUTE_FILES);
    let text = |e: &TreeEntry| Some(String::from_utf8_lossy(&objects.policy_file(&e.path, MAX_ATTRIBUTES).ok()?).into_owned());
    named.filter_map(|e| Some((e.path.clone(), text(e)?))).collect()
}
