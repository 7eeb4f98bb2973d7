//! The connection of one client: it sends a request, waits for its scrape, receives its response,
//! and closes.

use std::fmt::Write as _;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::request::{self, MAX_HEAD_BYTES, Parsed, Refusal, Request};
use super::response::{Buffers, Manner, Progress, REST, Response, SendError};
use super::routes::Text;
use crate::log;
use crate::metrics::selection::Selection;
use crate::metrics::snapshot::Snapshot;
use crate::sys::{self, PollFd};

/// Timeout for a whole head, from the start of the connection or from the first byte of the head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout of an idle connection between requests; longer than a usual scrape interval.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(90);
/// Time for a client to close after its last response. It gets the same time again while the kernel
/// still has bytes for it.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);
/// Timeout for a whole response, from its beginning until the client has read all of it. Prometheus
/// does not wait longer than its scrape interval, one minute by default.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Minimum time to read a response before it can be cut for other clients: Prometheus' default
/// timeout.
pub(crate) const MIN_ANSWER_TIME: Duration = Duration::from_secs(10);
/// Minimum time of an idle connection to send its request before it can be evicted for a newer one.
const MIN_IDLE: Duration = Duration::from_millis(10);
/// Interval at which the send queue is read, to find whether a client has acknowledged everything:
/// poll does not report it.
const LOOK_PAUSE: Duration = Duration::from_millis(100);
/// Minimum timeout of a scrape. A shorter one could not succeed; it would only report that HAProxy
/// is down, to the client and in the log.
const MIN_SCRAPE_TIME: Duration = Duration::from_millis(100);
/// A shorter announced timeout is treated as this one.
const MIN_ANNOUNCED: Duration = Duration::from_millis(150);

/// A connection and its state.
pub(crate) struct Client {
    /// The socket, non-blocking.
    fd: OwnedFd,
    /// The current state.
    pub state: State,
    /// When the state began.
    pub since: Instant,
    /// Whether the client has shut down its sending direction. Over TCP, a client that has closed the
    /// connection looks the same until data is sent to it: then its kernel replies with a reset.
    pub half_closed: bool,
    /// Bytes of an incomplete head.
    pending: Vec<u8>,
    /// When the kernel had all of the last response.
    sent_at: Option<Instant>,
}

/// The state of a connection.
pub(crate) enum State {
    /// Idle, or receiving a head.
    Reading,
    /// Waiting for a scrape.
    Waiting(Wait),
    /// Receiving its response.
    Answering(Response),
    /// It has its last response. Whatever it still sends is discarded, so that it can read that
    /// response.
    Leaving,
}

/// What a client waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    /// Number of the target.
    pub target: usize,
    /// What the client selects.
    pub selection: Selection,
    /// How it is answered.
    pub manner: Manner,
    /// Deadline of a scrape for it: a tenth of the announced timeout is reserved for sending the
    /// response.
    pub scrape_until: Option<Instant>,
    /// When to send 503, early enough for the client to receive it.
    pub gives_up: Option<Instant>,
    /// When its announced timeout ends.
    pub ends: Option<Instant>,
    /// Number of the scrape that is for it, once it has begun.
    pub batch: Option<u64>,
}

impl Wait {
    /// A wait that begins now.
    pub(crate) fn new(
        request: &Request,
        (target, selection): (usize, Selection),
        manner: Manner,
        now: Instant,
    ) -> Self {
        let announced = request.announced.map(|time| time.max(MIN_ANNOUNCED));
        Self {
            target,
            selection,
            manner,
            scrape_until: announced.and_then(|time| now.checked_add(time / 10 * 9)),
            gives_up: announced.and_then(|time| now.checked_add(time / 20 * 19)),
            ends: announced.and_then(|time| now.checked_add(time)),
            batch: None,
        }
    }

    /// The timeout that it announced when it began to wait.
    pub(crate) fn announced(&self, since: Instant) -> Option<Duration> {
        Some(self.ends?.saturating_duration_since(since))
    }

    /// The timeout of a scrape for it that begins now, if it announced one.
    pub(crate) fn scrape_time(&self, now: Instant) -> Option<Duration> {
        let left = self.scrape_until?.saturating_duration_since(now);
        Some(left.max(MIN_SCRAPE_TIME))
    }
}

/// What happens to a connection next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It stays open.
    Stays,
    /// A complete request has arrived.
    Asks(Request),
    /// It must be closed.
    Gone,
}

impl Client {
    /// A connection that was just accepted.
    pub(crate) fn new(fd: OwnedFd, now: Instant) -> Self {
        Self {
            fd,
            state: State::Reading,
            since: now,
            half_closed: false,
            pending: Vec::new(),
            sent_at: None,
        }
    }

