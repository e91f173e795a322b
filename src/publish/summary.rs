//! The summary comment: written once, edited in place, continued in numbered comments where one cannot hold it.

use super::{Desk, body};
use crate::findings::{Finding, FindingStatus, Severity, sanitize};
use crate::forge::ForgeError;
use crate::history::{Kind, State, Status, marker};
use crate::report::markdown::{Comments, pages};
use crate::report::{Outcome, Review, Sources};
use crate::secrets;

/// The most comments of one summary.
const MAX_PAGES: usize = 40;
/// The most bytes of a page's text where the forge allows more: longer comments are not read.
const MAX_BYTES: usize = 60_000;
/// Room for the largest marker.
const MARKER_BYTES: usize = 45_000;
/// Earlier findings that are named one by one.
const MAX_NAMED: usize = 20;

/// Brings the summary up to date. Nothing is written where a first round has nothing to say, nor where all stands already.
pub(super) async fn write(desk: &Desk<'_>, review: &Review, state: &State, told: &[&Finding]) -> Result<(), ForgeError> {
    if has_nothing_to_say(desk, review) {
        return Ok(());
    }
    let bodies = bodies(desk, review, state, told);
    for (i, body) in bodies.iter().enumerate() {
        match (desk.memory.summary.get(i), desk.memory.summary_bodies.get(i)) {
            (Some(_), Some(stands)) if stands.trim() == body.trim() => {}
            (Some(id), _) => match desk.forge.edit_comment(id, body).await {
                // Somebody deleted it.
                Err(ForgeError::Missing(_)) => drop(desk.forge.comment(body).await?),
                done => done?,
            },
            (None, _) => drop(desk.forge.comment(body).await?),
        }
    }
    // From the last: only a series without gaps is known again.
    for id in desk.memory.summary.iter().skip(bodies.len()).rev() {
        desk.forge.delete_comment(id).await?;
    }
    Ok(())
}

/// Whether this is a complete first round that has found nothing, of which nobody wants to hear.
pub(super) fn has_nothing_to_say(desk: &Desk<'_>, review: &Review) -> bool {
    desk.memory.summary.is_empty() && !desk.settings.always && silent(review)
}

fn silent(review: &Review) -> bool {
    review.findings.is_empty() && review.prior.is_empty() && review.outcome == Outcome::Pass && review.override_.is_none()
}

/// What a draft's summary tells: what is grave, and how much else waits.
fn of_draft(review: &Review) -> Review {
    let mut review = review.clone();
    let all = review.findings.len();
    review.findings.retain(|f| f.severity >= Severity::Important);
    let waiting = all - review.findings.len();
    if waiting > 0 {
        let them = if waiting == 1 { "suggestion or nit waits" } else { "suggestions and nits wait" };
        review.notes.push(format!("A draft: {waiting} {them} until it is ready."));
    }
    review
}

fn bodies(desk: &Desk<'_>, review: &Review, state: &State, told: &[&Finding]) -> Vec<String> {
    let shown = desk.settings.grave_only.then(|| of_draft(review));
    let review = shown.as_ref().unwrap_or(review);
    let head = review.change.head_sha.as_deref().unwrap_or_default();
    let state_marker = marker(Kind::Summary(1), &state.payload(), head, &desk.trust);
    let news = news(review);
    // Where the forge takes long comments, the marker needs no room of the text.
    let bytes = desk.forge.comment_bytes().saturating_sub(state_marker.len().min(MARKER_BYTES) + 200).min(MAX_BYTES);
    let link = |f: &Finding| {
        let lines = f.anchor.lines().map(|l| (l.start, l.end));
        let (sha, path) = match f.side {
            crate::diff::Side::New => (Some(head), &f.path),
            crate::diff::Side::Old => (review.change.base_sha.as_deref(), f.old_path.as_ref().unwrap_or(&f.path)),
        };
        // A name that holds a secret is shown masked, so nothing may lead there.
        let path = path.as_str().filter(|p| secrets::mask(p) == *p)?;
        Some(desk.forge.link(sha?, path, lines))
    };
    let in_thread = |f: &Finding| told.iter().any(|t| t.fingerprint == f.fingerprint && t.path == f.path);
    let comments = Comments { bytes, most: MAX_PAGES, in_thread: &in_thread, link: &link, news: &news, title: None };
    let pages = pages(review, &Sources::default(), &comments);
    let mark = |i: usize| match i {
        0 => state_marker.clone(),
        _ => marker(Kind::Summary(u32::try_from(i + 1).unwrap_or(u32::MAX)), &[], head, &desk.trust),
    };
    pages.iter().enumerate().map(|(i, page)| format!("{}\n\n{}", page.trim_end(), mark(i))).collect()
}

/// What is new since the last round, who opened the gate, and how to.
fn news(review: &Review) -> String {
    let mut out = String::new();
    let head = review.change.head_sha.as_deref().unwrap_or_default();
    if let Some(o) = &review.override_ {
        let role = format!("{:?}", o.role);
        out.push_str(&format!(
            "**Break glass** by {} ({role}) for {}: {}\n\n",
            sanitize::inline(&o.by),
            body::short_head(&o.head),
            sanitize::inline(&body::short(&o.reason))
        ));
    }
    if review.round > 1 {
        let new = review.findings.iter().filter(|f| f.status == FindingStatus::New).count();
        let count = |status| review.prior.iter().filter(|p| p.status == status).count();
        let parts: Vec<String> = [
            (new, "new"),
            (count(Status::Open), "persisting"),
            (count(Status::Fixed), "fixed"),
            (count(Status::Settled), "settled"),
            (count(Status::Withdrawn), "withdrawn"),
        ]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
        let parts = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
        out.push_str(&format!("Round {}, at {}. Since the round before: {parts}.\n\n", review.round, sanitize::code_span(body::short_head(head))));
        out.push_str(&gone(review));
    } else {
        out.push_str(&format!("Reviewed at {}.\n\n", sanitize::code_span(body::short_head(head))));
    }
    if review.outcome == Outcome::Fail {
        let copy = sanitize::code_span(&format!("tribune break glass {}: <reason>", body::short_head(head)));
        out.push_str(&format!("<sub>A maintainer who must merge this anyway writes the comment {copy}. The findings stay.</sub>\n\n"));
    }
    out
}

/// Earlier findings that are gone, folded.
fn gone(review: &Review) -> String {
    let gone: Vec<_> = review.prior.iter().filter(|p| p.status != Status::Open).collect();
    if gone.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<details><summary>{} of earlier rounds</summary>\n\n",
        if gone.len() == 1 { "1 finding".to_owned() } else { format!("{} findings", gone.len()) }
    );
    for prior in gone.iter().take(MAX_NAMED) {
        let word = match prior.status {
            Status::Open => "persisting",
            Status::Fixed => "fixed",
            Status::Settled => "settled",
            Status::Withdrawn => "withdrawn",
        };
        let by = prior.by.as_deref().map(|b| format!(" by {}", sanitize::inline(b))).unwrap_or_default();
        let why = prior.why.as_deref().map(|w| format!(": {}", sanitize::inline(&body::short(w)))).unwrap_or_default();
        out.push_str(&format!("- {} ({}): {word}{by}{why}\n", sanitize::inline(&body::short(&prior.title)), prior.severity.label()));
    }
    if gone.len() > MAX_NAMED {
        out.push_str(&format!("- and {} more\n", gone.len() - MAX_NAMED));
    }
    out.push_str("\n</details>\n\n");
    out
}
