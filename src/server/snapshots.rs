//! The snapshots in memory: their number and their total size are bounded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::metrics::selection::{Selection, Wanted};
use crate::metrics::snapshot::Snapshot;

/// Maximum number of snapshots. One slow reader holds one. Readers that arrive at different times,
/// such as several remote Prometheus servers, need one each. Small ones cost little.
pub(super) const MAX_SNAPSHOTS: usize = 8;
/// Minimum number of snapshots. With only one, a slow reader would block every scrape.
const MIN_SNAPSHOTS: usize = 2;
/// Total size of all snapshots in bytes. Large snapshots reduce their number, down to the minimum.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// From this number of snapshots on, one is available at once while it is not being read.
const UNSPACED: usize = 4;
/// A snapshot that nobody reads is kept for the next scrape if its size in bytes is at most this.
const KEPT_BYTES: usize = 1024 * 1024;

/// The finished snapshots, the oldest first. A running scrape has one more.
pub(crate) struct Snapshots {
    live: Vec<Arc<Snapshot>>,
    /// The target of the latest snapshot, and when it was finished.
    latest: Option<(usize, Instant)>,
}

impl Snapshots {
    /// No snapshot yet.
    pub(crate) fn new() -> Self {
        Self {
            live: Vec::with_capacity(MAX_SNAPSHOTS),
            latest: None,
        }
    }

    /// Number of scrapes that can begin before a reader has to end.
    pub(crate) fn free(&self) -> usize {
        let read = self.live.iter().filter(|one| is_read(one)).count();
        self.most().saturating_sub(read)
    }

    /// The interval between scrapes that lets each snapshot be read for `time` before the next
    /// scrape needs its place. Zero while few snapshots are being read, because one or two readers
    /// do not require others to wait.
    pub(crate) fn spacing(&self, time: Duration) -> Duration {
        let (read, most) = (self.read().count(), self.most());
        match read > 0 && read >= most / UNSPACED {
            true => time / u32::try_from(most).unwrap_or(u32::MAX),
            false => Duration::ZERO,
        }
    }

    /// A snapshot for a scrape to fill, if one is free. With `keep_latest` the latest is used last.
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

    /// Adds a finished snapshot, which becomes the latest.
    pub(crate) fn publish(&mut self, snapshot: Arc<Snapshot>, target: usize, now: Instant) {
        self.live.push(snapshot);
        self.latest = Some((target, now));
    }

    /// The latest snapshot, if it still exists, belongs to this target, was finished after `since` and has
    /// all that is selected: the clients that it was made for may have wanted less.
    pub(crate) fn finished_after(
        &self,
        target: usize,
        since: Instant,
        selection: &Selection,
    ) -> Option<&Arc<Snapshot>> {
        self.latest
            .filter(|(of, at)| *of == target && *at > since)?;
        let latest = self.live.last()?;
        let wanted = Wanted::of(selection);
        let is_whole = latest.wanted.includes(&wanted, selection.catalog());
        is_whole.then_some(latest)
    }

    /// The snapshots that are being read, the oldest first.
    pub(crate) fn read(&self) -> impl Iterator<Item = &Arc<Snapshot>> {
        self.live.iter().filter(|one| is_read(one))
    }

    /// Releases the memory of large snapshots that nobody reads, except the latest, which the next
    /// scrape needs.
    pub(crate) fn trim(&mut self) {
        let latest = self.live.pop();
        self.live
            .retain(|one| is_read(one) || one.memory_bytes() <= KEPT_BYTES);
        self.live.extend(latest);
    }

    /// The number of snapshots that is allowed now.
    fn most(&self) -> usize {
        let bytes = self.live.iter().map(|one| one.memory_bytes()).max();
        (MAX_BYTES / bytes.unwrap_or(0).max(1)).clamp(MIN_SNAPSHOTS, MAX_SNAPSHOTS)
    }
}

/// Whether a client reads it.
fn is_read(snapshot: &Arc<Snapshot>) -> bool {
    Arc::strong_count(snapshot) > 1
}

#[cfg(test)]
mod tests;
