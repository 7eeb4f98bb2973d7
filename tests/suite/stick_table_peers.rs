//! `--haproxy.peers`: the peers of stick tables, on real HAProxys and on one that answers badly.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;

use crate::support::exporter::{Exporter, Problem};
use crate::support::exposition::Exposition;
use crate::support::fixtures;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::peers::wait_for;

const FLAG: &str = "--haproxy.peers";
const FAMILIES: [&str; 4] = [
    "haproxy_peer_up",
    "haproxy_peer_no_heartbeat_total",
    "haproxy_peer_protocol_errors_total",
    "haproxy_peer_reconnects_total",
];

/// The samples about peers.
fn peers(found: &Exposition) -> Vec<&str> {
    let keys = found.samples.keys().map(String::as_str);
    keys.filter(|key| key.starts_with("haproxy_peer_"))
        .collect()
}

/// A HAProxy that is the peer `own` and has another one, `other`, at an address.
fn haproxy(place: Place, own: &str, other: &str, address: std::net::SocketAddr) -> Option<Haproxy> {
    let (global, bind) = (place.global(), place.bind(0));
    // `show peers` is for everyone who may ask at all.
    let global = global.replace("level admin", "level user");
    let configuration = format!(
        "{global}peers farm\n  bind {bind}\n  server {own}\n  server {other} {address}\n\
         backend sticky\n  stick-table type ip size 100 peers farm\n"
    );
    Haproxy::start_as(place, &configuration, &["-db", "-L", own])
}

#[test]
fn one_of_two_ends() {
    let (one, two) = (Place::new(1), Place::new(1));
    let (at_one, at_two) = (one.address(0), two.address(0));
    let Some(one) = haproxy(one, "east", "west", at_two) else {
        return;
    };
    let two = haproxy(two, "west", "east", at_one).expect("it is installed");
    let exporter = Exporter::start(&[&one.unix_flag(), FLAG]);
    let up = "haproxy_peer_up{peer=\"west\",peers=\"farm\"}";
    wait_for("an established peer", || {
        (exporter.scrape().value(up) == 1.0).then_some(())
    });
    let found = exporter.scrape();
    // The local peer, east, is not watched.
    assert_eq!(peers(&found).len(), FAMILIES.len(), "{:?}", peers(&found));
    let opened = "haproxy_peer_reconnects_total{peer=\"west\",peers=\"farm\"}";
    let before = found.value(opened);
    drop(two);
    wait_for("a lost peer", || {
        (exporter.scrape().value(up) == 0.0).then_some(())
    });
    let found = exporter.scrape();
    assert_eq!(found.value("haproxy_up"), 1.0);
    assert!(found.value(opened) >= before);
    assert_eq!(exporter.finish().problems(), []);
}

/// Listens on a unix socket, answers each line with what `answer` makes of it and closes; `None` says
/// nothing until the other side leaves. Returns the lines that came.
fn listen(
    directory: &TempDir,
    answer: impl Fn(&str) -> Option<Vec<u8>> + Send + 'static,
) -> Arc<Mutex<Vec<String>>> {
    let listener = UnixListener::bind(directory.path().join("s")).expect("bind a unix socket");
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    // Ends with the test's process: it waits for connections and for nothing else.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // An error means that the other side left.
            let _ = converse(stream, &answer, &seen);
        }
    });
    lines
}

fn converse(
    mut stream: UnixStream,
    answer: &dyn Fn(&str) -> Option<Vec<u8>>,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let line = line.trim_end();
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(line.to_owned());
    match answer(line) {
        Some(answer) => stream.write_all(&answer),
        None => std::io::copy(&mut reader, &mut std::io::sink()).map(drop),
    }
}

/// What a HAProxy 2.6 answers to the questions about its rows.
fn rows(line: &str) -> Vec<u8> {
    let mut answer = Vec::new();
    for command in line.split(';') {
        answer.extend(fixtures::bytes(match command {
            "show info" => "2.6.12/info.txt",
            _ => "2.6.12/stat.csv",
        }));
        if !answer.ends_with(b"\n\n") {
            answer.push(b'\n');
        }
    }
    answer
}

