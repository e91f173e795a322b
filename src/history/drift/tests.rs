use super::*;
use crate::findings::testing::diff;
use proptest::prelude::*;

fn drift(old: &str, new: &str) -> Drift {
    let (mut file, ..) = diff("a.rs", old, new);
    file.new_path = RepoPath::from("b.rs");
    Drift::new(if old == new { Vec::new() } else { vec![file] }, BTreeSet::new())
}

fn told(drift: &Drift, lines: (u32, u32)) -> String {
    drift
        .forward(&RepoPath::from("a.rs"), lines)
        .map_or("gone".to_owned(), |m| format!("{} {}-{}{}", m.path, m.lines.0, m.lines.1, if m.intact { "" } else { " changed" }))
}

#[test]
fn lines_move_with_what_stands_above() {
    let d = drift("a\nb\nc\nd\ne\n", "x\ny\na\nb\nz\nd\ne\n");
    for (lines, expected) in
        [((1, 2), "b.rs 3-4"), ((4, 5), "b.rs 6-7"), ((3, 3), "b.rs 5-5 changed"), ((2, 4), "b.rs 4-6 changed"), ((1, 5), "b.rs 3-7 changed")]
    {
        assert_eq!(told(&d, lines), expected, "{lines:?}");
    }
    assert_eq!(told(&Drift::default(), (3, 4)), "a.rs 3-4");
    let (mut gone, ..) = diff("a.rs", "a\n", "");
    gone.status = FileStatus::Deleted;
    assert_eq!(told(&Drift::new(vec![gone], BTreeSet::new()), (1, 1)), "gone");
}

#[test]
fn tells_what_stood_before() {
    let d = drift("a\nb\nc\nd\n", "a\nx\nb\nd\n");
    let stood: Vec<bool> = [(1, 1), (2, 2), (3, 3), (4, 4), (1, 2), (3, 4)].map(|l| d.stood(&RepoPath::from("b.rs"), l)).to_vec();
    assert_eq!(stood, [true, false, true, true, false, false]);
    assert!(d.stood(&RepoPath::from("other.rs"), (1, 9)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// A line that is left is found where its text is, and what is said to be intact reads the same.
    #[test]
    fn mapped_lines_read_the_same(old in proptest::collection::vec("[a-c]", 1..14), new in proptest::collection::vec("[a-c]", 1..14), at in 0_usize..14, long in 0_usize..4) {
        let text = |lines: &[String]| lines.iter().map(|l| format!("{l}\n")).collect::<String>();
        let d = drift(&text(&old), &text(&new));
        let (from, to) = (at % old.len(), (at % old.len() + long).min(old.len() - 1));
        let lines = (u32::try_from(from).expect("small") + 1, u32::try_from(to).expect("small") + 1);
        let moved = d.forward(&RepoPath::from("a.rs"), lines).expect("the file is there");
        prop_assert!(moved.lines.0 >= 1 && moved.lines.0 <= moved.lines.1);
        if moved.intact {
            let now = &new[moved.lines.0 as usize - 1..moved.lines.1 as usize];
            prop_assert_eq!(&old[from..=to], now);
            prop_assert!(d.stood(&moved.path, moved.lines));
        }
        if moved.lines.0 == moved.lines.1 && d.stood(&moved.path, moved.lines) && (moved.lines.1 as usize) <= new.len() && from == to && moved.intact {
            prop_assert_eq!(&old[from], &new[moved.lines.0 as usize - 1]);
        }
    }
}
