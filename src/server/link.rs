//! The private way from the front to the main loop: `tiny_http` with one connection, and nobody else's.
//!
//! `tiny_http` 0.12 trusts its clients, and many a small request can stop it. So it gets one
//! connection in its life, over which the front sends one request after the other, always the same one:
//! it means that there is something to scrape. What that is, and what comes of it, is handed over beside
//! it. The connection is there before `tiny_http` starts, and its listener is shut down before that as
//! well: nobody else can be accepted, and `tiny_http` starts no threads for more clients and lets those
//! it does not need end.

use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::net::Shutdown;
use std::os::fd::{AsRawFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tiny_http::Server;

use crate::errno::reason;
use crate::metrics::selection::Wanted;
use crate::metrics::snapshot::Snapshot;
use crate::sys::{self, UnixAddress};

/// Time for `tiny_http`'s threads to start, and to find that there is nobody more to accept.
const START_TIMEOUT: Duration = Duration::from_secs(5);
/// Names that are tried. Another process of this machine can be first only if it finds the name in the
/// microseconds between two system calls.
const MAX_NAMES: u32 = 100;

/// Room in the queue of our own listener is there at once or taken by somebody else.
const TIME_TO_CONNECT: Duration = Duration::from_millis(1);

/// The request to scrape.
pub(super) const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
/// The report that the scrape is over. A status line and no fields: a whole HTTP answer, after which
/// `tiny_http` goes on to the next request.
pub(super) const REPORT: &[u8] = b"HTTP/1.1 204 Scraped\r\n\r\n";

/// A scrape on its way to the main loop and back.
pub(crate) struct Scrape {
    /// What to scrape, by number.
    pub target: usize,
    /// What those want who share it.
    pub wanted: Wanted,
    /// The time that it may take.
    pub time: Duration,
    /// Where to; filled on the way back. Nobody else has it meanwhile.
    pub snapshot: Arc<Snapshot>,
}

/// The scrape that is being handed over.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Option<Scrape>>>);

impl Shared {
    /// Each use leaves the value whole, so a panic while it was locked spoils nothing.
    fn lock(&self) -> MutexGuard<'_, Option<Scrape>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The front's end.
pub(crate) struct FrontEnd {
    stream: UnixStream,
    shared: Shared,
    /// Bytes of the report that have come.
    reported: usize,
}

/// The main loop's end.
pub(crate) struct MainEnd {
    /// Never dropped: `tiny_http`'s drop connects to its listener, which is gone.
    server: ManuallyDrop<Server>,
    shared: Shared,
}

/// Why there is no private way, or why it cannot be used any more.
#[derive(Debug)]
pub(crate) enum LinkError {
    /// A system call failed.
    Io(io::Error),
    /// Another process was first with each name.
    NoName,
    /// `tiny_http` has not started in time.
    NotStarted,
    /// A request came that the front did not send.
    NotAsked,
    /// The server closed the connection.
    Closed,
    /// Something came that is not a report.
    NotReport,
    /// A report came, and nothing was scraped.
    NothingScraped,
}

impl From<io::Error> for LinkError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Error for LinkError {}

impl Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Io(error) => return f.write_str(&reason(error)),
            Self::NoName => "another process connects to each name first",
            Self::NotStarted => "tiny_http did not start in time",
            Self::NotAsked => "a request that the front did not send",
            Self::Closed => "closed by the server",
            Self::NotReport => "not a report",
            Self::NothingScraped => "a report without a scrape",
        })
    }
}

/// Starts `tiny_http` with its only connection.
///
/// # Errors
/// When a socket cannot be had. A thread that cannot be had is a panic (`std::thread::spawn`).
pub(crate) fn open() -> Result<(FrontEnd, MainEnd), LinkError> {
    let (listener, stream) = listener_with_own_connection()?;
    let server = Server::from_listener(listener, None).map_err(io::Error::other)?;
    let server = ManuallyDrop::new(server);
    // The accept thread takes the connection, reports once that there is no other, and ends.
    match server.recv_timeout(START_TIMEOUT) {
        Err(_) => {}
        Ok(None) => return Err(LinkError::NotStarted),
        Ok(Some(_)) => return Err(LinkError::NotAsked),
    }
    let front = FrontEnd::new(stream);
    let shared = front.shared.clone();
    Ok((front, MainEnd { server, shared }))
}

