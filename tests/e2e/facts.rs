//! Facts across files: what the change took away, and what the rest of the tree still says of it.

use crate::git_repo::Repo;
use crate::harness::{JSON, run};
use serde_json::Value;

type Files<'a> = &'a [(&'a str, &'a str)];

/// What is found in a change from `before` to `after`; a file with empty text is not there.
fn facts(before: Files<'_>, after: Files<'_>) -> Vec<String> {
    let repo = Repo::new();
    let put = |files: Files<'_>| {
        for (path, text) in files {
            match text.is_empty() {
                true => std::fs::remove_file(repo.path(path)).expect("it was there"),
                false => repo.write(path, text),
            }
        }
    };
    put(before);
    repo.commit("before");
    repo.git(&["checkout", "-q", "-b", "work"]);
    put(after);
    let report = run(&repo, &[&JSON[..], &["--only", "rules"]].concat()).report();
    // A rule on trial is counted among what is dropped.
    let dropped = report["dropped"].as_array().expect("a list").iter().filter(|d| d["reason"].as_str().is_some_and(|r| r.starts_with("FACT-")));
    let trial: Vec<String> = dropped.map(|d| format!("trial {}", d["title"].as_str().unwrap_or_default())).collect();
    let findings =
        report["findings"].as_array().expect("findings").iter().filter(|f| f["rule_id"].as_str().is_some_and(|id| id.starts_with("FACT-")));
    let text = |f: &Value, key: &str| f[key].as_str().unwrap_or_default().to_owned();
    findings
        .map(|f| {
            let body = text(f, "body");
            let places = body.lines().next().and_then(|l| l.strip_prefix("It still stands in ")).map(|p| format!(" <- {p}")).unwrap_or_default();
            format!("{} {} {}:{} {}{places}", text(f, "rule_id"), text(f, "side"), text(f, "path"), f["start_line"], text(f, "title"))
        })
        .chain(trial)
        .collect()
}

const UTIL: &str = "def fetch_page(url):\n    return url\n\n\ndef load_total(prices):\n    return sum(prices)\n";
const ONLY_TOTAL: &str = "def load_total(prices):\n    return sum(prices)\n";
const NIGHTLY: &str = "from util import fetch_page\n\nfetch_page('x')\n";

#[test]
fn a_function_that_goes_while_code_still_uses_it() {
    let gone = "FACT-CALL-001 old util.py:1 The function `fetch_page` is removed, but code still uses it";
    let uses = " <- jobs/nightly.py:1, jobs/nightly.py:3.";
    assert_eq!(facts(&[("util.py", UTIL), ("jobs/nightly.py", NIGHTLY)], &[("util.py", ONLY_TOTAL)]), [format!("{gone}{uses}")]);

    let renamed = UTIL.replace("fetch_page", "read_page");
    let told = facts(&[("util.py", UTIL), ("jobs/nightly.py", NIGHTLY)], &[("util.py", &renamed)]);
    assert_eq!(told, [format!("FACT-CALL-001 old util.py:1 `fetch_page` is called `read_page` now, but code still uses the old name{uses}")]);

    let js = "export function readPage(url) { return url; }\nexport const kept = 1;\n";
    let told = facts(
        &[("src/util.js", js), ("src/a.js", "import {\n  readPage,\n} from './util.js';\nreadPage(1);\n")],
        &[("src/util.js", "export const kept = 1;\n")],
    );
    assert_eq!(told, ["FACT-CALL-001 old src/util.js:1 The function `readPage` is removed, but code still uses it <- src/a.js:4."]);
}

#[test]
fn what_is_declared_again_moved_or_of_another_module_is_left_alone() {
    let base: Files<'_> = &[("util.py", UTIL), ("jobs/nightly.py", NIGHTLY)];
    let table: &[(Files<'_>, Files<'_>)] = &[
        // The users go along.
        (base, &[("util.py", ONLY_TOTAL), ("jobs/nightly.py", "print(1)\n")]),
        // It moved and is exported from where it was.
        (base, &[("util.py", "from pages import fetch_page\n"), ("pages.py", UTIL)]),
        // An alias is left.
        (base, &[("util.py", "def read_page(url):\n    return url\n\n\nfetch_page = read_page\n")]),
        // Another module's function, and other things, of that name.
        (&[("util.py", UTIL), ("b.py", "from other import fetch_page\nfetch_page(1)\n")], &[("util.py", ONLY_TOTAL)]),
        (&[("util.py", UTIL), ("b.py", "import util\nclient.fetch_page(1)\nx = {'fetch_page': 1}\n")], &[("util.py", ONLY_TOTAL)]),
        // A private one.
        (&[("util.py", "def _fetch_page(u):\n    return u\n\n\nx = 1\n"), ("b.py", "from util import _fetch_page\n")], &[("util.py", "x = 1\n")]),
    ];
    for (before, after) in table {
        assert_eq!(facts(before, after), [""; 0], "{before:?} {after:?}");
    }
}

