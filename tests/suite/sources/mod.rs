//! Every kind of CLI source, the deadline, and what reaches HAProxy.

mod http;
mod names;
mod proxy;

use std::process::id;

use tempfile::TempDir;

use crate::support::csv::{answer, backend, frontend, server};
use crate::support::exporter::{self, Exporter, Problem};
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::faults::{INFO, TIMED_OUT};
use crate::support::reference;

/// What HAProxy receives: both commands at once, in one line.
const QUESTIONS: &str = "show stat -1 7 -1;show info\n";

fn stat() -> Vec<u8> {
    answer(&[
        frontend("web", &[(4, "1")]),
        server("app", "s1", &[(4, "2"), (17, "UP")]),
        backend("app", &[(4, "3")]),
    ])
}

fn whole() -> Answers {
    Answers::whole(&stat(), INFO)
}

fn wanted() -> Exposition {
    reference::exposition(
        &stat(),
        Some(std::str::from_utf8(INFO).expect("an answer of ASCII")),
    )
}

/// One good scrape, after which HAProxy has seen one connection with exactly the two commands.
fn assert_works(fake: &Fake, uri: &str) {
    exporter::assert_serves(uri, &wanted());
    assert_eq!(fake.requests(), [QUESTIONS], "{uri}");
}

#[test]
fn unix_paths() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("socket;1,2");
    let fake = Fake::unix(&path, whole());
    for uri in [
        format!("unix:{}", path.display()),
        format!("unix://{}", path.display()),
    ] {
        fake.set(whole());
        assert_works(&fake, &uri);
    }
}

/// A socket address holds 108 bytes, the NUL at its end among them.
#[test]
fn unix_path_of_the_greatest_length() {
    let directory = TempDir::new().expect("a temporary directory");
    let stem = directory.path().join("s").display().to_string();
    let path = format!("{stem}{}", "s".repeat(107 - stem.len()));
    let fake = Fake::unix(path.as_ref(), whole());
    assert_works(&fake, &format!("unix:{path}"));
}

#[test]
fn unix_abstract_names() {
    let name = |kind: &str| format!("haproxy-exporter-test-{kind}-{}", id());
    let padded = Fake::abstract_padded(&name("padded"), whole());
    assert_works(&padded, padded.uri());
    let plain = Fake::abstract_plain(&name("plain"), whole());
    assert_works(&plain, plain.uri());
    let both = name("both");
    let (padded, plain) = (
        Fake::abstract_padded(&both, whole()),
        Fake::abstract_plain(&both, Answers::default()),
    );
    assert_works(&padded, &format!("unix:@{both}"));
    assert_eq!(plain.requests(), [""; 0], "the padded form comes first");
}

#[test]
fn tcp() {
    for host in ["127.0.0.1", "[::1]"] {
        let fake = Fake::tcp(host, whole());
        assert_works(&fake, fake.uri());
    }
    let fake = Fake::tcp("127.0.0.1", whole());
    assert_works(&fake, &format!("tcp://localhost:{}", fake.address().port()));
}

/// The first answer is larger than any buffer on the way, and the second behind it.
#[test]
fn a_large_answer_before_the_other() {
    let rows: Vec<String> = (0..20_000)
        .map(|n| server("app", &format!("server-{n}"), &[(4, "1"), (17, "UP")]))
        .collect();
    let large = answer(&rows);
    let fake = Fake::tcp("127.0.0.1", Answers::whole(&large, INFO));
    let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={}", fake.uri())]);
    let want = reference::exposition(
        &large,
        Some(std::str::from_utf8(INFO).expect("an answer of ASCII")),
    );
    let want = reference::with_totals(want, 1, 0);
    exporter
        .scrape()
        .without(reference::volatile)
        .assert_equals(&want, "a large answer");
    assert_eq!(exporter.finish().problems(), []);
}

fn hanging() -> Answers {
    Answers {
        stat: vec![Act::Hold],
        info: vec![Act::Hold],
    }
}

/// The scraper's own timeout comes before a longer one of ours. An hour would not end this test.
#[test]
fn the_announced_timeout_shrinks_the_deadline() {
    let fake = Fake::tcp("127.0.0.1", hanging());
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let exporter = Exporter::start(&[&uri, "--haproxy.timeout=1h"]);
    let names = [
        "X-Prometheus-Scrape-Timeout-Seconds",
        "x-prometheus-scrape-timeout-seconds",
    ];
    let announcements = ["2.2", "2", "2.500000", "2e0"];
    for name in names {
        for seconds in announcements {
            let got = exporter.scrape_with(&[(name, seconds)]);
            assert_eq!(got.value("haproxy_up"), 0.0, "{name}: {seconds}");
        }
    }
    let timed_out = Problem::scrape_failed(&format!("{}: {TIMED_OUT}", fake.object()));
    assert_eq!(exporter.finish().problems(), [timed_out]);
}

/// A longer announcement does not lengthen our deadline, and nonsense is not an announcement: neither
/// the hanging nor the healthy peer must see it.
#[test]
fn other_announcements_change_nothing() {
    let announcements = [
        "3600",
        "1e9",
        "1e300",
        "1e999",
        "0",
        "0.0",
        "-0",
        "-1",
        "",
        "x",
        "1s",
        "NaN",
        "inf",
        "-inf",
        "0x1",
        "99999999999999999999999999999999999999999999999999",
    ];
    let (hangs, works) = (
        Fake::tcp("127.0.0.1", hanging()),
        Fake::tcp("127.0.0.1", whole()),
    );
    for (fake, timeout, up) in [(&hangs, "100ms", 0.0), (&works, "1m", 1.0)] {
        let uri = format!("--haproxy.scrape-uri={}", fake.uri());
        let exporter = Exporter::start(&[&uri, &format!("--haproxy.timeout={timeout}")]);
        for seconds in announcements {
            let got = exporter.scrape_with(&[("X-Prometheus-Scrape-Timeout-Seconds", seconds)]);
            assert_eq!(got.value("haproxy_up"), up, "{seconds:?}");
        }
        // Once, since the reason stays the same.
        let failures = usize::from(up == 0.0);
        let timed_out = Problem::scrape_failed(&format!("{}: {TIMED_OUT}", fake.object()));
        assert_eq!(exporter.finish().problems(), vec![timed_out; failures]);
    }
}

/// A thousand scrapes leave no thread and no descriptor behind.
#[test]
fn nothing_is_left_of_a_scrape() {
    let directory = TempDir::new().expect("a temporary directory");
    let fake = Fake::unix(&directory.path().join("haproxy.sock"), whole());
    let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={}", fake.uri())]);
    let scrapes = |count: usize| (0..count).all(|_| exporter.scrape().value("haproxy_up") == 1.0);
    // The first ones grow the buffers, and tiny_http's spare threads end.
    assert!(scrapes(100));
    let (descriptors, memory) = (exporter.descriptors(), exporter.proc_status("VmRSS"));
    assert!(scrapes(900));
    let (descriptors_after, memory_after) = (exporter.descriptors(), exporter.proc_status("VmRSS"));
    assert!(
        descriptors_after <= descriptors + 2,
        "{descriptors_after} after {descriptors}"
    );
    assert!(
        memory_after <= memory + 256,
        "{memory_after} KiB after {memory}"
    );
    assert!(
        exporter.proc_status("Threads") <= 8,
        "{} threads",
        exporter.proc_status("Threads")
    );
    assert_eq!(exporter.finish().problems(), []);
}