    /// Adds its address, for the log: IPv4 also where the listener takes both (`::ffff:192.0.2.1`).
    pub(crate) fn add_peer(&self, to: &mut String) {
        let stream = self.fd.try_clone().map(TcpStream::from);
        let kind = match stream.and_then(|stream| stream.peer_addr()) {
            Ok(mut peer) => {
                peer.set_ip(peer.ip().to_canonical());
                // Writing to a String cannot fail.
                let _ = write!(to, "{peer}");
                return;
            }
            // A unix socket has an address of another kind.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => "unix",
            Err(_) => "unknown",
        };
        to.push_str(kind);
    }

    /// The events to poll for in the current state. A half-closed client that is leaving is not polled: with both
    /// directions shut down, poll reports POLLHUP all the time. Its send queue is read instead (`LOOK_PAUSE`).
    pub(crate) fn poll_fd(&self) -> PollFd {
        let events = match &self.state {
            State::Leaving if self.half_closed => return sys::poll_fd(-1, 0),
            State::Reading | State::Leaving => sys::READABLE,
            State::Answering(response) if response.rests_until.is_none() => sys::WRITABLE,
            State::Waiting(_) | State::Answering(_) => 0,
        };
        let shutdown = if self.half_closed {
            0
        } else {
            sys::HALF_CLOSED
        };
        sys::poll_fd(self.fd.as_raw_fd(), events | shutdown)
    }

    /// Handles the events that poll reported.
    pub(crate) fn handle(
        &mut self,
        events: i16,
        scratch: &mut [u8; MAX_HEAD_BYTES],
        buffers: &mut Buffers,
        now: Instant,
    ) -> Next {
        // While a client is leaving, both directions may be shut down before it has its last response; and
        // everything it has sent must be read before the close.
        if !matches!(self.state, State::Leaving) {
            if events & sys::HUNG_UP != 0 {
                return Next::Gone;
            }
            self.half_closed |= events & sys::HALF_CLOSED != 0;
        }
        if events & sys::WRITABLE != 0 {
            self.send(buffers, now)
        } else if events & sys::READABLE != 0 {
            self.read(scratch, now)
        } else {
            Next::Stays
        }
    }

    /// The timeout of the state, or the end of a pause in sending. A waiting client has no timeout
    /// here: its scrape ends the wait.
    pub(crate) fn expires(&self) -> Option<Instant> {
        match &self.state {
            State::Reading if self.sent_at.is_some() && self.pending.is_empty() => {
                Some(self.since + KEEP_ALIVE_TIMEOUT)
            }
            State::Reading => Some(self.since + HEAD_TIMEOUT),
            State::Leaving if self.half_closed => Some(self.since + LOOK_PAUSE),
            State::Leaving => Some(self.since + LINGER_TIMEOUT),
            State::Answering(response) => {
                let end = response.began + ANSWER_TIMEOUT;
                Some(response.rests_until.map_or(end, |until| until.min(end)))
            }
            State::Waiting(_) => None,
        }
    }

    /// When the connection can be closed for a newer one: at once if it is half-closed or leaving.
    pub(crate) fn can_go_at(&self, now: Instant) -> Option<Instant> {
        match &self.state {
            _ if self.half_closed => Some(now),
            State::Leaving => Some(now),
            State::Waiting(_) => None,
            State::Answering(response) => Some(response.began + MIN_ANSWER_TIME),
            State::Reading => {
                let reads_until = self.sent_at.map(|at| at + MIN_ANSWER_TIME);
                match reads_until.filter(|until| now < *until && self.has_unread()) {
                    Some(until) => Some(until.min(now + LOOK_PAUSE)),
                    None => Some(self.since + MIN_IDLE),
                }
            }
        }
    }

    /// Enters another state.
    fn enter(&mut self, state: State, now: Instant) {
        self.since = now;
        self.state = state;
    }

    /// Lets the client wait for a scrape.
    pub(crate) fn wait(&mut self, wait: Wait, now: Instant) {
        self.enter(State::Waiting(wait), now);
    }

    /// Begins the response, if the client waits for one.
    pub(crate) fn answer(
        &mut self,
        snapshot: &Arc<Snapshot>,
        buffers: &mut Buffers,
        now: Instant,
    ) -> Next {
        let State::Waiting(wait) = self.state else {
            return Next::Stays;
        };
        let snapshot = Arc::clone(snapshot);
        let response = Response::new(snapshot, wait.selection, wait.manner, now);
        self.enter(State::Answering(response), now);
        self.send(buffers, now)
    }

    /// Sends more of the response.
    pub(crate) fn send(&mut self, buffers: &mut Buffers, now: Instant) -> Next {
        let State::Answering(response) = &mut self.state else {
            return Next::Stays;
        };
        let keep_alive = response.keep_alive;
        match response.send(self.fd.as_fd(), buffers) {
            Ok(Progress::Unfinished) => Next::Stays,
            Ok(Progress::Enough) => {
                response.rests_until = Some(now + REST);
                Next::Stays
            }
            Ok(Progress::Sent) => {
                self.sent(keep_alive, now);
                Next::Stays
            }
            Err(error) => {
                let log = match error {
                    SendError::WrongLength { .. } | SendError::NoRoom => log::error,
                    SendError::NoMemory { is_new: true } => log::warn,
                    SendError::NoMemory { is_new: false } => log::debug,
                    // Mostly caused by the client.
                    SendError::Io(_) => log::debug,
                };
                log("reply cut", &[("err", &error)]);
                Next::Gone
            }
        }
    }

