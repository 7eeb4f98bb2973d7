//! What there is, by `--list-metrics` against the contracts of both profiles, and what HAProxy is asked for it.

use std::collections::BTreeMap;

use super::answers::Answers;
use super::responder::Responder;
use super::{contract, ours};
use crate::support::exporter::{self, Exporter};
use crate::support::fixtures;
use crate::support::peers;

/// With a pid file; `max_fds` and `start_time_seconds` are in the contract as well.
const PID_FILE: &str = "\
haproxy_process_cpu_seconds_total counter
haproxy_process_open_fds gauge
haproxy_process_virtual_memory_bytes gauge
haproxy_process_virtual_memory_max_bytes gauge
haproxy_process_resident_memory_bytes gauge
";

/// Of the exporter and its own process.
const OWN: &str = "\
haproxy_up gauge
haproxy_exporter_scrapes_total counter
haproxy_exporter_csv_parse_failures_total counter
haproxy_exporter_scrape_duration_seconds gauge
haproxy_exporter_build_info gauge version,revision,rustversion
process_cpu_seconds_total counter
process_open_fds gauge
process_max_fds gauge
process_virtual_memory_bytes gauge
process_virtual_memory_max_bytes gauge
process_resident_memory_bytes gauge
process_start_time_seconds gauge
";

/// With `--haproxy.activity`, `--haproxy.peers`, `--haproxy.certificates` and `--haproxy.master-socket`.
const FLAGGED: &str = "\
haproxy_thread_stolen_seconds_total counter thread
haproxy_thread_loop_time_average_seconds gauge thread
haproxy_thread_loops_total counter thread
haproxy_thread_long_run_queues_total counter thread
haproxy_thread_accept_queue_full_total counter thread
haproxy_thread_pool_failures_total counter thread
haproxy_thread_buffer_waits_total counter thread
haproxy_thread_running_checks gauge thread
haproxy_ssl_certificate_not_after_timestamp_seconds gauge filename
haproxy_ssl_certificates_up gauge
haproxy_ssl_certificates_unread gauge
haproxy_ssl_certificates_read_timestamp_seconds gauge
haproxy_peer_up gauge peers,peer
haproxy_peer_no_heartbeat_total counter peers,peer
haproxy_peer_protocol_errors_total counter peers,peer
haproxy_peer_reconnects_total counter peers,peer
haproxy_peers_up gauge
haproxy_master_up gauge
haproxy_master_uptime_seconds gauge
haproxy_master_reloads_total counter
haproxy_master_last_reload_successful gauge
haproxy_old_workers gauge
haproxy_old_workers_unanswered gauge
haproxy_old_workers_oldest_age_seconds gauge
haproxy_old_workers_current_connections gauge
haproxy_old_workers_resident_memory_bytes gauge
haproxy_old_workers_requests_total counter
haproxy_old_workers_connections_total counter
haproxy_old_workers_bytes_out_total counter
";

/// Only under the exporter names.
const EXPORTER: &str = "\
haproxy_version_info gauge release_date,version
haproxy_info gauge node,release_date,version
haproxy_process_pid gauge
";

/// Type and labels by name.
type Families = BTreeMap<String, (String, String)>;

/// What a profile lists; each name once, each with a help text.
fn listed(names: &str) -> Families {
    let mut command = exporter::command();
    command.args([&format!("--haproxy.metric-names={names}"), "--list-metrics"]);
    let (status, output, error) = peers::run(&mut command);
    assert!(status.success() && error.is_empty(), "{error}");
    let mut families = Families::new();
    for line in output.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, kind, labels, help] = cells[..] else {
            panic!("{line:?}")
        };
        assert!(help.ends_with('.') && help.len() > 8, "{line:?}");
        let family = (kind.to_owned(), labels.to_owned());
        assert_eq!(
            families.insert(name.to_owned(), family),
            None,
            "{name} twice"
        );
    }
    families
}

/// Adds the lines of a table: a name, a type and, if there are any, labels.
fn add_lines(families: &mut Families, lines: &str) {
    for line in lines.lines() {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap_or_default();
        add(families, word(), word(), word());
    }
}

fn add(families: &mut Families, name: &str, kind: &str, labels: &str) {
    families.insert(name.to_owned(), (kind.to_owned(), labels.to_owned()));
}

