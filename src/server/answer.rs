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
/// never-readers do not add up ...
const SHARED_STALL_TIMEOUT: Duration = Duration::from_millis(500);
/// ... but no more than this, and no less than the 40 ms for which Linux may delay the
/// acknowledgement of what a client has taken.
const LATE_STALL_TIMEOUT: RangeInclusive<Duration> =
    Duration::from_millis(50)..=Duration::from_millis(250);
/// Far below Prometheus' own timeout of 10 s.
const LONG_WAIT: Duration = Duration::from_secs(1);
/// While others wait a client must read this fast on average, after the first second.
const CROWDED_BYTES_PER_SECOND: u64 = 1024 * 1024;
/// Time for a whole answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// While it waits for a client, the main loop looks this often what the client has taken and whether
/// others wait as well: a fraction of the shortest time that it would be given.
const LOOK_ROUND: Duration = Duration::from_millis(10);

/// The client as a writer. What it takes no part of in time fails with `TimedOut`.
pub struct Answer<'a> {
    client: &'a OwnedFd,
    handover: &'a Handover,
    pace: Pace,
}

/// How fast the client reads.
struct Pace {
    began: Instant,
    last_sent: Instant,
    sent: u64,
}

impl<'a> Answer<'a> {
    /// An answer that is ready: the client's time begins.
    pub fn new(client: &'a OwnedFd, handover: &'a Handover) -> Self {
        let now = Instant::now();
        let pace = Pace {
            began: now,
            last_sent: now,
            sent: 0,
        };
        Self {
            client,
            handover,
            pace,
        }
    }

    /// Waits until the client takes more, as long as its reading is no nuisance.
    ///
    /// A socket takes more only once a good part of its buffer, which grows to megabytes, is free: a
    /// slow reader would look like one that never reads. So what the kernel still holds counts.
    fn wait(&mut self) -> io::Result<()> {
        let client = self.client.as_fd();
        let mut held = sys::unsent_bytes(client).unwrap_or(0);
        loop {
            let mut set = [sys::poll_fd(client.as_raw_fd(), sys::WRITABLE)];
            let now = Instant::now();
            self.handover.still_alive(now);
            let left = sys::unsent_bytes(client).unwrap_or(held);
            if left < held {
                held = left;
                self.pace.last_sent = now;
            }
            let expires = self.pace.expires(self.handover.others());
            if expires <= now {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if sys::poll(&mut set, Some(LOOK_ROUND.min(expires - now)))? > 0 {
                return Ok(());
            }
        }
    }
}

impl Write for Answer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match sys::send(self.client.as_fd(), bytes) {
                Ok(sent) => {
                    self.pace.last_sent = Instant::now();
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
    /// When the client is given up, if it takes nothing before.
    fn expires(&self, others: Option<Waiting>) -> Instant {
        let expires = (self.last_sent + STALL_TIMEOUT).min(self.began + ANSWER_TIMEOUT);
        let Some(Waiting { since, clients }) = others else {
            return expires;
        };
        let (least, most) = LATE_STALL_TIMEOUT.into_inner();
        let late = (SHARED_STALL_TIMEOUT / clients).clamp(least, most);
        let pace = Duration::from_millis(1000 + self.sent * 1000 / CROWDED_BYTES_PER_SECOND);
        expires
            .min(self.last_sent + CROWDED_STALL_TIMEOUT)
            .min((self.last_sent + late).max(since + LONG_WAIT))
            .min(self.began + pace)
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
