//! Clients whose time runs out, while others were answered who wanted less.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use super::{Cli, reply};
use crate::support::exporter::Exporter;
use crate::support::http::{self, Response};

/// Counts connections, and lets each answer when the test says so.
#[derive(Default)]
struct Gate {
    state: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Gate {
    /// Another connection has come; waits until so many may go on.
    fn pass(&self) {
        let mut state = self.state.lock().expect("a lock");
        state.0 += 1;
        let own = state.0;
        self.changed.notify_all();
        let wait = self
            .changed
            .wait_timeout_while(state, http::PATIENCE, |(_, open)| *open < own);
        drop(wait);
    }

    fn wait_for(&self, connections: usize) {
        let state = self.state.lock().expect("a lock");
        let wait = |state| {
            let few = |(come, _): &mut (usize, usize)| *come < connections;
            self.changed.wait_timeout_while(state, http::PATIENCE, few)
        };
        let (state, _) = wait(state).expect("a lock");
        assert!(state.0 >= connections, "HAProxy was not asked");
    }

    fn open(&self, connections: usize) {
        self.state.lock().expect("a lock").1 = connections;
        self.changed.notify_all();
    }
}

/// While the scrape of one client runs, one with little time and one with much come. HAProxy answers the
/// first, and nothing more before the second has what it gets. Returns that, and what the others got.
fn late(first: &str, others: &str) -> [Response; 3] {
    let directory = TempDir::new().expect("a temporary directory");
    let gate = Arc::new(Gate::default());
    let cli = Cli::start(&directory.path().join("s"), {
        let gate = Arc::clone(&gate);
        move |commands, stream| {
            gate.pass();
            for command in commands {
                stream.write_all(&reply(command, 10, 6, "1"))?;
            }
            Ok(())
        }
    });
    let exporter = Exporter::start(&[&cli.flag(), "--haproxy.timeout=20s"]);
    let address = exporter.address();
    let ask = |query: &str, time: &'static str| {
        let path = format!("/metrics{query}");
        let header = ("X-Prometheus-Scrape-Timeout-Seconds", time);
        std::thread::spawn(move || http::request(address, "GET", &path, &[header]))
    };
    let first = ask(first, "20");
    gate.wait_for(1);
    let (short, long) = (ask(others, "2"), ask(others, "20"));
    // If one comes too late for the scene, the test shows less, and nothing that is wrong.
    std::thread::sleep(Duration::from_millis(300));
    gate.open(1);
    gate.wait_for(2);
    let short = short.join().expect("the one with little time");
    gate.open(100);
    [
        short,
        first.join().expect("the first"),
        long.join().expect("the one with much time"),
    ]
}

/// Who asked for less does not decide what others get.
#[test]
fn who_wants_more_than_the_last_scrape_has_gets_nothing_of_it() {
    let weight = "haproxy_server_weight";
    let cases = [
        ("?scope=frontend".to_owned(), String::new(), "server=\"s5\""),
        (
            "?names=exporter&scope=server&scope=backend".to_owned(),
            "?names=builtin&metrics=haproxy_frontend_bytes_in_total,haproxy_server_weight"
                .to_owned(),
            "haproxy_frontend_bytes_in_total",
        ),
        (
            format!("?metrics={weight}"),
            format!("?metrics={weight}&no-maint"),
            "server=\"s4\"",
        ),
    ];
    std::thread::scope(|scope| {
        for (first, others, shown) in &cases {
            scope.spawn(move || {
                let [short, first, long] = late(first, others);
                assert_eq!(first.status, 200);
                assert_eq!(short.status, 503, "{others}: {}", short.text());
                assert_eq!(long.status, 200, "{others}");
                assert!(long.text().contains(shown), "{others}: {}", long.text());
                let in_maintenance = long.text().contains("server=\"s5\"");
                assert_eq!(in_maintenance, !others.contains("no-maint"), "{others}");
            });
        }
        // Who wants no more gets it.
        for (first, others) in [
            ("", "?scope=frontend"),
            ("?no-maint", "?scope=server&no-maint"),
            ("", ""),
        ] {
            scope.spawn(move || {
                let [short, ..] = late(first, others);
                assert_eq!(short.status, 200, "{others}: {}", short.text());
                assert_eq!(short.text().contains("server=\"s5\""), others.is_empty());
            });
        }
    });
}
