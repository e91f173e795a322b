//! Rules of an organisation: from a folder, and from a repository at one commit.

use crate::git_repo::Repo;
use crate::harness::{Done, JSON, findings, project, run};
use std::path::Path;

const PRINT: &str = "---\nid: ORG-PY-001\ntitle: Do not print\nlevel: must\nstatus: enforced\nseverity: important\ncategory: quality\nlanguages: [python]\ndetect:\n  rule: {pattern: print($$$A)}\n---\nUse the logger, see [why](../README.md).\n## Bad\n```python\nprint(1)\n```\n## Good\n```python\nlog.info(1)\n```\n";

/// An organisation's repository with one rule, and its commit.
fn codex() -> (Repo, String) {
    let codex = Repo::new();
    codex.write("rules/python/ORG-PY-001.md", PRINT);
    codex.write("rules/README.md", "# Rules\n");
    codex.write("CONTRIBUTING.md", "No rule.\n");
    let commit = codex.commit("rules");
    (codex, commit)
}

fn url_of(folder: &Path) -> String {
    format!("file:///{}", folder.display().to_string().replace('\\', "/").trim_start_matches('/'))
}

fn review(repo: &Repo, source: &str) -> Done {
    let operator = repo.outside.path().join("op.yaml");
    std::fs::write(&operator, format!("rule_sources: [\"{source}\"]\n")).expect("written");
    run(repo, &[&JSON[..], &["--config", &operator.display().to_string()]].concat())
}

#[test]
fn a_pinned_repository_is_fetched_once_and_then_read_from_the_cache() {
    let (codex, commit) = codex();
    let url = url_of(&codex.dir);
    let repo = project();
    repo.write("app.py", "print(1)\n");
    let first = review(&repo, &format!("{url}@{commit}"));
    assert_eq!(findings(&first.report()), ["important app.py:1 exact Do not print"], "{}{}", first.stdout, first.stderr);
    assert_eq!(first.report()["provenance"]["rules"][1], serde_json::json!({"source": url, "commit": commit}));

    let operator = repo.outside.path().join("op.yaml").display().to_string();
    let list = run(&repo, &["rules", "--config", &operator, "list"]).stdout;
    assert!(list.contains(&format!("[organisation: {url}]")), "{list}");

    // Its host is gone: the cache has it, and the report says so.
    std::fs::remove_dir_all(&codex.dir).expect("removed");
    let again = review(&repo, &format!("{url}@{commit}"));
    assert_eq!((again.code, findings(&again.report()).len()), (0, 1), "{}", again.stderr);
    assert_eq!(again.report()["provenance"]["rules"][1], serde_json::json!({"source": url, "commit": commit, "cached": true}));

    // What was tampered with is not believed.
    let cache = repo.outside.path().join(".cache/tribune/rules");
    for entry in walk(&cache).into_iter().filter(|f| f.components().any(|c| c.as_os_str() == "objects")) {
        let mut bytes = std::fs::read(&entry).expect("read");
        if let Some(middle) = bytes.len().checked_sub(25) {
            bytes[middle] ^= 0xff;
            // Git's own files can be read only.
            std::fs::remove_file(&entry).expect("removed");
            std::fs::write(&entry, bytes).expect("written");
        }
    }
    let tampered = review(&repo, &format!("{url}@{commit}"));
    assert_eq!((tampered.code, findings(&tampered.report()).len()), (3, 0), "{}", tampered.stdout);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path());
    entries.flat_map(|p| if p.is_dir() { walk(&p) } else { vec![p] }).collect()
}

#[test]
fn one_that_was_never_had_makes_the_run_inconclusive_and_a_wrong_commit_ends_it() {
    let (codex, commit) = codex();
    let repo = project();
    repo.write("app.py", "print(1)\n");
    let gone = review(&repo, &format!("file:///nowhere/codex.git@{commit}"));
    assert_eq!(gone.code, 3, "{}", gone.stderr);
    assert!(gone.report()["notes"].to_string().contains("could not be fetched and is not in the cache, so its rules did not run"), "{}", gone.stdout);
    let wrong = review(&repo, &format!("{}@{}", url_of(&codex.dir), "1".repeat(40)));
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("there is no commit 1111111111111111111111111111111111111111 in it"), "{}", wrong.stderr);
    let unpinned = review(&repo, "https://git.example.org/codex.git@main");
    assert_eq!(unpinned.code, 2);
    assert!(unpinned.stderr.contains("a repository is named at one commit"), "{}", unpinned.stderr);
}

#[test]
fn a_folder_is_checked_with_its_links() {
    let (codex, _) = codex();
    let repo = project();
    let dir = codex.dir.join("rules").display().to_string();
    let good = run(&repo, &["rules", "check", &dir]);
    assert_eq!((good.code, good.stdout.as_str()), (0, "1 rules, 0 problems\n"), "{}", good.stderr);
    codex.write("rules/python/ORG-PY-002.md", PRINT.replace("ORG-PY-001", "ORG-PY-002").replace("../README.md", "../gone.md"));
    let bad = run(&repo, &["rules", "check", &dir]);
    assert_eq!((bad.code, bad.stdout.as_str()), (1, "2 rules, 1 problems\n"));
    let file = codex.dir.join("rules").join("python").join("ORG-PY-002.md").display().to_string();
    assert!(bad.stderr.contains(&format!("{file}:12:0: the link `../gone.md` leads nowhere")), "{}", bad.stderr);
}
