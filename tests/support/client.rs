//! What the tests of both forges' clients begin with and look at.

use crate::forge::{FakeForge, Start, View};
use crate::git_repo::since;
use tribune::diff::{FileDiff, Side};
use tribune::forge::{Forge, MergeRequest, NewThread, Span};

/// A change with an edited, a renamed, a new and a deleted file, on a fake that `begin` starts.
pub(crate) fn sample_start<T>(begin: impl FnOnce(&Start<'_>) -> T) -> T {
    let numbered = |range: std::ops::RangeInclusive<u32>| range.map(|n| format!("line {n}\n")).collect::<String>();
    begin(&Start {
        title: "Change files",
        description: "Why.\n\n<!-- hidden -->",
        base: &|r| {
            r.write("edited.py", numbered(1..=40));
            r.write("old name.py", numbered(1..=30));
            r.write("gone.py", "bye\n".repeat(5));
        },
        change: &|r| {
            r.write("edited.py", numbered(1..=40).replace("line 10\n", "ten\nten and a half\n").replace("line 30\n", ""));
            r.git(&["mv", "old name.py", "new name.py"]);
            r.write("new name.py", numbered(1..=30).replace("line 5\n", "five\n"));
            r.git(&["rm", "-q", "gone.py"]);
            r.write("fresh.py", numbered(1..=4));
        },
        ..Start::default()
    })
}

/// The files of the change, by git and our parser.
pub(crate) fn files(fake: &dyn FakeForge) -> Vec<FileDiff> {
    fake.repo().open(since("main")).expect("a change").files
}

/// A thread on lines of a file of the change.
pub(crate) fn thread(files: &[FileDiff], path: &str, lines: Option<(Side, u32, u32)>, body: &str) -> NewThread {
    let file = files.iter().find(|f| f.path().as_str() == Some(path)).expect("a changed file");
    let text = |p: &tribune::path::RepoPath| p.as_str().expect("UTF-8").to_owned();
    let body = format!("{body}\n\n<!-- tribune:v1 {body} -->");
    NewThread {
        old_path: text(&file.old_path),
        new_path: text(&file.new_path),
        span: lines.map(|(side, first, last)| Span::of(file, side, first, last).expect("lines of the diff")),
        plain_body: format!("{body}\n"),
        body,
    }
}

/// The merge request as the client reads it.
pub(crate) async fn request(client: &dyn Forge) -> MergeRequest {
    client.merge_request().await.expect("a merge request")
}

/// One line a thread: where it stands, what it begins with.
pub(crate) fn shown(fake: &dyn FakeForge) -> String {
    let line = |v: View| {
        let lines = v.line.map_or("file".to_owned(), |n| v.start_line.map_or(n.to_string(), |s| format!("{s}-{n}")));
        let first = v.bodies[0].1.lines().next().unwrap_or_default().to_owned();
        format!("{} {:?} {lines}: {first}{}", v.path, v.side, if v.resolved { " (resolved)" } else { "" })
    };
    fake.threads().into_iter().map(line).collect::<Vec<_>>().join("\n")
}
