//! The private way from the front to `tiny_http`: one connection, and nobody else's.
//!
//! `tiny_http` 0.12 trusts its clients, and many a small request can stop it. So it gets one
//! connection in its life, over which the front sends one request after the other. That connection is
//! there before `tiny_http` starts, and its listener is shut down before that as well: nobody else can
//! be accepted, and `tiny_http` starts no threads for more clients and lets those it does not need end.

use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use tiny_http::{Request, Server};

use crate::sys::{self, own_connection};

/// Time for `tiny_http`'s threads to start, and to find that there is nobody more to accept.
const START_TIMEOUT: Duration = Duration::from_secs(5);
/// Names that are tried. Another process of this machine can be first only if it finds the name in the
/// microseconds between two system calls.
const MAX_NAMES: u32 = 100;

/// The report of an answer that the client got whole. A status line and no fields: a whole HTTP
/// answer, for which `tiny_http` goes on to the next request.
pub(super) const SENT: &[u8] = b"HTTP/1.1 204 Sent\r\n\r\n";
/// The report of an answer that was cut.
pub(super) const CUT: &[u8] = b"HTTP/1.1 204 Cut\r\n\r\n";

/// Both ends of the private connection.
pub(crate) struct Channel {
    /// The server's end. Never dropped: `tiny_http`'s drop connects to its listener, which is gone.
    pub server: ManuallyDrop<Server>,
    /// The front's end.
    pub stream: UnixStream,
}

/// Starts `tiny_http` with its only connection.
///
/// # Errors
/// When a socket or thread cannot be had.
pub(crate) fn open() -> io::Result<Channel> {
    let (listener, stream) = listener_with_own_connection()?;
    let server = Server::from_listener(listener, None).map_err(io::Error::other)?;
    let server = ManuallyDrop::new(server);
    // The accept thread takes the connection, reports once that there is no other, and ends.
    match server.recv_timeout(START_TIMEOUT) {
        Err(_) => Ok(Channel { server, stream }),
        Ok(None) => Err(io::Error::other("tiny_http did not start in time")),
        Ok(Some(_)) => Err(io::Error::other("a request that the front did not send")),
    }
}

/// A listener that accepts our own connection and then no other.
///
/// The name is abstract, for it needs no directory that can be written to: the process may live in an
/// empty chroot. Every local process may connect to such a name, so there is room for one connection
/// only, and it must be ours: when the room is taken, somebody was first, and another name is tried.
fn listener_with_own_connection() -> io::Result<(UnixListener, UnixStream)> {
    for _ in 0..MAX_NAMES {
        let listener = own_connection::bind_to_new_name()?;
        // A queue of length 0 takes one connection (listen(2), unix(7)).
        sys::set_backlog(listener.as_raw_fd(), 0)?;
        match own_connection::connect_at_once(listener.as_fd()) {
            Ok(stream) => {
                // What waits in the queue is still accepted; whoever else waits for room is refused.
                sys::shutdown(listener.as_raw_fd(), Shutdown::Both)?;
                return Ok((UnixListener::from(listener), stream));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(
        "another process connects to each name first",
    ))
}

/// The main loop's last word on a request.
///
/// # Errors
/// When the private connection is broken.
pub(crate) fn report(request: Request, is_sent: bool) -> io::Result<()> {
    let mut out = request.into_writer();
    out.write_all(if is_sent { SENT } else { CUT })?;
    out.flush()
}

/// Whether the client got its answer whole, from a report; `None` while more of it is to come.
///
/// # Errors
/// When it is no report: `tiny_http` has answered by itself.
pub(crate) fn read_report(report: &[u8]) -> io::Result<Option<bool>> {
    match report {
        SENT => Ok(Some(true)),
        CUT => Ok(Some(false)),
        part if SENT.starts_with(part) || CUT.starts_with(part) => Ok(None),
        _ => Err(io::Error::other("not a report")),
    }
}

#[cfg(test)]
mod tests;