/// What both profiles have.
fn common() -> Families {
    let mut families = Families::new();
    for lines in [OWN, FLAGGED, PID_FILE] {
        add_lines(&mut families, lines);
    }
    for line in contract::lines_and_ours() {
        if line.scope == "process" {
            add(
                &mut families,
                &line.name,
                &line.kind,
                &line.labels.join(","),
            );
        }
    }
    families
}

/// What is listed in `facts.tsv` for these sets of names. The label of a proxy is `proxy`, or else the word of
/// the row's scope.
fn add_facts(families: &mut Families, names: &[&str], proxy: &str) {
    for fact in fixtures::facts() {
        if fact["scope"] == "process" || !names.contains(&fact["names"].as_str()) {
            continue;
        }
        let row = match (fact["scope"].as_str(), proxy) {
            ("server", "") => "backend,server".to_owned(),
            (scope, "") => scope.to_owned(),
            ("server", proxy) => format!("{proxy},server"),
            (_, proxy) => proxy.to_owned(),
        };
        let own = fact["label"].split_once('=').map(|(name, _)| name);
        let labels: Vec<&str> = [row.as_str()].into_iter().chain(own).collect();
        add(families, &fact["name"], &fact["type"], &labels.join(","));
    }
}

fn assert_same(got: &Families, want: &Families) {
    let missing: Vec<_> = want
        .iter()
        .filter(|(name, is)| got.get(*name) != Some(*is))
        .collect();
    let extra: Vec<_> = got
        .iter()
        .filter(|(name, is)| want.get(*name) != Some(*is))
        .collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "wanted {missing:#?}, listed {extra:#?}"
    );
}

#[test]
fn builtin_names() {
    let mut want = common();
    for line in contract::lines() {
        let mut labels = line.labels.clone();
        labels.extend(line.constant.map(|(name, _)| name));
        add(&mut want, &line.name, &line.kind, &labels.join(","));
    }
    add_facts(&mut want, &["both"], "proxy");
    let info = "proxy,server,address,cookie";
    add(&mut want, "haproxy_server_info", "gauge", info);
    assert_same(&listed("builtin"), &want);
    assert_eq!(want.len(), 451 + 7 + 12 + 5 + 6 + FLAGGED.lines().count());
}

#[test]
fn exporter_names() {
    let mut want = common();
    for (name, renamed) in fixtures::RENAMED {
        want.remove(name).expect("a builtin name");
        if let Some(renamed) = renamed {
            add(&mut want, renamed, "counter", "");
        }
    }
    add_lines(&mut want, EXPORTER);
    for line in fixtures::text("metrics.tsv").lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let constant = cells[6].split_once('=').map(|(name, _)| name);
        let labels = match cells[5] {
            "-" => String::new(),
            labels => labels.replace(' ', ""),
        };
        let labels: Vec<&str> = labels
            .split(',')
            .chain(constant)
            .filter(|label| !label.is_empty())
            .collect();
        add(&mut want, cells[3], cells[4], &labels.join(","));
    }
    add_facts(&mut want, &["both", "exporter"], "");
    let info = "backend,server,address,cookie";
    add(&mut want, "haproxy_server_info", "gauge", info);
    assert_same(&listed("exporter"), &want);
}

/// As Prometheus recommends: counters end in `_total`, other families do not.
#[test]
fn counters_of_the_exporter_names_end_in_total() {
    let families = listed("exporter");
    let wrong = families.iter().filter(|(name, (kind, _))| {
        // The Go exporter has these names: an average of the total time.
        name.ends_with("_total") != (kind == "counter")
    });
    assert_eq!(wrong.collect::<Vec<_>>(), []);
    assert!(families.len() > 100, "{}", families.len());
}

/// What is open now is not called a counter, though HAProxy types it as one.
#[test]
fn gauges_of_modules_are_called_so() {
    let mut command = exporter::command();
    command.args(["--haproxy.metric-names=builtin", "--list-metrics"]);
    let (_, output, _) = peers::run(&mut command);
    let is_gauge = |line: &&str| {
        let name = line.split('\t').next().unwrap_or_default();
        name.ends_with("_open_connections")
            || name.ends_with("_open_streams")
            || name.ends_with("_half_open_conn")
    };
    let lines: Vec<&str> = output.lines().filter(is_gauge).collect();
    assert!(lines.len() >= 8, "{lines:?}");
    for line in lines {
        assert!(!line.contains("counter of"), "{line}");
        assert!(line.contains("a gauge in spite of its type"), "{line}");
    }
}

