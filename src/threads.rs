//! Work side by side.

use std::panic::resume_unwind;
use std::thread;

/// Does two independent things at once, the first on a thread of its own; a panic of either is passed on.
pub(crate) fn both<A: Send, B>(first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        (first.join().unwrap_or_else(|panic| resume_unwind(panic)), second)
    })
}
