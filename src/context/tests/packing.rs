//! Packing into bundles.

use super::fake::{Fake, read};
use crate::change::Change;
use crate::context::{Analysis, Bundle, bundles};
use crate::diff::{FileDiff, FileMode, FileStatus, Hunk, Line, LineKind};
use proptest::prelude::*;

fn pack(fake: &Fake, max: u64) -> String {
    let change = fake.to_change();
    let all: Vec<usize> = (0..change.files.len()).collect();
    let analysis = read(&change, fake, &all, &|_| false);
    let names = |b: &Bundle| b.parts.iter().map(|p| change.files[p.file].path().to_string()).collect::<Vec<_>>().join(" ");
    bundles(&change, &all, &analysis, max).iter().map(|b| format!("{}\n", names(b))).collect()
}

#[test]
fn keeps_together_what_belongs_together() {
    let old = "def a():\n    return 1\n";
    let fake = Fake::default()
        .change("pkg/a/one.py", old, &format!("{old}\ndef transmit(x):\n    return x\n"))
        .change("pkg/b/two.py", old, &format!("{old}\ndef other():\n    return 2\n"))
        .change("pkg/c/three.py", old, &format!("{old}\ntransmit(3)\n"))
        .change("tests/test_two.py", old, &format!("{old}\ndef test_other():\n    assert other()\n"));
    insta::assert_snapshot!(pack(&fake, 1_000), @"pkg/a/one.py pkg/b/two.py pkg/c/three.py tests/test_two.py");
    insta::assert_snapshot!(pack(&fake, 160), @r"
    pkg/a/one.py pkg/c/three.py
    pkg/b/two.py tests/test_two.py
    ");
    insta::assert_snapshot!(pack(&fake, 80), @r"
    pkg/a/one.py
    pkg/c/three.py
    pkg/b/two.py
    tests/test_two.py
    ");
}

fn file(index: usize, hunks: &[Vec<usize>]) -> FileDiff {
    let line = |len: &usize| Line { kind: LineKind::Added, text: vec![b'x'; *len], old: None, new: Some(1), no_newline: false };
    let hunk = |lines: &Vec<usize>| Hunk {
        old_start: 1,
        old_lines: 0,
        new_start: 1,
        new_lines: lines.len() as u32,
        section: Vec::new(),
        lines: lines.iter().map(line).collect(),
    };
    let path = format!("dir{}/f{index}.txt", index % 3);
    FileDiff {
        status: FileStatus::Modified,
        old_path: path.as_str().into(),
        new_path: path.as_str().into(),
        old_mode: Some(FileMode::Regular),
        new_mode: Some(FileMode::Regular),
        old_id: None,
        new_id: None,
        binary: false,
        hunks: hunks.iter().map(hunk).collect(),
    }
}

proptest! {
    #[test]
    fn every_line_once_and_no_bundle_too_big(
        shape in prop::collection::vec(prop::collection::vec(prop::collection::vec(0usize..300, 1..20), 0..6), 1..12),
        max in 20u64..2_000,
    ) {
        let change = Change { files: shape.iter().enumerate().map(|(i, h)| file(i, h)).collect(), ..Fake::default().to_change() };
        let all: Vec<usize> = (0..change.files.len()).collect();
        let packed = bundles(&change, &all, &Analysis::default(), max);
        let mut seen: Vec<Vec<Vec<u32>>> = shape.iter().map(|f| f.iter().map(|h| vec![0; h.len()]).collect()).collect();
        let mut files = vec![0; shape.len()];
        for bundle in &packed {
            let mut lines = 0;
            for part in &bundle.parts {
                files[part.file] += 1;
                prop_assert!(part.lines.is_none() || part.hunks.len() == 1);
                for hunk in part.hunks.clone() {
                    let range = part.lines.clone().unwrap_or(0..shape[part.file][hunk].len());
                    lines += range.len();
                    seen[part.file][hunk][range].iter_mut().for_each(|n| *n += 1);
                }
            }
            prop_assert!(bundle.tokens <= max || lines <= 1, "{:?}", bundle);
        }
        prop_assert!(seen.iter().flatten().flatten().all(|n| *n == 1), "{seen:?}");
        prop_assert!(files.iter().all(|n| *n >= 1), "files without hunks are packed too");
        prop_assert_eq!(&bundles(&change, &all, &Analysis::default(), max), &packed);
    }
}
