//! A HAProxy at work, read through its own exporter and through ours at the same time.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::Table;
use super::classes::{Around, Class};
use super::contract;
use super::farm::Farm;
use super::ours;
use super::text::{self, Family, Sample};
use crate::support::exporter::Exporter;
use crate::support::haproxy::RELEASES;
use crate::support::peers;

/// Comparisons of everything. A value that moves within one stands still in another.
const MOST_TRIES: usize = 40;

/// Samples by `name{labels}`, without those that are not a number.
pub(super) fn values(families: &[Family]) -> BTreeMap<String, String> {
    let samples = text::samples(families).into_iter();
    let numbers = samples.filter(|(_, sample)| !sample.number().is_nan());
    numbers
        .map(|(name, sample)| (sample.key(&name), sample.value))
        .collect()
}

/// HAProxy's rows, as they are before or after.
fn rows(farm: &Farm) -> Table {
    let stat = farm.haproxy.cli("show stat -1 15 -1");
    Table::read(stat.strip_suffix('\n').expect("the empty line"))
}

pub(super) fn theirs(farm: &Farm, query: &str) -> Vec<Family> {
    let response = farm.get_builtin(query);
    assert_eq!(response.status, 200, "{query}");
    text::read(response.text())
}

/// Each sample of HAProxy's exporter is ours, or has the class that explains it, at least once.
#[test]
fn every_sample_is_explained() {
    every_sample_of("haproxy");
}

/// The same with HAProxy 2.8.
#[test]
fn every_sample_of_2_8_is_explained() {
    every_sample_of("haproxy-2.8");
}

fn every_sample_of(release: &str) {
    let Some(farm) = Farm::start_release(release) else {
        return;
    };
    let exporter = ours::start(&[&farm.haproxy.unix_flag()]);
    let mut open: Option<BTreeSet<String>> = None;
    let mut classes: BTreeMap<String, Class> = BTreeMap::new();
    let mut last = Vec::new();
    for try_number in 1..=MOST_TRIES {
        let before = (rows(&farm), values(&ours::get(&exporter, "/metrics")));
        let families = theirs(&farm, "");
        let after = (values(&ours::get(&exporter, "/metrics")), rows(&farm));
        let around = Around::new([before.1, after.0], [before.0, after.1]);
        let samples: Vec<(String, Sample)> = text::samples(&families);
        let mut unexplained = BTreeSet::new();
        last.clear();
        for (name, sample) in &samples {
            let key = sample.key(name);
            match around.class(name, sample) {
                Some(class) => drop(classes.insert(key, class)),
                None => {
                    let ours = around.values.each_ref().map(|values| values.get(&key));
                    last.push(format!("{key} is {} there, {ours:?} here", sample.value));
                    unexplained.insert(key);
                }
            }
        }
        let still = match open.take() {
            Some(open) => open.intersection(&unexplained).cloned().collect(),
            None => unexplained,
        };
        if still.is_empty() {
            report(try_number, &classes);
            assert_nothing_more(&around, &families);
            assert_eq!(exporter.finish().problems(), []);
            return;
        }
        open = Some(still);
    }
    panic!(
        "never explained: {open:#?}\nthe last time:\n{}",
        last.join("\n")
    );
}

fn report(tries: usize, classes: &BTreeMap<String, Class>) {
    let mut counts: BTreeMap<Class, usize> = BTreeMap::new();
    for class in classes.values() {
        *counts.entry(*class).or_default() += 1;
    }
    peers::note(&format!(
        "{} samples, {tries} comparisons: {counts:?}",
        classes.len()
    ));
    for class in [
        Class::Equal,
        Class::NotANumber,
        Class::Average,
        Class::Paused,
    ] {
        assert!(counts.contains_key(&class), "none of class {class:?}");
    }
}

/// All of ours that is in families of HAProxy's exporter is there, and the rest is newer.
fn assert_nothing_more(around: &Around, theirs: &[Family]) {
    let keys: BTreeSet<String> = text::samples(theirs)
        .iter()
        .map(|(name, sample)| sample.key(name))
        .collect();
    let names: BTreeSet<&String> = theirs.iter().map(|family| &family.name).collect();
    let lines = contract::lines_and_ours();
    for key in around.values[1].keys() {
        let name = key.split('{').next().expect("a name").to_owned();
        if ours::is_own(&name) || keys.contains(key) {
            continue;
        }
        let line = lines.iter().find(|line| line.name == name);
        let line = line.unwrap_or_else(|| panic!("{key} is not in the contract"));
        assert!(!names.contains(&name), "HAProxy does not have {key}");
        assert_ne!(line.since, "2.4", "{key}");
    }
}

