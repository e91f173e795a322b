//! Signals: what in a change calls for a reviewer that its tier would not bring (DESIGN 2). Computed from paths
//! and changed lines by tables; a reviewer names the signals that it answers to in its front matter.

use super::kinds::{is_ci, is_lock, is_manifest, is_migration, is_policy, paths};
use super::words;
use crate::config::{Case, Config, PathSet};
use crate::diff::{FileDiff, FileStatus, LineKind};
use crate::path::RepoPath;
use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

/// The most reasons that are kept for a signal.
const MAX_REASONS: usize = 5;
/// The most bytes of AGENTS.md files that are searched, and the most paths that are searched for.
const MAX_AGENTS_BYTES: usize = 256 << 10;
const MAX_GONE: usize = 500;

/// What a change can call for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// It touches something that can be exploited.
    Security,
    /// It can break somebody at release or rollback.
    Release,
    /// It can make AGENTS.md stale.
    AgentsMd,
}

impl Signal {
    /// Its name in a reviewer's front matter.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Security => "security",
            Signal::Release => "release",
            Signal::AgentsMd => "agents-md",
        }
    }
}

static SCHEMAS: LazyLock<PathSet> = LazyLock::new(|| {
    PathSet::new(
        &[
            "*.proto",
            "*.graphql",
            "*.graphqls",
            "*.avsc",
            "*.thrift",
            "*.xsd",
            "openapi*.{json,yml,yaml}",
            "swagger*.{json,yml,yaml}",
            "*.schema.json",
            "schema.prisma",
            "schema.sql",
            "schema.rb",
        ],
        Case::Ignored,
    )
    .expect("a test compiles all tables")
});

static DEPLOYMENT: LazyLock<PathSet> = LazyLock::new(|| {
    PathSet::new(
        &[
            "Dockerfile",
            "Dockerfile.*",
            "*.dockerfile",
            "Containerfile",
            "docker-compose*.{yml,yaml}",
            "compose.{yml,yaml}",
            "helm/",
            "charts/",
            "k8s/",
            "kustomization.yaml",
            "*.tf",
            "Procfile",
        ],
        Case::Ignored,
    )
    .expect("a test compiles all tables")
});

static TOOLING: LazyLock<PathSet> = LazyLock::new(|| {
    PathSet::new(
        &[
            "Makefile",
            "GNUmakefile",
            "justfile",
            "Taskfile.{yml,yaml}",
            "noxfile.py",
            "tox.ini",
            "CMakeLists.txt",
            "rust-toolchain",
            "rust-toolchain.toml",
            ".nvmrc",
            ".node-version",
            ".python-version",
            ".tool-versions",
            "mise.toml",
            ".pre-commit-config.yaml",
            "build.gradle",
            "build.gradle.kts",
            "turbo.json",
            "nx.json",
            "lerna.json",
            "pnpm-workspace.yaml",
            ".cargo/config.toml",
            "nextest.toml",
            "jest.config.*",
            "vitest.config.*",
            "pytest.ini",
            ".devcontainer/",
        ],
        Case::Sensitive,
    )
    .expect("a test compiles all tables")
});

/// The change's signals, each with up to five reasons. `files` is what the noise filter left, `agents` the texts
/// of the policy commit's AGENTS.md files (any order).
pub fn signals(files: &[&FileDiff], config: &Config, agents: &[(RepoPath, String)]) -> BTreeMap<Signal, Vec<String>> {
    let mut found = Found::default();
    let added = files.iter().flat_map(|f| &f.hunks).flat_map(|h| &h.lines).filter(|l| l.kind == LineKind::Added);
    let added: HashSet<&[u8]> = added.map(|l| l.text.trim_ascii()).collect();
    for file in files {
        by_path(&mut found, file, config);
        by_lines(&mut found, file, &added);
    }
    named_in_agents(&mut found, files, agents);
    found.0
}

#[derive(Default)]
struct Found(BTreeMap<Signal, Vec<String>>);

impl Found {
    fn tell(&mut self, signal: Signal, path: &RepoPath, what: &str) {
        let reasons = self.0.entry(signal).or_default();
        if reasons.len() < MAX_REASONS {
            reasons.push(format!("{}: {what}", path.display()));
        }
    }
}

