//! HAProxy's CLI on a unix or TCP socket: `show stat` and `show info` (management guide, 9.3).
//!
//! A command to a connection, since HAProxy closes after one; both are sent before either answer is
//! read, so that HAProxy works on both while we wait for one.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use super::source::{Fetch, InfoFetched, Phase, Problem, SourceError};
use crate::haproxy::rules::{Proof, TableError};
use crate::haproxy::uri::{HostPort, UnixName};
use crate::net::deadline::Deadline;
use crate::net::resolve::Resolver;
use crate::net::stream::Stream;
use crate::sys::{self, UnixAddress};

/// `show info` is about 1.3 KB; a peer that sends far more is no HAProxy.
const MAX_INFO_BYTES: u64 = 64 * 1024;
/// Frontends (1), backends (2) and servers (4) of all proxies; not listeners (8).
const SHOW_ALL: &[u8] = b"show stat -1 7 -1\n";
/// Frontends and backends only.
const SHOW_NO_SERVERS: &[u8] = b"show stat -1 3 -1\n";
const SHOW_INFO: &[u8] = b"show info\n";

/// A CLI socket.
pub(crate) struct SocketSource {
    address: Address,
    object: String,
    show_stat: &'static [u8],
}

enum Address {
    Unix(UnixName),
    Tcp(HostPort, Resolver),
}

impl SocketSource {
    /// A unix socket, asked for no more than is wanted.
    pub(crate) fn unix(name: &UnixName, wants_servers: bool) -> Self {
        let text = match name {
            UnixName::Path(path) => path.clone(),
            UnixName::Abstract(name) => format!("@{name}"),
        };
        Self {
            address: Address::Unix(name.clone()),
            object: format!("unix socket {text}"),
            show_stat: show_stat(wants_servers),
        }
    }

    /// A TCP socket, asked for no more than is wanted.
    pub(crate) fn tcp(host: &HostPort, wants_servers: bool) -> Self {
        Self {
            address: Address::Tcp(host.clone(), Resolver::system()),
            object: format!("tcp socket {host}"),
            show_stat: show_stat(wants_servers),
        }
    }

    /// The name in errors.
    pub(crate) fn object(&self) -> &str {
        &self.object
    }

    /// See `Source::fetch`.
    ///
    /// # Errors
    /// When the statistics could not be read.
    pub(crate) fn fetch(&self, fetch: &mut Fetch<'_>) -> Result<InfoFetched, SourceError> {
        let (stat, peer) = self
            .ask(self.show_stat, None, fetch.deadline)
            .map_err(|problem| self.error(problem))?;
        let info = self.ask(SHOW_INFO, peer, info_deadline(fetch.deadline));
        self.read_rows(&stat, fetch)
            .and_then(|()| fetch.end(Proof::EmptyLine))
            .map_err(|problem| self.error(problem))?;
        let info = info.and_then(|(stream, _)| read_info(&stream, fetch));
        Ok(Some(info.map_err(|problem| self.error(problem))))
    }

    fn error(&self, problem: Problem) -> SourceError {
        SourceError {
            object: self.object.clone(),
            problem,
        }
    }

    /// Connects and sends a command. The second connection goes to the address of the first: a name
    /// may have several, of different machines.
    fn ask(
        &self,
        command: &[u8],
        peer: Option<SocketAddr>,
        deadline: Deadline,
    ) -> Result<(Stream, Option<SocketAddr>), Problem> {
        let (stream, peer) = match (&self.address, peer) {
            (Address::Unix(name), _) => (connect_unix(name, deadline)?.into(), None),
            (Address::Tcp(..), Some(peer)) => (Stream::connect_one(peer, deadline, 1)?, Some(peer)),
            (Address::Tcp(address, resolver), None) => {
                let (stream, peer) = Stream::connect(address, resolver, deadline)?;
                (stream, Some(peer))
            }
        };
        stream.send_all(command, deadline)?;
        Ok((stream, peer))
    }

    fn read_rows(&self, stream: &Stream, fetch: &mut Fetch<'_>) -> Result<(), Problem> {
        let mut total = 0;
        loop {
            let count = match stream.receive(fetch.buffer.room(), fetch.deadline) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(problem) => return Err(what_came(fetch).unwrap_or(problem)),
            };
            total += count as u64;
            fetch.take_rows(count, total)?;
        }
    }
}

