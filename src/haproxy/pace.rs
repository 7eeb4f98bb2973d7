//! When to read an answer from a unix socket, so that HAProxy's traffic does not wait for it.
//!
//! HAProxy (until late releases of 3.2 and of 3.4) prints as long as its socket takes the bytes, and lets
//! no traffic through meanwhile. When the socket is full it stops and serves its clients. So a reader
//! that is fast keeps it printing: 868 KB at a stretch were seen, and 210 KB, what the socket holds
//! (`net.core.wmem_default`), of one that reads only when the socket is full, and only what it holds
//! then. That it is full shows in that nothing is added any more.

use std::time::Duration;

/// Between two looks at what the socket holds. HAProxy adds 12 to 16 KB in 0.2 to 0.4 ms.
const LOOK_EVERY: Duration = Duration::from_micros(500);
/// How long more is waited for where the socket has held more before: HAProxy may not have had a
/// processor for so long.
const MOST_WAIT: Duration = Duration::from_millis(10);
/// A socket that is full holds a few hundred bytes more or less from time to time, and never this part
/// less: of 210 KB one piece of HAProxy's.
const FULL_WITHIN: usize = 16;
/// Looks that have seen nothing new may take this part of the time since the first byte.
const MOST_STILL: u32 = 2;
/// The part of a scrape's time that is never spent on waiting.
const TIME_TO_READ: u32 = 4;

/// What is looked at: a socket, or what a test puts in its place.
pub(super) trait Queue {
    /// Bytes that can be read; `None` where that is not known.
    fn bytes(&self) -> Option<usize>;
    /// Waits for the end of what the peer sends, and not for bytes. Returns whether it has come.
    fn ends_within(&mut self, time: Duration) -> bool;
    /// The time since some moment.
    fn now(&self) -> Duration;
}

/// The pace of one connection.
#[derive(Debug)]
pub(super) struct Pace {
    /// From here on everything is read as it comes.
    ends: Duration,
    /// When the first byte was there.
    began: Option<Duration>,
    /// The looks that have seen nothing new.
    still: Duration,
    /// The most that such a socket has held when it was read, before this connection or on it.
    most: usize,
    /// The same, on this connection.
    held: usize,
    /// What is left to be read of what the socket held.
    left: usize,
    is_over: bool,
}

impl Pace {
    /// For an answer that may take `time` from `now` on, by a socket that has held `most` before.
    pub(super) fn new(now: Duration, time: Duration, most: usize) -> Self {
        Self {
            ends: now.saturating_add(time - time / TIME_TO_READ),
            began: None,
            still: Duration::ZERO,
            most,
            held: 0,
            left: 0,
            is_over: false,
        }
    }

    /// Whether `wait` comes before the next read.
    pub(super) fn must_wait(&self) -> bool {
        !self.is_over && self.left == 0
    }

    /// Waits until the socket is full, or nothing more will come. Bytes are there, or the end.
    pub(super) fn wait(&mut self, queue: &mut impl Queue) {
        let mut now = queue.now();
        let began = *self.began.get_or_insert(now);
        let (mut grew, mut held) = (now, queue.bytes().unwrap_or(0));
        loop {
            if now >= self.ends || queue.ends_within(LOOK_EVERY) {
                self.is_over = true;
                return;
            }
            let looked = std::mem::replace(&mut now, queue.now());
            // What cannot be seen cannot be waited for.
            let Some(bytes) = queue.bytes() else {
                self.is_over = true;
                return;
            };
            if bytes > held {
                (grew, held) = (now, bytes);
                continue;
            }
            self.still += now.saturating_sub(looked);
            if self.is_full(held)
                || self.is_long(now.saturating_sub(began), now.saturating_sub(grew))
            {
                self.most = self.most.max(held);
                self.held = self.held.max(held);
                self.left = held;
                return;
            }
        }
    }

    /// How much of the room may be used.
    pub(super) fn most_of(&self, room: usize) -> usize {
        match self.is_over {
            true => room,
            false => room.min(self.left),
        }
    }

    /// So much was read.
    pub(super) fn took(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// What the next connection may expect the socket to hold.
    pub(super) fn most_held(&self) -> usize {
        match self.held {
            0 => self.most,
            held => held,
        }
    }

    /// Nothing was added to so many bytes.
    fn is_full(&self, held: usize) -> bool {
        held >= self.most - self.most / FULL_WITHIN
    }

    /// Whether a socket that is not full was waited for long enough.
    fn is_long(&self, since_first_byte: Duration, since_growth: Duration) -> bool {
        since_growth >= MOST_WAIT || self.still >= since_first_byte / MOST_STILL
    }
}

#[cfg(test)]
mod tests;
