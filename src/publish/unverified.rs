//! Shows a report that a job wrote which nobody here controls (a fork's): its text is the fork's to choose, "0 findings" included.
//!
//! It stands in a comment of its own, edited in place. From it follows nothing: no thread, no answer, no label, no approval, no
//! state for the next round; the summary of a review that counts is not touched, and the check has a name of its own and is neutral.

use super::{Desk, Published, body};
use crate::findings::FindingStatus;
use crate::findings::sanitize;
use crate::forge::{Check, Conclusion, ForgeError};
use crate::history::{Kind, marker};
use crate::report::markdown::{Comments, pages};
use crate::report::{Outcome, Review, Sources};

/// What stands in the place of a verdict.
const TITLE: &str = "Unverified report of a fork";
/// The most bytes of its text.
const MAX_BYTES: usize = 30_000;

/// Shows the report, if it has findings or an older one stands there. Fails where nothing may be written.
pub async fn unverified(desk: &Desk<'_>, review: &Review) -> Result<Published, ForgeError> {
    let mut done = Published::default();
    let review = stripped(review);
    if review.findings.is_empty() && desk.memory.unverified.is_none() {
        return Ok(done);
    }
    desk.forge.still(desk.request).await?;
    let text = text(desk, &review);
    match &desk.memory.unverified {
        Some((_, stands)) if stands.trim() == text.trim() => {}
        Some((id, _)) => match desk.forge.edit_comment(id, &text).await {
            // Somebody deleted it.
            Err(ForgeError::Missing(_)) => drop(desk.forge.comment(&text).await?),
            other => other?,
        },
        None => drop(desk.forge.comment(&text).await?),
    }
    if desk.settings.status {
        let check = Check {
            head: desk.request.head_sha.clone(),
            conclusion: Conclusion::Neutral,
            title: format!("{TITLE}: nothing follows from it"),
            summary: "What it says stands in a comment.".to_owned(),
            annotations: Vec::new(),
            unverified: true,
        };
        if let Err(e) = desk.forge.check(&check).await {
            done.notes.push(format!("It could not be shown at the commit: {e}"));
        }
    }
    Ok(done)
}

/// The report without what it says of people, rounds and itself, and without links.
fn stripped(review: &Review) -> Review {
    let mut review = review.clone();
    (review.outcome, review.round, review.next, review.override_) = (Outcome::Inconclusive, 1, None, None);
    review.prior.clear();
    review.notes.clear();
    for finding in &mut review.findings {
        finding.status = FindingStatus::New;
        finding.rule.iter_mut().for_each(|rule| rule.url = None);
    }
    review
}

fn text(desk: &Desk<'_>, review: &Review) -> String {
    let head = &desk.request.head_sha;
    let mut news = format!(
        "The fork's own job wrote this at {}, so whoever owns the fork could choose every word, and what is missing. \
         Nothing was resolved, settled or approved by it.\n\n",
        sanitize::code_span(body::short_head(head))
    );
    if let Some(command) = desk.forge.by_hand(head) {
        news.push_str(&format!(
            "A maintainer who has looked at the change gets a review that counts by\n\n{}\n",
            sanitize::code_fence(&format!("{command}\n"), "sh")
        ));
    }
    let mark = marker(Kind::Unverified, &[], head, &desk.trust);
    let bytes = desk.forge.comment_bytes().saturating_sub(mark.len() + 200).min(MAX_BYTES);
    let comments = Comments { bytes, most: 1, in_thread: &|_| false, link: &|_| None, news: &news, title: Some(TITLE) };
    let page = pages(review, &Sources::default(), &comments).remove(0);
    format!("{}\n\n{mark}", page.trim_end())
}
