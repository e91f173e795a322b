//! A rule's YAML front matter, read strictly: unknown keys and wrong values are errors with their place.

use super::problem::Problem;
use super::{RuleLevel, RuleStatus};
use crate::findings::{Category, Severity};
use ast_grep_config::{SerializableRule, Transformation};
use serde::{Deserialize, Serialize};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{MergeKeyPolicy, Spanned};
use std::collections::HashMap;

/// How many nodes a front matter may have, aliases counted each time they are used. Real ones have some hundred.
const MAX_NODES: usize = 20_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Front {
    pub(super) id: Spanned<String>,
    pub(super) title: Spanned<String>,
    pub(super) level: RuleLevel,
    pub(super) status: RuleStatus,
    pub(super) severity: Severity,
    pub(super) category: Category,
    #[serde(default)]
    pub(super) languages: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) paths: Vec<Spanned<String>>,
    pub(super) source: Option<String>,
    pub(super) url: Option<Spanned<String>>,
    pub(super) owner: Option<String>,
    pub(super) about: Option<About>,
    pub(super) detect: Option<Detect>,
}

/// What a rule is about, where that is not code as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum About {
    /// What a change does or brings along: a test with a fix, a line in the changelog.
    Change,
}

/// What finds a rule's hits: one of the built-in detectors, a fact across files, or ast-grep's rule with what belongs to it.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Detect {
    pub(super) builtin: Option<Builtin>,
    pub(super) fact: Option<Fact>,
    pub(super) rule: Option<SerializableRule>,
    pub(super) constraints: Option<HashMap<String, SerializableRule>>,
    pub(super) utils: Option<HashMap<String, SerializableRule>>,
    pub(super) transform: Option<HashMap<String, Transformation>>,
    /// A template that replaces the matched node.
    pub(super) fix: Option<String>,
    /// More precise words than the title; meta variables allowed.
    pub(super) message: Option<String>,
}

/// A detector that is code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Builtin {
    /// Known token shapes, random values assigned to secrets' names, private keys.
    Secrets,
}

/// A fact across files; see [`super::facts::across`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fact {
    /// A function, type or constant is gone, and code still uses it.
    RemovedInUse,
    /// A function takes other arguments, and code still passes the old ones.
    SignatureInUse,
    /// An option, a script or a make target is gone, and documents or scripts still use it.
    CommandGone,
    /// It is gone, and documents or comments still name it.
    RemovedInDocs,
    /// A file is gone, and others still name its path.
    PathGone,
    /// A manifest takes a dependency to another major version.
    MajorVersion,
    /// An environment variable is read and documented nowhere.
    UndocumentedVariable,
    /// A test is deleted or switched off while what it tests changes.
    TestGone,
}

impl std::fmt::Debug for Detect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detect").field("builtin", &self.builtin).finish_non_exhaustive()
    }
}

/// Reads front matter. `yaml` begins with its `---` line, so that places are the file's.
pub(super) fn read(yaml: &str) -> Result<Front, Problem> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 48,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_aliases: 100,
            max_anchors: 100,
            max_documents: 1,
            max_total_scalar_bytes: 2 * super::format::MAX_FILE,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_NODES, max_replay_stack_depth: 4 },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        strict_booleans: true,
        reject_unsupported_tags: true,
        emit_comments: false,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(yaml, options).map_err(|e| Problem::yaml(&e))
}
