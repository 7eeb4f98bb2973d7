//! Where ours behaves differently on purpose with odd texts that HAProxy really prints, shown on both.

use tempfile::TempDir;

use super::design::{cli, scrape, up, whole};
use crate::support::csv::{answer, backend, server};
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
