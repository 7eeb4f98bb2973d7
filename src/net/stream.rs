//! A connected socket on which every wait ends at the deadline.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use super::address::HostPort;
use super::deadline::Deadline;
use super::error::{NetError, Phase};
use super::resolve::{self, Resolver};
use crate::errno::is_absent;
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
    is_absent(error) || error.kind() == io::ErrorKind::NetworkUnreachable
}

impl Stream {
    /// Connects to a unix socket.
    ///
    /// # Errors
    /// The system's error, or a timeout.
    pub(crate) fn connect_unix(
        address: UnixAddress<'_>,
        deadline: Deadline,
    ) -> Result<Self, NetError> {
        loop {
            let left = deadline.next_look();
            let left = left.ok_or(NetError::TimedOut(Phase::Connect))?;
            match sys::connect_unix(address, left) {
                Ok(stream) => return Ok(Self { fd: stream.into() }),
                // The send timeout ended while the listener's backlog was full (unix(7)).
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => return Err(NetError::Io(Phase::Connect, e)),
            }
        }
    }

    /// Resolves the host and connects to the first address that accepts. Each address gets a fair
    /// share of the remaining time, so that a dead one does not use it up.
    ///
    /// # Errors
    /// The error of the first address, except addresses whose family is unavailable on this
    /// machine.
    pub(crate) fn connect(
        address: &HostPort,
        resolver: &mut Resolver,
        deadline: Deadline,
    ) -> Result<Self, NetError> {
        let addresses =
            resolver
                .resolve(address, deadline)
                .map_err(|error| match error.kind() {
                    io::ErrorKind::TimedOut => NetError::TimedOut(Phase::Resolve),
                    _ => NetError::Unresolved(error),
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
        Err(kept.unwrap_or(NetError::Unresolved(resolve::unknown())))
    }

    /// Connects to one address within the deadline, divided by `share`.
    ///
    /// # Errors
    /// The system's error, or a timeout.
    fn connect_one(address: SocketAddr, deadline: Deadline, share: u32) -> Result<Self, NetError> {
        let left = deadline
            .remaining()
            .ok_or(NetError::TimedOut(Phase::Connect))?;
        let deadline = deadline.or_after(left / share.max(1));
        let failed = |error| NetError::Io(Phase::Connect, error);
        let fd = sys::connect_tcp(address).map_err(failed)?;
        let stream = Self { fd };
        stream.wait(sys::WRITABLE, Phase::Connect, deadline)?;
        match sys::take_error(stream.fd.as_fd()) {
            // The kernel gave up before the deadline.
            Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                return Err(NetError::TimedOut(Phase::Connect));
            }
            Err(e) => return Err(failed(e)),
            Ok(()) => {}
        }
        // A short request is sent in one write, so Nagle's algorithm could only delay it.
        sys::set_no_delay(stream.fd.as_fd());
        Ok(stream)
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// The system's error, or a timeout.
    pub(crate) fn send_all(&self, mut bytes: &[u8], deadline: Deadline) -> Result<(), NetError> {
        while !bytes.is_empty() {
            match sys::send(self.fd.as_fd(), bytes) {
                Ok(sent) => bytes = &bytes[sent..],
                Err(e) => self.retry(e, sys::WRITABLE, Phase::Send, deadline)?,
            }
        }
        Ok(())
    }

    /// Ends the sending direction. If this fails, reading fails too.
    pub(crate) fn end_sending(&self) {
        let _ = sys::shutdown(self.fd.as_raw_fd(), Shutdown::Write);
    }

    /// Receives some bytes into `room`; 0 is the end of the stream.
    ///
    /// # Errors
    /// The system's error, or a timeout. The deadline is checked before each read, so a peer that
    /// sends byte by byte times out too.
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

    /// Waits until something can be received, or the stream has ended.
    ///
    /// # Errors
    /// The system's error, or that the time is over.
    pub(crate) fn wait_for_bytes(&self, deadline: Deadline) -> Result<(), NetError> {
        self.wait(sys::READABLE, Phase::Read, deadline)
    }

    /// Bytes that can be received at once; `None` where the system does not say.
    pub(crate) fn queued_bytes(&self) -> Option<usize> {
        sys::queued_bytes(self.fd.as_fd()).ok()
    }

    /// Waits for the end of the stream, but not for bytes. Returns whether it has come, or whether the
    /// system says nothing of it.
    pub(crate) fn ends_within(&self, time: Duration) -> bool {
        sys::ends_within(self.fd.as_fd(), time).unwrap_or(true)
    }

    /// Waits if the call would block; any other error is final.
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
        loop {
            let left = deadline.next_look().ok_or(NetError::TimedOut(phase))?;
            let mut fds = [sys::poll_fd(self.fd.as_raw_fd(), events)];
            match sys::poll(&mut fds, Some(left)) {
                Ok(0) => {}
                Ok(_) => return Ok(()),
                Err(e) => return Err(NetError::Io(phase, e)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
