//! A command that is sent at intervals; between them the last reply is exported.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::command::{Command, Periodic, ReadError, Status, When};
use super::info::{self, Info};
use super::watch::{self, NO_CLI};
use crate::event::Event;
use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::limits::MAX_PERIODIC_BYTES;
use crate::haproxy::reader::Limits;
use crate::haproxy::reply::{Need, Question};
use crate::haproxy::source::Source;
use crate::log::Level;
use crate::metrics::report::State;
use crate::metrics::snapshot::Sink;
use crate::sys;

/// A reading has at least this time. It begins only where there is as much: a failed one would say nothing
/// of HAProxy. Where no scrape has had it for an interval, one begins with what there is.
const LEAST_TIME: Duration = Duration::from_secs(1);
/// What was read is exported for so long while it cannot be read again.
const KEPT: Duration = Duration::from_secs(3600);
/// Maximum size in bytes of everything that is kept, of all targets together.
const MAX_KEPT_BYTES: usize = 32 << 20;

/// What is kept by all targets.
static KEPT_BYTES: AtomicUsize = AtomicUsize::new(0);

/// The command, and its last reply.
pub(crate) struct NowAndThen {
    pub(crate) command: &'static Command,
    every: Duration,
    /// The time that a reading has at least.
    least: Duration,
    make: fn() -> Box<dyn Periodic>,
    /// The last reply that could be read, if it is not too old.
    answer: Option<Kept>,
    status: Status,
    tried: Option<Instant>,
    /// When the first scrape had too little time for the reading that is due.
    waits_since: Option<Instant>,
    /// The process that was read or, if that failed, that replied to the scrape.
    of: Pid,
    /// The next scrape sends it, however recent the reply is.
    is_due: bool,
    failed: Event,
    missing: Event,
}

/// A reply and its size, which counts as long as it lives.
struct Kept {
    answer: Box<dyn Periodic>,
    bytes: usize,
    at: Instant,
}