/// A listener that accepts our own connection and then no other.
///
/// The name is abstract, for it needs no directory that can be written to: the process may live in an
/// empty chroot. Every local process may connect to such a name, so there is room for one connection
/// only, and it must be ours: when the room is taken, somebody was first, and another name is tried.
fn listener_with_own_connection() -> Result<(UnixListener, UnixStream), LinkError> {
    for _ in 0..MAX_NAMES {
        let listener = sys::bind_to_new_name()?;
        // A queue of length 0 takes one connection (listen(2), unix(7)).
        sys::set_backlog(listener.as_raw_fd(), 0)?;
        match connect_to(&listener) {
            Ok(stream) => {
                // What waits in the queue is still accepted; whoever else waits for room is refused.
                sys::shutdown(listener.as_raw_fd(), Shutdown::Both)?;
                return Ok((listener, stream));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(LinkError::NoName)
}

/// Fails with `WouldBlock` when there is no room in the listener's queue.
fn connect_to(listener: &UnixListener) -> io::Result<UnixStream> {
    let address = listener.local_addr()?;
    let name = address.as_abstract_name().unwrap_or_default();
    let stream = sys::connect_unix(UnixAddress::Abstract(name), TIME_TO_CONNECT)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

impl FrontEnd {
    /// The front's end over a non-blocking `stream`.
    fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            shared: Shared::default(),
            reported: 0,
        }
    }

    /// What to poll for reports.
    pub(crate) fn fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    /// Asks the main loop to scrape. Only one scrape may be under way.
    ///
    /// # Errors
    /// When the server is broken.
    pub(crate) fn ask(&mut self, scrape: Scrape) -> Result<(), LinkError> {
        *self.shared.lock() = Some(scrape);
        // The server has read all that came before: this much always finds room.
        Ok(self.stream.write_all(REQUEST)?)
    }

    /// Reads what has come of the main loop's report; returns the scrape when it is over.
    ///
    /// # Errors
    /// When anything else comes: the server is broken, and its end shows here as well.
    pub(crate) fn report(&mut self) -> Result<Option<Scrape>, LinkError> {
        let mut bytes = [0; 2 * REPORT.len()];
        let count = match self.stream.read(&mut bytes) {
            Ok(0) => return Err(LinkError::Closed),
            Ok(count) => count,
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                return Ok(None);
            }
            Err(e) => return Err(e.into()),
        };
        if !REPORT[self.reported..].starts_with(&bytes[..count]) {
            return Err(LinkError::NotReport);
        }
        self.reported += count;
        if self.reported < REPORT.len() {
            return Ok(None);
        }
        self.reported = 0;
        let scrape = self.shared.lock().take();
        scrape.map(Some).ok_or(LinkError::NothingScraped)
    }
}

impl MainEnd {
    /// The main loop: blocks on `tiny_http`, scrapes a target for what is wanted within a time once for
    /// each request, reports. Ends only when nothing can be received or reported any more.
    pub(crate) fn run(
        &self,
        mut scrape: impl FnMut(usize, &Wanted, Duration, &mut Snapshot),
    ) -> io::Error {
        loop {
            let result = self.server.recv().and_then(|request| {
                let asked = self.shared.lock().take();
                if let Some(mut asked) = asked {
                    // Nobody else has it: see `Scrape`.
                    if let Some(into) = Arc::get_mut(&mut asked.snapshot) {
                        scrape(asked.target, &asked.wanted, asked.time, into);
                    }
                    *self.shared.lock() = Some(asked);
                }
                let mut report = request.into_writer();
                report.write_all(REPORT)?;
                report.flush()
            });
            if let Err(error) = result {
                return error;
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
