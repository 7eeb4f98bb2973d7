//! What one scrape shows is what one process said, all of it, whoever else answers at the same address
//! and whoever else scrapes; and a unix socket is read at a pace that lets HAProxy serve its clients.

mod late;
mod pace;
mod parts;
mod processes;
mod reloads;

use std::io::{self, BufRead, BufReader};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::support::csv;
use crate::support::http::PATIENCE;

/// A CLI socket; what comes of a line is up to a function, which has the connection to itself.
struct Cli {
    path: PathBuf,
    stopped: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Cli {
    /// Each connection is closed when `serve` returns.
    fn start<F>(path: &Path, serve: F) -> Self
    where
        F: Fn(&[&str], &mut UnixStream) -> io::Result<()> + Send + Sync + 'static,
    {
        let listener = UnixListener::bind(path).expect("bind a unix socket");
        let (stopped, serve) = (Arc::new(AtomicBool::new(false)), Arc::new(serve));
        let is_over = Arc::clone(&stopped);
        let acceptor = std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || {
                    let limit = Some(2 * PATIENCE);
                    stream.set_read_timeout(limit).expect("set a timeout");
                    stream.set_write_timeout(limit).expect("set a timeout");
                    let mut line = String::new();
                    let reader = stream.try_clone().expect("a second handle");
                    if BufReader::new(reader).read_line(&mut line).is_ok() {
                        let commands: Vec<&str> = line.trim_end().split(';').collect();
                        // An error means that the other side left.
                        let _ = serve(&commands, &mut stream);
                    }
                });
            }
        });
        Self {
            path: path.to_owned(),
            stopped,
            acceptor: Some(acceptor),
        }
    }

    fn flag(&self) -> String {
        format!("--haproxy.scrape-uri=unix:{}", self.path.display())
    }

    fn object(&self) -> String {
        format!("unix socket {}", self.path.display())
    }
}

impl Drop for Cli {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // The path may be another's by now: then the acceptor ends with the test.
        if UnixStream::connect(&self.path).is_ok()
            && let Some(acceptor) = self.acceptor.take()
        {
            for _ in 0..100 {
                if acceptor.is_finished() {
                    let _ = acceptor.join();
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// `show info` of a process.
fn info(pid: u32) -> String {
    format!("Name: HAProxy\nVersion: 2.6.12\nRelease_date: 2023/04/01\nPid: {pid}\nnode: n1\n\n")
}

/// `show stat` with the rows of these types: one frontend, and a backend with so many servers of one weight.
fn rows(types: u8, servers: usize, weight: &str) -> Vec<u8> {
    let mut rows = Vec::new();
    if types & 1 != 0 {
        rows.push(csv::frontend("web", &[(4, "1"), (8, "5")]));
    }
    for number in (0..servers).filter(|_| types & 4 != 0) {
        let state = ["UP", "MAINT"][number % 2];
        let cells = [(17, state), (18, weight)];
        rows.push(csv::server("app", &format!("s{number}"), &cells));
    }
    if types & 2 != 0 {
        rows.push(csv::backend("app", &[(17, "UP"), (18, weight)]));
    }
    csv::answer(&rows)
}

/// The row types of a `show stat`.
fn types(command: &str) -> Option<u8> {
    let types = command.strip_prefix("show stat -1 ")?.strip_suffix(" -1")?;
    types.parse().ok()
}

/// What a process answers to a command.
fn reply(command: &str, pid: u32, servers: usize, weight: &str) -> Vec<u8> {
    match types(command) {
        Some(types) => rows(types, servers, weight),
        None if command == "show info" => info(pid).into_bytes(),
        None => b"\n".to_vec(),
    }
}