fn by_path(found: &mut Found, file: &FileDiff, config: &Config) {
    let Some(path) = paths(file).next() else { return };
    let any = |test: &dyn Fn(&RepoPath) -> bool| paths(file).any(test);
    if any(&|p| config.tiers.sensitive_paths.is_match(p)) {
        found.tell(Signal::Security, path, "security-sensitive path");
    }
    if any(&is_ci) {
        found.tell(Signal::Security, path, "CI definition");
        found.tell(Signal::AgentsMd, path, "CI definition");
    } else if any(&is_policy) {
        found.tell(Signal::AgentsMd, path, "instructions or policy");
    }
    if any(&is_migration) {
        found.tell(Signal::Release, path, "migration");
    }
    if any(&|p| SCHEMAS.is_match(p)) {
        found.tell(Signal::Release, path, "schema");
    }
    if any(&|p| DEPLOYMENT.is_match(p)) {
        found.tell(Signal::Release, path, "deployment");
    }
    if any(&|p| TOOLING.is_match(p)) {
        found.tell(Signal::AgentsMd, path, "build or test tooling");
    }
}

/// `added`: the added lines of the whole change, without the blanks around them.
fn by_lines(found: &mut Found, file: &FileDiff, added: &HashSet<&[u8]>) {
    let path = &file.new_path;
    if is_prose(path) || is_lock(path) {
        return;
    }
    let lines = || file.hunks.iter().flat_map(|h| &h.lines).filter(|l| l.kind != LineKind::Context);
    // A removed check matters as much as an added call.
    if let Some(what) = lines().find_map(|l| words::security(&l.text)) {
        found.tell(Signal::Security, path, &format!("a changed line is about {what}"));
    }
    if let Some(what) = lines().find_map(|l| words::release(&l.text)) {
        found.tell(Signal::Release, path, &format!("a changed line is about {what}"));
    }
    if is_manifest(path) {
        by_versions(found, file);
        let script = |l: &&crate::diff::Line| path.file_name() == "package.json" && SCRIPT.is_match(&l.text);
        if lines().any(|l| script(&l)) {
            found.tell(Signal::AgentsMd, path, "scripts");
        }
    } else if !is_test(path) {
        // What was only moved is not gone.
        let gone = lines().filter(|l| l.kind == LineKind::Removed && !added.contains(l.text.trim_ascii())).find_map(|l| words::public_name(&l.text));
        if let Some(name) = gone {
            let name: String = String::from_utf8_lossy(name).chars().take(60).collect();
            found.tell(Signal::Release, path, &format!("the public `{name}` is gone or has another signature"));
        }
    }
}

/// A line of package.json's scripts that people type.
static SCRIPT: LazyLock<regex::bytes::Regex> = LazyLock::new(|| {
    regex::bytes::Regex::new(
        r#"^\s*"(?:(?:pre|post)?(?:test|build|lint|start|dev|format|check|typecheck|ci|e2e)[\w:-]{0,40}|scripts|engines|packageManager)"\s*:"#,
    )
    .expect("a test compiles all patterns")
});

/// Dependencies whose version is another one that need not be compatible.
fn by_versions(found: &mut Found, file: &FileDiff) {
    let of = |kind: LineKind| {
        let lines = file.hunks.iter().flat_map(|h| &h.lines).filter(move |l| l.kind == kind);
        lines.filter_map(|l| words::version(&l.text)).collect::<BTreeMap<_, _>>()
    };
    let (old, new) = (of(LineKind::Removed), of(LineKind::Added));
    for (name, version) in &old {
        if new.get(name).is_some_and(|other| other != version) {
            let name: String = RepoPath::new(name.to_vec()).display().chars().take(60).collect();
            found.tell(Signal::Release, &file.new_path, &format!("another major version of {name}"));
        }
    }
}

/// Files that are gone or moved, and that some AGENTS.md names.
fn named_in_agents(found: &mut Found, files: &[&FileDiff], agents: &[(RepoPath, String)]) {
    let gone = files.iter().filter(|f| matches!(f.status, FileStatus::Deleted | FileStatus::Renamed)).take(MAX_GONE);
    let mut left = MAX_AGENTS_BYTES;
    let mut texts = Vec::new();
    for (path, text) in agents {
        if text.len() <= left {
            left -= text.len();
            texts.push((path, text));
        }
    }
    for file in gone {
        let Some(old) = file.old_path.as_str() else { continue };
        // An AGENTS.md names files from its own folder on.
        let names = |(agents, text): &(&RepoPath, &String)| {
            let folder = agents.parent();
            let relative = old.strip_prefix(folder.as_ref()).map(|rest| rest.trim_start_matches('/'));
            text.contains(old) || relative.is_some_and(|rest| rest.len() > 3 && text.contains(rest))
        };
        if let Some((path, _)) = texts.iter().find(|entry| names(entry)) {
            found.tell(Signal::AgentsMd, &file.old_path, &format!("{} names it, and it is gone", path.display()));
        }
    }
}

