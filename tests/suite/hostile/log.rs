//! A standard error that takes nothing: full, closed, broken.

use std::fs::{File, Permissions};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::hostile::threads::for_others;
use crate::hostile::tools::{Bare, limit, signal};
use crate::support::csv::answer;
use crate::support::exporter::{Exporter, command};
use crate::support::exposition;
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::faults::INFO;
use crate::support::logfmt;
use crate::support::peers;

/// Each of these is worth a line at level debug.
const REFUSED: &[u8] = b"POST /a HTTP/1.0\r\n\r\n";

/// More than a pipe or a terminal holds.
const MANY_LINES: usize = 1500;

fn debugging() -> Command {
    let mut command = command();
    debug(&mut command);
    command
}

fn debug(command: &mut Command) {
    command
        .arg("--log.level=debug")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
}

/// The same as a user who may not open what root made: neither its pipes nor its terminals.
fn debugging_as_nobody() -> Option<(TempDir, Command)> {
    if !peers::is_root() {
        peers::skip("only root can start programs as another user");
        return None;
    }
    let (directory, mut command) = for_others();
    command.uid(65534).gid(65534);
    debug(&mut command);
    Some((directory, command))
}

/// Starts it, makes it log `lines` lines, and sees it serve after that.
fn serves_in_spite_of(
    command: &mut Command,
    lines: usize,
    after_start: impl FnOnce(&mut Bare),
) -> (Bare, TempDir) {
    let directory = TempDir::new().expect("a temporary directory");
    let open = Permissions::from_mode(0o777);
    std::fs::set_permissions(directory.path(), open).expect("set permissions");
    let mut exporter = Bare::spawn(command, directory.path()).expect("start the exporter");
    assert_eq!(exporter.wait_for_start(), None);
    after_start(&mut exporter);
    for _ in 0..lines {
        let mut stream = exporter.connect().expect("connect");
        stream.write_all(REFUSED).expect("send");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    }
    for _ in 0..3 {
        let body = exporter.get().expect("a scrape");
        let got = exposition::read(&body).expect("a valid exposition");
        assert_eq!(got.value("haproxy_up"), 1.0);
    }
    (exporter, directory)
}

/// The lines that find no room are lost, and counted.
#[test]
fn a_pipe_that_nobody_reads() {
    unread_pipe(&mut debugging());
}

#[test]
fn a_pipe_of_another_user_that_nobody_reads() {
    if let Some((_directory, mut command)) = debugging_as_nobody() {
        unread_pipe(&mut command);
    }
}

fn unread_pipe(command: &mut Command) {
    command.stderr(Stdio::piped());
    let (mut exporter, _directory) = serves_in_spite_of(command, MANY_LINES, |_| {});
    let mut stderr = exporter.child().stderr.take().expect("standard error");
    let mut log = vec![0; 32 * 1024];
    stderr.read_exact(&mut log).expect("a full pipe");
    // There is room again, for this line.
    signal(exporter.child().id(), libc::SIGHUP);
    exporter.get().expect("a scrape");
    assert_eq!(exporter.stop().code(), Some(0));
    stderr.read_to_end(&mut log).expect("the rest");
    assert_eq!(assert_counts_lost_lines(&log), 1);
}

#[test]
fn a_terminal_that_nobody_reads() {
    unread_terminal(&mut debugging());
}

/// Not even `/dev/tty` is there for it: the terminal is not its own.
#[test]
fn a_terminal_of_another_user_that_nobody_reads() {
    if let Some((_directory, mut command)) = debugging_as_nobody() {
        unread_terminal(&mut command);
    }
}

fn unread_terminal(command: &mut Command) {
    let (mut screen, terminal) = terminal();
    command.stderr(terminal.try_clone().expect("a second handle"));
    let (mut exporter, _directory) = serves_in_spite_of(command, MANY_LINES, |_| {});
    assert!(
        !is_nonblocking(&terminal),
        "its flags are for all who have it"
    );
    let mut log = vec![0; 8 * 1024];
    screen.read_exact(&mut log).expect("a full terminal");
    // Reading goes on until this line is there.
    signal(exporter.child().id(), libc::SIGHUP);
    exporter.get().expect("a scrape");
    let mut piece = [0; 4096];
    while !String::from_utf8_lossy(&log).contains("nothing to reload\"") {
        let count = screen.read(&mut piece).expect("more of the log");
        log.extend_from_slice(&piece[..count]);
        signal(exporter.child().id(), libc::SIGHUP);
    }
    assert_eq!(exporter.stop().code(), Some(0));
    let last_line_end = log.iter().rposition(|byte| *byte == b'\n');
    log.truncate(last_line_end.expect("a line") + 1);
    // The kernel moves what was written on its own time, so there may be room once more in between.
    assert_counts_lost_lines(&log);
}

/// A pseudo terminal: what shows on its screen, and the terminal.
#[allow(unsafe_code)]
fn terminal() -> (File, File) {
    // SAFETY: no pointers are passed.
    let number = unsafe { libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC) };
    assert!(number >= 0, "open /dev/ptmx");
    // SAFETY: the descriptor was just opened and is owned by nobody else.
    let screen = unsafe { File::from_raw_fd(number) };
    let mut name = [0 as libc::c_char; 64];
    // SAFETY: the descriptor is a terminal's, `name` is live, and its length is passed.
    let path = unsafe {
        assert_eq!(libc::unlockpt(number), 0, "unlock the terminal");
        assert_eq!(libc::ptsname_r(number, name.as_mut_ptr(), name.len()), 0);
        std::ffi::CStr::from_ptr(name.as_ptr())
    };
    let mut options = File::options();
    options.read(true).write(true).custom_flags(libc::O_NOCTTY);
    let terminal = options.open(path.to_str().expect("a path"));
    (screen, terminal.expect("open the terminal"))
}

