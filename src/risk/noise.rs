//! Which changed files nobody needs to review: lock files, minified and bundled assets, source maps,
//! vendored and generated code, binaries.
//!
//! The author of a change chooses names and markers. So a path pattern filters only what is measurably
//! minified or lies where the base already had such files; a marker counts only when it stands in the base;
//! attributes only from the policy commit; and no pattern filters a policy file, a migration or a
//! security-sensitive path. It never decides what becomes of a filtered file: rules and secrets still run over it.

use super::attributes::{Attributes, Mark, fixed_folder};
use super::kinds::{is_lock, is_migration, is_policy, paths};
use super::minified::is_minified;
use crate::config::{Case, Config, PathSet};
use crate::diff::{FileDiff, FileMode, FileStatus, Side};
use crate::git::TreeEntry;
use crate::path::RepoPath;
use crate::text::FileText;
use std::cell::OnceCell;
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

/// Where a pattern's files may lie to be filtered unmeasured.
enum Place<'a> {
    /// Anywhere below this folder, if the base had files there (`/` at the end; empty: the root).
    Below(&'a str),
    /// In the file's own folder, if the base had files there that fit too.
    Beside,
}

struct Pattern {
    globs: PathSet,
    kind: NoiseKind,
    words: &'static str,
}

/// Files that are noise by their names, if they are where such files were.
static NAMED: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let pattern = |kind, words, globs: &[&str]| Pattern { globs: PathSet::new(globs, Case::Sensitive).expect("a test compiles all tables"), kind, words };
    vec![
        pattern(NoiseKind::SourceMap, "source map", &["*.js.map", "*.mjs.map", "*.cjs.map", "*.css.map"]),
        pattern(NoiseKind::Minified, "minified", &["*.min.js", "*.min.mjs", "*.min.css", "*-min.js", "*-min.css"]),
        pattern(NoiseKind::Bundle, "bundle", &["*.bundle.js", "*.chunk.js", "*.chunk.css"]),
        pattern(
            NoiseKind::Generated,
            "generated",
            &[
                "*.pb.go", "*.pb.gw.go", "*_pb2.py", "*_pb2_grpc.py", "*_pb2.pyi", "*.pb.cc", "*.pb.h", "*_pb.js", "*_pb.ts", "*_pb.d.ts", "*.g.dart", "*.freezed.dart", "*.designer.cs", "*.g.cs",
                "*.generated.*", "*_generated.*", "*.gen.*", "zz_generated*.go",
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
    base: &'a [TreeEntry],
}

/// Reads one side of a file; `None` where it does not exist, is binary or too large.
type Texts<'a> = &'a dyn Fn(&FileDiff, Side) -> Option<FileText>;

impl<'a> NoiseFilter<'a> {
    /// A filter. `attributes` are the policy commit's; `base` is the old side's tree, sorted by path (empty
    /// where it is unknown: then fewer files are filtered).
    pub fn new(config: &'a Config, attributes: Attributes, base: &'a [TreeEntry]) -> Self {
        Self { config, attributes, base }
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
        let texts = Pair { file, texts, old: OnceCell::new(), new: OnceCell::new() };
        // A lock file is told by its contents, so it may lie where it likes: package managers obey nothing else in it.
        if paths(file).all(is_lock) && texts.latest().is_some_and(|text| looks_like_lock(&file.new_path, text)) {
            return noise(NoiseKind::Lock, "lock file");
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
                && (self.base_has(&Place::Below(&below), path, &|_| true) || texts.is_minified())
            {
                return noise(*kind, &format!("{words} (below {})", RepoPath::from(below.as_str()).display()));
            }
        }
        if let Some(pattern) = NAMED.iter().find(|p| p.globs.is_match(path))
            && (self.base_has(&Place::Beside, path, &|p| pattern.globs.is_match(p)) || texts.is_minified())
        {
            return noise(pattern.kind, pattern.words);
        }
        let globs = &self.config.noise.paths;
        let glob = globs.matching(path)?;
        let bare = glob.strip_prefix('/').unwrap_or(glob);
        let by_name = glob.starts_with("**/") || (!glob.starts_with('/') && !glob.trim_end_matches('/').contains('/'));
        let place = if by_name { Place::Beside } else { Place::Below(fixed_folder(bare)) };
        (self.base_has(&place, path, &|p| globs.is_match(p)) || texts.is_minified()).then(|| Noise {
            kind: NoiseKind::Generated,
            reason: format!("`noise.paths` has `{}`", RepoPath::from(glob).display()),
        })
    }

    fn by_attribute(&self, path: &RepoPath, texts: &Pair<'_>) -> Option<Noise> {
        let (mark, folder) = self.attributes.mark(path)?;
        let place = folder.map_or(Place::Beside, Place::Below);
        let same = |p: &RepoPath| self.attributes.mark(p).is_some_and(|(other, _)| other == mark);
        if !self.base_has(&place, path, &same) && !texts.is_minified() {
            return None;
        }
        match mark {
            Mark::Generated => noise(NoiseKind::Generated, "generated (.gitattributes)"),
            Mark::Vendored => noise(NoiseKind::Vendored, "vendored (.gitattributes)"),
            Mark::NotDiffed => noise(NoiseKind::Generated, "not for reading (-diff in .gitattributes)"),
        }
    }

    /// Whether the base had a file at that place that fits: files that were there before the author came.
    fn base_has(&self, place: &Place<'_>, path: &RepoPath, fits: &dyn Fn(&RepoPath) -> bool) -> bool {
        let folder = match place {
            Place::Below(folder) => folder.as_bytes(),
            Place::Beside => &path.as_bytes()[..path.as_bytes().iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1)],
        };
        let beside = matches!(place, Place::Beside);
        let from = self.base.partition_point(|entry| entry.path.as_bytes() < folder);
        self.base[from..]
            .iter()
            .take_while(|entry| entry.path.as_bytes().starts_with(folder))
            .filter(|entry| !beside || !entry.path.as_bytes()[folder.len()..].contains(&b'/'))
            .any(|entry| fits(&entry.path))
    }
}

/// Both sides of a file, read when first asked for.
struct Pair<'a> {
    file: &'a FileDiff,
    texts: Texts<'a>,
    old: OnceCell<Option<FileText>>,
    new: OnceCell<Option<FileText>>,
}

