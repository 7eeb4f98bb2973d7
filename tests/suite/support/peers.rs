//! Real peers: programs of other packages, started, watched and stopped.
//!
//! A program that is not installed skips its test with a line on standard error; with
//! `HAPROXY_EXPORTER_REQUIRE_PEERS=1` (CI) it fails it. The reason is added to the file that
//! `HAPROXY_EXPORTER_SKIPS` names, from which `make test` makes its last line.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::children::{self, Group};
use super::http::PATIENCE;

/// Between two looks at something that will come.
const PAUSE: Duration = Duration::from_millis(10);
/// How long a peer may take to leave after SIGTERM.
const GRACE: Duration = Duration::from_secs(3);
/// Where administrators' programs are that a user's PATH may lack.
const EXTRA_PATH: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/local/bin"];

/// The program's path, or `None` after saying that the test is skipped.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let found = find_unpackaged(program);
    if found.is_none() {
        skip(&format!("{program} is not installed"));
    }
    found
}

/// The path of a program that Debian has no package of: where it is missing, the test has less to do.
pub(crate) fn find_unpackaged(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let directories = path.split(':').chain(EXTRA_PATH);
    directories
        .map(|directory| Path::new(directory).join(program))
        .find(|path| path.is_file())
}

/// All of the programs, or `None` after saying that the test is skipped.
pub(crate) fn find_all<const N: usize>(programs: [&str; N]) -> Option<[PathBuf; N]> {
    let found: Vec<PathBuf> = programs.into_iter().map_while(find).collect();
    found.try_into().ok()
}

/// Says why the running test is skipped; where all peers must be there, fails it.
pub(crate) fn skip(why: &str) {
    let required =
        std::env::var_os("HAPROXY_EXPORTER_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(
        !required,
        "{why}, but HAPROXY_EXPORTER_REQUIRE_PEERS=1 demands it"
    );
    say("skipped: ", why);
    if let Some(path) = std::env::var_os("HAPROXY_EXPORTER_SKIPS") {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        let mut file = file.expect("open the list of skipped tests");
        file.write_all(format!("{why}\n").as_bytes())
            .expect("write the list of skipped tests");
    }
}

/// Tells a measured figure.
pub(crate) fn note(figure: &str) {
    say("", figure);
}

fn say(what: &str, text: &str) {
    let thread = std::thread::current();
    let line = format!("{what}{}: {text}\n", thread.name().unwrap_or("a test"));
    // eprintln! would be captured, and nobody would see it.
    std::io::stderr()
        .write_all(line.as_bytes())
        .expect("write to standard error");
}

/// Whether tests that need another user can run.
pub(crate) fn is_root() -> bool {
    // The owner of /proc/self is the effective user.
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").expect("/proc")) == 0
}

/// Looks again and again until `look` finds something.
pub(crate) fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_for_or_give_up(look).unwrap_or_else(|| panic!("{what} did not come"))
}