/// Texts for people, in which words about security are only words.
fn is_prose(path: &RepoPath) -> bool {
    ["md", "markdown", "rst", "adoc", "txt"].contains(&path.extension().as_str()) && !is_manifest(path)
}

/// Tests have no public interface.
fn is_test(path: &RepoPath) -> bool {
    let text = path.display().to_ascii_lowercase();
    text.split('/').any(|part| ["test", "tests", "spec", "__tests__", "testdata", "fixtures", "benches", "examples"].contains(&part))
        || path.file_name().to_ascii_lowercase().split(['.', '_', '-']).any(|part| part == "test" || part == "spec")
}

/// Compiles all tables of this file.
pub(super) fn compile() {
    [&SCHEMAS, &DEPLOYMENT, &TOOLING].into_iter().for_each(|table| {
        LazyLock::force(table);
    });
    LazyLock::force(&SCRIPT);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{changed, config, with_lines};
    use super::*;

    fn told(file: FileDiff) -> String {
        let agents = [
            (RepoPath::from("AGENTS.md"), "Run `scripts/run.sh`. The parser is src/parse.rs.".to_owned()),
            (RepoPath::from("web/AGENTS.md"), "See lib/api.ts".to_owned()),
        ];
        let found = signals(&[&file], &config(""), &agents);
        let told: Vec<_> = found.into_iter().map(|(signal, reasons)| format!("{} ({})", signal.name(), reasons.join("; "))).collect();
        if told.is_empty() { "-".to_owned() } else { told.join(", ") }
    }

    fn gone(path: &str) -> FileDiff {
        FileDiff { status: FileStatus::Deleted, ..changed(path, 0) }
    }

    #[test]
    fn tells_who_is_called_and_why() {
        let table = [
            told(changed("src/math.rs", 5)),
            told(changed("src/auth/login.rs", 1)),
            told(with_lines("src/a.py", &["-    check_permission(user)"])),
            told(with_lines("docs/a.md", &["+Set the password."])),
            told(with_lines("src/a.rs", &[" let password = 1;", "+let x = 1;"])),
            told(changed(".github/workflows/ci.yml", 1)),
            told(changed("db/migrations/001.sql", 1)),
            told(changed("api/v1.proto", 1)),
            told(changed("Makefile", 1)),
            told(with_lines("Cargo.toml", &["-serde = \"1.0\"", "+serde = \"2.0\"", "-toml = \"0.8.1\"", "+toml = \"0.8.2\""])),
            told(with_lines("web/package.json", &["-    \"test\": \"jest\",", "+    \"test\": \"vitest\","])),
            told(with_lines("src/lib.rs", &["-pub fn open(a: u8) {", "+pub fn open(a: u16) {"])),
            told(with_lines("src/lib.rs", &["-pub fn open(a: u8) {", "+    pub fn open(a: u8) {"])),
            told(with_lines("tests/lib.rs", &["-pub fn open(a: u8) {"])),
            told(with_lines("src/main.go", &["+port := os.Getenv(\"PORT\")"])),
            told(gone("scripts/run.sh")),
            told(gone("web/lib/api.ts")),
            told(gone("src/other.rs")),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        -
        security (src/auth/login.rs: security-sensitive path)
        security (src/a.py: a changed line is about authentication or permission)
        -
        -
        security (.github/workflows/ci.yml: CI definition), agents-md (.github/workflows/ci.yml: CI definition)
        release (db/migrations/001.sql: migration)
        release (api/v1.proto: schema)
        agents-md (Makefile: build or test tooling)
        release (Cargo.toml: another major version of serde)
        agents-md (web/package.json: scripts)
        release (src/lib.rs: the public `open` is gone or has another signature)
        -
        -
        release (src/main.go: a changed line is about an environment variable)
        agents-md (scripts/run.sh: AGENTS.md names it, and it is gone)
        agents-md (web/lib/api.ts: web/AGENTS.md names it, and it is gone)
        -
        ");
    }

    #[test]
    fn reasons_and_work_are_bounded() {
        let files: Vec<FileDiff> = (0..5_000).map(|i| FileDiff { status: FileStatus::Deleted, ..changed(&format!("auth/f{i}.rs"), 20) }).collect();
        let all: Vec<&FileDiff> = files.iter().collect();
        let started = std::time::Instant::now();
        let found = signals(&all, &config(""), &[(RepoPath::from("AGENTS.md"), "x".repeat(200_000))]);
        assert_eq!(found[&Signal::Security].len(), MAX_REASONS);
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
