//! The master process of `--haproxy.master-socket`: reloads, and the workers of before them.
//!
//! One question a connection: a worker that dies in the middle of its answer leaves the master's
//! connection open, and what another question brings would complete it. A worker that does not answer
//! keeps one of the ten slots that it and the master have until it runs again, so it is not asked again.

use std::fmt::Display;
use std::time::{Duration, Instant};

use super::processes::{Processes, SHOW_PROC, Worker};
use super::question::{Ending, ask, ending};
use super::traffic::{OldTraffic, Traffic};
use super::{COMMAND, MASTER, Master, OLD_WORKERS, OldWorkers};
use crate::commands::watch;
use crate::commands::info::Info;
use crate::event::Event;
use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::error::{Problem, SourceError};
use crate::haproxy::reader::Limits;
use crate::haproxy::reply::ReplyError;
use crate::haproxy::socket::Spent;
use crate::haproxy::source::Source;
use crate::log::Level;
use crate::metrics::snapshot::Sink;
use crate::process::ProcRoot;

/// Most questions that may be without an answer at a time: HAProxy has ten slots, and others need some.
const MOST_ABANDONED: usize = 2;
/// How often a master is asked that does not answer, once `MOST_ABANDONED` were left behind.
const ASK_AGAIN_EVERY: Duration = Duration::from_secs(10);
/// A worker that has less time to answer than this is not asked: it would count as one that is silent.
const LEAST_TIME: Duration = Duration::from_millis(100);
/// How long the socket may fail while the master starts itself anew: it took 1.3 s under load.
const RELOAD_TIME: Duration = Duration::from_secs(5);
/// How long a worker that is listed may close what it is asked on. It does while it ends.
const ENDING_TIME: Duration = Duration::from_secs(5);

/// The questions to a master, and what is kept from scrape to scrape.
pub(crate) struct MasterWatch {
    source: Source,
    processes: Processes,
    info: Info,
    traffic: OldTraffic,
    /// The process that answered a scrape last.
    current: Option<u64>,
    /// What had been spent on asking the scrape URI when that process said what it had done, and by now.
    spent_when_seen: Spent,
    spent: Spent,
    /// Workers that were asked and did not answer in time.
    abandoned: Vec<u64>,
    /// Workers that closed without an answer, and since when: those that end do for a moment.
    closed: Vec<(u64, Instant)>,
    /// How many questions to the master itself had no answer in time, in a row, and when the last had.
    lists_abandoned: usize,
    list_asked: Option<Instant>,
    /// The last look that was whole.
    shown: Option<Look>,
    failing: Option<Failing>,
    failed: Event,
    unanswered: Event,
}

/// Why there is no look.
struct Failing {
    since: Instant,
    error: SourceError,
}

/// What one look at the master and its workers has found.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    master: Master,
    old: OldWorkers,
}

/// What became of the question to a worker.
enum Answer {
    /// Its `show info` is there; that many bytes.
    Info(u64),
    /// It has ended since it was listed.
    Gone,
    /// The worker gave none, or was not asked.
    Missing,
}

impl MasterWatch {
    /// Nothing was asked yet.
    pub(crate) fn new(source: Source, target: Option<&str>) -> Self {
        let event = |message, over| Event::new(Level::Warn, message, over).of(target);
        Self {
            source,
            processes: Processes::default(),
            info: Info::default(),
            traffic: OldTraffic::default(),
            current: None,
            spent_when_seen: Spent::default(),
            spent: Spent::default(),
            abandoned: Vec::new(),
            closed: Vec::new(),
            lists_abandoned: 0,
            list_asked: None,
            shown: None,
            failing: None,
            failed: watch::failed(&COMMAND, target),
            unanswered: event("workers do not answer", "all workers answer again"),
        }
    }

    /// What the process that serves has done so far, if it was asked; what had been spent on asking it
    /// then, and what has been by now.
    pub(crate) fn saw_current(&mut self, info: &Info, at_info: Spent, now: Spent) {
        self.spent = now;
        match pid(info) {
            Some(pid) => {
                self.current = Some(pid);
                self.spent_when_seen = at_info;
                // It was silent at a time, and is not any more.
                self.abandoned.retain(|other| *other != pid);
                self.traffic
                    .saw(pid, traffic(info), now.since(at_info).into());
            }
            None => {
                let since = now.since(self.spent_when_seen);
                self.traffic.caused(self.current, since.into());
            }
        }
    }

