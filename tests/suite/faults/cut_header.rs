//! A header that HAProxy cut at `tune.bufsize`: shorter than all rows, which are alike.

use tempfile::TempDir;

use crate::support::csv::{FIELDS, answer, server};
use crate::support::exporter::Exporter;
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::faults::{self, Case};
use crate::support::fixtures;
use crate::support::haproxy::{Haproxy, Place, RELEASES};

/// `tune.bufsize 1024`, and names that are too long for one buffer with the header.
const CONFIGURATION: &str = "\
backend a-backend-with-a-rather-long-name-as-tools-generate-them-for-each-route-of-each-namespace-0123456789
  server a-server-with-a-rather-long-name-as-tools-generate-them-for-each-pod-of-each-namespace-0123456789 127.0.0.1:1
backend z
  server z 127.0.0.1:1
";

/// Rows with so many more fields.
fn longer(more: &[usize]) -> Vec<u8> {
    let row = |(number, more): (usize, &usize)| {
        let row = server("app", &format!("s{number}"), &[(4, "1"), (17, "UP")]);
        format!("{}{}\n", row.trim_end(), ",".repeat(*more))
    };
    let rows = more.iter().enumerate().map(row);
    answer(&rows.collect::<Vec<_>>())
}

#[test]
fn rows_that_are_not_alike_do_not_tell() {
    let fields = FIELDS + 1;
    let directory = TempDir::new().expect("a temporary directory");
    let fake = Fake::unix(&directory.path().join("haproxy.sock"), Answers::default());
    let good = answer(&[server("app", "good", &[(4, "1")])]);
    let healthy = Case::served("healthy", &good, vec![Act::Send(good.clone())]);
    let served = |name: &str, more: &[usize]| {
        let stat = longer(more);
        Case::served(name, &stat, vec![Act::Send(stat.clone())])
    };
    let bad = |name: &str, more: &[usize], count: u64| {
        let first = format!("line 2: {} fields instead of {fields}", fields + 1);
        Case::bad_rows(name, &longer(more), count, &first)
    };
    let nameless = String::from_utf8(longer(&[1]))
        .expect("text")
        .replace(",s0,", ",,");
    let cases = [
        served("all rows alike", &[2, 2, 2]),
        bad("only the first is longer", &[1, 0, 0], 1),
        served("one row", &[9]),
        bad("only the last is not longer", &[1, 1, 0], 2),
        served("the header is right", &[0, 0]),
        bad("all are longer, not alike", &[1, 2, 1], 3),
        served("all alike again", &[1, 1]),
        Case::bad_rows(
            "a server without a name",
            nameless.as_bytes(),
            1,
            &format!("line 2: {} fields instead of {fields}", fields + 1),
        ),
    ];
    faults::run(&[fake], &[], &healthy, &cases);
}

/// The recording, over each source: what is right there, and nothing of the uncertain end.
#[test]
fn recorded() {
    let directory = TempDir::new().expect("a temporary directory");
    let csv = fixtures::bytes("field/header-cut.csv");
    let file = directory.path().join("stat.csv");
    std::fs::write(&file, &csv).expect("write a recording");
    let cli = Fake::unix(
        &directory.path().join("haproxy.sock"),
        Answers {
            stat: vec![Act::Send(csv.clone())],
            ..Answers::default()
        },
    );
    let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", csv.len());
    let page = Fake::http(
        "127.0.0.1",
        Answers::page(&[head.as_bytes(), &csv].concat()),
    );
    for uri in [
        format!("file:{}", file.display()),
        cli.uri().to_owned(),
        page.uri().to_owned(),
    ] {
        let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={uri}")]);
        for _ in 0..2 {
            let scrape = exporter.scrape();
            for (key, value) in [
                ("haproxy_up", 1.0),
                ("haproxy_exporter_csv_parse_failures_total", 0.0),
                ("haproxy_backend_up{backend=\"z\"}", 1.0),
                ("haproxy_server_up{backend=\"z\",server=\"z\"}", 1.0),
                (
                    "haproxy_frontend_http_requests_total{frontend=\"stats\"}",
                    4.0,
                ),
            ] {
                assert_eq!(scrape.value(key), value, "{uri}: {key}");
            }
        }
        let extra = exporter.get("/metrics?names=builtin&extra-counters");
        assert!(extra.text().contains("_ssl_sess{"), "{uri}");
        assert!(!extra.text().contains("_h1_bytes_in{"), "{uri}");
        let problems = exporter.finish().problems();
        let of_rows = problems
            .iter()
            .filter(|problem| problem.msg == "CSV parse failures");
        assert_eq!(of_rows.count(), 0, "{uri}");
    }
}

#[test]
fn live() {
    for release in RELEASES {
        let place = Place::new(0);
        let global = "  tune.bufsize 1024\n  tune.maxrewrite 128\n  maxconn 200\n";
        let text = place.global().replace("  maxconn 200\n", global) + CONFIGURATION;
        let Some(haproxy) = Haproxy::start_release(release, place, &text) else {
            return;
        };
        let csv = haproxy.cli("show stat");
        let fields = |line: usize| csv.lines().nth(line).expect("a line").split(',').count();
        assert!(fields(0) < fields(1), "{release}: the header is cut");
        let exporter = Exporter::start(&[&haproxy.unix_flag()]);
        let scrape = exporter.scrape();
        for (key, value) in [
            ("haproxy_up", 1.0),
            ("haproxy_exporter_csv_parse_failures_total", 0.0),
            ("haproxy_backend_up{backend=\"z\"}", 1.0),
            ("haproxy_server_up{backend=\"z\",server=\"z\"}", 1.0),
        ] {
            assert_eq!(scrape.value(key), value, "{release}: {key}");
        }
        // With so small a buffer HAProxy 2.8 cuts its own reply to `show info` as well, at 1,024 bytes.
        let mut problems = exporter.finish().problems();
        problems.retain(|problem| problem.msg != "show info failed");
        assert_eq!(problems, [], "{release}");
    }
}
