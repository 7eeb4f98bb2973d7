//! Where ours behaves differently on purpose in HTTP, shown on both: what a stats page may answer,
//! and what a client may ask.

use super::design::{assert_failed, scrape};
use crate::support::csv::{answer, backend};
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::go_exporter::{GoExporter, Pair};
use crate::support::{exporter, http, peers};

fn page(status: &str, header: &str) -> Fake {
    let head = format!("HTTP/1.0 {status}\r\n{header}\r\n");
    let mut rows = answer(&[backend("app", &[])]);
    // The empty line that ends it belongs to the CLI.
    rows.pop();
    Fake::http(
        "127.0.0.1",
        Answers::page(&[head.as_bytes(), &rows].concat()),
    )
}

#[test]
fn a_redirect() {
    let there = page("200 OK", "");
    let here = page("302 Found", &format!("Location: {}\r\n", there.uri()));
    let Some((ours, go)) = scrape(&here, &[]) else {
        return;
    };
    assert_eq!(go.value("haproxy_up"), 1.0);
    assert_failed(&ours, "a redirect");
    assert_eq!(there.requests().len(), 1, "only the Go exporter followed");
}

#[test]
fn statuses_that_count() {
    let cases = [
        ("200 OK", 1.0, 1.0),
        ("201 Created", 1.0, 0.0),
        ("202 Accepted", 1.0, 0.0),
        ("203 Non-Authoritative Information", 1.0, 1.0),
        ("206 Partial Content", 1.0, 0.0),
        ("299 Other", 1.0, 0.0),
        ("300 Multiple Choices", 0.0, 0.0),
        ("401 Unauthorized", 0.0, 0.0),
        ("503 Service Unavailable", 0.0, 0.0),
    ];
    for (status, theirs, up) in cases {
        let Some((ours, go)) = scrape(&page(status, ""), &[]) else {
            return;
        };
        assert_eq!(go.value("haproxy_up"), theirs, "{status}");
        assert_eq!(ours.value("haproxy_up"), up, "{status}");
    }
}

#[test]
fn a_path_that_is_not_encoded() {
    for path in ["/a b;csv", "/ä;csv"] {
        let fake = page("200 OK", "");
        let uri = fake.uri().replace("/;csv", path);
        assert!(uri.ends_with(path), "{uri}");
        let flag = format!("--haproxy.scrape-uri={uri}");
        let Some(go) = GoExporter::start(&[&flag]) else {
            return;
        };
        assert_eq!(go.scrape().value("haproxy_up"), 1.0, "{path}");
        let (status, _, error) = peers::run(exporter::command().arg(&flag));
        assert_eq!(status.code(), Some(2), "{path}: {error}");
        assert!(error.contains("--haproxy.scrape-uri: "), "{error}");
    }
}

#[test]
fn methods() {
    let Some(pair) = Pair::start(&[]) else { return };
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let [ours, go] = [pair.ours.address(), pair.go.address()]
            .map(|address| http::request(address, method, "/metrics", &[("Content-Length", "0")]));
        assert_eq!((ours.status, go.status), (405, 200), "{method}");
    }
}

#[test]
fn protobuf() {
    let Some(pair) = Pair::start(&[]) else { return };
    let protobuf = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
    let [ours, go] = [pair.ours.address(), pair.go.address()].map(|address| {
        let answer = http::request(address, "GET", "/metrics", &[("Accept", protobuf)]);
        let kind = answer.header("content-type");
        kind.expect("a content type").to_owned()
    });
    assert_eq!(ours, "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(go, protobuf);
}
