//! What a target's last scrapes say of its next: its turn among others, and when it gives way to them.
//!
//! The main loop scrapes one target at a time, so a target that hangs would cost the others as long as a
//! scrape may take. Therefore a scrape that takes unusually long is aborted once a target waits that answers.

use std::time::{Duration, Instant};

use crate::metrics::snapshot::Outcome;

/// A target that answers has at least this time, and otherwise a multiple of what it took last.
const GOOD_TIME: Duration = Duration::from_secs(1);
/// The multiple of it: the load of a machine varies.
const GOOD_TIMES: u32 = 3;
/// Nobody knows yet whether a target hangs that was never scraped. Most answer within this time, and at the
/// start many may hang.
const NEW_TIME: Duration = Duration::from_millis(100);
/// A target that failed is tried for this time while others wait.
const FAILED_TIME: Duration = Duration::from_millis(500);
/// Each third try has all the time that a scrape may take, as long as no client of a target that answers has
/// waited for so long: so a slow target that works again is found.
const MOST_WAIT: Duration = Duration::from_secs(1);
const TRIES: u32 = 3;

/// What is known of a target; the better comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Its last scrape succeeded.
    Good,
    /// It was never scraped.
    New,
    /// Its last scrape failed.
    Failed,
}

/// So many times as long as a scrape of a target that had failed, those go first that answer.
const FAILED_PART: u32 = 3;

/// All targets, by number, and the scrape that goes on.
pub(super) struct Turns {
    records: Vec<Record>,
    /// The longest that a scrape may take. Whoever has waited for so long waits no longer for others.
    timeout: Duration,
    /// The target of the last scrape.
    last: usize,
    /// Whether it had failed before.
    was_of_failed: bool,
    /// Until when targets that failed let those go first that answer.
    others_first_until: Option<Instant>,
}

impl Turns {
    pub(super) fn new(targets: usize, timeout: Duration) -> Self {
        Self {
            records: vec![Record::default(); targets],
            timeout,
            last: 0,
            was_of_failed: false,
            others_first_until: None,
        }
    }

    /// The rank of a client of a target that waits since then. One that failed, or that has only clients that
    /// `may_be_gone`, comes after the others, but the wait is bounded. One that failed never goes before a good
    /// one twice in a row.
    pub(super) fn rank(
        &self,
        (target, since): (usize, Instant),
        may_be_gone: bool,
        now: Instant,
    ) -> Standing {
        let is_patient = now.saturating_duration_since(since) < self.timeout;
        let others_first =
            self.was_of_failed || self.others_first_until.is_some_and(|until| now < until);
        match self.standing(target) {
            _ if is_patient && may_be_gone => Standing::Failed,
            Standing::Failed if is_patient || others_first => Standing::Failed,
            Standing::New if is_patient => Standing::New,
            _ => Standing::Good,
        }
    }

    /// When the scrape of a target that began then gives way to a client of another that waits since then.
    pub(super) fn gives_way_at(
        &self,
        (target, began): (usize, Instant),
        (other, since): (usize, Instant),
    ) -> Option<Instant> {
        let record = self.records.get(target)?;
        record.gives_way_at(began, (self.standing(other), since))
    }

    /// A scrape of a target begins.
    pub(super) fn begin(&mut self, target: usize) {
        self.last = target;
        self.was_of_failed = self.has_failed(target);
    }

    /// It ended so, after it had `time`, or was aborted. Returns whether its clients wait on for another.
    pub(super) fn end(
        &mut self,
        outcome: Outcome,
        time: Duration,
        was_aborted: bool,
        now: Instant,
    ) -> bool {
        if self.was_of_failed {
            self.others_first_until = Some(now + outcome.took * FAILED_PART);
        }
        let Some(record) = self.records.get_mut(self.last) else {
            return false;
        };
        match outcome.is_up {
            true => record.succeeded(outcome.took),
            false if was_aborted => return record.aborted(),
            false => record.failed(outcome.took, time, self.timeout),
        }
        false
    }

    /// Whether the last scrape of a target failed.
    pub(super) fn has_failed(&self, target: usize) -> bool {
        self.standing(target) == Standing::Failed
    }

    fn standing(&self, target: usize) -> Standing {
        let record = self.records.get(target).copied();
        record.unwrap_or_default().standing()
    }
}

/// The last scrapes of a target.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    /// What the last one took that succeeded.
    took: Option<Duration>,
    /// How many failed since then.
    failed: u32,
}

impl Record {
    fn standing(&self) -> Standing {
        match (self.failed, self.took) {
            (0, Some(_)) => Standing::Good,
            (0, None) => Standing::New,
            _ => Standing::Failed,
        }
    }

    /// When a scrape that `began` gives way to a target of this standing, whose client waits since then;
    /// `None` if it does not.
    fn gives_way_at(&self, began: Instant, (other, since): (Standing, Instant)) -> Option<Instant> {
        let is_short = self.standing() == Standing::Failed && self.failed % TRIES != TRIES - 1;
        match self.standing() {
            Standing::Failed if is_short => Some(began + FAILED_TIME),
            _ if other == Standing::Failed => None,
            Standing::Failed => Some(began.max(since) + MOST_WAIT),
            Standing::Good | Standing::New => Some(began + self.usual_time()),
        }
    }

    /// A scrape succeeded.
    fn succeeded(&mut self, took: Duration) {
        *self = Self {
            took: Some(took),
            failed: 0,
        };
    }

    /// A scrape failed that took `took` of the `time` that it had, of `longest` at most. It says nothing of the
    /// target if its clients had announced less than that may need.
    fn failed(&mut self, took: Duration, time: Duration, longest: Duration) {
        let enough = self.usual_time().max(FAILED_TIME).min(longest);
        if took < time || time >= enough {
            self.failed = self.failed.saturating_add(1);
        }
    }

    /// A scrape was aborted. Returns whether its clients wait on for another, which has all its time: the
    /// target may only have been slow for once.
    fn aborted(&mut self) -> bool {
        let waits_on = self.standing() != Standing::Failed;
        self.failed = match waits_on {
            true => TRIES - 1,
            false => self.failed.saturating_add(1),
        };
        waits_on
    }

    /// The time that it has in any case.
    fn usual_time(&self) -> Duration {
        match (self.standing(), self.took) {
            (Standing::Good, Some(took)) => took.saturating_mul(GOOD_TIMES).max(GOOD_TIME),
            (Standing::New, _) => NEW_TIME,
            _ => FAILED_TIME,
        }
    }
}

#[cfg(test)]
mod tests;
