//! Differences that DESIGN.md, section 5, does not list: what no HAProxy prints.

use tempfile::TempDir;

use super::INFO;
use crate::support::csv::{answer, backend, server};
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::go_exporter::{Pair, has_family};

const FAILURES: &str = "haproxy_exporter_csv_parse_failures_total";

fn scrape(rows: &[String]) -> Option<(Exposition, Exposition)> {
    let directory = TempDir::new().expect("a temporary directory");
    let answers = Answers::whole(&answer(rows), INFO);
    let fake = Fake::unix(&directory.path().join("s"), answers);
    Pair::start(&[&format!("--haproxy.scrape-uri={}", fake.uri())]).map(|pair| pair.scrape())
}

/// The default of `--haproxy.server-exclude-states` excludes the empty status there.
#[test]
fn a_server_without_status() {
    let Some((ours, go)) = scrape(&[server("app", "x", &[(4, "1")])]) else {
        return;
    };
    let key = "haproxy_server_current_sessions{backend=\"app\",server=\"x\"}";
    assert_eq!((ours.get(key), go.get(key)), (Some(1.0), None));
}

/// Go's CSV reader takes the fields before a bad quote for the number of fields of all rows.
#[test]
fn a_bad_first_row() {
    let rows = [
        server("app", "a\"b", &[]),
        backend("one", &[(4, "1")]),
        backend("two", &[(4, "2")]),
    ];
    let Some((ours, go)) = scrape(&rows) else {
        return;
    };
    assert_eq!((ours.value(FAILURES), go.value(FAILURES)), (1.0, 3.0));
    assert!(!has_family(&go, "haproxy_backend_"));
    let key = "haproxy_backend_current_sessions{backend=\"two\"}";
    assert_eq!(ours.get(key), Some(2.0));
}

/// The Go exporter reads times as floats.
#[test]
fn times_that_are_no_integers() {
    let key = "haproxy_backend_http_queue_time_average_seconds{backend=\"app\"}";
    for (text, seconds) in [
        ("1.5", 0.0015),
        ("1e3", 1.0),
        ("18446744073709551616", 18446744073709552.0),
    ] {
        let Some((ours, go)) = scrape(&[backend("app", &[(58, text)])]) else {
            return;
        };
        assert_eq!(go.get(key), Some(seconds), "{text}");
        assert_eq!((ours.get(key), ours.value(FAILURES)), (None, 1.0), "{text}");
    }
}
