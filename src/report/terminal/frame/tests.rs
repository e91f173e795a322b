use super::*;
use crate::findings::Severity;
use crate::report::sample::{finding, lines};

/// The frame as text: `>` for marked lines, `^` for marks.
fn drawn(text: &str, at: (u32, u32), quote: &str, width: usize) -> String {
    let mut finding = finding(Severity::Nit, "t");
    finding.anchor = lines(at.0, at.1);
    finding.quote = quote.to_owned();
    let text = FileText::whole(text.as_bytes());
    let rows = frame(&finding, Some(&text), width);
    for row in &rows {
        if let Row::Code { text, .. } = row {
            assert!(text.width() <= width, "{text:?} is wider than {width}");
        }
    }
    rows.into_iter().map(|row| format!("{}\n", line(row))).collect()
}

fn line(row: Row) -> String {
    match row {
        Row::Code { number, text, marked } => {
            let number = number.map(|n| n.to_string()).unwrap_or_default();
            format!("{}{number:>3}|{text}", if marked { '>' } else { ' ' })
        }
        Row::Marks(at, len) => format!("    |{}{}", " ".repeat(at), "^".repeat(len)),
        Row::Gap(n) => format!("    {n} more"),
    }
}

#[test]
fn shows_the_lines_around_without_blank_edges() {
    let text = "a\n\nb\nc\n\n\nd\n";
    insta::assert_snapshot!(drawn(text, (4, 4), "c", 20), @"
       3|b
    >  4|c
    ");
}

#[test]
fn marks_a_part_of_a_line() {
    insta::assert_snapshot!(drawn("fn f() {\n\tlet x = g(h)?;\n}\n", (2, 2), "g(h)", 40), @"
       1|fn f() {
    >  2|    let x = g(h)?;
        |            ^^^^
       3|}
    ");
}

#[test]
fn marks_stand_under_wide_characters() {
    insta::assert_snapshot!(drawn("let 名前 = \"🎉\"; call(名前);\n", (1, 1), "call(名前)", 40), @r#"
    >  1|let 名前 = "🎉"; call(名前);
        |                 ^^^^^^^^^^
    "#);
}

#[test]
fn a_long_line_is_clipped_around_the_quote() {
    let text = format!("short\n{}evil(x){}\nlast\n", "a();".repeat(10_000), "b();".repeat(500_000));
    insta::assert_snapshot!(drawn(&text, (2, 2), "evil(x)", 30), @"
       1|short
    >  2|…);a();a();evil(x)b();b();b()…
        |           ^^^^^^^
       3|last
    ");
}

#[test]
fn deep_code_loses_its_common_indent_before_its_end() {
    let text = "                    if ready {\n                        launch(now, later);\n                    }\n";
    insta::assert_snapshot!(drawn(text, (2, 2), "launch(now, later);", 28), @"
       1|… if ready {
    >  2|…     launch(now, later);
       3|… }
    ");
}

#[test]
fn a_long_span_is_shown_by_its_ends() {
    let text: String = (1..=30).map(|n| format!("line {n}\n")).collect();
    insta::assert_snapshot!(drawn(&text, (3, 28), "", 20), @"
       2|line 2
    >  3|line 3
    >  4|line 4
    >  5|line 5
    >  6|line 6
    >  7|line 7
    >  8|line 8
        18 more
    > 27|line 27
    > 28|line 28
      29|line 29
    ");
}

#[test]
fn without_the_file_the_quote_is_shown() {
    let mut finding = finding(Severity::Nit, "t");
    finding.anchor = lines(7, 8);
    finding.quote = "one\n  two\n".to_owned();
    let draw = |f: &Finding| frame(f, None, 20).into_iter().map(|r| format!("{}\n", line(r))).collect::<String>();
    assert_eq!(draw(&finding), ">  7|one\n>  8|  two\n");
    finding.anchor = crate::findings::Anchor::File;
    assert_eq!(draw(&finding), ">   |one\n>   |  two\n");
    finding.quote = "x\n".repeat(8);
    assert_eq!(draw(&finding).lines().last(), Some("    3 more"));
    finding.quote = String::new();
    assert_eq!(draw(&finding), "");
}

#[test]
fn clipping_keeps_columns() {
    assert_eq!(clip("0123456789", 0, 10), "0123456789");
    assert_eq!(clip("0123456789", 0, 5), "0123…");
    assert_eq!(clip("0123456789", 4, 5), "…567…");
    assert_eq!(clip("0123456789", 4, 20), "…56789");
    assert_eq!(clip("日本語日本語", 0, 6), "日本 …");
    assert_eq!(clip("日本語日本語", 2, 6), "… 語 …");
    assert_eq!(clip("abc", 5, 5), "");
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_frame(text in "(\\PC|\t|\n|\r){0,300}", start in 1u32..20, len in 0u32..20, quote in "\\PC{0,20}", width in 20usize..100) {
        let mut finding = finding(Severity::Nit, "t");
        finding.anchor = lines(start, start + len);
        finding.quote = quote;
        let text = FileText::whole(text.as_bytes());
        for row in frame(&finding, Some(&text), width) {
            if let Row::Code { text, .. } = row {
                proptest::prop_assert!(!text.contains(['\n', '\t']));
                // A cluster can be narrower or wider than the sum of its characters, by a column or two.
                proptest::prop_assert!(text.width() <= width + 2, "{:?}", text);
            }
        }
    }
}
