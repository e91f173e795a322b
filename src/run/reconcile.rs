//! Earlier rounds' findings beside this one's.

use super::Draft;

/// Reconciles what was found with what earlier rounds told; without any, everything is new.
pub fn reconcile(draft: &mut Draft<'_>) {
    if let Some(earlier) = &draft.prepared.earlier {
        earlier.reconcile(draft);
    }
}
