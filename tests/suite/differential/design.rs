//! Where ours behaves differently on purpose: rows of DESIGN.md, section 5, about what an answer
//! holds, shown on both.

use tempfile::TempDir;

use super::INFO;
use crate::support::cases::{Go, NUMBERS, STATUSES};
use crate::support::csv::{answer, backend, server};
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Act, Answers, Fake, Script};
use crate::support::go_exporter::{Pair, has_family};

pub(super) const FAILURES: &str = "haproxy_exporter_csv_parse_failures_total";

/// One scrape of both exporters, over a CLI socket, with flags: ours, the Go exporter's.
pub(super) fn cli(stat: Script, flags: &[&str]) -> Option<(Exposition, Exposition)> {
    let directory = TempDir::new().expect("a temporary directory");
    let answers = Answers {
        stat,
        info: vec![Act::Send(INFO.to_vec())],
    };
    let fake = Fake::unix(&directory.path().join("s"), answers);
    scrape(&fake, flags)
}

/// The same over HTTP.
fn http(page: &[u8]) -> Option<(Exposition, Exposition)> {
    scrape(&Fake::http("127.0.0.1", Answers::page(page)), &[])
}

pub(super) fn scrape(fake: &Fake, flags: &[&str]) -> Option<(Exposition, Exposition)> {
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let flags: Vec<&str> = [&[uri.as_str()], flags].concat();
    Pair::start(&flags).map(|pair| pair.scrape())
}

pub(super) fn whole(rows: &[String]) -> Script {
    vec![Act::Send(answer(rows))]
}

pub(super) fn up(name: &str) -> String {
    format!("haproxy_server_up{{backend=\"app\",server=\"{name}\"}}")
}

pub(super) fn assert_failed(exposition: &Exposition, why: &str) {
    assert_eq!(exposition.value("haproxy_up"), 0.0, "{why}");
    for prefix in [
        "haproxy_server_",
        "haproxy_backend_",
        "haproxy_frontend_",
        "haproxy_version",
    ] {
        assert!(!has_family(exposition, prefix), "{why}: {prefix}");
    }
}

#[test]
fn a_count_behind_the_status() {
    let differs = STATUSES.iter().filter(|(_, _, go)| *go == Go::Differs);
    let statuses: Vec<(&str, bool)> = differs.map(|(text, is_up, _)| (*text, *is_up)).collect();
    let row = |(status, _): &(&str, bool)| server("app", status, &[(17, status)]);
    let rows: Vec<String> = statuses.iter().map(row).collect();
    let Some((ours, go)) = cli(whole(&rows), &[]) else {
        return;
    };
    for (status, is_up) in statuses {
        let values = [ours.value(&up(status)), go.value(&up(status))].map(|value| value == 1.0);
        assert_eq!(values, [is_up, !is_up], "{status}");
    }
}

#[test]
fn a_cli_answer_without_its_end() {
    let full = answer(&[
        server("app", "a", &[(17, "UP")]),
        server("app", "b", &[(17, "UP")]),
    ]);
    let cuts = [
        ("no closing empty line", full.len() - 1),
        (
            "a row is missing",
            full.len()
                - 1
                - full
                    .split(|b| *b == b'\n')
                    .rev()
                    .nth(2)
                    .map_or(0, <[u8]>::len)
                - 1,
        ),
        ("a cut row", full.len() - 20),
    ];
    for (name, length) in cuts {
        let Some((ours, go)) = cli(vec![Act::Send(full[..length].to_vec())], &[]) else {
            return;
        };
        assert_eq!(go.value("haproxy_up"), 1.0, "{name}");
        assert_eq!(go.value(&up("a")), 1.0, "{name}");
        assert_failed(&ours, name);
    }
}

