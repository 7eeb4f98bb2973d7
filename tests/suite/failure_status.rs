//! `--web.failure-status`: what a client gets while HAProxy is down.

use std::os::unix::net::UnixListener;

use tempfile::TempDir;

use crate::support::exporter::Exporter;
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::fixtures;
use crate::support::http;

/// The text without what differs from scrape to scrape.
fn families(text: &str) -> Vec<&str> {
    let comments = text.lines().filter(|line| line.starts_with('#'));
    comments.collect()
}

/// 503 while the scrape fails, and 200 otherwise, with the same text: so `up` is 0 in Prometheus, as when the
/// process of HAProxy's own exporter is gone.
#[test]
fn a_failed_scrape_is_503() {
    for names in ["exporter", "builtin"] {
        let directory = TempDir::new().expect("a temporary directory");
        let socket = directory.path().join("haproxy.sock");
        let uri = format!("--haproxy.scrape-uri=unix:{}", socket.display());
        let names = format!("--haproxy.metric-names={names}");
        let usual = Exporter::start(&[&uri, &names]);
        let chosen = Exporter::start(&[&uri, &names, "--web.failure-status=503"]);

        let (expected, failed) = (usual.get("/metrics"), chosen.get("/metrics"));
        assert_eq!((expected.status, failed.status), (200, 503));
        assert_eq!(families(failed.text()), families(expected.text()));
        assert!(
            failed.text().contains("\nhaproxy_up 0\n"),
            "{}",
            failed.text()
        );
        assert_eq!(
            failed.header("content-type"),
            expected.header("content-type")
        );
        let head = http::request(chosen.address(), "HEAD", "/metrics", &[]);
        assert_eq!((head.status, head.text()), (503, ""));
        // What is not about a scrape of HAProxy.
        let others = [
            "/metrics?metrics=haproxy_up",
            "/-/healthy",
            "/",
            "/metrics?scope=x",
        ];
        let statuses = others.map(|path| chosen.get(path).status);
        assert_eq!(statuses, [503, 200, 200, 400]);

        let stat = fixtures::bytes("2.6.12/stat.csv");
        let fake = Fake::unix(
            &socket,
            Answers::whole(&stat, &fixtures::bytes("2.6.12/info.txt")),
        );
        let whole = chosen.get("/metrics");
        assert_eq!(whole.status, 200);
        assert!(
            whole.text().contains("\nhaproxy_up 1\n"),
            "{}",
            whole.text()
        );
        drop(fake);
        let _ = std::fs::remove_file(&socket);
        drop(UnixListener::bind(&socket).expect("a socket that nobody listens on"));
        assert_eq!(chosen.get("/metrics").status, 503);
    }
}
