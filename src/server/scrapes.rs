//! Who shares a scrape, how long it may take, and when the next may begin.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::{MIN_ANSWER_TIME, Wait};
use super::connections::Connections;
use super::doorbell::{Doorbell, Scrape};
use super::response::Buffers;
use super::snapshots::Snapshots;
use super::targets::Targets;
use crate::metrics::selection::Wanted;
use crate::metrics::snapshot::Snapshot;

/// The last free snapshot is not taken unless another one can be had after this: then whoever comes next
/// waits no longer, and has the other half of Prometheus' 10 s for its scrape and answer.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// Whoever lets a scrape take so long is patient: what Prometheus' 10 s leave for it.
const PATIENT_TIME: Duration = Duration::from_secs(9);

/// The scrapes for the clients that wait.
pub(crate) struct Scrapes {
    doorbell: Doorbell,
    snapshots: Snapshots,
    targets: Targets,
    /// The longest that a scrape may take.
    timeout: Duration,
    /// What the main loop may need besides before it is given up.
    spare: Duration,
    running: Option<Running>,
    next_batch: u64,
    /// Of each target, whether it takes longer than some have.
    paces: Vec<Option<Pace>>,
}

/// A target has not answered within the time of clients that had little. As long as it takes longer than
/// that, others with little time wait for the pace of the patient; but for a client that is alone, which
/// cannot ask more often than it waits.
#[derive(Clone, Copy)]
struct Pace {
    longer_than: Duration,
    until: Instant,
}

/// A scrape that is under way.
#[derive(Clone, Copy)]
struct Running {
    batch: u64,
    began: Instant,
    time: Duration,
    /// How many clients it is for.
    clients: usize,
}

impl Scrapes {
    /// No scrape yet; each may take `timeout`, and the main loop `spare` besides.
    pub(crate) fn new(
        doorbell: Doorbell,
        targets: Targets,
        timeout: Duration,
        spare: Duration,
    ) -> Self {
        Self {
            doorbell,
            paces: vec![None; targets.iter().count()],
            targets,
            snapshots: Snapshots::new(),
            timeout,
            spare,
            running: None,
            next_batch: 0,
        }
    }

    /// What to poll for reports of the main loop.
    pub(crate) fn fd(&self) -> RawFd {
        self.doorbell.fd()
    }

    /// Whether a scrape is under way.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// When the main loop is given up, if it does not report before.
    pub(crate) fn gives_up_at(&self) -> Option<Instant> {
        let running = self.running?;
        Some(running.began + running.time + self.spare)
    }

    /// When there is something to do, if nothing happens before.
    pub(crate) fn wakes_at(&self, connections: &Connections, now: Instant) -> Option<Instant> {
        let next = match self.running {
            Some(_) => self.gives_up_at(),
            None => self.begins_at(connections, now),
        };
        let late = connections
            .waiting()
            .filter_map(|(wait, _)| self.late_at(wait))
            .min();
        [next, late].into_iter().flatten().min()
    }

    /// When the next scrape may begin; `None` when nobody waits for one.
    fn begins_at(&self, connections: &Connections, now: Instant) -> Option<Instant> {
        let target = self.next(connections, now)?;
        let target_at = self.target_at(target, connections, now);
        Some(target_at.max(self.snapshot_at(connections, now)))
    }

    /// The target that is next.
    fn next(&self, connections: &Connections, now: Instant) -> Option<usize> {
        // A target that failed, or for which only half-closed clients wait, is scraped after the others,
        // but the wait is bounded.
        let late = |target, since| {
            let is_patient = now.saturating_duration_since(since) < self.timeout;
            is_patient && (self.targets.has_failed(target) || connections.all_half_closed(target))
        };
        let key = |(wait, since): &(&Wait, Instant)| {
            let target_at = self.target_at(wait.target, connections, now);
            (target_at, late(wait.target, *since), *since)
        };
        let (first, _) = connections.waiting().min_by_key(key)?;
        Some(first.target)
    }

