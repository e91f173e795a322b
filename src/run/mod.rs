//! What a run carries from stage to stage: [`Setup`] (configuration, rules, prompts), [`Prepared`] (the change,
//! classified, scanned and packed), [`Draft`] (findings on their way to a review). The order of the stages is
//! in [`crate::pipeline`].

mod classify;
mod client;
mod collect;
mod draft;
mod earlier;
mod estimate;
mod judge;
mod limits;
mod prepared;
mod reconcile;
mod scan;
mod setup;
mod tasks;
mod validate;
mod waive;

pub use classify::Risk;
pub use client::Client;
pub use collect::collect;
pub use draft::Draft;
pub use earlier::Earlier;
pub use estimate::{Estimate, ReviewerEstimate};
pub use judge::judge;
pub use limits::limit_reached;
pub(crate) use limits::price;
pub use prepared::Prepared;
pub use reconcile::reconcile;
pub use scan::{FileScan, Scanned};
pub use setup::{Scope, Setup};
