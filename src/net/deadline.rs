//! The point in time at which everything that a scrape does has to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a wait that can be aborted goes on before it looks whether it was.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// With this, another thread ends a scrape as if its deadline had passed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abort(&'static AtomicBool);

impl Abort {
    /// One that lives as long as the process.
    pub(crate) fn new() -> Self {
        Self(Box::leak(Box::new(AtomicBool::new(false))))
    }

    /// Ends what goes on now.
    pub(crate) fn set(self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// What begins now goes on.
    pub(crate) fn clear(self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether it was set.
    pub(crate) fn is_set(self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The deadline of a scrape. It is copied into every step and never extended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    abort: Option<Abort>,
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
        Self { at, abort: None }
    }

    /// The same, but it has also passed once `abort` is set.
    pub(crate) fn or_at(self, abort: Option<Abort>) -> Self {
        Self { abort, ..self }
    }

    /// The remaining time; `None` after the deadline.
    pub(crate) fn remaining(self) -> Option<Duration> {
        if self.abort.is_some_and(Abort::is_set) {
            return None;
        }
        self.at
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    /// How long a system call may wait before the deadline is looked at again; `None` after the deadline.
    pub(crate) fn next_look(self) -> Option<Duration> {
        let left = self.remaining()?;
        match self.abort {
            Some(_) => Some(left.min(LOOK_EVERY)),
            None => Some(left),
        }
    }

    /// The earlier of this deadline and `timeout` from now.
    pub(crate) fn or_after(self, timeout: Duration) -> Self {
        Self {
            at: self.at.min(Self::after(timeout).at),
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
