//! Bounds on time, attempts and concurrency of calls.

use std::time::Duration;

/// The default time to the first byte of an answer.
const FIRST_BYTE: Duration = Duration::from_secs(120);

/// Bounds on calls. The caller's deadline and cancellation come on top.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From sending a request to the first byte of its answer's body. Default 120 s.
    pub first_byte: Duration,
    /// Without a byte in the middle of an answer; comments and pings are bytes. Default 60 s.
    pub idle: Duration,
    /// Attempts of one call at one model, at least 1. Default 3.
    pub attempts: u32,
    /// Requests at the same time at one endpoint, at least 1. Default 8.
    pub parallel: usize,
    /// The first wait before a retry where the gateway names none; doubles, at most 16 times itself. Default 0.5 s.
    pub backoff: Duration,
    /// The longest wait that a gateway can ask for; for a longer one the model is given up. Default 30 s.
    pub longest_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_byte: FIRST_BYTE,
            idle: Duration::from_secs(60),
            attempts: 3,
            parallel: 8,
            backoff: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The time to the first byte in force: who allows longer silence than the default within an answer
    /// has a slow model, which is silent before its answer too.
    pub(crate) fn first_byte(&self) -> Duration {
        if self.idle > FIRST_BYTE { self.first_byte.max(self.idle) } else { self.first_byte }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_idle_time_is_allowed_to_the_first_byte_too() {
        let with = |first: u64, idle: u64| {
            Limits { first_byte: Duration::from_secs(first), idle: Duration::from_secs(idle), ..Limits::default() }.first_byte().as_secs()
        };
        assert_eq!((with(120, 60), with(30, 60), with(120, 300), with(400, 300)), (120, 30, 300, 400));
    }
}
