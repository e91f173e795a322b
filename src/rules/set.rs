//! The rules of all sources, by id, with their detectors. Later sources replace rules of earlier ones, as far as they may.

use super::detector::{self, Pattern};
use super::format::{self, RuleFile};
use super::front::Fact;
use super::problem::Problem;
use super::scan::Index;
use super::{Rule, RuleProblem, guard, load};
use crate::lang::Lang;
use crate::path::RepoPath;
use crate::threads::{cores, in_parts};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, OnceLock};

/// A source with more rules than this is cut off, with a problem.
const MAX_FILES: usize = 5_000;

#[derive(RustEmbed)]
#[folder = "rules/"]
#[allow_missing = true]
struct BuiltIn;

/// Who made a rule. What a repository may change depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Comes with tribune.
    BuiltIn,
    /// A source that the operator named.
    Organisation,
    /// `.tribune/rules/` of the policy commit.
    Repository,
}

impl Origin {
    /// Its name, as [`Rule::origin`] has it.
    pub fn name(self) -> &'static str {
        match self {
            Origin::BuiltIn => "built-in",
            Origin::Organisation => "organisation",
            Origin::Repository => "repository",
        }
    }

    /// For "a rule of …".
    pub(super) fn of(self) -> &'static str {
        match self {
            Origin::BuiltIn => "tribune",
            Origin::Organisation => "the organisation",
            Origin::Repository => "the repository",
        }
    }
}

/// The rules of all sources. Cheap to clone: compiled detectors are shared.
#[derive(Clone, Default)]
pub struct RuleSet {
    pub(super) entries: BTreeMap<String, Entry>,
    /// Paths of all files, by source.
    pub(super) files: BTreeMap<String, BTreeSet<String>>,
    problems: Vec<RuleProblem>,
    indexes: [OnceLock<Arc<Index>>; Lang::ALL.len()],
}

/// A rule as it is in force.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) rule: Rule,
    pub(super) loaded: Arc<Loaded>,
}

/// A rule as its file has it.
pub(super) struct Loaded {
    pub(super) file: RuleFile,
    pub(super) origin: Origin,
    pub(super) source: String,
    pub(super) path: String,
    /// SHA-256 of its file.
    digest: [u8; 32],
    /// One for each language, compiled when first needed.
    patterns: Vec<(Lang, OnceLock<Result<Pattern, String>>)>,
}

impl Loaded {
    /// The rule's pattern for `lang`; `None` where it has none for it; the error in one line where it does not compile.
    pub(super) fn pattern(&self, lang: Lang) -> Option<Result<&Pattern, &str>> {
        let detect = self.file.detect.as_ref()?;
        let (_, cell) = self.patterns.iter().find(|(l, _)| *l == lang)?;
        let compiled = cell.get_or_init(|| detector::compile(&self.file.rule, detect, lang));
        Some(compiled.as_ref().map_err(String::as_str))
    }

    /// The first reason why its paths or its detector do not compile.
    pub(super) fn broken(&self) -> Option<Problem> {
        if let Err(error) = self.file.globs.compiled() {
            return Some(Problem::line(0, "the paths do not compile", error.kind().to_string()));
        }
        self.file.langs.iter().find_map(|lang| {
            let error = self.pattern(*lang)?.err()?;
            Some(Problem::line(self.file.detect_line, format!("the detector does not compile for {}", lang.name()), error.to_owned()))
        })
    }

    /// Whether the rule is about this file.
    pub(super) fn applies(&self, path: &RepoPath, lang: Option<Lang>) -> bool {
        let spoken = self.file.langs.is_empty() || lang.is_some_and(|l| self.file.langs.contains(&l));
        spoken && self.file.globs.is_match(String::from_utf8_lossy(path.as_bytes()).as_ref())
    }
}

impl RuleSet {
    /// The rules that come with tribune. Reads front matter, compiles nothing; once, then they are kept.
    pub fn built_in() -> Self {
        static READ: LazyLock<RuleSet> = LazyLock::new(RuleSet::read_built_in);
        READ.clone()
    }

    fn read_built_in() -> Self {
        let text = |path: &str| BuiltIn::get(path).map(|f| String::from_utf8_lossy(&f.data).into_owned());
        let files = BuiltIn::iter().filter_map(|path| Some((path.to_string(), text(&path)?))).collect();
        let mut set = Self::default();
        set.add_source(Origin::BuiltIn.name(), Origin::BuiltIn, files);
        set
    }

