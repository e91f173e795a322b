//! GitHub's limit on what creates content: 80 requests a minute and 500 an hour, for all of a user's clients together.
//! We stay below it instead of being told, since who is told often is locked out longer.
//!
//! It knows nothing of answers: what GitHub asks for in them is waited for by `http`.

use crate::forge::ForgeError;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Writes a minute: 80 are allowed, a few are left for clocks that differ and for others.
const A_MINUTE: usize = 75;
/// Writes in 60 minutes: 500 are allowed.
const AN_HOUR: usize = 480;

/// Lets writes pass as fast as the limit allows.
#[derive(Debug)]
pub(super) struct Pacer {
    minute: Duration,
    passed: Mutex<VecDeque<Instant>>,
}

impl Pacer {
    /// `minute`: how long a minute is; tests take less.
    pub(super) fn new(minute: Duration) -> Self {
        Self { minute, passed: Mutex::default() }
    }

    /// Waits until one more write may go out. Fails where that would take longer than a minute, because the hour's share
    /// is used up.
    pub(super) async fn pass(&self) -> Result<(), ForgeError> {
        loop {
            let wait = {
                let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Instant::now();
                while passed.front().is_some_and(|then| now.duration_since(*then) >= self.minute * 60) {
                    passed.pop_front();
                }
                let since = |nth: usize| passed.len().checked_sub(nth).map(|at| now.duration_since(passed[at]));
                let left = |nth, window: Duration| since(nth).and_then(|gone| window.checked_sub(gone)).filter(|w| !w.is_zero());
                if let Some(wait) = left(AN_HOUR, self.minute * 60) {
                    return Err(ForgeError::RateLimited(wait));
                }
                match left(A_MINUTE, self.minute) {
                    Some(wait) => wait,
                    None => {
                        passed.push_back(now);
                        return Ok(());
                    }
                }
            };
            tokio::time::sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_minute_has_more_than_80_writes_and_no_hour_more_than_500() {
        let pacer = Pacer::new(Duration::from_secs(60));
        let begin = Instant::now();
        let mut times = Vec::new();
        while pacer.pass().await.is_ok() {
            times.push(begin.elapsed());
        }
        assert_eq!(times.len(), AN_HOUR);
        let in_one_minute = |from: &Duration| times.iter().filter(|t| **t >= *from && **t < *from + Duration::from_secs(60)).count();
        assert_eq!(times.iter().map(in_one_minute).max(), Some(A_MINUTE));
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(pacer.pass().await, Ok(()));
    }
}