    /// What a scrape of a target may take: the longest time that anybody has who will share it.
    fn time_for(&self, target: usize, connections: &Connections, now: Instant) -> Duration {
        let waiting = connections
            .waiting()
            .filter(|(wait, _)| wait.target == target);
        let times = waiting.map(|(wait, _)| wait.scrape_time(now).unwrap_or(self.timeout));
        times.max().unwrap_or(self.timeout).min(self.timeout)
    }

    /// When a target may be asked for those who wait.
    fn target_at(&self, target: usize, connections: &Connections, now: Instant) -> Instant {
        let shared_at = self.shared_at(target, connections).unwrap_or(now).max(now);
        match self.paces.get(target).copied().flatten() {
            Some(pace) if self.time_for(target, connections, now) < self.patient_time() => {
                shared_at.max(pace.until)
            }
            _ => shared_at,
        }
    }

    fn patient_time(&self) -> Duration {
        self.timeout.min(PATIENT_TIME)
    }

    /// When a snapshot can be had; then for the last readers of the oldest their time is over.
    fn snapshot_at(&self, connections: &Connections, now: Instant) -> Instant {
        let read = self.snapshots.read();
        let first = read.filter_map(|one| connections.may_be_cut_at(one)).min();
        match (self.snapshots.free(), first) {
            (0, Some(first)) => first,
            (1, Some(first)) => first.checked_sub(MAX_WAIT).unwrap_or(now),
            _ => now,
        }
    }

    /// While several snapshots are being read, a scrape waits for other clients to share it: slow readers
    /// that come apart would have a snapshot each, and who comes then none. It waits no longer than a part
    /// of the least time that a client has, from the last scrape of the target on.
    fn shared_at(&self, target: usize, connections: &Connections) -> Option<Instant> {
        let began = self.targets.last_began(target)?;
        let waiting = connections
            .waiting()
            .filter(|(wait, _)| wait.target == target);
        let times = waiting.map(|(wait, since)| wait.announced(since).unwrap_or(MIN_ANSWER_TIME));
        let time = times.min()?.min(MIN_ANSWER_TIME);
        Some(began + self.snapshots.spacing(time))
    }

    /// Begins the next scrape, if it is time to. No scrape for half-closed clients alone begins while there
    /// are `newcomers` to accept, who can share it.
    ///
    /// # Errors
    /// When the server is broken.
    pub(crate) fn begin(
        &mut self,
        connections: &mut Connections,
        newcomers: bool,
        now: Instant,
    ) -> io::Result<()> {
        if self.running.is_some() || self.begins_at(connections, now).is_none_or(|at| at > now) {
            return Ok(());
        }
        let Some(target) = self.next(connections, now) else {
            return Ok(());
        };
        if newcomers && connections.all_half_closed(target) {
            return Ok(());
        }
        let time = self.time_for(target, connections, now);
        if self.snapshots.free() == 0 {
            self.cut_readers(connections, now);
        }
        let keep_latest = self.latest_may_be_needed(connections, now + time);
        let Some(snapshot) = self.snapshots.take(keep_latest) else {
            return Ok(());
        };
        let batch = self.next_batch;
        self.next_batch += 1;
        let (mut wanted, mut clients) = (Wanted::default(), 0);
        for wait in connections
            .waiting_mut()
            .filter(|wait| wait.target == target)
        {
            wanted.add(&wait.selection);
            wait.batch = Some(batch);
            clients += 1;
        }
        self.running = Some(Running {
            batch,
            began: now,
            time,
            clients,
        });
        self.doorbell.ask(Scrape {
            target,
            wanted,
            time,
            snapshot,
        })
    }

