//! Connections without end: idle, dripping, reset, opened and closed.

use std::collections::VecDeque;
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::time::Duration;

use tempfile::TempDir;

use crate::hostile::tools::{limit, open_many_descriptors, reset_at_close, small};
use crate::hostile::{Attack, Rules, siege};
use crate::support::exporter::{Exporter, command};
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::peers::pass_descriptors;
use crate::support::{faults, fixtures};

/// Holds `count` connections that say nothing, and opens a new one for the oldest all the time.
pub(crate) fn idle(attack: &Attack<'_>, count: usize) -> usize {
    let mut held: VecDeque<TcpStream> = VecDeque::new();
    let mut opened = 0;
    while attack.goes_on(opened, count) {
        if let Ok(stream) = attack.connect() {
            held.push_back(stream);
            opened += 1;
        }
        if held.len() > count {
            held.pop_front();
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    opened
}

fn with_descriptors(count: u64, fake: &Fake) -> Exporter {
    Exporter::spawn(&mut limited_command(count, fake))
}

fn limited_command(count: u64, fake: &Fake) -> std::process::Command {
    limited(&[], count, fake)
}

/// With these descriptors left open, also beyond the limit.
#[allow(unsafe_code)]
fn limited(passed: &[(BorrowedFd<'_>, RawFd)], count: u64, fake: &Fake) -> std::process::Command {
    let mut command = command();
    command.arg(format!("--haproxy.scrape-uri={}", fake.uri()));
    // What the suite itself was started with stays out.
    // SAFETY: close_range is a system call without locks or memory of its own.
    unsafe {
        command.pre_exec(|| {
            let flag = libc::CLOSE_RANGE_CLOEXEC as libc::c_int;
            libc::close_range(3, libc::c_uint::MAX, flag);
            Ok(())
        });
    }
    pass_descriptors(&mut command, passed);
    // SAFETY: as close_range.
    unsafe { command.pre_exec(move || limit(0, libc::RLIMIT_NOFILE, count)) };
    command
}

#[test]
fn idle_connections_leave_descriptors_for_the_scrape() {
    let directory = TempDir::new().expect("a temporary directory");
    let answers = Answers::whole(&fixtures::bytes("3.2.0/stat.csv"), faults::INFO);
    let fake = Fake::unix(&directory.path().join("socket"), answers);
    for count in [64, 32] {
        let name = format!("{count} descriptors, 100 idle connections");
        siege(
            &name,
            with_descriptors(count, &fake),
            Rules::default(),
            |attack| idle(attack, 100),
        );
    }
}

/// So many are enough for one client and one scrape; with one less it says so and ends.
#[test]
fn no_descriptor_to_spare() {
    let directory = TempDir::new().expect("a temporary directory");
    let answers = Answers::whole(&fixtures::bytes("3.2.0/stat.csv"), faults::INFO);
    let fake = Fake::unix(&directory.path().join("socket"), answers);
    let exporter = with_descriptors(10, &fake);
    assert_eq!(exporter.scrape().value("haproxy_up"), 1.0);
    for (limit, listeners, needed) in [(9, 1, 10), (10, 2, 11)] {
        let mut command = limited_command(limit, &fake);
        command.args(vec!["--web.listen-address=127.0.0.1:0"; listeners]);
        let output = command.output().expect("run the exporter");
        assert_eq!(output.status.code(), Some(1));
        let expected = format!(
            "haproxy_exporter: open file limit too low: {limit}, at least {needed} needed (LimitNOFILE, ulimit -n)\n"
        );
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    }
}

/// Descriptors that a supervisor left open take room too, but for those beyond the limit.
#[test]
fn descriptors_that_were_left_open() {
    let directory = TempDir::new().expect("a temporary directory");
    let answers = Answers::whole(&fixtures::bytes("3.2.0/stat.csv"), faults::INFO);
    let fake = Fake::unix(&directory.path().join("socket"), answers);
    let file = std::fs::File::open("/dev/null").expect("open a device");
    let passed = [3, 4, 5, 200].map(|number| (file.as_fd(), number));
    let output = limited(&passed, 12, &fake)
        .output()
        .expect("run the exporter");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "haproxy_exporter: open file limit too low: 12, at least 13 needed, because 3 were left open (LimitNOFILE, ulimit -n)\n"
    );
    let exporter = Exporter::spawn(&mut limited(&passed, 13, &fake));
    assert_eq!(exporter.scrape().value("haproxy_up"), 1.0);
}

#[test]
fn two_thousand_idle_connections() {
    open_many_descriptors();
    siege(
        "2,000 idle connections",
        small(),
        Rules::default(),
        |attack| idle(attack, 2000),
    );
}

#[test]
fn drips() {
    let head = b"GET /metrics HTTP/1.1\r\nHost: a\r\n";
    siege("200 drips", small(), Rules::default(), |attack| {
        let mut drips: Vec<Option<(TcpStream, usize)>> = (0..200).map(|_| None).collect();
        let mut sent = 0;
        let mut turn = 0;
        // One in ten of them every 100 ms: a byte a second each.
        while attack.goes_on(turn, 40) {
            for drip in drips.iter_mut().skip(turn % 10).step_by(10) {
                let (mut stream, at) = match drip.take() {
                    Some(drip) => drip,
                    None => match attack.connect() {
                        Ok(stream) => (stream, 0),
                        Err(_) => continue,
                    },
                };
                if stream.write_all(&head[at..at + 1]).is_ok() {
                    sent += 1;
                    *drip = Some((stream, at + 1));
                }
            }
            turn += 1;
            std::thread::sleep(Duration::from_millis(100));
        }
        sent
    });
}

#[test]
fn requests_that_end_with_a_reset() {
    siege(
        "10,000 requests with a reset",
        small(),
        Rules::default(),
        |attack| {
            let mut done = 0;
            while attack.goes_on(done, 10_000) {
                let Ok(mut stream) = attack.connect() else {
                    continue;
                };
                reset_at_close(&stream);
                if stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").is_ok() {
                    done += 1;
                }
            }
            done
        },
    );
}

#[test]
fn a_flood_of_connections() {
    let rules = Rules {
        percent_failed: 5,
        ..Rules::default()
    };
    siege(
        "20,000 connections opened and closed",
        small(),
        rules,
        |attack| {
            let flood = || {
                let mut done = 0;
                while attack.goes_on(done, 10_000) {
                    match attack.connect() {
                        Ok(_) => done += 1,
                        Err(error) => {
                            assert_ne!(error.kind(), ErrorKind::ConnectionRefused, "after {done}")
                        }
                    }
                }
                done
            };
            std::thread::scope(|scope| {
                let other = scope.spawn(flood);
                flood() + other.join().expect("a flooding thread")
            })
        },
    );
}
