//! The snapshots that are alive: few, and with bounded memory together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::metrics::snapshot::Snapshot;

/// One slow reader holds one. Readers who come apart, such as several Prometheus far away, need as many,
/// and those that are small cost little.
pub(super) const MAX_SNAPSHOTS: usize = 8;
/// There are always two, or one slow reader would hold every scrape up.
const MIN_SNAPSHOTS: usize = 2;
/// Memory for all of them; where so many do not fit, there are fewer.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Of this many, one can be had at once while it is not being read.
const UNSPACED: usize = 4;
/// A snapshot that nobody reads is kept for the next scrape if it takes no more than this.
const KEPT_BYTES: usize = 1024 * 1024;

/// The finished snapshots, the oldest first. A scrape that runs has one more.
pub(crate) struct Snapshots {
    live: Vec<Arc<Snapshot>>,
    /// The target of the last of them, and when it was finished.
    latest: Option<(usize, Instant)>,
}

impl Snapshots {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self {
            live: Vec::with_capacity(MAX_SNAPSHOTS),
            latest: None,
        }
    }

    /// How many scrapes could begin before a reader must end.
    pub(crate) fn free(&self) -> usize {
        let read = self.live.iter().filter(|one| is_read(one)).count();
        self.most().saturating_sub(read)
    }

    /// How far apart scrapes must begin so that each can be read for `time` before there is none left for
    /// the next. Nothing while few are being read: a reader or two do not need that others wait.
    pub(crate) fn spacing(&self, time: Duration) -> Duration {
        let (read, most) = (self.read().count(), self.most());
        match read > 0 && read >= most / UNSPACED {
            true => time / u32::try_from(most).unwrap_or(u32::MAX),
            false => Duration::ZERO,
        }
    }

    /// A snapshot for a scrape to fill, if one is free; with `keep_latest` rather not the latest.
    pub(crate) fn take(&mut self, keep_latest: bool) -> Option<Arc<Snapshot>> {
        if self.free() == 0 {
            return None;
        }
        let latest = self.live.len().saturating_sub(1);
        let unread = self.live.iter().position(|one| !is_read(one));
        match unread {
            Some(at) if at < latest || !keep_latest || self.live.len() >= self.most() => {
                if at == latest {
                    self.latest = None;
                }
                Some(self.live.remove(at))
            }
            _ => Some(Arc::default()),
        }
    }

    /// Takes a finished snapshot, from now on the latest.
    pub(crate) fn publish(&mut self, snapshot: Arc<Snapshot>, target: usize, now: Instant) {
        self.live.push(snapshot);
        self.latest = Some((target, now));
    }

    /// The latest snapshot, if it is still there, of this target, and was finished after `since`.
    pub(crate) fn finished_after(&self, target: usize, since: Instant) -> Option<&Arc<Snapshot>> {
        self.latest
            .filter(|(of, at)| *of == target && *at > since)?;
        self.live.last()
    }

    /// The snapshots that somebody reads, the oldest first.
    pub(crate) fn read(&self) -> impl Iterator<Item = &Arc<Snapshot>> {
        self.live.iter().filter(|one| is_read(one))
    }

    /// Gives the memory of large snapshots back that nobody reads, but for the latest, which the next
    /// scrape will need.
    pub(crate) fn trim(&mut self) {
        let latest = self.live.pop();
        self.live
            .retain(|one| is_read(one) || one.memory_bytes() <= KEPT_BYTES);
        self.live.extend(latest);
    }

    /// How many there may be.
    fn most(&self) -> usize {
        let bytes = self.live.iter().map(|one| one.memory_bytes()).max();
        (MAX_BYTES / bytes.unwrap_or(0).max(1)).clamp(MIN_SNAPSHOTS, MAX_SNAPSHOTS)
    }
}

/// Whether a client has it, besides us.
fn is_read(snapshot: &Arc<Snapshot>) -> bool {
    Arc::strong_count(snapshot) > 1
}

#[cfg(test)]
mod tests;
