//! The places for connections: who has one, who is next, who must give way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::{Client, State};
use super::handover::{Exchange, Waiting};
use super::request::Request;

/// A connection is not pushed out by newer ones before it had this time to send its request.
pub(crate) const MIN_IDLE: Duration = Duration::from_millis(10);
/// A client that has less time gets a scrape of its own: HAProxy must not look down to those who
/// share a scrape because one of them is in a hurry.
const MIN_SHARED_TIME: Duration = Duration::from_millis(500);

/// A fixed number of places.
pub(crate) struct Clients {
    places: Vec<Option<Client>>,
    next_ticket: u64,
    batch: u64,
    /// Tickets below this belong to the present batch.
    batch_end: u64,
}

impl Clients {
    /// `size` free places.
    pub(crate) fn new(size: usize) -> Self {
        Self {
            places: (0..size).map(|_| None).collect(),
            next_ticket: 0,
            batch: 0,
            batch_end: 0,
        }
    }

    /// All places, in their order.
    pub(crate) fn places(&self) -> &[Option<Client>] {
        &self.places
    }

    /// The client at a place.
    fn get(&self, place: usize) -> Option<&Client> {
        self.places.get(place)?.as_ref()
    }

    /// The client at a place.
    pub(crate) fn get_mut(&mut self, place: usize) -> Option<&mut Client> {
        self.places.get_mut(place)?.as_mut()
    }

    /// Puts a client into a place that `free_place` gave; whoever was there is closed.
    pub(crate) fn put(&mut self, place: usize, client: Client) {
        self.places[place] = Some(client);
    }

    /// Closes the connection at a place.
    pub(crate) fn close(&mut self, place: usize) {
        self.places[place] = None;
    }

    /// Lets the client at a place wait for its turn.
    pub(crate) fn queue(&mut self, place: usize, request: Request, now: Instant) {
        let ticket = self.next_ticket;
        if let Some(client) = self.get_mut(place) {
            client.queue(request, ticket, now);
            self.next_ticket += 1;
        }
    }

    /// When the first connection's state ends by itself.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.all().filter_map(Client::expires).min()
    }

    /// Those who wait for their turn, if anybody does.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        let one = |since| Waiting { since, clients: 1 };
        let all = self.all().filter_map(Client::waits_since).map(one);
        all.reduce(|a, b| Waiting {
            since: a.since.min(b.since),
            clients: a.clients + b.clients,
        })
    }

    /// The place of the client whose turn it is: the one that came first.
    pub(crate) fn next_waiting(&self) -> Option<usize> {
        let tickets = self.places.iter().enumerate();
        let waiting = tickets.filter_map(|(place, client)| match &client.as_ref()?.state {
            State::Waiting { ticket, .. } => Some((*ticket, place)),
            _ => None,
        });
        waiting.min().map(|(_, place)| place)
    }

    /// Takes the waiting client at a place out of the queue: it is being answered from now on. All
    /// that are there when a batch begins belong to it.
    pub(crate) fn begin(&mut self, place: usize, now: Instant) -> Option<(Request, Exchange)> {
        let client = self.get(place)?;
        let State::Waiting { ticket, .. } = client.state else {
            return None;
        };
        let own = client.time_left(now);
        let hurry = own.filter(|left| *left < MIN_SHARED_TIME && ticket >= self.batch_end);
        let time_left = hurry.or_else(|| self.shortest_time_left(now));
        if ticket >= self.batch_end {
            self.batch += 1;
            self.batch_end = hurry.map_or(self.next_ticket, |_| ticket + 1);
        }
        let batch = self.batch;
        let client = self.get_mut(place)?;
        let request = client.begin(now)?;
        let exchange = Exchange {
            client: Arc::clone(&client.fd),
            keep_alive: request.keep_alive,
            batch,
            time_left,
        };
        Some((request, exchange))
    }

    fn shortest_time_left(&self, now: Instant) -> Option<Duration> {
        let all = self.all().filter_map(|client| client.time_left(now));
        all.filter(|left| *left >= MIN_SHARED_TIME).min()
    }

    /// The place for one more client: a free one, or that of the one that is idle the longest.
    pub(crate) fn free_place(&self, now: Instant) -> Option<usize> {
        let free = self.places.iter().position(Option::is_none);
        free.or_else(|| self.replaceable(now))
    }

    /// The place of the client that is idle the longest, if it has been for long enough.
    pub(crate) fn replaceable(&self, now: Instant) -> Option<usize> {
        let (place, since) = self.oldest_idle()?;
        (since + MIN_IDLE <= now).then_some(place)
    }

    /// When a place can be had, if nobody leaves before; `None` when all are being served.
    pub(crate) fn next_replaceable(&self) -> Option<Instant> {
        self.oldest_idle().map(|(_, since)| since + MIN_IDLE)
    }

    fn oldest_idle(&self) -> Option<(usize, Instant)> {
        let places = self.places.iter().enumerate();
        let idle =
            places.filter_map(|(place, client)| Some((place, client.as_ref()?.idle_since()?)));
        idle.min_by_key(|(_, since)| *since)
    }

    fn all(&self) -> impl Iterator<Item = &Client> {
        self.places.iter().flatten()
    }
}
