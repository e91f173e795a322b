//! Anthropic messages, version 2023-06-01.

mod body;
mod decode;

use super::{Decoder, Extras, Wire};
use crate::gateway::types::ModelRequest;

/// The format.
pub(super) struct Messages;

impl Wire for Messages {
    fn path(&self, _model: &str) -> String {
        "messages".to_owned()
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }

    fn body(&self, request: &ModelRequest, extras: &Extras) -> Vec<u8> {
        body::write(request, extras)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(decode::MessagesDecoder::default())
    }
}
