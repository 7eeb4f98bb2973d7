//! One exporter under strace, and what comes of each fault.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::exporter::{self, Exporter};
use crate::support::exposition::{self, Exposition};
use crate::support::http::PATIENCE;
use crate::support::peers::{self, Peer};
use crate::support::{http, logfmt, reference};

/// The scrape's own timeout: no fault makes a scrape wait for it, and a busy machine must not either.
const TIMEOUT: &str = "--haproxy.timeout=30s";
/// Lines in its log after which an exporter is not used any more.
const MOST_LINES: usize = 7;
/// Calls of one kind in one thread that are failed one after the other.
const MOST_CALLS: usize = 12;
/// Calls that a scrape makes and that are left alone: memory (an exporter that has none aborts),
/// locks, threads, and those that cannot fail or are not ours to fail.
const UNTOUCHED: [&str; 12] = [
    "brk",
    "mmap",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "futex",
    "close",
    "exit",
    "exit_group",
    "restart_syscall",
    "sched_yield",
];

/// What a call may fail with, and what not: a blocking call knows no EAGAIN, only `accept4` and
/// `openat` run out of descriptors.
fn errors(call: &str) -> &'static [&'static str] {
    match call {
        "socket" => &["EMFILE", "ENOMEM"],
        "connect" => &["EINTR", "EAGAIN", "ECONNRESET", "ENOMEM"],
        "accept4" => &["EINTR", "EAGAIN", "ECONNRESET", "EMFILE", "ENOMEM"],
        "recvfrom" | "sendto" => &["EINTR", "EAGAIN", "ECONNRESET", "ENOMEM"],
        "read" | "write" | "writev" => &["EINTR", "ECONNRESET", "ENOMEM"],
        "openat" => &["EINTR", "EMFILE", "ENOMEM"],
        "poll" | "ppoll" => &["EINTR", "ENOMEM"],
        _ => &["EINTR", "ENOMEM"],
    }
}

/// How a case ended; all of these are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// The right answer.
    Right,
    /// Right but for `show info` or facts of a process.
    WithoutExtras,
    /// `haproxy_up 0` and one line.
    Down,
    /// The client's own connection failed; nobody else noticed.
    ClientLost,
    /// The process left with status 1 and a line.
    Left,
}

/// One place to scrape, with an exporter that is started anew when it has left.
pub(super) struct Bench {
    pub(super) name: &'static str,
    uri: String,
    pid_file: PathBuf,
    want: Exposition,
    strace: PathBuf,
    trace: TempDir,
    exporter: Option<Exporter>,
    pub(super) injected: usize,
    pub(super) outcomes: BTreeMap<Outcome, usize>,
    pub(super) faults: Vec<String>,
}

