//! Where ours behaves differently on purpose with odd texts that HAProxy really prints, shown on both.

use tempfile::TempDir;

use super::design::{FAILURES, cli, scrape, up, whole};
use crate::support::csv::{answer, backend, row, server};
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Answers, Fake};

/// HAProxy 2.6 prints it for seconds after `set server ... agent up` on a server whose checks fail.
#[test]
fn a_count_below_zero() {
    let rows = [server("app", "a", &[(17, "UP -1/3")])];
    let Some((ours, go)) = cli(whole(&rows), &[]) else {
        return;
    };
    assert_eq!((ours.value(&up("a")), go.value(&up("a"))), (1.0, 0.0));
}

/// A description may hold a line end, and look like more keys behind it.
#[test]
fn a_description_that_looks_like_keys() {
    let directory = TempDir::new().expect("a temporary directory");
    let info = "Name: HAProxy\nVersion: 2.6.12\nRelease_date: 2023/03/28\nPid: 7\nUptime_sec: 9\n\
                node: n\ndescription: a\nVersion: 9.9\n\n";
    let answers = Answers::whole(&answer(&[backend("app", &[])]), info.as_bytes());
    let fake = Fake::unix(&directory.path().join("s"), answers);
    let Some((ours, go)) = scrape(&fake, &[]) else {
        return;
    };
    let version = |version: &str| {
        format!("haproxy_version_info{{release_date=\"2023/03/28\",version=\"{version}\"}}")
    };
    assert_eq!(ours.value(&version("2.6.12")), 1.0);
    assert_eq!(go.value(&version("9.9")), 1.0);
}

/// Rows that cannot be what they say, as HAProxy 2.3.0 prints them when two readers overlap: the Go
/// exporter takes them, or passes over them in silence.
#[test]
fn rows_that_cannot_be_what_they_say() {
    let named =
        |proxy, service, kind| row(&[(0, proxy), (1, service), (32, kind), (4, "5"), (17, "UP")]);
    let family = "_current_sessions{";
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
        let Some((ours, go)) = cli(whole(&[row, backend("good", &[(4, "1")])]), &[]) else {
            return;
        };
        let count = |exposition: &Exposition| {
            let names = exposition.samples.keys();
            names.filter(|key| key.contains(family)).count()
        };
        assert_eq!((count(&ours), ours.value(FAILURES)), (1, 1.0), "{name}");
        assert_eq!(
            (count(&go), go.value(FAILURES)),
            (1 + usize::from(go_shows), 0.0),
            "{name}"
        );
    }
}

/// One broken row, such as HAProxy 1.6.0 prints for a server that its agent drains, costs that row only:
/// the header says how many fields there are. The Go exporter takes the number from the first row,
/// whatever that is, and then loses all others.
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
        let Some((ours, go)) = cli(whole(&[&[row][..], &good].concat()), &[]) else {
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
