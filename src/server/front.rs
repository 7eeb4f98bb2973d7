//! The front: owns every public listener and connection, and lets only good requests through.
//!
//! One thread, one poll loop, fixed limits. Requests go on one at a time, in the order of their
//! arrival, over the private connection (`channel`); answers come back over it (`relay`). All
//! requests that are there when a scrape starts carry the same batch number and share the scrape.

use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::channel::KEY_FIELD;
use super::client::{Client, Fate, State};
use super::clients::{Clients, Next};
use super::head::MAX_HEAD_BYTES;
use super::listen::Listener;
use super::relay::{Relay, Turn};
use crate::log;
use crate::sys::{self, PollFd, Signal};

/// Connections that are held at the same time.
pub const MAX_CLIENTS: usize = 64;
/// Descriptors that are never given to clients: standard streams, private connection, the scrape's
/// sockets and files, name servers, and some for what the C library opens.
const RESERVED_DESCRIPTORS: u64 = 24;
/// Connections accepted before the others are looked after again.
const ACCEPTS_A_TURN: usize = 16;
/// After a failed accept, the time until the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Time for the answer under way when a signal asks to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// The name of the field with the number of the batch.
pub const BATCH_FIELD: &str = "Front-Batch";
/// The name of the field with the time that the clients have left, in seconds.
pub const TIMEOUT_FIELD: &str = "X-Prometheus-Scrape-Timeout-Seconds";

/// How the front ends; the process ends with it.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// A signal asked for it.
    Stopped,
    /// The server behind it does not answer any more.
    Dead(String),
}

/// The front's connections and what goes on over them.
pub struct Front {
    signals: OwnedFd,
    listeners: Vec<Listener>,
    private: UnixStream,
    key: String,
    /// The longest that the server may be silent while it owes an answer.
    patience: Duration,
    clients: Clients,
    relay: Relay,
    /// The client that is being answered; `None` in it when that client has gone.
    answering: Option<Option<usize>>,
    last_turn: Turn,
    accept_after: Instant,
    stop_at: Option<Instant>,
}

impl Front {
    /// A front for bound listeners. `longest_scrape` is what the server may need for one answer.
    pub fn new(
        signals: OwnedFd,
        listeners: Vec<Listener>,
        private: UnixStream,
        key: String,
        longest_scrape: Duration,
    ) -> Self {
        let now = Instant::now();
        let free =
            sys::descriptor_limit().saturating_sub(RESERVED_DESCRIPTORS + listeners.len() as u64);
        let size = usize::try_from(free)
            .unwrap_or(MAX_CLIENTS)
            .clamp(1, MAX_CLIENTS);
        Self {
            signals,
            listeners,
            private,
            key,
            patience: longest_scrape + Duration::from_secs(10),
            clients: Clients::new(size),
            relay: Relay::new(now),
            answering: None,
            last_turn: Turn::NeedsServer,
            accept_after: now,
            stop_at: None,
        }
    }