impl Bench {
    pub(super) fn new(name: &'static str, uri: &str, want: Exposition, strace: &Path) -> Bench {
        let trace = TempDir::new().expect("a temporary directory");
        let pid_file = trace.path().join("pid");
        std::fs::write(&pid_file, format!("{}\n", std::process::id())).expect("write a pid file");
        Bench {
            name,
            uri: uri.to_owned(),
            pid_file,
            want,
            strace: strace.to_owned(),
            trace,
            exporter: None,
            injected: 0,
            outcomes: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// Fails the calls that `wanted` picks, one after the other.
    pub(super) fn run(&mut self, wanted: impl Fn(&str) -> bool) {
        let calls = self.calls_of_a_scrape();
        for (call, count) in calls.into_iter().filter(|(call, _)| wanted(call)) {
            for error in errors(&call) {
                for number in 1..=count.min(MOST_CALLS) {
                    let inject = format!("{call}:error={error}:when={number}");
                    let outcome = self.inject(&inject);
                    if std::env::var_os("INJECT_VERBOSE").is_some() {
                        eprintln!("{}: {inject}: {outcome:?}", self.name);
                    }
                    match outcome {
                        Ok(outcome) => *self.outcomes.entry(outcome).or_default() += 1,
                        Err(fault) => self.faults.push(format!("{inject}: {fault}")),
                    }
                }
            }
        }
        self.exporter = None;
    }

    /// The kinds of calls, and how many one thread makes at most.
    fn calls_of_a_scrape(&mut self) -> BTreeMap<String, usize> {
        let untouched = format!("--trace=!{}", UNTOUCHED.join(","));
        let (answer, trace) = self.traced(&[untouched]);
        let outcome = self.judge(answer, 0);
        assert_eq!(outcome, Ok(Outcome::Right), "{}: undisturbed", self.name);
        let mut by_thread: BTreeMap<(String, String), usize> = BTreeMap::new();
        for line in trace.lines() {
            let Some((thread, rest)) = line.split_once(char::is_whitespace) else {
                continue;
            };
            let Some((call, _)) = rest.trim_start().split_once('(') else {
                continue;
            };
            if call
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            {
                *by_thread
                    .entry((call.to_owned(), thread.to_owned()))
                    .or_default() += 1;
            }
        }
        let mut calls = BTreeMap::new();
        for ((call, _), count) in by_thread {
            let most: &mut usize = calls.entry(call).or_default();
            *most = count.max(*most);
        }
        assert!(calls.len() > 5, "strace saw only {calls:?}");
        calls
    }

    fn inject(&mut self, inject: &str) -> Result<Outcome, String> {
        // An exporter logs each problem ten times a minute at most, and a line more when it is over.
        self.exporter.take_if(|exporter| {
            !is_running(exporter.pid()) || exporter.log_lines().len() > MOST_LINES
        });
        let lines = self.exporter().log_lines().len();
        let call = inject.split(':').next().unwrap_or_default();
        let flags = [format!("--trace={call}"), format!("--inject={inject}")];
        let (answer, trace) = self.traced(&flags);
        self.injected += trace.matches("(INJECTED)").count();
        let outcome = self.judge(answer, lines)?;
        if outcome == Outcome::Left {
            return Ok(outcome);
        }
        // The next scrape, undisturbed, is right again, unless the exporter is leaving just now.
        let now = self.exporter().log_lines().len();
        let answer = ask(self.exporter());
        let lines = if answer.is_err() { lines } else { now };
        match self.judge(answer, lines)? {
            Outcome::Right => Ok(outcome),
            Outcome::Left => Ok(Outcome::Left),
            next => {
                let said = &self.exporter().log_lines()[now..];
                Err(format!("{outcome:?}, but then {next:?}: {said:?}"))
            }
        }
    }

    fn exporter(&mut self) -> &Exporter {
        let (uri, pid_file) = (&self.uri, &self.pid_file);
        self.exporter.get_or_insert_with(|| {
            let mut command = exporter::command();
            command
                .arg(format!("--haproxy.scrape-uri={uri}"))
                .arg(format!("--haproxy.pid-file={}", pid_file.display()))
                .arg(TIMEOUT);
            let exporter = Exporter::spawn(&mut command);
            exporter.scrape();
            exporter
        })
    }

    /// One scrape while strace watches; the answer and what strace wrote.
    fn traced(&mut self, flags: &[String]) -> (Result<Vec<u8>, String>, String) {
        let file = self.trace.path().join("trace");
        let pid = self.exporter().pid().to_string();
        let mut command = Command::new(&self.strace);
        command
            .args(["-f", "-o"])
            .arg(&file)
            .args(flags)
            .args(["-p", &pid]);
        let mut strace = Peer::start(&mut command);
        // An exporter that is leaving because of the fault before may be gone by now.
        peers::wait_for("strace to attach or to end", || {
            (strace.output().contains(" attached") || strace.has_ended()).then_some(())
        });
        let answer = ask(self.exporter());
        strace.stop();
        let trace = std::fs::read_to_string(&file).expect("read a trace");
        (answer, trace)
    }

    /// What has come of a scrape, or what is wrong with it. `lines` of the log were there before.
    fn judge(&mut self, answer: Result<Vec<u8>, String>, lines: usize) -> Result<Outcome, String> {
        let response = match answer.and_then(|bytes| http::parse(&bytes, false)) {
            Ok(response) => response,
            Err(why) => return self.without_answer(&why),
        };
        self.settle();
        if !is_running(self.exporter().pid()) {
            return self.without_answer("leaving");
        }
        if response.status != 200 {
            return Err(format!("status {}", response.status));
        }
        let got = exposition::read(&response.body)?;
        let problems = problems(&self.exporter().log_lines()[lines..]);
        if got.get("haproxy_up") == Some(0.0) {
            let rows = got
                .families
                .keys()
                .find(|name| name.starts_with("haproxy_server_"));
            return match (problems.as_slice(), rows) {
                ([_], None) => Ok(Outcome::Down),
                ([_], Some(rows)) => Err(format!("down, but {rows} is there")),
                (lines, _) => Err(format!("down with these lines: {lines:?}")),
            };
        }
        let got =
            got.without(|name| reference::volatile(name) || is_counter(name) || is_process(name));
        let differences = got.differences(&self.want);
        match differences.iter().find(|text| !text.starts_with("missing")) {
            Some(difference) => Err(difference.clone()),
            None if differences.is_empty() && problems.is_empty() => Ok(Outcome::Right),
            None => match differences.iter().find(|text| !is_extra(text)) {
                Some(difference) => Err(difference.clone()),
                None if problems.is_empty() => {
                    Err("something is missing without a line".to_owned())
                }
                None => Ok(Outcome::WithoutExtras),
            },
        }
    }

    /// Waits until all that the exporter has logged so far has reached us: SIGHUP brings one more line.
    fn settle(&mut self) {
        let pid = self.exporter().pid();
        let count = |exporter: &Exporter| {
            let lines = exporter.log_lines();
            lines.iter().filter(|line| line.contains("SIGHUP")).count()
        };
        let before = count(self.exporter());
        peers::signal(pid, libc::SIGHUP);
        peers::wait_for("a line for SIGHUP", || {
            (count(self.exporter()) > before || !is_running(pid)).then_some(())
        });
    }

    fn without_answer(&mut self, why: &str) -> Result<Outcome, String> {
        let deadline = Instant::now() + Duration::from_millis(300);
        while Instant::now() < deadline && is_running(self.exporter().pid()) {
            std::thread::sleep(Duration::from_millis(10));
        }
        if is_running(self.exporter().pid()) {
            return match why.contains("timed out") {
                true => Err(format!("no answer within {PATIENCE:?}")),
                false => Ok(Outcome::ClientLost),
            };
        }
        let Some(exporter) = self.exporter.take() else {
            return Err("no exporter".to_owned());
        };
        let finished = exporter.finish();
        let said = &finished.lines;
        match finished.status.code() {
            Some(1) if said.iter().any(|line| is_farewell(line)) => Ok(Outcome::Left),
            _ => Err(format!("ended with {} and {said:?}", finished.status)),
        }
    }
}

pub(super) fn is_counter(name: &str) -> bool {
    name.starts_with("haproxy_exporter_")
}

pub(super) fn is_process(name: &str) -> bool {
    // The pid file names the test itself, whose figures change.
    name.starts_with("haproxy_process_")
        && !["haproxy_process_pid", "haproxy_process_uptime_seconds"].contains(&name)
}

/// What `show info` brings.
fn is_extra(missing: &str) -> bool {
    ["haproxy_version_info", "haproxy_info", "haproxy_process_"]
        .iter()
        .any(|name| missing.contains(name))
}

/// The lines of level warn and error.
fn problems(lines: &[String]) -> Vec<String> {
    let is_problem = |line: &&String| {
        let fields = logfmt::fields(line);
        fields["level"] != "info" && fields["level"] != "debug"
    };
    let lines = lines.iter().filter(|line| !is_farewell(line));
    lines.filter(is_problem).cloned().collect()
}

/// The line with which the exporter ends when it cannot go on: the front's, or the main loop's.
fn is_farewell(line: &str) -> bool {
    line.contains("msg=\"server failed, exiting\"")
        || line.starts_with("haproxy_exporter: the server stopped: ")
}

/// Whether a process has not ended; a zombie has.
fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}

/// One scrape; everything up to the end of the connection.
fn ask(exporter: &Exporter) -> Result<Vec<u8>, String> {
    let mut answer = Vec::new();
    let mut exchange = || {
        let mut stream = TcpStream::connect_timeout(&exporter.address(), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
        stream.read_to_end(&mut answer)
    };
    match exchange() {
        Ok(_) => Ok(answer),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Err("timed out".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