/// What is wrong with an answer that did not end, if it is none of HAProxy's statistics: the master
/// CLI, for one, says that it does not know the command, and waits for the next.
fn what_came(fetch: &mut Fetch<'_>) -> Option<Problem> {
    match fetch.end(Proof::EmptyLine) {
        Err(Problem::Table(error @ (TableError::NotStatistics(_) | TableError::Html))) => {
            Some(Problem::Table(error))
        }
        _ => None,
    }
}

impl Fetch<'_> {
    /// `count` more bytes are in the buffer's room, `total` since the answer began: hands on what
    /// makes whole rows.
    ///
    /// # Errors
    /// When a limit is passed.
    pub(super) fn take_rows(&mut self, count: usize, total: u64) -> Result<(), Problem> {
        if total > self.max_bytes {
            return Err(Problem::TooLarge(self.max_bytes));
        }
        self.buffer.filled(count);
        let taken = (self.rows)(self.buffer.data(), None).map_err(Problem::Table)?;
        self.buffer.take(taken);
        Ok(())
    }

    /// All bytes of the statistics have come; `proof` is what must show them to be complete.
    ///
    /// # Errors
    /// When they are not, or are no statistics.
    pub(super) fn end(&mut self, proof: Proof) -> Result<(), Problem> {
        (self.rows)(self.buffer.data(), Some(proof))
            .map_err(Problem::Table)
            .map(drop)
    }
}

/// `show info` has a quarter of the time that is left, to connect and again to answer: one that
/// hangs costs its own metrics, and not the statistics.
fn info_deadline(deadline: Deadline) -> Deadline {
    let left = deadline.remaining().unwrap_or_default();
    deadline.or_after(left / 4)
}

fn read_info(stream: &Stream, fetch: &mut Fetch<'_>) -> Result<(), Problem> {
    let deadline = info_deadline(fetch.deadline);
    let mut piece = [0; 4096];
    loop {
        let count = stream.receive(&mut piece, deadline)?;
        if count == 0 {
            return Ok(());
        }
        if (fetch.info.len() + count) as u64 > MAX_INFO_BYTES {
            return Err(Problem::InfoTooLarge(MAX_INFO_BYTES));
        }
        fetch.info.extend_from_slice(&piece[..count]);
    }
}

fn show_stat(wants_servers: bool) -> &'static [u8] {
    if wants_servers {
        SHOW_ALL
    } else {
        SHOW_NO_SERVERS
    }
}

/// Connects to a unix socket. HAProxy's `abns@name` binds the name padded with NULs to the full
/// length, `abnsz@name` (3.1) does not: the second is tried where the first has no listener.
fn connect_unix(name: &UnixName, deadline: Deadline) -> Result<OwnedFd, Problem> {
    let connect = |address| {
        let left = deadline
            .remaining()
            .ok_or(Problem::TimedOut(Phase::Connect))?;
        sys::connect_unix(address, left).map_err(connect_problem)
    };
    let stream = match name {
        UnixName::Path(path) => connect(UnixAddress::Path(path.as_bytes()))?,
        UnixName::Abstract(name) => match connect(UnixAddress::PaddedAbstract(name.as_bytes())) {
            Err(Problem::Io(_, e, _)) if e.kind() == io::ErrorKind::ConnectionRefused => {
                connect(UnixAddress::Abstract(name.as_bytes()))?
            }
            other => other?,
        },
    };
    Ok(stream.into())
}

fn connect_problem(error: io::Error) -> Problem {
    let hint = match error.kind() {
        // The send timeout ended while the listener's backlog was full (unix(7)).
        io::ErrorKind::WouldBlock => return Problem::TimedOut(Phase::Connect),
        io::ErrorKind::PermissionDenied => Some("is the exporter in HAProxy's group?"),
        io::ErrorKind::NotFound => Some("is HAProxy running, with \"stats socket\" there?"),
        io::ErrorKind::ConnectionRefused => Some("is HAProxy running?"),
        _ => None,
    };
    Problem::Io(Phase::Connect, error, hint)
}
