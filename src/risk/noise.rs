//! Which changed files nobody needs to review: lock files, minified and bundled assets, source maps,
//! vendored and generated code, binaries.
//!
//! The author of a change chooses names and markers. So a path pattern filters only what is measurably
//! minified or lies where the base already had such files; a marker counts only when it stands in the base;
//! attributes only from the policy commit; and no pattern filters a policy file, a migration or a
//! security-sensitive path. It never decides what becomes of a filtered file: rules and secrets still run over it.

use super::attributes::{Attributes, Mark, fixed_folder};
use super::base::{Base, Place};
use super::evidence::{Pair, Texts, is_named_as_text};
use super::kinds::{is_lock, is_migration, is_policy, paths};
use crate::config::{Case, Config, PathSet};
use crate::diff::{FileDiff, FileMode, FileStatus};
use crate::git::TreeEntry;
use crate::path::RepoPath;
use std::sync::LazyLock;

/// Kinds of noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoiseKind {
    /// Written by a package manager.
    Lock,
    /// Minified.
    Minified,
    /// Built from sources elsewhere.
    Bundle,
    /// A source map.
    SourceMap,
    /// Somebody else's code.
    Vendored,
    /// Written by a program.
    Generated,
    /// Git shows no lines of it.
    Binary,
    /// Too large to be read as text. A bound on the file, not a judgement: the ledger should have it as `bounded`.
    Oversized,
}

/// Why a file is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noise {
    /// What it is.
    pub kind: NoiseKind,
    /// In words, for the ledger.
    pub reason: String,
}

impl Noise {
    pub(super) fn because(kind: NoiseKind, reason: &str) -> Option<Self> {
        Some(Self { kind, reason: reason.to_owned() })
    }
}

struct Pattern {
    globs: PathSet,
    kind: NoiseKind,
    words: &'static str,
}

/// Files that are noise by their names, if they are where such files were.
static NAMED: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let pattern =
        |kind, words, globs: &[&str]| Pattern { globs: PathSet::new(globs, Case::Sensitive).expect("a test compiles all tables"), kind, words };
    vec![
        pattern(NoiseKind::SourceMap, "source map", &["*.js.map", "*.mjs.map", "*.cjs.map", "*.css.map"]),
        pattern(NoiseKind::Minified, "minified", &["*.min.js", "*.min.mjs", "*.min.css", "*-min.js", "*-min.css"]),
        pattern(NoiseKind::Bundle, "bundle", &["*.bundle.js", "*.chunk.js", "*.chunk.css"]),
        pattern(
            NoiseKind::Generated,
            "generated",
            &[
                "*.pb.go",
                "*.pb.gw.go",
                "*_pb2.py",
                "*_pb2_grpc.py",
                "*_pb2.pyi",
                "*.pb.cc",
                "*.pb.h",
                "*_pb.js",
                "*_pb.ts",
                "*_pb.d.ts",
                "*.g.dart",
                "*.freezed.dart",
                "*.designer.cs",
                "*.g.cs",
                "*.generated.*",
                "*_generated.*",
                "*.gen.*",
                "zz_generated*.go",
            ],
        ),
    ]
});

/// Folders whose name says that all below is noise, if the base had files in that folder.
const FOLDERS: &[(&str, NoiseKind, &str)] = &[
    ("vendor", NoiseKind::Vendored, "vendored"),
    ("node_modules", NoiseKind::Vendored, "vendored"),
    ("third_party", NoiseKind::Vendored, "vendored"),
    ("third-party", NoiseKind::Vendored, "vendored"),
    ("bower_components", NoiseKind::Vendored, "vendored"),
    ("Pods", NoiseKind::Vendored, "vendored"),
    ("dist", NoiseKind::Bundle, "bundle"),
];

/// Decides for each file of a change whether it is noise.
pub struct NoiseFilter<'a> {
    config: &'a Config,
    attributes: Attributes,
    base: Base<'a>,
}

impl<'a> NoiseFilter<'a> {
    /// A filter. `attributes` are the policy commit's; `base` is the old side's tree, sorted by path (empty
    /// where it is unknown: then fewer files are filtered).
    pub fn new(config: &'a Config, attributes: Attributes, base: &'a [TreeEntry]) -> Self {
        Self { config, attributes, base: Base::new(base) }
    }

