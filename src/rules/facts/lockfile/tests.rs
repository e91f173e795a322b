use super::*;
use proptest::prelude::*;

fn summary(name: &str, old: &str, new: &str) -> String {
    lock_facts(&RepoPath::from(name), Some(old), Some(new)).expect("a known shape").summary()
}

const CARGO: &str = r#"version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = [
 "openssl",
]

[[package]]
name = "openssl"
version = "1.0.2"
source = "registry+https://index.example/x"
checksum = "1111111111111111111111111111111111111111111111111111111111111111"

[[package]]
name = "rand"
version = "0.8.5"
source = "registry+https://index.example/x"
checksum = "2222222222222222222222222222222222222222222222222222222222222222"
"#;

#[test]
fn reads_cargo() {
    let major = CARGO.replace("1.0.2", "3.0.0").replace("0.8.5", "0.9.0").replace("0.1.0", "0.2.0");
    assert_eq!(summary("Cargo.lock", CARGO, &major), "2 packages changed, 2 majors: openssl 1 -> 3, rand 0.8 -> 0.9");
    assert_eq!(summary("a/Cargo.lock", CARGO, &CARGO.replace("1.0.2", "1.0.9")), "1 package changed");
    assert_eq!(summary("Cargo.lock", CARGO, &CARGO.replacen("checksum = \"22", "x = \"22", 1)), "1 integrity hash lost");
    assert_eq!(summary("Cargo.lock", CARGO, &CARGO.replace("222", "223")), "hash of rand changed at the same version");
    let git = CARGO.replacen("registry+https://index.example/x", "git+https://user:secret@git.example/o/r?branch=x#abc", 1);
    assert_eq!(summary("Cargo.lock", CARGO, &git), "1 new source: openssl from git git.example/o/r");
    let path = CARGO.replacen("source = \"registry+https://index.example/x\"\n", "", 1);
    assert_eq!(summary("Cargo.lock", CARGO, &path), "1 package removed, 1 new source: openssl from path");
}

#[test]
fn tells_a_new_and_a_removed_file() {
    let path = RepoPath::from("Cargo.lock");
    let line = |old, new| lock_facts(&path, old, new).map(|f| f.summary());
    assert_eq!(line(None, Some(CARGO)).as_deref(), Some("new lock file with 2 packages"));
    assert_eq!(line(Some(CARGO), None).as_deref(), Some("lock file removed with 2 packages"));
    assert_eq!(line(Some("version = 4\n"), Some(CARGO)).as_deref(), Some("2 packages added"));
    assert_eq!(line(Some(CARGO), Some(CARGO)).as_deref(), Some("no package changed"));
    assert_eq!(line(None, None), None);
    assert_eq!(line(Some(CARGO), Some("<html>no lock file</html>")), None);
}

const NPM: &str = r#"{"name": "app", "lockfileVersion": 3, "packages": {
  "": {"name": "app", "version": "1.0.0"},
  "packages/web": {"name": "web", "version": "1.0.0"},
  "node_modules/web": {"resolved": "packages/web", "link": true},
  "node_modules/left-pad": {"version": "1.3.0", "resolved": "https://npm.example/left-pad/-/left-pad-1.3.0.tgz", "integrity": "sha512-aaaa"},
  "node_modules/a/node_modules/@s/b": {"version": "2.0.0", "resolved": "https://npm.example/@s/b/-/b-2.0.0.tgz", "integrity": "sha512-bbbb"}
}}"#;

