//! HTTP as all connections of tribune share it: the gateway, the remote configuration, telemetry, forges. One way to
//! make a client, one idea of what an origin is, bodies read within a bound, and secrets that show nowhere.
//!
//! It never follows a redirect, never tries again by itself, never speaks in the clear to another machine, and knows
//! nothing of what it carries: headers, time-outs of whole requests and the meaning of answers are the callers'.

mod body;
mod client;
mod origin;
mod secret;
mod trouble;
pub(crate) mod wait;
pub(crate) mod words;

pub use body::{BodyError, read, read_start};
pub use client::{ClientError, builder, client, reason};
pub use origin::{Origin, Refused, is_loopback, parse};
pub use secret::Secret;
pub use trouble::{Trouble, explained, trouble};