    /// Why the file is noise; `None` if it deserves a look. Symlinks, submodules, pure renames and mode changes
    /// are small and deserve one.
    pub fn judge(&self, file: &FileDiff, texts: Texts<'_>) -> Option<Noise> {
        let special = |mode: Option<FileMode>| matches!(mode, Some(FileMode::Symlink | FileMode::Submodule));
        if special(file.old_mode) || special(file.new_mode) {
            return None;
        }
        if file.binary {
            return Some(self.binary(file));
        }
        if file.hunks.is_empty() {
            return None;
        }
        let protected = paths(file).any(|p| is_policy(p) || is_migration(p) || self.config.noise.keep.is_match(p));
        if protected {
            return None;
        }
        let texts = Pair::new(file, texts);
        // A lock file is told by its contents, so it may lie where it likes: package managers obey nothing else in it.
        if paths(file).all(is_lock) && texts.is_lock() {
            return Noise::because(NoiseKind::Lock, "lock file");
        }
        if paths(file).any(|p| self.config.tiers.sensitive_paths.is_match(p)) {
            return texts.oversized();
        }
        let by_path = |path| self.by_name(path, &texts).or_else(|| self.by_attribute(path, &texts));
        // Code that is moved to where noise lies is not noise yet.
        let came_from_elsewhere = file.status == FileStatus::Renamed && file.old_path != file.new_path && by_path(&file.old_path).is_none();
        by_path(&file.new_path)
            .filter(|_| !came_from_elsewhere)
            .or_else(|| texts.by_marker())
            .or_else(|| texts.stays_minified())
            .or_else(|| texts.oversized())
    }

    fn binary(&self, file: &FileDiff) -> Noise {
        let sensitive = paths(file).any(|p| is_policy(p) || self.config.tiers.sensitive_paths.is_match(p));
        let reason = match (sensitive, is_named_as_text(&file.new_path)) {
            (true, _) => "binary, on a security-sensitive path: look at it yourself",
            (false, true) => "binary, although its name says source code: look at it yourself",
            (false, false) => "binary",
        };
        Noise { kind: NoiseKind::Binary, reason: reason.to_owned() }
    }

    fn by_name(&self, path: &RepoPath, texts: &Pair<'_>) -> Option<Noise> {
        for (folder, kind, words) in FOLDERS {
            if let Some(below) = folder_in(path, folder)
                && (self.base.has(&Place::Below(&below), path, "any", &|_| true) || texts.is_minified())
            {
                return Noise::because(*kind, &format!("{words} (below {})", RepoPath::from(below.as_str()).display()));
            }
        }
        if let Some(pattern) = NAMED.iter().find(|p| p.globs.is_match(path))
            && (self.base.has(&Place::Beside, path, pattern.words, &|p| pattern.globs.is_match(p)) || texts.is_minified())
        {
            return Noise::because(pattern.kind, pattern.words);
        }
        let globs = &self.config.noise.paths;
        let glob = globs.matching(path)?;
        let bare = glob.strip_prefix('/').unwrap_or(glob);
        let by_name = glob.starts_with("**/") || (!glob.starts_with('/') && !glob.trim_end_matches('/').contains('/'));
        let place = if by_name { Place::Beside } else { Place::Below(fixed_folder(bare)) };
        (self.base.has(&place, path, "noise.paths", &|p| globs.is_match(p)) || texts.is_minified())
            .then(|| Noise { kind: NoiseKind::Generated, reason: format!("`noise.paths` has `{}`", RepoPath::from(glob).display()) })
    }

    fn by_attribute(&self, path: &RepoPath, texts: &Pair<'_>) -> Option<Noise> {
        let (mark, folder) = self.attributes.mark(path)?;
        let place = folder.map_or(Place::Beside, Place::Below);
        let same = |p: &RepoPath| self.attributes.mark(p).is_some_and(|(other, _)| other == mark);
        if !self.base.has(&place, path, mark.name(), &same) && !texts.is_minified() {
            return None;
        }
        match mark {
            Mark::Generated => Noise::because(NoiseKind::Generated, "generated (.gitattributes)"),
            Mark::Vendored => Noise::because(NoiseKind::Vendored, "vendored (.gitattributes)"),
            Mark::NotDiffed => Noise::because(NoiseKind::Generated, "not for reading (-diff in .gitattributes)"),
        }
    }
}

/// The path up to and with the outermost folder of that name, with `/` at the end.
fn folder_in(path: &RepoPath, folder: &str) -> Option<String> {
    let parent = path.as_str()?.rsplit_once('/')?.0;
    let mut end = 0;
    for part in parent.split('/') {
        end += part.len() + 1;
        if part == folder {
            return path.as_str().map(|text| text[..end].to_owned());
        }
    }
    None
}

