//! When a unix socket is read.

use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::{Cli, reply, rows};
use crate::support::exporter::{Exporter, Problem};

/// Enough rows that the socket cannot hold them.
const SERVERS: usize = 10_000;
/// Scrapes until one is seen that is read as it should be: on a busy machine HAProxy's part may have no
/// processor for a while, which looks like a full socket.
const TRIES: usize = 10;
/// Comments are read faster than rows, also by a program without optimization, and than they are written.
const COMMENTS: usize = 2_000;
/// What is written at a time, and how long the writer rests then: less than it takes to look.
const PIECE_BYTES: usize = 1024;
/// How often the socket must be full at least: it was 16 times, and never where everything is read at once.
const LEAST_FULL: usize = 8;
const REST: Duration = Duration::from_micros(60);

/// Writes in small pieces without waiting; returns how often there was no room.
fn write_as_haproxy_does(bytes: &[u8], stream: &mut UnixStream) -> std::io::Result<usize> {
    stream.set_nonblocking(true)?;
    let mut full = 0;
    for piece in bytes.chunks(PIECE_BYTES) {
        let mut rest = piece;
        while !rest.is_empty() {
            match stream.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    full += 1;
                    stream.set_nonblocking(false)?;
                    stream.write_all(rest)?;
                    stream.set_nonblocking(true)?;
                    rest = &[];
                }
                Err(error) => return Err(error),
            }
        }
        // A reader that reads what comes has it before the next piece is there.
        std::thread::sleep(REST);
    }
    stream.set_nonblocking(false)?;
    Ok(full)
}

/// A peer that writes slowly finds the socket full all the same, again and again: nothing is read while
/// something is added.
#[test]
fn a_socket_is_read_when_it_is_full() {
    let directory = TempDir::new().expect("a temporary directory");
    let full = Arc::new(AtomicUsize::new(0));
    let mut whole = rows(4, 20, "1");
    // Before the empty line at the end.
    let comment = format!("#{}\n", " comment".repeat(100));
    let comments = comment.repeat(COMMENTS).into_bytes();
    whole.splice(whole.len() - 1..whole.len() - 1, comments);
    let cli = Cli::start(&directory.path().join("s"), {
        let full = Arc::clone(&full);
        move |_, stream| {
            full.store(write_as_haproxy_does(&whole, stream)?, Ordering::SeqCst);
            Ok(())
        }
    });
    let exporter = Exporter::start(&[&cli.flag(), "--haproxy.timeout=60s"]);
    for _ in 0..TRIES {
        let response = exporter.get("/metrics?scope=server");
        let servers = response.text().lines();
        let servers = servers.filter(|line| line.starts_with("haproxy_server_up{"));
        assert_eq!(servers.count(), 20);
        if full.load(Ordering::SeqCst) >= LEAST_FULL {
            assert_eq!(exporter.finish().problems(), []);
            return;
        }
    }
    panic!("the answer was read as it came");
}

/// What may go wrong in the middle of a long answer is found, and said, as in a short one.
#[test]
fn a_long_answer_that_is_not_whole() {
    /// What comes of the answer's bytes.
    type Break = fn(&[u8], &mut UnixStream) -> std::io::Result<()>;
    fn half(bytes: &[u8]) -> &[u8] {
        let end = bytes.len() / 2;
        let row = bytes[..end].iter().rposition(|byte| *byte == b'\n');
        &bytes[..=row.expect("a row")]
    }
    const AT_ONCE: &str = "--haproxy.timeout=60s";
    const IN_TIME: &str = "--haproxy.timeout=1s";
    let cases: [(Break, &str, &str); 6] = [
        (
            |bytes, stream| stream.write_all(half(bytes)),
            AT_ONCE,
            "reply cut: the closing empty line is missing",
        ),
        (
            |bytes, stream| {
                stream.write_all(half(bytes))?;
                // Whoever reads has had time to see what is there; then it ends in the middle of a row.
                stream.write_all(b"app,s1,")
            },
            AT_ONCE,
            "reply cut: the closing empty line is missing",
        ),
        (
            |bytes, stream| {
                stream.write_all(half(bytes))?;
                wait_until_left(stream)
            },
            IN_TIME,
            "read: timed out",
        ),
        (
            |bytes, stream| {
                for piece in half(bytes).chunks(20_000) {
                    stream.write_all(piece)?;
                    std::thread::sleep(Duration::from_millis(120));
                }
                wait_until_left(stream)
            },
            IN_TIME,
            "read: timed out",
        ),
        (
            |bytes, stream| {
                stream.write_all(bytes)?;
                stream.write_all(b"\nmore\n")
            },
            AT_ONCE,
            "read: more came behind the closing empty line",
        ),
        (
            |bytes, stream| {
                let words = vec![b'x'; bytes.len()];
                stream.write_all(&words)?;
                stream.write_all(&words)
            },
            AT_ONCE,
            "line 1 is longer than 1048576 bytes",
        ),
    ];
    let whole = Arc::new(rows(7, SERVERS, "1"));
    std::thread::scope(|scope| {
        for (number, (broken, time, why)) in cases.into_iter().enumerate() {
            let whole = Arc::clone(&whole);
            scope.spawn(move || {
                let directory = TempDir::new().expect("a temporary directory");
                let cli = Cli::start(&directory.path().join("s"), move |_, stream| {
                    broken(&whole, stream)
                });
                // Only one command, so that what comes behind is behind the last.
                let exporter = Exporter::start(&[&cli.flag(), time]);
                let response = exporter.get("/metrics?scope=server");
                let found = response.text();
                assert!(found.contains("\nhaproxy_up 0\n"), "case {number}: {found}");
                assert!(!found.contains("haproxy_server_"), "case {number}: {found}");
                let failed = Problem::scrape_failed(&format!("{}: {why}", cli.object()));
                assert_eq!(exporter.finish().problems(), [failed], "case {number}");
            });
        }
    });
}

/// A peer that stops now and then is waited for, and loses nothing.
#[test]
fn a_long_answer_with_pauses() {
    let directory = TempDir::new().expect("a temporary directory");
    let whole = rows(7, SERVERS, "7");
    let cli = Cli::start(&directory.path().join("s"), move |commands, stream| {
        for piece in whole.chunks(100_000) {
            stream.write_all(piece)?;
            std::thread::sleep(Duration::from_millis(30));
        }
        for command in &commands[1..] {
            stream.write_all(&reply(command, 10, 0, "7"))?;
        }
        Ok(())
    });
    let exporter = Exporter::start(&[&cli.flag(), "--haproxy.timeout=60s"]);
    let found = exporter.scrape();
    let weights = found
        .samples
        .iter()
        .filter(|(key, _)| key.starts_with("haproxy_server_weight{"));
    let weights: Vec<f64> = weights.map(|(_, weight)| weight.number).collect();
    assert_eq!(weights, vec![7.0; SERVERS]);
    assert_eq!(exporter.finish().problems(), []);
}

fn wait_until_left(stream: &mut UnixStream) -> std::io::Result<()> {
    use std::io::Read;
    while stream.read(&mut [0; 64])? > 0 {}
    Ok(())
}
