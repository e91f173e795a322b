//! Puts a review where people read it: threads on lines, one summary kept up to date in place, a check. It posts what can be
//! posted, tells the rest in the summary, and writes nothing twice: every step first looks at what stands there, so a run that
//! was killed is finished by the next one.
//!
//! A report that nobody trusts is shown in a comment of its own ([`unverified`]), from which nothing follows.
//!
//! The order is threads, acknowledgements, label and check, summary: the summary holds the state, so a round counts as told only
//! when all of it is. It never judges: what is new, fixed or settled was decided by `history`.

mod body;
mod plan;
mod summary;
mod unverified;

pub use unverified::unverified;

use crate::findings::{Finding, FindingStatus, Severity};
use crate::forge::{Annotation, Check, Conclusion, Forge, ForgeError, MergeRequest, Posted};
use crate::history::{Memory, Trust, next_state};
use crate::report::{Outcome, Review, Verdict};
use plan::{Plan, plan};

/// The labels that name a verdict; good ones have none.
pub const VERDICT_LABELS: [&str; 2] = ["tribune: minor issues", "tribune: significant concerns"];

/// How much is posted, as the configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The most open threads of ours on a merge request.
    pub inline_max: usize,
    /// Write a summary even where a first round has found nothing.
    pub always: bool,
    /// Approve where nothing stands against it (operator only).
    pub approve: bool,
    /// Take our approval back where the gate fails (operator only).
    pub unapprove: bool,
    /// Ask for changes where the gate fails (operator only).
    pub request_changes: bool,
    /// Tell critical and important findings only (a draft).
    pub grave_only: bool,
    /// Show the outcome at the commit too; a pipeline of the merge request's own shows it by its job.
    pub status: bool,
}

/// Everything that posting works with.
pub struct Desk<'a> {
    /// Where to.
    pub forge: &'a dyn Forge,
    /// The merge request, as it was read last.
    pub request: &'a MergeRequest,
    /// What stands there.
    pub memory: &'a Memory,
    /// How our comments are marked.
    pub trust: Trust<'a>,
    /// How much is posted.
    pub settings: Settings,
}

/// What was posted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// Threads opened.
    pub opened: usize,
    /// Threads whose finding is gone: acknowledged now.
    pub closed: usize,
    /// What could not be done, one line each.
    pub notes: Vec<String>,
}

/// Posts a review of the merge request's head. Fails where nothing may be written (the head has moved, the token may not), or
/// where the summary could not be: then the exit code is 4, and the report still has everything.
pub async fn publish(desk: &Desk<'_>, review: &Review) -> Result<Published, ForgeError> {
    let head = review.change.head_sha.as_deref().unwrap_or_default();
    if head != desk.request.head_sha {
        return Err(ForgeError::Conflict(format!("its head is {} now, {} was reviewed", desk.request.head_sha, head)));
    }
    let mut done = Published::default();
    let state = next_state(review, desk.memory);
    let plan = plan(desk, review);
    let quiet = plan.gone.is_empty() && summary::has_nothing_to_say(desk, review);
    if plan.open.is_empty() && !quiet {
        // Where threads are opened, that looks by itself.
        desk.forge.still(desk.request).await?;
    }
    let mut told: Vec<&Finding> = plan.standing.clone();
    open(desk, review, &state, &plan, &mut told, &mut done).await?;
    for gone in &plan.gone {
        match acknowledge(desk, gone, head).await {
            Ok(()) => done.closed += 1,
            Err(e) => done.notes.push(format!("A thread whose finding is gone stays open: {e}")),
        }
    }
    finish(desk, review, &told, &mut done).await;
    summary::write(desk, review, &state, &told).await?;
    if let Some((id, _)) = desk.memory.unverified.as_ref().filter(|_| !quiet)
        && let Err(e) = desk.forge.delete_comment(id).await
    {
        done.notes.push(format!("The unverified report still stands beside this one: {e}"));
    }
    Ok(done)
}

/// Opens the planned threads; what is refused is told in the summary.
async fn open<'a>(
    desk: &Desk<'_>,
    review: &Review,
    state: &crate::history::State,
    plan: &Plan<'a>,
    told: &mut Vec<&'a Finding>,
    done: &mut Published,
) -> Result<(), ForgeError> {
    if plan.open.is_empty() {
        return Ok(());
    }
    let threads: Vec<_> = plan.open.iter().map(|(finding, span)| body::thread(desk, review, state, finding, span)).collect();
    let posted = match desk.forge.open_threads(desk.request, &threads).await {
        Ok(posted) => posted,
        // Nothing was written so far, so nothing is: the new head has a run of its own, and who writes on against a limit is locked out longer.
        Err(e @ (ForgeError::Conflict(_) | ForgeError::Unauthorised(_) | ForgeError::Forbidden(_) | ForgeError::RateLimited(_))) => return Err(e),
        Err(e) => {
            done.notes.push(format!("No thread could be opened ({e}): all findings are in the summary."));
            return Ok(());
        }
    };
    for ((finding, _), posted) in plan.open.iter().zip(posted) {
        match posted {
            Posted::OnLines | Posted::OnFile => {
                told.push(finding);
                done.opened += 1;
            }
            Posted::Refused(why) => {
                done.notes.push(format!("{} could not be told on its line: {why}", finding.path));
            }
        }
    }
    Ok(())
}