impl Pair<'_> {
    fn old(&self) -> Option<&FileText> {
        self.old.get_or_init(|| (self.texts)(self.file, Side::Old)).as_ref()
    }

    fn new(&self) -> Option<&FileText> {
        self.new.get_or_init(|| (self.texts)(self.file, Side::New)).as_ref()
    }

    /// The new side; the old one of a deleted file.
    fn latest(&self) -> Option<&FileText> {
        self.new().or_else(|| self.old())
    }

    fn is_minified(&self) -> bool {
        self.latest().is_some_and(is_minified)
    }

    /// A file of some size that was minified and is.
    fn stays_minified(&self) -> Option<Noise> {
        let was_and_is = |text: &FileText| text.as_str().len() > 5_000 && is_minified(text);
        if self.old().is_some_and(was_and_is) && self.new().is_some_and(was_and_is) { noise(NoiseKind::Minified, "minified, as it was") } else { None }
    }

    /// A generator's marker counts when it stood in the base, in a comment near the top, and still stands.
    fn by_marker(&self) -> Option<Noise> {
        if matches!(self.file.status, FileStatus::Added | FileStatus::Copied) || self.file.old_path != self.file.new_path {
            return None;
        }
        let marked = |text: &FileText| text.lines().take(40).any(|(_, line)| is_marker(line));
        let stands = self.old().is_some_and(marked) && self.new().is_none_or(marked);
        if stands { noise(NoiseKind::Generated, "generated (its own marker)") } else { None }
    }

    /// It is there, and no text: larger than what is read.
    fn oversized(&self) -> Option<Noise> {
        let deleted = self.file.status == FileStatus::Deleted;
        let there = if deleted { self.file.old_id.is_some() } else { self.file.new_id.is_some() };
        let read = if deleted { self.old().is_some() } else { self.new().is_some() };
        (there && !read).then(|| Noise { kind: NoiseKind::Oversized, reason: format!("larger than {} MiB", crate::change::MAX_TEXT_BYTES >> 20) })
    }
}

fn noise(kind: NoiseKind, reason: &str) -> Option<Noise> {
    Some(Noise { kind, reason: reason.to_owned() })
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
        _ => any(&["[[package]]", "lockfileVersion", "lockFileVersion", "yarn lockfile", "__metadata:", "\"_meta\"", "content-hash", "\"dependencies\"", "\"nodes\"", "\"pins\"", "\"specifiers\"", "\"remote\""]),
    }
}

fn is_marker(line: &str) -> bool {
    let line = line.trim_start();
    let comment = ["//", "#", "/*", "*", "--", "<!--", ";", "%", "\"\"\"", "'''"].iter().any(|start| line.starts_with(start));
    comment && line.len() < 1_000 && (line.contains("@generated") || (line.to_ascii_lowercase().contains("generated") && line.contains("DO NOT EDIT")))
}

/// Whether git should have shown lines of it: a NUL byte makes any file binary to git, and few compilers mind.
fn is_named_as_text(path: &RepoPath) -> bool {
    const TEXT: &[&str] = &[
        "rs", "py", "js", "mjs", "cjs", "jsx", "ts", "tsx", "go", "java", "kt", "c", "h", "cc", "cpp", "hpp", "cs", "rb", "php", "sh", "bash", "ps1", "sql", "html", "css", "yml", "yaml", "toml", "json", "xml",
        "md", "txt", "tf", "swift", "scala", "lua", "pl", "vue", "svelte",
    ];
    TEXT.contains(&path.extension().as_str())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{config, with_lines};
    use super::*;
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
        for case in [case("src/main.rs"), case("src/main.rs").added(), case("libs/vendor").with(submodule), case("vendor/x").base(&["vendor/y"]).with(symlink)] {
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
        let moved = case("vendor/core.go").base(&["vendor/b.go"]).with(|f| (f.status, f.old_path) = (FileStatus::Renamed, RepoPath::from("src/core.go")));
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
        assert_eq!(case("gen/n/a.ts").added().base(&["gen/b.ts"]).attributes("gen/** linguist-vendored").told(), "Vendored: vendored (.gitattributes)");
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        let binary = |f: &mut FileDiff| (f.binary, f.hunks) = (true, Vec::new());
        assert_eq!(case("logo.png").with(binary).told(), "Binary: binary");
        assert_eq!(case("src/x.py").with(binary).told(), "Binary: binary, although its name says source code: look at it yourself");
        assert_eq!(case("auth/x.bin").with(binary).yaml("noise: {keep: [auth/]}").told(), "Binary: binary, on a security-sensitive path: look at it yourself");
        let mut large = case("data.csv");
        large.new = None;
        assert_eq!(large.told(), "Oversized: larger than 4 MiB");
        assert_eq!(case("app.js").was(minified()).now(minified()).told(), "Minified: minified, as it was");
        assert_eq!(case("app.js").now(minified()).told(), "looked at", "it was readable before");
    }
}
