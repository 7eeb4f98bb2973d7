//! `--list-metrics` against the contracts of both profiles.

use std::collections::BTreeMap;

use super::contract;
use crate::support::exporter;
use crate::support::fixtures;
use crate::support::peers;

/// With a pid file; `max_fds` and `start_time_seconds` are in the contract as well.
const PID_FILE: [(&str, &str); 5] = [
    ("haproxy_process_cpu_seconds_total", "counter"),
    ("haproxy_process_open_fds", "gauge"),
    ("haproxy_process_virtual_memory_bytes", "gauge"),
    ("haproxy_process_virtual_memory_max_bytes", "gauge"),
    ("haproxy_process_resident_memory_bytes", "gauge"),
];

/// Of the exporter and its own process.
const OWN: [(&str, &str, &str); 12] = [
    ("haproxy_up", "gauge", ""),
    ("haproxy_exporter_scrapes_total", "counter", ""),
    ("haproxy_exporter_csv_parse_failures_total", "counter", ""),
    ("haproxy_exporter_scrape_duration_seconds", "gauge", ""),
    (
        "haproxy_exporter_build_info",
        "gauge",
        "version,revision,rustversion",
    ),
    ("process_cpu_seconds_total", "counter", ""),
    ("process_open_fds", "gauge", ""),
    ("process_max_fds", "gauge", ""),
    ("process_virtual_memory_bytes", "gauge", ""),
    ("process_virtual_memory_max_bytes", "gauge", ""),
    ("process_resident_memory_bytes", "gauge", ""),
    ("process_start_time_seconds", "gauge", ""),
];

/// With `--haproxy.activity`, `--haproxy.peers`, `--haproxy.certificates` and `--haproxy.master-socket`.
const FLAGGED: [(&str, &str, &str); 29] = [
    ("haproxy_thread_stolen_seconds_total", "counter", "thread"),
    (
        "haproxy_thread_loop_time_average_seconds",
        "gauge",
        "thread",
    ),
    ("haproxy_thread_loops_total", "counter", "thread"),
    ("haproxy_thread_long_run_queues_total", "counter", "thread"),
    (
        "haproxy_thread_accept_queue_full_total",
        "counter",
        "thread",
    ),
    ("haproxy_thread_pool_failures_total", "counter", "thread"),
    ("haproxy_thread_buffer_waits_total", "counter", "thread"),
    ("haproxy_thread_running_checks", "gauge", "thread"),
    (
        "haproxy_ssl_certificate_not_after_timestamp_seconds",
        "gauge",
        "filename",
    ),
    ("haproxy_ssl_certificates_up", "gauge", ""),
    ("haproxy_ssl_certificates_unread", "gauge", ""),
    (
        "haproxy_ssl_certificates_read_timestamp_seconds",
        "gauge",
        "",
    ),
    ("haproxy_peer_up", "gauge", "peers,peer"),
    ("haproxy_peer_no_heartbeat_total", "counter", "peers,peer"),
    (
        "haproxy_peer_protocol_errors_total",
        "counter",
        "peers,peer",
    ),
    ("haproxy_peer_reconnects_total", "counter", "peers,peer"),
    ("haproxy_peers_up", "gauge", ""),
    ("haproxy_master_up", "gauge", ""),
    ("haproxy_master_uptime_seconds", "gauge", ""),
    ("haproxy_master_reloads_total", "counter", ""),
    ("haproxy_master_last_reload_successful", "gauge", ""),
    ("haproxy_old_workers", "gauge", ""),
    ("haproxy_old_workers_unanswered", "gauge", ""),
    ("haproxy_old_workers_oldest_age_seconds", "gauge", ""),
    ("haproxy_old_workers_current_connections", "gauge", ""),
    ("haproxy_old_workers_resident_memory_bytes", "gauge", ""),
    ("haproxy_old_workers_requests_total", "counter", ""),
    ("haproxy_old_workers_connections_total", "counter", ""),
    ("haproxy_old_workers_bytes_out_total", "counter", ""),
];

/// Only under the exporter names.
const EXPORTER: [(&str, &str, &str); 3] = [
    ("haproxy_version_info", "gauge", "release_date,version"),
    ("haproxy_info", "gauge", "node,release_date,version"),
    ("haproxy_process_pid", "gauge", ""),
];

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

fn add(families: &mut Families, name: &str, kind: &str, labels: &str) {
    families.insert(name.to_owned(), (kind.to_owned(), labels.to_owned()));
}

/// What both profiles have.
fn common() -> Families {
    let mut families = Families::new();
    for (name, kind, labels) in OWN.into_iter().chain(FLAGGED) {
        add(&mut families, name, kind, labels);
    }
    for (name, kind) in PID_FILE {
        add(&mut families, name, kind, "");
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
    assert_eq!(want.len(), 451 + 7 + 12 + 5 + 6 + FLAGGED.len());
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
    for (name, kind, labels) in EXPORTER {
        add(&mut want, name, kind, labels);
    }
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