#[allow(unsafe_code)]
fn is_nonblocking(file: &File) -> bool {
    // SAFETY: no pointers are passed.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    flags & libc::O_NONBLOCK != 0
}

/// Lines say how many are missing before them: none is missing in silence, and none is cut. Returns
/// how often that was said; the last is the line that found room when it was read.
fn assert_counts_lost_lines(log: &[u8]) -> usize {
    let log = str::from_utf8(log).expect("a log of UTF-8");
    let is_whole = |line: &str| line.starts_with("ts=2") && line.matches("ts=2").count() == 1;
    assert!(log.lines().all(is_whole), "{log}");
    let mut lines = log.lines().map(logfmt::fields);
    let lost: Vec<usize> = (lines.clone())
        .filter_map(|fields| fields.get("lines_lost")?.parse().ok())
        .collect();
    let refused = lines
        .clone()
        .filter(|fields| fields["msg"] == "request refused");
    let accounted = refused.count() + lost.iter().sum::<usize>();
    assert!(accounted >= MANY_LINES, "{accounted}, {lost:?}");
    let last = lines.rfind(|fields| fields.contains_key("lines_lost"));
    assert!(
        last.expect("a line about others")["msg"].contains("SIGHUP"),
        "{lost:?}"
    );
    lost.len()
}

#[test]
fn a_pipe_whose_reader_has_gone() {
    let mut command = debugging();
    command.stderr(Stdio::piped());
    let close = |exporter: &mut Bare| drop(exporter.child().stderr.take());
    let (mut exporter, _directory) = serves_in_spite_of(&mut command, 20, close);
    assert_eq!(exporter.stop().code(), Some(0));
}

#[test]
fn a_full_disk() {
    let full = File::options()
        .write(true)
        .open("/dev/full")
        .expect("open /dev/full");
    let mut command = debugging();
    command.stderr(full.try_clone().expect("a second handle"));
    let (mut exporter, _directory) = serves_in_spite_of(&mut command, 20, |_| {});
    assert_eq!(exporter.stop().code(), Some(0));
    // Nor does it change how a failed start ends.
    let status = self::command().arg("--nonsense").stderr(full).status();
    assert_eq!(status.expect("run the exporter").code(), Some(2));
}

/// A file at the limit of its size (SIGXFSZ) takes nothing until somebody makes room; what was lost is counted.
#[test]
#[allow(unsafe_code)]
fn a_file_at_its_size_limit() {
    const MOST_BYTES: u64 = 4096;
    const LINES: usize = 200;
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("log");
    let file = File::options().create(true).append(true).open(&path);
    let mut command = debugging();
    command.stderr(file.expect("make a file"));
    // SAFETY: prlimit64 is a system call without locks or memory of its own.
    unsafe { command.pre_exec(|| limit(0, libc::RLIMIT_FSIZE, MOST_BYTES)) };
    let (mut exporter, _directory) = serves_in_spite_of(&mut command, LINES, |_| {});
    let full = std::fs::read_to_string(&path).expect("a log of UTF-8");
    assert_eq!(full.len() as u64, MOST_BYTES);
    let file = File::options()
        .write(true)
        .open(&path)
        .expect("open the log");
    file.set_len(0).expect("make room");
    signal(exporter.child().id(), libc::SIGHUP);
    exporter.get().expect("a scrape");
    assert_eq!(exporter.stop().code(), Some(0));
    let log = std::fs::read_to_string(&path).expect("a log of UTF-8");
    // The rest of the line that was cut comes first.
    let mut lines = log.lines();
    let cut = full.lines().next_back().expect("a line");
    let cut = format!("{cut}{}", lines.next().expect("the rest"));
    assert_eq!(logfmt::fields(&cut)["msg"], "request refused");
    let next = logfmt::fields(lines.next().expect("a line"));
    assert!(next["msg"].contains("SIGHUP"), "{log}");
    let lost: usize = next["lines_lost"].parse().expect("a number");
    let refused = full.matches("msg=\"request refused\"").count();
    assert!(lost + refused >= LINES, "{lost} lost, {refused} written");
}

#[test]
#[allow(unsafe_code)]
fn no_standard_error_at_all() {
    let mut command = debugging();
    // SAFETY: close is a system call; nothing else runs in this child.
    unsafe {
        command.pre_exec(|| {
            libc::close(2);
            Ok(())
        })
    };
    let (mut exporter, _directory) = serves_in_spite_of(&mut command, 20, |_| {});
    assert_eq!(exporter.stop().code(), Some(0));
}

/// A client can make a scrape fail and succeed in turns, and a peer can have another reason each time.
#[test]
fn what_changes_at_every_scrape_is_logged_ten_times() {
    let directory = TempDir::new().expect("a temporary directory");
    let fake = Fake::unix(&directory.path().join("socket"), Answers::default());
    let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={}", fake.uri())]);
    for number in 0..30 {
        let other = format!("the time is {number}\n\n");
        fake.set(Answers::whole(other.as_bytes(), INFO));
        assert_eq!(exporter.scrape().value("haproxy_up"), 0.0);
    }
    for _ in 0..30 {
        fake.set(Answers::whole(&answer(&[]), INFO));
        assert_eq!(exporter.scrape().value("haproxy_up"), 1.0);
        fake.set(Answers::whole(b"no\n\n", INFO));
        assert_eq!(exporter.scrape().value("haproxy_up"), 0.0);
    }
    let log = exporter.finish().lines;
    let about = ["scrape failed", "scrape succeeded again"];
    let is_about = |line: &&String| about.contains(&logfmt::fields(line)["msg"].as_str());
    assert_eq!(log.iter().filter(is_about).count(), 10, "{log:#?}");
}
