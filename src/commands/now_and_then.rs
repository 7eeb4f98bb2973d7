//! A command that is sent at intervals; between them the last reply is exported.

use std::time::{Duration, Instant};

use super::command::{Command, OfStatus, Periodic, ReadError, Status, When};
use super::info::{self, Info};
use super::watch::{self, NO_CLI};
use crate::event::Event;
use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::reader::Limits;
use crate::haproxy::reply::{Need, Question};
use crate::haproxy::source::Source;
use crate::metrics::Table;
use crate::metrics::report::State;
use crate::metrics::snapshot::Sink;
use crate::sys;

/// The command, and its last reply.
pub(crate) struct NowAndThen {
    pub(crate) command: &'static Command,
    every: Duration,
    answer: Box<dyn Periodic>,
    status_table: &'static Table<OfStatus>,
    status: Status,
    tried: Option<Instant>,
    /// The process that was read or, if that failed, that replied to the scrape.
    of: Pid,
    /// The next scrape sends it, however recent the reply is.
    is_due: bool,
    failed: Event,
}

/// A process id, if the process reported it.
type Pid = Option<u64>;

impl NowAndThen {
    /// `None` for a command that is sent at each scrape.
    pub(crate) fn new(command: &'static Command, target: Option<&str>) -> Option<Self> {
        let When::NowAndThen {
            every,
            answer,
            status,
        } = command.when
        else {
            return None;
        };
        Some(Self {
            command,
            every,
            answer: answer(),
            status_table: status,
            status: Status::default(),
            tried: None,
            of: None,
            is_due: false,
            failed: watch::failed(command, target),
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
        if self.is_due || !self.tried.is_some_and(is_recent) {
            self.tried = Some(now);
            self.of = answering;
            self.is_due = false;
            self.read(source, limits.of_extra(), buffer);
        } else {
            self.is_due = answering.is_some() && answering != self.of;
        }
        self.answer.put_rows(into);
        let mut rows = into.add(self.status_table);
        rows.put(&[], |value| value(&self.status));
    }

    /// Whether it could be read last, by name.
    pub(crate) fn state(&self) -> (String, State) {
        (self.command.name(), State::of(self.failed.reason()))
    }

    fn read(&mut self, source: &mut Source, limits: Limits, buffer: &mut ReadBuffer) {
        self.status.is_up = false;
        if !source.takes_commands() {
            self.failed.report(Some(NO_CLI));
            return;
        }
        let mut result = self.read_once(source, limits, buffer);
        if matches!(result, Err(ReadError::Mixed)) {
            // Most likely a reload.
            result = self.read_once(source, limits, buffer);
        }
        match &result {
            Ok(pid) => {
                let read_at = Some(sys::time_of_day().as_secs());
                let is_up = true;
                self.status = Status { is_up, read_at };
                self.of = pid.or(self.of);
            }
            Err(error) => {
                self.answer.clear();
                self.is_due = matches!(error, ReadError::Mixed);
            }
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
    ) -> Result<Pid, ReadError> {
        let mut of = None;
        self.answer.read(&mut |command, reply| {
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
        Ok(of.flatten())
    }
}
