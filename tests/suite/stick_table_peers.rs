//! `--haproxy.peers`: the peers of stick tables, on real HAProxys and on one that answers badly.

use tempfile::TempDir;

use crate::support::exporter::{Exporter, Problem};
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Act, Answers, Fake, Script};
use crate::support::fixtures;
use crate::support::haproxy::{Haproxy, Place, RELEASES};
use crate::support::peers::wait_for;

const FLAG: &str = "--haproxy.peers";
/// Whether there are any.
const UP: &str = "haproxy_peers_up";
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
    // One that is lost is a peer still.
    assert_eq!(found.value(UP), 1.0);
    assert!(found.value(opened) >= before);
    assert_eq!(exporter.finish().problems(), []);
}

/// HAProxy starts without a section in which no peer has its own name. A section with that peer alone is one:
/// stick tables go to the next process through it.
#[test]
fn a_section_that_was_dropped_is_said() {
    const WHY: &str = "HAProxy has no peers: it drops a section in which no peer has its own name (see localpeer)";
    for release in RELEASES {
        for (own, expected) in [("east", 1.0), ("elsewhere", 0.0)] {
            let place = Place::new(1);
            let global = place
                .global()
                .replace("maxconn", &format!("localpeer {own}\n  maxconn"));
            let bind = place.bind(0);
            let configuration = format!(
                "{global}peers farm\n  bind {bind}\n  server east\n\
                 backend sticky\n  stick-table type ip size 100 peers farm\n"
            );
            let Some(haproxy) = Haproxy::start_release(release, place, &configuration) else {
                continue;
            };
            let exporter = Exporter::start(&[&haproxy.unix_flag(), FLAG]);
            for _ in 0..2 {
                let found = exporter.scrape();
                assert_eq!(found.value("haproxy_up"), 1.0, "{release} {own}");
                assert_eq!(found.value(UP), expected, "{release} {own}");
                assert!(peers(&found).is_empty(), "{release} {own}");
            }
            let failed = Problem {
                level: "warn".to_owned(),
                msg: "show peers failed".to_owned(),
                details: vec![format!(
                    "err=unix socket {}: {WHY}",
                    haproxy.socket().display()
                )],
            };
            let problems = exporter.finish().problems();
            let expected: &[Problem] = if expected == 1.0 { &[] } else { &[failed] };
            assert_eq!(problems, expected, "{release} {own}");
        }
    }
}

/// What a HAProxy 2.6 does about its rows, and this about its peers.
fn of_peers(command: &str, script: Script) -> Script {
    match command {
        "show peers" => script,
        _ => recorded("2.6.12/stat.csv"),
    }
}

/// Sends a fixture.
fn recorded(name: &str) -> Script {
    vec![Act::Send(fixtures::bytes(name))]
}

const CONNECTED: &str = "cli/3.4.0/d-show-peers-connected.out";

fn answers(choose: fn(&str) -> Script) -> Answers {
    Answers {
        stat: vec![Act::choose(choose)],
        info: recorded("2.6.12/info.txt"),
    }
}

/// Scrapes twice with an answer to `show peers`; returns the second, the log's problems, the requests,
/// and how the exporter names this HAProxy.
fn scraped(choose: fn(&str) -> Script) -> (Exposition, Vec<Problem>, Vec<String>, String) {
    let directory = TempDir::new().expect("a temporary directory");
    let fake = Fake::unix(&directory.path().join("s"), answers(choose));
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let exporter = Exporter::start(&[&uri, FLAG, "--haproxy.timeout=2s"]);
    exporter.scrape();
    let found = exporter.scrape();
    let problems = exporter.finish().problems();
    (found, problems, fake.requests(), fake.object())
}

#[test]
fn a_bad_answer_costs_the_peers_alone_and_one_line() {
    fn refused(command: &str) -> Script {
        let answer = b"Permission denied\n\n".to_vec();
        of_peers(command, vec![Act::Send(answer)])
    }
    fn cut(command: &str) -> Script {
        let mut answer = fixtures::bytes(CONNECTED);
        answer.pop();
        of_peers(command, vec![Act::Send(answer)])
    }
    type Choose = fn(&str) -> Script;
    let cases: [(Choose, &str); 5] = [
        (
            |command| of_peers(command, vec![Act::Send(b"\n".to_vec())]),
            "HAProxy has no peers: it drops a section in which no peer has its own name (see localpeer)",
        ),
        (
            refused,
            "not a reply to \"show peers\": it begins \"Permission denied\"",
        ),
        (cut, "reply cut: the closing empty line is missing"),
        (
            |command| of_peers(command, vec![Act::Close]),
            "closed without a reply",
        ),
        (
            |command| of_peers(command, vec![Act::Hold]),
            "read: timed out",
        ),
    ];
    std::thread::scope(|scope| {
        for (choose, why) in cases {
            scope.spawn(move || {
                let (found, problems, requests, object) = scraped(choose);
                assert_eq!(found.value("haproxy_up"), 1.0, "{why}");
                assert!(peers(&found).is_empty(), "{why}");
                assert_eq!(found.value(UP), 0.0, "{why}");
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
                // Behind all others, on the connection of the rows.
                assert_eq!(requests.len(), 2, "{requests:?}");
                for request in requests {
                    let (before, last) = request.rsplit_once(';').expect("several");
                    assert!(before.starts_with("show stat "), "{request}");
                    assert_eq!(last, "show peers\n");
                }
            });
        }
    });
}

#[test]
fn it_is_asked_for_where_it_is_wanted() {
    fn whole(command: &str) -> Script {
        of_peers(command, recorded(CONNECTED))
    }
    let fake = Fake::tcp("127.0.0.1", Answers::default());
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let asked = |flags: &[&str], query: &str| {
        fake.set(answers(whole));
        let exporter = Exporter::start(&[&[uri.as_str()], flags].concat());
        let response = exporter.get(&format!("/metrics{query}"));
        assert_eq!(response.status, 200);
        let shown = response.text().contains("haproxy_peer_up{");
        assert_eq!(
            shown,
            response.text().contains("haproxy_peers_up 1\n") || query.contains("peer_up")
        );
        assert_eq!(exporter.finish().problems(), []);
        let requests = fake.requests();
        assert_eq!(requests.len(), 1, "{flags:?} {query}: {requests:?}");
        let asked = requests[0].ends_with("show peers\n");
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
    // A target with a CLI socket allows the flag.
    let exporter = Exporter::start(&[&uri, FLAG, "--haproxy.target=other=unix:/none"]);
    assert_eq!(exporter.scrape().value("haproxy_up"), 1.0);
    let expected = Problem {
        level: "warn".to_owned(),
        msg: "show peers failed".to_owned(),
        details: vec![
            "err=needs a CLI socket as scrape URI (unix:/path or tcp://host:port)".to_owned(),
        ],
    };
    assert_eq!(exporter.finish().problems(), [expected]);
}
