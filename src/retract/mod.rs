//! Takes back what a bad rollout posted on a merge request, ours only: threads that nobody answered and the summary are
//! deleted, threads with answers of others are resolved and our words in them withdrawn, the verdict's label goes, the check
//! becomes neutral. A summary that is older than what is taken back is written anew, without it.
//!
//! First a [`plan`], which only reads; then [`carry_out`]. Each step finds its comment by the marker that it takes away last,
//! so a retraction that was killed is finished by the next one, and one that is done has nothing left to do. It never touches
//! what others wrote, and it leaves approvals alone: these bear no mark that says whose they are.

mod since;
mod summary;

pub use since::{Since, instant};

use crate::forge::{Check, Comment, Conclusion, Conversation, Forge, ForgeError, MergeRequest, Thread};
use crate::history::{Memory, Record, Trust, own, read};
use crate::publish::VERDICT_LABELS;

/// What is left of our words where others have answered.
const WITHDRAWN: &str = "**Retracted.** tribune posted a comment here by mistake and takes it back. The answers stay as they were written.";

/// What is done to one thing of ours.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The verdict's label goes.
    Unlabel(String),
    /// The check at this commit becomes neutral.
    Neutral(String),
    /// A thread goes.
    Remove(Thread, Option<Record>),
    /// A thread that others have answered is resolved, and our comment in it withdrawn.
    Withdraw(Thread, Option<Record>),
    /// A comment of the summary goes: its id, and when it was written.
    Delete(String, String),
    /// The summary is written anew: its id, when it was first written, and what it says then.
    Rewrite(String, String, String),
}

/// What would be done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// What is left alone, one line each.
    pub notes: Vec<String>,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Steps that were done.
    pub steps: usize,
    /// What could not be done, one line each.
    pub failed: Vec<String>,
    /// What is as it should be, but with a reservation; one line each.
    pub notes: Vec<String>,
}

/// Finds out what there is to retract of what was posted at `since` or later. Reads only.
pub async fn plan(
    forge: &dyn Forge,
    request: &MergeRequest,
    conversation: &Conversation,
    trust: &Trust<'_>,
    since: Option<Since>,
) -> Result<Plan, ForgeError> {
    let all = own(conversation, trust);
    let mut plan = Plan { steps: Vec::new(), notes: all.notes };
    let mut steps = Vec::new();
    // A time that cannot be read is not known to be earlier.
    let covered = |created: &str| since.is_none_or(|since| instant(created).is_none_or(|at| at >= since.0));
    let mut earlier = 0;
    for (thread, record) in all.threads {
        if !thread.comments.first().is_some_and(|c| covered(&c.created)) {
            earlier += 1;
        } else if answered(thread) {
            steps.push(Step::Withdraw(thread.clone(), record));
        } else {
            steps.push(Step::Remove(thread.clone(), record));
        }
    }
    let (summary, kept): (Vec<_>, Vec<_>) = all.comments.into_iter().partition(|c| covered(&c.created));
    if earlier > 0 {
        plan.notes.push(format!("{earlier} thread{} of ours from before that time: left.", if earlier == 1 { "" } else { "s" }));
    }
    let mut rest = keep_true(&kept, &read(conversation, trust), &steps, trust, &mut plan);
    steps.extend(summary.into_iter().map(|c| Step::Delete(c.id.clone(), c.created.clone())));
    if !steps.is_empty() && rest.is_some() {
        // First: they have no marker, so only what is left to do says that they are ours.
        verdict(forge, request, trust, &mut plan).await?;
    }
    plan.steps.extend(rest.take().unwrap_or_default());
    plan.steps.append(&mut steps);
    Ok(plan)
}

/// What is done so that a summary from before that time says nothing that is taken back. Before the threads, since only they tell
/// what that is. `None` where it is left as it stands, with label and check.
fn keep_true(kept: &[&Comment], memory: &Memory, threads: &[Step], trust: &Trust<'_>, plan: &mut Plan) -> Option<Vec<Step>> {
    let Some(main) = kept.iter().find(|c| memory.summary.first() == Some(&c.id)) else {
        let unverified = memory.unverified.as_ref().map(|(id, _)| id);
        if !kept.is_empty() {
            plan.notes.push("Comments of ours from before that time that are not the summary: left.".to_owned());
        }
        return kept.iter().all(|c| Some(&c.id) == unverified).then(Vec::new);
    };
    let gone: Vec<Record> = threads.iter().filter_map(|s| if let Step::Remove(_, r) | Step::Withdraw(_, r) = s { r.clone() } else { None }).collect();
    let Some(body) = summary::rewritten(memory, &gone, trust) else {
        plan.notes.push(
            "The summary was first written before that time, and no thread of ours is newer: left, with label and check. What it tells without a thread may be newer; without --since all of it is taken back."
                .to_owned(),
        );
        return None;
    };
    let mut steps = Vec::new();
    if main.body.trim() != body.trim() {
        steps.push(Step::Rewrite(main.id.clone(), main.created.clone(), body));
    }
    // From the last: only a series without gaps is known again.
    let pages = memory.summary.iter().skip(1).rev();
    steps.extend(pages.filter_map(|id| kept.iter().find(|c| c.id == *id)).map(|c| Step::Delete(c.id.clone(), c.created.clone())));
    Some(steps)
}

