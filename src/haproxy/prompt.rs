//! A connection to the CLI in prompt mode (management guide, 9.3, `prompt`).
//!
//! HAProxy prints a prompt after each reply, keeps the connection open, and reads the next line when it has
//! replied to the last one. Until that line arrives it handles its traffic.

use std::time::{Duration, Instant};

use super::buffer::ReadBuffer;
use super::error::SourceError;
use super::link::Link;
use super::reader::Limits;
use super::reply::Question;
use super::socket::SocketSource;
use crate::net::deadline::Deadline;

/// A connection in prompt mode.
pub(crate) struct Session<'a> {
    source: &'a mut SocketSource,
    link: Link,
    buffer: &'a mut ReadBuffer,
    round_trip: Duration,
}

impl<'a> Session<'a> {
    /// Connects.
    ///
    /// # Errors
    /// If HAProxy cannot be reached, or prints no prompt.
    pub(crate) fn new(
        source: &'a mut SocketSource,
        deadline: Deadline,
        buffer: &'a mut ReadBuffer,
    ) -> Result<Self, SourceError> {
        buffer.clear();
        let mut link = source.connect(deadline)?;
        let began = Instant::now();
        source.prompt(&mut link, deadline)?;
        Ok(Self {
            source,
            link,
            buffer,
            round_trip: began.elapsed(),
        })
    }

    /// How long the reply to the first line took, which is empty.
    pub(crate) fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// Sends a line of commands.
    ///
    /// # Errors
    /// If it could not be sent.
    pub(crate) fn send(
        &mut self,
        commands: &mut dyn Iterator<Item = &str>,
        deadline: Deadline,
    ) -> Result<(), SourceError> {
        self.source.send(&mut self.link, commands, deadline)
    }

    /// Sends the last line of commands, and reads all replies.
    ///
    /// # Errors
    /// If a required reply could not be read.
    pub(crate) fn ask(
        mut self,
        questions: &mut [Question<'_>],
        limits: Limits,
    ) -> Result<(), SourceError> {
        if questions.is_empty() {
            return Ok(());
        }
        let mut commands = questions.iter().map(|question| question.command);
        self.send(&mut commands, limits.deadline)?;
        let result = self.read(questions, true, limits);
        for one in questions.iter() {
            self.trace(one.command, one.bytes, one.took, one.failure.is_some());
        }
        result
    }

    /// Notes a command for the log line of the scrape.
    pub(crate) fn trace(
        &mut self,
        command: &str,
        bytes: u64,
        took: Option<Duration>,
        failed: bool,
    ) {
        if let Some(trace) = self.buffer.trace() {
            trace.add(command, bytes, took, failed);
        }
    }

    /// Reads the next replies. `are_last`: the line has no further commands.
    ///
    /// # Errors
    /// If a required reply could not be read.
    pub(crate) fn read(
        &mut self,
        questions: &mut [Question<'_>],
        are_last: bool,
        limits: Limits,
    ) -> Result<(), SourceError> {
        let (link, buffer) = (&mut self.link, &mut *self.buffer);
        self.source
            .read_all(link, questions, are_last, limits, buffer)
    }
}
