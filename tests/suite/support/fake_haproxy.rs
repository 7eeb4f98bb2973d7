//! A HAProxy that does what a test tells it to, on unix, abstract, TCP and HTTP sockets.
//!
//! Each connection carries one request: an HTTP one, or a line of commands joined with `;`. The script
//! for each command is chosen by what it asks, so `show info` and `show stat` can fail apart; an answer
//! that does not end with its empty line ends the connection, as when HAProxy dies. Nothing waits for
//! longer than twice [`PATIENCE`], and Drop ends every connection and waits for its thread.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::http::PATIENCE;
pub(crate) use super::scripts::{Act, Answers, Script};
use super::scripts::{Protocol, Sent};
use super::stream::Stream;

/// The most that [`Act::Repeat`] sends to a reader that never stops.
const REPEAT_LIMIT: usize = 1 << 30;

/// The bytes of a unix address after the family; `abns@name` fills them with NULs.
const ABSTRACT_LENGTH: usize = 107;

/// A listening fake.
pub(crate) struct Fake {
    shared: Arc<Shared>,
    place: Place,
    uri: String,
    acceptor: Option<std::thread::JoinHandle<()>>,
}

/// Where to reach the fake; also how Drop wakes its acceptor.
enum Place {
    Unix(UnixAddr),
    Tcp(SocketAddr),
}

impl Fake {
    /// A CLI socket at a path, which must be free.
    pub(crate) fn unix(path: &Path, answers: Answers) -> Fake {
        Fake::on_path(path, Protocol::Cli, answers)
    }

    /// A master's socket at a URI. Connections have one command each.
    pub(super) fn master(uri: &str, answers: Answers) -> Fake {
        match uri.strip_prefix("unix:").map(Path::new) {
            Some(path) => {
                // It is not there at first.
                let _ = std::fs::remove_file(path);
                Fake::on_path(path, Protocol::Master, answers)
            }
            None => Fake::on_tcp(uri.trim_start_matches("tcp://"), Protocol::Master, answers),
        }
    }

    fn on_path(path: &Path, protocol: Protocol, answers: Answers) -> Fake {
        let address = UnixAddr::from_pathname(path).expect("a path short enough for a socket");
        Fake::on_unix(
            address,
            format!("unix:{}", path.display()),
            protocol,
            answers,
        )
    }

    /// A CLI socket as `abns@name` binds it: the name padded with NULs to the whole address.
    pub(crate) fn abstract_padded(name: &str, answers: Answers) -> Fake {
        let mut padded = name.as_bytes().to_vec();
        padded.resize(ABSTRACT_LENGTH, 0);
        Fake::on_abstract(&padded, name, answers)
    }

    /// A CLI socket as `abnsz@name` binds it.
    pub(crate) fn abstract_plain(name: &str, answers: Answers) -> Fake {
        Fake::on_abstract(name.as_bytes(), name, answers)
    }

    fn on_abstract(bytes: &[u8], name: &str, answers: Answers) -> Fake {
        let address = UnixAddr::from_abstract_name(bytes).expect("an abstract name short enough");
        Fake::on_unix(address, format!("unix:@{name}"), Protocol::Cli, answers)
    }

    fn on_unix(address: UnixAddr, uri: String, protocol: Protocol, answers: Answers) -> Fake {
        let listener = UnixListener::bind_addr(&address).expect("bind a unix socket");
        let accept = move || listener.accept().map(|(stream, _)| Stream::Unix(stream));
        Fake::serve(Place::Unix(address), uri, protocol, answers, accept)
    }

    /// A CLI socket on TCP. `host` is an address of this machine, in brackets if it is of version 6.
    pub(crate) fn tcp(host: &str, answers: Answers) -> Fake {
        Fake::on_tcp(&format!("{host}:0"), Protocol::Cli, answers)
    }

    /// A stats page; its URI has the path `/;csv`.
    pub(crate) fn http(host: &str, answers: Answers) -> Fake {
        Fake::on_tcp(&format!("{host}:0"), Protocol::Http, answers)
    }

