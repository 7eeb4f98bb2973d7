//! The master process of `--haproxy.master-socket`: reloads and old workers.
//!
//! Each command has its own connection. If a worker dies in the middle of its reply, the master
//! leaves the connection open, and the reply to a second command on it would seem to complete the
//! first. An unresponsive worker occupies one of the ten slots that it and the master have until it
//! runs again. It is never queried twice.

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
use crate::metrics::report::State;
use crate::metrics::snapshot::Sink;
use crate::process::ProcRoot;

/// Maximum number of unanswered commands at a time: HAProxy has ten slots, and other clients need
/// some.
const MOST_ABANDONED: usize = 2;
/// Interval at which an unresponsive master is queried, once `MOST_ABANDONED` commands are
/// unanswered.
const ASK_AGAIN_EVERY: Duration = Duration::from_secs(10);
/// A worker that would have less time to reply than this is not queried, because it would count as
/// unresponsive.
const LEAST_TIME: Duration = Duration::from_millis(100);
/// How long the socket can fail while the master re-executes itself: 1.3 s were seen under load.
const RELOAD_TIME: Duration = Duration::from_secs(5);
/// How long a listed worker can close connections without a reply, as it does while it exits.
const ENDING_TIME: Duration = Duration::from_secs(5);

/// Polls a master, and what is kept from scrape to scrape.
pub(crate) struct MasterWatch {
    source: Source,
    processes: Processes,
    info: Info,
    traffic: OldTraffic,
    /// Whether there is more than one scrape, so that sums over them mean something.
    adds_up: bool,
    /// The process that replied to the last scrape.
    current: Option<u64>,
    /// Traffic caused by our own commands to the scrape URI: when that process last reported its
    /// counters, and now.
    spent_when_seen: Spent,
    spent: Spent,
    /// Workers that did not reply in time.
    abandoned: Vec<u64>,
    /// Workers that closed the connection without a reply, and since when: a worker that exits does
    /// so for a moment.
    closed: Vec<(u64, Instant)>,
    /// Number of consecutive commands to the master itself without a reply in time, and when the
    /// last one was.
    lists_abandoned: usize,
    list_asked: Option<Instant>,
    /// Result of the last complete poll.
    shown: Option<Look>,
    failing: Option<Failing>,
    failed: Event,
    unanswered: Event,
}

/// Why there is no result.
struct Failing {
    since: Instant,
    error: SourceError,
}

/// Result of one poll of the master and its workers.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    master: Master,
    old: OldWorkers,
}

/// The result of a command to a worker.
enum Answer {
    /// Its `show info`, and the size of the reply in bytes.
    Info(u64),
    /// It has exited since it was listed.
    Gone,
    /// The worker did not reply, or was not queried.
    Missing,
}

impl MasterWatch {
    /// Nothing was sent yet. Sums over scrapes are exported if it `adds_up`.
    pub(crate) fn new(source: Source, target: Option<&'static str>, adds_up: bool) -> Self {
        let event = |message, over| Event::new(Level::Warn, message, over).of(target);
        Self {
            source,
            processes: Processes::default(),
            info: Info::default(),
            traffic: OldTraffic::default(),
            adds_up,
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
            unanswered: event("old workers unresponsive", "all old workers respond again"),
        }
    }

