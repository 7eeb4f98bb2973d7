//! Listeners with several sockets, each of which has a row of its own name: one series, added up.

use std::net::TcpListener;

use super::answers::{Answers, Table};
use super::live::values;
use super::ours;
use super::reference;
use super::responder::Responder;
use crate::support::fixtures;
use crate::support::haproxy::{Haproxy, Place, RELEASES};
use crate::support::http;

/// The three addresses of the recording and of the live frontend, which got nine requests.
const LISTENER: &str = "{proxy=\"fe\",listener=\"web\"}";

const FAILURES: &str = "haproxy_exporter_csv_parse_failures_total";

fn value(values: &std::collections::BTreeMap<String, String>, family: &str, labels: &str) -> f64 {
    let key = format!("haproxy_{family}{labels}");
    let value = values.get(&key).unwrap_or_else(|| panic!("no {key}"));
    value.parse().expect("a number")
}

/// HAProxy 2.6.12: three rows of `bind A,B,C name web`.
#[test]
fn recorded() {
    let stat = fixtures::text("field/listeners-one-name.csv");
    let stat = stat.strip_suffix('\n').expect("the empty line").to_owned();
    let answers = Answers {
        stat,
        ..Answers::recorded("2.6.12", "", "")
    };
    let responder = Responder::start(answers.clone());
    let exporter = ours::start(&[&responder.flag()]);
    let families = ours::get(&exporter, "/metrics");
    ours::assert_same(&families, &reference::main(&answers), "one name");
    let values = values(&families);
    for (family, expected) in [
        ("listener_current_sessions", 0.0),
        ("listener_max_sessions", 1.0),
        ("listener_limit_sessions", 0.0),
        ("listener_sessions_total", 9.0),
        ("listener_bytes_in_total", 738.0),
        ("listener_bytes_out_total", 441.0),
    ] {
        assert_eq!(value(&values, family, LISTENER), expected, "{family}");
    }
    let open = "{proxy=\"fe\",listener=\"web\",state=\"OPEN\"}";
    assert_eq!(value(&values, "listener_status", open), 1.0);
    assert_eq!(exporter.scrape().value(FAILURES), 0.0);
    assert_eq!(exporter.finish().problems(), []);
}

/// Several addresses, several lines and several shards of one name.
#[test]
fn live() {
    for release in RELEASES {
        let place = Place::new(3);
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let sharded = free.expect("a free port");
        let configuration = format!(
            "{}frontend fe\n  option socket-stats\n  bind {},{} name web\n  bind {} name web maxconn 5\n  \
             http-request return status 200\n\
             frontend sharded\n  option socket-stats\n  bind {sharded} name web shards by-thread\n  \
             http-request return status 200\n",
            place
                .global()
                .replace("  maxconn 200\n", "  maxconn 200\n  nbthread 4\n"),
            place.bind(0),
            place.bind(1),
            place.bind(2),
        );
        let Some(haproxy) = Haproxy::start_release(release, place, &configuration) else {
            return;
        };
        for listener in [0, 0, 0, 0, 1, 1, 1, 2, 2] {
            http::request(haproxy.address(listener), "GET", "/", &[]);
            http::request(sharded, "GET", "/", &[]);
        }
        let stat = haproxy.cli("show stat -1 8 -1");
        let table = Table::read(stat.strip_suffix('\n').expect("the empty line"));
        assert_eq!(table.rows.len(), 3 + 4, "{release}: rows of HAProxy");
        let answers = Answers {
            stat: stat.strip_suffix('\n').expect("the empty line").to_owned(),
            ..Answers::default()
        };
        let exporter = ours::start(&[&haproxy.unix_flag()]);
        let families = ours::get(&exporter, "/metrics?scope=listener");
        ours::assert_same(&families, &reference::main(&answers), release);
        let values = values(&families);
        for proxy in ["fe", "sharded"] {
            let labels = format!("{{proxy=\"{proxy}\",listener=\"web\"}}");
            let sessions = value(&values, "listener_sessions_total", &labels);
            assert_eq!(sessions, 9.0, "{release}: {proxy}");
        }
        assert_eq!(exporter.scrape().value(FAILURES), 0.0);
        assert_eq!(exporter.finish().problems(), [], "{release}");
    }
}
