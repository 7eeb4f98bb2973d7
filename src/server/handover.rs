//! What the front and the main loop share besides the private connection.
//!
//! `tiny_http` says that there is a request; whom it is from and what the front knows of the others
//! that wait comes past it, as values instead of text.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whom to answer, and what the request over the private connection does not say.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// The client's socket. The main loop sends to it; the front still has it, and leaves it alone
    /// until it is told the outcome.
    pub client: Arc<OwnedFd>,
    /// Whether the connection stays open after the answer.
    pub keep_alive: bool,
    /// Requests of the same batch share a scrape.
    pub batch: u64,
    /// The least that any of those who share the scrape has left of the time it announced.
    pub time_left: Option<Duration>,
}

/// Those who wait for their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Since when the first of them does.
    pub since: Instant,
    /// How many there are; at least one.
    pub clients: u32,
}

/// The place where the two threads leave things for each other.
pub(crate) struct Handover {
    shared: Mutex<Shared>,
}

struct Shared {
    exchange: Option<Exchange>,
    others: Option<Waiting>,
    alive: Instant,
}

impl Handover {
    /// Nothing handed over yet.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            shared: Mutex::new(Shared {
                exchange: None,
                others: None,
                alive: now,
            }),
        }
    }

    /// The front's: whom the next request over the private connection is from, and who else waits.
    pub(crate) fn give(&self, exchange: Exchange, others: Option<Waiting>, now: Instant) {
        *self.lock() = Shared {
            exchange: Some(exchange),
            others,
            alive: now,
        };
    }

    /// The main loop's: whom the request that has come is from.
    pub(crate) fn take(&self) -> Option<Exchange> {
        self.lock().exchange.take()
    }

    /// The front's: who else waits.
    pub(crate) fn set_others(&self, others: Option<Waiting>) {
        self.lock().others = others;
    }

    /// The main loop's: who else waits.
    pub(crate) fn others(&self) -> Option<Waiting> {
        self.lock().others
    }

    /// The main loop's sign of life while a client keeps it waiting.
    pub(crate) fn still_alive(&self, now: Instant) {
        self.lock().alive = now;
    }

    /// The front's: the main loop's last sign of life, or when it got its exchange.
    pub(crate) fn last_alive(&self) -> Instant {
        self.lock().alive
    }

    /// Each use leaves the values whole, so a panic while it was locked spoils nothing.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
