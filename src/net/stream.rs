//! A connected socket whose every wait ends with the deadline.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use super::address::HostPort;
use super::deadline::Deadline;
use super::error::{NetError, Phase};
use super::resolve::{ResolveError, Resolver};
use crate::sys::{self, UnixAddress};

/// A unix or TCP connection.
#[derive(Debug)]
pub(crate) struct Stream {
    fd: OwnedFd,
}

/// Whether the address family is unavailable here (no IPv6, for example).
fn has_no_way(error: &NetError) -> bool {
    let NetError::Io(_, error) = error else {
        return false;
    };
    let kinds = [
        io::ErrorKind::AddrNotAvailable,
        io::ErrorKind::NetworkUnreachable,
    ];
    kinds.contains(&error.kind())
}

impl Stream {
    /// Connects to a unix socket.
    ///
    /// # Errors
    /// The system's error, or that the time is over.
    pub(crate) fn connect_unix(
        address: UnixAddress<'_>,
        deadline: Deadline,
    ) -> Result<Self, NetError> {
        let left = deadline
            .remaining()
            .ok_or(NetError::TimedOut(Phase::Connect))?;
        match sys::connect_unix(address, left) {
            Ok(stream) => Ok(Self { fd: stream.into() }),
            // The send timeout ended while the listener's backlog was full (unix(7)).
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                Err(NetError::TimedOut(Phase::Connect))
            }
            Err(e) => Err(NetError::Io(Phase::Connect, e)),
        }
    }

    /// Resolves and connects to the first address that answers; each gets a fair share of the time
    /// that is left, so that a dead one does not use it up.
    ///
    /// # Errors
    /// The first address's error, but for those that this machine has no way to.
    pub(crate) fn connect(
        address: &HostPort,
        resolver: &mut Resolver,
        deadline: Deadline,
    ) -> Result<Self, NetError> {
        let addresses = resolver
            .resolve(address, deadline)
            .map_err(|error| match error {
                ResolveError::TimedOut => NetError::TimedOut(Phase::Resolve),
                other => NetError::Unresolved(other),
            })?;
        let mut kept = None;
        for (position, address) in addresses.iter().enumerate() {
            let others = (addresses.len() - position) as u32;
            match Self::connect_one(*address, deadline, others) {
                Ok(stream) => return Ok(stream),
                Err(error) if kept.as_ref().is_none_or(has_no_way) => kept = Some(error),
                Err(_) => {}
            }
        }
        Err(kept.unwrap_or(NetError::Unresolved(ResolveError::Unknown)))
    }

    /// Connects to one address within the deadline, divided by `share`.
    ///
    /// # Errors
    /// The system's error, or that the time is over.
    fn connect_one(address: SocketAddr, deadline: Deadline, share: u32) -> Result<Self, NetError> {
        let left = deadline
            .remaining()
            .ok_or(NetError::TimedOut(Phase::Connect))?;
        match TcpStream::connect_timeout(&address, left / share.max(1)) {
            Ok(stream) => {
                // A short request in one write: Nagle's delay could only hurt.
                let _ = stream.set_nodelay(true);
                Ok(Self { fd: stream.into() })
            }
            Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                Err(NetError::TimedOut(Phase::Connect))
            }
            Err(e) => Err(NetError::Io(Phase::Connect, e)),
        }
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// The system's error, or that the time is over.
    pub(crate) fn send_all(&self, mut bytes: &[u8], deadline: Deadline) -> Result<(), NetError> {
        while !bytes.is_empty() {
            match sys::send(self.fd.as_fd(), bytes) {
                Ok(sent) => bytes = &bytes[sent..],
                Err(e) => self.retry(e, sys::WRITABLE, Phase::Send, deadline)?,
            }
        }
        Ok(())
    }

    /// Tells the peer that nothing more will be sent. Where that fails, reading does.
    pub(crate) fn end_sending(&self) {
        let _ = sys::shutdown(self.fd.as_raw_fd(), Shutdown::Write);
    }

    /// Receives something into `room`; 0 is the end of the stream.
    ///
    /// # Errors
    /// The system's error, or that the time is over. A peer that drips is stopped here as well:
    /// the deadline counts before each read.
    pub(crate) fn receive(&self, room: &mut [u8], deadline: Deadline) -> Result<usize, NetError> {
        loop {
            if deadline.remaining().is_none() {
                return Err(NetError::TimedOut(Phase::Read));
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
    ) -> Result<(), NetError> {
        match error.kind() {
            io::ErrorKind::Interrupted => Ok(()),
            io::ErrorKind::WouldBlock => self.wait(events, phase, deadline),
            _ => Err(NetError::Io(phase, error)),
        }
    }

    fn wait(&self, events: i16, phase: Phase, deadline: Deadline) -> Result<(), NetError> {
        let left = deadline.remaining().ok_or(NetError::TimedOut(phase))?;
        let mut fds = [sys::poll_fd(self.fd.as_raw_fd(), events)];
        match sys::poll(&mut fds, Some(left)) {
            Ok(0) if deadline.remaining().is_none() => Err(NetError::TimedOut(phase)),
            Ok(_) => Ok(()),
            Err(e) => Err(NetError::Io(phase, e)),
        }
    }
}
