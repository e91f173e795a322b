use super::*;

#[test]
fn plain_words_settle() {
    for (body, word) in [
        ("won't fix", Some("won't fix")),
        ("Won’t fix: nobody calls this with an empty list", Some("won't fix")),
        ("**False positive.**", Some("false positive")),
        ("This is by design, see the handbook", Some("by design")),
        ("It's a false positive", Some("false positive")),
        ("wontfix (legacy)", Some("wontfix")),
        ("Won't fix this here because the caller checks", Some("won't fix")),
        ("by design — the client retries", Some("by design")),
        ("Thanks!\n\nAccepted risk. We talked about it.", Some("accepted risk")),
        ("> it never ends\n\nworks as intended", Some("works as intended")),
        // Not plainly said.
        ("This won't fix the leak", None),
        ("won't fix the leak, only hide it", None),
        ("Is this by design?", None),
        ("by design?", None),
        ("not by design", None),
        ("designed so", None),
        ("false positives are not what this is", None),
        ("I think you are wrong, the caller checks", None),
        ("", None),
        // Not said by the comment.
        ("> won't fix", None),
        ("> it never ends\nby design", None),
        (">>>\nby design\n>>>", None),
        ("    by design", None),
        ("\tby design", None),
        ("```\nby design\n```", None),
        ("~~~~\nby design\n~~~\nby design\n~~~~", None),
        ("`by design`", None),
        ("<!-- by design -->", None),
        ("<!--\nby design\n-->", None),
        ("<blockquote>\nby design\n</blockquote>", None),
        ("<details>\n\nby design\n\n</details>", None),
        ("```\ncode\n```\nby design", Some("by design")),
        (">>>\nquote\n>>>\nby design", Some("by design")),
    ] {
        assert_eq!(settles(body), word, "{body:?}");
    }
}

#[test]
fn the_glass_breaks_on_a_whole_line_only() {
    let head = "0123456789ab";
    let told = |body: &str| breaks_glass(body).map(|g| (g.head, g.reason));
    let line = format!("tribune break glass {head}: production is down");
    let good = Some((head.to_owned(), "production is down".to_owned()));
    assert_eq!(told(&line), good);
    assert_eq!(told(&format!("Sorry.\n\n{line}\n")), good);
    for bad in [
        format!("> {line}"),
        format!("`{line}`"),
        format!("```\n{line}\n```"),
        format!("please {line}"),
        "tribune break glass 0123456789a: too short".to_owned(),
        "tribune break glass 0123456789AB: upper case".to_owned(),
        "tribune break glass 0123456789ab".to_owned(),
        "tribune break glass 0123456789ab:  ".to_owned(),
        format!("<!-- {line} -->"),
    ] {
        assert_eq!(told(&bad), None, "{bad}");
    }
    assert_eq!(glass_line(&"0123456789abcdef".repeat(2)), "tribune break glass 0123456789ab: <reason>");
    // As it is printed it gives no reason that means anything, but it is a reason: who copies it, means it.
    assert!(breaks_glass(&glass_line(&"0123456789abcdef".repeat(2))).is_some());
}
