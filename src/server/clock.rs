//! The clock of the I/O thread: counts only time in which the process ran.

use std::time::{Duration, Instant};

/// If the process was stopped for a while (SIGSTOP, a frozen cgroup, a suspended machine), neither
/// its main loop nor its clients could do anything in that time. So the time must not count against
/// them: a round of the I/O thread counts at most as long as it was meant to take.
pub(crate) struct Clock {
    /// System time when this clock was last set.
    real: Instant,
    now: Instant,
}

impl Clock {
    /// Time that a round can take in addition to its wait.
    const WORK: Duration = Duration::from_secs(1);

    /// A clock that has not lost any time yet.
    pub(crate) fn new(real: Instant) -> Self {
        Self { real, now: real }
    }

    /// The time at the last `advance`.
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// Sets the clock after a round that was to wait for `wait` at most; `None` counts the whole
    /// round.
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
