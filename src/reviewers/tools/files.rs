//! `read_file`, `list_files`, `search` and `show_diff`.

use super::{Found, Toolbox};
use crate::change::MAX_TEXT_BYTES;
use crate::diff::{FileDiff, Side, print};
use crate::git::{GrepQuery, ObjectError};
use crate::text::FileText;
use std::collections::BTreeMap;

/// Lines of one `read_file`, when the caller asks for more or for all.
const MAX_LINES: u32 = 400;
/// Entries of one `list_files`.
const MAX_ENTRIES: usize = 300;
/// Hits of one `search`.
const MAX_HITS: usize = 80;

impl Toolbox {
    pub(super) fn read_file(&self, shown: &str, side: Side, start: u32, end: u32) -> Found {
        let path = self.resolve(shown, side)?;
        let objects = self.change.objects.as_ref().ok_or("Only the patch is known here.")?;
        let bytes = objects.file(side, &path, MAX_TEXT_BYTES).map_err(|e| match e {
            ObjectError::NotAFile => "That is a symlink or a submodule, which is not followed.".to_owned(),
            other => format!("It cannot be read: {other}."),
        })?;
        if bytes.contains(&0) {
            return Err("That is a binary file.".into());
        }
        let text = FileText::whole(&bytes);
        let count = text.line_count();
        let start = start.max(1);
        let end = end.min(start.saturating_add(MAX_LINES - 1)).min(count);
        if start > count {
            return Err(format!("It has {count} lines."));
        }
        let mut out = format!("{} lines {start}-{end} of {count}, {} side\n", path.display(), if side == Side::New { "new" } else { "old" });
        for number in start..=end {
            out.push_str(text.line(number).unwrap_or_default());
            out.push('\n');
        }
        Ok(out)
    }

    pub(super) fn list_files(&self, shown: &str, side: Side) -> Found {
        let objects = self.change.objects.as_ref().ok_or("Only the patch is known here, not the repository.")?;
        let folder = shown.trim().trim_start_matches("./").trim_matches('/');
        let prefix = if folder.is_empty() || folder == "." { String::new() } else { format!("{folder}/") };
        // Files right below, and folders with the number of files in them.
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for entry in objects.entries(side).map_err(|e| format!("The tree cannot be read: {e}."))? {
            let path = entry.path.display();
            let Some(rest) = path.strip_prefix(prefix.as_str()) else { continue };
            match rest.split_once('/') {
                Some((dir, _)) => *names.entry(format!("{dir}/")).or_default() += 1,
                None => *names.entry(rest.to_owned()).or_default() += 1,
            }
        }
        if names.is_empty() {
            return Err("There is no such folder.".into());
        }
        let total = names.len();
        let mut out = String::new();
        for (name, files) in names.into_iter().take(MAX_ENTRIES) {
            let note = if name.ends_with('/') { format!(" ({files} files)") } else { String::new() };
            out.push_str(&format!("{prefix}{name}{note}\n"));
        }
        if total > MAX_ENTRIES {
            out.push_str(&format!("[{} more entries]\n", total - MAX_ENTRIES));
        }
        Ok(out)
    }

    pub(super) fn search(&self, text: &str, glob: Option<&str>, side: Side) -> Found {
        let objects = self.change.objects.as_ref().ok_or("Only the patch is known here, not the repository.")?;
        if text.trim().len() < 2 || text.contains('\n') {
            return Err("Give a text of at least two characters on one line. It is searched as it stands, not as a pattern.".into());
        }
        // Read as a name with braces it would find nothing, which looks like a proof of absence.
        if glob.is_some_and(|g| g.contains('{')) {
            return Err("A glob with braces is not understood: search once for each, or leave the glob out.".into());
        }
        let query =
            GrepQuery { needles: vec![text.to_owned()], word: false, glob: glob.map(str::to_owned), max_per_file: 20, max_hits: MAX_HITS * 2 };
        let hits = objects.grep(side, &query).map_err(|e| format!("The search failed: {e}."))?;
        let shown: Vec<_> = hits.iter().filter(|h| !(self.private)(&h.path)).collect();
        if shown.is_empty() {
            return Ok("No line contains it.\n".into());
        }
        let mut out = String::new();
        for hit in shown.iter().take(MAX_HITS) {
            out.push_str(&format!("{}:{}: {}\n", hit.path.display(), hit.line, hit.text.trim_end()));
        }
        if shown.len() > MAX_HITS {
            out.push_str("[more lines contain it; give a longer text or a glob]\n");
        }
        Ok(out)
    }

    pub(super) fn show_diff(&self, shown: &str) -> Found {
        let wanted = shown.trim().trim_start_matches("./");
        let named = |f: &&FileDiff| f.new_path.display() == wanted || f.old_path.display() == wanted;
        let file = self.change.files.iter().find(named).ok_or("The change does not touch such a file.")?;
        if (self.private)(&file.new_path) || (self.private)(&file.old_path) {
            return Err("That path is private: its contents are not shown to models.".into());
        }
        let mut patch = Vec::new();
        print::print(file, &mut patch);
        Ok(String::from_utf8_lossy(&patch).into_owned())
    }
}
