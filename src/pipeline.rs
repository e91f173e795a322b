//! The stages of a review in their order, and nothing else.

use crate::change::{self, SourceRequest};
use crate::config::{Env, Layer, Place};
use crate::date::Date;
use crate::error::UserError;
use crate::history::Past;
use crate::report::{Review, Sources};
use crate::reviewers::fanout;
use crate::rules::RuleSet;
use crate::run::{self, Prepared, Scope, Setup};
use crate::telemetry::{Event, Events};
use crate::threads::both;
use crate::{risk, secrets};

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a run starts from.
pub struct Inputs {
    /// Where the change is.
    pub source: SourceRequest,
    /// The organisation's configuration, the operator's files, the environment and the flags, in this order.
    pub layers: Vec<Layer>,
    /// Where this run takes place, for the rollout.
    pub place: Place,
    /// What to run.
    pub scope: Scope,
    /// What day it is.
    pub today: Date,
    /// What earlier rounds left, and the forge tells; `None` for what is no merge request.
    pub past: Option<Past>,
    /// Pack what reviewers would be shown even where no model will look.
    pub plan: bool,
}

/// Reads and classifies the change, runs the rules, and packs what reviewers will be shown. No model call.
/// Ends the scan early when `stop` is set.
pub fn prepare(inputs: Inputs, env: Env<'_>, events: &Events, stop: &AtomicBool) -> Result<Prepared, UserError> {
    let started = Instant::now();
    // While git answers there is time for what is the same for all changes.
    let (_, change) = both(compile, || change::open(&inputs.source));
    let change = Arc::new(change?);
    let setup = Setup::load(&change, inputs.layers, inputs.scope, &inputs.place, env, inputs.today)?;
    let risk = setup.classify(&change);
    let scanned = setup.scan(&change, &risk, stop);
    let prepared = Prepared::new(started, setup, change, risk, scanned, inputs.past, inputs.plan)?;
    events.emit(prepared.planned());
    Ok(prepared)
}

/// Reads our own rules and compiles our tables, each once for the whole run.
fn compile() {
    drop(RuleSet::built_in());
    risk::compile();
    secrets::compile();
}

/// Reviews what was prepared: reviewers, judge, verdict. What goes wrong with models is in the review; only a
/// gateway that cannot be set up at all is an error (exit 2).
pub async fn review(prepared: &Prepared, events: &Events, cancel: CancellationToken) -> Result<(Review, Sources), UserError> {
    let desk = prepared.desk(events, cancel.clone())?;
    let results = match &desk {
        Some(desk) => fanout::run(desk, prepared.tasks()).await,
        None => Vec::new(),
    };
    let mut draft = run::collect(prepared, desk.as_ref(), results);
    run::judge(desk.as_ref(), &mut draft).await;
    draft.notes.extend(desk.iter().flat_map(|desk| desk.gateway.tape_notes()));
    run::reconcile(&mut draft);
    draft.interrupted = cancel.is_cancelled();
    let (review, sources) = draft.finish();
    events.emit(Event::finished(&review));
    Ok((review, sources))
}
