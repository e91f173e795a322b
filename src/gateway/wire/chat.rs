//! OpenAI chat completions, as OpenAI and the many servers that copied it speak it.

mod body;
mod decode;

use super::{Decoder, Wire};
use crate::gateway::types::ModelRequest;

/// The format.
pub(super) struct Chat;

impl Wire for Chat {
    fn path(&self) -> &'static str {
        "chat/completions"
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn body(&self, request: &ModelRequest, forbid_storage: bool) -> Vec<u8> {
        body::write(request, forbid_storage)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(decode::ChatDecoder::default())
    }
}
