//! A standard error that takes nothing: full, closed, broken.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::hostile::tools::{Bare, signal};
use crate::support::exporter::command;
use crate::support::exposition;

/// Each of these is worth a line at level debug.
const REFUSED: &[u8] = b"POST /a HTTP/1.0\r\n\r\n";

fn debugging() -> Command {
    let mut command = command();
    command
        .arg("--log.level=debug")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Starts it, makes it log `lines` lines, and sees it serve after that.
fn serves_in_spite_of(
    command: &mut Command,
    lines: usize,
    after_start: impl FnOnce(&mut Bare),
) -> (Bare, TempDir) {
    let directory = TempDir::new().expect("a temporary directory");
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
    let mut command = debugging();
    command.stderr(Stdio::piped());
    let (mut exporter, _directory) = serves_in_spite_of(&mut command, 1500, |_| {});
    let mut stderr = exporter.child().stderr.take().expect("standard error");
    let mut log = vec![0; 32 * 1024];
    stderr.read_exact(&mut log).expect("a full pipe");
    // There is room again, for this line.
    signal(exporter.child().id(), libc::SIGHUP);
    exporter.get().expect("a scrape");
    assert_eq!(exporter.stop().code(), Some(0));
    stderr.read_to_end(&mut log).expect("the rest");
    let log = String::from_utf8(log).expect("a log of UTF-8");
    let counted: Vec<_> = log
        .lines()
        .filter(|line| line.contains("lines_lost="))
        .collect();
    assert_eq!(counted.len(), 1, "{counted:?}");
    assert!(counted[0].contains("SIGHUP"), "{counted:?}");
    // Each line is whole.
    assert!(log.lines().all(|line| line.starts_with("ts=2")), "{log}");
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