    /// Asks the master and the workers, but not the one that has answered the scrape, and puts the rows
    /// into the snapshot. It has half of the time that is left, and a failure costs these rows alone.
    pub(crate) fn add(
        &mut self,
        current: &Info,
        limits: Limits,
        buffer: &mut ReadBuffer,
        proc_root: &mut ProcRoot,
        into: &mut Sink<'_>,
    ) {
        let now = Instant::now();
        if self.may_ask(now) {
            match self.look(current, limits.half(), buffer, proc_root) {
                Ok(look) => {
                    self.shown = Some(look);
                    self.failing = None;
                    self.failed.is_over();
                }
                Err(error) => {
                    let since = self.failing.as_ref().map_or(now, |failing| failing.since);
                    self.failing = Some(Failing { since, error });
                }
            }
        }
        if let Some(failing) = &self.failing
            && !(self.shown.is_some() && failing.may_be_reload(now))
        {
            self.shown = None;
            self.failed.report(Some(&failing.error));
        }
        self.put_rows(into);
    }

    fn put_rows(&self, into: &mut Sink<'_>) {
        let look = self.shown.unwrap_or_default();
        into.add(&MASTER)
            .put(&[], |value| value(&look.master));
        if self.shown.is_none() {
            return;
        }
        let old = OldWorkers {
            done: self.traffic.sum(),
            ..look.old
        };
        into.add(&OLD_WORKERS)
            .put(&[], |value| value(&old));
    }

    /// A master that hangs has slots for a few questions only.
    fn may_ask(&self, now: Instant) -> bool {
        let is_recent = |asked: Instant| now.saturating_duration_since(asked) < ASK_AGAIN_EVERY;
        self.lists_abandoned < MOST_ABANDONED || !self.list_asked.is_some_and(is_recent)
    }

    fn look(
        &mut self,
        current: &Info,
        limits: Limits,
        buffer: &mut ReadBuffer,
        proc_root: &mut ProcRoot,
    ) -> Result<Look, SourceError> {
        self.list(limits, buffer)?;
        let listed = self.processes.workers();
        let is_listed = |pid: u64| listed.iter().any(|worker| worker.pid == pid);
        self.abandoned.retain(|pid| is_listed(*pid));
        self.closed.retain(|(pid, _)| is_listed(*pid));
        let mut look = Look::default();
        look.master.is_up = true;
        let mut master_pid = 0;
        if let Some(master) = self.processes.master() {
            master_pid = master.pid;
            look.master.uptime = master.uptime_seconds;
            look.master.reloads = master.reloads;
            look.master.last_reload_successful = master.failed.map(|failed| failed == 0);
        }
        // Without an old worker the sum is 0, not unknown.
        look.old.memory_bytes = Some(0);
        let mut silent = Silent::default();
        // Those first that only the master can ask.
        let mut workers = listed.to_vec();
        workers.sort_by_key(|worker| !worker.is_listed_old);
        for worker in &workers {
            let is_current = Some(worker.pid) == pid(current);
            let is_stopping_now = is_current.then(|| is_stopping(current)).flatten();
            if is_current && !worker.is_listed_old && is_stopping_now != Some(true) {
                continue;
            }
            let answer = match self.ask(worker.pid, limits, buffer, &mut silent) {
                Ok(answer) => answer,
                Err(error) => {
                    self.report_silent(silent);
                    return Err(error);
                }
            };
            let is_old = match answer {
                Answer::Gone => false,
                Answer::Missing => is_stopping_now.unwrap_or(worker.is_listed_old),
                Answer::Info(_) => is_stopping(&self.info).unwrap_or(worker.is_listed_old),
            };
            if let Answer::Info(bytes_out) = answer {
                self.take(worker.pid, is_old, bytes_out);
            }
            if is_old {
                let memory = proc_root.resident_memory_of_child(worker.pid, master_pid);
                look.old.add(worker, &answer, &self.info, memory);
            }
        }
        let listed = workers.iter().map(|worker| worker.pid);
        self.traffic.looked(listed.collect());
        self.report_silent(silent);
        Ok(look)
    }

    /// Asks which processes there are.
    fn list(&mut self, limits: Limits, buffer: &mut ReadBuffer) -> Result<(), SourceError> {
        self.processes.clear();
        self.list_asked = Some(Instant::now());
        let limits = limits.half();
        let had_time = limits.deadline.remaining() >= Some(LEAST_TIME);
        let (_, result) = ask(
            &mut self.source,
            SHOW_PROC,
            &mut self.processes,
            limits,
            buffer,
        );
        match &result {
            // With less time its silence says nothing.
            Err(error) if ending(error) == Ending::Abandoned => {
                self.lists_abandoned += usize::from(had_time);
            }
            _ => self.lists_abandoned = 0,
        }
        result
    }

