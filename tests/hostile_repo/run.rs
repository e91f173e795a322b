//! Nothing that a repository names is run, written or allowed to change the answer.

use crate::git_repo::{Repo, git_command, git_in, since, summary};
use crate::{all_sources, busy, read_all};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tribune::change::{PolicyArg, Source, SourceRequest, open};
use tribune::diff::{FileMode, Side};
use tribune::path::RepoPath;

/// All files below `dir`: what they hold, and when they were written.
fn state(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, i64, i64, u32)> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            if meta.is_dir() {
                open.push(path.clone());
            }
            let bytes = if meta.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            found.insert(path, (bytes, meta.mtime(), meta.mtime_nsec(), meta.mode()));
        }
    }
    found
}

#[test]
fn nothing_that_a_repository_names_is_run() {
    let (repo, base) = busy();
    let canary = repo.outside.path().join("canary");
    let script = repo.outside.path().join("evil");
    fs::write(&script, format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", canary.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let evil = script.display().to_string();

    let hooks = repo.dir.join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in
        ["pre-commit", "post-index-change", "post-checkout", "reference-transaction", "fsmonitor-watchman", "query-watchman", "sendemail-validate"]
    {
        fs::copy(&script, hooks.join(hook)).unwrap();
    }
    let home = repo.outside.path().join("home");
    fs::create_dir(&home).unwrap();
    for (key, value) in [
        ("core.fsmonitor", evil.as_str()),
        ("core.fsmonitorHookVersion", "2"),
        ("core.hooksPath", hooks.to_str().unwrap()),
        ("core.pager", &evil),
        ("core.editor", &evil),
        ("core.sshCommand", &evil),
        ("core.gitProxy", &evil),
        ("core.askPass", &evil),
        ("core.alternateRefsCommand", &evil),
        ("core.worktree", home.to_str().unwrap()),
        ("core.untrackedCache", "true"),
        ("core.splitIndex", "true"),
        ("pager.diff", &evil),
        ("pager.ls-files", &evil),
        ("pager.cat-file", &evil),
        ("sequence.editor", &evil),
        ("credential.helper", &evil),
        ("gpg.program", &evil),
        ("log.showSignature", "true"),
        ("diff.external", &evil),
        ("diff.evil.textconv", &evil),
        ("diff.evil.command", &evil),
        ("diff.evil.cachetextconv", "true"),
        ("filter.evil.clean", &evil),
        ("filter.evil.smudge", &evil),
        ("filter.evil.required", "true"),
        ("filter.process.process", &evil),
        ("filter.process.required", "true"),
        ("merge.evil.driver", &evil),
        ("alias.ls-files", &format!("!{evil}")),
        ("alias.config", &format!("!{evil}")),
        ("uploadpack.packObjectsHook", &evil),
        ("remote.origin.url", &format!("ext::{evil}")),
        ("remote.origin.promisor", "true"),
        ("remote.origin.partialclonefilter", "blob:none"),
        ("extensions.partialClone", "origin"),
        ("protocol.ext.allow", "always"),
        ("protocol.allow", "always"),
        ("submodule.recurse", "true"),
        ("status.submoduleSummary", "true"),
        ("interactive.diffFilter", &evil),
        ("grep.fallbackToNoIndex", "true"),
        ("trace2.eventTarget", canary.to_str().unwrap()),
    ] {
        repo.git(&["config", key, value]);
    }
    let attributes = "*.txt filter=evil diff=evil merge=evil\n*.bin filter=process diff=evil\n";
    fs::write(repo.dir.join(".gitattributes"), attributes).unwrap();
    fs::create_dir_all(repo.dir.join(".git/info")).unwrap();
    fs::write(repo.dir.join(".git/info/attributes"), attributes).unwrap();
    // Files whose times changed are compared by contents.
    for name in ["a.txt", "b.txt", "c.bin"] {
        fs::File::options()
            .write(true)
            .open(repo.dir.join(name))
            .unwrap()
            .set_modified(std::time::SystemTime::now() + Duration::from_secs(5))
            .unwrap();
    }
    let _ = fs::remove_file(&canary);

    for source in all_sources(&base) {
        read_all(&repo.open_with(source, None).unwrap());
    }
    for policy in [PolicyArg::WorkTree, PolicyArg::Rev("main".to_owned())] {
        read_all(&repo.open_with(since(&base), Some(policy)).unwrap());
    }
    // A missing object is not fetched from the promised remote.
    let missing = "1234567890123456789012345678901234567890";
    repo.open(since(missing)).unwrap_err();
    assert!(!canary.exists(), "{}", fs::read_to_string(&canary).unwrap());

    // The work tree is where `.git` lies, not where `core.worktree` points.
    let change = repo.open(Source::WorkTree).unwrap();
    assert!(change.files.iter().any(|f| f.path() == &RepoPath::from("untracked.txt")));
    // The canary does sing when git is asked in the ordinary way.
    let _ = git_command(&repo.dir).args(["-c", &format!("core.worktree={}", repo.dir.display()), "status"]).output().unwrap();
    assert!(canary.exists());
}

#[test]
fn submodules_are_not_entered() {
    let (library, _) = busy();
    let repo = Repo::new();
    repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &library.dir.display().to_string(), "lib"]);
    repo.commit("base");
    let canary = repo.outside.path().join("canary");
    let evil = format!("touch {}; false", canary.display());
    git_in(&repo.dir.join("lib"), &["config", "core.fsmonitor", &evil]);
    fs::write(repo.dir.join("lib/dirty.txt"), "x").unwrap();
    let change = repo.open(Source::WorkTree).unwrap();
    read_all(&change);
    assert_eq!(summary(&change), "", "what is not committed in a submodule is not this repository's");
    git_in(&repo.dir.join("lib"), &["-c", "core.fsmonitor=", "commit", "-qm", "moved", "--allow-empty"]);
    let change = repo.open(Source::WorkTree).unwrap();
    assert_eq!((summary(&change).as_str(), change.files[0].new_mode), ("M lib +1 -1", Some(FileMode::Submodule)));
    assert_eq!(change.text(&change.files[0], Side::New), None);
    assert!(!canary.exists());

    // The submodule itself is a work tree of its own, whose git directory lies elsewhere.
    let request = SourceRequest { dir: repo.dir.join("lib"), source: Source::WorkTree, policy: None };
    insta::assert_snapshot!(summary(&open(&request).unwrap()), @"A dirty.txt +1 -0");
}

