//! Draft rules from documents (RFCs, guidelines, post-mortems), in stages through the gateway: [`extract`] requirements with the passages
//! that they stand in, [`group`] them, [`write`](mod@write) a rule for each group, find what [contradicts](contradict) what, make [detectors](detect) with
//! examples and run them. Code checks what models say at every stage: a passage that does not stand in the document is thrown away.
//!
//! What comes out is text for people to review. Nothing here writes a file, and no draft is ever in force.

mod contradict;
mod detect;
mod document;
mod draft;
mod extract;
mod group;
mod nodes;
mod page;
mod run;
mod talk;
mod write;

pub use document::{Document, MAX_DOCUMENTS};
pub use run::{Distilled, run};
