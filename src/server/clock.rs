//! The front's clock: counts only time in which the process ran.

use std::time::{Duration, Instant};

/// A process that was stopped for a while (SIGSTOP, a frozen cgroup, a suspended machine) must neither
/// take its main loop for dead nor its clients for slow: neither had the time. So a round of the front
/// counts for no longer than it was meant to take.
pub(crate) struct Clock {
    /// The system's time when this clock was last set.
    real: Instant,
    now: Instant,
}

impl Clock {
    /// What a round may take besides the time that it waits.
    const WORK: Duration = Duration::from_secs(1);

    /// A clock that has not lost any time yet.
    pub(crate) fn new(real: Instant) -> Self {
        Self { real, now: real }
    }

    /// The time at the last `advance`.
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// Sets the clock after a round that was to wait for `wait` at most; `None` is as long as it took.
    pub(crate) fn advance(&mut self, real: Instant, wait: Option<Duration>) -> Instant {
        let passed = real.saturating_duration_since(self.real);
        self.real = real;
        self.now += match wait {
            Some(wait) => passed.min(wait.saturating_add(Self::WORK)),
            None => passed,
        };
        self.now
    }
}

#[cfg(test)]
mod tests;
