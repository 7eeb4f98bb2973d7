//! A connected socket whose every wait ends with the deadline.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use crate::haproxy::source::{Phase, Problem};
use crate::haproxy::uri::HostPort;
use crate::net::deadline::Deadline;
use crate::net::resolve::{self, Resolver};
use crate::sys;

/// A unix or TCP connection.
#[derive(Debug)]
pub(crate) struct Stream {
    fd: OwnedFd,
}

impl From<OwnedFd> for Stream {
    fn from(fd: OwnedFd) -> Self {
        Self { fd }
    }
}

/// Whether it is only that the machine has no IPv6, say.
fn has_no_way(problem: &Problem) -> bool {
    let Problem::Io(_, error, _) = problem else {
        return false;
    };
    let kinds = [
        io::ErrorKind::AddrNotAvailable,
        io::ErrorKind::NetworkUnreachable,
    ];
    kinds.contains(&error.kind())
}

impl Stream {
    /// Resolves and connects to the first address that answers; each gets a fair share of the time
    /// that is left, so that a dead one does not use it up.
    ///
    /// # Errors
    /// The first address's problem, but for those that this machine has no way to.
    pub(crate) fn connect(
        address: &HostPort,
        resolver: &Resolver,
        deadline: Deadline,
    ) -> Result<(Self, SocketAddr), Problem> {
        let addresses = resolver
            .resolve(address, deadline)
            .map_err(|error| match error {
                resolve::ResolveError::TimedOut => Problem::TimedOut(Phase::Resolve),
                other => Problem::Unresolved(other.to_string()),
            })?;
        let mut kept = None;
        for (position, address) in addresses.iter().enumerate() {
            let others = (addresses.len() - position) as u32;
            match Self::connect_one(*address, deadline, others) {
                Ok(stream) => return Ok((stream, *address)),
                Err(problem) if kept.as_ref().is_none_or(has_no_way) => kept = Some(problem),
                Err(_) => {}
            }
        }
        Err(kept.unwrap_or_else(|| Problem::Unresolved("no address".to_owned())))
    }

    /// Connects to one address within the deadline, divided by `share`.
    ///
    /// # Errors
    /// The system's error, or that the time is over.
    pub(crate) fn connect_one(
        address: SocketAddr,
        deadline: Deadline,
        share: u32,
    ) -> Result<Self, Problem> {
        let left = deadline
            .remaining()
            .ok_or(Problem::TimedOut(Phase::Connect))?;
        match TcpStream::connect_timeout(&address, left / share.max(1)) {
            Ok(stream) => {
                // A short request in one write: Nagle's delay could only hurt.
                let _ = stream.set_nodelay(true);
                Ok(Self { fd: stream.into() })
            }
            Err(e) if e.kind() == io::ErrorKind::TimedOut => Err(Problem::TimedOut(Phase::Connect)),
            Err(e) => Err(Problem::Io(Phase::Connect, e, None)),
        }
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// The system's error, or that the time is over.
    pub(crate) fn send_all(&self, mut bytes: &[u8], deadline: Deadline) -> Result<(), Problem> {
        while !bytes.is_empty() {
            match sys::send(self.fd.as_fd(), bytes) {
                Ok(sent) => bytes = &bytes[sent..],
                Err(e) => self.retry(e, sys::WRITABLE, Phase::Send, deadline)?,
            }
        }
        Ok(())
    }

    /// Receives something into `room`; 0 is the end of the stream.
    ///
    /// # Errors
    /// The system's error, or that the time is over. A peer that drips is stopped here as well:
    /// the deadline counts before each read.
    pub(crate) fn receive(&self, room: &mut [u8], deadline: Deadline) -> Result<usize, Problem> {
        loop {
            if deadline.remaining().is_none() {
                return Err(Problem::TimedOut(Phase::Read));
            }
            match sys::receive(self.fd.as_fd(), room) {
                Ok(count) => return Ok(count),
                Err(e) => self.retry(e, sys::READABLE, Phase::Read, deadline)?,
            }
        }
    }

    /// Waits when the call could not be done at once; any other error is final.
    fn retry(
        &self,
        error: io::Error,
        events: i16,
        phase: Phase,
        deadline: Deadline,
    ) -> Result<(), Problem> {
        match error.kind() {
            io::ErrorKind::Interrupted => Ok(()),
            io::ErrorKind::WouldBlock => self.wait(events, phase, deadline),
            _ => Err(Problem::Io(phase, error, None)),
        }
    }

    fn wait(&self, events: i16, phase: Phase, deadline: Deadline) -> Result<(), Problem> {
        let left = deadline.remaining().ok_or(Problem::TimedOut(phase))?;
        let mut fds = [sys::poll_fd(self.fd.as_raw_fd(), events)];
        match sys::poll(&mut fds, Some(left)) {
            Ok(0) if deadline.remaining().is_none() => Err(Problem::TimedOut(phase)),
            Ok(_) => Ok(()),
            Err(e) => Err(Problem::Io(phase, e, None)),
        }
    }
}
