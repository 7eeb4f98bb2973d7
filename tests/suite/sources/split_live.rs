//! Servers asked for proxy by proxy, of a real HAProxy.

use std::sync::mpsc::{self, TryRecvError};

use super::split::text;
use crate::support::exporter::Exporter;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::peers;

fn connections(haproxy: &Haproxy) -> u64 {
    let info = haproxy.cli("show info");
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("CumConns: "));
    line.and_then(|number| number.parse().ok())
        .expect("CumConns")
}

/// How many questions one scrape asks. Each comes on a connection of its own, and so does ours for
/// their number.
fn questions(haproxy: &Haproxy, exporter: &Exporter) -> u64 {
    let before = connections(haproxy);
    exporter.scrape();
    connections(haproxy) - before - 1
}

/// What moves on a HAProxy that nobody but the exporter and this test talks to: times, and what the
/// questions themselves cost.
const MOVING: [&str; 11] = [
    "haproxy_backend_check_last_change_seconds",
    "haproxy_backend_downtime_seconds_total",
    "haproxy_process_bytes_out_rate",
    "haproxy_process_bytes_out_total",
    "haproxy_process_connections_total",
    "haproxy_process_idle_time_percent",
    "haproxy_process_pool_allocated_bytes",
    "haproxy_process_pool_used_bytes",
    "haproxy_process_requests_total",
    "haproxy_process_uptime_seconds",
    "haproxy_server_check_last_change_seconds",
];

/// The samples of all other families, in their order.
fn still(text: &str) -> String {
    let is_still = |line: &&str| {
        let line = line.strip_prefix("# HELP ").unwrap_or(line);
        let line = line.strip_prefix("# TYPE ").unwrap_or(line);
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        !MOVING.contains(&name)
    };
    let lines = text.lines().filter(is_still);
    lines.map(|line| format!("{line}\n")).collect()
}

/// A real one, with listeners, under both names.
#[test]
fn a_real_haproxy() {
    let place = Place::new(2);
    let mut configuration = format!(
        "{}frontend web\n  bind {}\n  option socket-stats\n  default_backend b0\n\
         listen both\n  bind {}\n  option socket-stats\n  server x 127.0.0.1:1\n",
        place.global(),
        place.bind(0),
        place.bind(1)
    );
    for backend in 0..6 {
        configuration.push_str(&format!("backend b{backend}\n"));
        for server in 0..=backend * 6 {
            configuration.push_str(&format!("  server s{server} 127.0.0.1:1 weight {server}\n"));
        }
    }
    let Some(haproxy) = Haproxy::start(place, &configuration) else {
        return;
    };
    let uri = haproxy.unix_flag();
    for names in ["exporter", "builtin"] {
        let names = format!("--haproxy.metric-names={names}");
        let at_once = Exporter::start(&[&uri, &names, "--haproxy.rows-per-question=0"]);
        let split = Exporter::start(&[&uri, &names, "--haproxy.rows-per-question=12"]);
        split.scrape();
        let questions = questions(&haproxy, &split);
        assert!(questions > 4, "{names}: {questions} questions");
        let whole = still(&text(&at_once, "/metrics"));
        assert!(whole.contains("=\"b5\",server=\"s30\""), "{whole}");
        for _ in 0..3 {
            assert_eq!(still(&text(&split, "/metrics")), whole, "{names}");
        }
        assert_eq!(split.finish().problems(), []);
    }
}

/// Reloads move the numbers of all proxies, between two questions as well. Each backend that is shown has
/// all of its servers, and nobody else's.
#[test]
fn reloads_of_a_real_haproxy() {
    const SERVERS: usize = 30;
    let configuration = |place: &Place, first: usize| {
        let mut text = place.global();
        for backend in first..first + 8 {
            text.push_str(&format!("backend b{backend}\n"));
            for server in 0..SERVERS {
                text.push_str(&format!("  server b{backend}_{server} 127.0.0.1:1\n"));
            }
        }
        text
    };
    let place = Place::new(0);
    let start = configuration(&place, 0);
    let Some(haproxy) = Haproxy::start_as(place, &start, &["-W"]) else {
        return;
    };
    let uri = haproxy.unix_flag();
    let exporter = Exporter::start(&[&uri, "--haproxy.rows-per-question=30"]);
    let look = || {
        let got = exporter.scrape();
        if got.value("haproxy_up") == 0.0 {
            return None;
        }
        let up = |key: &&String| key.starts_with("haproxy_server_up{");
        let mut servers = std::collections::BTreeMap::<String, usize>::new();
        for key in got.samples.keys().filter(up) {
            let (_, rest) = key.split_once("backend=\"").expect("a backend");
            let (backend, rest) = rest.split_once('"').expect("its name");
            let own = format!("server=\"{backend}_");
            assert!(rest.contains(&own), "another's server: {key}");
            *servers.entry(backend.to_owned()).or_default() += 1;
        }
        for (backend, count) in &servers {
            assert_eq!(*count, SERVERS, "a part of {backend}");
        }
        assert_eq!(got.value("haproxy_exporter_csv_parse_failures_total"), 0.0);
        Some(servers.into_keys().collect::<Vec<_>>())
    };
    let (reloading, is_over) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        // Ends with the reloads, also when one of them fails: then the sender is gone.
        scope.spawn(|| {
            let is_over = is_over;
            while is_over.try_recv() == Err(TryRecvError::Empty) {
                look();
            }
        });
        let _reloading = reloading;
        for first in 1..=5 {
            haproxy.reconfigure(&configuration(haproxy.place(), first));
            haproxy.reload();
            let mut wanted: Vec<String> = (first..first + 8).map(|n| format!("b{n}")).collect();
            wanted.sort();
            peers::wait_for("the next generation", || {
                (look().as_ref() == Some(&wanted)).then_some(())
            });
        }
    });
    // The process that answers now is the last one. A scrape that failed before is forgotten behind this.
    look().expect("a scrape without a reload");
    let questions = questions(&haproxy, &exporter);
    assert!(questions > 8, "{questions} questions");
    let at_once = Exporter::start(&[&uri, "--haproxy.rows-per-question=0"]);
    let whole = still(&text(&at_once, "/metrics"));
    assert!(whole.contains("server=\"b12_29\""), "{whole}");
    assert_eq!(still(&text(&exporter, "/metrics")), whole);
}