#[test]
fn documents_that_name_what_is_gone() {
    let readme = "# Program\n\nSee `docs/setup.md`. Call `read_all_pages()`.\n";
    let before: Files<'_> =
        &[("README.md", readme), ("docs/setup.md", "Set it up.\n"), ("pages.py", "def read_all_pages():\n    return 1\n\n\nx = 1\n")];
    assert_eq!(
        facts(before, &[("docs/setup.md", ""), ("pages.py", "x = 1\n")]),
        [
            "FACT-DOC-002 old docs/setup.md:1 `docs/setup.md` is deleted, but other files still name it <- README.md:3.",
            "FACT-DOC-001 old pages.py:1 `read_all_pages` is gone; a document or comment still names it <- README.md:3.",
        ]
    );
    // History may name what is gone; a longer path and one beside the document are others.
    let before: Files<'_> = &[
        ("CHANGELOG.md", readme),
        ("docs/upgrading.md", readme),
        ("a.md", "`read_all_pages` was removed. See other/docs/setup.md and docs/setup.md.bak\n"),
        ("pkg/b.md", "See docs/setup.md\n"),
        ("locale/de.po", "#: docs/setup.md:3\n"),
        ("pkg/docs/setup.md", "Set it up.\n"),
        ("docs/setup.md", "Set it up.\n"),
        ("pages.py", "def read_all_pages():\n    return 1\n\n\nx = 1\n"),
    ];
    assert_eq!(facts(before, &[("docs/setup.md", ""), ("pages.py", "x = 1\n")]), [""; 0]);
}

#[test]
fn variables_that_nobody_is_told_of() {
    let reads = "import os\nlimit = os.environ['UPSTREAM_LIMIT']\nhome = os.environ['HOME']\n";
    let told = "FACT-ENV-001 new app.py:2 `UPSTREAM_LIMIT` is read here and documented nowhere";
    let base: Files<'_> = &[("app.py", "import os\n")];
    assert_eq!(facts(base, &[("app.py", reads)]), [told]);
    assert_eq!(facts(base, &[("app.js", "const a = process.env.UPSTREAM_LIMIT;\n")]), [told.replace("app.py:2", "app.js:1")]);
    for documented in ["README.md", ".env.example", "deploy/values.yaml", "Dockerfile"] {
        assert_eq!(facts(base, &[("app.py", reads), (documented, "UPSTREAM_LIMIT: 10\n")]), [""; 0], "{documented}");
    }
    assert_eq!(facts(&[("app.py", "import os\n"), ("b.py", reads)], &[("app.py", reads)]), [""; 0], "it was read before");
    assert_eq!(facts(base, &[("tests/test_app.py", reads)]), [""; 0]);
}

#[test]
fn major_versions_and_tests_that_go() {
    let manifest = "[dependencies]\nserde = \"1.0.1\"\nreqwest = { version = \"0.11\", features = [] }\n";
    let raised = manifest.replace("1.0.1", "1.0.9").replace("0.11", "0.12");
    assert_eq!(
        facts(&[("Cargo.toml", manifest)], &[("Cargo.toml", &raised)]),
        ["FACT-DEP-001 new Cargo.toml:3 New major version: `reqwest` 0.11 to 0.12"]
    );
    assert_eq!(facts(&[("Cargo.toml", &raised)], &[("Cargo.toml", manifest)]), [""; 0], "down again");

    let tests = "from util import load_total\n\n\ndef test_total():\n    assert load_total([1]) == 1\n\n\ndef test_more():\n    assert True\n";
    let less = "from util import load_total\n\n\ndef test_more():\n    assert True\n";
    let changed = ONLY_TOTAL.replace("sum(prices)", "round(sum(prices))");
    let before: Files<'_> = &[("util.py", ONLY_TOTAL), ("tests/test_util.py", tests)];
    assert_eq!(
        facts(before, &[("util.py", &changed), ("tests/test_util.py", less)]),
        ["trial Test `test_total` is deleted while `load_total`, which it tests, changes (tests/test_util.py:4)"]
    );
    let skipped = tests.replace("def test_total", "@pytest.mark.skip\ndef test_total");
    assert_eq!(
        facts(before, &[("util.py", &changed), ("tests/test_util.py", &skipped)]),
        ["trial `@pytest.mark.skip` switches `test_total` off while `load_total` changes (tests/test_util.py:4)"]
    );
    // What it tested stays as it was, or the test is written anew.
    assert_eq!(facts(before, &[("tests/test_util.py", less)]), [""; 0]);
    assert_eq!(facts(before, &[("util.py", &changed), ("tests/test_util.py", &tests.replace("test_total", "test_rounds"))]), [""; 0]);
}

