//! The exporter as a process: started with flags, asked over TCP, watched through its log and /proc.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::children::{self, Group};
use super::exposition::{self, Exposition};
use super::http::{self, PATIENCE, Response};
use super::logfmt;
use super::reference;

/// The variables that send an exporter through a proxy; a test sets them itself or they are not there.
const PROXY_VARIABLES: [&str; 7] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
    "REQUEST_METHOD",
];

/// What a supervisor waits for at least: less than the 30 s that an answer may take, so that an
/// exporter that waited for a client to read would be killed, and far more than a busy machine needs.
const GRACE: Duration = Duration::from_secs(20);

/// A running exporter. It is stopped and reaped when it goes out of scope.
pub(crate) struct Exporter {
    child: Child,
    address: SocketAddr,
    log: Arc<Log>,
    reader: Option<JoinHandle<()>>,
    _group: Group,
}

/// What is left of an exporter that was stopped.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) lines: Vec<String>,
}

impl Exporter {
    /// Starts the exporter on an ephemeral port and waits until it listens.
    pub(crate) fn start(flags: &[&str]) -> Exporter {
        let mut command = command();
        command.args(flags);
        Exporter::spawn(&mut command)
    }

    /// Starts a command made by [`command`], with whatever the test added.
    pub(crate) fn spawn(command: &mut Command) -> Exporter {
        command
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let (mut child, group) = children::spawn(command).expect("start the exporter");
        let stderr = child.stderr.take().expect("a piped standard error");
        let log = Arc::new(Log::default());
        let reader = std::thread::spawn({
            let log = Arc::clone(&log);
            move || log.collect(BufReader::new(stderr))
        });
        // From here on Drop stops the child, also when it never listens.
        let mut exporter = Exporter {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            log,
            reader: Some(reader),
            _group: group,
        };
        let line = exporter.wait_for_line("the start-up line", |fields| {
            fields
                .get("msg")
                .is_some_and(|msg| msg == "starting haproxy_exporter")
        });
        // Unix sockets come before it when a test asked for them.
        exporter.address = logfmt::fields(&line)["addresses"]
            .split(',')
            .find_map(|address| address.parse().ok())
            .expect("an address in the start-up line");
        exporter
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// GET without headers.
    pub(crate) fn get(&self, path: &str) -> Response {
        http::request(self.address, "GET", path, &[])
    }

    /// One scrape: status, content type and every rule of the text format are checked.
    pub(crate) fn scrape(&self) -> Exposition {
        self.scrape_with(&[])
    }

    /// One scrape with headers, as Prometheus sends them.
    pub(crate) fn scrape_with(&self, headers: &[(&str, &str)]) -> Exposition {
        let response = http::request(self.address, "GET", "/metrics", headers);
        assert_eq!(
            response.status,
            200,
            "{}",
            String::from_utf8_lossy(&response.body)
        );
        assert_eq!(
            response.header("content-type"),
            Some("text/plain; version=0.0.4; charset=utf-8")
        );
        exposition::read(&response.body).unwrap_or_else(|error| {
            panic!(
                "{error} in\n{}",
                String::from_utf8_lossy(&response.body[..response.body.len().min(4000)])
            )
        })
    }

    /// The log so far.
    pub(crate) fn log_lines(&self) -> Vec<String> {
        self.log.lock().lines.clone()
    }

    /// Waits for a log line, and returns it. Lines that are already there count.
    pub(crate) fn wait_for_line(
        &self,
        what: &str,
        wanted: impl Fn(&std::collections::BTreeMap<String, String>) -> bool,
    ) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.log.lock();
        loop {
            if let Some(line) = state
                .lines
                .iter()
                .find(|line| wanted(&logfmt::fields(line)))
            {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !state.closed && !left.is_zero(),
                "no {what} in the log:\n{}",
                state.lines.join("\n")
            );
            state = self
                .log
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Stops the exporter as a supervisor does, and returns its whole log.
    pub(crate) fn finish(mut self) -> Finished {
        let status = self.stop();
        Finished {
            status,
            lines: self.log_lines(),
        }
    }

    /// A number of a line of /proc/PID/status, such as `VmRSS` (KiB) or `Threads`.
    pub(crate) fn proc_status(&self, key: &str) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(&path).expect("read /proc/PID/status");
        text.lines()
            .find_map(|line| {
                line.strip_prefix(key)?
                    .strip_prefix(':')?
                    .split_whitespace()
                    .next()?
                    .parse()
                    .ok()
            })
            .unwrap_or_else(|| panic!("no {key} in {path}"))
    }

    /// Its open descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))
            .expect("read /proc/PID/fd")
            .count()
    }

