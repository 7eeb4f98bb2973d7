//! The I/O thread: owns every public listener and connection.
//!
//! One thread, one poll loop, fixed limits. No client waits for a slow one: each client that can
//! receive more of its response gets the next pieces, in turn. Requests that need no scrape are
//! served at once. For metrics the main loop is requested to scrape (`scrapes`); it never sees a
//! client.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::connection::{Client, Next, Wait};
use super::connections::Connections;
use super::listen::Listener;
use super::request::{MAX_HEAD_BYTES, Request};
use super::response::Buffers;
use super::routes::{Route, Routes, Text};
use super::scrapes::Scrapes;
use crate::errno::{denied, is_denial, reason};
use crate::log;
use crate::sys::signals::{self, Signal};
use crate::sys::{self, PollFd};

/// Maximum number of connections at the same time.
pub(crate) const MAX_CLIENTS: usize = 64;
/// File descriptors that are never used for clients: standard streams, the private connection, the
/// sockets and files of the scrape, name servers, and a reserve for the C library.
const RESERVED_DESCRIPTORS: u64 = 24;
/// Maximum number of connections accepted per round, so that the other clients get their turn.
const ACCEPTS_A_TURN: usize = 16;
/// Pause before the next attempt after the kernel had no memory or no descriptor.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// Time to finish responses after a signal to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest round while clients are served, so that the clock notices a stop of the process.
const LONGEST_ROUND: Duration = Duration::from_secs(1);

/// How the I/O thread ends; the process ends with it.
#[derive(Debug)]
pub(crate) enum End {
    /// A signal requested it.
    Stopped,
    /// No client can be served any more; the reason.
    Dead(String),
}

/// The I/O thread: its connections and their state.
pub(crate) struct EventLoop {
    signals: OwnedFd,
    listeners: Vec<Listener>,
    routes: Routes,
    scrapes: Scrapes,
    connections: Connections,
    buffers: Buffers,
    /// Buffer into which requests are read.
    scratch: Box<[u8; MAX_HEAD_BYTES]>,
    accept_after: Instant,
    /// Whether the kernel has denied to accept a client; it is said once.
    is_denied: bool,
    stop_at: Option<Instant>,
}

impl EventLoop {
    /// An I/O thread for bound listeners.
    pub(crate) fn new(
        signals: OwnedFd,
        listeners: Vec<Listener>,
        routes: Routes,
        scrapes: Scrapes,
    ) -> Self {
        let free =
            sys::descriptor_limit().saturating_sub(RESERVED_DESCRIPTORS + listeners.len() as u64);
        let size = usize::try_from(free)
            .unwrap_or(MAX_CLIENTS)
            .clamp(1, MAX_CLIENTS);
        Self {
            signals,
            listeners,
            routes,
            scrapes,
            connections: Connections::new(size),
            buffers: Buffers::default(),
            scratch: Box::new([0; MAX_HEAD_BYTES]),
            accept_after: Instant::now(),
            is_denied: false,
            stop_at: None,
        }
    }

    /// Serves until a signal to stop, or until the main loop has died. Removes the socket files
    /// that were created.
    pub(crate) fn run(mut self) -> End {
        let end = self.serve();
        // Responses that the kernel has completely are left to it.
        self.connections.cut_all();
        end
    }

    fn serve(&mut self) -> End {
        let mut set: Vec<PollFd> = Vec::with_capacity(MAX_CLIENTS + 16);
        let mut clock = Clock::new(Instant::now());
        loop {
            let now = clock.now();
            let accepts = self.fill_poll_set(&mut set, now);
            let wait = self.time_to_wait(now, accepts > 0);
            match sys::poll(&mut set, wait) {
                Ok(_) => {}
                // The kernel needs memory for a large set; poll(2) leaves no events in it.
                Err(error) if error.kind() == io::ErrorKind::OutOfMemory => {
                    log::debug("cannot poll", &[("err", &reason(&error))]);
                    std::thread::sleep(RETRY_PAUSE);
                }
                Err(error) => return End::Dead(format!("poll: {}", reason(&error))),
            }
            let now = clock.advance(Instant::now(), wait);
            match self.round(&set, accepts, now) {
                Ok(None) => {}
                Ok(Some(end)) => return end,
                Err(error) => {
                    return End::Dead(format!("private connection: {}", reason(&error)));
                }
            }
        }
    }