#[test]
fn reads_npm() {
    let bumped = NPM.replace("\"2.0.0\"", "\"3.1.0\"").replace("sha512-bbbb", "sha512-cccc");
    assert_eq!(summary("package-lock.json", NPM, &bumped), "1 package changed, 1 major: @s/b 2 -> 3");
    let moved = NPM.replace("https://npm.example/left-pad", "https://npm.evil.example:8443/left-pad");
    assert_eq!(summary("package-lock.json", NPM, &moved), "source host of left-pad changed");
    assert_eq!(summary("package-lock.json", NPM, &NPM.replace(", \"integrity\": \"sha512-bbbb\"", "")), "1 integrity hash lost");
    assert_eq!(summary("package-lock.json", NPM, &NPM.replace("sha512-aaaa", "sha512-zzzz")), "hash of left-pad changed at the same version");
    assert_eq!(summary("package-lock.json", NPM, &NPM.replace("sha512-aaaa", "sha1-zzzz")), "no package changed");
    let added = NPM.replacen(
        "\"node_modules/left-pad\"",
        r#""node_modules/x": {"version": "1.0.0", "resolved": "git+ssh://git@git.example/o/x.git#abc"},
        "node_modules/y": {"version": "1.0.0", "resolved": "https://files.example/y.tgz", "integrity": "sha512-y"}, "node_modules/left-pad""#,
        1,
    );
    assert_eq!(
        summary("npm-shrinkwrap.json", NPM, &added),
        "2 packages added, 2 new sources: x from git git.example/o/x.git, y from host files.example"
    );
    let v1 = r#"{"lockfileVersion": 1, "dependencies": {}}"#;
    assert_eq!(lock_facts(&RepoPath::from("package-lock.json"), Some(v1), Some(NPM)), None);
}

#[test]
fn reads_pnpm_of_each_version() {
    let lock = |key: &str, hash: &str| {
        format!(
            "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      foo:\n        specifier: ^1\n\npackages:\n\n  {key}:\n    resolution: {{integrity: {hash}}}\n    engines: {{node: '>=10'}}\n\nsnapshots:\n\n  z@9.9.9: {{}}\n"
        )
    };
    for (old, new, want) in [
        ("foo@1.2.3", "foo@2.0.0", "1 package changed, 1 major: foo 1 -> 2"),
        ("'@s/my_foo@1.2.3'", "'@s/my_foo@1.3.0'", "1 package changed"),
        ("/foo@1.2.3(react@18.0.0)", "/foo@2.0.0(react@18.0.0)", "1 package changed, 1 major: foo 1 -> 2"),
        ("/@s/foo/1.2.3_@babel+core@7.1.0", "/@s/foo/2.0.0_@babel+core@7.1.0", "1 package changed, 1 major: @s/foo 1 -> 2"),
        ("foo@1.2.3", "foo@https://git.example/o/foo/tar.gz/abc", "1 package changed, 1 new source: foo from url git.example/o/foo/tar.gz/abc"),
    ] {
        assert_eq!(summary("pnpm-lock.yaml", &lock(old, "sha512-a"), &lock(new, "sha512-b")), want, "{old}");
    }
    let lost = lock("foo@1.2.3", "sha512-a").replace("{integrity: sha512-a}", "{tarball: https://files.example/foo.tgz}");
    assert_eq!(summary("pnpm-lock.yaml", &lock("foo@1.2.3", "sha512-a"), &lost), "1 integrity hash lost");
}

const YARN: &str = r#"# yarn lockfile v1


"@s/a@^1.0.0", "@s/a@^1.1.0":
  version "1.1.0"
  resolved "https://yarn.example/@s/a/-/a-1.1.0.tgz#0123456789012345678901234567890123456789"
  integrity sha512-aaaa
  dependencies:
    b "^2.0.0"

b@^2.0.0:
  version "2.0.0"
  resolved "https://yarn.example/b/-/b-2.0.0.tgz#1123456789012345678901234567890123456789"
"#;

const BERRY: &str = r#"# This file is generated

__metadata:
  version: 8
  cacheKey: 10c0

"@s/a@npm:^1.0.0, @s/a@npm:^1.1.0":
  version: 1.1.0
  resolution: "@s/a@npm:1.1.0"
  checksum: 10c0/aaaa
  languageName: node

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."
"#;

