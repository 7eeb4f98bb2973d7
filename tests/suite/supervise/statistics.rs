//! How README.md lets HAProxy offer its statistics, and the scrape URIs that belong to it.

use super::adapted;
use crate::support::exporter::Exporter;
use crate::support::haproxy::{Haproxy, Place};

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
