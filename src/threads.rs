//! Work side by side.

use std::panic::resume_unwind;
use std::thread;

/// More threads are not started: what they share, git and the disk, is no faster for them.
const MAX_THREADS: usize = 8;

/// How many threads are worth starting on this machine, 1 to 8.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS)
}

/// Does two independent things at once, the first on a thread of its own; a panic of either is passed on.
pub(crate) fn both<A: Send, B>(first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        (first.join().unwrap_or_else(|panic| resume_unwind(panic)), second)
    })
}

/// Does the same on so many threads, this one among them, which share what there is to do. Returns what came of it here, and of each
/// other thread what came of it, or that it panicked.
pub(crate) fn together<T: Send>(threads: usize, work: impl Fn() -> T + Sync) -> (T, Vec<thread::Result<T>>) {
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(&work)).collect();
        let here = work();
        (here, others.into_iter().map(|other| other.join()).collect())
    })
}

/// Cuts `items` into at most so many parts and does something with each at once, the first on this thread. Returns what came of
/// them, in their order; a panic is passed on.
pub(crate) fn in_parts<T: Sync, R: Send>(items: &[T], parts: usize, work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let mut parts = items.chunks(items.len().div_ceil(parts.max(1)).max(1));
    let Some(first) = parts.next() else { return Vec::new() };
    let work = &work;
    thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        let mut all = vec![work(first)];
        all.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic))));
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn parts_come_back_in_order() {
        let items: Vec<u32> = (0..10).collect();
        for parts in [0, 1, 3, 10, 99] {
            let all = in_parts(&items, parts, <[u32]>::to_vec);
            assert_eq!((all.concat(), all.len() <= parts.max(1)), (items.clone(), true), "{parts}");
        }
        assert!(in_parts(&[] as &[u32], 3, <[u32]>::len).is_empty());
    }

    #[test]
    fn threads_share_what_there_is_to_do() {
        let next = AtomicUsize::new(0);
        let work = || (0..).take_while(|_| next.fetch_add(1, Ordering::Relaxed) < 100).count();
        let (here, others) = together(3, work);
        assert_eq!((others.len(), here + others.into_iter().map(|n| n.expect("no panic")).sum::<usize>()), (2, 100));
    }
}
