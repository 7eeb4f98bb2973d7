//! `promtool` runs the alerts and recording rules against the series in `rules/*.yml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{read, share};
use crate::support::{exporter, peers};

const ALERTS: &str = "prometheus/alerts.yml";
const OLD_NAMES: &str = "prometheus/old-names.yml";

/// The files that `promtool test rules` reads.
fn tests() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/monitoring/rules");
    let entries = std::fs::read_dir(&directory).expect("the directory of the rules' tests");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a directory entry").path())
        .collect();
    files.sort();
    files
}

/// What follows `key` on the lines that begin with it.
fn values<'t>(text: &'t str, key: &'t str) -> impl Iterator<Item = &'t str> {
    text.lines()
        .filter_map(move |line| line.trim_start().strip_prefix(key))
}

#[test]
fn every_rule_does_what_its_tests_say() {
    let Some(promtool) = peers::find("promtool") else {
        return;
    };
    let mut check = Command::new(&promtool);
    check.args(["check", "rules"]);
    check.args([share(ALERTS), share(OLD_NAMES)]);
    let mut test = Command::new(&promtool);
    test.args(["test", "rules"]).args(tests());
    for mut command in [check, test] {
        let (status, output, error) = peers::run(&mut command);
        assert!(status.success(), "{output}{error}");
    }
}

/// What the tests expect of one alert.
#[derive(Default)]
struct Expected {
    /// There is a moment at which it does not fire.
    quiet: bool,
    /// The label sets with which it fires.
    fires: Vec<String>,
}

fn expected() -> BTreeMap<String, Expected> {
    let mut alerts: BTreeMap<String, Expected> = BTreeMap::new();
    for file in tests() {
        let text = read(&file);
        let mut name = "";
        for line in text.lines().map(str::trim_start) {
            if let Some(alert) = line.strip_prefix("alertname: ") {
                name = alert;
            } else if line == "exp_alerts: []" {
                alerts.entry(name.to_owned()).or_default().quiet = true;
            } else if let Some(labels) = line.strip_prefix("- exp_labels: ") {
                let alert = alerts.entry(name.to_owned()).or_default();
                alert.fires.push(labels.to_owned());
            }
        }
    }
    alerts
}

/// Every alert fires and keeps quiet in a test, and where the two sets of names differ it fires
/// under both.
#[test]
fn every_alert_is_tested() {
    // Stick tables are exported under the builtin names only.
    const ONE_SET: [&str; 1] = ["HaproxyStickTableFull"];
    let text = read(&share(ALERTS));
    let names: Vec<&str> = values(&text, "- alert: ").collect();
    let mut expected = expected();
    assert!(names.len() >= 12, "{names:?}");
    for block in text.split("- alert: ").skip(1) {
        // A blank line ends a rule.
        let block = block.split("\n\n").next().unwrap_or_default();
        let name = block.lines().next().unwrap_or_default();
        let alert = expected
            .remove(name)
            .unwrap_or_else(|| panic!("no test of {name}"));
        assert!(alert.quiet, "no test in which {name} keeps quiet");
        let fires = |label: &str| alert.fires.iter().any(|labels| labels.contains(label));
        assert!(fires("severity: "), "no test in which {name} fires");
        let rows = [
            "haproxy_frontend_",
            "haproxy_backend_",
            "haproxy_server_",
            "haproxy:",
        ];
        let differs = rows.iter().any(|rows| block.contains(rows)) && !ONE_SET.contains(&name);
        if differs || block.contains("__name__") {
            assert!(fires("proxy: "), "{name} is not tested under builtin names");
            assert!(
                fires("backend: ") || fires("frontend: "),
                "{name} is not tested under exporter names"
            );
        }
    }
    let unknown: Vec<&String> = expected.keys().collect();
    assert!(
        unknown.is_empty(),
        "tests of alerts that are gone: {unknown:?}"
    );
}

/// An alert for a family that nobody exports would never fire.
#[test]
fn every_family_of_an_alert_is_exported() {
    let mut exported = BTreeSet::new();
    for names in ["exporter", "builtin"] {
        let mut command = exporter::command();
        command.args(["--list-metrics", &format!("--haproxy.metric-names={names}")]);
        let (status, list, error) = peers::run(&mut command);
        assert!(status.success(), "{error}");
        exported.extend(
            list.lines()
                .filter_map(|l| Some(l.split_once('\t')?.0.to_owned())),
        );
    }
    let text = read(&share(ALERTS));
    for block in text.split("        expr: ").skip(1) {
        let expression = block.split("        labels: ").next().unwrap_or_default();
        let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let families = words.filter(|w| w.starts_with("haproxy_") && *w != "haproxy_");
        for family in families {
            assert!(exported.contains(family), "no {family} in {expression}");
        }
    }
}

/// The five names are recorded, each is asked for in a test, and no other.
#[test]
fn every_old_name_is_tested() {
    let text = read(&share(OLD_NAMES));
    let recorded: BTreeSet<&str> = values(&text, "- record: ").collect();
    let wanted = BTreeSet::from([
        "haproxy_server_check_duration_milliseconds",
        "haproxy_exporter_csv_parse_failures",
        "haproxy_exporter_total_scrapes",
        "haproxy_server_connections_total",
        "haproxy_backend_connections_total",
    ]);
    assert_eq!(recorded, wanted);
    let tests: String = tests().iter().map(|file| read(file)).collect();
    let asked: BTreeSet<&str> = values(&tests, "- expr: ").collect();
    let missing: Vec<_> = recorded.difference(&asked).collect();
    assert!(missing.is_empty(), "not tested: {missing:?}");
}
