//! Carries one answer from `tiny_http` to one client.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use super::head::Request;
use crate::source::http_head::{self, Ending};
use crate::sys;

/// What is in the front's hands of an answer at most.
const BUFFER_BYTES: usize = 128 * 1024;
/// Heads of our own server have about 200 bytes.
const MAX_HEAD_BYTES: usize = 4096;
/// Pieces carried before the front looks after its other connections again.
const PIECES_A_TURN: usize = 16;
/// A client that reads nothing for this long is given up.
const STALL_TIMEOUT: Duration = Duration::from_secs(5);
/// The same while others wait for their answers ...
const CROWDED_STALL_TIMEOUT: Duration = Duration::from_millis(500);
/// ... and once one of them has waited for `LONG_WAIT`, so that never-readers do not add up.
const LATE_STALL_TIMEOUT: Duration = Duration::from_millis(250);
/// Far below Prometheus' own timeout of 10 s.
const LONG_WAIT: Duration = Duration::from_secs(1);
/// While others wait a client must read this fast on average, after the first second.
const CROWDED_BYTES_PER_SECOND: u64 = 1024 * 1024;
/// Time for a whole answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The answer under way.
pub struct Relay {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// The answer's head, until it is whole; then what is left of it to send.
    head: Vec<u8>,
    progress: Progress,
    request_is_head: bool,
    keep_alive: bool,
    began: Instant,
    last_read: Instant,
    last_sent: Instant,
    sent: u64,
    /// Bytes that the kernel still held for the client when it would take no more.
    held: usize,
}

/// How far the answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// The head is not whole yet.
    Head,
    /// This many bytes of the body are still to be read from the server.
    Body(u64),
}

/// What a turn brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// Waits for the server.
    NeedsServer,
    /// Waits for the client.
    NeedsClient,
    /// There is more to do at once; others come first.
    Again,
    /// All of it is sent; whether the connection stays open.
    Done(bool),
    /// The client has gone; the rest is read and thrown away.
    ClientGone,
    /// The private connection is broken: nothing more can be served.
    Broken(String),
}

impl Relay {
    /// A relay with nothing to do; its buffer is touched only as far as answers fill it.
    pub fn new(now: Instant) -> Self {
        Self {
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            head: Vec::with_capacity(512),
            progress: Progress::Body(0),
            request_is_head: false,
            keep_alive: false,
            began: now,
            last_read: now,
            last_sent: now,
            sent: 0,
            held: 0,
        }
    }

    /// An answer to `request` will come.
    pub fn begin(&mut self, request: &Request, now: Instant) {
        (self.start, self.end) = (0, 0);
        self.head.clear();
        self.progress = Progress::Head;
        self.request_is_head = request.is_head;
        self.keep_alive = request.keep_alive;
        (self.began, self.last_read, self.last_sent) = (now, now, now);
        self.sent = 0;
    }

    /// Since when the server owes us bytes, if it does.
    pub fn waits_for_server_since(&self) -> Option<Instant> {
        let owes =
            self.start == self.end && self.head_is_sent() && self.progress != Progress::Body(0);
        owes.then_some(self.last_read)
    }

    /// When the client is given up for its slowness, if nothing happens before. Only once it has
    /// bytes to read: how long the server takes is not its fault. `others_wait` is since when
    /// others do.
    pub fn client_expires(&self, others_wait: Option<Instant>) -> Option<Instant> {
        if self.waits_for_server_since().is_some() {
            return None;
        }
        let mut expires = (self.last_sent + STALL_TIMEOUT).min(self.began + ANSWER_TIMEOUT);
        if let Some(since) = others_wait {
            let late = (self.last_sent + LATE_STALL_TIMEOUT).max(since + LONG_WAIT);
            expires = expires
                .min(self.last_sent + CROWDED_STALL_TIMEOUT)
                .min(late);
            let pace = Duration::from_millis(1000 + self.sent * 1000 / CROWDED_BYTES_PER_SECOND);
            expires = expires.min(self.began + pace);
        }
        Some(expires)
    }

    /// Looks whether the client has read anything since it had to be waited for. A socket only
    /// takes more once a good part of its buffer, which grows to megabytes, is free: a slow reader
    /// would look like one that never reads.
    pub fn look_for_progress(&mut self, client: BorrowedFd<'_>, now: Instant) {
        let held = sys::unsent_bytes(client).unwrap_or(self.held);
        if held < self.held {
            self.held = held;
            self.last_sent = now;
        }
    }

