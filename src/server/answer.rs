//! One answer to one client, sent from the main loop without a way round.
//!
//! Sent through `tiny_http`'s writer and carried on by the front, 23 MB took 24 ms where a bare
//! sender takes 10: two more copies, and a third thread on two processors.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use super::handover::{Handover, Waiting};
use crate::sys;

/// A client that reads nothing for this long is given up.
const STALL_TIMEOUT: Duration = Duration::from_secs(5);
/// The same while others wait for their answers ...
const CROWDED_STALL_TIMEOUT: Duration = Duration::from_millis(500);
/// ... and once one of them has waited for `LONG_WAIT`, this divided by their number, so that
/// clients that never read do not add up ...
const SHARED_STALL_TIMEOUT: Duration = Duration::from_millis(500);
/// ... but no more and no less than this. An acknowledgement may take longer than the least of it (a
/// link around the world, a lost packet, a delay of up to 200 ms by the client's kernel); but 60
/// clients that never read must not cost the others Prometheus' own timeout of 10 s.
const LATE_STALL_TIMEOUT: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_millis(250);
/// What counts as reading: more than one segment over loopback, whose delayed acknowledgement would
/// double the time of a client that never reads; in the shortest of the times above still less than
/// `CROWDED_BYTES_PER_SECOND`.
const LEAST_READ_BYTES: u64 = 96 * 1024;
/// Far below that timeout.
const LONG_WAIT: Duration = Duration::from_secs(1);
/// While others wait a client must read this fast on average ...
const CROWDED_BYTES_PER_SECOND: u64 = 1024 * 1024;
/// ... but for this time at the start, or the late stall timeout once somebody has waited long.
const HEAD_START: Duration = Duration::from_secs(1);
/// Time for a whole answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// While it waits for a client, the main loop looks this often what the client has taken and whether
/// others wait as well: a fraction of the shortest time that it would be given.
const LOOK_ROUND: Duration = Duration::from_millis(10);

/// The client as a writer. What it takes no part of in time fails with `TimedOut`.
pub(crate) struct Answer<'a> {
    client: &'a OwnedFd,
    handover: &'a Handover,
    pace: Pace,
    /// Whether the client had no room when it was last sent to.
    is_blocked: bool,
    /// Bytes that the kernel had for the client at the last sign that it reads.
    held_then: u64,
}

/// How fast the client reads.
struct Pace {
    began: Instant,
    /// When the others' waiting began to be the client's fault.
    ready: Instant,
    /// The last sign that the client reads.
    last_read: Instant,
    sent: u64,
    /// Bytes that the kernel still has for the client.
    held: u64,
}

impl<'a> Answer<'a> {
    /// An answer with what was `ready` at some time before: what others have waited until then was
    /// not this client's fault. Its own time begins now.
    pub(crate) fn new(client: &'a OwnedFd, handover: &'a Handover, ready: Instant) -> Self {
        let now = Instant::now();
        let pace = Pace {
            began: now,
            ready,
            last_read: now,
            sent: 0,
            held: 0,
        };
        Self {
            client,
            handover,
            pace,
            is_blocked: false,
            held_then: 0,
        }
    }

    /// Bytes sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.pace.sent
    }

    /// Waits until the client takes more, as long as its reading is no nuisance.
    ///
    /// A socket takes more only once a good part of its buffer, which grows to megabytes, is free: a
    /// slow reader would look like one that never reads. So what the kernel still holds counts.
    fn wait(&mut self) -> io::Result<()> {
        if self.is_blocked {
            // Said to be ready and was not: the kernel has no memory for the socket.
            std::thread::sleep(LOOK_ROUND);
        } else {
            // Not before: this thread may not have run for a while.
            self.is_blocked = true;
            self.pace.last_read = Instant::now();
            self.held_then = self.held();
        }
        loop {
            let now = Instant::now();
            self.handover.still_alive(now);
            self.pace.held = self.held();
            if self.pace.held + LEAST_READ_BYTES <= self.held_then {
                self.held_then = self.pace.held;
                self.pace.last_read = now;
            }
            let expires = self.pace.expires(self.handover.others());
            if expires <= now {
                let why = "the client reads too slowly";
                return Err(io::Error::new(io::ErrorKind::TimedOut, why));
            }
            let mut set = [sys::poll_fd(self.client.as_raw_fd(), sys::WRITABLE)];
            if sys::poll(&mut set, Some(LOOK_ROUND.min(expires - now)))? > 0 {
                return Ok(());
            }
        }
    }

    fn held(&self) -> u64 {
        sys::unsent_bytes(self.client.as_fd()).map_or(self.pace.held, |bytes| bytes as u64)
    }
}

impl Write for Answer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match sys::send(self.client.as_fd(), bytes) {
                Ok(sent) => {
                    self.is_blocked = false;
                    self.pace.sent += sent as u64;
                    return Ok(sent);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.wait()?,
                Err(e) => return Err(e),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Pace {
    /// When the client is given up, if it reads nothing before.
    fn expires(&self, others: Option<Waiting>) -> Instant {
        let expires = (self.last_read + STALL_TIMEOUT).min(self.began + ANSWER_TIMEOUT);
        let Some(Waiting { since, clients }) = others else {
            return expires;
        };
        let read = self.sent.saturating_sub(self.held);
        let time = Duration::from_millis(read * 1000 / CROWDED_BYTES_PER_SECOND);
        let limit = |stall, start| (self.last_read + stall).min(self.began + start + time);
        let (least, most) = LATE_STALL_TIMEOUT.into_inner();
        let late = (SHARED_STALL_TIMEOUT / clients).clamp(least, most);
        expires
            .min(limit(CROWDED_STALL_TIMEOUT, HEAD_START))
            .min(limit(late, late).max(since.max(self.ready) + LONG_WAIT))
    }
}

#[cfg(test)]
mod tests;
