//! One connection of a client: reads a head, waits for its turn, gets its answer, leaves.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::request::{self, MAX_HEAD_BYTES, Parsed, Refusal, Request};
use crate::log;
use crate::sys::{self, PollFd};

/// Time for a whole head, from the connection or from its first byte on.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Time that a connection may be idle between requests; longer than a usual scrape interval.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(90);
/// Whoever announces less, or has waited until nothing is left, gets this much: a scrape that cannot
/// succeed would only say that HAProxy is down, to the client and in the log.
const MIN_SCRAPE_TIME: Duration = Duration::from_millis(100);
/// Time for a client to close after its last answer; what the kernel still has for it is sent on.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection and what it is doing.
pub(crate) struct Client {
    /// The socket, non-blocking; the main loop has it as well while it answers.
    pub fd: Arc<OwnedFd>,
    /// What the connection is doing.
    pub state: State,
    /// When the state began.
    since: Instant,
    /// Bytes of a head that has not ended.
    pending: Vec<u8>,
    /// Whether an answer has been sent on this connection.
    served: bool,
}

/// What a connection is doing.
#[derive(Debug)]
pub(crate) enum State {
    /// Sending a head, or nothing yet.
    Reading,
    /// Waiting for its turn.
    Waiting {
        /// What it wants.
        request: Request,
        /// Its place in the order of arrival.
        ticket: u64,
    },
    /// Getting its answer from the main loop.
    Answering {
        /// Whether the connection stays open after it.
        keep_alive: bool,
    },
    /// It has its last answer; whatever it still sends is thrown away, so that it can read that.
    Leaving,
}

/// What became of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It stays.
    Stays,
    /// A whole request is there.
    Asks(Request),
    /// It is to be closed.
    Gone,
}

impl Client {
    /// A connection that was just accepted.
    pub(crate) fn new(fd: OwnedFd, now: Instant) -> Self {
        Self {
            fd: Arc::new(fd),
            state: State::Reading,
            since: now,
            pending: Vec::new(),
            served: false,
        }
    }

    /// What to poll for in the present state. While it waits only a broken connection matters, which
    /// poll always reports; while it is answered the main loop finds that out.
    pub(crate) fn poll_fd(&self) -> PollFd {
        match self.state {
            State::Reading | State::Leaving => sys::poll_fd(self.fd.as_raw_fd(), sys::READABLE),
            State::Waiting { .. } => sys::poll_fd(self.fd.as_raw_fd(), 0),
            State::Answering { .. } => sys::poll_fd(-1, 0),
        }
    }

    /// Whether what the client sends is read in the present state.
    pub(crate) fn is_reading(&self) -> bool {
        matches!(self.state, State::Reading | State::Leaving)
    }

    /// When the state ends by itself.
    pub(crate) fn expires(&self) -> Option<Instant> {
        let timeout = match self.state {
            State::Reading if self.served && self.pending.is_empty() => KEEP_ALIVE_TIMEOUT,
            State::Reading => HEAD_TIMEOUT,
            State::Leaving => LINGER_TIMEOUT,
            State::Waiting { .. } | State::Answering { .. } => return None,
        };
        Some(self.since + timeout)
    }