    /// Sends a text. What the kernel does not take at once follows as that of a scrape does: with many targets, pages
    /// and lists in errors are long.
    pub(crate) fn say(
        &mut self,
        text: &Text,
        (is_head, keep_alive): (bool, bool),
        now: Instant,
    ) -> Next {
        let answer = text.bytes(is_head, keep_alive);
        let sent = match sys::send(self.fd.as_fd(), &answer) {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => return Next::Gone,
        };
        match &answer[sent..] {
            [] => self.sent(keep_alive, now),
            rest => {
                let rest = Response::rest_of_text(rest, keep_alive, now);
                self.enter(State::Answering(rest), now);
            }
        }
        Next::Stays
    }

    /// The kernel has all of the response: reads the next request, if one can follow.
    fn sent(&mut self, keep_alive: bool, now: Instant) {
        self.sent_at = Some(now);
        // Set again when everything that the client sent before has been read.
        self.half_closed = false;
        match keep_alive {
            true => self.enter(State::Reading, now),
            false => self.leave(now),
        }
    }

    /// The timeout of the state has passed.
    pub(crate) fn expire(&mut self, now: Instant) -> Next {
        match &mut self.state {
            State::Answering(response) if now < response.began + ANSWER_TIMEOUT => {
                response.rests_until = None;
                Next::Stays
            }
            State::Reading if !self.pending.is_empty() => self.refuse(Refusal::Timeout, now),
            State::Leaving if self.sent_at.is_some_and(|at| now < at + ANSWER_TIMEOUT) => {
                self.since = now;
                match self.has_unread() {
                    true => Next::Stays,
                    false => Next::Gone,
                }
            }
            _ => Next::Gone,
        }
    }

    /// Reads what has arrived, through `scratch`.
    pub(crate) fn read(&mut self, scratch: &mut [u8; MAX_HEAD_BYTES], now: Instant) -> Next {
        match sys::receive(self.fd.as_fd(), scratch) {
            // The client can still read, and closes after that (a half-closed connection).
            Ok(0) if self.has_unread() => {
                if matches!(self.state, State::Reading) {
                    self.leave(now);
                }
                self.half_closed = true;
                Next::Stays
            }
            Ok(0) => Next::Gone,
            Ok(count) => match self.state {
                // A client that does not read gets no further response.
                State::Reading if self.sent_at.is_some() && self.has_unread() => Next::Gone,
                State::Reading => self.take(&scratch[..count], now),
                _ => Next::Stays,
            },
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Next::Stays
            }
            Err(_) => Next::Gone,
        }
    }

    fn take(&mut self, bytes: &[u8], now: Instant) -> Next {
        if self.pending.is_empty() {
            // The timeout for a head begins with its first byte.
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
                Next::Stays
            }
            Parsed::Request(mut request, taken) => {
                // More than one request at once: this one is served, then the connection is closed,
                // as RFC 9112, 9.3.2 allows. Requests are never queued here.
                request.keep_alive &= taken == bytes.len().max(self.pending.len());
                self.pending = Vec::new();
                Next::Asks(request)
            }
            Parsed::Refused(refusal) => self.refuse(refusal, now),
        }
    }

    /// Sends the reason and closes this side; the client has a moment to read it.
    fn refuse(&mut self, refusal: Refusal, now: Instant) -> Next {
        log::debug("request refused", &[("status", &refusal.status())]);
        self.pending = Vec::new();
        self.say(&Text::refusal(refusal), (false, false), now)
    }

    /// Closes the connection with a reset, which discards the bytes that the kernel still has for
    /// the client. After a plain close they would stay there until the client reads them, which can
    /// be never.
    pub(crate) fn close(self) {
        if self.has_unread() {
            let _ = sys::reset_at_close(self.fd.as_raw_fd());
        }
    }

    /// Whether the kernel still has bytes that the client has not acknowledged. After a reset
    /// SIOCOUTQ stays above 0.
    fn has_unread(&self) -> bool {
        let fd = self.fd.as_fd();
        sys::unsent_bytes(fd).is_ok_and(|bytes| bytes > 0) && !sys::has_error(fd)
    }

    /// Closes this side and waits for the client to do the same. Closing at once, while bytes of
    /// the client are unread, would make the kernel discard the response (RFC 9112, 9.6).
    fn leave(&mut self, now: Instant) {
        let _ = sys::shutdown(self.fd.as_raw_fd(), Shutdown::Write);
        self.enter(State::Leaving, now);
    }
}

#[cfg(test)]
mod tests;
