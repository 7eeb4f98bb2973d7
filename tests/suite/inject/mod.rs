//! Fault injection: each system call of a scrape fails in turn, by way of strace.
//!
//! strace attaches to the running exporter, one scrape is asked for, and the N-th call of one kind
//! fails in every thread that makes so many. Whatever that hits, the client must get the right
//! answer or a clear error in time, and the next scrape must be right; where the exporter cannot go
//! on, it must leave at once, with a line in its log and status 1.

mod bench;

use std::io::Write;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::{fixtures, peers, reference};
use bench::{Bench, is_counter, is_process};

/// A few rows of each kind: the calls count, not the bytes.
fn small_stat() -> Vec<u8> {
    let stat = fixtures::text("2.6.12/stat.csv");
    let rows: Vec<&str> = stat.lines().take(8).collect();
    format!("{}\n\n", rows.join("\n")).into_bytes()
}

#[test]
fn every_call_of_a_scrape_may_fail() {
    let Some(strace) = peers::find("strace") else {
        return;
    };
    let directory = TempDir::new().expect("a temporary directory");
    let (stat, info) = (small_stat(), fixtures::bytes("2.6.12/info.txt"));
    let text = String::from_utf8(info.clone()).expect("UTF-8");
    let comparable = |exposition: Exposition| {
        exposition.without(|name| reference::volatile(name) || is_counter(name) || is_process(name))
    };
    let with_info = comparable(reference::exposition(&stat, Some(&text)));
    let without_info = comparable(reference::exposition(&stat, None));

    let whole = Fake::unix(
        &directory.path().join("whole"),
        Answers::whole(&stat, &info),
    );
    let dripping = Answers {
        stat: vec![
            Act::Drip(stat[..40].to_vec(), Duration::from_millis(1)),
            Act::Send(stat[40..].to_vec()),
        ],
        info: vec![
            Act::Drip(info[..5].to_vec(), Duration::from_millis(1)),
            Act::Send(info[5..].to_vec()),
        ],
    };
    let dripping = Fake::tcp("127.0.0.1", dripping);
    let page = [
        b"HTTP/1.0 200 OK\r\n\r\n",
        stat.strip_suffix(b"\n").unwrap_or(&stat),
    ]
    .concat();
    let page = Fake::http("127.0.0.1", Answers::page(&page));
    let file = directory.path().join("stat.csv");
    std::fs::write(&file, &stat).expect("write a file");

    let only_file = |call: &str| ["openat", "read", "statx", "fstat", "newfstatat"].contains(&call);
    let mut unix = Bench::new("unix", whole.uri(), with_info.clone(), &strace);
    let mut tcp = Bench::new("tcp, dripping", dripping.uri(), with_info, &strace);
    let mut web = Bench::new("http", page.uri(), without_info.clone(), &strace);
    let uri = format!("file:{}", file.display());
    let mut recorded = Bench::new("file", &uri, without_info, &strace);
    // What all have in common fails once; attaching is waiting mostly, so all go at once.
    let network = |call: &str| !["accept4", "getdents64"].contains(&call) && !only_file(call);
    std::thread::scope(|scope| {
        scope.spawn(|| unix.run(|_| true));
        scope.spawn(|| tcp.run(network));
        scope.spawn(|| web.run(network));
        recorded.run(only_file);
    });

    let benches = [unix, tcp, web, recorded];
    let mut faults = Vec::new();
    for bench in &benches {
        let line = format!(
            "{}: {} faults injected, {:?}\n",
            bench.name, bench.injected, bench.outcomes
        );
        // Past the test's capture: these are figures to report.
        std::io::stderr()
            .write_all(line.as_bytes())
            .expect("write to standard error");
        assert!(bench.injected > 10, "{line}");
        faults.extend(
            bench
                .faults
                .iter()
                .map(|fault| format!("{}: {fault}", bench.name)),
        );
    }
    assert!(
        faults.is_empty(),
        "{} cases:\n{}",
        faults.len(),
        faults.join("\n")
    );
}
