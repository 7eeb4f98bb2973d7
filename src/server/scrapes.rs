//! Decides which requests share a scrape, how long it can take, and when the next one can begin.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::{MIN_ANSWER_TIME, Wait};
use super::connections::Connections;
use super::doorbell::{Doorbell, Scrape};
use super::pace::Pace;
use super::response::Buffers;
use super::snapshots::Snapshots;
use super::targets::Targets;
use super::turns::{Ended, Turns};
use crate::log::{self, Level};
use crate::metrics::selection::Wanted;
use crate::metrics::snapshot::Snapshot;

/// The last free snapshot is used only if another one becomes available within this time. So the
/// next client waits no longer, and half of Prometheus' 10 s remain for its scrape and response.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// Timeout from which a client counts as patient: what remains of Prometheus' default 10 s.
const PATIENT_TIME: Duration = Duration::from_secs(9);

/// The scrapes for the waiting clients.
pub(crate) struct Scrapes {
    doorbell: Doorbell,
    snapshots: Snapshots,
    targets: Targets,
    /// Longest timeout of a scrape.
    timeout: Duration,
    /// Grace period of the main loop, in addition, before the watchdog timeout.
    spare: Duration,
    running: Option<Running>,
    /// The addresses of its clients, if scrapes are logged.
    asked_by: String,
    next_batch: u64,
    /// For each target, whether it is slower than some clients allow.
    paces: Vec<Option<Pace>>,
    turns: Turns,
}

/// The running scrape.
#[derive(Clone, Copy)]
struct Running {
    batch: u64,
    began: Instant,
    time: Duration,
    /// Number of clients it is for.
    clients: usize,
    target: usize,
    /// It was aborted for another target.
    is_aborted: bool,
}

impl Scrapes {
    /// No scrape yet. Each can take `timeout`, and the main loop `spare` in addition.
    pub(crate) fn new(
        doorbell: Doorbell,
        targets: Targets,
        timeout: Duration,
        spare: Duration,
    ) -> Self {
        Self {
            doorbell,
            paces: vec![None; targets.iter().count()],
            turns: Turns::new(targets.iter().count(), timeout),
            targets,
            snapshots: Snapshots::new(),
            timeout,
            spare,
            running: None,
            asked_by: String::new(),
            next_batch: 0,
        }
    }

    /// The descriptor to poll for reports of the main loop.
    pub(crate) fn fd(&self) -> RawFd {
        self.doorbell.fd()
    }

    /// Whether a scrape is running.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The watchdog timeout of the main loop: its report must arrive before.
    pub(crate) fn gives_up_at(&self) -> Option<Instant> {
        let running = self.running?;
        Some(running.began + running.time + self.spare)
    }

    /// When the next timeout passes.
    pub(crate) fn wakes_at(&self, connections: &Connections, now: Instant) -> Option<Instant> {
        let next = match self.running {
            Some(_) => {
                let ends = [self.gives_up_at(), self.gives_way_at(connections, now)];
                ends.into_iter().flatten().min()
            }
            None => self.next(connections, now).map(|(_, begins_at)| begins_at),
        };
        let late = connections
            .waiting()
            .filter_map(|(wait, _)| self.late_at(wait))
            .min();
        [next, late].into_iter().flatten().min()
    }

    /// The target to scrape next, and when its scrape can begin; `None` if no client waits.
    fn next(&self, connections: &Connections, now: Instant) -> Option<(usize, Instant)> {
        let waiting = connections.waiting().map(|(wait, since)| {
            let target_at = self.target_at(wait.target, connections, now);
            let may_be_gone = connections.all_half_closed(wait.target);
            let rank = self.turns.rank((wait.target, since), may_be_gone, now);
            ((target_at, rank, since), wait.target)
        });
        let ((target_at, ..), target) = waiting.min_by_key(|(key, _)| *key)?;
        Some((target, target_at.max(self.snapshot_at(connections, now))))
    }