#[test]
fn the_repository_is_not_written() {
    let (repo, base) = busy();
    // A file that has gone back to a state which git has as an object already.
    repo.write("a.txt", "a\n".repeat(20));
    let before = state(&repo.dir);
    for source in all_sources(&base) {
        read_all(&repo.open(source).unwrap());
    }
    assert!(before == state(&repo.dir));
}

#[test]
fn settings_do_not_change_the_diff() {
    let (repo, base) = busy();
    repo.git(&["mv", "c.bin", "d.bin"]);
    repo.commit("move");
    let plain: Vec<_> = all_sources(&base).into_iter().map(|s| repo.open(s).unwrap().files).collect();
    assert!(plain.iter().any(|files| files.iter().any(|f| f.old_path != f.new_path)), "a rename is in it");
    let order = repo.outside.path().join("order");
    fs::write(&order, "z*\nb*\n*\n").unwrap();
    for (key, value) in [
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.srcPrefix", "x/"),
        ("diff.renames", "false"),
        ("diff.renameLimit", "1"),
        ("diff.algorithm", "histogram"),
        ("diff.context", "0"),
        ("diff.interHunkContext", "9"),
        ("diff.colorMoved", "zebra"),
        ("color.ui", "always"),
        ("color.diff", "always"),
        ("diff.submodule", "log"),
        ("diff.ignoreSubmodules", "all"),
        ("diff.orderFile", order.to_str().unwrap()),
        ("diff.wordRegex", "."),
        ("diff.suppressBlankEmpty", "true"),
        ("diff.indentHeuristic", "false"),
        ("diff.relative", "true"),
        ("diff.wsErrorHighlight", "all"),
        ("diff.dirstat", "lines"),
        ("core.quotePath", "false"),
        ("core.abbrev", "5"),
        ("core.bigFileThreshold", "1"),
        ("core.attributesFile", order.to_str().unwrap()),
        ("core.excludesFile", order.to_str().unwrap()),
        ("diff.b.binary", "true"),
    ] {
        repo.git(&["config", key, value]);
    }
    // Nor do attributes that would hide contents, wherever they stand.
    fs::create_dir_all(repo.dir.join(".git/info")).unwrap();
    fs::write(repo.dir.join(".git/info/attributes"), "* -diff\n").unwrap();
    let again: Vec<_> = all_sources(&base).into_iter().map(|s| repo.open(s).unwrap().files).collect();
    assert_eq!(plain, again);

    repo.write(".gitattributes", "* -diff -text binary\n");
    repo.commit("hide");
    repo.write("b.txt", "one more\n");
    for source in all_sources(&base) {
        let change = repo.open(source).unwrap();
        assert!(change.files.iter().all(|f| !f.binary), "{}", summary(&change));
    }
}

#[test]
fn replaced_objects_do_not_count() {
    let (repo, base) = busy();
    let before = repo.open(since(&base)).unwrap().files;
    repo.git(&["replace", "HEAD:a.txt", "main:a.txt"].map(|name| if name == "replace" { name.to_owned() } else { repo.ask(&["rev-parse", name]) }));
    assert_eq!(repo.open(since(&base)).unwrap().files, before);
}
