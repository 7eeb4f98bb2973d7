//! The point in time at which everything that a scrape does has to end.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// How long a wait that can be aborted goes on before it looks whether it was.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What becomes of a scrape that is aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Aborted {
    /// It counts as any other: what could not be read in time has failed.
    Counts = 1,
    /// It is repeated if it has read the rows; otherwise it counts.
    RepeatsWithRows,
    /// It is repeated.
    Repeats,
}

/// With this, another thread ends a scrape as if its deadline had passed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abort(&'static State);

#[derive(Debug)]
struct State {
    /// 0, or an `Aborted`.
    set: AtomicU8,
    /// Whether the scrape has noticed it. Otherwise it was complete already.
    is_noticed: AtomicBool,
}

impl Abort {
    /// One that lives as long as the process.
    pub(crate) fn new() -> Self {
        Self(Box::leak(Box::new(State {
            set: AtomicU8::new(0),
            is_noticed: AtomicBool::new(false),
        })))
    }

    /// Ends the scrape that is running.
    pub(crate) fn set(self, then: Aborted) {
        self.0.set.store(then as u8, Ordering::Relaxed);
    }

    /// The next scrape runs.
    pub(crate) fn clear(self) {
        self.0.set.store(0, Ordering::Relaxed);
        self.0.is_noticed.store(false, Ordering::Relaxed);
    }

    /// Whether it was set. The scrape notices it.
    pub(crate) fn is_set(self) -> bool {
        let is_set = self.0.set.load(Ordering::Relaxed) > 0;
        if is_set {
            self.0.is_noticed.store(true, Ordering::Relaxed);
        }
        is_set
    }

    /// Whether it cut a scrape that is repeated; `has_rows` if all rows were read.
    pub(crate) fn repeats(self, has_rows: bool) -> bool {
        let least = match has_rows {
            true => Aborted::RepeatsWithRows,
            false => Aborted::Repeats,
        };
        self.0.is_noticed.load(Ordering::Relaxed)
            && self.0.set.load(Ordering::Relaxed) >= least as u8
    }
}

/// The deadline of a scrape. It is copied into every step and never extended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    abort: Option<Abort>,
    /// Whether the rows of the scrape could not be read.
    lacks_rows: bool,
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
        Self {
            at,
            abort: None,
            lacks_rows: false,
        }
    }

    /// The same, but it has also passed once `abort` is set.
    pub(crate) fn or_at(self, abort: Option<Abort>) -> Self {
        Self { abort, ..self }
    }

    /// The same for what follows after the rows could not be read.
    pub(crate) fn without_rows(self) -> Self {
        Self {
            lacks_rows: true,
            ..self
        }
    }

    /// Whether it was aborted.
    pub(crate) fn is_aborted(self) -> bool {
        self.abort.is_some_and(Abort::is_set)
    }

    /// Whether an abort has cut the scrape, and it is repeated: then nothing of it is logged, exported or
    /// remembered as a failure.
    pub(crate) fn is_repeated(self) -> bool {
        self.abort
            .is_some_and(|abort| abort.repeats(!self.lacks_rows))
    }

    /// The remaining time; `None` after the deadline.
    pub(crate) fn remaining(self) -> Option<Duration> {
        if self.is_aborted() {
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