    /// Since when the connection could be closed without a loss, if it can.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        self.is_reading().then_some(self.since)
    }

    /// Since when the connection waits for its turn, if it does.
    pub(crate) fn waits_since(&self) -> Option<Instant> {
        matches!(self.state, State::Waiting { .. }).then_some(self.since)
    }

    /// What a waiting client has left of the time it announced.
    pub(crate) fn time_left(&self, now: Instant) -> Option<Duration> {
        let State::Waiting { request, .. } = &self.state else {
            return None;
        };
        let waited = now.saturating_duration_since(self.since);
        let left = request.announced?.saturating_sub(waited);
        Some(left.max(MIN_SCRAPE_TIME))
    }

    /// Lets it wait for its turn.
    pub(crate) fn queue(&mut self, request: Request, ticket: u64, now: Instant) {
        self.enter(State::Waiting { request, ticket }, now);
    }

    /// Its turn has come, if it waits for it: it is being answered from now on.
    pub(crate) fn begin(&mut self, now: Instant) -> Option<Request> {
        let State::Waiting { request, .. } = &self.state else {
            return None;
        };
        let keep_alive = request.keep_alive;
        match self.enter(State::Answering { keep_alive }, now) {
            State::Waiting { request, .. } => Some(request),
            _ => None,
        }
    }

    /// Goes over to another state; returns the one before.
    fn enter(&mut self, state: State, now: Instant) -> State {
        self.since = now;
        std::mem::replace(&mut self.state, state)
    }

    /// The answer has been sent whole: reads the next request, if there may be one.
    pub(crate) fn answered(&mut self, now: Instant) {
        self.served = true;
        match self.state {
            State::Answering { keep_alive: true } => drop(self.enter(State::Reading, now)),
            _ => self.leave(now),
        }
    }

    /// Its time is over.
    pub(crate) fn expire(&mut self, now: Instant) -> Fate {
        match self.state {
            State::Reading if !self.pending.is_empty() => self.refuse(Refusal::Timeout, now),
            _ => Fate::Gone,
        }
    }

    /// Reads what has come, through `scratch`.
    pub(crate) fn read(&mut self, scratch: &mut [u8; MAX_HEAD_BYTES], now: Instant) -> Fate {
        match sys::receive(self.fd.as_fd(), scratch) {
            Ok(0) => Fate::Gone,
            Ok(count) => match self.state {
                State::Reading => self.take(&scratch[..count], now),
                _ => Fate::Stays,
            },
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Fate::Stays
            }
            Err(_) => Fate::Gone,
        }
    }

    fn take(&mut self, bytes: &[u8], now: Instant) -> Fate {
        if self.pending.is_empty() {
            // The time for a head begins with its first byte.
            self.since = now;
        }
        let parsed = if self.pending.is_empty() {
            request::parse(bytes)
        } else {
            self.pending.extend_from_slice(bytes);
            request::parse(&self.pending)
        };
        match parsed {
            Parsed::Incomplete => {
                if self.pending.is_empty() {
                    self.pending.extend_from_slice(bytes);
                }
                Fate::Stays
            }
            Parsed::Request(mut request, taken) => {
                // More than a request at once: this one is answered, then the connection is closed,
                // as RFC 9112, 9.3.2 allows; requests are never piled up here.
                request.keep_alive &= taken == bytes.len().max(self.pending.len());
                self.pending = Vec::new();
                Fate::Asks(request)
            }
            Parsed::Refused(refusal) => self.refuse(refusal, now),
        }
    }

    /// Says why and closes this side; the client has a moment to read it.
    fn refuse(&mut self, refusal: Refusal, now: Instant) -> Fate {
        let status = refusal.status();
        log::debug("request refused", &[("status", &status)]);
        let allow = if refusal == Refusal::Method {
            "Allow: GET, HEAD\r\n"
        } else {
            ""
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\n{allow}Content-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{status}\n",
            status.len() + 1
        );
        self.pending = Vec::new();
        // A socket that was only just opened has room for this; if not, the client does without.
        match sys::send(self.fd.as_fd(), answer.as_bytes()) {
            Ok(sent) if sent == answer.len() => {
                self.leave(now);
                Fate::Stays
            }
            _ => Fate::Gone,
        }
    }

    /// The answer was cut: the connection ends with a reset, at once. A plain close would leave the
    /// rest, which may be megabytes, in the kernel until the client reads it, or for ever.
    pub(crate) fn cut(&self) {
        let _ = sys::reset_at_close(self.fd.as_raw_fd());
    }

    /// Closes this side and waits for the client to do the same: to close at once while bytes of
    /// the client are unread would make the kernel throw away what was sent (RFC 9112, 9.6).
    fn leave(&mut self, now: Instant) {
        let _ = sys::shutdown(self.fd.as_raw_fd(), Shutdown::Write);
        self.enter(State::Leaving, now);
    }
}