/// Label and check, which say the verdict.
async fn verdict(forge: &dyn Forge, request: &MergeRequest, trust: &Trust<'_>, plan: &mut Plan) -> Result<(), ForgeError> {
    for label in request.labels.iter().filter(|l| VERDICT_LABELS.contains(&l.as_str())) {
        match forge.label_setter(label).await? {
            Some(setter) if !trust.ours.contains(&setter.id) => plan.notes.push(format!("The label `{label}` was set by {}: left.", setter.name)),
            _ => plan.steps.push(Step::Unlabel(label.clone())),
        }
    }
    if forge.checked(&request.head_sha).await?.is_some_and(|conclusion| conclusion != Conclusion::Neutral) {
        plan.steps.push(Step::Neutral(request.head_sha.clone()));
    }
    Ok(())
}

/// Whether anybody else has said something in it: then it is not ours alone to delete.
fn answered(thread: &Thread) -> bool {
    let mut said = thread.comments.iter().filter(|c| !c.system).map(|c| c.author.id);
    let first = said.next();
    said.any(|id| Some(id) != first)
}

/// Does it. What one step cannot do is told, and the others are done all the same; only a token that is refused altogether,
/// or a forge that is gone, ends it.
pub async fn carry_out(forge: &dyn Forge, plan: &Plan) -> Result<Done, ForgeError> {
    let mut done = Done::default();
    for step in &plan.steps {
        match take(forge, step, &mut done).await {
            Ok(()) => done.steps += 1,
            Err(e @ (ForgeError::Unauthorised(_) | ForgeError::Unavailable(_) | ForgeError::RateLimited(_))) => return Err(e),
            Err(e) => done.failed.push(format!("{}: {e}", step.what())),
        }
    }
    Ok(done)
}

async fn take(forge: &dyn Forge, step: &Step, done: &mut Done) -> Result<(), ForgeError> {
    match step {
        Step::Remove(thread, _) => forge.remove_thread(thread).await,
        Step::Withdraw(thread, _) => {
            let resolved = thread.resolved || !thread.resolvable || forge.resolve(thread).await?;
            if !resolved {
                done.notes.push(format!("{}: the token may not resolve it, so it is only withdrawn and folded.", step.what()));
            }
            // Last, because the marker goes with it.
            forge.edit_thread(thread, WITHDRAWN).await
        }
        Step::Unlabel(label) => forge.label(&[], std::slice::from_ref(label)).await,
        Step::Neutral(head) => {
            let (title, summary) = ("Retracted".to_owned(), "What tribune said of this commit was retracted.".to_owned());
            let check = Check { head: head.clone(), conclusion: Conclusion::Neutral, title, summary, annotations: Vec::new(), unverified: false };
            match forge.check(&check).await? {
                true => Ok(()),
                false => Err(ForgeError::Forbidden("the token may not write it".to_owned())),
            }
        }
        Step::Delete(id, _) => forge.delete_comment(id).await,
        Step::Rewrite(id, _, body) => forge.edit_comment(id, body).await,
    }
}

impl Step {
    /// What is done, in a word.
    pub fn verb(&self) -> &'static str {
        match self {
            Step::Remove(..) | Step::Delete(..) => "delete",
            Step::Withdraw(..) => "withdraw",
            Step::Unlabel(_) => "remove",
            Step::Neutral(_) => "make neutral",
            Step::Rewrite(..) => "rewrite",
        }
    }

    /// To what, on one line. Holds a stranger's text.
    pub fn what(&self) -> String {
        match self {
            Step::Remove(thread, record) | Step::Withdraw(thread, record) => of_thread(thread, record.as_ref()),
            Step::Unlabel(label) => format!("label `{label}`"),
            Step::Neutral(head) => format!("check at {}", head.get(..12).unwrap_or(head)),
            Step::Delete(_, created) | Step::Rewrite(_, created, _) => format!("summary comment of {}", day(created)),
        }
    }
}

fn of_thread(thread: &Thread, record: Option<&Record>) -> String {
    let place = thread.place.as_ref().map_or(String::new(), |p| match p.line {
        Some((line, _)) => format!(" {}:{line}", p.path),
        None => format!(" {}", p.path),
    });
    let title = record.map(|r| r.title.as_str()).filter(|t| !t.is_empty()).map(|t| format!(", \u{201c}{t}\u{201d}")).unwrap_or_default();
    let created = thread.comments.first().map_or("", |c| c.created.as_str());
    format!("thread{place} of {}{title}", day(created))
}

fn day(created: &str) -> &str {
    created.get(..10).unwrap_or(created)
}
