//! Traffic of old workers since they became old, added up from scrape to scrape.
//!
//! Each time, the traffic of a process since it was last seen is added. It was seen by its own
//! `show info` while it was current, or when the master listed it. So the sum never goes back when
//! a worker exits; the traffic after the last scrape is missing. HAProxy counts the exporter's
//! commands too, each as a connection and a request, and the bytes of the replies: these are
//! subtracted.

use crate::haproxy::socket::Spent;

/// Counters of one process or several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// `CumReq`.
    pub(crate) requests: u64,
    /// `CumConns`.
    pub(crate) connections: u64,
    /// `TotalBytesOut`.
    pub(crate) bytes_out: u64,
}

/// The sum, and the known processes.
#[derive(Debug, Default)]
pub(super) struct OldTraffic {
    sum: Traffic,
    known: Vec<Known>,
    /// The workers that the master listed last, if it did: a worker that is not among them started
    /// later.
    listed: Option<Vec<u64>>,
}

/// A process as it was last seen.
#[derive(Debug)]
struct Known {
    pid: u64,
    seen: Traffic,
    /// Traffic that our own commands have caused since, which HAProxy will count.
    caused: Traffic,
}

/// Maximum number of known processes: as many as a master can list. Without a list, each process
/// that replies to a scrape is kept, and a malicious one can have another id each time.
const MOST_KNOWN: usize = 1_000;

/// Traffic that HAProxy counts for the command whose reply contains the counters.
const OF_THE_QUESTION: Traffic = Traffic {
    requests: 1,
    connections: 1,
    bytes_out: 0,
};

impl From<Spent> for Traffic {
    fn from(spent: Spent) -> Self {
        Self {
            requests: spent.connections,
            connections: spent.connections,
            bytes_out: spent.bytes,
        }
    }
}

impl OldTraffic {
    /// Total traffic of old workers.
    pub(super) fn sum(&self) -> Traffic {
        self.sum
    }

    /// A process was seen whose traffic is not added, because it is current.
    pub(super) fn saw(&mut self, pid: u64, seen: Traffic, caused: Traffic) {
        let known = Known { pid, seen, caused };
        if let Some(place) = self.known.iter_mut().find(|known| known.pid == pid) {
            *place = known;
            return;
        }
        if self.known.len() >= MOST_KNOWN {
            self.known.remove(0);
        }
        self.known.push(known);
    }

    /// Records the total traffic that our own commands have caused in this process since it was
    /// last seen.
    pub(super) fn caused(&mut self, pid: Option<u64>, caused: Traffic) {
        let mut known = self.known.iter_mut();
        if let Some(known) = known.find(|known| Some(known.pid) == pid) {
            known.caused = caused;
        }
    }

    /// An old worker was seen: adds its traffic since it was last seen. All its traffic counts if
    /// it was not in the last list of the master; none counts if it is unknown since when it has
    /// been old.
    pub(super) fn saw_old(&mut self, pid: u64, seen: Traffic, caused: Traffic) {
        let known = self.known.iter().find(|known| known.pid == pid);
        let was_listed = |listed: &Vec<u64>| listed.contains(&pid);
        let done = match known {
            Some(known) => known.done(seen),
            None if self.listed.as_ref().is_none_or(was_listed) => Traffic::default(),
            None => seen.without(OF_THE_QUESTION),
        };
        self.sum = self.sum.and(done);
        self.saw(pid, seen, caused);
    }

    /// The master has exactly these workers: those that have exited are removed.
    pub(super) fn looked(&mut self, listed: Vec<u64>) {
        self.known.retain(|known| listed.contains(&known.pid));
        self.listed = Some(listed);
    }
}

impl Known {
    /// The traffic of the process until `now`. Where a counter went back, this is another process with the
    /// same id, all of whose traffic is new, or the counter has passed 32 bits, as in old releases: then the
    /// traffic before that is lost. Each counter is judged alone, because only one of them may have passed.
    fn done(&self, now: Traffic) -> Traffic {
        let before = self.seen.and(self.caused);
        let since = |now: u64, seen: u64, before| match now < seen {
            true => now,
            false => now.saturating_sub(before),
        };
        let done = Traffic {
            requests: since(now.requests, self.seen.requests, before.requests),
            connections: since(now.connections, self.seen.connections, before.connections),
            bytes_out: since(now.bytes_out, self.seen.bytes_out, before.bytes_out),
        };
        done.without(OF_THE_QUESTION)
    }
}

impl Traffic {
    /// The sum of both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            connections: self.connections.saturating_add(other.connections),
            bytes_out: self.bytes_out.saturating_add(other.bytes_out),
        }
    }

    /// The difference, at least 0.
    pub(super) fn without(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(other.requests),
            connections: self.connections.saturating_sub(other.connections),
            bytes_out: self.bytes_out.saturating_sub(other.bytes_out),
        }
    }
}

#[cfg(test)]
mod tests;