    /// Records the counters of the current process, if the scrape queried them, with the traffic
    /// that our commands had caused then, and have caused now.
    pub(crate) fn saw_current(&mut self, info: &Info, at_info: Spent, now: Spent) {
        self.spent = now;
        match pid(info) {
            Some(pid) => {
                self.current = Some(pid);
                self.spent_when_seen = at_info;
                // It was unresponsive and has recovered.
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

    /// Polls the master and the workers, except the one that replied to the scrape, and adds the
    /// rows to the snapshot. It can use half of the remaining time, and if it fails, only these
    /// rows are missing.
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
                // It is queried again at once.
                Err(_) if limits.deadline.is_repeated() => {}
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

    /// Whether the master and all old workers replied to the last scrape, by name.
    pub(crate) fn state(&self) -> (String, State) {
        let unanswered = self.unanswered.text();
        let failure = self.failed.reason().or(unanswered.as_deref());
        (COMMAND.name(), State::of(failure))
    }

    fn put_rows(&self, into: &mut Sink<'_>) {
        let look = self.shown.unwrap_or_default();
        into.add(&MASTER)
            .put(&[], |value| value(&look.master));
        if self.shown.is_none() {
            return;
        }
        let old = OldWorkers {
            done: self.adds_up.then(|| self.traffic.sum()),
            ..look.old
        };
        into.add(&OLD_WORKERS)
            .put(&[], |value| value(&old));
    }

    /// An unresponsive master has slots for a few commands only.
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
        // The workers that only the master can reach come first.
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
                    self.report_silent(silent, limits);
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
        self.report_silent(silent, limits);
        Ok(look)
    }

    /// Lists the processes.
    fn list(&mut self, limits: Limits, buffer: &mut ReadBuffer) -> Result<(), SourceError> {
        self.processes.clear();
        self.list_asked = Some(Instant::now());
        let limits = limits.half();
        let asked = Instant::now();
        let had_time = limits.deadline.remaining() >= Some(LEAST_TIME);
        let (_, result) = ask(
            &mut self.source,
            SHOW_PROC,
            &mut self.processes,
            limits,
            buffer,
        );
        match &result {
            // With a shorter deadline, a missing reply proves nothing.
            Err(error) if ending(error) == Ending::Abandoned => {
                self.lists_abandoned += usize::from(had_time && has_waited(asked, limits));
            }
            _ => self.lists_abandoned = 0,
        }
        result
    }

    /// Queries a worker, unless it was unresponsive before or too many are.
    ///
    /// # Errors
    /// If the master socket fails, which proves nothing about the worker.
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
        let asked = Instant::now();
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
            Ending::Abandoned if has_waited(asked, limits) => self.abandoned.push(pid),
            Ending::Abandoned | Ending::Closed | Ending::Other => {}
        }
        silent.count += 1;
        silent.first.get_or_insert((pid, error));
        Ok(Answer::Missing)
    }

    /// Whether a worker has closed connections without a reply only for a short time: it is listed
    /// until it has exited.
    fn is_ending(&mut self, pid: u64, now: Instant) -> bool {
        let known = self.closed.iter().find(|(closed, _)| *closed == pid);
        let since = known.map_or(now, |(_, since)| *since);
        if known.is_none() {
            self.closed.push((pid, now));
        }
        now.saturating_duration_since(since) < ENDING_TIME
    }

    /// Adds the counters of a worker.
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

    fn report_silent(&mut self, silent: Silent, limits: Limits) {
        if limits.deadline.is_repeated() {
            return;
        }
        match &silent.first {
            Some((pid, error)) => {
                let text = error.to_string();
                let fields: [(&str, &dyn Display); 3] =
                    [("count", &silent.count), ("pid", pid), ("err", &text)];
                self.unanswered.happens(Instant::now(), &text, &fields);
            }
            // Workers that are not queried again are still unresponsive.
            None if silent.count > 0 => {}
            None => self.unanswered.is_over(),
        }
    }
}

/// The unresponsive workers of one poll.
#[derive(Default)]
struct Silent {
    count: u64,
    /// The first of them, and the reason.
    first: Option<(u64, SourceError)>,
}

impl Failing {
    /// Whether the socket fails as it does for a moment while the master re-executes itself.
    /// Meanwhile the previous values are exported.
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

/// Whether a process that was asked then and did not reply counts as unresponsive: a scrape can be aborted at any
/// time.
fn has_waited(asked: Instant, limits: Limits) -> bool {
    !limits.deadline.is_aborted() || asked.elapsed() >= LEAST_TIME
}

fn pid(info: &Info) -> Option<u64> {
    info.number("Pid")
}

/// Whether a process only finishes its connections; `None` if it does not report it.
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
