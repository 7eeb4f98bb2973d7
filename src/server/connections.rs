//! Connection slots: admission and eviction.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::{Client, MIN_ANSWER_TIME, Next, State, Wait};
use super::response::{Buffers, Response};
use super::routes::Text;
use crate::log;
use crate::metrics::snapshot::Snapshot;
use crate::sys::{self, PollFd};

/// One of this number of slots is never held by a client that waits for a scrape: what needs no scrape is served
/// however many wait for a target that hangs.
const NEVER_WAITING: usize = 8;
/// Maximum size in bytes of all texts that clients have not taken yet: the landing page has 300 bytes for each
/// target.
const MAX_TEXT_BYTES: usize = 8 << 20;
/// A wait for a target that answers is short.
const SHORT_WAIT: Duration = Duration::from_millis(500);

/// A fixed number of slots.
pub(crate) struct Connections {
    slots: Vec<Option<Client>>,
}

impl Connections {
    /// `size` free slots.
    pub(crate) fn new(size: usize) -> Self {
        Self {
            slots: (0..size).map(|_| None).collect(),
        }
    }

    /// Number of slots.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The client in a slot.
    pub(crate) fn get_mut(&mut self, slot: usize) -> Option<&mut Client> {
        self.slots.get_mut(slot)?.as_mut()
    }

    /// A poll entry for each slot.
    pub(crate) fn poll_fds(&self) -> impl Iterator<Item = PollFd> {
        let slots = self.slots.iter();
        slots.map(|slot| slot.as_ref().map_or(sys::poll_fd(-1, 0), Client::poll_fd))
    }

    /// Puts a client into a slot that `free` returned; a client in it is closed.
    pub(crate) fn put(&mut self, slot: usize, client: Client) {
        self.close(slot);
        self.slots[slot] = Some(client);
    }

    /// Closes the connection in a slot.
    pub(crate) fn close(&mut self, slot: usize) {
        if let Some(client) = self.slots[slot].take() {
            client.close();
        }
    }