    /// When the running scrape is aborted for another target that clients wait for.
    fn gives_way_at(&self, connections: &Connections, now: Instant) -> Option<Instant> {
        let running = self.running.filter(|running| !running.is_aborted)?;
        let others = connections.waiting().filter(|(wait, _)| {
            wait.target != running.target && self.target_at(wait.target, connections, now) <= now
        });
        let scrape = (running.target, running.began);
        others
            .filter_map(|(wait, since)| self.turns.gives_way_at(scrape, (wait.target, since)))
            .min()
    }

    /// Refuses clients while too many wait.
    pub(crate) fn refuse_too_many(&self, connections: &mut Connections, now: Instant) {
        connections.refuse_too_many(|target| !self.turns.has_failed(target), now);
    }

    /// Aborts the scrape that goes on, if it is time to.
    pub(crate) fn give_way(&mut self, connections: &Connections, now: Instant) {
        if self
            .gives_way_at(connections, now)
            .is_some_and(|at| at <= now)
            && let Some(running) = &mut self.running
        {
            running.is_aborted = true;
            self.doorbell.abort(self.turns.aborted(running.target));
        }
    }

    /// The timeout for a scrape of a target: the longest timeout of the clients that share it.
    fn time_for(&self, target: usize, connections: &Connections, now: Instant) -> Duration {
        let waiting = connections
            .waiting()
            .filter(|(wait, _)| wait.target == target);
        let times = waiting.map(|(wait, _)| wait.scrape_time(now).unwrap_or(self.timeout));
        times.max().unwrap_or(self.timeout).min(self.timeout)
    }

    /// When a target can be scraped for the waiting clients.
    fn target_at(&self, target: usize, connections: &Connections, now: Instant) -> Instant {
        let shared_at = self.shared_at(target, connections).unwrap_or(now).max(now);
        match self.paces.get(target).copied().flatten() {
            Some(pace) => shared_at.max(
                pace.held_until(self.time_for(target, connections, now))
                    .unwrap_or(now),
            ),
            _ => shared_at,
        }
    }

    fn patient_time(&self) -> Duration {
        self.timeout.min(PATIENT_TIME)
    }

    /// When a snapshot is available: at the latest when the readers of the oldest have had their
    /// time.
    fn snapshot_at(&self, connections: &Connections, now: Instant) -> Instant {
        let read = self.snapshots.read();
        let first = read.filter_map(|one| connections.may_be_cut_at(one)).min();
        match (self.snapshots.free(), first) {
            (0, Some(first)) => first,
            (1, Some(first)) => first.checked_sub(MAX_WAIT).unwrap_or(now),
            _ => now,
        }
    }

    /// When a scrape can begin so that other clients share it. While several snapshots are being
    /// sent, slow readers that arrive at different times would need a snapshot each, and later
    /// clients would get none. So a scrape waits for a part of the shortest timeout of its clients,
    /// counted from the last scrape of the target.
    fn shared_at(&self, target: usize, connections: &Connections) -> Option<Instant> {
        let began = self.targets.last_began(target)?;
        let waiting = connections
            .waiting()
            .filter(|(wait, _)| wait.target == target);
        let times = waiting.map(|(wait, since)| wait.announced(since).unwrap_or(MIN_ANSWER_TIME));
        let time = times.min()?.min(MIN_ANSWER_TIME);
        Some(began + self.snapshots.spacing(time))
    }

