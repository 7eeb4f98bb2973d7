//! A connection to the CLI: when to read, and where the reply to a command ends.

use std::time::{Duration, Instant};

use super::error::Problem;
use super::pace::{Pace, Queue};
use super::reader::Reader;
use crate::net::deadline::Deadline;
use crate::net::error::NetError;
use crate::net::stream::Stream;

/// What HAProxy prints after the empty line that ends a reply.
const PROMPT: &[u8] = b"> ";
/// What is read of the replies to a line before the pace counts: twice what a line of commands usually
/// brings (`parts.rs`). Small replies end without a wait.
const AT_ONCE_BYTES: usize = 48 << 10;

/// A connection, and the pace at which it is read.
pub(super) struct Link {
    stream: Stream,
    connected: Instant,
    pace: Option<Pace>,
    /// HAProxy prints a prompt after each reply, and keeps the connection open.
    is_prompted: bool,
    /// Bytes that are read before the pace counts.
    at_once: usize,
}

impl Link {
    /// Nothing was sent yet.
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            connected: Instant::now(),
            pace: None,
            is_prompted: false,
            at_once: 0,
        }
    }

    /// Sends a line, whose replies are read at this pace.
    ///
    /// # Errors
    /// If it could not be sent.
    pub(super) fn send(
        &mut self,
        line: &[u8],
        pace: Option<Pace>,
        deadline: Deadline,
    ) -> Result<(), NetError> {
        self.pace = pace;
        if self.is_prompted {
            self.at_once = AT_ONCE_BYTES;
        }
        self.stream.send_all(line, deadline)
    }

    /// Ends the sending direction.
    pub(super) fn end_sending(&self) {
        self.stream.end_sending();
    }

    /// The pace of the replies to the last line.
    pub(super) fn pace(&self) -> Option<&Pace> {
        self.pace.as_ref()
    }

    /// Switches to prompt mode. Returns the size of the reply.
    ///
    /// # Errors
    /// If no prompt has arrived.
    pub(super) fn prompt(&mut self, deadline: Deadline) -> Result<usize, Problem> {
        self.stream.send_all(b"prompt\n", deadline)?;
        // The reply is empty.
        let (mut reply, mut count) = ([0; 1 + PROMPT.len()], 0);
        while count < reply.len() {
            match self.stream.receive(&mut reply[count..], deadline)? {
                0 => break,
                received => count += received,
            }
        }
        self.is_prompted = reply[0] == b'\n' && reply[1..] == *PROMPT;
        match self.is_prompted {
            true => Ok(count),
            false => Err(Problem::NoPrompt),
        }
    }

    /// See `Stream::receive`.
    fn receive(&mut self, room: &mut [u8], deadline: Deadline) -> Result<usize, NetError> {
        if self.at_once > 0 {
            let most = room.len().min(self.at_once);
            let count = self.stream.receive(&mut room[..most], deadline)?;
            self.at_once -= count;
            return Ok(count);
        }
        let Some(mut pace) = self.pace.take() else {
            return self.stream.receive(room, deadline);
        };
        while pace.must_wait() {
            self.stream.wait_for_bytes(deadline)?;
            pace.wait(self);
        }
        let most = pace.most_of(room.len());
        let count = self.stream.receive(&mut room[..most], deadline)?;
        pace.took(count);
        self.pace = Some(pace);
        Ok(count)
    }
}

impl Queue for Link {
    fn bytes(&self) -> Option<usize> {
        self.stream.queued_bytes()
    }

    fn ends_within(&mut self, time: Duration) -> bool {
        self.stream.ends_within(time)
    }

    fn now(&self) -> Duration {
        self.connected.elapsed()
    }
}

/// What ended a reply.
pub(super) enum End {
    EmptyLine,
    Closed,
}

/// Reads up to the end of a reply. The last one ends with the connection, so that there are as many
/// replies as commands.
///
/// # Errors
/// If it could not be read, is not followed by what must follow, or exceeds a limit.
pub(super) fn read(
    link: &mut Link,
    reader: &mut Reader<'_>,
    is_last: bool,
) -> Result<End, Problem> {
    let deadline = reader.limits.deadline;
    // Up to 3.1 a prompt comes after each command of a line, in later releases only after the line.
    if link.is_prompted {
        skip_prompt(link, reader)?;
    }
    while !(reader.has_more() && reader.take_up_to_end()?) {
        match link.receive(reader.room(), deadline) {
            Ok(0) => return Ok(End::Closed),
            Ok(count) => reader.received(count),
            Err(error) => return Err(reader.broken(error.into())),
        }
    }
    if link.is_prompted && is_last {
        // HAProxy waits for the next line.
        return match skip_prompt(link, reader)? {
            None | Some(false) => Err(Problem::NoPrompt),
            Some(true) if reader.has_more() => Err(Problem::TooMuch),
            Some(true) => Ok(End::EmptyLine),
        };
    }
    if is_last && (reader.has_more() || link.receive(reader.room(), deadline)? > 0) {
        return Err(Problem::TooMuch);
    }
    Ok(End::EmptyLine)
}

/// Takes a prompt. Returns whether it was there; `None` at the end of the connection.
fn skip_prompt(link: &mut Link, reader: &mut Reader<'_>) -> Result<Option<bool>, Problem> {
    let deadline = reader.limits.deadline;
    loop {
        if let Some(was_there) = reader.skip(PROMPT) {
            return Ok(Some(was_there));
        }
        match link.receive(reader.room(), deadline)? {
            0 => return Ok(None),
            count => reader.received(count),
        }
    }
}
