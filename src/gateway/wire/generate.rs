//! Google generateContent, streamed as server-sent events. The model stands in the path, not in the body.

mod body;
mod decode;

use super::{Decoder, Extras, Wire};
use crate::gateway::types::ModelRequest;

/// Ids that we gave to calls which came without one: they are never sent.
const OUR_ID: &str = "unnamed_";

/// The format.
pub(super) struct Generate;

impl Wire for Generate {
    fn path(&self, model: &str) -> String {
        let kind = if model.starts_with("models/") || model.starts_with("tunedModels/") { "" } else { "models/" };
        format!("{kind}{model}:streamGenerateContent?alt=sse")
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn body(&self, request: &ModelRequest, extras: &Extras) -> Vec<u8> {
        body::write(request, extras)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(decode::GenerateDecoder::default())
    }
}
