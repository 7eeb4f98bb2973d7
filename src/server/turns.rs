//! Decides from the last scrapes of a target when it is scraped next, and when its scrape is
//! aborted for others.
//!
//! The main loop scrapes one target at a time, so a target that hangs would delay the others by a
//! whole timeout. Therefore a scrape that takes unusually long is aborted once a target waits that
//! replies.

use std::time::{Duration, Instant};

use crate::metrics::snapshot::Outcome;
use crate::net::deadline::Aborted;

/// Minimum timeout of a target that replies; otherwise its timeout is a multiple of its last
/// duration.
const GOOD_TIME: Duration = Duration::from_secs(1);
/// That multiple: the load of a machine varies.
const GOOD_TIMES: u32 = 3;
/// Timeout of a target that was never scraped, while others wait. Most reply within this time, and
/// at the start many can hang.
const NEW_TIME: Duration = Duration::from_millis(100);
/// Timeout of a target that failed, while others wait.
const FAILED_TIME: Duration = Duration::from_millis(500);
/// Each third attempt has the whole timeout of a scrape, as long as no client of a target that
/// replies has waited this long: so a slow target that has recovered is found.
const MOST_WAIT: Duration = Duration::from_secs(1);
const TRIES: u32 = 3;

/// The standing of a target; the better one comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Its last scrape succeeded.
    Good,
    /// It was never scraped.
    New,
    /// Its last scrape failed.
    Failed,
}

/// For this multiple of the duration of a failed scrape, targets that reply go first.
const FAILED_PART: u32 = 3;

/// All targets, by number, and the running scrape.
pub(super) struct Turns {
    records: Vec<Record>,
    /// Longest timeout of a scrape. A client that has waited this long no longer waits for others.
    timeout: Duration,
    /// The target of the last scrape.
    last: usize,
    /// Whether its previous scrape had failed.
    was_of_failed: bool,
    /// Until when targets that reply go before those that failed.
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

    /// The rank of a client of a target that has waited since then. A target that failed, or has
    /// only clients that `may_be_gone`, comes after the others, but the wait is bounded. A target
    /// that failed never goes before a good one twice in a row.
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

    /// When the scrape of a target that began then is aborted for a client of another target that
    /// has waited since then.
    pub(super) fn gives_way_at(
        &self,
        (target, began): (usize, Instant),
        (other, since): (usize, Instant),
    ) -> Option<Instant> {
        let record = self.records.get(target)?;
        record.gives_way_at(began, (self.standing(other), since))
    }

    /// Records that a scrape of a target begins.
    pub(super) fn begin(&mut self, target: usize) {
        self.last = target;
        self.was_of_failed = self.has_failed(target);
    }

    /// What becomes of a scrape of this target if it is aborted. Its clients wait for another one with the whole
    /// timeout if the target was perhaps slow only once, or replies again. Otherwise they would wait for long.
    pub(super) fn aborted(&self, target: usize) -> Aborted {
        match self.records.get(target) {
            Some(record) if record.standing() != Standing::Failed => Aborted::Repeats,
            Some(record) if record.is_short() => Aborted::RepeatsWithRows,
            _ => Aborted::Counts,
        }
    }

    /// Records how the scrape ended, after it had `time`, or was aborted.
    pub(super) fn end(&mut self, outcome: Outcome, time: Duration, ended: Ended, now: Instant) {
        if self.was_of_failed {
            self.others_first_until = Some(now + outcome.took * FAILED_PART);
        }
        let Some(record) = self.records.get_mut(self.last) else {
            return;
        };
        match ended {
            Ended::Repeated => record.failed = TRIES - 1,
            _ if outcome.is_up => record.succeeded(outcome.took),
            Ended::Aborted => record.failed = record.failed.saturating_add(1),
            Ended::ByItself => record.failed(outcome.took, time, self.timeout),
        }
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

/// How a scrape ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ended {
    /// It succeeded or failed.
    ByItself,
    /// It was aborted, and counts.
    Aborted,
    /// It was aborted, and is repeated with the whole timeout.
    Repeated,
}

/// The last scrapes of a target.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    /// Duration of the last successful scrape.
    took: Option<Duration>,
    /// Number of failed scrapes since then.
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

    /// When a scrape that `began` is aborted for a target of this standing, whose client has waited
    /// since then; `None` if it is not.
    fn gives_way_at(&self, began: Instant, (other, since): (Standing, Instant)) -> Option<Instant> {
        match self.standing() {
            Standing::Failed if self.is_short() => Some(began + FAILED_TIME),
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

    /// Records a failed scrape that took `took` of its `time`, of `longest` at most. It proves
    /// nothing about the target if its clients had announced less than it can need.
    fn failed(&mut self, took: Duration, time: Duration, longest: Duration) {
        let enough = self.usual_time().max(FAILED_TIME).min(longest);
        if took < time || time >= enough {
            self.failed = self.failed.saturating_add(1);
        }
    }

    /// Whether the next attempt of a target that failed has a short timeout.
    fn is_short(&self) -> bool {
        self.failed % TRIES != TRIES - 1
    }

    /// The timeout that it has in any case.
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
