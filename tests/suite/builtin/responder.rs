//! A HAProxy whose CLI answers what a scrape asks, in the order it is asked, and badly where it is told.

use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tempfile::TempDir;

use super::answers::Answers;
use crate::support::http::PATIENCE;

/// What becomes of one command.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// Another answer, with the closing empty line if it has one.
    Say(String),
    /// The first half of the answer, then the end of the connection.
    Cut,
    /// Nothing more, until the other side leaves.
    Hang,
    /// The answer, its first line again and again until it has so many bytes.
    Blow(usize),
}

/// Listens on a unix socket until it goes out of scope.
pub(super) struct Responder {
    directory: TempDir,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    answers: Answers,
    /// By the beginning of the command.
    faults: Vec<(&'static str, Fault)>,
    /// Lines that came, without their ends.
    lines: Vec<String>,
    /// Whether answers wait.
    is_held: bool,
    stopped: bool,
    open: Vec<UnixStream>,
}

impl Responder {
    pub(super) fn start(answers: Answers) -> Responder {
        let directory = TempDir::new().expect("a temporary directory");
        let listener = UnixListener::bind(directory.path().join("s")).expect("bind a unix socket");
        let shared = Arc::new(Shared::default());
        shared.lock().answers = answers;
        let acceptor = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                while let Ok((stream, _)) = listener.accept() {
                    let mut state = shared.lock();
                    if state.stopped {
                        return;
                    }
                    state
                        .open
                        .push(stream.try_clone().expect("a second handle"));
                    drop(state);
                    let shared = Arc::clone(&shared);
                    std::thread::spawn(move || {
                        // An error means that the other side left.
                        let _ = shared.converse(&stream);
                        let _ = stream.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Responder {
            directory,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// The flag that points the exporter here.
    pub(super) fn flag(&self) -> String {
        let path = self.directory.path().join("s");
        format!("--haproxy.scrape-uri=unix:{}", path.display())
    }

    /// How the exporter names it in errors.
    pub(super) fn object(&self) -> String {
        format!("unix socket {}", self.directory.path().join("s").display())
    }

    /// From now on these commands go wrong, and no others.
    pub(super) fn set_faults(&self, faults: &[(&'static str, Fault)]) {
        self.shared.lock().faults = faults.to_vec();
    }

    /// From now on it answers so.
    pub(super) fn set_answers(&self, answers: Answers) {
        self.shared.lock().answers = answers;
    }

    /// Answers nothing until it is released.
    pub(super) fn hold(&self) {
        self.shared.lock().is_held = true;
    }

    pub(super) fn release(&self) {
        self.shared.lock().is_held = false;
        self.shared.changed.notify_all();
    }

    /// Waits until a line has come, while answers are held.
    pub(super) fn wait_for_line(&self) {
        let state = self.shared.lock();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, PATIENCE, |state| state.lines.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!state.lines.is_empty(), "nothing was asked");
    }

    /// The lines since the last call, one for each connection.
    pub(super) fn take_lines(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().lines)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stopped = true;
        state.is_held = false;
        for stream in &state.open {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(state);
        self.shared.changed.notify_all();
        let woken = UnixStream::connect(self.directory.path().join("s")).is_ok();
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken) {
            // Its panic was printed when it happened, and a second one would abort.
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One line of commands and its answers.
    fn converse(&self, mut stream: &UnixStream) -> std::io::Result<()> {
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut state = self.lock();
        state.lines.push(line.trim_end().to_owned());
        self.changed.notify_all();
        let (state, _) = self
            .changed
            .wait_timeout_while(state, 2 * PATIENCE, |state| state.is_held)
            .unwrap_or_else(PoisonError::into_inner);
        let (answers, faults) = (state.answers.clone(), state.faults.clone());
        drop(state);
        for command in line.trim_end().split(';') {
            let answer = format!("{}\n", answer(&answers, command));
            let fault = faults.iter().find(|(of, _)| command.starts_with(of));
            match fault.map(|(_, fault)| fault) {
                None => stream.write_all(answer.as_bytes())?,
                Some(Fault::Say(text)) => stream.write_all(text.as_bytes())?,
                Some(Fault::Cut) => {
                    return stream.write_all(&answer.as_bytes()[..answer.len() / 2]);
                }
                // Reads until the other side leaves.
                Some(Fault::Hang) => return reader.read_line(&mut line).map(drop),
                Some(Fault::Blow(bytes)) => {
                    let first = answer.split_inclusive('\n').next().expect("a line");
                    for _ in 0..bytes / first.len() {
                        stream.write_all(first.as_bytes())?;
                    }
                    stream.write_all(answer.as_bytes())?;
                }
            }
        }
        Ok(())
    }
}

/// What HAProxy says to a command, without the closing empty line.
fn answer(answers: &Answers, command: &str) -> String {
    let words: Vec<&str> = command.split(' ').collect();
    match words[..] {
        ["show", "info"] => answers.info.clone(),
        ["show", "table"] => answers.tables.clone(),
        ["show", "stat"] => answers.stat.clone(),
        ["show", "resolvers"] => answers.names.clone(),
        ["show", "stat", "domain", word] if word == answers.domain() => answers.resolvers.clone(),
        ["show", "stat", "domain", _] => "Invalid statistics domain.\n".to_owned(),
        ["show", "stat", proxy, mask, "-1"] => {
            let mask: u32 = mask.parse().expect("a mask");
            of_proxy(&masked(&answers.stat, mask), proxy)
        }
        _ => format!(
            "Unknown command: '{command}', but maybe one of the following ones is a better match:\n"
        ),
    }
}

/// The header and the rows of a proxy by its number, or of all if it is -1.
fn of_proxy(stat: &str, proxy: &str) -> String {
    let at = column(stat, "iid");
    let rows = stat.split_inclusive('\n').enumerate();
    let wanted = rows.filter(|(number, line)| {
        *number == 0 || proxy == "-1" || line.split(',').nth(at) == Some(proxy)
    });
    wanted.map(|(_, line)| line).collect()
}

pub(super) fn column(stat: &str, name: &str) -> usize {
    let header = stat.lines().next().expect("a header");
    let at = header.split(',').position(|column| column == name);
    at.unwrap_or_else(|| panic!("no column {name}"))
}

/// The header and the rows of these types: 1 frontends, 2 backends, 4 servers, 8 listeners.
pub(super) fn masked(stat: &str, mask: u32) -> String {
    if mask == 15 {
        return stat.to_owned();
    }
    let at = column(stat, "type");
    let header = stat.lines().next().expect("a header");
    let is_wanted = |line: &&str| {
        let kind: u32 = line
            .split(',')
            .nth(at)
            .and_then(|kind| kind.parse().ok())
            .expect("a type");
        mask >> kind & 1 == 1
    };
    let rows = stat.lines().skip(1).filter(is_wanted);
    std::iter::once(header)
        .chain(rows)
        .map(|line| format!("{line}\n"))
        .collect()
}
