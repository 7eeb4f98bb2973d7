//! The I/O thread: owns every public listener and connection.
//!
//! One thread, one poll loop, fixed limits, and nobody who waits for a slow client: whoever can take more
//! of an answer gets the next pieces, in turn. What needs no scrape is answered at once; for the metrics
//! the main loop is asked (`scrapes`), which never sees a client.

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
use crate::errno::reason;
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
/// Time for the answers under way when a signal asks to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);
/// While anybody is served, a round waits no longer than this, so that the clock notices a stop.
const LONGEST_ROUND: Duration = Duration::from_secs(1);

/// How the I/O thread ends; the process ends with it.
#[derive(Debug)]
pub(crate) enum End {
    /// A signal asked for it.
    Stopped,
    /// Nobody can be served any more, and why.
    Dead(String),
}

/// The I/O thread's connections and what goes on over them.
pub(crate) struct EventLoop {
    signals: OwnedFd,
    listeners: Vec<Listener>,
    routes: Routes,
    scrapes: Scrapes,
    connections: Connections,
    buffers: Buffers,
    /// Where requests are read to.
    scratch: Box<[u8; MAX_HEAD_BYTES]>,
    accept_after: Instant,
    stop_at: Option<Instant>,
}

impl EventLoop {
    /// A front for bound listeners.
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
            stop_at: None,
        }
    }

    /// Serves until a signal asks to stop, or until the server behind the I/O thread has died. Removes
    /// the socket files that were made for it.
    pub(crate) fn run(mut self) -> End {
        let end = self.serve();
        // What is sent whole is left to the kernel.
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

    /// Signals, the private connection, the listeners, then all connections in their order. Returns how
    /// many listeners are in it: none while nobody can be accepted.
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

    /// Until the next thing that happens by itself. A slot is waited for where nobody can be accepted.
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

    /// Looks after all that is ready in `set`, then after all whose time has come.
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
                "the server has not answered in time".to_owned(),
            )));
        }
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
                Signal::Stop if self.stop_at.is_none() => {
                    log::info("stopping", &[]);
                    self.stop_at = Some(now + STOP_TIMEOUT);
                }
                Signal::Stop => {}
            }
        }
    }

    /// Handles the events that poll has reported for a slot. In a round, connections get other clients only after
    /// this, in `accept`.
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

    /// Answers a request, or lets its client wait for a scrape.
    fn take(&mut self, slot: usize, request: &Request, now: Instant) {
        let Some(client) = self.connections.get_mut(slot) else {
            return;
        };
        let targets = self.scrapes.targets();
        let text = match self.routes.find(request) {
            Route::Metrics(name, selection) => match targets.find(name.as_deref()) {
                Ok(target) => {
                    client.wait(Wait::new(request, (target, selection), now), now);
                    return;
                }
                Err(error) => Text::no_target(&error),
            },
            Route::Landing => self.routes.landing_page(targets, now),
            Route::Text(text) => text,
        };
        let next = client.say(&text, (request.is_head, request.keep_alive), now);
        self.apply(slot, next, now);
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
                    // A client usually sends its request at once, and many only come and go.
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

    /// Most errors of accept(2) are the client's; out of descriptors or memory, an idle client goes.
    fn accept_failed(&mut self, error: &io::Error, now: Instant) {
        if matches!(
            error.raw_os_error(),
            Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS)
        ) {
            log::debug("cannot accept", &[("err", &reason(error))]);
            self.accept_after = now + RETRY_PAUSE;
            // Not the one that has just been accepted: its request may be on the way.
            if let Some(slot) = self.connections.replaceable(now) {
                self.connections.close(slot);
            }
        }
    }
}

#[cfg(test)]
mod tests;
