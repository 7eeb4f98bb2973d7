//! Where ours behaves differently on purpose: rows of DESIGN.md, section 5, about deadlines, flags
//! and pages, shown on both.

use std::time::Duration;

use tempfile::TempDir;

use super::INFO;
use super::design::{FAILURES, assert_failed, cli, up, whole};
use crate::support::csv::{answer, backend, server};
use crate::support::exporter::{self, Exporter};
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::fixtures;
use crate::support::go_exporter::{GoExporter, Pair, has_family};
use crate::support::peers;

/// The Go exporter gives each command a timeout of its own, one after the other.
#[test]
fn one_deadline_for_the_whole_scrape() {
    let directory = TempDir::new().expect("a temporary directory");
    let rows = answer(&[server("app", "a", &[(17, "UP")])]);
    // Neither is answered before both are asked.
    let late = |bytes: &[u8]| vec![Act::AwaitCommands(2), Act::Send(bytes.to_vec())];
    let answers = Answers {
        stat: late(&rows),
        info: late(INFO),
    };
    let fake = Fake::unix(&directory.path().join("s"), Answers::default());
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let Some(go) = GoExporter::start(&[&uri, "--haproxy.timeout=2s"]) else {
        return;
    };
    fake.set(answers.clone());
    let ours = Exporter::start(&[&uri, "--haproxy.timeout=30s"]).scrape();
    assert_eq!(ours.value("haproxy_up"), 1.0);
    assert!(has_family(&ours, "haproxy_version_info"));
    fake.set(answers);
    let early = go.scrape();
    assert_eq!(early.value("haproxy_up"), 1.0);
    assert!(
        !has_family(&early, "haproxy_version_info"),
        "asked first, in vain"
    );
    // Two silences of 1.2 s are longer than the timeout of 2 s, and it gets both answers all the same.
    let slow = |bytes: &[u8]| {
        let pause = Duration::from_millis(1200);
        vec![
            Act::Drip(bytes[..1].to_vec(), pause),
            Act::Send(bytes[1..].to_vec()),
        ]
    };
    fake.set(Answers {
        stat: slow(&rows),
        info: slow(INFO),
    });
    let go = go.scrape();
    assert_eq!(go.value("haproxy_up"), 1.0);
    assert!(has_family(&go, "haproxy_version_info"));
}

#[test]
fn the_time_that_the_scraper_announces() {
    let directory = TempDir::new().expect("a temporary directory");
    let rows = answer(&[server("app", "a", &[(17, "UP")])]);
    let late = vec![
        Act::Drip(rows[..1].to_vec(), Duration::from_secs(2)),
        Act::Send(rows[1..].to_vec()),
    ];
    let answers = Answers {
        stat: late,
        info: vec![Act::Send(INFO.to_vec())],
    };
    let fake = Fake::unix(&directory.path().join("s"), answers);
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let Some(pair) = Pair::start(&[&uri, "--haproxy.timeout=30s"]) else {
        return;
    };
    let header = [("X-Prometheus-Scrape-Timeout-Seconds", "0.3")];
    let go = pair.go.scrape_with(&header);
    assert_eq!(
        go.value("haproxy_up"),
        1.0,
        "it lets the scraper wait in vain"
    );
    assert_failed(&pair.ours.scrape_with(&header), "late");
}

#[test]
fn file_uris() {
    let path = fixtures::path("2.6.12/stat.csv");
    for uri in [
        format!("file:{}", path.display()),
        format!("file://{}", path.display()),
    ] {
        let Some(pair) = Pair::start(&[&format!("--haproxy.scrape-uri={uri}")]) else {
            return;
        };
        let (ours, go) = pair.scrape();
        assert_eq!(go.value("haproxy_up"), 0.0, "{uri}");
        assert_eq!(ours.value("haproxy_up"), 1.0, "{uri}");
        assert!(has_family(&ours, "haproxy_server_"), "{uri}");
    }
}

#[test]
fn a_bad_pid_file() {
    let directory = TempDir::new().expect("a temporary directory");
    let fake = Fake::unix(
        &directory.path().join("s"),
        Answers::whole(&answer(&[backend("app", &[])]), INFO),
    );
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let pid_file = directory.path().join("absent.pid");
    let flag = format!("--haproxy.pid-file={}", pid_file.display());
    let Some(pair) = Pair::start(&[&uri, &flag]) else {
        return;
    };
    for _ in 0..3 {
        let (ours, go) = pair.scrape();
        for exposition in [&ours, &go] {
            assert_eq!(exposition.value("haproxy_up"), 1.0);
            assert!(!has_family(exposition, "haproxy_process_m"));
        }
    }
    assert!(
        !pair.go.peer.output().contains("pid"),
        "{}",
        pair.go.peer.output()
    );
    let problems = pair.ours.finish().problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].msg, "HAProxy process metrics are missing");
    assert_eq!(
        problems[0].details,
        [format!(
            "err=pid file {}: no such file or directory",
            pid_file.display()
        )]
    );
}

#[test]
fn bad_uris() {
    for uri in ["unix:", "tcp://host", "http://", "http:///;csv"] {
        let flag = format!("--haproxy.scrape-uri={uri}");
        let Some(go) = GoExporter::start(&[&flag]) else {
            return;
        };
        assert_eq!(go.scrape().value("haproxy_up"), 0.0, "{uri}");
        let (status, _, error) = peers::run(exporter::command().arg(&flag));
        assert_eq!(status.code(), Some(2), "{uri}: {error}");
        let one_line = error.lines().count() == 1;
        assert!(
            one_line && error.contains("--haproxy.scrape-uri"),
            "{error}"
        );
    }
}

#[test]
fn excluded_states_with_words_behind_them() {
    let statuses = ["MAINT", "MAINT (via a/b)", "MAINT (resolution)", "UP"];
    let rows = statuses.map(|status| server("app", status, &[(17, status)]));
    let Some((ours, go)) = cli(whole(&rows), &["--haproxy.server-exclude-states=MAINT"]) else {
        return;
    };
    let shown =
        |exposition: &Exposition| statuses.map(|status| exposition.get(&up(status)).is_some());
    assert_eq!(shown(&go), [false, true, true, true]);
    assert_eq!(shown(&ours), [false, false, false, true]);
}

#[test]
fn a_page_of_html() {
    let page = "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body>\n<h1>Statistics Report, pid 1</h1>\n</body></html>\n";
    let fake = Fake::http("127.0.0.1", Answers::page(page.as_bytes()));
    let Some(pair) = Pair::start(&[&format!("--haproxy.scrape-uri={}", fake.uri())]) else {
        return;
    };
    let (ours, go) = pair.scrape();
    assert_eq!(go.value("haproxy_up"), 1.0);
    assert!(go.value(FAILURES) > 0.0);
    assert_failed(&ours, "HTML");
    let problems = pair.ours.finish().problems();
    assert!(
        problems.len() == 1 && problems[0].details[0].contains(";csv"),
        "{problems:?}"
    );
}

#[test]
fn an_unknown_path() {
    let Some(pair) = Pair::start(&[]) else { return };
    assert_eq!(pair.go.get("/nowhere").status, 200);
    assert_eq!(pair.ours.get("/nowhere").status, 404);
}
