//! `--haproxy.activity`: what each thread of a real HAProxy does.

use crate::support::exporter::{Exporter, Problem};
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Act, Answers, Fake, Script};
use crate::support::fixtures;
use crate::support::haproxy::{Haproxy, Place, RELEASES};
use crate::support::http;
use crate::support::peers::wait_for;

const FLAG: &str = "--haproxy.activity";
/// Of HAProxy 2.6 and 2.8, which do not count running checks.
const FAMILIES: [&str; 7] = [
    "haproxy_thread_stolen_seconds_total",
    "haproxy_thread_loop_time_average_seconds",
    "haproxy_thread_loops_total",
    "haproxy_thread_long_run_queues_total",
    "haproxy_thread_accept_queue_full_total",
    "haproxy_thread_pool_failures_total",
    "haproxy_thread_buffer_waits_total",
];

/// A HAProxy 2.6 of two threads whose CLI has this level.
fn haproxy(level: &str) -> Option<Haproxy> {
    haproxy_of(RELEASES[0], level)
}

/// The same of a release.
fn haproxy_of(release: &str, level: &str) -> Option<Haproxy> {
    let place = Place::new(1);
    let global = place
        .global()
        .replace("level admin", &format!("level {level}"));
    let global = global.replacen("global\n", "global\n  nbthread 2\n", 1);
    let configuration = format!(
        "{global}frontend web\n  bind {}\n  http-request return status 200\n",
        place.bind(0)
    );
    Haproxy::start_release(release, place, &configuration)
}

fn threads(found: &Exposition) -> Vec<&str> {
    let keys = found.samples.keys().map(String::as_str);
    keys.filter(|key| key.starts_with("haproxy_thread_"))
        .collect()
}

#[test]
fn two_threads_under_load() {
    let both = RELEASES.map(|release| [(release, "exporter"), (release, "builtin")]);
    for (release, names) in both.into_iter().flatten() {
        let Some(haproxy) = haproxy_of(release, "operator") else {
            return;
        };
        let names = format!("--haproxy.metric-names={names}");
        let exporter = Exporter::start(&[&haproxy.unix_flag(), FLAG, &names]);
        let first = exporter.scrape();
        let expected = FAMILIES
            .iter()
            .flat_map(|family| ["1", "2"].map(|thread| format!("{family}{{thread=\"{thread}\"}}")));
        let mut expected: Vec<String> = expected.collect();
        expected.sort();
        assert_eq!(threads(&first), expected, "{release}");
        for thread in ["1", "2"] {
            let loops = format!("haproxy_thread_loops_total{{thread=\"{thread}\"}}");
            wait_for("a turn of each thread", || {
                for _ in 0..8 {
                    http::request(haproxy.address(0), "GET", "/", &[]);
                }
                (exporter.scrape().value(&loops) > first.value(&loops)).then_some(())
            });
        }
        // Microseconds are exported in seconds: no turn takes half a minute.
        let average = "haproxy_thread_loop_time_average_seconds{thread=\"1\"}";
        assert!(first.value(average) < 30.0);
        assert_eq!(exporter.finish().problems(), []);
    }
}

/// HAProxy 2.6 tells everybody; later releases want level operator.
#[test]
fn a_cli_of_level_user() {
    let Some(haproxy) = haproxy("user") else {
        return;
    };
    let exporter = Exporter::start(&[&haproxy.unix_flag(), FLAG]);
    assert_eq!(threads(&exporter.scrape()).len(), 2 * FAMILIES.len());
    assert_eq!(exporter.finish().problems(), []);
}

#[test]
fn a_refusal_costs_the_threads_alone_and_one_line() {
    fn refused(command: &str) -> Script {
        match command {
            "show activity" => vec![Act::Send(b"Permission denied\n\n".to_vec())],
            _ => vec![Act::Send(fixtures::bytes("2.6.12/stat.csv"))],
        }
    }
    let answers = Answers {
        stat: vec![Act::choose(refused)],
        info: vec![Act::Send(fixtures::bytes("2.6.12/info.txt"))],
    };
    let fake = Fake::tcp("127.0.0.1", answers);
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let exporter = Exporter::start(&[&uri, FLAG]);
    for _ in 0..2 {
        let found = exporter.scrape();
        assert_eq!(found.value("haproxy_up"), 1.0);
        assert!(threads(&found).is_empty());
        assert!(
            found
                .samples
                .keys()
                .any(|key| key.starts_with("haproxy_frontend_"))
        );
    }
    let why = "not a reply to \"show activity\": it begins \"Permission denied\"";
    let expected = Problem {
        level: "warn".to_owned(),
        msg: "show activity failed".to_owned(),
        details: vec![format!("err={}: {why}", fake.object())],
    };
    assert_eq!(exporter.finish().problems(), [expected]);
}

#[test]
fn nothing_is_asked_without_the_flag() {
    let Some(haproxy) = haproxy("operator") else {
        return;
    };
    let exporter = Exporter::start(&[&haproxy.unix_flag()]);
    assert!(threads(&exporter.scrape()).is_empty());
}
