//! Tells the supervisor that every listener is bound.

use std::fs::File;
use std::io::{self, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::reason::reason;
use crate::sys;

/// The supervisor's descriptor (s6, notification-fd).
pub struct ReadyFd(File);

impl ReadyFd {
    /// Takes the descriptor over. To be called before anything else is opened, or a number that
    /// the supervisor did not open could be one of ours.
    ///
    /// # Errors
    /// One line with the reason.
    pub fn take(fd: i32) -> Result<Self, String> {
        sys::inherited_fd(fd)
            .map(|fd| Self(fd.into()))
            .map_err(|error| {
                let why = reason(&error);
                format!("--ready-fd={fd}: {why} (is it the number in s6's notification-fd?)")
            })
    }

    /// Writes a newline and closes the descriptor.
    ///
    /// # Errors
    /// One line with the reason.
    pub fn tell(mut self) -> Result<(), String> {
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
pub fn systemd(name: &std::ffi::OsStr) -> Result<(), String> {
    let send = || -> io::Result<()> {
        let address = match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(name)?,
        };
        let socket = UnixDatagram::unbound()?;
        // A manager that does not read must not hold the start up.
        socket.set_nonblocking(true)?;
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
