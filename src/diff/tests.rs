//! Patches as people and programs make them, and what is read of them.

use super::parse::{ParseError, Parsed, parse};
use super::{FileMode, FileStatus};

/// One line a file with its hunks, then what was wrong.
fn shown(patch: &str) -> String {
    let Parsed { files, problems, unmerged } = match parse(patch.as_bytes()) {
        Ok(parsed) => parsed,
        Err(e) => return format!("error: {e}"),
    };
    let mut out = Vec::new();
    for file in &files {
        let hunks = file.hunks.iter().map(|h| format!(" -{},{}+{},{}", h.old_start, h.old_lines, h.new_start, h.new_lines)).collect::<String>();
        let from = if file.old_path == file.new_path { String::new() } else { format!("{} -> ", file.old_path) };
        out.push(format!("{:?} {from}{}{hunks}{}", file.status, file.path(), if file.binary { " binary" } else { "" }));
    }
    out.extend(problems.iter().map(|(path, what)| match path {
        Some(path) => format!("! {path}: {what}"),
        None => format!("! {what}"),
    }));
    out.extend(unmerged.iter().map(|path| format!("unmerged {path}")));
    out.join("\n")
}

#[test]
fn reads_a_mail_with_several_kinds_of_change() {
    let mail = "From 1234 Mon Sep 17 00:00:00 2001\nSubject: [PATCH] x\n\n---\n a | 2 +-\n\ndiff --git a/a b/a\nindex 1111111..2222222 100755\n--- a/a\n+++ b/a\n@@ -1 +1 @@ fn x()\n-a\n\\ No newline at end of file\n+b\ndiff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\ndiff --git a/from b/copy\nsimilarity index 90%\ncopy from from\ncopy to copy\nindex 1111111..2222222 100644\n--- a/from\n+++ b/copy\n@@ -3,0 +4,2 @@\n+x\n+y\ndiff --git a/empty b/empty\nnew file mode 100644\nindex 0000000..e69de29\ndiff --git a/mode b/mode\nold mode 100644\nnew mode 100755\ndiff --git a/pic b/pic\nindex 1111111..2222222 100644\nGIT binary patch\nliteral 4\nLcmZQzU|<OV0096100IC2\n\nliteral 0\nHcmV?d00001\n\ndiff --git a/gone b/gone\ndeleted file mode 120000\nindex 1111111..0000000\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-target\n\\ No newline at end of file\n-- \n2.47.3\n\n";
    insta::assert_snapshot!(shown(mail), @r"
    Modified a -1,1+1,1
    Renamed old -> new
    Copied from -> copy -3,0+4,2
    Added empty
    Modified mode
    Modified pic binary
    Deleted gone -1,1+0,0
    ");
    let files = parse(mail.as_bytes()).expect("sound").files;
    assert_eq!((files[0].old_mode, files[0].new_mode), (Some(FileMode::Executable), Some(FileMode::Executable)));
    assert_eq!((files[0].hunks[0].section.as_slice(), files[0].hunks[0].lines[0].no_newline), (&b"fn x()"[..], true));
    assert_eq!((files[6].old_mode, files[6].new_mode), (Some(FileMode::Symlink), None));
    assert_eq!(files[2].hunks[0].lines[0].new, Some(4));
}

#[test]
fn reads_plain_diffs() {
    let plain = "diff -ruN orig/a.c new/a.c\n--- orig/a.c\t2024-01-01 00:00:00.000000000 +0000\n+++ new/a.c\t2024-01-02 00:00:00.000000000 +0000\n@@ -1,3 +1,3 @@\n x\n\n-a\n+b\n--- orig/new.c\t1970-01-01 00:00:00.000000000 +0000\n+++ new/new.c\t2024-01-02\n@@ -0,0 +1,1 @@\n+--- x\nOnly in new: more\nBinary files orig/p and new/p differ\n";
    insta::assert_snapshot!(shown(plain), @r"
    Modified a.c -1,3+1,3
    Added new.c -0,0+1,1
    ! a file on one side only, without its contents: Only in new: more
    ! files that differ without a diff: Binary files orig/p and new/p differ
    ");
}

#[test]
fn reads_windows_line_ends_of_the_patch_itself() {
    insta::assert_snapshot!(
        shown("diff --git a/a b/a\r\nindex 1..2 100644\r\n--- a/a\r\n+++ b/a\r\n@@ -1,2 +1,2 @@ f\r\n x\r\n-a\r\n+b\r\n"),
        @"Modified a -1,2+1,2"
    );
}

#[test]
fn reports_what_is_not_a_diff_of_two_states() {
    insta::assert_snapshot!(
        shown("diff --cc a b\nindex 1,2..3\n--- a/a b\n+++ b/a b\n@@@ -1,1 -1,1 +1,1 @@@\n- x\n -y\n++z\ndiff --combined b\n@@@ -1 -1 +1 @@@\n++x\n* Unmerged path c\ndiff --git a/d b/d\nold mode 100644\nnew mode 100755\nSubmodule lib 111..222:\n  > log\n"),
        @r"
    Modified d
    ! a b: a merge's combined diff cannot be reviewed; diff the merge against one parent
    ! b: a merge's combined diff cannot be reviewed; diff the merge against one parent
    ! a submodule's change in log format: Submodule lib 111..222:
    "
    );
    insta::assert_snapshot!(shown("* Unmerged path a\ndiff --git a/a b/a\nindex 1..2\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+b\n* Unmerged path \"\\303\\244\"\n"), @r"
    Modified a -1,1+1,1
    unmerged a
    unmerged ä
    ");
}

#[test]
fn keeps_what_is_sound_of_a_broken_patch() {
    let head = "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n";
    let tail = "diff --git a/y b/y\nold mode 100644\nnew mode 100755\n";
    for (what, body, wanted) in [
        ("too few lines", "@@ -1,3 +1,3 @@\n a\n-b\n", "Modified x -1,2+1,1\nModified y\n! x: it breaks off inside a hunk"),
        ("nothing of the hunk", "@@ -1,3 +1,3 @@\n", "Modified x\nModified y\n! x: it breaks off inside a hunk"),
        ("no hunk at all", "", "Modified x\nModified y\n! x: it breaks off before its contents"),
        ("too many lines", "@@ -1 +1 @@\n-a\n+b\n+--- a/z\n", "Modified x -1,1+1,1\nModified y\n! x: a hunk has more lines than its header says"),
        ("a side that turns out empty", "@@ -1,2 +1,2 @@\n-a\n-b\n", "Modified x -1,2+0,0\nModified y\n! x: it breaks off inside a hunk"),
        ("out of order", "@@ -9 +9 @@\n-a\n+b\n@@ -3 +3 @@\n-a\n+b\n", "Modified x -9,1+9,1\nModified y\n! x: its hunks are not in order"),
        ("overlapping", "@@ -1,2 +1,2 @@\n-a\n+b\n c\n@@ -2 +3 @@\n-a\n+b\n", "Modified x -1,2+1,2\nModified y\n! x: its hunks are not in order"),
        ("line zero", "@@ -0,2 +0,2 @@\n a\n b\n", "Modified x\nModified y\n! x: a hunk's header is not readable"),
        ("huge numbers", "@@ -4294967295 +1 @@\n-a\n+b\n", "Modified x\nModified y\n! x: a hunk's header is not readable"),
        ("no numbers", "@@ -a +b @@\n-a\n+b\n", "Modified x\nModified y\n! x: a hunk's header is not readable"),
    ] {
        assert_eq!(shown(&format!("{head}{body}{tail}")), wanted, "{what}");
    }
    assert_eq!(shown("diff --git a/x b/x\n"), "Modified x\n! x: it breaks off before its contents");
    assert_eq!(shown("@@ -1 +1 @@\n-a\n+b\n"), "! a hunk without a file: @@ -1 +1 @@");
}

#[test]
fn takes_each_path_once_and_none_that_leads_out() {
    let part = |name: &str| format!("diff --git a/{name} b/{name}\nold mode 100644\nnew mode 100755\n");
    assert_eq!(
        shown(&(part("x") + &part("y") + &part("x"))),
        "Modified x\nModified y\n! x: the patch changes it more than once, and only the first is read; give one diff from base to head"
    );
    for bad in ["../x", "x/../../y", "/etc/passwd", "x//y", "."] {
        assert_eq!(shown(&part(bad)), "! a file's name is not readable or leads out of the tree", "{bad}");
    }
}

#[test]
fn takes_the_raw_list_for_authoritative() {
    let id = |c: &str| c.repeat(40);
    let raw = format!(
        ":100644 100644 {} {} M\tx\n:000000 120000 {} {} A\t\"t\\tb\"\n:100644 100644 {} {} R090\told\tnew\n\n",
        id("1"),
        id("2"),
        id("0"),
        id("3"),
        id("4"),
        id("5")
    );
    let patch = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\ndiff --git \"a/t\\tb\" \"b/t\\tb\"\nnew file mode 120000\n--- /dev/null\n+++ \"b/t\\tb\"\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n";
    insta::assert_snapshot!(shown(&(raw.clone() + patch)), @r"
    Modified x -1,1+1,1
    Added t\tb -0,0+1,1
    Renamed old -> new
    ! new: the patch breaks off before it
    ");
    let files = parse((raw + patch).as_bytes()).expect("sound").files;
    assert_eq!((files[1].status, files[1].old_id.as_deref(), files[1].new_id.as_deref()), (FileStatus::Added, None, Some(id("3").as_str())));
}

#[test]
fn tells_text_without_a_patch_from_an_empty_patch() {
    assert_eq!(shown(""), "");
    assert_eq!(shown(" \n\n"), "");
    assert_eq!(shown("hello\n"), "error: there is no patch in it");
    assert_eq!(parse(b"\x1b[1mdiff --git a/x b/x\x1b[m\n").err(), Some(ParseError::Coloured));
}