    /// Cuts those who read the oldest snapshot of which all readers had their time.
    fn cut_readers(&self, connections: &mut Connections, now: Instant) {
        let is_over = |one| connections.may_be_cut_at(one).is_some_and(|at| at <= now);
        if let Some(oldest) = self.snapshots.read().find(|one| is_over(one)) {
            connections.cut_readers(oldest);
        }
    }

    /// Whether somebody who waits may run out of time before the scrape ends that begins now, and has
    /// waited since before the last one ended.
    fn latest_may_be_needed(&self, connections: &Connections, ends: Instant) -> bool {
        connections.waiting().any(|(wait, since)| {
            let latest = self.latest_for(wait, since);
            wait.gives_up.is_some_and(|at| at < ends) && latest.is_some()
        })
    }

    /// Reads what the main loop reports; when a scrape is over, answers those it was for.
    ///
    /// # Errors
    /// When the server is broken.
    pub(crate) fn receive(
        &mut self,
        connections: &mut Connections,
        buffers: &mut Buffers,
        now: Instant,
    ) -> io::Result<()> {
        let Some(scrape) = self.doorbell.report()? else {
            return Ok(());
        };
        let Some(running) = self.running.take() else {
            return Ok(());
        };
        self.set_pace(&running, scrape.target, connections, now);
        let is_for = |wait: &Wait| wait.batch == Some(running.batch);
        let choose = |wait: &Wait, _| is_for(wait).then_some(Some(&scrape.snapshot));
        connections.answer(choose, buffers, now);
        self.targets
            .scraped(scrape.target, scrape.snapshot.outcome, now);
        self.snapshots.publish(scrape.snapshot, scrape.target, now);
        Ok(())
    }

    /// A scrape is over: whether its target takes longer than some have.
    fn set_pace(
        &mut self,
        running: &Running,
        target: usize,
        connections: &Connections,
        now: Instant,
    ) {
        let patient = self.patient_time();
        let Some(pace) = self.paces.get_mut(target) else {
            return;
        };
        let took = now.saturating_duration_since(running.began);
        let mut others = connections
            .waiting()
            .filter(|(wait, _)| wait.batch.is_none());
        let is_shared = running.clients > 1 || others.any(|(wait, _)| wait.target == target);
        let was_short = took >= running.time && running.time < patient;
        let longer_than = match *pace {
            _ if was_short => is_shared.then_some(running.time),
            Some(pace) if took > pace.longer_than => Some(pace.longer_than),
            _ => None,
        };
        let until = running.began + patient;
        *pace = longer_than.map(|longer_than| Pace { longer_than, until });
    }

    /// The latest snapshot, if a client can be answered with it that waits since then.
    fn latest_for(&self, wait: &Wait, since: Instant) -> Option<&Arc<Snapshot>> {
        let snapshots = &self.snapshots;
        snapshots.finished_after(wait.target, since, &wait.selection)
    }

    /// When a client that waits is answered with what there is. If its scrape has run out of time by then,
    /// what comes of that is here in a moment, and says more.
    fn late_at(&self, wait: &Wait) -> Option<Instant> {
        let gives_up = wait.gives_up?;
        let scrape = self.running.filter(|one| wait.batch == Some(one.batch));
        match scrape {
            Some(one) if one.began + one.time <= gives_up => wait.ends,
            _ => Some(gives_up),
        }
    }

    /// Answers those whose time is over: with the latest scrape, if that ended while they waited.
    pub(crate) fn answer_late(
        &self,
        connections: &mut Connections,
        buffers: &mut Buffers,
        now: Instant,
    ) {
        let is_late = |wait: &Wait| self.late_at(wait).is_some_and(|at| at <= now);
        let choose = |wait: &Wait, since| is_late(wait).then(|| self.latest_for(wait, since));
        connections.answer(choose, buffers, now);
    }

    /// What can be asked for.
    pub(crate) fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Gives memory back that nobody needs.
    pub(crate) fn trim(&mut self) {
        self.snapshots.trim();
    }
}

#[cfg(test)]
mod tests;
