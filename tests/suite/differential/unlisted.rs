//! Differences that DESIGN.md, section 5, does not list: what no HAProxy prints.

use tempfile::TempDir;

use super::INFO;
use crate::support::csv::{answer, backend, row, server};
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

/// Rows that cannot be what they say: the Go exporter takes them, or passes over them in silence.
#[test]
fn rows_that_cannot_be_what_they_say() {
    let named =
        |proxy, service, kind| row(&[(0, proxy), (1, service), (32, kind), (4, "5"), (17, "UP")]);
    let up = "_current_sessions{";
    // The row, whether the Go exporter shows it.
    let cases = [
        ("an empty type", named("px", "sv", ""), false),
        ("a type that is a word", named("px", "sv", "x"), false),
        ("a type with a blank", named("px", "sv", " 2"), false),
        ("a proxy without a name", named("", "FRONTEND", "0"), true),
        ("a server without a name", named("px", "", "2"), true),
        ("a frontend called otherwise", named("px", "sv", "0"), true),
        ("a backend called otherwise", named("px", "", "1"), true),
    ];
    for (name, row, go_shows) in cases {
        let Some((ours, go)) = scrape(&[row, backend("good", &[(4, "1")])]) else {
            return;
        };
        let count = |exposition: &Exposition| {
            let names = exposition.samples.keys();
            names.filter(|key| key.contains(up)).count()
        };
        assert_eq!((count(&ours), ours.value(FAILURES)), (1, 1.0), "{name}");
        assert_eq!(
            (count(&go), go.value(FAILURES)),
            (1 + usize::from(go_shows), 0.0),
            "{name}"
        );
    }
}

/// One broken row costs that row only: the header says how many fields there are. The Go exporter takes
/// the number from the first row, whatever that is, and then loses all others.
#[test]
fn a_first_row_of_another_length() {
    let good = [
        server("app", "x", &[(4, "1"), (17, "UP")]),
        backend("app", &[(4, "2")]),
    ];
    let keys = [
        "haproxy_server_current_sessions{backend=\"app\",server=\"x\"}",
        "haproxy_backend_current_sessions{backend=\"app\"}",
    ];
    let odd = [
        ("a blank", " \n".to_owned()),
        ("a header without its sign", "pxname,svname\n".to_owned()),
        ("a short row", "app,odd,\n".to_owned()),
        ("33 fields", format!("app,odd{}2\n", ",".repeat(31))),
        ("a long row", format!("app,odd{}\n", ",".repeat(80))),
    ];
    for (name, row) in odd {
        let Some((ours, go)) = scrape(&[&[row][..], &good].concat()) else {
            return;
        };
        assert_eq!(
            keys.map(|key| ours.get(key)),
            [Some(1.0), Some(2.0)],
            "{name}"
        );
        assert_eq!(ours.value(FAILURES), 1.0, "{name}");
        assert_eq!(keys.map(|key| go.get(key)), [None, None], "{name}");
        assert!(go.value(FAILURES) >= 2.0, "{name}");
    }
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