#[test]
fn reads_yarn() {
    assert_eq!(summary("yarn.lock", YARN, &YARN.replace("\"2.0.0\"", "\"3.0.0\"")), "1 package changed, 1 major: b 2 -> 3");
    assert_eq!(summary("yarn.lock", YARN, &YARN.replace("  integrity sha512-aaaa\n", "")), "no package changed");
    let bare = YARN.replace("#1123456789012345678901234567890123456789", "");
    assert_eq!(summary("yarn.lock", YARN, &bare), "1 integrity hash lost");
    assert_eq!(summary("yarn.lock", YARN, &YARN.replace("yarn.example/b", "other.example/b")), "source host of b changed");
    assert_eq!(summary("yarn.lock", BERRY, &BERRY.replace("1.1.0", "2.0.0")), "1 package changed, 1 major: @s/a 1 -> 2");
    assert_eq!(summary("yarn.lock", BERRY, &BERRY.replace("10c0/aaaa", "10c0/bbbb")), "hash of @s/a changed at the same version");
    assert_eq!(summary("yarn.lock", BERRY, &BERRY.replace("10c0/aaaa", "11/bbbb")), "no package changed");
    let git = BERRY.replace("@s/a@npm:1.1.0", "@s/a@https://git.example/o/a.git#commit=abc");
    assert_eq!(summary("yarn.lock", BERRY, &git), "1 new source: @s/a from git git.example/o/a.git");
}

const POETRY: &str = r#"[[package]]
name = "django"
version = "4.2.1"
description = "A framework"
files = [
    {file = "django-4.2.1-py3-none-any.whl", hash = "sha256:aaaa"},
    {file = "django-4.2.1.tar.gz", hash = "sha256:bbbb"},
]

[package.dependencies]
sqlparse = ">=0.3.1"

[[package]]
name = "tool"
version = "1.0.0"

[package.source]
type = "git"
url = "https://git.example/o/tool.git"
reference = "main"

[metadata]
lock-version = "2.0"
"#;

const UV: &str = r#"version = 1
requires-python = ">=3.12"

[[package]]
name = "app"
version = "0.1.0"
source = { editable = "." }
dependencies = [
    { name = "idna" },
]

[[package]]
name = "idna"
version = "3.6"
source = { registry = "https://python.example/simple" }
sdist = { url = "https://files.example/idna-3.6.tar.gz", hash = "sha256:aaaa", size = 1 }
wheels = [
    { url = "https://files.example/idna-3.6-py3-none-any.whl", hash = "sha256:bbbb", size = 1 },
]
"#;

#[test]
fn reads_poetry_and_uv() {
    assert_eq!(summary("poetry.lock", POETRY, &POETRY.replace("\"4.2.1\"", "\"5.0\"")), "1 package changed, 1 major: django 4 -> 5");
    assert_eq!(summary("poetry.lock", POETRY, &POETRY.replace("sha256:bbbb", "sha256:cccc")), "hash of django changed at the same version");
    let more = POETRY.replace("hash = \"sha256:bbbb\"}", "hash = \"sha256:bbbb\"}, {file = \"x\", hash = \"sha256:cccc\"}");
    assert_eq!(summary("poetry.lock", POETRY, &more), "no package changed");
    assert_eq!(summary("poetry.lock", POETRY, &POETRY.replace("git.example", "evil.example")), "1 new source: tool from git evil.example/o/tool.git");
    let old_style = "[[package]]\nname = \"a\"\nversion = \"1.0\"\n\n[metadata]\nlock-version = \"1.1\"\n\n[metadata.files]\na = [\n    {file = \"a.whl\", hash = \"sha256:aa\"},\n]\n";
    assert_eq!(summary("poetry.lock", old_style, &old_style.replace("sha256:aa", "sha256:bb")), "hash of a changed at the same version");

    assert_eq!(
        summary("uv.lock", UV, &UV.replace("\"3.6\"", "\"4.0\"").replace("\"0.1.0\"", "\"0.2.0\"")),
        "1 package changed, 1 major: idna 3 -> 4"
    );
    let wheel = UV.replace("https://files.example/idna-3.6-py3", "https://evil.example/idna-3.6-py3");
    assert_eq!(summary("uv.lock", UV, &wheel), "source host of idna changed");
    let bare = UV.replace(", hash = \"sha256:aaaa\"", "").replace(", hash = \"sha256:bbbb\"", "");
    assert_eq!(summary("uv.lock", UV, &bare), "1 integrity hash lost");
}