/// The same, but the caller says what is wrong when it does not come.
pub(crate) fn wait_for_or_give_up<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = look();
        if found.is_some() || Instant::now() >= deadline {
            return found;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Lets the command inherit descriptors under given numbers.
#[allow(unsafe_code)]
pub(crate) fn pass_descriptors(command: &mut Command, descriptors: &[(BorrowedFd<'_>, RawFd)]) {
    let pairs: Vec<(RawFd, RawFd)> = descriptors
        .iter()
        .map(|(fd, number)| (fd.as_raw_fd(), *number))
        .collect();
    let mut spare: Vec<RawFd> = vec![-1; pairs.len()];
    // Above all sources and targets, so that no target overwrites a source.
    let above = pairs.iter().flat_map(|(a, b)| [*a, *b]).max().unwrap_or(0) + 1;
    // SAFETY: between fork and exec only fcntl and dup2 run, both async-signal-safe, and nothing
    // is allocated.
    unsafe {
        command.pre_exec(move || {
            for (spare, (source, _)) in spare.iter_mut().zip(&pairs) {
                *spare = libc::fcntl(*source, libc::F_DUPFD_CLOEXEC, above);
            }
            for (spare, (_, target)) in spare.iter().zip(&pairs) {
                if libc::dup2(*spare, *target) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
}

/// Sends a signal to a process that the caller started and has not reaped, or to a child of one.
#[allow(unsafe_code)]
pub(crate) fn signal(pid: u32, signal: i32) {
    let pid = libc::pid_t::try_from(pid).expect("a process id");
    // SAFETY: kill has no memory effects.
    unsafe { libc::kill(pid, signal) };
}

/// A running peer in a process group of its own. It is stopped and reaped when it goes out of scope.
pub(crate) struct Peer {
    name: String,
    child: Child,
    status: Option<ExitStatus>,
    output: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
    _group: Group,
}

impl Peer {
    /// Starts a program and collects what it prints.
    pub(crate) fn start(command: &mut Command) -> Peer {
        let name = command.get_program().to_string_lossy().into_owned();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let (mut child, group) =
            children::spawn(command).unwrap_or_else(|error| panic!("start {name}: {error}"));
        let output = Arc::new(Mutex::new(Vec::new()));
        let stdout = child.stdout.take().expect("a piped standard output");
        let stderr = child.stderr.take().expect("a piped standard error");
        let readers = vec![
            collect(stdout, Arc::clone(&output)),
            collect(stderr, Arc::clone(&output)),
        ];
        Peer {
            name,
            child,
            status: None,
            output,
            readers,
            _group: group,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far, standard output and error in the order they came.
    pub(crate) fn output(&self) -> String {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&output).into_owned()
    }

    /// Waits for a line that `wanted` takes something from.
    pub(crate) fn wait_for_line<T>(&mut self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let gone = self.has_said_all();
            let output = self.output();
            if let Some(found) = output.lines().find_map(&wanted) {
                return found;
            }
            assert!(
                !gone && Instant::now() < deadline,
                "no {what} from {}:\n{output}",
                self.name
            );
            std::thread::sleep(PAUSE);
        }
    }

    pub(crate) fn signal(&self, number: i32) {
        if self.status.is_none() {
            signal(self.child.id(), number);
        }
    }

    /// Whether it ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        if self.status.is_none() {
            self.status = self.child.try_wait().expect("wait for a peer");
        }
        self.status.is_some()
    }

    /// Whether it ended and all that it printed has been collected: on a busy machine that is later.
    fn has_said_all(&mut self) -> bool {
        self.has_ended() && self.readers.iter().all(JoinHandle::is_finished)
    }

    /// Waits until it ends; then the output is complete.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let name = self.name.clone();
        wait_for(&format!("the end of {name}"), || {
            self.has_said_all().then_some(())
        });
        self.status.expect("the status of a peer that ended")
    }

    /// SIGTERM, some grace, SIGKILL; then the output is complete.
    pub(crate) fn stop(&mut self) {
        self.signal(libc::SIGTERM);
        let deadline = Instant::now() + GRACE;
        while !self.has_ended() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        // Whatever is left of it, in its own process group and below it.
        let left = descendants(self.child.id());
        if self.status.is_none() {
            for pid in left {
                signal(pid, libc::SIGKILL);
            }
            // A failure means that it has just ended.
            let _ = self.child.kill();
            self.status = self.child.wait().ok();
        }
        for reader in self.readers.drain(..) {
            // Its panic was printed when it happened, and a second one would abort.
            let _ = reader.join();
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn collect(mut from: impl Read + Send + 'static, output: Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut piece) {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            output.extend_from_slice(&piece[..count]);
        }
    })
}

/// The children of a process, and theirs.
pub(crate) fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
    for task in tasks.into_iter().flatten().flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|c| c.parse().ok()) {
            found.push(child);
            found.extend(descendants(child));
        }
    }
    found
}

/// Runs a program to its end: status, standard output, standard error.
pub(crate) fn run(command: &mut Command) -> (ExitStatus, String, String) {
    run_with_input(command, b"")
}

/// Runs a program to its end with something on its standard input.
pub(crate) fn run_with_input(command: &mut Command, input: &[u8]) -> (ExitStatus, String, String) {
    let name = command.get_program().to_string_lossy().into_owned();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let (mut child, _group) =
        children::spawn(command).unwrap_or_else(|error| panic!("start {name}: {error}"));
    let mut stdin = child.stdin.take().expect("a piped standard input");
    let input = input.to_vec();
    // A program may leave without reading its input.
    let writer = std::thread::spawn(move || stdin.write_all(&input).is_ok());
    let watchdog = child.id();
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if is_done.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            signal(watchdog, libc::SIGKILL);
        }
    });
    let output = child.wait_with_output().expect("wait for a program");
    drop(done);
    watch.join().expect("the watchdog's end");
    writer.join().expect("the writer's end");
    (
        output.status,
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// GET over a unix socket; `None` while nobody listens there.
pub(crate) fn get_unix(socket: &Path, path: &str) -> Option<super::http::Response> {
    let mut stream = std::os::unix::net::UnixStream::connect(socket).ok()?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("set a read timeout");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .expect("send a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("read the answer");
    let answer = super::http::parse(&answer, false);
    Some(answer.unwrap_or_else(|error| panic!("GET {path}: {error}")))
}
