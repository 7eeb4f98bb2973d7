//! The private way from the front to `tiny_http`: one connection, and nobody else's.
//!
//! `tiny_http` 0.12 trusts its clients, and many a small request can stop it. So it gets
//! one connection in its life, over which the front sends one request after the other. Once that
//! connection stands, the listener is shut down: `tiny_http` accepts nothing more, starts no more
//! threads, and lets those it does not need end.

use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::Duration;

use tiny_http::{Request, Server};

use crate::sys;

/// The first exchange is between our own threads.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// The field of each request that shows it to be the front's.
pub(crate) const KEY_FIELD: &str = "Front-Key";

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
    /// The value of `KEY_FIELD`.
    pub key: String,
}

/// Starts `tiny_http` and connects to it.
///
/// # Errors
/// When a socket or thread cannot be had.
pub(crate) fn open() -> io::Result<Channel> {
    let key = random_key();
    // An abstract name needs no directory that can be written to; the process may live in an empty
    // chroot. It can be guessed by nobody, and is gone again before the first client is served.
    let address = SocketAddr::from_abstract_name(format!("haproxy_exporter-{key}"))?;
    let listener = UnixListener::bind_addr(&address)?;
    let closer = listener.try_clone()?;
    let server = Server::from_listener(listener, None).map_err(io::Error::other)?;
    let server = ManuallyDrop::new(server);
    let mut stream = UnixStream::connect_addr(&address)?;
    greet(&server, &mut stream, &key)?;
    sys::shutdown(closer.as_raw_fd(), Shutdown::Both)?;
    // The accept thread reports its end here, once.
    match server.recv_timeout(HANDSHAKE_TIMEOUT) {
        Err(_) => {}
        Ok(_) => return Err(io::Error::other("the private listener did not close")),
    }
    stream.set_read_timeout(None)?;
    stream.set_nonblocking(true)?;
    Ok(Channel {
        server,
        stream,
        key,
    })
}

/// One request and answer show that the server has taken our connection.
fn greet(server: &Server, stream: &mut UnixStream, key: &str) -> io::Result<()> {
    stream.set_read_timeout(Some(HANDSHAKE_TIMEOUT))?;
    write!(stream, "GET / HTTP/1.1\r\n{KEY_FIELD}: {key}\r\n\r\n")?;
    let request = server.recv_timeout(HANDSHAKE_TIMEOUT)?;
    match request.filter(|request| has_key(request, key)) {
        Some(request) => report(request, true)?,
        None => return Err(io::Error::other("no greeting over the private connection")),
    }
    stream.read_exact(&mut [0; SENT.len()])
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

/// Whether a request came from the front. Only what connected in the moment between the listener's
/// birth and its end could be anybody else's.
pub(crate) fn has_key(request: &Request, key: &str) -> bool {
    request
        .headers()
        .iter()
        .any(|header| header.field.equiv(KEY_FIELD) && header.value.as_str() == key)
}

/// 128 bits from the kernel's random numbers, through std's hasher keys.
fn random_key() -> String {
    use std::hash::{BuildHasher, RandomState};
    let half = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", half(), half())
}

#[cfg(test)]
mod tests;
