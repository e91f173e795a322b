//! What a human's comment says, in plain words: that a finding is settled, or that the gate shall open. Only what the comment
//! itself says counts, not what it quotes, shows as code, or hides.

/// Words that settle a finding, at the start of a line, alone or followed by a reason. Kept short: it is documented.
pub const SETTLING: [&str; 8] =
    ["won't fix", "wont fix", "wontfix", "by design", "false positive", "works as intended", "working as intended", "accepted risk"];
/// What may stand before them.
const BEFORE: [&str; 5] = ["this is ", "that is ", "that's ", "it is ", "it's "];
/// What may follow them, besides punctuation.
const AFTER: [&str; 9] = ["because", "since", "as", "here", "this", "that", "it", "for now", "in this"];
/// Longer comments are not read to their end, in bytes.
const MAX_BODY: usize = 64 << 10;
/// A reason is cut to so many characters.
const MAX_REASON: usize = 300;
/// Digits of a head that a break glass has to name.
const MIN_HEAD: usize = 12;

/// The lines of a comment that are its own words: no quotes (with the lines that Markdown counts among them), no code, no HTML
/// comments, quotes or preformatted blocks.
fn own_lines(body: &str) -> Vec<&str> {
    let body = crate::findings::words::cut_bytes(body, MAX_BODY);
    let mut out = Vec::new();
    let mut fence: Option<(char, usize)> = None;
    let mut hidden: Option<&str> = None;
    let (mut quoted, mut block) = (false, false);
    for line in body.lines() {
        let text = line.trim();
        if let Some((mark, length)) = fence {
            let run = text.chars().take_while(|c| *c == mark).count();
            if run >= length && text.chars().all(|c| c == mark) {
                fence = None;
            }
            continue;
        }
        if let Some(end) = hidden {
            if text.to_lowercase().contains(end) {
                hidden = None;
            }
            continue;
        }
        let lower = text.to_lowercase();
        let opened = [("<!--", "-->"), ("<blockquote", "</blockquote"), ("<pre", "</pre"), ("<code", "</code"), ("<details", "</details")];
        if let Some((start, end)) = opened.into_iter().find(|(start, _)| lower.contains(start)) {
            // Whatever shares a line with such a thing is not plain either.
            let after = lower.rfind(start).map_or("", |at| &lower[at..]);
            hidden = (!after.contains(end)).then_some(end);
            continue;
        }
        if text == ">>>" {
            block = !block;
            continue;
        }
        if let Some(mark) = text.chars().next().filter(|c| matches!(c, '`' | '~')) {
            let run = text.chars().take_while(|c| *c == mark).count();
            if run >= 3 {
                fence = Some((mark, run));
                continue;
            }
        }
        quoted = text.starts_with('>') || (quoted && !text.is_empty());
        let code = line.starts_with("    ") || line.starts_with('\t');
        if !(quoted || block || code || text.is_empty()) {
            out.push(text);
        }
    }
    out
}

/// The word by which a comment settles a finding, if one does.
pub(super) fn settles(body: &str) -> Option<&'static str> {
    own_lines(body).into_iter().find_map(|line| {
        let line = line.replace(['\u{2019}', '\u{2018}'], "'").to_lowercase();
        let line = line.trim_matches(|c: char| matches!(c, '*' | '_') || c.is_whitespace());
        if line.ends_with('?') {
            return None;
        }
        let said = BEFORE.iter().find_map(|b| line.strip_prefix(b)).unwrap_or(line);
        let said = said.strip_prefix("a ").unwrap_or(said);
        SETTLING.into_iter().find(|word| {
            let Some(rest) = said.strip_prefix(word) else { return false };
            let rest = rest.trim_start_matches(['*', '_']);
            let reason = rest.trim_start();
            let word_ends = |w: &str| reason.strip_prefix(w).is_some_and(|r| !r.starts_with(char::is_alphanumeric));
            let reasoned = rest != reason && (reason.starts_with(['-', '\u{2013}', '\u{2014}', '(']) || AFTER.iter().any(|w| word_ends(w)));
            rest.is_empty() || rest.starts_with(['.', ',', ';', ':', '!', '(']) || reasoned
        })
    })
}

/// A line that asks to open the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glass {
    /// The head's first digits.
    pub(super) head: String,
    /// Why, one line.
    pub(super) reason: String,
}

/// The first whole line `tribune break glass HEAD: REASON` of a comment.
pub(super) fn breaks_glass(body: &str) -> Option<Glass> {
    own_lines(body).into_iter().find_map(|line| {
        let (head, reason) = line.strip_prefix("tribune break glass ")?.split_once(':')?;
        let digits = (MIN_HEAD..=64).contains(&head.len()) && head.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let reason = crate::findings::words::one_line(&crate::findings::words::visible(reason));
        (digits && !reason.is_empty()).then(|| Glass { head: head.to_owned(), reason: crate::findings::words::cut(&reason, MAX_REASON) })
    })
}

/// The line that a Maintainer copies to open the gate for a head.
pub fn glass_line(head: &str) -> String {
    format!("tribune break glass {}: <reason>", head.get(..MIN_HEAD).unwrap_or(head))
}

#[cfg(test)]
mod tests;
