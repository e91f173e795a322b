//! A reviewer as one Markdown file with front matter, embedded from `prompts/` or given by the policy commit.

use crate::findings::Category;
use crate::risk::Tier;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How capable a model a reviewer needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelTier {
    /// The best there is.
    Top,
    /// Good at code.
    Standard,
    /// Cheap and quick.
    Light,
}

/// The front matter of a reviewer's file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Lower-case letters, digits and `-`; the file's name without `.md`.
    pub id: String,
    /// The category of its findings where it does not name one.
    pub category: Category,
    /// The tiers in which it always runs.
    #[serde(default)]
    pub tiers: Vec<Tier>,
    /// The signals that call it in any tier (`security`, `release`, `codex`, `agents-md`).
    #[serde(default)]
    pub signals: Vec<String>,
    /// The model it needs.
    pub model_tier: ModelTier,
    /// Its own time limit in seconds, instead of `limits.reviewer_seconds`.
    #[serde(default)]
    pub seconds: Option<u64>,
    /// Whether the short checklists of the change's languages are added to its part.
    #[serde(default)]
    pub checklists: bool,
}

/// A reviewer: who it is and what it is told (a handlebars template).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewer {
    /// Its front matter.
    pub profile: Profile,
    /// Its part of the prompt.
    pub body: String,
}

/// All prompt files in force.
#[derive(Debug, Clone)]
pub struct PromptFiles {
    /// `_shared.md`: what all reviewers are told.
    pub shared: String,
    /// `_coordinator.md`: what the judge is told.
    pub coordinator: String,
    /// What models are told in other work than reviews, by name: `_audit`.
    pub others: BTreeMap<String, String>,
    /// The reviewers by id.
    pub reviewers: BTreeMap<String, Reviewer>,
    /// Checklists by language name.
    pub checklists: BTreeMap<String, String>,
}

#[derive(rust_embed::Embed)]
#[folder = "prompts/"]
struct Embedded;

/// Instructions for other work than reviews.
const OTHERS: [&str; 6] = ["_audit", "_distill-contradict", "_distill-detect", "_distill-extract", "_distill-group", "_distill-write"];

/// A prompt file larger than this many bytes is refused: a reviewer's part is meant to stay under 1,000 tokens.
const MAX_PROMPT_BYTES: usize = 16 * 1024;

impl PromptFiles {
    /// The files that come with the program.
    pub fn built_in() -> Self {
        let mut files = Self {
            shared: String::new(),
            coordinator: String::new(),
            others: BTreeMap::new(),
            reviewers: BTreeMap::new(),
            checklists: BTreeMap::new(),
        };
        for name in Embedded::iter() {
            let data = Embedded::get(&name).expect("the name was just listed").data;
            let text = String::from_utf8_lossy(&data).into_owned();
            files.take(&name, text).expect("a test loads every built-in prompt");
        }
        files
    }

    /// Adds or replaces one file by its name below `prompts/` (`docs.md`, `_shared.md`, `languages/go.md`).
    /// Fails with one line that says what is wrong with it; then nothing has changed.
    pub fn take(&mut self, name: &str, text: String) -> Result<(), String> {
        if text.len() > MAX_PROMPT_BYTES {
            return Err(format!("{name}: {} bytes, more than the {MAX_PROMPT_BYTES} that a prompt may have", text.len()));
        }
        let stem = name.strip_suffix(".md").ok_or_else(|| format!("{name}: a prompt file ends in .md"))?;
        if stem == "_shared" || stem == "_coordinator" {
            super::prompt::check(&text).map_err(|e| format!("{name}: {e}"))?;
            if stem == "_shared" { self.shared = text } else { self.coordinator = text }
        } else if OTHERS.contains(&stem) {
            super::prompt::check(&text).map_err(|e| format!("{name}: {e}"))?;
            self.others.insert(stem.to_owned(), text);
        } else if let Some(language) = stem.strip_prefix("languages/") {
            self.checklists.insert(language.to_owned(), text.trim().to_owned());
        } else {
            let reviewer = parse(stem, &text).map_err(|e| format!("{name}: {e}"))?;
            self.reviewers.insert(reviewer.profile.id.clone(), reviewer);
        }
        Ok(())
    }
}

