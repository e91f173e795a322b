//! Merging what several told, and the one call to the coordinator.

use super::{Draft, Prepared, limits};
use crate::context::fence;
use crate::findings::parse::{self, SubmitReview};
use crate::findings::schema::submit_review_schema;
use crate::gateway::ToolSpec;
use crate::judge::{coordinator, merge, verdict};
use crate::report::{ModelRun, ReviewerRun, ReviewerStatus};
use crate::reviewers::definition::ModelTier;
use crate::reviewers::once::{self, Question};
use crate::reviewers::run::Desk;
use crate::risk::Tier;
use crate::telemetry::Event;

/// The judge's id in events and reports.
const COORDINATOR: &str = "coordinator";
/// The tool that ends the judge's work.
const SUBMIT_TOOL: &str = "submit_review";
/// Merges by code, then asks the coordinator where two or more reviewers have findings. A failed judge keeps everything.
pub async fn judge(desk: Option<&Desk>, draft: &mut Draft<'_>) {
    draft.findings = merge::merge(std::mem::take(&mut draft.findings));
    verdict::sort(&mut draft.findings);
    let Some(desk) = desk else { return };
    if coordinator::needed(&draft.findings) {
        weigh(desk, draft).await;
    }
    // Nobody asks a model after this.
    limits::tell(desk, draft);
}

/// The coordinator's work on the draft.
async fn weigh(desk: &Desk, draft: &mut Draft<'_>) {
    let began = std::time::Instant::now();
    let (model, answer) = ask(desk, draft.prepared, draft).await;
    draft.notes.extend(desk.gateway.take_notes());
    let stats = desk.gateway.stats(COORDINATOR);
    let reason = answer.as_ref().err().cloned();
    desk.events.emit(Event::ReviewerFinished {
        reviewer: COORDINATOR.to_owned(),
        bundle: 1,
        findings: 0,
        failed: reason.clone(),
        ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    match answer {
        Ok(answer) => {
            let judged = coordinator::apply(std::mem::take(&mut draft.findings), &answer);
            draft.findings = judged.findings;
            draft.dropped.extend(judged.dropped);
            draft.notes.extend(judged.notes);
            draft.summary = Some(answer.summary).filter(|s| !s.trim().is_empty());
        }
        Err(why) => draft.notes.push(format!("The judge failed ({why}): all findings are kept as the reviewers told them.")),
    }
    draft.runs.push(ReviewerRun {
        id: COORDINATOR.to_owned(),
        model,
        status: if reason.is_none() { ReviewerStatus::Completed } else { ReviewerStatus::Failed },
        reason,
        seconds: began.elapsed().as_secs_f64(),
        requests: stats.requests,
        usage: stats.usage,
        first_token_seconds: stats.first_token_seconds(),
        models: ModelRun::all(&stats),
        findings: 0,
    });
}

/// The judge's answer, and the model that gave it.
async fn ask(desk: &Desk, prepared: &Prepared, draft: &Draft<'_>) -> (Option<String>, Result<SubmitReview, String>) {
    let Some(gateway) = &prepared.setup.gateway else { return (None, Err("no gateway".to_owned())) };
    let tier = if prepared.risk.tier == Tier::Full { ModelTier::Top } else { ModelTier::Standard };
    let chain = gateway.chain(COORDINATOR, tier);
    let first = chain.first().map_or(String::new(), |link| link.model.clone());
    desk.events.emit(Event::ReviewerStarted { reviewer: COORDINATOR.to_owned(), model: first, bundle: 1, bundles: 1 });
    let key = prepared.setup.state_key.as_deref();
    let question = Question {
        reviewer: COORDINATOR.to_owned(),
        part: 1,
        chain,
        tool: ToolSpec {
            name: SUBMIT_TOOL,
            description: "Ends your work: what you change, and a summary.".to_owned(),
            schema: submit_review_schema(),
        },
        system: prepared.setup.prompts.coordinator_system(&prepared.variables()).into(),
        shared: "".into(),
        own: coordinator::own_part(&draft.findings, &|label, text| fence(label, text, key).text),
        time: prepared.setup.config().limits.reviewer,
        run_ends: Some(desk.deadline),
    };
    let told = once::ask(&desk.gateway, question, &desk.cancel, |input| parse::review(input).map_err(|e| e.to_string())).await;
    (told.model, told.answer.map_err(|failed| failed.why))
}