    /// Asks a worker, unless it was without an answer before or too many are.
    ///
    /// # Errors
    /// When the master's socket fails: that says nothing of the worker.
    fn ask(
        &mut self,
        pid: u64,
        limits: Limits,
        buffer: &mut ReadBuffer,
        silent: &mut Silent,
    ) -> Result<Answer, SourceError> {
        self.info.clear();
        let limits = limits.half();
        let is_short = limits.deadline.remaining() < Some(LEAST_TIME);
        if is_short || self.abandoned.contains(&pid) || self.abandoned.len() >= MOST_ABANDONED {
            silent.count += 1;
            return Ok(Answer::Missing);
        }
        let command = format!("@!{pid} show info");
        let (bytes, result) = ask(&mut self.source, &command, &mut self.info, limits, buffer);
        let Err(error) = result else {
            self.closed.retain(|(closed, _)| *closed != pid);
            return Ok(Answer::Info(bytes));
        };
        self.info.clear();
        match ending(&error) {
            Ending::NoSuchProcess => return Ok(Answer::Gone),
            Ending::Closed if self.is_ending(pid, Instant::now()) => return Ok(Answer::Gone),
            Ending::OfMaster => return Err(error),
            Ending::Abandoned => self.abandoned.push(pid),
            Ending::Closed | Ending::Other => {}
        }
        silent.count += 1;
        silent.first.get_or_insert((pid, error));
        Ok(Answer::Missing)
    }

    /// Whether a worker that closed has not done so for long: until it has ended it is listed.
    fn is_ending(&mut self, pid: u64, now: Instant) -> bool {
        let known = self.closed.iter().find(|(closed, _)| *closed == pid);
        let since = known.map_or(now, |(_, since)| *since);
        if known.is_none() {
            self.closed.push((pid, now));
        }
        now.saturating_duration_since(since) < ENDING_TIME
    }

    /// Takes a worker's counters.
    fn take(&mut self, pid: u64, is_old: bool, bytes_out: u64) {
        let caused = Traffic {
            bytes_out,
            ..Traffic::default()
        };
        let seen = traffic(&self.info);
        match is_old {
            true => self.traffic.saw_old(pid, seen, caused),
            false => self.traffic.saw(pid, seen, caused),
        }
        if self.current == Some(pid) {
            self.spent_when_seen = self.spent;
        }
    }

    fn report_silent(&mut self, silent: Silent) {
        match &silent.first {
            Some((pid, error)) => {
                let text = error.to_string();
                let fields: [(&str, &dyn Display); 3] =
                    [("count", &silent.count), ("pid", pid), ("err", &text)];
                self.unanswered.happens(Instant::now(), &text, &fields);
            }
            // Those that are not asked again are silent still.
            None if silent.count > 0 => {}
            None => self.unanswered.is_over(),
        }
    }
}

/// The workers without an answer in one look.
#[derive(Default)]
struct Silent {
    count: u64,
    /// Which was asked first, and why it is.
    first: Option<(u64, SourceError)>,
}

impl Failing {
    /// Whether the socket fails as it does for a moment while the master starts itself anew. What was
    /// seen before stands as long.
    fn may_be_reload(&self, now: Instant) -> bool {
        let is_alike = matches!(
            self.error.problem,
            Problem::Net(_) | Problem::Reply(ReplyError::Empty(_) | ReplyError::Cut(_))
        );
        is_alike && now.saturating_duration_since(self.since) < RELOAD_TIME
    }
}

impl OldWorkers {
    fn add(&mut self, worker: &Worker, answer: &Answer, info: &Info, memory: Option<u64>) {
        let age = info.number("Uptime_sec").or(worker.uptime_seconds);
        self.count += 1;
        self.unanswered += u64::from(matches!(answer, Answer::Missing));
        self.oldest_age_seconds = self.oldest_age_seconds.max(age.unwrap_or(0));
        let connections = info.number("CurrConns").unwrap_or(0);
        self.connections = self.connections.saturating_add(connections);
        self.memory_bytes = self.memory_bytes.zip(memory).map(|(sum, one)| sum + one);
    }
}

fn pid(info: &Info) -> Option<u64> {
    info.number("Pid")
}

/// Whether a process only finishes what it has; `None` where it does not say.
fn is_stopping(info: &Info) -> Option<bool> {
    Some(info.get("Stopping")? != b"0")
}

fn traffic(info: &Info) -> Traffic {
    let number = |key| info.number(key).unwrap_or(0);
    Traffic {
        requests: number("CumReq"),
        connections: number("CumConns"),
        bytes_out: number("TotalBytesOut"),
    }
}

#[cfg(test)]
mod tests;