    /// When the first timeout of a connection passes.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.all().filter_map(Client::expires).min()
    }

    /// Whether a response is being sent.
    pub(crate) fn is_answering(&self) -> bool {
        self.all()
            .any(|client| matches!(client.state, State::Answering(_)))
    }

    /// Whether a client is more than just connected.
    pub(crate) fn is_busy(&self) -> bool {
        self.all()
            .any(|client| !matches!(client.state, State::Reading))
    }

    /// The clients that wait for a scrape, and since when.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (&Wait, Instant)> {
        self.all().filter_map(|client| match &client.state {
            State::Waiting(wait) => Some((wait, client.since)),
            _ => None,
        })
    }

    /// The clients that wait for a scrape, mutable.
    pub(crate) fn waiting_mut(&mut self) -> impl Iterator<Item = &mut Wait> {
        let all = self.slots.iter_mut().flatten();
        all.filter_map(|client| match &mut client.state {
            State::Waiting(wait) => Some(wait),
            _ => None,
        })
    }

    /// Serves the waiting clients that `choose` selects, by what they wait for and since when: with
    /// a snapshot, or with 503.
    pub(crate) fn answer<'a>(
        &mut self,
        choose: impl Fn(&Wait, Instant) -> Option<Option<&'a Arc<Snapshot>>>,
        buffers: &mut Buffers,
        now: Instant,
    ) {
        for slot in 0..self.slots.len() {
            if let Some(client) = &mut self.slots[slot]
                && let State::Waiting(wait) = client.state
                && let Some(snapshot) = choose(&wait, client.since)
            {
                let next = match snapshot {
                    Some(snapshot) => client.answer(snapshot, buffers, now),
                    None => client.say(
                        &Text::too_late(),
                        (wait.manner.is_head, wait.manner.keep_alive),
                        now,
                    ),
                };
                if next == Next::Gone {
                    self.close(slot);
                }
            }
        }
    }

    /// Refuses all who wait, with a text.
    pub(crate) fn refuse_waiting(&mut self, text: &Text, now: Instant) {
        for slot in 0..self.slots.len() {
            self.refuse_slot(slot, text, now);
        }
    }

    /// Refuses clients while more wait than may: those that may be gone, then those of the target that most
    /// wait for, the last first. So the clients of a target that hangs leave room for those of others. For a
    /// while all may wait for a target that `answers`: a crowd at a time is no reason to refuse anybody.
    pub(crate) fn refuse_too_many(&mut self, answers: impl Fn(usize) -> bool, now: Instant) {
        let most = self.slots.len() - self.slots.len() / NEVER_WAITING;
        while self.waiting().count() > most {
            let of = |target| {
                self.waiting()
                    .filter(|(wait, _)| wait.target == target)
                    .count()
            };
            let is_short = |since| now.saturating_duration_since(since) < SHORT_WAIT;
            let slots = self.slots.iter().enumerate();
            let waiting = slots.filter_map(|(slot, client)| {
                let client = client.as_ref()?;
                match client.state {
                    State::Waiting(wait)
                        if !client.half_closed
                            && answers(wait.target)
                            && is_short(client.since) =>
                    {
                        None
                    }
                    State::Waiting(wait) => {
                        Some((client.half_closed, of(wait.target), client.since, slot))
                    }
                    _ => None,
                }
            });
            let Some((.., slot)) = waiting.max() else {
                return;
            };
            self.refuse_slot(slot, &Text::too_many(), now);
        }
    }

    /// Refuses the client in a slot, if it waits.
    fn refuse_slot(&mut self, slot: usize, text: &Text, now: Instant) {
        if let Some(client) = &mut self.slots[slot]
            && let State::Waiting(wait) = client.state
            && client.say(text, (wait.manner.is_head, false), now) == Next::Gone
        {
            self.close(slot);
        }
    }

    /// Closes the connection in a slot if the texts that clients have not taken yet are too long together.
    pub(crate) fn limit_texts(&mut self, slot: usize) {
        let texts = self.all().map(|client| match &client.state {
            State::Answering(response) => response.text_bytes(),
            _ => 0,
        });
        if texts.sum::<usize>() > MAX_TEXT_BYTES {
            self.close(slot);
        }
    }

    /// Cuts the readers of a snapshot.
    pub(crate) fn cut_readers(&mut self, snapshot: &Arc<Snapshot>) {
        self.cut(|response| response.reads(snapshot));
    }

    /// Cuts all responses that the kernel does not have completely.
    pub(crate) fn cut_all(&mut self) {
        self.cut(|_| true);
    }

    fn cut(&mut self, condition: impl Fn(&Response) -> bool) {
        for slot in 0..self.slots.len() {
            if let Some(client) = &self.slots[slot]
                && matches!(&client.state, State::Answering(response) if condition(response))
            {
                log::debug("reply cut", &[("err", &"the client reads too slowly")]);
                self.close(slot);
            }
        }
    }

    /// From when on all readers of a snapshot can be cut.
    pub(crate) fn may_be_cut_at(&self, snapshot: &Arc<Snapshot>) -> Option<Instant> {
        let began = self.all().filter_map(|client| match &client.state {
            State::Answering(response) if response.reads(snapshot) => Some(response.began),
            _ => None,
        });
        began.max().map(|began| began + MIN_ANSWER_TIME)
    }

    /// The slot for one more client: a free one, or that of the client to evict.
    pub(crate) fn free(&self, now: Instant) -> Option<usize> {
        let free = self.slots.iter().position(Option::is_none);
        free.or_else(|| self.replaceable(now))
    }

    /// The addresses of the clients that wait for a scrape, for the log.
    pub(crate) fn peers_of(&self, batch: u64) -> String {
        let is_for = |wait: &Wait| wait.batch == Some(batch);
        let mut peers = String::new();
        for client in self.all() {
            if matches!(&client.state, State::Waiting(wait) if is_for(wait)) {
                let between = if peers.is_empty() { "" } else { ", " };
                peers.push_str(between);
                client.add_peer(&mut peers);
            }
        }
        peers
    }

    /// Whether every client that waits for a target is half-closed, and may be gone.
    pub(crate) fn all_half_closed(&self, target: usize) -> bool {
        let mut all = self.all().filter(|client| !client.half_closed);
        !all.any(|client| matches!(client.state, State::Waiting(wait) if wait.target == target))
    }

    /// The slot of the client to evict: those that are leaving first, because they have their response, then
    /// half-closed ones, then idle ones, then those that receive a response; within each class the one whose
    /// state began first.
    pub(crate) fn replaceable(&self, now: Instant) -> Option<usize> {
        let slots = self.slots.iter().enumerate();
        let replaceable = slots.filter_map(|(slot, client)| {
            let client = client.as_ref()?;
            let reads = matches!(client.state, State::Answering(_));
            let leaves = matches!(client.state, State::Leaving);
            let can_go = client.can_go_at(now).is_some_and(|at| at <= now);
            can_go.then_some((!leaves, !client.half_closed, reads, client.since, slot))
        });
        replaceable.min().map(|(.., slot)| slot)
    }

    /// When a slot becomes available if no client closes before; `None` if all wait for a scrape.
    pub(crate) fn next_replaceable(&self, now: Instant) -> Option<Instant> {
        self.all().filter_map(|client| client.can_go_at(now)).min()
    }

    fn all(&self) -> impl Iterator<Item = &Client> {
        self.slots.iter().flatten()
    }
}

#[cfg(test)]
mod tests;
