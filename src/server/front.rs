//! The front: owns every public listener and connection, and lets only good requests through.
//!
//! One thread, one poll loop, fixed limits. Requests go on one at a time, in the order of their
//! arrival: over the private connection (`channel`) to `tiny_http`, and with the client's socket
//! (`handover`) to the main loop, which answers and reports. All requests that are there when a
//! scrape starts carry the same batch number and share the scrape.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::{Client, Fate};
use super::handover::Handover;
use super::link;
use super::listen::Listener;
use super::request::MAX_HEAD_BYTES;
use super::slots::Clients;
use crate::log;
use crate::sys::signals::{self, Signal};
use crate::sys::{self, PollFd};

/// Connections that are held at the same time.
pub(crate) const MAX_CLIENTS: usize = 64;
/// Descriptors that are never given to clients: standard streams, private connection, the scrape's
/// sockets and files, name servers, and some for what the C library opens.
const RESERVED_DESCRIPTORS: u64 = 24;
/// Connections accepted before the others are looked after again.
const ACCEPTS_A_TURN: usize = 16;
/// The time until the next try after the kernel had no memory or no descriptor.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// Time for the answer under way when a signal asks to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// How the front ends; the process ends with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A signal asked for it.
    Stopped,
    /// The server behind it does not answer any more.
    Dead(String),
}

/// The front's connections and what goes on over them.
pub(crate) struct Front {
    signals: OwnedFd,
    listeners: Vec<Listener>,
    private: UnixStream,
    handover: Arc<Handover>,
    /// The longest that the main loop may give no sign of life while it owes an answer.
    patience: Duration,
    clients: Clients,
    /// The place of the client that is being answered.
    answering: Option<usize>,
    /// The request that goes on.
    request: Vec<u8>,
    /// What has come of the report on it.
    report: Vec<u8>,
    accept_after: Instant,
    stop_at: Option<Instant>,
}

impl Front {
    /// A front for bound listeners. `patience` is how long the main loop may give no sign of life
    /// while it owes an answer: more than its longest scrape.
    pub(crate) fn new(
        signals: OwnedFd,
        listeners: Vec<Listener>,
        private: UnixStream,
        handover: Arc<Handover>,
        patience: Duration,
    ) -> Self {
        let free =
            sys::descriptor_limit().saturating_sub(RESERVED_DESCRIPTORS + listeners.len() as u64);
        let size = usize::try_from(free)
            .unwrap_or(MAX_CLIENTS)
            .clamp(1, MAX_CLIENTS);
        Self {
            signals,
            listeners,
            private,
            handover,
            patience,
            clients: Clients::new(size),
            answering: None,
            request: Vec::new(),
            report: Vec::new(),
            accept_after: Instant::now(),
            stop_at: None,
        }
    }

    /// Serves until a signal asks to stop, or until the server behind the front has died. Removes
    /// the socket files that were made for it.
    pub(crate) fn run(mut self) -> End {
        let end = self.serve_clients();
        self.listeners.iter().for_each(Listener::remove_file);
        end
    }

    fn serve_clients(&mut self) -> End {
        let mut scratch = Box::new([0; MAX_HEAD_BYTES]);
        let mut set: Vec<PollFd> = Vec::with_capacity(MAX_CLIENTS + 16);
        loop {
            let now = Instant::now();
            let accepts = self.fill_poll_set(&mut set, now);
            match sys::poll(&mut set, self.time_to_wait(now)) {
                Ok(_) => {}
                // The kernel needs memory for a large set; poll(2) leaves no events in it.
                Err(error) if error.kind() == io::ErrorKind::OutOfMemory => {
                    log::debug("cannot poll", &[("err", &error)]);
                    std::thread::sleep(RETRY_PAUSE);
                }
                Err(error) => return End::Dead(format!("poll: {error}")),
            }
            let now = Instant::now();
            if set[1].revents != 0
                && let Err(error) = self.read_report(now)
            {
                return End::Dead(format!("private connection: {error}"));
            }
            self.take_signals(set[0].revents, now);
            let clients_from = 2 + accepts;
            for (position, ready) in (0..self.clients.places().len()).zip(&set[clients_from..]) {
                if ready.revents != 0 {
                    self.look_at(position, &mut scratch, now);
                }
            }
            for (listener, ready) in (0..accepts).zip(&set[2..]) {
                if ready.revents != 0 {
                    self.accept(listener, &mut scratch, now);
                }
            }
            self.expire(now);
            if let Some(end) = self.serve(now) {
                return end;
            }
        }
    }

    /// Signals, the private connection, the listeners, then all client places in their order.
    /// Returns how many listeners are in it: none while nobody can be accepted.
    fn fill_poll_set(&self, set: &mut Vec<PollFd>, now: Instant) -> usize {
        set.clear();
        set.push(sys::poll_fd(self.signals.as_raw_fd(), sys::READABLE));
        set.push(sys::poll_fd(self.private.as_raw_fd(), sys::READABLE));
        let can_accept = self.stop_at.is_none()
            && now >= self.accept_after
            && self.clients.free_place(now).is_some();
        let accepts = if can_accept { self.listeners.len() } else { 0 };
        set.extend(
            self.listeners[..accepts]
                .iter()
                .map(|l| sys::poll_fd(l.fd.as_raw_fd(), sys::READABLE)),
        );
        let places = self.clients.places().iter();
        set.extend(places.map(|place| place.as_ref().map_or(sys::poll_fd(-1, 0), Client::poll_fd)));
        accepts
    }

