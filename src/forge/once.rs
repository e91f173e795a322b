//! Writes that must not happen twice, and what of an answer to them is the same on all forges.

use super::ForgeError;
use std::future::Future;

/// How often a write is tried whose answer got lost.
pub(super) const TRIES: u32 = 3;

/// Writes. After an answer that leaves it open whether the write happened ([`ForgeError::Unavailable`]), `find` looks for it
/// before it is tried again; what it finds counts as written. Any other failure is told at once.
pub(super) async fn once<T, W, F>(write: impl Fn() -> W, find: impl Fn() -> F) -> Result<T, ForgeError>
where
    W: Future<Output = Result<T, ForgeError>>,
    F: Future<Output = Result<Option<T>, ForgeError>>,
{
    let mut tries = 0;
    loop {
        tries += 1;
        let lost = match write().await {
            Err(e @ ForgeError::Unavailable(_)) => e,
            answered => return answered,
        };
        match find().await? {
            Some(written) => return Ok(written),
            None if tries == TRIES => return Err(lost),
            None => {}
        }
    }
}

/// What is gone already was to be gone.
pub(super) fn gone<T>(answer: Result<T, ForgeError>) -> Result<(), ForgeError> {
    match answer {
        Ok(_) | Err(ForgeError::Missing(_)) => Ok(()),
        Err(e) => Err(e),
    }
}

/// Whether a text that was read back is the one that was sent: servers take blanks at its ends and change line ends.
pub(super) fn same_text(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    plain(one) == plain(other)
}

/// What may not be there: `None` where it is not.
pub(super) fn found<T>(answer: Result<T, ForgeError>) -> Result<Option<T>, ForgeError> {
    match answer {
        Ok(it) => Ok(Some(it)),
        Err(ForgeError::Missing(_)) => Ok(None),
        Err(e) => Err(e),
    }
}
