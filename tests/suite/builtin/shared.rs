//! Requests that want different things share a scrape, and each gets its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::ours;
use super::queries::{haproxy, steady};
use super::text;
use super::wish::Wish;
use crate::support::exporter::Exporter;
use crate::support::http::{self, PATIENCE};
use crate::support::peers;

const QUERIES: [&str; 7] = [
    "names=exporter&scope=frontend",
    "names=builtin&scope=listener&no-maint",
    "names=builtin&metrics=haproxy_sticktable_used",
    "names=builtin&scope=server&no-maint",
    "names=builtin&scope=server",
    "names=exporter&scope=server&metrics=-haproxy_server_up",
    "names=builtin&scope=",
];

/// Sends a request and waits until the exporter has read it.
fn send(address: SocketAddr, query: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connect to the exporter");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("set a timeout");
    let request = format!("GET /metrics?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .expect("send a request");
    let own = stream.local_addr().expect("an address");
    peers::wait_for("the exporter to read", || {
        is_read(address, own).then_some(())
    });
    stream
}

/// Whether nothing waits to be read at the exporter's end of a connection (proc(5), net/tcp).
fn is_read(exporter: SocketAddr, client: SocketAddr) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("/proc/net/tcp");
    let hex = |address: SocketAddr| format!("0100007F:{:04X}", address.port());
    let ends = [hex(exporter), hex(client)];
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let queue = fields.get(4).and_then(|queues| queues.split(':').nth(1));
        fields.get(1..3).is_some_and(|found| found == ends) && queue == Some("00000000")
    })
}

#[test]
fn one_scrape_for_all() {
    let (responder, maint) = haproxy();
    let exporter = Exporter::start(&[&responder.flag(), "--haproxy.timeout=50s"]);
    let all = ["builtin", "exporter"]
        .map(|names| ours::get(&exporter, &format!("/metrics?names={names}&extra-counters")));
    responder.take_lines();
    responder.hold();
    let first = send(exporter.address(), "names=builtin&scope=global");
    assert_eq!(responder.wait_for_lines(), ["show info"]);
    let others = QUERIES.map(|query| send(exporter.address(), query));
    responder.release();
    drop(first);
    for (query, mut stream) in QUERIES.iter().zip(others) {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = http::parse(&answer, false).expect("a whole answer");
        assert_eq!(answer.status, 200, "{query}");
        let wish = Wish::read(query);
        let all = &all[usize::from(wish.names.as_deref() == Some("exporter"))];
        let wanted = wish.of(all, &maint);
        assert!(
            steady(&text::read(answer.text())) == steady(&wanted),
            "{query}"
        );
    }
    let lines = responder.take_lines();
    assert_eq!(lines, ["show stat -1 15 -1;show table"]);
    assert_eq!(exporter.finish().problems(), []);
}