/// Compiles all tables of this file.
pub(super) fn compile() {
    LazyLock::force(&NAMED);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{config, with_lines};
    use super::*;
    use crate::diff::Side;
    use crate::text::FileText;
    use std::collections::BTreeMap;

    const CODE: &str = "fn main() {\n    run();\n}\n";

    fn minified() -> String {
        "!function(e,t){\"object\"==typeof exports?t(exports):t(e.x={})}(this,function(e){return e});".repeat(80)
    }

    /// A change to judge: what stood there, what stands there now, what the base had besides.
    struct Case {
        file: FileDiff,
        old: Option<String>,
        new: Option<String>,
        base: Vec<&'static str>,
        yaml: &'static str,
        attributes: &'static str,
    }

    fn case(path: &str) -> Case {
        Case { file: with_lines(path, &["+x"]), old: Some(CODE.into()), new: Some(CODE.into()), base: Vec::new(), yaml: "", attributes: "" }
    }

    impl Case {
        fn added(mut self) -> Self {
            self.file.status = FileStatus::Added;
            (self.file.old_mode, self.file.old_id, self.old) = (None, None, None);
            self
        }
        fn now(mut self, text: impl Into<String>) -> Self {
            self.new = Some(text.into());
            self
        }
        fn was(mut self, text: impl Into<String>) -> Self {
            self.old = Some(text.into());
            self
        }
        fn base(mut self, base: &[&'static str]) -> Self {
            self.base = base.to_vec();
            self
        }
        fn yaml(mut self, yaml: &'static str) -> Self {
            self.yaml = yaml;
            self
        }
        fn attributes(mut self, text: &'static str) -> Self {
            self.attributes = text;
            self
        }
        fn with(mut self, change: impl Fn(&mut FileDiff)) -> Self {
            change(&mut self.file);
            self
        }

        fn told(self) -> String {
            let mut paths: BTreeMap<RepoPath, ()> = self.base.iter().map(|p| (RepoPath::from(*p), ())).collect();
            if self.file.old_id.is_some() {
                paths.insert(self.file.old_path.clone(), ());
            }
            let base: Vec<TreeEntry> = paths.into_keys().map(|path| TreeEntry { path, mode: FileMode::Regular, id: "0".repeat(40) }).collect();
            let config = config(self.yaml);
            let root = RepoPath::from(".gitattributes");
            let filter = NoiseFilter::new(&config, Attributes::new([(&root, self.attributes)]), &base);
            let (old, new) = (self.old.clone(), self.new.clone());
            let texts = move |_: &FileDiff, side: Side| if side == Side::Old { &old } else { &new }.as_ref().map(|t| FileText::whole(t.as_bytes()));
            filter.judge(&self.file, &texts).map_or("looked at".to_owned(), |n| format!("{:?}: {}", n.kind, n.reason))
        }
    }

    #[test]
    fn ordinary_files_are_looked_at() {
        let submodule = |f: &mut FileDiff| f.new_mode = Some(FileMode::Submodule);
        let symlink = |f: &mut FileDiff| (f.new_mode, f.binary) = (Some(FileMode::Symlink), true);
        for case in [
            case("src/main.rs"),
            case("src/main.rs").added(),
            case("libs/vendor").with(submodule),
            case("vendor/x").base(&["vendor/y"]).with(symlink),
        ] {
            assert_eq!(case.told(), "looked at");
        }
        let moved = case("vendor/a.rs").base(&["vendor/b.rs"]).with(|f| (f.hunks, f.status) = (Vec::new(), FileStatus::Renamed));
        assert_eq!(moved.told(), "looked at", "a pure rename");
    }

    #[test]
    fn lock_files_are_told_by_their_contents() {
        assert_eq!(case("web/yarn.lock").added().now("# yarn lockfile v1\n").told(), "Lock: lock file");
        assert_eq!(case("Cargo.lock").now("version = 4\n\n[[package]]\n").told(), "Lock: lock file");
        assert_eq!(case("auth/go.sum").now("a v1.0.0 h1:x=\n").told(), "Lock: lock file");
        assert_eq!(case("Cargo.lock").told(), "looked at", "any text can be called so");
    }

    #[test]
    fn a_name_alone_hides_nothing() {
        assert_eq!(case("evil/x.min.js").added().told(), "looked at");
        assert_eq!(case("evil/x.pb.go").added().base(&["gen/y.pb.go"]).told(), "looked at");
        assert_eq!(case("vendor/evil.go").added().told(), "looked at");
        assert_eq!(case("src/vendor/evil.go").added().base(&["vendor/a.go"]).told(), "looked at");
        assert_eq!(case("x.min.js").added().now(minified()).told(), "Minified: minified");
        assert_eq!(case("gen/x.pb.go").added().base(&["gen/y.pb.go"]).told(), "Generated: generated");
        assert_eq!(case("vendor/new/a.go").added().base(&["vendor/old/b.go"]).told(), "Vendored: vendored (below vendor/)");
        assert_eq!(case("web/dist/app.js").base(&["web/dist/x.js"]).told(), "Bundle: bundle (below web/dist/)");
        assert_eq!(case("a/app.js.map").told(), "SourceMap: source map", "it was there");
        let moved =
            case("vendor/core.go").base(&["vendor/b.go"]).with(|f| (f.status, f.old_path) = (FileStatus::Renamed, RepoPath::from("src/core.go")));
        assert_eq!(moved.told(), "looked at", "code that is moved to where noise lies");
    }

    #[test]
    fn migrations_policy_and_sensitive_paths_stay() {
        let base = ["vendor/a", "dist/a"];
        for path in ["vendor/migrations/1.sql", "vendor/auth/x.go", "dist/AGENTS.md", "vendor/.gitlab-ci.yml", "dist/Dockerfile"] {
            assert_eq!(case(path).base(&base).now(minified()).was(minified()).told(), "looked at", "{path}");
        }
        assert_eq!(case("vendor/ours/a.go").base(&base).yaml("noise: {keep: [vendor/ours/]}").told(), "looked at");
        let renamed = case("vendor/x.go").base(&base).with(|f| f.old_path = RepoPath::from("auth/x.go"));
        assert_eq!(renamed.told(), "looked at", "the old path counts");
    }

    #[test]
    fn configured_globs_obey_the_same() {
        let yaml = "noise: {paths: [\"api/client/**\", \"*.snap\"]}";
        assert_eq!(case("api/client/new/a.ts").added().base(&["api/client/b.ts"]).yaml(yaml).told(), "Generated: `noise.paths` has `api/client/**`");
        assert_eq!(case("api/client/a.ts").added().yaml(yaml).told(), "looked at");
        assert_eq!(case("evil/a.snap").added().base(&["tests/b.snap"]).yaml(yaml).told(), "looked at");
        assert_eq!(case("tests/a.snap").added().base(&["tests/b.snap"]).yaml(yaml).told(), "Generated: `noise.paths` has `*.snap`");
    }

    #[test]
    fn markers_and_attributes_count_from_the_base_only() {
        let marked = "// Code generated by protoc. DO NOT EDIT.\npackage x\n";
        assert_eq!(case("a.go").was(marked).now(marked).told(), "Generated: generated (its own marker)");
        assert_eq!(case("a.go").now(marked).told(), "looked at", "the change brings the marker");
        assert_eq!(case("a.go").added().now(marked).told(), "looked at");
        assert_eq!(case("a.go").was(marked).told(), "looked at", "the change takes it over by hand");
        assert_eq!(case("a.go").was("x := \"@generated\"\n").now("x := \"@generated\"\n").told(), "looked at", "no comment");
        assert_eq!(case("a.ts").attributes("*.ts linguist-generated").told(), "Generated: generated (.gitattributes)");
        assert_eq!(case("evil/a.ts").added().base(&["gen/b.ts"]).attributes("*.ts linguist-generated").told(), "looked at");
        assert_eq!(
            case("gen/n/a.ts").added().base(&["gen/b.ts"]).attributes("gen/** linguist-vendored").told(),
            "Vendored: vendored (.gitattributes)"
        );
    }

    #[test]
    fn a_big_base_is_looked_through_once() {
        let base: Vec<TreeEntry> = (0..200_000)
            .map(|i| TreeEntry { path: RepoPath::from(format!("d{:03}/f{i:06}.c", i / 200).as_str()), mode: FileMode::Regular, id: String::new() })
            .collect();
        let config = config("noise: {paths: [\"*/gen/**\"]}");
        let root = RepoPath::from(".gitattributes");
        let filter = NoiseFilter::new(&config, Attributes::new([(&root, "*.c -linguist-generated\n*.h linguist-generated\n")]), &base);
        let text = FileText::whole(CODE.as_bytes());
        let started = std::time::Instant::now();
        for i in 0..5_000 {
            for path in [format!("d{i}/gen/x.c"), format!("f{i}.h"), format!("d{i}/x.pb.go")] {
                assert_eq!(filter.judge(&with_lines(&path, &["+x"]), &|_, _| Some(text.clone())), None);
            }
        }
        assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        let binary = |f: &mut FileDiff| (f.binary, f.hunks) = (true, Vec::new());
        assert_eq!(case("logo.png").with(binary).told(), "Binary: binary");
        assert_eq!(case("src/x.py").with(binary).told(), "Binary: binary, although its name says source code: look at it yourself");
        assert_eq!(
            case("auth/x.bin").with(binary).yaml("noise: {keep: [auth/]}").told(),
            "Binary: binary, on a security-sensitive path: look at it yourself"
        );
        let mut large = case("data.csv");
        large.new = None;
        assert_eq!(large.told(), "Oversized: larger than 4 MiB");
        assert_eq!(case("app.js").was(minified()).now(minified()).told(), "Minified: minified, as it was");
        assert_eq!(case("app.js").now(minified()).told(), "looked at", "it was readable before");
    }
}
