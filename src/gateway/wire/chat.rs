//! OpenAI chat completions, as OpenAI and the many servers that copied it speak it.

mod body;
mod decode;

use super::{Decoder, Extras, Wire};
use crate::gateway::types::ModelRequest;

/// The format.
pub(super) struct Chat;

impl Wire for Chat {
    fn path(&self, _model: &str) -> String {
        "chat/completions".to_owned()
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn body(&self, request: &ModelRequest, extras: &Extras) -> Vec<u8> {
        body::write(request, extras)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(decode::ChatDecoder::default())
    }
}
