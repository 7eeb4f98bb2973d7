//! How the documents let HAProxy offer its statistics, and the scrape URIs that belong to it.

use std::process::Command;

use tempfile::TempDir;

use super::adapted;
use crate::support::exporter::Exporter;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::{exposition, fixtures, peers, reference};

#[test]
fn the_socket_and_the_page() {
    let place = Place::new(1);
    let socket = place.path("admin.sock").display().to_string();
    let global = adapted(
        "haproxy-socket",
        &[
            ("/run/haproxy/admin.sock", &socket),
            // The account that the tests run as has no such group.
            (" group haproxy", ""),
        ],
    );
    let page = adapted("haproxy-page", &[("127.0.0.1:8404", &place.bind(0))]);
    let Some(haproxy) = Haproxy::start(place, &format!("{global}\n{page}")) else {
        return;
    };
    assert!(
        !haproxy.peer.output().contains("WARNING"),
        "{}",
        haproxy.peer.output()
    );
    let page = format!("http://admin:change-me@{}/;csv", haproxy.address(0));
    for uri in [haproxy.unix_uri(), page] {
        let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={uri}")]);
        let metrics = exporter.get("/metrics");
        assert!(metrics.text().contains("\nhaproxy_up 1\n"), "{uri}");
        let frontend = "haproxy_frontend_current_sessions{frontend=\"stats\"}";
        assert!(metrics.text().contains(frontend), "{uri}");
    }
}

/// What node_exporter's textfile collector reads has no family of node_exporter's own.
#[test]
fn the_textfile() {
    let directory = TempDir::new().expect("a temporary directory");
    let stat = fixtures::path("3.2.0/stat.csv").display().to_string();
    let script = adapted(
        "textfile",
        &[
            (
                "/var/lib/node_exporter",
                &directory.path().display().to_string(),
            ),
            (
                "haproxy_exporter --once",
                &format!("{} --once", super::binary()),
            ),
            ("unix:/run/haproxy/admin.sock", &format!("file:{stat}")),
        ],
    );
    let (status, _, error) = peers::run(Command::new("sh").args(["-euc", &script]));
    assert!(status.success(), "{error}");
    let text = std::fs::read(directory.path().join("haproxy.prom")).expect("read the file");
    let kept = exposition::read(&text).expect("an exposition");
    let uri = format!("--haproxy.scrape-uri=file:{stat}");
    let all = Exporter::start(&[&uri]).scrape();
    let own = |name: &String| name.starts_with("process_");
    assert!(all.families.keys().any(own) && !kept.families.keys().any(own));
    let kept = kept.without(reference::volatile);
    kept.assert_equals(&all.without(reference::volatile), "the textfile");
}