    /// Fills the poll set: signals, the private connection, the listeners, then all slots in order.
    /// Returns the number of listeners in it: none while no client can be accepted.
    fn fill_poll_set(&self, set: &mut Vec<PollFd>, now: Instant) -> usize {
        set.clear();
        set.push(sys::poll_fd(self.signals.as_raw_fd(), sys::READABLE));
        set.push(sys::poll_fd(self.scrapes.fd(), sys::READABLE));
        let can_accept = self.stop_at.is_none()
            && now >= self.accept_after
            && self.connections.free(now).is_some();
        let accepts = if can_accept { self.listeners.len() } else { 0 };
        set.extend(
            self.listeners[..accepts]
                .iter()
                .map(|l| sys::poll_fd(l.fd.as_raw_fd(), sys::READABLE)),
        );
        set.extend(self.connections.poll_fds());
        accepts
    }

    /// Time until the next timeout. If no client can be accepted, that includes the time at which a
    /// slot can be evicted.
    fn time_to_wait(&self, now: Instant, can_accept: bool) -> Option<Duration> {
        let accept = match self.stop_at {
            None if now < self.accept_after => Some(self.accept_after),
            None if !can_accept => self.connections.next_replaceable(now),
            _ => None,
        };
        let timers = [
            self.connections.next_expiry(),
            self.scrapes.wakes_at(&self.connections, now),
            accept,
            self.stop_at,
        ];
        let next = timers.into_iter().flatten().min()?;
        let wait = next.saturating_duration_since(now);
        match self.scrapes.is_running() || self.connections.is_busy() {
            true => Some(wait.min(LONGEST_ROUND)),
            false => Some(wait),
        }
    }

    /// Handles everything that is ready in `set`, then every timeout that has passed.
    fn round(&mut self, set: &[PollFd], accepts: usize, now: Instant) -> io::Result<Option<End>> {
        if set[1].revents != 0 {
            self.scrapes
                .receive(&mut self.connections, &mut self.buffers, now)?;
        }
        if set[0].revents != 0 {
            self.take_signals(now);
        }
        let clients_from = 2 + accepts;
        for (slot, ready) in (0..self.connections.len()).zip(&set[clients_from..]) {
            if ready.revents != 0 {
                self.handle(slot, ready.revents, now);
            }
        }
        let newcomers = set[2..clients_from].iter().any(|one| one.revents != 0);
        for (listener, ready) in (0..accepts).zip(&set[2..]) {
            if ready.revents != 0 {
                self.accept(listener, now);
            }
        }
        self.expire(now);
        self.scrapes
            .answer_late(&mut self.connections, &mut self.buffers, now);
        if self.scrapes.gives_up_at().is_some_and(|at| at <= now) {
            return Ok(Some(End::Dead(
                "the server did not respond in time".to_owned(),
            )));
        }
        self.scrapes.refuse_too_many(&mut self.connections, now);
        self.scrapes.give_way(&self.connections, now);
        match self.stop_at {
            Some(at) if at <= now || !self.connections.is_answering() => {
                return Ok(Some(End::Stopped));
            }
            Some(_) => {}
            None => self.scrapes.begin(&mut self.connections, newcomers, now)?,
        }
        self.scrapes.trim();
        Ok(None)
    }

    fn take_signals(&mut self, now: Instant) {
        while let Some(signal) = signals::next(self.signals.as_fd()) {
            match signal {
                Signal::Hangup => log::info("SIGHUP ignored: there is nothing to reload", &[]),
                Signal::User1 => log::info("SIGUSR1 ignored", &[]),
                Signal::User2 => log::info("SIGUSR2 ignored", &[]),
                Signal::Alarm => log::info("SIGALRM ignored", &[]),
                Signal::Other => log::info("signal ignored", &[]),
                Signal::Stop if self.stop_at.is_none() => {
                    log::info("stopping", &[]);
                    self.stop_at = Some(now + STOP_TIMEOUT);
                    self.connections.refuse_waiting(&Text::stopping(), now);
                }
                Signal::Stop => {}
            }
        }
    }

