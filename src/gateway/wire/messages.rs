//! Anthropic messages, version 2023-06-01.

mod body;
mod decode;

use super::{Decoder, Wire};
use crate::gateway::types::ModelRequest;

/// The format.
pub(super) struct Messages;

impl Wire for Messages {
    fn path(&self) -> &'static str {
        "messages"
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }

    /// There is no switch against storage in this format: nothing is kept for later calls.
    fn body(&self, request: &ModelRequest, _forbid_storage: bool) -> Vec<u8> {
        body::write(request)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(decode::MessagesDecoder::default())
    }
}
