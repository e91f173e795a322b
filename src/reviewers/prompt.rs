//! Renders what models are told: the system message (instructions only, the same for all reviewers)
//! and a reviewer's own part. Nothing of the change is rendered here.

use super::definition::{PromptFiles, Reviewer};
use handlebars::Handlebars;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What templates can refer to.
#[derive(Debug, Clone, Serialize)]
pub struct Variables<'a> {
    /// The language of prose, where one is configured (`{{language}}`).
    pub language: Option<&'a str>,
    /// How the fenced data is marked up (`{{marks}}`).
    pub marks: &'a str,
}

/// At most so many checklists are added to a part: those of the languages with the most changed lines.
const MAX_CHECKLISTS: usize = 3;

fn engine() -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.register_escape_fn(handlebars::no_escape);
    engine
}

/// Whether a text is a sound template; one line that says what is wrong otherwise.
pub(crate) fn check(template: &str) -> Result<(), String> {
    handlebars::Template::compile(template).map(|_| ()).map_err(|e| format!("template: {}", e.reason()))
}

fn render(template: &str, variables: &Variables) -> String {
    // Templates are checked when they are taken; what can still fail (an unknown helper) leaves the text as it stands.
    engine().render_template(template, variables).unwrap_or_else(|_| template.to_owned())
}

impl PromptFiles {
    /// The system message of all reviewers.
    pub fn system(&self, variables: &Variables) -> String {
        render(&self.shared, variables)
    }

    /// The system message of the judge.
    pub fn coordinator_system(&self, variables: &Variables) -> String {
        render(&self.coordinator, variables)
    }

    /// The system message of other work than reviews (`_audit`). Empty where there is no such file.
    pub fn other(&self, name: &str, variables: &Variables) -> String {
        self.others.get(name).map(|text| render(text, variables)).unwrap_or_default()
    }

    /// A reviewer's own part: the last block of its request. `languages`: names, most changed lines first.
    /// `bundle`: which part of the change this is, from 1, and of how many.
    pub fn own(&self, reviewer: &Reviewer, variables: &Variables, languages: &[&str], bundle: (usize, usize)) -> String {
        let mut out = format!("# Reviewer: {}\n\n{}\n", reviewer.profile.id, render(&reviewer.body, variables));
        if reviewer.profile.checklists {
            let lists: Vec<&String> = languages.iter().filter_map(|l| self.checklists.get(*l)).take(MAX_CHECKLISTS).collect();
            if !lists.is_empty() {
                out.push_str("\n## Often wrong, and easily overlooked\n");
                for list in lists {
                    out.push_str("- ");
                    out.push_str(list);
                    out.push('\n');
                }
            }
        }
        if bundle.1 > 1 {
            out.push_str(&format!("\nThe change is large: this is part {} of {}. Others see the rest; report on this part.\n", bundle.0, bundle.1));
        }
        out
    }

    /// SHA-256 (hex) over all prompt files in force.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut take = |name: &str, text: &str| {
            hash.update((name.len() as u64).to_le_bytes());
            hash.update(name);
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        take("_shared", &self.shared);
        take("_coordinator", &self.coordinator);
        for (name, text) in &self.others {
            take(name, text);
        }
        for (id, r) in &self.reviewers {
            take(id, &format!("{:?}\n{}", r.profile, r.body));
        }
        for (language, text) in &self.checklists {
            take(language, text);
        }
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::estimate_tokens;

    const PLAIN: Variables = Variables { language: None, marks: "Lines begin with a mark." };

    #[test]
    fn the_own_part_is_under_a_thousand_tokens_with_all_it_can_hold() {
        let files = PromptFiles::built_in();
        let languages: Vec<&str> = files.checklists.keys().map(String::as_str).collect();
        for r in files.reviewers.values() {
            let own = files.own(r, &PLAIN, &languages, (12, 34));
            assert!(own.starts_with(&format!("# Reviewer: {}\n", r.profile.id)));
            assert!(estimate_tokens(&own) < 1000, "{}: {}", r.profile.id, estimate_tokens(&own));
            assert!(!own.contains("{{"), "{own}");
        }
    }

    #[test]
    fn only_the_checklists_of_the_change_are_loaded() {
        let files = PromptFiles::built_in();
        let own = files.own(&files.reviewers["quality"], &PLAIN, &["rust"], (1, 1));
        assert!(own.contains("- Rust:") && !own.contains("Python:") && !own.contains("part 1 of 1"));
    }

    #[test]
    fn prose_follows_the_configured_language() {
        let files = PromptFiles::built_in();
        let system = files.system(&Variables { language: Some("German"), ..PLAIN });
        assert!(system.contains("in German") && system.contains("Lines begin with a mark."));
        assert!(!files.system(&PLAIN).contains("Write `title`"));
    }

    #[test]
    fn the_digest_sees_every_file() {
        let files = PromptFiles::built_in();
        let mut other = files.clone();
        other.checklists.insert("go".into(), "x".into());
        assert_ne!(files.digest(), other.digest());
        assert_eq!(files.digest(), PromptFiles::built_in().digest());
    }
}