    /// Handles the events that poll reported for a slot. Within a round, slots get new clients only
    /// after this, in `accept`.
    fn handle(&mut self, slot: usize, events: i16, now: Instant) {
        if let Some(client) = self.connections.get_mut(slot) {
            let next = client.handle(events, &mut self.scratch, &mut self.buffers, now);
            self.apply(slot, next, now);
        }
    }

    fn apply(&mut self, slot: usize, next: Next, now: Instant) {
        match next {
            Next::Stays => {}
            Next::Gone => self.connections.close(slot),
            Next::Asks(request) => self.take(slot, &request, now),
        }
    }

    /// Serves a request, or lets its client wait for a scrape.
    fn take(&mut self, slot: usize, request: &Request, now: Instant) {
        let Some(client) = self.connections.get_mut(slot) else {
            return;
        };
        let targets = self.scrapes.targets();
        let text = match self.routes.find(request, now) {
            Route::Metrics(name, selection) => match targets.find(name.as_deref()) {
                Ok(target) => {
                    let manner = self.routes.manner(request);
                    let wait = Wait::new(request, (target, selection), manner, now);
                    client.wait(wait, now);
                    match self.stop_at {
                        Some(_) => self.connections.refuse_waiting(&Text::stopping(), now),
                        None => self.scrapes.refuse_too_many(&mut self.connections, now),
                    }
                    return;
                }
                Err(error) => Text::no_target(&error),
            },
            Route::Landing => self.routes.landing_page(targets, now),
            Route::Text(text) => text,
        };
        let next = client.say(&text, (request.is_head, request.keep_alive), now);
        self.apply(slot, next, now);
        self.connections.limit_texts(slot);
    }

    fn expire(&mut self, now: Instant) {
        for slot in 0..self.connections.len() {
            if let Some(client) = self.connections.get_mut(slot)
                && client.expires().is_some_and(|at| at <= now)
            {
                let next = client.expire(now);
                self.apply(slot, next, now);
            }
        }
    }

    fn accept(&mut self, listener: usize, now: Instant) {
        for _ in 0..ACCEPTS_A_TURN {
            let Some(slot) = self.connections.free(now) else {
                return;
            };
            match self.listeners[listener].accept() {
                Ok(fd) => {
                    let client = Client::new(fd, now);
                    // A client usually sends its request at once, and many clients only connect and
                    // close.
                    let mut set = [client.poll_fd()];
                    self.connections.put(slot, client);
                    if matches!(sys::poll(&mut set, Some(Duration::ZERO)), Ok(1)) {
                        self.handle(slot, set[0].revents, now);
                    }
                }
                Err(error) => {
                    self.accept_failed(&error, now);
                    return;
                }
            }
        }
    }

    /// Most errors of accept(2) are caused by the client. If descriptors or memory are exhausted,
    /// an idle client is closed.
    fn accept_failed(&mut self, error: &io::Error, now: Instant) {
        // SELinux can deny it for some listeners only.
        if is_denial(error) {
            if !std::mem::replace(&mut self.is_denied, true) {
                let why = denied("accept4", error);
                log::error("cannot accept clients", &[("err", &why)]);
            }
            self.accept_after = now + RETRY_PAUSE;
        }
        if matches!(
            error.raw_os_error(),
            Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS)
        ) {
            log::debug("cannot accept", &[("err", &reason(error))]);
            self.accept_after = now + RETRY_PAUSE;
            // Not the one that was just accepted: its request can be in transit.
            if let Some(slot) = self.connections.replaceable(now) {
                self.connections.close(slot);
            }
        }
    }
}

#[cfg(test)]
mod tests;