impl Kept {
    /// # Errors
    /// If everything that is kept becomes too large.
    fn new(answer: Box<dyn Periodic>) -> Result<Self, ReadError> {
        let bytes = answer.kept_bytes();
        let before = KEPT_BYTES.fetch_add(bytes, Ordering::Relaxed);
        let at = Instant::now();
        let kept = Self { answer, bytes, at };
        match before.saturating_add(bytes) > MAX_KEPT_BYTES {
            true => Err(ReadError::TooMuch(MAX_KEPT_BYTES)),
            false => Ok(kept),
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        KEPT_BYTES.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A process id, if the process reported it.
type Pid = Option<u64>;

impl NowAndThen {
    /// `None` for a command that is sent at each scrape. `timeout` is that of a whole scrape.
    pub(crate) fn new(
        command: &'static Command,
        target: Option<&'static str>,
        timeout: Duration,
    ) -> Option<Self> {
        let When::NowAndThen {
            every,
            answer,
            missing: [message, over],
        } = command.when
        else {
            return None;
        };
        Some(Self {
            command,
            every,
            least: LEAST_TIME.min(timeout / 2),
            make: answer,
            answer: None,
            status: Status::default(),
            tried: None,
            waits_since: None,
            of: None,
            is_due: false,
            failed: watch::failed(command, target),
            missing: Event::new(Level::Warn, message, over).of(target),
        })
    }

    /// Sends the command if it is due, and adds the rows to the snapshot. It can use a quarter of
    /// the remaining time, and if it fails, only its rows are missing. If another process replied
    /// to the scrape than the one that was read, the next scrape sends it again.
    pub(crate) fn add(
        &mut self,
        source: &mut Source,
        answering: Pid,
        limits: Limits,
        buffer: &mut ReadBuffer,
        into: &mut Sink<'_>,
    ) {
        let now = Instant::now();
        let is_recent = |tried: Instant| now.saturating_duration_since(tried) < self.every;
        let is_due = self.is_due || !self.tried.is_some_and(is_recent);
        let least = self.least_time(now);
        let limits = limits.of_periodic(least, MAX_PERIODIC_BYTES);
        match limits.filter(|_| is_due) {
            Some(limits) => {
                self.tried = Some(now);
                self.waits_since = None;
                self.of = answering;
                self.is_due = false;
                self.read(source, limits, buffer);
            }
            None => {
                self.is_due |= answering.is_some() && answering != self.of;
                if is_due {
                    self.waits_since.get_or_insert(now);
                }
            }
        }
        if self.tried.is_none() {
            return;
        }
        if let Some(kept) = &self.answer {
            kept.answer.put_rows(into);
        }
        if let Some(table) = self.command.status {
            into.add(table).put(&[], |value| value(&self.status));
        }
    }

    /// Whether it could be read last, by name.
    pub(crate) fn state(&self) -> (String, State) {
        let missing = self
            .missing
            .reason()
            .filter(|_| self.status.missing > Some(0));
        let failure = self.failed.reason().or(missing);
        (self.command.name(), State::of(failure))
    }

    /// The time that a reading needs now; `None` if it takes what there is.
    fn least_time(&self, now: Instant) -> Option<Duration> {
        let waits = self
            .waits_since
            .map(|since| now.saturating_duration_since(since));
        Some(self.least).filter(|_| waits.is_none_or(|time| time < self.every))
    }

    fn read(&mut self, source: &mut Source, limits: Limits, buffer: &mut ReadBuffer) {
        if self
            .answer
            .as_ref()
            .is_some_and(|kept| kept.at.elapsed() >= KEPT)
        {
            self.answer = None;
            self.status.missing = None;
        }
        if !source.takes_commands() {
            self.status.is_up = false;
            self.failed.report(Some(NO_CLI));
            return;
        }
        let mut result = self.read_once(source, limits, buffer);
        if matches!(result, Err(ReadError::Mixed)) {
            // Most likely a reload.
            result = self.read_once(source, limits, buffer);
        }
        if limits.deadline.is_repeated() {
            self.is_due = true;
            return;
        }
        self.status.is_up = false;
        // What a network error cost is read at the next scrape; a reply that is no good would be the same.
        self.is_due = result.as_ref().is_err_and(ReadError::is_passing);
        if let Ok((pid, kept)) = &mut result {
            let missing = kept.as_ref().and_then(|kept| kept.answer.missing());
            self.is_due = missing.as_ref().is_some_and(|missing| missing.is_passing);
            self.status = Status {
                is_up: true,
                read_at: Some(sys::time_of_day().as_secs()),
                missing: Some(missing.as_ref().map_or(0, |missing| missing.count as u64)),
            };
            self.missing.report(missing.map(|missing| missing.why));
            self.of = pid.or(self.of);
            self.answer = kept.take();
        }
        self.failed.report(result.err());
    }

    /// Reads everything from one process: each connection reports its process.
    ///
    /// # Errors
    /// If a command failed, or several processes replied.
    fn read_once(
        &mut self,
        source: &mut Source,
        limits: Limits,
        buffer: &mut ReadBuffer,
    ) -> Result<(Pid, Option<Kept>), ReadError> {
        let mut of = None;
        let mut answer = (self.make)();
        answer.read(&mut |command, reply| {
            let mut info = Info::default();
            let mut questions = [
                Question::new(command, Need::All, reply),
                Question::new(info::COMMAND.ask, Need::Extra, &mut info),
            ];
            let result = source.ask(&mut questions, limits, buffer);
            result.map_err(ReadError::Failed)?;
            let is_whole = questions[1].failure.is_none();
            let pid = info.number("Pid").filter(|_| is_whole);
            match *of.get_or_insert(pid) == pid {
                true => Ok(()),
                false => Err(ReadError::Mixed),
            }
        })?;
        // The new one takes the place of the old one.
        let old = self.answer.as_ref().map_or(0, |kept| kept.bytes);
        KEPT_BYTES.fetch_sub(old, Ordering::Relaxed);
        let kept = Kept::new(answer);
        KEPT_BYTES.fetch_add(old, Ordering::Relaxed);
        Ok((of.flatten(), Some(kept?)))
    }
}

#[cfg(test)]
mod tests;
