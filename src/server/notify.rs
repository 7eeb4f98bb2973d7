//! Tells the supervisor that every listener is bound.

use std::fs::File;
use std::io::{self, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::source::reason;
use crate::sys;

/// Writes a newline to `fd` and closes it (s6, notification-fd).
///
/// # Errors
/// One line with the reason.
pub fn ready_fd(fd: i32) -> Result<(), String> {
    let write = || File::from(sys::inherited_fd(fd)?).write_all(b"\n");
    write().map_err(|error| format!("--ready-fd={fd}: {}", reason(&error)))
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