#[test]
fn reads_pipfile_composer_go_and_gems() {
    let pip = r#"{"_meta": {"hash": {"sha256": "x"}}, "default": {"django": {"hashes": ["sha256:aa"], "version": "==4.2"}}, "develop": {}}"#;
    assert_eq!(summary("Pipfile.lock", pip, &pip.replace("4.2", "5.0")), "1 package changed, 1 major: django 4 -> 5");
    assert_eq!(summary("Pipfile.lock", pip, &pip.replace("[\"sha256:aa\"]", "[]")), "1 integrity hash lost");

    let composer = r#"{"packages": [{"name": "v/p", "version": "v1.2.0", "source": {"type": "git", "url": "https://git.example/v/p.git", "reference": "abc"},
        "dist": {"type": "zip", "url": "https://api.example/v/p/zip", "reference": "abc", "shasum": ""}}], "packages-dev": null}"#;
    assert_eq!(summary("composer.lock", composer, &composer.replace("v1.2.0", "v2.0.0")), "1 package changed, 1 major: v/p 1 -> 2");
    assert_eq!(summary("composer.lock", composer, &composer.replace("api.example", "evil.example")), "source host of v/p changed");

    let go = "ex.org/m v1.0.0 h1:aa=\nex.org/m v1.0.0/go.mod h1:bb=\nex.org/n v0.1.0/go.mod h1:cc=\n";
    let go2 = "ex.org/m/v2 v2.1.0 h1:dd=\nex.org/m/v2 v2.1.0/go.mod h1:ee=\nex.org/n v0.1.0/go.mod h1:cc=\n";
    assert_eq!(summary("go.sum", go, go2), "1 package changed, 1 major: ex.org/m 1 -> 2");
    assert_eq!(summary("go.sum", go, &go.replace("h1:aa=", "h1:zz=")), "hash of ex.org/m changed at the same version");

    let gems = "GEM\n  remote: https://gems.example/\n  specs:\n    rack (2.2.8)\n    rails (7.0.1)\n      rack (>= 2.2)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rails\n\nCHECKSUMS\n  rack (2.2.8) sha256=aa\n  rails (7.0.1) sha256=bb\n";
    assert_eq!(summary("Gemfile.lock", gems, &gems.replace("rack (2.2.8)", "rack (3.0.0)")), "1 package changed, 1 major: rack 2 -> 3");
    assert_eq!(summary("Gemfile.lock", gems, &gems.replace("rails (7.0.1) sha256=bb", "rails (7.0.1)")), "1 integrity hash lost");
    let git = gems.replace("GEM\n", "GIT\n  remote: https://git.example/rails.git\n  revision: abc\n  specs:\n    rails (7.0.1)\n\nGEM\n").replacen(
        "    rails (7.0.1)\n      rack",
        "      rack",
        1,
    );
    assert!(summary("gems.locked", gems, &git).contains("1 new source: rails from git git.example/rails.git"));
}

#[test]
fn names_few_and_counts_the_rest() {
    let lock = |version: &str| {
        (0..40)
            .map(|i| format!("[[package]]\nname = \"p{i:02}\"\nversion = \"{version}\"\nsource = \"registry+https://index.example/\"\n"))
            .collect::<String>()
    };
    assert_eq!(
        summary("Cargo.lock", &lock("1.0.0"), &lock("2.0.0")),
        "40 packages changed, 40 majors: p00 1 -> 2, p01 1 -> 2, p02 1 -> 2 and 37 more"
    );
}

