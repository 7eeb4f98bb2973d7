//! A master process (`haproxy -W -S`) that says what a test tells it to.
//!
//! As the real one it takes one command a connection and closes it only where the other side has shut
//! down its half: who does not gets no answer. A process that nobody described is not known. It keeps
//! every question. Connections are answered one after the other, and none is waited for longer than
//! twice [`PATIENCE`](super::http::PATIENCE).

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::scripts::{Act, Script};
use super::stream::Stream;

/// The most that [`Act::Repeat`] sends to a reader that never stops.
const REPEAT_LIMIT: usize = 1 << 30;

/// A fake that listens until it is told to refuse.
pub(crate) struct FakeMaster {
    place: Place,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Clone)]
enum Place {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answers: HashMap<String, Script>,
    questions: Vec<String>,
    /// Connections that are neither answered to the end nor closed.
    held: Vec<Stream>,
    /// Whether connections are closed at once, with what was sent on them unread.
    resets: bool,
    stopped: bool,
}

impl FakeMaster {
    /// On a unix socket at a path, which must be free.
    pub(crate) fn unix(path: PathBuf) -> FakeMaster {
        FakeMaster::on(Place::Unix(path))
    }

    /// On a TCP port of its own.
    pub(crate) fn tcp() -> FakeMaster {
        FakeMaster::on(Place::Tcp(SocketAddr::from(([127, 0, 0, 1], 0))))
    }

    fn on(place: Place) -> FakeMaster {
        let mut fake = FakeMaster {
            place,
            shared: Arc::default(),
            acceptor: None,
        };
        fake.listen();
        fake
    }

    /// The flag that leads here.
    pub(crate) fn flag(&self) -> String {
        match &self.place {
            Place::Unix(path) => format!("--haproxy.master-socket=unix:{}", path.display()),
            Place::Tcp(address) => format!("--haproxy.master-socket=tcp://{address}"),
        }
    }

    /// How the exporter names it in errors.
    pub(crate) fn object(&self) -> String {
        match &self.place {
            Place::Unix(path) => format!("unix socket {}", path.display()),
            Place::Tcp(address) => format!("tcp socket {address}"),
        }
    }

    /// Adds to what it answers, or changes it.
    pub(crate) fn answer(&self, command: &str, script: Script) {
        let answers = &mut self.shared.lock().answers;
        answers.insert(command.to_owned(), script);
    }

    /// Adds a whole answer.
    pub(crate) fn say(&self, command: &str, answer: &[u8]) {
        self.answer(command, vec![Act::Send(answer.to_vec())]);
    }

    /// Forgets all answers.
    pub(crate) fn forget(&self) {
        self.shared.lock().answers.clear();
    }

    /// What came since it was last asked for, one connection each, with all that was sent on it.
    pub(crate) fn take_questions(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().questions)
    }

    /// Closes each connection with its question unread, or no longer.
    pub(crate) fn reset(&self, resets: bool) {
        self.shared.lock().resets = resets;
    }

    /// Listens no longer. A unix socket's file stays.
    pub(crate) fn refuse(&mut self) {
        let Some(acceptor) = self.acceptor.take() else {
            return;
        };
        self.shared.lock().stopped = true;
        // The acceptor sees it at the next connection.
        let woken = match &self.place {
            Place::Unix(path) => UnixStream::connect(path).is_ok(),
            Place::Tcp(address) => TcpStream::connect(address).is_ok(),
        };
        if woken || acceptor.is_finished() {
            // Its panic was printed when it happened, and a second one would abort.
            let _ = acceptor.join();
        }
    }

    /// Listens, again.
    pub(crate) fn listen(&mut self) {
        self.shared.lock().stopped = false;
        let shared = Arc::clone(&self.shared);
        self.acceptor = Some(match &mut self.place {
            Place::Unix(path) => {
                // It is not there at first.
                let _ = std::fs::remove_file(&*path);
                let listener = UnixListener::bind(&*path).expect("bind a unix socket");
                shared.serve(move || Ok(Stream::Unix(listener.accept()?.0)))
            }
            Place::Tcp(address) => {
                let listener = TcpListener::bind(*address).expect("bind a TCP socket");
                *address = listener.local_addr().expect("the address of a listener");
                shared.serve(move || Ok(Stream::Tcp(listener.accept()?.0)))
            }
        });
    }
}

impl Drop for FakeMaster {
    fn drop(&mut self) {
        self.refuse();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(
        self: Arc<Self>,
        accept: impl Fn() -> io::Result<Stream> + Send + 'static,
    ) -> JoinHandle<()> {
        std::thread::spawn(move || {
            loop {
                let stream = accept();
                let state = self.lock();
                if state.stopped {
                    return;
                }
                // A connection that died in the queue is the client's affair.
                if let Ok(stream) = stream
                    && !state.resets
                {
                    drop(state);
                    // An error ends the connection: the other side left.
                    let _ = self.converse(stream);
                }
            }
        })
    }

    fn converse(&self, mut stream: Stream) -> io::Result<()> {
        stream.set_patience()?;
        let mut question = String::new();
        // To the end: a master that goes on listening does not close.
        stream.read_to_string(&mut question)?;
        let script = {
            let mut state = self.lock();
            let script = state.script(question.trim_end());
            state.questions.push(question);
            script
        };
        for act in script {
            match act {
                Act::Send(bytes) => stream.write_all(&bytes)?,
                Act::Repeat(bytes) => {
                    let block = bytes.repeat(65536_usize.div_ceil(bytes.len()));
                    for _ in 0..REPEAT_LIMIT / block.len() {
                        stream.write_all(&block)?;
                    }
                }
                Act::Hold => {
                    self.lock().held.push(stream);
                    return Ok(());
                }
                // From here on, with every connection.
                Act::Reset => self.lock().resets = true,
                act => unreachable!("{act:?} of a master"),
            }
        }
        Ok(())
    }
}

impl State {
    fn script(&self, command: &str) -> Script {
        let known = self.answers.get(command).cloned();
        known.unwrap_or_else(|| {
            let process = command.split(' ').next().unwrap_or_default();
            let answer = format!("Can't find the target PID matching the prefix '{process}'\n");
            vec![Act::Send(answer.into_bytes())]
        })
    }
}
