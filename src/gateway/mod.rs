//! The one client for LLM gateways. Wire formats live in `wire` only; the rest of the crate knows
//! the neutral `types` alone.
//!
//! A call goes [`Gateway::complete`] -> `ask` -> budget -> attempt -> answer. `client` walks the chain of models, `ask`
//! tries one link of it: `breaker` says whether it is worth trying, `recovery` who tries again after a failure and who
//! waits for that, `budget` reserves the worst case, `attempt` sends one request and reads one stream, `classify` tells
//! what a failure means; `tape` writes all of it down, or answers in the gateway's place. It never follows a redirect,
//! never sends a token to another origin than its own, and never repeats a token or a long stretch of a stranger's text
//! in an error.

mod ask;
mod attempt;
mod breaker;
mod budget;
mod chain;
mod classify;
mod client;
mod credential;
mod endpoint;
pub(crate) mod error;
mod limits;
mod preset;
mod price;
mod prices;
pub(crate) mod recovery;
mod size;
mod sse;
mod stats;
pub mod tape;
mod types;
mod url;
mod wire;

pub use crate::http::Secret;
pub use budget::{Caps, Limit, Reached};
pub use chain::Link;
pub use client::{CallContext, Gateway, Setup};
pub use credential::TokenSource;
pub use endpoint::Endpoint;
pub use error::{ErrorKind, GatewayError};
pub use limits::Limits;
pub use preset::{Labels, Preset};
pub use price::{Long, Price};
pub use prices::Prices;
pub use stats::{CallStats, ModelStats};
pub use tape::Tape;
pub use types::{Answer, AssistantTurn, ModelRequest, Raw, Stop, ToolCall, ToolResult, ToolSpec, Turn, Usage, estimate_tokens};
pub use wire::WireKind;
