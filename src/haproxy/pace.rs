//! Decides when to read a reply from a unix socket, so that HAProxy's traffic does not wait for it.
//!
//! HAProxy (until late releases of 3.2 and of 3.4) prints as long as its socket accepts bytes, and
//! handles no traffic meanwhile. When the socket is full, HAProxy stops and handles its traffic. So
//! a fast reader keeps it printing: 868 KB without a break were seen. With a reader that reads only
//! when the socket is full, and only what it holds then, the maximum is what the socket holds: 210
//! KB (`net.core.wmem_default`). The socket is full when its number of bytes stops growing.

use std::time::Duration;

/// Interval at which the number of bytes in the socket is read. HAProxy adds 12 to 16 KB in 0.2 to
/// 0.4 ms.
const LOOK_EVERY: Duration = Duration::from_micros(500);
/// Maximum wait for more bytes if the socket has held more before: HAProxy might not have had a CPU
/// for that long.
const MOST_WAIT: Duration = Duration::from_millis(10);
/// A full socket holds a few hundred bytes more or less from time to time, but never less by this
/// part: of 210 KB, one write of HAProxy.
const FULL_WITHIN: usize = 16;
/// Maximum part of the time since the first byte that waits without new bytes can take.
const MOST_STILL: u32 = 2;
/// The part of a scrape's time that is never spent on waiting.
const TIME_TO_READ: u32 = 4;

/// The socket, or its replacement in a test.
pub(super) trait Queue {
    /// Number of bytes that can be read; `None` if it is unknown.
    fn bytes(&self) -> Option<usize>;
    /// Waits for the end of the stream, not for bytes. Returns whether it was reached.
    fn ends_within(&mut self, time: Duration) -> bool;
    /// The time since an arbitrary moment.
    fn now(&self) -> Duration;
}

/// The pace of one connection.
#[derive(Debug)]
pub(super) struct Pace {
    /// From this time on everything is read at once.
    ends: Duration,
    /// When the first byte arrived.
    began: Option<Duration>,
    /// Total time of waits without new bytes.
    still: Duration,
    /// Maximum number of bytes in such a socket when it was read, on this connection or before.
    most: usize,
    /// Maximum number of bytes in the socket when it was read, on this connection.
    held: usize,
    /// Number of bytes in the socket that are still to be read.
    left: usize,
    is_over: bool,
}

impl Pace {
    /// For a reply that can take `time` from `now` on, on a socket that has held `most` bytes
    /// before.
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

    /// Whether `wait` must be called before the next read.
    pub(super) fn must_wait(&self) -> bool {
        !self.is_over && self.left == 0
    }

    /// Waits until the socket is full, or no more bytes will arrive.
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
            // Without the number of bytes there is nothing to wait for.
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

    /// The number of bytes of the room that can be used.
    pub(super) fn most_of(&self, room: usize) -> usize {
        match self.is_over {
            true => room,
            false => room.min(self.left),
        }
    }

    /// This number of bytes was read.
    pub(super) fn took(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// The number of bytes that the next connection can expect the socket to hold.
    pub(super) fn most_held(&self) -> usize {
        match self.held {
            0 => self.most,
            held => held,
        }
    }

    /// Whether the socket is full with this number of bytes, which did not grow.
    fn is_full(&self, held: usize) -> bool {
        held >= self.most - self.most / FULL_WITHIN
    }

    /// Whether the wait for a socket that is not full was long enough.
    fn is_long(&self, since_first_byte: Duration, since_growth: Duration) -> bool {
        since_growth >= MOST_WAIT || self.still >= since_first_byte / MOST_STILL
    }
}

#[cfg(test)]
mod tests;
