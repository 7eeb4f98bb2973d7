//! Every recorded answer through every source, sample by sample.
//!
//! The golden files come from the naive exporter in `support/reference.rs`, never from the binary:
//! `UPDATE_GOLDEN=1 cargo test golden` writes them anew.

use tempfile::TempDir;

use crate::support::exporter::Exporter;
use crate::support::exposition::{self, Exposition};
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::fixtures::{self, CAPTURES, HTTP_VERSIONS, VERSIONS};
use crate::support::{http, reference};

/// Families that only `show info` gives.
const INFO_FAMILIES: [&str; 5] = [
    "haproxy_info",
    "haproxy_process_idle_time_percent",
    "haproxy_process_pid",
    "haproxy_process_uptime_seconds",
    "haproxy_version_info",
];

/// Runs the check for each recorded answer.
fn for_each_capture(check: impl Fn(&str, &str, &Exposition)) {
    for version in VERSIONS {
        for capture in CAPTURES {
            let golden = fixtures::bytes(&format!("{version}/{capture}.prom"));
            let golden = exposition::read(&golden)
                .unwrap_or_else(|error| panic!("{version}/{capture}.prom: {error}"));
            check(version, capture, &golden);
        }
    }
}

fn recorded(version: &str, capture: &str) -> Answers {
    Answers::whole(
        &fixtures::bytes(&format!("{version}/{capture}.csv")),
        &fixtures::bytes(&format!("{version}/info.txt")),
    )
}

/// One scrape by a fresh exporter, without what differs from run to run; it must have nothing to complain of.
fn scrape(uri: &str) -> Exposition {
    let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={uri}")]);
    let got = exporter.scrape();
    for family in [
        "haproxy_exporter_scrape_duration_seconds",
        "haproxy_exporter_build_info",
    ] {
        assert!(got.families.contains_key(family), "no {family}");
    }
    assert_eq!(exporter.finish().problems(), [], "{uri}");
    got.without(reference::volatile)
}

fn without_info(golden: &Exposition) -> Exposition {
    golden
        .clone()
        .without(|family| INFO_FAMILIES.contains(&family) || fixtures::is_from_show_info(family))
}

#[test]
fn golden_files_are_what_the_reference_makes() {
    for version in VERSIONS {
        for capture in CAPTURES {
            let stat = fixtures::bytes(&format!("{version}/{capture}.csv"));
            let made =
                reference::text(&stat, Some(&fixtures::text(&format!("{version}/info.txt"))));
            let name = format!("{version}/{capture}.prom");
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                std::fs::write(fixtures::path(&name), &made).expect("write a golden file");
            }
            assert!(
                fixtures::text(&name) == made,
                "{name} is out of date: UPDATE_GOLDEN=1 cargo test golden"
            );
        }
    }
}

#[test]
fn unix() {
    let directory = TempDir::new().expect("a temporary directory");
    for_each_capture(|version, capture, golden| {
        let fake = Fake::unix(
            &directory.path().join(format!("{version}-{capture}")),
            recorded(version, capture),
        );
        scrape(fake.uri()).assert_equals(golden, &format!("{version}/{capture} over unix"));
    });
}

#[test]
fn tcp() {
    for_each_capture(|version, capture, golden| {
        let fake = Fake::tcp("127.0.0.1", recorded(version, capture));
        scrape(fake.uri()).assert_equals(golden, &format!("{version}/{capture} over tcp"));
    });
}

#[test]
fn file() {
    for_each_capture(|version, capture, golden| {
        let path = fixtures::path(&format!("{version}/{capture}.csv"));
        scrape(&format!("file:{}", path.display())).assert_equals(
            &without_info(golden),
            &format!("{version}/{capture} from a file"),
        );
    });
}

/// The same rows in the forms a body can take: with a length, in chunks, closed by EOF.
#[test]
fn http() {
    for_each_capture(|version, capture, golden| {
        let mut body = fixtures::bytes(&format!("{version}/{capture}.csv"));
        assert_eq!(
            body.pop(),
            Some(b'\n'),
            "the empty line, which the stats page does not have"
        );
        let chunks = body.chunks(1000).flat_map(|chunk| {
            [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()
        });
        let forms = [
            (
                "a length",
                [
                    format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(),
                    &body,
                ]
                .concat(),
            ),
            (
                "chunks",
                [
                    &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"[..],
                    &chunks.collect::<Vec<_>>(),
                    b"0\r\n\r\n",
                ]
                .concat(),
            ),
            ("EOF", [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &body].concat()),
        ];
        for (form, answer) in forms {
            let fake = Fake::http("127.0.0.1", Answers::page(&answer));
            scrape(fake.uri()).assert_equals(
                &without_info(golden),
                &format!("{version}/{capture} over http with {form}"),
            );
        }
    });
}

/// Recorded answers to HTTP/1.0 requests, byte by byte as HAProxy sent them.
#[test]
fn http_recorded() {
    for version in HTTP_VERSIONS {
        let answer = fixtures::bytes(&format!("{version}/http10.raw"));
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .expect("the end of a head")
            + 4;
        let (head, body) = answer.split_at(end);
        let chunked = String::from_utf8_lossy(head)
            .to_ascii_lowercase()
            .contains("transfer-encoding: chunked");
        assert_eq!(chunked, version == "2.0.0", "{version}");
        let body = if chunked {
            http::dechunk(body).expect("recorded chunks")
        } else {
            body.to_vec()
        };
        let want = reference::exposition(&body, None);
        let fake = Fake::http("127.0.0.1", Answers::page(&answer));
        scrape(fake.uri()).assert_equals(&want, &format!("{version}/http10.raw"));
    }
}
