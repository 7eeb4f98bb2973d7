//! The point in time at which everything that a scrape does has to end.

use std::time::{Duration, Instant};

/// The deadline of a scrape. It is copied into every step and never extended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
}

impl Deadline {
    /// `timeout` from now.
    pub(crate) fn after(timeout: Duration) -> Self {
        let now = Instant::now();
        // Durations are below 292 years (see `duration`), which fits into an Instant. If the clock
        // cannot represent it, the deadline is in a year.
        let at = now
            .checked_add(timeout)
            .unwrap_or(now + Duration::from_secs(31_536_000));
        Self { at }
    }

    /// The remaining time; zero after the deadline.
    pub(crate) fn remaining(self) -> Option<Duration> {
        self.at
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    /// The earlier of this deadline and `timeout` from now.
    pub(crate) fn or_after(self, timeout: Duration) -> Self {
        Self {
            at: self.at.min(Self::after(timeout).at),
        }
    }
}
