//! One finding as a comment that reads in ten seconds (DESIGN 2): a bold line, a paragraph, the fix, a small
//! line. The limits are kept here, whatever a model wrote.

use crate::findings::sanitize::{code_fence, inline, markdown};
use crate::findings::{Finding, FindingSource};

/// Characters of the bold line.
const TITLE: usize = 80;
/// Words of the paragraph.
const BODY_WORDS: usize = 60;
/// Words of the trigger, which is part of the paragraph for a reader.
const TRIGGER_WORDS: usize = 25;

/// The comment as Markdown, ending in a line end. With `suggestion_block` a sure fix is a block that a forge can apply.
pub fn comment(finding: &Finding, suggestion_block: bool) -> String {
    let label = finding.severity.label();
    let room = TITLE.saturating_sub(label.chars().count() + 2);
    let mut out = format!("**{label}: {}**\n\n", inline(&chars(&finding.title, room)));
    let body = words(&finding.body, BODY_WORDS);
    if !body.is_empty() {
        out.push_str(markdown(&body).trim());
        out.push_str("\n\n");
    }
    if let Some(trigger) = &finding.trigger {
        out.push_str(&format!("When: {}\n\n", inline(&words(trigger, TRIGGER_WORDS))));
    }
    if let Some(suggestion) = &finding.suggestion {
        out.push_str(&code_fence(suggestion, if suggestion_block { "suggestion" } else { "" }));
        out.push_str("\n\n");
    }
    out.push_str(&format!("<sub>{}</sub>\n", origin(finding)));
    out
}

/// The small line: whose word it is, and how to disagree.
fn origin(finding: &Finding) -> String {
    let mut parts = Vec::new();
    if let Some(rule) = &finding.rule {
        let id = inline(&rule.id);
        // The address is the organisation's own, from a checked rule file; anything unusual is not made a link.
        let sound = |u: &&String| u.starts_with("https://") && u.bytes().all(|b| b.is_ascii_graphic() && !b"<>()[]\"'`\\".contains(&b));
        parts.push(match rule.url.as_ref().filter(sound) {
            Some(url) => format!("rule [{id}]({url})"),
            None => format!("rule {id}"),
        });
        parts.extend(rule.source.as_deref().map(inline));
    }
    if finding.source == FindingSource::Model {
        parts.push(format!("model, {} reviewer", inline(&finding.reviewer)));
    }
    let owner = finding.rule.as_ref().and_then(|r| r.owner.as_deref());
    parts.push(match owner {
        Some(owner) => format!("disagree? reply \"won't fix\" and why; the rule is {}'s", inline(owner)),
        None => "disagree? reply \"won't fix\" and why".to_owned(),
    });
    parts.join(" · ")
}

fn chars(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head))
}

/// At most so many words, cut at the end of a sentence where one ends in the second half. Fenced code and lists stay
/// as they are when nothing is cut.
fn words(text: &str, most: usize) -> String {
    let text = text.trim();
    let mut count = 0;
    let mut sentence_end = None;
    let mut offset = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        if !word.trim().is_empty() {
            count += 1;
            if count > most {
                return match sentence_end {
                    Some((at, n)) if n * 2 >= most => text[..at].trim_end().to_owned(),
                    _ => format!("{} …", text[..offset].trim_end()),
                };
            }
        }
        offset += word.len();
        if word.trim_end().ends_with(['.', '!', '?']) {
            sentence_end = Some((offset, count));
        }
    }
    text.to_owned()
}