fn parse(stem: &str, text: &str) -> Result<Reviewer, String> {
    let (front, body) = split_front_matter(text).ok_or("it does not begin with front matter between two lines `---`")?;
    let profile: Profile = serde_saphyr::from_str(front).map_err(|e| e.to_string())?;
    let plain = profile.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if profile.id != stem || !plain || ["rules", "coordinator"].contains(&stem) {
        return Err(format!(
            "the id `{}` has to be the file's name, in lower-case letters, digits and `-`, and none of our own (rules, coordinator)",
            profile.id
        ));
    }
    super::prompt::check(body)?;
    Ok(Reviewer { profile, body: body.trim().to_owned() })
}

/// Splits `---\nYAML\n---\nbody`; `None` where the text does not begin like that. Line ends may be CR LF.
pub(crate) fn split_front_matter(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let mut offset = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some((&rest[..offset], &rest[offset + line.len()..]));
        }
        offset += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::estimate_tokens;

    #[test]
    fn every_built_in_prompt_loads_and_is_short() {
        let files = PromptFiles::built_in();
        let ids: Vec<&str> = files.reviewers.keys().map(String::as_str).collect();
        assert_eq!(ids, ["agents-md", "codex", "docs", "generalist", "performance", "quality", "release", "security"]);
        for r in files.reviewers.values() {
            assert!(estimate_tokens(&r.body) < 700, "{} is too long", r.profile.id);
            let flag = r.body.find("## Flag").expect("says what to flag");
            let not = r.body.find("## Do not flag").expect("says what not to flag");
            assert!(flag < not && r.body.contains("## Worth posting") && r.body.contains("## Not worth posting"), "{}", r.profile.id);
        }
        assert!(estimate_tokens(&files.shared) < 1000);
        assert_eq!(files.others.keys().map(String::as_str).collect::<Vec<_>>(), OTHERS);
        for (name, text) in &files.others {
            assert!(estimate_tokens(text) < 1000, "{name}: {}", estimate_tokens(text));
        }
        assert!(files.checklists.len() >= 10);
    }

    #[test]
    fn each_reviewer_can_be_called() {
        for r in PromptFiles::built_in().reviewers.values() {
            assert!(!r.profile.tiers.is_empty() || !r.profile.signals.is_empty(), "{} never runs", r.profile.id);
        }
    }

    #[test]
    fn a_broken_file_changes_nothing_and_says_why() {
        let mut files = PromptFiles::built_in();
        let before = files.reviewers.clone();
        for (name, text, says) in [
            ("docs.md", "no front matter", "front matter"),
            ("docs.md", "---\nid: other\ncategory: quality\nmodel_tier: light\n---\nx", "file's name"),
            ("docs.md", "---\nid: docs\ncategory: poetry\nmodel_tier: light\n---\nx", "poetry"),
            ("docs.md", "---\nid: docs\ncategory: quality\nmodel_tier: light\nsped: 1\n---\nx", "sped"),
            ("docs.md", "---\nid: docs\ncategory: quality\nmodel_tier: light\n---\n{{#if x}}", "template"),
            ("rules.md", "---\nid: rules\ncategory: quality\nmodel_tier: light\n---\nx", "our own"),
            ("docs.txt", "", ".md"),
        ] {
            let error = files.take(name, text.to_owned()).expect_err(text);
            assert!(error.contains(says), "{error}");
        }
        assert_eq!(files.reviewers, before);
    }

    #[test]
    fn a_new_reviewer_is_one_file() {
        let mut files = PromptFiles::built_in();
        files.take("i18n.md", "---\nid: i18n\ncategory: quality\ntiers: [full]\nmodel_tier: light\n---\nLook for texts.".to_owned()).expect("valid");
        assert_eq!(files.reviewers["i18n"].body, "Look for texts.");
    }
}
