//! Tells the supervisor that every listener is bound.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::errno::reason;
use crate::sys;

/// A manager that does not read at all must not hold the start up for longer.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(2);

/// The supervisor's descriptor (s6, notification-fd).
pub(crate) struct ReadyFd(File);

impl ReadyFd {
    /// Takes the descriptor over. To be called before anything else is opened, or a number that
    /// the supervisor did not open could be one of ours.
    ///
    /// # Errors
    /// One line with the reason.
    pub(crate) fn take(fd: i32) -> Result<Self, String> {
        let taken = sys::inherited_fd(fd).map_err(|error| {
            let why = reason(&error);
            format!("--ready-fd={fd}: {why} (is it the number in s6's notification-fd?)")
        })?;
        match sys::is_unix_listener(taken.as_fd()) {
            Ok(_) => Err(format!("--ready-fd={fd}: is a listening socket")),
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