    /// Until the next thing that happens by itself.
    fn time_to_wait(&self, now: Instant) -> Option<Duration> {
        let accept = match self.stop_at {
            None if now < self.accept_after => Some(self.accept_after),
            None if self.clients.free_place(now).is_none() => self.clients.next_replaceable(),
            _ => None,
        };
        let timers = [
            self.clients.next_expiry(),
            self.gives_up_at(),
            accept,
            self.stop_at,
        ];
        let next = timers.into_iter().flatten().min()?;
        Some(next.saturating_duration_since(now))
    }

    /// When the main loop is given up, if it gives no sign of life before.
    fn gives_up_at(&self) -> Option<Instant> {
        self.answering?;
        Some(self.handover.last_alive() + self.patience)
    }

    fn take_signals(&mut self, revents: i16, now: Instant) {
        if revents == 0 {
            return;
        }
        while let Some(signal) = signals::next(self.signals.as_fd()) {
            match signal {
                Signal::Hangup => log::info("SIGHUP ignored: there is nothing to reload", &[]),
                Signal::Stop if self.stop_at.is_none() => {
                    log::info("stopping", &[]);
                    self.stop_at = Some(now + STOP_TIMEOUT);
                }
                Signal::Stop => {}
            }
        }
    }

    fn look_at(&mut self, position: usize, scratch: &mut [u8; MAX_HEAD_BYTES], now: Instant) {
        if let Some(client) = self.clients.get_mut(position) {
            let fate = match client.is_reading() {
                true => client.read(scratch, now),
                false => Fate::Gone,
            };
            self.apply(position, fate, now);
        }
    }

    fn apply(&mut self, position: usize, fate: Fate, now: Instant) {
        match fate {
            Fate::Stays => {}
            Fate::Gone => self.clients.close(position),
            Fate::Asks(request) => self.clients.queue(position, request, now),
        }
    }

    fn expire(&mut self, now: Instant) {
        for position in 0..self.clients.places().len() {
            let Some(client) = self.clients.get_mut(position) else {
                continue;
            };
            if client.expires().is_some_and(|at| at <= now) {
                let fate = client.expire(now);
                self.apply(position, fate, now);
            }
        }
    }

    /// Begins the next answer, if none is under way. Returns the end, when it has come.
    fn serve(&mut self, now: Instant) -> Option<End> {
        if self.gives_up_at().is_some_and(|at| at <= now) {
            return Some(End::Dead("the server has not answered in time".to_owned()));
        }
        if self
            .stop_at
            .is_some_and(|at| at <= now || self.answering.is_none())
        {
            return Some(End::Stopped);
        }
        if self.answering.is_none()
            && let Some(position) = self.clients.next_waiting()
            && let Err(error) = self.begin(position, now)
        {
            return Some(End::Dead(format!("private connection: {error}")));
        }
        self.handover.set_others(self.clients.waiting());
        None
    }

    /// Hands a client over, then sends its request on, whatever it looked like.
    fn begin(&mut self, position: usize, now: Instant) -> io::Result<()> {
        let Some((request, exchange)) = self.clients.begin(position, now) else {
            return Ok(());
        };
        self.answering = Some(position);
        self.handover.give(exchange, self.clients.waiting(), now);
        let method = if request.is_head { "HEAD" } else { "GET" };
        let path = &request.path;
        self.request.clear();
        write!(self.request, "{method} {path} HTTP/1.1\r\n\r\n")?;
        // The server has read all that came before: this much always finds room.
        self.private.write_all(&self.request)
    }

    /// Reads the main loop's report on the answer under way; anything else means that the server is
    /// broken, and its end shows here as well.
    fn read_report(&mut self, now: Instant) -> io::Result<()> {
        // More than a report has.
        let mut bytes = [0; 64];
        let count = match self.private.read(&mut bytes) {
            Ok(0) => return Err(io::Error::other("closed by the server")),
            Ok(count) => count,
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                return Ok(());
            }
            Err(e) => return Err(e),
        };
        self.report.extend_from_slice(&bytes[..count]);
        if let Some(is_sent) = link::read_report(&self.report)? {
            self.report.clear();
            self.answered(is_sent, now);
        }
        Ok(())
    }

    fn answered(&mut self, is_sent: bool, now: Instant) {
        let Some(position) = self.answering.take() else {
            return;
        };
        if let Some(client) = self.clients.get_mut(position) {
            if is_sent {
                client.answered(now);
            } else {
                client.cut();
                self.clients.close(position);
            }
        }
    }

    fn accept(&mut self, listener: usize, scratch: &mut [u8; MAX_HEAD_BYTES], now: Instant) {
        for _ in 0..ACCEPTS_A_TURN {
            let Some(place) = self.clients.free_place(now) else {
                return;
            };
            match sys::accept(self.listener_fd(listener)) {
                Ok(fd) => {
                    let mut client = Client::new(fd, now);
                    // A client usually sends its request at once, and many only come and go.
                    let fate = client.read(scratch, now);
                    self.clients.put(place, client);
                    self.apply(place, fate, now);
                }
                Err(error) => {
                    self.accept_failed(&error, now);
                    return;
                }
            }
        }
    }

    fn listener_fd(&self, listener: usize) -> RawFd {
        self.listeners[listener].fd.as_raw_fd()
    }

    /// Most errors of accept(2) are the client's; out of descriptors or memory, an idle client goes.
    fn accept_failed(&mut self, error: &io::Error, now: Instant) {
        if matches!(
            error.raw_os_error(),
            Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS)
        ) {
            log::debug("cannot accept", &[("err", error)]);
            self.accept_after = now + RETRY_PAUSE;
            // Not the one that has just been accepted: its request may be on the way.
            if let Some(position) = self.clients.replaceable(now) {
                self.clients.close(position);
            }
        }
    }
}

#[cfg(test)]
mod tests;