/// Names and query, and the line that HAProxy gets. A backend's servers are counted, under the exporter names for
/// the servers' families. Without rows it is asked for `show info` all the same, to see whether it is up.
const ASKED: &str = "\
builtin  | show stat -1 15 -1;show info;show table;show stat domain resolvers
builtin scope=* | show stat -1 15 -1;show info;show table;show stat domain resolvers
builtin scope=global | show info
builtin scope=frontend | show stat -1 1 -1
builtin scope=backend | show stat -1 6 -1
builtin scope=server | show stat -1 4 -1
builtin scope=listener | show stat -1 8 -1
builtin scope=sticktable | show info;show table
builtin scope=resolver | show info;show stat domain resolvers
builtin scope= | show info
builtin metrics=haproxy_up | show info
builtin metrics=nothing,haproxy_up | show info
exporter scope=listener&scope=sticktable&scope=resolver | show info
builtin scope=frontend&scope=listener | show stat -1 9 -1
builtin scope=frontend&scope=global | show stat -1 1 -1;show info
builtin scope=frontend&scope=sticktable | show stat -1 1 -1;show table
builtin scope=server&scope=resolver | show stat -1 4 -1;show info;show stat domain resolvers
builtin scope=global&scope=sticktable&scope=resolver | show info;show table;show stat domain resolvers
builtin metrics=haproxy_frontend_status | show stat -1 1 -1
builtin metrics=haproxy_backend_status | show stat -1 2 -1
builtin metrics=haproxy_backend_agg_server_status | show stat -1 6 -1
builtin metrics=haproxy_server_status,haproxy_frontend_status | show stat -1 5 -1
builtin metrics=haproxy_listener_status | show stat -1 8 -1
builtin metrics=haproxy_sticktable_used | show info;show table
builtin metrics=haproxy_process_jobs | show info
builtin metrics=haproxy_process_build_info | show info
builtin metrics=haproxy_resolver_sent,haproxy_up | show info;show stat domain resolvers
builtin no-maint | show stat -1 15 -1;show info;show table;show stat domain resolvers
builtin extra-counters&scope=frontend | show stat -1 1 -1
builtin extra-counters&metrics=haproxy_backend_h1_open_streams | show stat -1 2 -1
exporter  | show stat -1 7 -1;show info
exporter scope=global | show info
exporter scope=frontend | show stat -1 1 -1
exporter scope=backend | show stat -1 2 -1
exporter scope=server | show stat -1 6 -1
exporter scope=frontend&scope=backend | show stat -1 3 -1
exporter metrics=haproxy_server_up | show stat -1 4 -1
exporter metrics=haproxy_version_info | show info
exporter metrics=haproxy_backend_up,haproxy_process_pid | show stat -1 2 -1;show info
exporter extra-counters&no-maint | show stat -1 7 -1;show info
";

#[test]
fn only_what_is_wanted() {
    let responder = Responder::start(Answers::recorded("3.4.0", "", ""));
    let exporter = Exporter::start(&[&responder.flag()]);
    // From then on the version is known.
    ours::get(&exporter, "/metrics?names=builtin");
    responder.take_lines();
    for case in ASKED.lines() {
        let (request, line) = case.split_once(" | ").expect("a request and a line");
        let (names, query) = request.split_once(' ').expect("names and a query");
        ours::get(&exporter, &format!("/metrics?names={names}&{query}"));
        assert_eq!(responder.take_lines(), [line], "{request}");
    }
    assert_eq!(exporter.finish().problems(), []);
}

/// A release is needed only for resolvers.
#[test]
fn nothing_is_asked_beforehand() {
    for (query, line) in [
        ("scope=frontend", "show stat -1 1 -1"),
        (
            "scope=sticktable&scope=server",
            "show stat -1 4 -1;show table",
        ),
        ("scope=global", "show info"),
    ] {
        let responder = Responder::start(Answers::recorded("3.4.0", "", ""));
        let exporter = ours::start(&[&responder.flag()]);
        ours::get(&exporter, &format!("/metrics?{query}"));
        assert_eq!(responder.take_lines(), [line]);
    }
}