#[test]
fn callers_that_still_pass_the_old_arguments() {
    let util = "def load_page(url):\n    return url\n";
    let more = "def load_page(url, session):\n    return session.get(url)\n";
    let user = "from util import load_page\n\npage = load_page('x')\n";
    let told = facts(&[("util.py", util), ("jobs/nightly.py", user)], &[("util.py", more)]);
    assert_eq!(
        told,
        ["FACT-CALL-002 new util.py:1 `load_page` takes 2 arguments now, not 1, but code still passes the old ones <- jobs/nightly.py:3."]
    );
    let go = facts(
        &[
            ("pkg/a.go", "package pkg\n\nfunc openStore(path string) error {\n\treturn nil\n}\n"),
            ("pkg/b.go", "package pkg\n\nfunc use() {\n\topenStore(\"x\")\n}\n"),
        ],
        &[("pkg/a.go", "package pkg\n\nfunc openStore(path string, mode int) error {\n\treturn nil\n}\n")],
    );
    assert_eq!(go, ["FACT-CALL-002 new pkg/a.go:3 `openStore` takes 2 arguments now, not 1, but code still passes the old ones <- pkg/b.go:4."]);
    let silent: &[(Files<'_>, Files<'_>)] = &[
        // A default, a caller that goes along, another module's function, one that is shadowed, a list that is spread, a call over lines.
        (&[("util.py", util), ("b.py", user)], &[("util.py", "def load_page(url, session=None):\n    return url\n")]),
        (&[("util.py", util), ("b.py", user)], &[("util.py", more), ("b.py", "from util import load_page\n\npage = load_page('x', s)\n")]),
        (&[("util.py", util), ("b.py", "from other import load_page\nload_page('x')\n")], &[("util.py", more)]),
        (&[("util.py", util), ("b.py", "from util import load_page\ndef load_page(x):\n    pass\nload_page(1)\n")], &[("util.py", more)]),
        (&[("util.py", util), ("b.py", "from util import load_page\nload_page(*args)\nload_page(\n    'x')\n")], &[("util.py", more)]),
        (&[("util.py", util), ("b.py", "from util import load_page\n# load_page('x')\ns = \"load_page('x')\"\n")], &[("util.py", more)]),
        (&[("util.py", util), ("b.py", user)], &[("util.py", "def load_page(*urls):\n    return urls\n")]),
    ];
    for (before, after) in silent {
        assert_eq!(facts(before, after), [""; 0], "{after:?}");
    }
}

#[test]
fn commands_that_documents_and_scripts_still_use() {
    let cli = "import argparse\np = argparse.ArgumentParser()\np.add_argument(\"--keep-going\")\n";
    let less = "import argparse\np = argparse.ArgumentParser()\n";
    let guide = "Run `tool --keep-going` every night.\n";
    let told = facts(&[("cli.py", cli), ("README.md", guide)], &[("cli.py", less)]);
    assert_eq!(told, ["FACT-DOC-003 old cli.py:3 The option `--keep-going` is gone, but documents or scripts still use it <- README.md:1."]);
    let package = "{\n  \"scripts\": {\n    \"build:docs\": \"x\",\n    \"test\": \"y\"\n  }\n}\n";
    let told = facts(
        &[("package.json", package), (".github/workflows/ci.yml", "steps:\n  - run: npm run build:docs\n")],
        &[("package.json", "{\n  \"scripts\": {\n    \"test\": \"y\"\n  }\n}\n")],
    );
    assert_eq!(
        told,
        ["FACT-DOC-003 old package.json:3 The script `build:docs` is gone, but documents or scripts still use it <- .github/workflows/ci.yml:2."]
    );
    let told = facts(
        &[("Makefile", "lint-all:\n\ttrue\n\ntest:\n\ttrue\n"), ("CONTRIBUTING.md", "Run `make lint-all` first.\n")],
        &[("Makefile", "test:\n\ttrue\n")],
    );
    assert_eq!(told, ["FACT-DOC-003 old Makefile:1 The target `lint-all` is gone, but documents or scripts still use it <- CONTRIBUTING.md:1."]);
    let silent: &[(Files<'_>, Files<'_>)] = &[
        (&[("cli.py", cli), ("README.md", guide)], &[("cli.py", less), ("README.md", "Run it.\n")]),
        (&[("cli.py", cli), ("README.md", guide)], &[("cli.py", less), ("options.py", "p.add_argument(\"--keep-going\")\n")]),
        (&[("cli.py", cli), ("CHANGELOG.md", guide)], &[("cli.py", less)]),
        (&[("cli.py", cli), ("README.md", "Formerly `--keep-going`.\n")], &[("cli.py", less)]),
        (&[("cli.py", cli), ("README.md", "Use --keep-going-on.\n")], &[("cli.py", less)]),
    ];
    for (before, after) in silent {
        assert_eq!(facts(before, after), [""; 0], "{after:?}");
    }
}
