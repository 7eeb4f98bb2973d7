//! One point in time that everything a scrape does must stay before.

use std::time::{Duration, Instant};

/// The end of a scrape's time. Copied into every step, never renewed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
}

impl Deadline {
    /// `timeout` from now.
    pub(crate) fn after(timeout: Duration) -> Self {
        let now = Instant::now();
        // Durations are below 292 years (see `duration`), which an Instant holds; a year is the
        // answer for a clock that cannot.
        let at = now
            .checked_add(timeout)
            .unwrap_or(now + Duration::from_secs(31_536_000));
        Self { at }
    }

    /// What is left, or nothing once the deadline has passed.
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
