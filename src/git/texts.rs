//! Texts that were read before: a changed file is looked at by the noise filter, the rules, the facts, and the context.

use crate::text::FileText;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// So many bytes of texts are kept; what comes later is read again.
const MAX_KEPT: usize = 16 << 20;

/// Texts by the id of their object; `None` for what is no text.
#[derive(Debug, Default)]
pub(super) struct Texts(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_id: HashMap<String, Option<FileText>>,
    bytes: usize,
}

impl Texts {
    /// What is kept under an id.
    pub(super) fn get(&self, id: &str) -> Option<Option<FileText>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_id.get(id).cloned()
    }

    /// Keeps a text, as far as there is room.
    pub(super) fn keep(&self, id: &str, text: Option<&FileText>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = text.map_or(0, |t| t.as_str().len());
        if kept.bytes + bytes <= MAX_KEPT && kept.by_id.insert(id.to_owned(), text.cloned()).is_none() {
            kept.bytes += bytes;
        }
    }
}