/// Says that a thread's finding is gone and resolves it; where that is not allowed, our own comment says it.
async fn acknowledge(desk: &Desk<'_>, gone: &plan::Gone<'_>, head: &str) -> Result<(), ForgeError> {
    let thread = &gone.known.thread;
    let words = body::gone(head, gone.withdrawn, gone.why);
    if thread.resolved || desk.forge.resolve(thread).await? {
        return desk.forge.reply(thread, &words).await;
    }
    let first = thread.comments.first().map(|c| c.body.as_str()).unwrap_or_default();
    desk.forge.edit_thread(thread, &body::struck(&words, first)).await
}

/// Label, approval and check: none of them may lose what was posted, so what fails is a note.
async fn finish(desk: &Desk<'_>, review: &Review, told: &[&Finding], done: &mut Published) {
    if let Err(e) = label(desk, review).await {
        done.notes.push(format!("The label could not be set: {e}"));
    }
    if let Err(e) = approve(desk, review).await {
        done.notes.push(format!("Approval: {e}"));
    }
    if desk.settings.status
        && let Err(e) = desk.forge.check(&check(desk, review, told)).await
    {
        done.notes.push(format!("The outcome could not be shown at the commit: {e}"));
    }
}

/// The verdict's label, where we labelled this merge request before or have something to say.
async fn label(desk: &Desk<'_>, review: &Review) -> Result<(), ForgeError> {
    let ours: Vec<String> = desk.request.labels.iter().filter(|l| VERDICT_LABELS.contains(&l.as_str())).cloned().collect();
    let [minor, significant] = VERDICT_LABELS;
    let wanted = match review.verdict {
        Verdict::SignificantConcerns => Some(significant),
        Verdict::MinorIssues => Some(minor),
        Verdict::ApprovedWithComments | Verdict::Approved => None,
    };
    let wanted: Vec<String> = wanted.map(str::to_owned).into_iter().collect();
    let add: Vec<String> = wanted.iter().filter(|l| !ours.contains(l)).cloned().collect();
    let remove: Vec<String> = ours.into_iter().filter(|l| !wanted.contains(l)).collect();
    if add.is_empty() && remove.is_empty() { Ok(()) } else { desk.forge.label(&add, &remove).await }
}

async fn approve(desk: &Desk<'_>, review: &Review) -> Result<(), ForgeError> {
    let policy_changed = review.coverage.iter().any(|c| crate::risk::is_policy(&c.path));
    let sure = review.outcome == Outcome::Pass && review.models_looked && !policy_changed && review.override_.is_none();
    let clear = review.verdict == Verdict::Approved || review.verdict == Verdict::ApprovedWithComments;
    let fork = desk.request.provenance == crate::forge::Provenance::Fork;
    if desk.settings.approve && sure && clear && !fork {
        return desk.forge.approve(&desk.request.head_sha).await;
    }
    if desk.settings.unapprove && review.outcome == Outcome::Fail {
        desk.forge.unapprove().await?;
    }
    if desk.settings.request_changes && review.outcome == Outcome::Fail && !fork && !policy_changed {
        desk.forge.request_changes(&desk.request.head_sha, &body::changes_wanted(review)).await?;
    }
    Ok(())
}

/// The outcome at the commit. Beside the code it marks what is grave and has no thread there.
fn check(desk: &Desk<'_>, review: &Review, told: &[&Finding]) -> Check {
    let conclusion = match review.outcome {
        Outcome::Pass => Conclusion::Success,
        Outcome::Fail => Conclusion::Failure,
        Outcome::Inconclusive => Conclusion::Neutral,
    };
    let annotation = |(i, f): (usize, &Finding)| {
        let fails = review.fails(i);
        let wanted = (fails || f.severity >= Severity::Important) && f.status != FindingStatus::Settled && !told.iter().any(|t| std::ptr::eq(*t, f));
        let lines = f.anchor.lines().filter(|_| wanted && f.side == crate::diff::Side::New)?;
        let path = f.path.as_str()?.to_owned();
        let (title, body) = body::annotation(f);
        Some(Annotation { path, lines: (lines.start, lines.end), fails, title, body })
    };
    Check {
        head: desk.request.head_sha.clone(),
        conclusion,
        title: body::title(review),
        summary: body::check_summary(review),
        annotations: review.findings.iter().enumerate().filter_map(annotation).collect(),
        unverified: false,
    }
}
