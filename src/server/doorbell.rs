//! The private connection from the I/O thread to the main loop: `tiny_http` with a single client.
//!
//! `tiny_http` 0.12 trusts its clients, and many small requests can stop it. So it gets one
//! connection in its life. The I/O thread sends the same request on it again and again; it means
//! that a scrape is wanted. The details of the scrape and its result are passed in shared memory.
//! The connection exists before `tiny_http` starts, and its listener is shut down before that too.
//! So nobody else can be accepted, and `tiny_http` starts no threads for more clients.

use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::net::Shutdown;
use std::os::fd::{AsRawFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tiny_http::Server;

use crate::errno::{denied, is_denial};
use crate::metrics::report::Report;
use crate::metrics::selection::Wanted;
use crate::metrics::snapshot::Snapshot;
use crate::net::deadline::{Abort, Aborted};
use crate::sys::{self, UnixAddress};

/// Time for `tiny_http`'s threads to start and to find that there are no more clients.
const START_TIMEOUT: Duration = Duration::from_secs(5);
/// Number of names that are tried. Another process of this machine can be first only if it finds
/// the name in the microseconds between two system calls.
const MAX_NAMES: u32 = 100;

/// Timeout of connecting to our own listener: its queue has room at once, or another process has
/// taken it.
const TIME_TO_CONNECT: Duration = Duration::from_millis(1);

/// The request for a scrape.
pub(super) const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
/// The report that a scrape has ended: a status line without fields. This is a whole HTTP response,
/// after which `tiny_http` continues with the next request.
pub(super) const REPORT: &[u8] = b"HTTP/1.1 204 Scraped\r\n\r\n";

/// A scrape that is passed to the main loop and back.
pub(crate) struct Scrape {
    /// Number of the target.
    pub target: usize,
    /// What the requests that share it select.
    pub wanted: Wanted,
    /// Timeout of the scrape.
    pub time: Duration,
    /// Whether it was aborted and has to be repeated, without a result.
    pub is_repeated: bool,
    /// Result of the scrape. Only one side holds it at a time.
    pub snapshot: Arc<Snapshot>,
    /// The same result in words.
    pub report: Option<Report>,
}

/// The scrape that is being passed.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Option<Scrape>>>);

impl Shared {
    /// Each use leaves the value valid, so a panic while it was locked does no harm.
    fn lock(&self) -> MutexGuard<'_, Option<Scrape>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of the I/O thread.
pub(crate) struct Doorbell {
    stream: UnixStream,
    shared: Shared,
    /// Ends the scrape that goes on.
    abort: Abort,
    /// Number of bytes of the report received so far.
    reported: usize,
}

/// The end of the main loop.
pub(crate) struct MainLoop {
    /// Never dropped: dropping it connects to its listener, which does not exist any more.
    server: ManuallyDrop<Server>,
    shared: Shared,
    abort: Abort,
}

/// Starts `tiny_http` with its only connection.
///
/// # Errors
/// If a socket cannot be created. If a thread cannot be started, `std::thread::spawn` panics.
pub(crate) fn open() -> io::Result<(Doorbell, MainLoop)> {
    let (listener, stream) = listener_with_own_connection()?;
    let server = Server::from_listener(listener, None).map_err(io::Error::other)?;
    let server = ManuallyDrop::new(server);
    // The accept thread takes the connection, finds once that there is no other, and ends.
    match server.recv_timeout(START_TIMEOUT) {
        Err(error) if is_denial(&error) => {
            return Err(io::Error::other(denied("accept4", &error)));
        }
        Err(_) => {}
        Ok(None) => return Err(io::Error::other("tiny_http did not start in time")),
        Ok(Some(_)) => return Err(io::Error::other("a request that the front did not send")),
    }
    let bell = Doorbell::new(stream);
    let main_loop = MainLoop {
        server,
        shared: bell.shared.clone(),
        abort: bell.abort,
    };
    Ok((bell, main_loop))
}

/// A listener that accepts our own connection and no other.
///
/// The name is abstract, because that needs no writable directory: the process can run in an empty
/// chroot. Every local process can connect to such a name. So the queue has room for one connection
/// only, and it must be ours. If the queue is full, another process was first, and another name is
/// tried.
fn listener_with_own_connection() -> io::Result<(UnixListener, UnixStream)> {
    for _ in 0..MAX_NAMES {
        let listener = sys::bind_to_new_name()?;
        // A backlog of 0 accepts one connection (listen(2), unix(7)).
        sys::set_backlog(listener.as_raw_fd(), 0)?;
        match connect_to(&listener) {
            Ok(stream) => {
                // The connection in the queue is still accepted; processes that wait for room are
                // refused.
                sys::shutdown(listener.as_raw_fd(), Shutdown::Both)?;
                return Ok((listener, stream));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(
        "another process connects to each name first",
    ))
}

/// Fails with `WouldBlock` if the listener's queue is full.
fn connect_to(listener: &UnixListener) -> io::Result<UnixStream> {
    let address = listener.local_addr()?;
    let name = address.as_abstract_name().unwrap_or_default();
    let stream = sys::connect_unix(UnixAddress::Abstract(name), TIME_TO_CONNECT)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

impl Doorbell {
    /// The end of the I/O thread, over a non-blocking `stream`.
    fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            shared: Shared::default(),
            abort: Abort::new(),
            reported: 0,
        }
    }

    /// The descriptor to poll for reports.
    pub(crate) fn fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    /// Requests a scrape from the main loop. Only one scrape can run at a time.
    ///
    /// # Errors
    /// If the server is broken.
    pub(crate) fn ask(&mut self, scrape: Scrape) -> io::Result<()> {
        self.abort.clear();
        *self.shared.lock() = Some(scrape);
        // The server has read everything that was sent before, so these few bytes always fit.
        self.stream.write_all(REQUEST)
    }

    /// Ends the scrape that is running, as if its time were over.
    pub(crate) fn abort(&self, then: Aborted) {
        self.abort.set(then);
    }

    /// Reads the report of the main loop as far as it has arrived. Returns the scrape when it has
    /// ended.
    ///
    /// # Errors
    /// If anything else arrives, or the connection ends: the server is broken.
    pub(crate) fn report(&mut self) -> io::Result<Option<Scrape>> {
        let mut bytes = [0; 2 * REPORT.len()];
        let count = match self.stream.read(&mut bytes) {
            Ok(0) => return Err(io::Error::other("closed by the server")),
            Ok(count) => count,
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                return Ok(None);
            }
            Err(e) => return Err(e),
        };
        if !REPORT[self.reported..].starts_with(&bytes[..count]) {
            return Err(io::Error::other("not a report"));
        }
        self.reported += count;
        if self.reported < REPORT.len() {
            return Ok(None);
        }
        self.reported = 0;
        let scrape = self.shared.lock().take();
        scrape
            .map(Some)
            .ok_or_else(|| io::Error::other("a report without a scrape"))
    }
}

impl MainLoop {
    /// The main loop: blocks on `tiny_http`, runs one scrape for each request, and reports its end.
    /// `scrape` returns no report if it is repeated. Returns only when nothing can be received or reported any more.
    pub(crate) fn run(
        &self,
        mut scrape: impl FnMut(usize, &Wanted, (Duration, Abort), &mut Snapshot) -> Option<Report>,
    ) -> io::Error {
        loop {
            let result = self.server.recv().and_then(|request| {
                let asked = self.shared.lock().take();
                if let Some(mut asked) = asked {
                    // The I/O thread does not hold it now: see `Scrape`.
                    if let Some(into) = Arc::get_mut(&mut asked.snapshot) {
                        let within = (asked.time, self.abort);
                        asked.report = scrape(asked.target, &asked.wanted, within, into);
                        asked.is_repeated = asked.report.is_none();
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