    /// Adds the rules of a source: its Markdown files by path (`/` between parts), but README.md, EVIDENCE.md and CATALOGUE.md.
    /// Files that are no rules are there for relative links to lead to. A broken rule, or one that relaxes what it may not, is left
    /// out and comes back as a problem. Detectors are compiled now, unless they are tribune's own.
    pub fn add_source(&mut self, name: &str, origin: Origin, mut files: Vec<(String, String)>) -> Vec<RuleProblem> {
        files.sort();
        let mut problems = Vec::new();
        self.files.entry(name.to_owned()).or_default().extend(files.iter().map(|(path, _)| path.clone()));
        files.retain(|(path, _)| load::is_rule(path));
        if files.len() > MAX_FILES {
            let title = format!("{} rules: those after the first {MAX_FILES} are left out", files.len());
            problems.push(Problem::line(0, title, "split the source").of_file(name));
            files.truncate(MAX_FILES);
        }
        for (loaded, (path, _)) in prepared(name, origin, &files).into_iter().zip(&files) {
            if let Err(problem) = loaded.and_then(|loaded| self.add(loaded)) {
                problems.push(problem.of_file(path));
            }
        }
        self.indexes = Default::default();
        self.problems.extend(problems.iter().cloned());
        problems
    }

    fn add(&mut self, loaded: Loaded) -> Result<(), Problem> {
        let rule = loaded.file.rule.clone();
        if let Some(old) = self.entries.get(&rule.id) {
            if old.loaded.source == loaded.source {
                let title = format!("`{}` is the id of {} too", rule.id, old.loaded.path);
                return Err(Problem::line(0, title, "every rule has an id of its own"));
            }
            guard::may_replace(old, &rule, loaded.file.detect.as_ref(), loaded.origin)?;
        }
        self.entries.insert(rule.id.clone(), Entry { rule, loaded: Arc::new(loaded) });
        Ok(())
    }

    /// The rule with this id, as it is in force.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.entries.get(id).map(|e| &e.rule)
    }

    /// Where the rule with this id comes from: a directory, a URL, `.tribune/rules/`, `built-in`.
    pub fn source(&self, id: &str) -> Option<&str> {
        self.entries.get(id).map(|e| e.loaded.source.as_str())
    }

    /// All rules in force, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.entries.values().map(|e| &e.rule)
    }

    /// The rules that are about a file, with or without detector, by id.
    pub fn applicable(&self, path: &RepoPath, lang: Option<Lang>) -> Vec<&Rule> {
        self.entries.values().filter(|e| e.loaded.applies(path, lang)).map(|e| &e.rule).collect()
    }

    /// Whether the rule with this id is about a file.
    pub fn applies(&self, id: &str, path: &RepoPath, lang: Option<Lang>) -> bool {
        self.entries.get(id).is_some_and(|e| e.loaded.applies(path, lang))
    }

    /// The rules that ask for a fact across files, by id.
    pub(super) fn facts(&self) -> impl Iterator<Item = (&str, Fact)> {
        self.entries.values().filter_map(|e| Some((e.rule.id.as_str(), e.loaded.file.detect.as_ref()?.fact?)))
    }

    /// The rules that `keep` lets through.
    pub fn only(&self, keep: impl Fn(&Rule) -> bool) -> Self {
        let entries = self.entries.iter().filter(|(_, e)| keep(&e.rule)).map(|(id, e)| (id.clone(), e.clone())).collect();
        Self { entries, files: self.files.clone(), problems: self.problems.clone(), indexes: Default::default() }
    }

    /// SHA-256 (hex) over the files of all rules in force, by id.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (id, entry) in &self.entries {
            hash.update(id);
            hash.update([0]);
            hash.update(entry.loaded.digest);
        }
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// What was wrong with the files of all sources, in the order in which they were added.
    pub fn problems(&self) -> &[RuleProblem] {
        &self.problems
    }

    /// The detectors of a language, by node kind.
    pub(super) fn index(&self, lang: Lang) -> &Index {
        self.indexes[lang as usize].get_or_init(|| Arc::new(Index::new(self.entries.values(), lang)))
    }
}

/// Files of a source with fewer rules are read on one thread: another one takes longer to start.
const ALONE: usize = 16;

/// Reads rule files, on all cores: a rule costs some tenths of a millisecond, and a source can have thousands.
fn prepared(source: &str, origin: Origin, files: &[(String, String)]) -> Vec<Result<Loaded, Problem>> {
    let threads = if files.len() < ALONE { 1 } else { cores() };
    let part = |files: &[(String, String)]| files.iter().map(|(path, text)| prepare(source, origin, path, text)).collect::<Vec<_>>();
    in_parts(files, threads, part).into_iter().flatten().collect()
}

/// Reads a rule file and compiles its detector, unless it is tribune's own: those are compiled when needed, since a test has
/// compiled them all.
fn prepare(source: &str, origin: Origin, path: &str, text: &str) -> Result<Loaded, Problem> {
    let file = format::read(text, origin.name())?;
    let patterns = match file.detect.as_ref().map(|d| d.rule.is_some()) {
        Some(true) => file.langs.iter().map(|l| (*l, OnceLock::new())).collect(),
        _ => Vec::new(),
    };
    let digest = Sha256::digest(text).into();
    let loaded = Loaded { file, origin, source: source.to_owned(), path: path.to_owned(), digest, patterns };
    match (origin != Origin::BuiltIn).then(|| loaded.broken()).flatten() {
        Some(problem) => Err(problem),
        None => Ok(loaded),
    }
}

impl std::fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}