    /// Carries on, until one side has to be waited for or it is the others' turn.
    pub fn carry(
        &mut self,
        server: BorrowedFd<'_>,
        client: Option<BorrowedFd<'_>>,
        now: Instant,
    ) -> Turn {
        for _ in 0..PIECES_A_TURN {
            if self.start == self.end && self.head_is_sent() {
                if self.progress == Progress::Body(0) {
                    return Turn::Done(self.keep_alive);
                }
                match self.read(server, now) {
                    Ok(true) => {}
                    Ok(false) => return Turn::NeedsServer,
                    Err(why) => return Turn::Broken(why),
                }
            }
            let Some(client) = client else {
                self.discard();
                continue;
            };
            match self.send(client, now) {
                Ok(true) => {}
                Ok(false) => {
                    self.held = sys::unsent_bytes(client).unwrap_or(0);
                    return Turn::NeedsClient;
                }
                Err(_) => return Turn::ClientGone,
            }
        }
        Turn::Again
    }

    /// Forgets what the client did not take; what it still would get is thrown away as it comes.
    pub fn discard(&mut self) {
        (self.start, self.end) = (0, 0);
        if self.progress != Progress::Head {
            self.head.clear();
        }
    }

    fn head_is_sent(&self) -> bool {
        self.progress == Progress::Head || self.head.is_empty()
    }

    /// Reads from the server; `false` when nothing is there.
    fn read(&mut self, server: BorrowedFd<'_>, now: Instant) -> Result<bool, String> {
        let room = match self.progress {
            // A small answer comes whole with its head.
            Progress::Head => 4 * MAX_HEAD_BYTES,
            Progress::Body(left) => usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(BUFFER_BYTES),
        };
        let count = match sys::receive(server, &mut self.buffer[..room]) {
            Ok(0) => return Err("the server closed its connection".to_owned()),
            Ok(count) => count,
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                return Ok(false);
            }
            Err(e) => return Err(e.to_string()),
        };
        // The client's time begins when there is something for it to read.
        if self.progress == Progress::Head {
            self.began = now;
        }
        (self.last_read, self.last_sent) = (now, now);
        (self.start, self.end) = (0, count);
        match self.progress {
            Progress::Head => self.take_head()?,
            Progress::Body(left) => self.progress = Progress::Body(left - count as u64),
        }
        Ok(true)
    }

    /// Collects the head. Once it is whole, puts the `Connection` field into it and goes over to
    /// the body.
    fn take_head(&mut self) -> Result<(), String> {
        let before = self.head.len();
        self.head.extend_from_slice(&self.buffer[..self.end]);
        let Some(end) = http_head::head_end(&self.head) else {
            (self.start, self.end) = (0, 0);
            return if self.head.len() > MAX_HEAD_BYTES {
                Err("bad head from the server".to_owned())
            } else {
                Ok(())
            };
        };
        let length = match http_head::body_ending(&self.head[..end]) {
            Ok(Ending::Length(length)) => length,
            _ => return Err("an answer without Content-Length from the server".to_owned()),
        };
        // What came behind the head is in the buffer as well.
        (self.start, self.end) = (end - before, self.end);
        self.head.truncate(end - 2);
        let connection = if self.keep_alive {
            "keep-alive"
        } else {
            "close"
        };
        self.head
            .extend_from_slice(format!("Connection: {connection}\r\n\r\n").as_bytes());
        let body = if self.request_is_head { 0 } else { length };
        self.progress = Progress::Body(body.saturating_sub((self.end - self.start) as u64));
        Ok(())
    }

    /// Sends to the client; `false` when it must be waited for.
    fn send(&mut self, client: BorrowedFd<'_>, now: Instant) -> io::Result<bool> {
        if self.progress == Progress::Head {
            return Ok(true);
        }
        if !self.head.is_empty() {
            // Small answers leave in one piece with their head.
            let body = &self.buffer[self.start..self.end];
            let count = body.len().min(MAX_HEAD_BYTES * 4);
            self.head.extend_from_slice(&body[..count]);
            self.start += count;
        }
        while !self.head.is_empty() {
            let Some(sent) = self.try_send(client, true, now)? else {
                return Ok(false);
            };
            self.head.drain(..sent);
        }
        while self.start < self.end {
            let Some(sent) = self.try_send(client, false, now)? else {
                return Ok(false);
            };
            self.start += sent;
        }
        Ok(true)
    }

    fn try_send(
        &mut self,
        client: BorrowedFd<'_>,
        head: bool,
        now: Instant,
    ) -> io::Result<Option<usize>> {
        let bytes = if head {
            self.head.as_slice()
        } else {
            &self.buffer[self.start..self.end]
        };
        match sys::send(client.as_fd(), bytes) {
            Ok(sent) => {
                self.last_sent = now;
                self.sent += sent as u64;
                Ok(Some(sent))
            }
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }
}

#[cfg(test)]
#[path = "relay_tests.rs"]
mod tests;
