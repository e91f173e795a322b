//! OpenAI responses, stateless: nothing is stored, and what a model reasoned goes back encrypted.

mod body;
mod decode;

use super::{Decoder, Extras, Wire};
use crate::gateway::types::ModelRequest;

/// The format.
pub(super) struct Responses;

impl Wire for Responses {
    fn path(&self, _model: &str) -> String {
        "responses".to_owned()
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn body(&self, request: &ModelRequest, extras: &Extras) -> Vec<u8> {
        body::write(request, extras)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(decode::ResponsesDecoder::default())
    }
}