    /// SIGTERM, [`GRACE`], SIGKILL, which shows in the status; then the log is complete.
    fn stop(&mut self) -> ExitStatus {
        terminate(&self.child);
        let deadline = Instant::now() + GRACE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("wait for the exporter") {
                break status;
            }
            if Instant::now() >= deadline {
                self.child.kill().expect("kill the exporter");
                break self.child.wait().expect("wait for the exporter");
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        if let Some(reader) = self.reader.take() {
            // A panic of the reader was printed when it happened, and a second one would abort.
            let _ = reader.join();
        }
        status
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Finished {
    /// The lines of level warn and error, parsed.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let fields = self.lines.iter().map(|line| logfmt::fields(line));
        fields
            .filter(|fields| fields["level"] == "warn" || fields["level"] == "error")
            .map(Problem::from_fields)
            .collect()
    }

    /// How often it happened, as the lines say it that tell when it was over.
    pub(crate) fn times_until(&self, over: &str) -> u64 {
        let fields = self.lines.iter().map(|line| logfmt::fields(line));
        let lines = fields.filter(|fields| fields["msg"] == over);
        lines
            .map(|fields| fields["times"].parse::<u64>().expect("a number of times"))
            .sum()
    }
}

/// A warning or an error of the log, without its time stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) level: String,
    pub(crate) msg: String,
    /// The remaining fields, `key=value` in alphabetical order.
    pub(crate) details: Vec<String>,
}

impl Problem {
    fn from_fields(mut fields: std::collections::BTreeMap<String, String>) -> Problem {
        fields.remove("ts").expect("a time stamp in each log line");
        let level = fields.remove("level").expect("a level in each log line");
        let msg = fields.remove("msg").expect("a message in each log line");
        Problem {
            level,
            msg,
            details: fields
                .into_iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect(),
        }
    }

    /// The line of a scrape that failed whole.
    pub(crate) fn scrape_failed(err: &str) -> Problem {
        Problem::new("error", "scrape failed", &[("err", err)])
    }

    /// The line of a scrape that goes on without `show info`.
    pub(crate) fn info_failed(err: &str) -> Problem {
        Problem::new("warn", "show info failed", &[("err", err)])
    }

    /// The line for an answer with a header alone.
    pub(crate) fn no_row() -> Problem {
        let why = "it has no proxies, is stopping, or its stats scope or bind-process hides them";
        Problem::new("warn", "HAProxy printed no row", &[("err", why)])
    }

    /// The line for the bad rows and cells of one scrape.
    pub(crate) fn bad_rows(count: u64, first: &str) -> Problem {
        Problem::new(
            "warn",
            "CSV parse failures",
            &[("count", &count.to_string()), ("first", first)],
        )
    }

    fn new(level: &str, msg: &str, details: &[(&str, &str)]) -> Problem {
        let details = details
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        Problem {
            level: level.to_owned(),
            msg: msg.to_owned(),
            details,
        }
    }
}

/// One scrape of the URI by an exporter of its own must be as wanted, and nothing to complain of.
pub(crate) fn assert_serves(uri: &str, wanted: &Exposition) {
    let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={uri}")]);
    let got = exporter.scrape().without(reference::volatile);
    got.assert_equals(wanted, uri);
    assert_eq!(exporter.finish().problems(), [], "{uri}");
}

/// The binary without flags, and without the proxies of the machine it is tested on.
pub(crate) fn command() -> Command {
    command_of(env!("CARGO_BIN_EXE_haproxy_exporter").as_ref())
}

/// Copies the binary to where another user may run it.
pub(crate) fn copy_to(path: &Path) {
    copy_program(command().get_program(), path);
}

/// Copies a program that will be started.
///
/// Not with `std::fs::copy`: a test that forks meanwhile would keep the copy open for writing, and what
/// is open for writing cannot be started (ETXTBSY, execve(2)).
pub(crate) fn copy_program(program: &OsStr, path: &Path) {
    let mut copy = Command::new("install");
    let status = copy.args(["-m", "755"]).arg(program).arg(path).status();
    assert!(
        status.expect("start install(1)").success(),
        "{}",
        path.display()
    );
}

/// The same for another build of it.
pub(crate) fn command_of(binary: &OsStr) -> Command {
    let mut command = Command::new(binary);
    for variable in PROXY_VARIABLES {
        command.env_remove(variable);
    }
    command
}

/// The lines of standard error, collected in the background so that the exporter never blocks on the pipe.
#[derive(Default)]
struct Log {
    state: Mutex<LogState>,
    changed: Condvar,
}

#[derive(Default)]
struct LogState {
    lines: Vec<String>,
    closed: bool,
}

impl Log {
    fn lock(&self) -> std::sync::MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn collect(&self, stderr: impl BufRead) {
        for line in stderr.split(b'\n') {
            let line = line.map_or_else(
                |error| format!("unreadable: {error}"),
                |line| String::from_utf8_lossy(&line).into_owned(),
            );
            self.lock().lines.push(line);
            self.changed.notify_all();
        }
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

/// Asks the child to stop, as systemd would.
#[allow(unsafe_code)]
fn terminate(child: &Child) {
    let pid = libc::pid_t::try_from(child.id()).expect("a process id");
    // SAFETY: kill has no memory effects; the child is not reaped yet, so the id is still its own.
    unsafe { libc::kill(pid, libc::SIGTERM) };
}