#[test]
fn a_page_short_of_its_length() {
    let mut body = answer(&[
        server("app", "a", &[(17, "UP")]),
        server("app", "b", &[(17, "UP")]),
    ]);
    body.pop();
    let length = body.len();
    let row = length / 2 + 1;
    let with_length = |body: &[u8]| {
        [
            format!("HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes(),
            body,
        ]
        .concat()
    };
    let chunk = |body: &[u8], end: &str| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
            body.len()
        );
        [head.as_bytes(), body, format!("\r\n{end}").as_bytes()].concat()
    };
    let answers = [
        ("short of Content-Length", with_length(&body[..row])),
        ("short by one byte", with_length(&body[..length - 1])),
        ("without the last chunk", chunk(&body, "")),
        ("within the last chunk's line", chunk(&body, "0\r")),
    ];
    for (name, page) in answers {
        let Some((ours, go)) = http(&page) else {
            return;
        };
        assert!(
            go.get(&up("a")).is_some() || go.value("haproxy_up") == 0.0,
            "{name}"
        );
        assert_failed(&ours, name);
    }
    let Some((ours, go)) = http(&with_length(&body)) else {
        return;
    };
    assert_eq!(
        [ours.value("haproxy_up"), go.value("haproxy_up")],
        [1.0, 1.0]
    );
}

#[test]
fn a_connection_closed_without_a_byte() {
    let Some((ours, go)) = cli(Vec::new(), &[]) else {
        return;
    };
    assert_eq!(go.value("haproxy_up"), 1.0);
    assert_failed(&ours, "no byte");
}

/// No HAProxy prints one: it ends an answer, and what comes behind answers the next command.
#[test]
fn an_empty_line_among_the_rows() {
    let rows = ["a", "b"].map(|name| server("app", name, &[(17, "UP")]));
    let stat = answer(&[[&rows[0], "\n", &rows[1]].concat()]);
    let Some((ours, go)) = cli(vec![Act::Send(stat)], &[]) else {
        return;
    };
    assert_eq!((go.value(&up("a")), go.value(&up("b"))), (1.0, 1.0));
    assert_eq!(ours.value(&up("a")), 1.0);
    assert_eq!(ours.get(&up("b")), None);
    // It is read as the answer to `show info`, which is missing and leaves a line in the log.
    assert!(!has_family(&ours, "haproxy_version_info"));
}

#[test]
fn invalid_utf8_in_a_name() {
    let directory = TempDir::new().expect("a temporary directory");
    let mut row = server("app", "a?b", &[(17, "UP")]).into_bytes();
    let mark = row.iter().position(|byte| *byte == b'?').expect("the mark");
    row[mark] = 0xff;
    let stat = [&answer(&[])[..answer(&[]).len() - 1], &row, b"\n"].concat();
    let fake = Fake::unix(&directory.path().join("s"), Answers::whole(&stat, INFO));
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let Some(mut pair) = Pair::start(&[&uri]) else {
        return;
    };
    let ours = pair.ours.scrape();
    assert_eq!(ours.value(&up("a\u{fffd}b")), 1.0);
    // It dies without an answer, so its end of the connection is not looked at.
    let address = pair.go.address();
    let mut stream = std::net::TcpStream::connect(address).expect("connect to the Go exporter");
    std::io::Write::write_all(&mut stream, b"GET /metrics HTTP/1.0\r\n\r\n").expect("ask it");
    assert!(!pair.go.peer.wait().success());
    assert!(
        pair.go.peer.output().contains("panic:"),
        "{}",
        pair.go.peer.output()
    );
}

#[test]
fn two_rows_with_the_same_names() {
    let directory = TempDir::new().expect("a temporary directory");
    let rows = [
        server("app", "x", &[(17, "UP"), (4, "1")]),
        server("app", "x", &[(17, "UP"), (4, "2")]),
    ];
    let fake = Fake::unix(
        &directory.path().join("s"),
        Answers::whole(&answer(&rows), INFO),
    );
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let Some(pair) = Pair::start(&[&uri]) else {
        return;
    };
    assert_eq!(pair.go.get("/metrics").status, 500);
    let ours = pair.ours.scrape();
    assert_eq!(
        ours.value("haproxy_server_current_sessions{backend=\"app\",server=\"x\"}"),
        1.0
    );
    assert_eq!(ours.value(FAILURES), 1.0);
}

#[test]
fn integers_of_64_bits_without_sign() {
    let differs = NUMBERS.iter().filter(|(_, _, go)| *go == Go::Differs);
    for (number, ..) in differs {
        let Some((ours, go)) = cli(whole(&[backend("app", &[(7, number)])]), &[]) else {
            return;
        };
        let key = "haproxy_backend_sessions_total{backend=\"app\"}";
        assert_eq!((go.get(key), go.value(FAILURES)), (None, 1.0), "{number}");
        assert_eq!(ours.samples[key].text, *number);
        assert_eq!(ours.value(FAILURES), 0.0, "{number}");
    }
}
