//! What a path is by its name alone: policy, continuous integration, dependency manifests, lock files,
//! migrations. Tables of globs; nothing here looks at contents.

use crate::config::{Case, PathSet};
use crate::diff::FileDiff;
use crate::path::RepoPath;
use std::sync::LazyLock;

fn table(globs: &[&str]) -> PathSet {
    PathSet::new(globs, Case::Sensitive).expect("a test compiles all tables")
}

/// Files that tell machines what to do with the code: jobs that hold secrets run them.
static CI: LazyLock<PathSet> = LazyLock::new(|| {
    table(&[
        ".github/workflows/",
        ".github/actions/",
        "action.yml",
        "action.yaml",
        ".gitlab-ci.yml",
        "*.gitlab-ci.yml",
        ".gitlab/ci/",
        ".circleci/",
        ".buildkite/",
        ".woodpecker/",
        ".woodpecker.yml",
        ".drone.yml",
        ".travis.yml",
        "Jenkinsfile",
        "Jenkinsfile.*",
        "azure-pipelines.yml",
        "azure-pipelines*.yaml",
        "bitbucket-pipelines.yml",
        "appveyor.yml",
        "cloudbuild.yaml",
        "buildspec.yml",
        ".ci/",
    ])
});

/// Files that tell reviewers, human or not, how to look at the code.
static INSTRUCTIONS: LazyLock<PathSet> = LazyLock::new(|| {
    PathSet::new(
        &[
            "AGENTS.md",
            "CLAUDE.md",
            "GEMINI.md",
            ".cursorrules",
            ".cursor/rules/",
            ".github/copilot-instructions.md",
            ".github/instructions/",
            "/.tribune*",
            ".gitattributes",
            "CODEOWNERS",
        ],
        Case::Ignored,
    )
    .expect("a test compiles all tables")
});

static MANIFESTS: LazyLock<PathSet> = LazyLock::new(|| {
    table(&[
        "Cargo.toml",
        "package.json",
        "pyproject.toml",
        "requirements*.txt",
        "setup.cfg",
        "Pipfile",
        "go.mod",
        "Gemfile",
        "*.gemspec",
        "pom.xml",
        "build.gradle",
        "build.gradle.kts",
        "libs.versions.toml",
        "composer.json",
        "*.csproj",
        "Directory.Packages.props",
        "pubspec.yaml",
        "mix.exs",
        "Package.swift",
    ])
});

static LOCKS: LazyLock<PathSet> = LazyLock::new(|| {
    table(&[
        "Cargo.lock",
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "deno.lock",
        "poetry.lock",
        "uv.lock",
        "pdm.lock",
        "Pipfile.lock",
        "go.sum",
        "go.work.sum",
        "Gemfile.lock",
        "composer.lock",
        "packages.lock.json",
        "pubspec.lock",
        "mix.lock",
        "Package.resolved",
        "Podfile.lock",
        "flake.lock",
        "gradle.lockfile",
        ".terraform.lock.hcl",
        "MODULE.bazel.lock",
        "conan.lock",
    ])
});

static MIGRATIONS: LazyLock<PathSet> = LazyLock::new(|| {
    PathSet::new(
        &["migrations/", "migration/", "migrate/", "**/alembic/versions/", "flyway/", "liquibase/", "[vV][0-9]*__*.sql", "[uU][0-9]*__*.sql"],
        Case::Ignored,
    )
    .expect("a test compiles all tables")
});

/// Whether a change to this file changes what reviewers or machines are told: instructions for agents, tribune's own
/// policy, attributes, CI definitions.
pub fn is_policy(path: &RepoPath) -> bool {
    INSTRUCTIONS.is_match(path) || is_ci(path)
}

/// Whether it defines a CI job.
pub(super) fn is_ci(path: &RepoPath) -> bool {
    CI.is_match(path)
}

/// Whether it changes a database's schema or data. Migrations are never noise.
pub fn is_migration(path: &RepoPath) -> bool {
    MIGRATIONS.is_match(path)
}

/// Whether it names dependencies.
pub(super) fn is_manifest(path: &RepoPath) -> bool {
    MANIFESTS.is_match(path)
}

/// Whether it is named as a lock file.
pub(super) fn is_lock(path: &RepoPath) -> bool {
    LOCKS.is_match(path)
}

/// Both paths of a file, or the one where they are the same.
pub(super) fn paths(file: &FileDiff) -> impl Iterator<Item = &RepoPath> {
    std::iter::once(&file.new_path).chain((file.old_path != file.new_path).then_some(&file.old_path))
}

/// Compiles all tables of this file.
pub(super) fn compile() {
    [&CI, &INSTRUCTIONS, &MANIFESTS, &LOCKS, &MIGRATIONS].into_iter().for_each(|table| {
        LazyLock::force(table);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_files_by_name() {
        let told = |path: &str| {
            let p = RepoPath::from(path);
            let kinds =
                [(is_ci(&p), "ci"), (is_policy(&p), "policy"), (is_manifest(&p), "manifest"), (is_lock(&p), "lock"), (is_migration(&p), "migration")];
            kinds.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect::<Vec<_>>().join(" ")
        };
        for (path, kinds) in [
            (".github/workflows/ci.yml", "ci policy"),
            ("a/.gitlab-ci.yml", "ci policy"),
            (".ci/run", "ci policy"),
            ("docs/agents.md", "policy"),
            (".tribune.yaml", "policy"),
            (".tribune/rules/A.md", "policy"),
            ("a/.gitattributes", "policy"),
            ("web/package.json", "manifest"),
            ("web/package-lock.json", "lock"),
            ("db/migrate/001_users.rb", "migration"),
            ("app/Migrations/x.py", "migration"),
            ("sql/V2__users.sql", "migration"),
            ("src/main.rs", ""),
            ("src/ci/mod.rs", ""),
        ] {
            assert_eq!(told(path), kinds, "{path}");
        }
    }
}
