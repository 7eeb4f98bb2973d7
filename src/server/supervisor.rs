//! Tells the supervisor that every listener is bound.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::errno::reason;
use crate::sys::{self, InheritedFd};

/// A manager that does not read at all must not hold the start up for longer.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(2);

/// The supervisor's descriptor (s6, notification-fd).
pub(crate) struct ReadyFd(File);

impl ReadyFd {
    /// Takes the descriptor over, before anything else is opened.
    ///
    /// # Errors
    /// One line with the reason.
    pub(crate) fn take(fd: InheritedFd) -> Result<Self, String> {
        let flag = format!("--ready-fd={fd}");
        let taken = fd.take().map_err(|error| {
            let why = reason(&error);
            format!("{flag}: {why} (is it the number in s6's notification-fd?)")
        })?;
        match sys::listener_kind(taken.as_fd()) {
            Ok(_) => Err(format!("{flag}: is a listening socket")),
            Err(_) => Ok(Self(taken.into())),
        }
    }

    /// Writes a newline and closes the descriptor.
    ///
    /// # Errors
    /// One line with the reason.
    pub(crate) fn tell(mut self) -> Result<(), String> {
        self.0
            .write_all(b"\n")
            .map_err(|error| format!("--ready-fd: {}", reason(&error)))
    }
}

/// Sends `READY=1` to the socket that `NOTIFY_SOCKET` names (sd_notify(3)); a leading `@` means
/// the abstract namespace.
///
/// # Errors
/// One line with the reason.
pub(crate) fn systemd(name: &std::ffi::OsStr) -> Result<(), String> {
    let send = || -> io::Result<()> {
        let address = match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(name)?,
        };
        let socket = UnixDatagram::unbound()?;
        // On a busy boot the manager's queue may be full for a moment.
        socket.set_write_timeout(Some(QUEUE_TIMEOUT))?;
        socket.send_to_addr(b"READY=1", &address).map(drop)
    };
    send().map_err(|error| {
        format!(
            "NOTIFY_SOCKET={}: {}",
            name.to_string_lossy(),
            reason(&error)
        )
    })
}
