//! What another telling says of the same lines, kept at the end of the body of the finding that it was merged into: a model's
//! other defect on the line of a rule's hit must not be lost, and is told once. It is part of the body, so that it goes wherever that
//! goes: into reports, comments and what the next round remembers.

use super::Finding;
use super::words::{cut, one_line};

/// What each begins with, as a paragraph of its own.
const ALSO: &str = "Also: ";
/// A body takes up so many.
const MAX_ASIDES: usize = 3;
/// Characters of title, text and trigger.
const MAX_TITLE: usize = 120;
const MAX_TEXT: usize = 260;
const MAX_TRIGGER: usize = 140;

/// Adds another finding's title to the body of `kept`, and with `whole` the beginning of its text and its trigger. Nothing where there
/// are enough already.
pub(crate) fn add(kept: &mut Finding, other: &Finding, whole: bool) {
    let title = cut(&one_line(&other.title), MAX_TITLE);
    if title.is_empty() || texts(&kept.body).1.matches(ALSO).count() >= MAX_ASIDES {
        return;
    }
    let mut parts = vec![ended(&title)];
    if whole {
        // A comment has room for one block of code, the suggestion's.
        let prose = other.body.split("\n\n").next().unwrap_or_default().split("```").next().unwrap_or_default();
        parts.push(ended(&cut(&one_line(prose), MAX_TEXT)));
        let trigger = cut(&one_line(other.trigger.as_deref().unwrap_or_default()), MAX_TRIGGER);
        parts.push(if trigger.is_empty() { trigger } else { format!("When: {}", ended(&trigger)) });
    }
    parts.retain(|p| !p.is_empty());
    append(&mut kept.body, &format!("{ALSO}{}", parts.join(" ")));
}

/// Puts what [`texts`] gave for asides at the end of a body.
pub(crate) fn append(body: &mut String, asides: &str) {
    *body = format!("{}\n\n{asides}", body.trim_end()).trim_start().to_owned();
}

/// A body without asides, and these.
pub(crate) fn texts(body: &str) -> (&str, &str) {
    let at = if body.starts_with(ALSO) { Some(0) } else { body.find(&format!("\n\n{ALSO}")).map(|at| at + 2) };
    at.map_or((body, ""), |at| (body[..at].trim_end(), &body[at..]))
}

fn ended(text: &str) -> String {
    if text.is_empty() || text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Severity::Nit;
    use crate::judge::testing::told;

    #[test]
    fn stands_at_the_end_is_bounded_and_comes_off_again() {
        let mut kept = told("quality", Nit, "It can panic", "x", 1, 1);
        let mut other = told("security", Nit, "It leaks", "x", 1, 1);
        other.body = "The key goes\ninto the log\n```\ncode\n```\n\nMend it.".to_owned();
        other.trigger = Some("any request".to_owned());
        add(&mut kept, &other, true);
        insta::assert_snapshot!(kept.body, @"
        It can panic, at length.

        Also: It leaks. The key goes into the log. When: any request.
        ");
        let (own, asides) = texts(&kept.body);
        assert_eq!(own, "It can panic, at length.");
        let mut again = own.to_owned();
        append(&mut again, asides);
        assert_eq!(again, kept.body);
        assert_eq!(texts("plain\n\nmore"), ("plain\n\nmore", ""));
        assert_eq!(texts("Also: only"), ("", "Also: only"));

        other.body = "word ".repeat(500);
        other.trigger = Some("w".repeat(5_000));
        for _ in 0..9 {
            add(&mut kept, &other, true);
        }
        assert_eq!(kept.body.matches(ALSO).count(), MAX_ASIDES);
        assert!(kept.body.chars().count() < MAX_ASIDES * (MAX_TITLE + MAX_TEXT + MAX_TRIGGER + 20), "{}", kept.body);
    }
}
