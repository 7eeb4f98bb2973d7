//! Notifies the supervisor that every listener is bound.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::errno::reason;
use crate::sys::{self, InheritedFd};

/// A manager that does not read must not delay the start for longer than this.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(2);

/// The file descriptor for readiness (s6, notification-fd).
pub(crate) struct ReadyFd(File);

impl ReadyFd {
    /// Takes ownership of the descriptor, before anything else is opened.
    ///
    /// # Errors
    /// If it is not open, or is not a descriptor for readiness.
    pub(crate) fn take(fd: InheritedFd) -> io::Result<Self> {
        let taken = fd.take().map_err(|error| {
            let why = reason(&error);
            io::Error::other(format!("{why} (is it the number in s6's notification-fd?)"))
        })?;
        match sys::listener_kind(taken.as_fd()) {
            // One of `LISTEN_FDS`, for example.
            Ok(_) => Err(io::Error::other("is a listening socket")),
            Err(_) => Ok(Self(taken.into())),
        }
    }

    /// Writes a newline and closes the descriptor. Does not wait for room in a full pipe.
    ///
    /// # Errors
    /// Those of the write, or that there is no room.
    pub(crate) fn tell(mut self) -> io::Result<()> {
        let mut ready = [sys::poll_fd(self.0.as_raw_fd(), sys::WRITABLE)];
        match sys::poll(&mut ready, Some(QUEUE_TIMEOUT))? {
            0 => Err(io::Error::other("the pipe is full, and nobody reads it")),
            _ => self.0.write_all(b"\n"),
        }
    }
}

/// Sends `READY=1` to the socket in `NOTIFY_SOCKET` (sd_notify(3)); a leading `@` means the
/// abstract namespace.
///
/// # Errors
/// If there is no such socket, or nobody reads it.
pub(crate) fn systemd(name: &OsStr) -> io::Result<()> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    // While many services boot, the manager's queue can be full for a moment.
    socket.set_write_timeout(Some(QUEUE_TIMEOUT))?;
    socket.send_to_addr(b"READY=1", &address).map(drop)
}

#[cfg(test)]
mod tests;