    /// Serves until a signal asks to stop, or until the server behind the front has died. Removes
    /// the socket files that were made for it.
    pub fn run(mut self) -> End {
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
            if let Err(error) = sys::poll(&mut set, self.time_to_wait(now)) {
                return End::Dead(format!("poll: {error}"));
            }
            let now = Instant::now();
            if set[1].revents & !sys::READABLE != 0 && self.answering.is_none() {
                return End::Dead("the server closed its connection".to_owned());
            }
            self.take_signals(set[0].revents, now);
            let clients_from = 2 + accepts;
            for (position, ready) in (0..self.clients.places().len()).zip(&set[clients_from..]) {
                if ready.revents != 0 {
                    self.look_at(position, ready.revents, &mut scratch, now);
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
        let wants_server = self.answering.is_some() && self.last_turn == Turn::NeedsServer;
        // Not while a client is waited for: a broken connection would be reported at once, and again.
        let private = match self.answering {
            Some(_) if !wants_server => -1,
            _ => self.private.as_raw_fd(),
        };
        let events = if wants_server { sys::READABLE } else { 0 };
        set.push(sys::poll_fd(private, events));
        let can_accept = self.stop_at.is_none()
            && now >= self.accept_after
            && self.clients.free_place(now).is_some();
        let accepts = if can_accept { self.listeners.len() } else { 0 };
        set.extend(
            self.listeners[..accepts]
                .iter()
                .map(|l| sys::poll_fd(l.fd.as_raw_fd(), sys::READABLE)),
        );
        set.extend(self.clients.places().iter().map(|client| match client {
            None => sys::poll_fd(-1, 0),
            Some(client) => {
                let sends =
                    matches!(client.state, State::Answering) && self.last_turn == Turn::NeedsClient;
                let events = if sends {
                    sys::WRITABLE
                } else {
                    client.events()
                };
                sys::poll_fd(client.fd.as_raw_fd(), events)
            }
        }));
        accepts
    }

    /// Until the next thing that happens by itself.
    fn time_to_wait(&self, now: Instant) -> Option<Duration> {
        if self.answering.is_some() && self.last_turn == Turn::Again {
            return Some(Duration::ZERO);
        }
        let relay = self.answering.and_then(|_| self.relay_deadline());
        let accept = match self.stop_at {
            None if now < self.accept_after => Some(self.accept_after),
            None if self.clients.free_place(now).is_none() => self.clients.next_replaceable(),
            _ => None,
        };
        let timers = [self.clients.next_expiry(), relay, accept, self.stop_at];
        let next = timers.into_iter().flatten().min()?;
        Some(next.saturating_duration_since(now))
    }

    fn relay_deadline(&self) -> Option<Instant> {
        match self.relay.waits_for_server_since() {
            Some(since) => Some(since + self.patience),
            None => self.relay.client_expires(self.clients.waiting_since()),
        }
    }

    fn take_signals(&mut self, revents: i16, now: Instant) {
        if revents == 0 {
            return;
        }
        while let Some(signal) = sys::next_signal(self.signals.as_fd()) {
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

    fn look_at(
        &mut self,
        position: usize,
        revents: i16,
        scratch: &mut [u8; MAX_HEAD_BYTES],
        now: Instant,
    ) {
        let Some(client) = self.clients.get_mut(position) else {
            return;
        };
        let fate = match client.state {
            State::Reading | State::Leaving => client.read(scratch, now),
            // The relay sees for itself whether it can send.
            State::Answering if revents & sys::WRITABLE != 0 => Fate::Stays,
            State::Answering | State::Waiting { .. } => Fate::Gone,
        };
        self.apply(position, fate, now);
    }

    fn apply(&mut self, position: usize, fate: Fate, now: Instant) {
        match fate {
            Fate::Stays => {}
            Fate::Gone => self.close(position),
            Fate::Asks(request) => self.clients.queue(position, request, now),
        }
    }

    fn close(&mut self, position: usize) {
        self.clients.close(position);
        if self.answering == Some(Some(position)) {
            self.answering = Some(None);
            self.relay.discard();
            self.last_turn = Turn::Again;
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
        if self.last_turn == Turn::NeedsClient && self.is_too_slow(now) {
            self.cut_unless_it_reads(now);
        }
    }

    fn cut_unless_it_reads(&mut self, now: Instant) {
        let Some(Some(position)) = self.answering else {
            return;
        };
        if let Some(client) = self.clients.get(position) {
            self.relay.look_for_progress(client.fd.as_fd(), now);
        }
        if self.is_too_slow(now) {
            log::debug("client reads too slowly, its answer is cut", &[]);
            self.close(position);
        }
    }

    fn is_too_slow(&self, now: Instant) -> bool {
        let expires = self.relay.client_expires(self.clients.waiting_since());
        expires.is_some_and(|at| at <= now)
    }

    /// Carries the answer under way on and begins the next. Returns the end, when it has come.
    fn serve(&mut self, now: Instant) -> Option<End> {
        loop {
            if let Some(client) = self.answering {
                if let Some(end) = self.carry(client, now) {
                    return Some(end);
                }
                if self.answering.is_some() {
                    break;
                }
            }
            if self.stop_at.is_some() {
                return Some(End::Stopped);
            }
            match self.clients.next_waiting() {
                Some(position) => {
                    if let Err(error) = self.begin(position, now) {
                        return Some(End::Dead(format!("cannot reach the server: {error}")));
                    }
                }
                None => return None,
            }
        }
        self.stop_at
            .is_some_and(|at| at <= now)
            .then_some(End::Stopped)
    }

    fn carry(&mut self, client: Option<usize>, now: Instant) -> Option<End> {
        let fd = client
            .and_then(|position| self.clients.get(position))
            .map(|client| client.fd.as_fd());
        let turn = self.relay.carry(self.private.as_fd(), fd, now);
        match (&turn, client) {
            (Turn::Done(keep_alive), Some(position)) => self.answered(position, *keep_alive, now),
            (Turn::Done(_), None) => self.answering = None,
            (Turn::ClientGone, Some(position)) => {
                self.close(position);
                return None;
            }
            (Turn::Broken(why), _) => return Some(End::Dead(why.clone())),
            (Turn::NeedsServer, _) => {
                let since = self.relay.waits_for_server_since();
                if since.is_some_and(|since| since + self.patience <= now) {
                    return Some(End::Dead("the server has not answered in time".to_owned()));
                }
            }
            _ => {}
        }
        self.last_turn = turn;
        None
    }

    fn answered(&mut self, position: usize, keep_alive: bool, now: Instant) {
        self.answering = None;
        if let Some(client) = self.clients.get_mut(position) {
            if keep_alive {
                client.next_request(now)
            } else {
                client.leave(now)
            }
        }
    }

    /// Sends a request on to the server.
    fn begin(&mut self, position: usize, now: Instant) -> std::io::Result<()> {
        let Some(next) = self.clients.begin(position, now) else {
            return Ok(());
        };
        self.relay.begin(&next.request, now);
        self.answering = Some(Some(position));
        self.last_turn = Turn::NeedsServer;
        // The server has read all that came before: this much always finds room.
        self.private.write_all(&canonical_head(&next, &self.key))
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
    fn accept_failed(&mut self, error: &std::io::Error, now: Instant) {
        if matches!(
            error.raw_os_error(),
            Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS)
        ) {
            log::debug("cannot accept", &[("err", error)]);
            self.accept_after = now + ACCEPT_PAUSE;
            // Not the one that has just been accepted: its request may be on the way.
            if let Some(position) = self.clients.replaceable(now) {
                self.close(position);
            }
        }
    }
}

/// The request as the server sees it, whatever the client wrote.
fn canonical_head(next: &Next, key: &str) -> Vec<u8> {
    let Next {
        request,
        batch,
        time_left,
    } = next;
    let method = if request.is_head { "HEAD" } else { "GET" };
    let timeout = time_left.map_or(String::new(), |left| {
        format!("{TIMEOUT_FIELD}: {}\r\n", left.as_secs_f64())
    });
    let path = &request.path;
    format!(
        "{method} {path} HTTP/1.1\r\n{KEY_FIELD}: {key}\r\n{BATCH_FIELD}: {batch}\r\n{timeout}\r\n"
    )
    .into_bytes()
}