    fn on_tcp(address: &str, protocol: Protocol, answers: Answers) -> Fake {
        let listener = TcpListener::bind(address).expect("bind a TCP socket");
        let address = listener.local_addr().expect("the address of a listener");
        let uri = match protocol {
            Protocol::Cli | Protocol::Master => format!("tcp://{address}"),
            Protocol::Http => format!("http://{address}/;csv"),
        };
        let accept = move || {
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            Ok(Stream::Tcp(stream))
        };
        Fake::serve(Place::Tcp(address), uri, protocol, answers, accept)
    }

    fn serve(
        place: Place,
        uri: String,
        protocol: Protocol,
        answers: Answers,
        accept: impl Fn() -> io::Result<Stream> + Send + 'static,
    ) -> Fake {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                answers,
                ..State::default()
            }),
            changed: Condvar::new(),
        });
        let acceptor = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                loop {
                    let stream = accept();
                    let Some(number) = shared.admit() else { return };
                    // A connection that died in the queue is the client's affair.
                    let Ok(stream) = stream else { continue };
                    let shared = Arc::clone(&shared);
                    std::thread::spawn(move || shared.converse(number, stream, protocol));
                }
            }
        });
        Fake {
            shared,
            place,
            uri,
            acceptor: Some(acceptor),
        }
    }

    /// The URI to scrape it at.
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// How the exporter names it in errors.
    pub(crate) fn object(&self) -> String {
        match (&self.place, self.uri.split_once(':')) {
            (Place::Unix(_), Some((_, name))) => format!("unix socket {name}"),
            (Place::Tcp(address), Some(("tcp", _))) => format!("tcp socket {address}"),
            _ => self.uri.clone(),
        }
    }

    /// `host:port` of a TCP or HTTP fake.
    pub(crate) fn address(&self) -> SocketAddr {
        match self.place {
            Place::Tcp(address) => address,
            Place::Unix(_) => panic!("{} has no TCP address", self.uri),
        }
    }

    /// Changes what the next connections get, and forgets the requests so far.
    pub(crate) fn set(&self, answers: Answers) {
        let mut state = self.shared.lock();
        state.answers = answers;
        state.changes += 1;
        state.requests.clear();
        state.commands = 0;
        drop(state);
        self.shared.changed.notify_all();
    }

    /// The requests since the scripts were set, one for each connection, in the order they came. Reset
    /// ones are incomplete.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.lock().requests.clone()
    }

    /// The same since the last call.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().requests)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stopped = true;
        state.streams.values().for_each(Stream::shut);
        drop(state);
        self.shared.changed.notify_all();
        // The acceptor sees `stopped` at the next connection, so here is one. Should it fail, the
        // acceptor is gone already.
        let woken = match &self.place {
            Place::Unix(address) => UnixStream::connect_addr(address).is_ok(),
            Place::Tcp(address) => TcpStream::connect_timeout(address, PATIENCE).is_ok(),
        };
        if let Some(acceptor) = self
            .acceptor
            .take()
            .filter(|acceptor| woken || acceptor.is_finished())
        {
            // Its panic was printed when it happened, and a second one would abort.
            let _ = acceptor.join();
        }
        let state = self.shared.lock();
        drop(
            self.shared
                .changed
                .wait_timeout_while(state, PATIENCE, |state| state.active > 0),
        );
    }
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    answers: Answers,
    /// How often they were set.
    changes: u64,
    requests: Vec<String>,
    /// Commands in these requests.
    commands: usize,
    /// Duplicates of the open connections, to wake the threads that read or write them.
    streams: HashMap<u64, Stream>,
    accepted: u64,
    active: usize,
    stopped: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a new connection, or `None` when the fake is to stop.
    fn admit(&self) -> Option<u64> {
        let mut state = self.lock();
        state.accepted += 1;
        (!state.stopped).then_some(state.accepted)
    }

    /// One connection from its first byte to its end. Errors end it: the other side left.
    fn converse(&self, number: u64, mut stream: Stream, protocol: Protocol) {
        let mut state = self.lock();
        if state.stopped {
            return;
        }
        if let Ok(twin) = stream.twin() {
            state.streams.insert(number, twin);
        }
        state.active += 1;
        drop(state);
        let _ = self.answer(&mut stream, protocol);
        let mut state = self.lock();
        state.streams.remove(&number);
        drop(stream);
        state.active -= 1;
        drop(state);
        self.changed.notify_all();
    }

    fn answer(&self, stream: &mut Stream, protocol: Protocol) -> io::Result<()> {
        stream.set_patience()?;
        let (scripts, changes) = self.receive(stream, protocol)?;
        for script in scripts {
            if !self.play(stream, script, protocol, changes)?.is_whole() {
                break;
            }
        }
        Ok(())
    }

    /// Plays a script that was chosen after so many changes.
    fn play(
        &self,
        stream: &mut Stream,
        script: Script,
        protocol: Protocol,
        changes: u64,
    ) -> io::Result<Sent> {
        let mut sent = Sent::default();
        for act in script {
            match act {
                Act::Send(bytes) => {
                    stream.write_all(&bytes)?;
                    sent.add(&bytes);
                }
                Act::Drip(bytes, pause) => {
                    for byte in &bytes {
                        stream.write_all(&[*byte])?;
                        self.rest(pause)?;
                    }
                    sent.add(&bytes);
                }
                Act::Repeat(bytes) => {
                    let block = bytes.repeat(65536_usize.div_ceil(bytes.len()));
                    for _ in 0..REPEAT_LIMIT / block.len() {
                        stream.write_all(&block)?;
                    }
                }
                Act::AwaitCommands(count) => self.wait_until(|state| state.commands >= count)?,
                Act::AwaitChange => self.wait_until(|state| state.changes > changes)?,
                Act::Hold => {
                    while stream.read(&mut [0; 64])? > 0 {}
                    // A master's connection is half closed already.
                    if protocol == Protocol::Master {
                        self.wait_until(|_| false)?;
                    }
                }
                Act::Close | Act::Reset => return Ok(Sent::default()),
                Act::Choose(_) => unreachable!("chosen when the command came"),
            }
        }
        Ok(sent)
    }

    /// Reads a request byte by byte, so that nothing behind it is taken, and picks its scripts.
    fn receive(&self, stream: &mut Stream, protocol: Protocol) -> io::Result<(Vec<Script>, u64)> {
        let mut request = Vec::new();
        if protocol == Protocol::Master {
            if self.lock().answers.is_reset_at(&request, protocol) {
                return Ok(Default::default());
            }
            // To the end: a master that goes on listening does not close.
            stream.read_to_end(&mut request)?;
            return Ok(self.taken(&request, protocol));
        }
        loop {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            request.push(byte[0]);
            let is_complete = request.ends_with(match protocol {
                Protocol::Http => &b"\r\n\r\n"[..],
                Protocol::Cli | Protocol::Master => b"\n",
            });
            // From where on it is clear what is asked, and there are bytes left to leave unread.
            if is_complete || self.lock().answers.is_reset_at(&request, protocol) {
                return Ok(self.taken(&request, protocol));
            }
        }
    }

    /// Keeps a request; its scripts, and how often these were set.
    fn taken(&self, request: &[u8], protocol: Protocol) -> (Vec<Script>, u64) {
        let mut state = self.lock();
        let scripts = state.answers.to(request, protocol);
        let text = String::from_utf8_lossy(request);
        state.requests.push(text.into_owned());
        state.commands += scripts.len();
        let changes = state.changes;
        drop(state);
        self.changed.notify_all();
        (scripts, changes)
    }

    fn wait_until(&self, has_come: impl Fn(&State) -> bool) -> io::Result<()> {
        let state = self.lock();
        let (state, _) = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| !has_come(state) && !state.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        match has_come(&state) {
            true => Ok(()),
            false => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Sleeps, but not beyond the life of the fake.
    fn rest(&self, pause: Duration) -> io::Result<()> {
        if pause.is_zero() {
            return Ok(());
        }
        let end = Instant::now() + pause;
        let state = self.lock();
        let (state, _) = self
            .changed
            .wait_timeout_while(
                state,
                end.saturating_duration_since(Instant::now()),
                |state| !state.stopped,
            )
            .unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            Err(io::ErrorKind::Interrupted.into())
        } else {
            Ok(())
        }
    }
}