#[test]
fn keeps_a_strangers_name_on_one_line() {
    let evil = "[[package]]\nname = \"a\u{202e}b\u{1b}[31m\"\nversion = \"2.0\"\nsource = \"git+https://h/\u{7}x\"\n";
    assert_eq!(summary("Cargo.lock", "version = 4", evil), "1 package added, 1 new source: ab[31m from git h/x");
    let long = format!("[[package]]\nname = \"{}\"\nversion = \"2.0\"\nsource = \"git+https://h/x\"\n", "n".repeat(5000));
    assert!(summary("Cargo.lock", "version = 4", &long).chars().count() < 100);
}

#[test]
fn pairs_versions_by_their_numbers() {
    let lock = |versions: &[&str]| {
        versions
            .iter()
            .map(|v| format!("[[package]]\nname = \"a\"\nversion = \"{v}\"\nsource = \"registry+https://index.example/\"\n"))
            .collect::<String>()
    };
    let facts =
        lock_facts(&RepoPath::from("Cargo.lock"), Some(&lock(&["2.0.0", "10.0.0", "3.0.0"])), Some(&lock(&["10.0.1", "2.0.1", "3.0.0", "11.0.0"])));
    let facts = facts.expect("a known shape");
    let pairs: Vec<_> = facts.changed.iter().map(|c| (c.old.as_str(), c.new.as_str())).collect();
    assert_eq!(pairs, [("2.0.0", "2.0.1"), ("10.0.0", "10.0.1")]);
    assert_eq!(facts.added, [Package { name: "a".into(), version: "11.0.0".into() }]);
}

#[test]
fn knows_lock_files_by_name() {
    for name in ["Cargo.lock", "x/yarn.lock", "go.sum", "gems.locked"] {
        assert!(is_lock_file(&RepoPath::from(name)), "{name}");
    }
    for name in ["Cargo.toml", "cargo.lock.rs", "go.mod", "requirements.txt", "yarn.lock/x"] {
        assert!(!is_lock_file(&RepoPath::from(name)), "{name}");
    }
}

#[test]
fn refuses_what_is_too_large() {
    let big = format!("version = 4\n{}", "#".repeat(MAX_BYTES));
    assert_eq!(lock_facts(&RepoPath::from("Cargo.lock"), Some(CARGO), Some(&big)), None);
    let many = "[[package]]\nname = \"a\"\nversion = \"1\"\n".repeat(MAX_ENTRIES + 1);
    assert_eq!(lock_facts(&RepoPath::from("Cargo.lock"), Some(CARGO), Some(&many)), None);
}

/// Lines that the formats give meaning to, cut and mixed.
fn soup() -> impl Strategy<Value = String> {
    let real = prop::sample::select(vec![
        CARGO,
        NPM,
        YARN,
        BERRY,
        POETRY,
        UV,
        "packages:\n\n  /a@1:\n    resolution: {integrity: x}\n",
        "GEM\n  remote: é://@/\n  specs:\n    a (1)\n",
    ]);
    let piece = prop_oneof![
        real.prop_flat_map(|t| {
            let lines: Vec<&'static str> = t.split_inclusive('\n').collect();
            prop::collection::vec(prop::sample::select(lines), 0..12).prop_map(|l| l.concat())
        }),
        prop::sample::select(vec!["@", "/", "\"", "'", " = ", "[[package]]\n", "  ", ": ", "://", "#", "(", ")", "\n", "é", "\u{202e}", "v1", "0."])
            .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|p| p.concat())
}

proptest! {
    #[test]
    fn no_text_breaks_it(old in soup(), new in soup(), which in 0..FORMATS.len()) {
        let path = RepoPath::from(FORMATS[which].names[0]);
        if let Some(facts) = lock_facts(&path, Some(&old), Some(&new)) {
            let line = facts.summary();
            prop_assert!(line.chars().count() <= 600);
            prop_assert!(!line.chars().any(|c| c.is_control() || crate::path::is_invisible(c)), "{line:?}");
        }
        if let Some(facts) = lock_facts(&path, Some(&new), Some(&new)) {
            prop_assert_eq!(facts.summary(), "no package changed");
        }
    }
}