/// What /proc says better than `show info` comes once, and is as HAProxy's exporter has it.
#[test]
fn a_pid_file() {
    let Some(farm) = Farm::start() else { return };
    let pid_file = farm.haproxy.write_pid_file();
    let pid_flag = format!("--haproxy.pid-file={}", pid_file.display());
    let exporter = ours::start(&[&farm.haproxy.unix_flag(), &pid_flag]);
    let ours = ours::get(&exporter, "/metrics");
    let theirs = theirs(&farm, "");
    let number = |families: &[Family], name: &str| {
        let family = families.iter().find(|family| family.name == name);
        let family = family.unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(family.samples.len(), 1, "{name}");
        family.samples[0].number()
    };
    const START: &str = "haproxy_process_start_time_seconds";
    const FDS: &str = "haproxy_process_max_fds";
    // HAProxy says what it needs, the kernel what it may have.
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", farm.haproxy.peer.pid()));
    let limits = limits.expect("limits");
    let mut limits = limits.lines();
    let files = limits.find_map(|line| line.strip_prefix("Max open files"));
    let soft = files.and_then(|files| files.split_whitespace().next()?.parse().ok());
    assert_eq!(Some(number(&ours, FDS)), soft);
    assert!(number(&theirs, FDS) <= number(&ours, FDS));
    // HAProxy says when its configuration was read, the kernel when the process began.
    assert!((number(&ours, START) - number(&theirs, START)).abs() < 3.0);
    assert!(number(&ours, "haproxy_process_resident_memory_bytes") > 1e6);
}

/// The linter has nothing to say but what it says of HAProxy's own exporter: its names are not as
/// Prometheus recommends.
#[test]
fn lint() {
    let Some(promtool) = peers::find("promtool") else {
        return;
    };
    let Some(farm) = Farm::start() else { return };
    let exporter = ours::start(&[&farm.haproxy.unix_flag()]);
    let complaints = |text: &[u8]| -> BTreeSet<String> {
        let mut command = std::process::Command::new(&promtool);
        command.args(["check", "metrics"]);
        let (status, output, error) = peers::run_with_input(&mut command, text);
        // 3 is for names, 1 for text that is not an exposition.
        assert_eq!(status.code(), Some(3), "{output}{error}");
        error.lines().map(str::to_owned).collect()
    };
    let ours = complaints(&exporter.get("/metrics").body);
    let theirs = complaints(&farm.get_builtin("").body);
    let newer: Vec<&String> = ours.difference(&theirs).collect();
    assert_eq!(newer, [""; 0], "of {} complaints", theirs.len());
    peers::note(&format!(
        "{} complaints, all of HAProxy's names",
        ours.len()
    ));
}

/// The linter has nothing to say of the exporter names, as of those of the Go exporter.
#[test]
fn lint_of_the_exporter_names() {
    let Some(promtool) = peers::find("promtool") else {
        return;
    };
    for release in RELEASES {
        let Some(farm) = Farm::start_release(release) else {
            return;
        };
        let exporter = Exporter::start(&[
            &farm.haproxy.unix_flag(),
            "--haproxy.peers",
            "--haproxy.certificates",
        ]);
        let text = exporter.get("/metrics").body;
        let mut command = std::process::Command::new(&promtool);
        command.args(["check", "metrics"]);
        let (status, output, error) = peers::run_with_input(&mut command, &text);
        assert_eq!(
            (status.code(), output + &error),
            (Some(0), String::new()),
            "{release}"
        );
    }
}

/// Nothing that is asked needs more than the level `user`.
#[test]
fn level_user() {
    let Some(farm) = Farm::start() else { return };
    let keys = |flag: &str| -> BTreeSet<String> {
        let exporter = ours::start(&[flag]);
        let keys = values(&ours::get(&exporter, "/metrics"))
            .into_keys()
            .collect();
        assert_eq!(exporter.finish().problems(), []);
        keys
    };
    let admin = keys(&farm.haproxy.unix_flag());
    let user = keys(&format!("--haproxy.scrape-uri={}", farm.user_uri()));
    assert_eq!(admin.difference(&user).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(user.difference(&admin).collect::<Vec<_>>(), [""; 0]);
}