/// Scrapes twice with an answer to `show peers`; returns the second and the log's problems.
fn scraped(answer: Option<Vec<u8>>) -> (Exposition, Vec<Problem>, Vec<String>, String) {
    let directory = TempDir::new().expect("a temporary directory");
    let lines = listen(&directory, move |line| match line {
        "show peers" => answer.clone(),
        line => Some(rows(line)),
    });
    let path = directory.path().join("s").display().to_string();
    let uri = format!("--haproxy.scrape-uri=unix:{path}");
    let exporter = Exporter::start(&[&uri, FLAG, "--haproxy.timeout=2s"]);
    exporter.scrape();
    let found = exporter.scrape();
    let problems = exporter.finish().problems();
    let lines = lines.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (found, problems, lines, format!("unix socket {path}"))
}

#[test]
fn a_bad_answer_costs_the_peers_alone_and_one_line() {
    let whole = fixtures::bytes("cli/3.4.0/d-show-peers-connected.out");
    let cut = whole[..whole.len() - 1].to_vec();
    let cases: [(Option<Vec<u8>>, &str); 4] = [
        (
            Some(b"Permission denied\n\n".to_vec()),
            "not an answer to \"show peers\": it begins \"Permission denied\"",
        ),
        (Some(cut), "answer cut: the closing empty line is missing"),
        (Some(Vec::new()), "closed without an answer"),
        (None, "read: timed out"),
    ];
    std::thread::scope(|scope| {
        for (answer, why) in cases {
            scope.spawn(move || {
                let (found, problems, lines, object) = scraped(answer);
                assert_eq!(found.value("haproxy_up"), 1.0, "{why}");
                assert!(peers(&found).is_empty(), "{why}");
                assert!(
                    found
                        .samples
                        .keys()
                        .any(|key| key.starts_with("haproxy_server_"))
                );
                let expected = Problem {
                    level: "warn".to_owned(),
                    msg: "show peers failed".to_owned(),
                    details: vec![format!("err={object}: {why}")],
                };
                assert_eq!(problems, [expected], "{why}");
                // Behind the rows, on a connection of its own.
                assert_eq!(lines.len(), 4, "{lines:?}");
                assert_eq!((&lines[1][..], &lines[3][..]), ("show peers", "show peers"));
            });
        }
    });
}

#[test]
fn it_is_asked_for_where_it_is_wanted() {
    let whole = fixtures::bytes("cli/3.4.0/d-show-peers-connected.out");
    let directory = TempDir::new().expect("a temporary directory");
    let lines = listen(&directory, move |line| match line {
        "show peers" => Some(whole.clone()),
        line => Some(rows(line)),
    });
    let uri = format!(
        "--haproxy.scrape-uri=unix:{}",
        directory.path().join("s").display()
    );
    let asked = |flags: &[&str], query: &str| {
        let exporter = Exporter::start(&[&[uri.as_str()], flags].concat());
        let response = exporter.get(&format!("/metrics{query}"));
        assert_eq!(response.status, 200);
        let shown = response.text().contains("haproxy_peer_up{");
        assert_eq!(exporter.finish().problems(), []);
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = std::mem::take(&mut *lines).contains(&"show peers".to_owned());
        assert_eq!(shown, asked, "{flags:?} {query}");
        asked
    };
    assert!(!asked(&[], ""));
    assert!(asked(&[FLAG], ""));
    assert!(asked(&[FLAG], "?names=builtin&metrics=haproxy_peer_up"));
    assert!(asked(&[FLAG], "?metrics=haproxy_peer_up"));
    assert!(!asked(&[FLAG], "?metrics=haproxy_up"));
}

#[test]
fn a_file_cannot_be_asked() {
    let uri = format!(
        "--haproxy.scrape-uri=file:{}",
        fixtures::path("2.6.12/stat.csv").display()
    );
    let exporter = Exporter::start(&[&uri, FLAG]);
    assert_eq!(exporter.scrape().value("haproxy_up"), 1.0);
    let expected = Problem {
        level: "warn".to_owned(),
        msg: "show peers failed".to_owned(),
        details: vec![
            "err=only a CLI socket can be asked (unix:/path or tcp://host:port)".to_owned(),
        ],
    };
    assert_eq!(exporter.finish().problems(), [expected]);
}