    /// Begins the next scrape, if it is due. A scrape only for half-closed clients does not begin
    /// while there are `newcomers` to accept, who can share it.
    ///
    /// # Errors
    /// If the server is broken.
    pub(crate) fn begin(
        &mut self,
        connections: &mut Connections,
        newcomers: bool,
        now: Instant,
    ) -> io::Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let target = match self.next(connections, now) {
            Some((target, at)) if at <= now => target,
            _ => return Ok(()),
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
            target,
            is_aborted: false,
        });
        if log::enabled(Level::Debug) {
            self.asked_by = connections.peers_of(batch);
        }
        self.turns.begin(target);
        self.doorbell.ask(Scrape {
            target,
            wanted,
            time,
            is_repeated: false,
            snapshot,
            report: None,
        })
    }

    /// Cuts the readers of the oldest snapshot whose readers have all had their time.
    fn cut_readers(&self, connections: &mut Connections, now: Instant) {
        let is_over = |one| connections.may_be_cut_at(one).is_some_and(|at| at <= now);
        if let Some(oldest) = self.snapshots.read().find(|one| is_over(one)) {
            connections.cut_readers(oldest);
        }
    }

    /// Whether a client that has waited since before the last scrape ended could time out before
    /// the scrape that begins now ends.
    fn latest_may_be_needed(&self, connections: &Connections, ends: Instant) -> bool {
        connections.waiting().any(|(wait, since)| {
            let latest = self.latest_for(wait, since);
            wait.gives_up.is_some_and(|at| at < ends) && latest.is_some()
        })
    }

    /// Reads the reports of the main loop. When a scrape has ended, serves the clients that it was
    /// for.
    ///
    /// # Errors
    /// If the server is broken.
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
        let (outcome, time) = (scrape.snapshot.outcome, running.time);
        let report = scrape.report.unwrap_or_default();
        report.log(self.targets.name(scrape.target), &self.asked_by, outcome);
        let ended = match (scrape.is_repeated, running.is_aborted) {
            (true, _) => Ended::Repeated,
            (false, true) => Ended::Aborted,
            (false, false) => Ended::ByItself,
        };
        self.turns.end(outcome, time, ended, now);
        if scrape.is_repeated {
            let target = self.targets.name(scrape.target);
            log::debug("scrape ended for another target", &[("target", &target)]);
            let its = connections.waiting_mut().filter(|wait| is_for(wait));
            its.for_each(|wait| wait.batch = None);
            return Ok(());
        }
        let choose = |wait: &Wait, _| is_for(wait).then_some(Some(&scrape.snapshot));
        connections.answer(choose, buffers, now);
        self.targets.scraped(scrape.target, (outcome, report), now);
        self.snapshots.publish(scrape.snapshot, scrape.target, now);
        Ok(())
    }

    /// A scrape has ended: records whether its target is slower than some clients allow.
    fn set_pace(
        &mut self,
        running: &Running,
        target: usize,
        connections: &Connections,
        now: Instant,
    ) {
        let patient = self.patient_time();
        let mut others = connections
            .waiting()
            .filter(|(wait, _)| wait.batch.is_none());
        let is_shared = running.clients > 1 || others.any(|(wait, _)| wait.target == target);
        // One that gave way says nothing.
        if let Some(pace) = self.paces.get_mut(target).filter(|_| !running.is_aborted) {
            let took = now.saturating_duration_since(running.began);
            let times = (running.began, took, running.time);
            *pace = Pace::after(*pace, times, is_shared, patient);
        }
    }

    /// The latest snapshot, if it can serve a client that has waited since then.
    fn latest_for(&self, wait: &Wait, since: Instant) -> Option<&Arc<Snapshot>> {
        let snapshots = &self.snapshots;
        snapshots.finished_after(wait.target, since, &wait.selection)
    }

    /// When a waiting client is served with what is available. If its scrape times out at the same
    /// moment, the result of that scrape follows at once, and tells more.
    fn late_at(&self, wait: &Wait) -> Option<Instant> {
        let gives_up = wait.gives_up?;
        let scrape = self.running.filter(|one| wait.batch == Some(one.batch));
        match scrape {
            Some(one) if one.began + one.time <= gives_up => wait.ends,
            _ => Some(gives_up),
        }
    }

    /// Serves the clients whose timeout has passed: with the latest scrape, if it ended while they
    /// waited, else with 503.
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

    /// The targets.
    pub(crate) fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Releases memory that is not needed.
    pub(crate) fn trim(&mut self) {
        self.snapshots.trim();
    }
}

#[cfg(test)]
mod tests;
