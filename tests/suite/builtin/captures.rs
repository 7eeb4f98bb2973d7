//! The reference against recordings of HAProxy's own exporter: each of its samples is explained.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::{Answers, VERSIONS};
use super::classes::Class::*;
use super::classes::{Around, Class};
use super::contract::{self, is_as_new_as};
use super::reference::{self, Expected};
use super::text;
use crate::support::fixtures;
use crate::support::peers;

/// How many samples of each recording are of each class.
#[rustfmt::skip]
const COUNTS: [(&str, &[(Class, usize)]); 5] = [
    ("2.4.0", &[(Equal, 3766), (Moved, 8), (Question, 3), (NotANumber, 243), (Average, 10), (Paused, 3)]),
    (
        "2.6.12",
        &[
            (Equal, 4074),
            (Moved, 55),
            (Question, 2),
            (NotANumber, 234),
            (Average, 21),
            (Paused, 3),
            (PausedCounted, 1),
        ],
    ),
    ("3.0.0", &[(Equal, 4269), (Moved, 10), (Question, 3), (NotANumber, 234), (Average, 25), (Paused, 3)]),
    ("3.2.0", &[(Equal, 4571), (Moved, 10), (Question, 3), (NotANumber, 234), (Average, 21), (Paused, 3)]),
    (
        "3.4.0",
        &[
            (Equal, 4939),
            (Moved, 9),
            (Fell, 1),
            (Question, 3),
            (NotANumber, 232),
            (Average, 17),
            (Paused, 3),
            (LocalUpdates, 4),
        ],
    ),
];
/// The same for its extra counters, where they were recorded.
const EXTRA_COUNTS: [(&str, &[(Class, usize)]); 2] = [
    ("3.2.0", &[(Equal, 1449), (Moved, 4), (Question, 2)]),
    ("3.4.0", &[(Equal, 2342), (Moved, 4), (Question, 2)]),
];

/// The families whose type HAProxy 3.2 and later takes from the first sample, which is a gauge's `NaN`.
const MISTYPED: [&str; 3] = [
    "haproxy_server_check_failures_total",
    "haproxy_server_check_up_down_total",
    "haproxy_server_downtime_seconds_total",
];

/// What the reference makes of the answers before and after; `name` is of the file of rows.
fn around(version: &str, prefix: &str) -> (Around, BTreeMap<String, Expected>) {
    let answers = ["", "-after"].map(|when| Answers::recorded(version, prefix, when));
    let expected = answers.each_ref().map(reference::all);
    let values = expected.each_ref().map(|expected| {
        let samples = expected.iter();
        samples
            .map(|(key, sample)| (key.clone(), sample.value.clone()))
            .collect()
    });
    let rows = answers.each_ref().map(Answers::stat);
    let [before, _] = expected;
    (Around::new(values, rows), before)
}

fn check_counts(version: &str, counts: &BTreeMap<Class, usize>, all: &[(&str, &[(Class, usize)])]) {
    let (_, wanted) = all.iter().find(|(of, _)| *of == version).expect("counts");
    let counts: Vec<(Class, usize)> = counts
        .iter()
        .map(|(class, count)| (*class, *count))
        .collect();
    assert_eq!(&counts, wanted, "{version}");
}

#[test]
fn every_sample_is_explained() {
    for version in VERSIONS {
        let (around, expected) = around(version, "");
        let families =
            text::read_recorded(&fixtures::text(&format!("builtin/{version}/promex.prom")));
        let samples = text::samples(&families);
        let counts = around.classify(&samples);
        peers::note(&format!("{version}: {} samples: {counts:?}", samples.len()));
        for (name, sample) in &samples {
            if around.class(name, sample) == Some(Equal) {
                assert_eq!(
                    around.values[0][&sample.key(name)],
                    sample.value,
                    "byte for byte"
                );
            }
        }
        let printed: BTreeSet<String> = samples
            .iter()
            .map(|(name, sample)| sample.key(name))
            .collect();
        let expected = expected
            .iter()
            .filter(|(_, sample)| ["main", "module"].contains(&sample.line.set.as_str()));
        let unmatched: Vec<&String> = expected
            .filter(|(key, sample)| {
                !printed.contains(*key) && is_as_new_as(version, &sample.line.since)
            })
            .map(|(key, _)| key)
            .collect();
        assert!(
            unmatched.is_empty(),
            "{version}: HAProxy does not have {unmatched:#?}"
        );
        check_counts(version, &counts, &COUNTS);
    }
}

/// The samples with a label `mod`, which are all that `?extra-counters` adds.
#[test]
fn every_extra_counter_is_explained() {
    for (version, _) in EXTRA_COUNTS {
        let (around, expected) = around(version, "extra-");
        let recorded = fixtures::text(&format!("builtin/{version}/promex-extra.prom"));
        let samples = text::read_samples(&recorded);
        let counts = around.classify(&samples);
        peers::note(&format!("{version}: {} samples: {counts:?}", samples.len()));
        let printed: BTreeSet<String> = samples
            .iter()
            .map(|(name, sample)| sample.key(name))
            .collect();
        let extra = expected
            .iter()
            .filter(|(_, sample)| sample.line.set == "extra");
        let ours: BTreeSet<String> = extra.map(|(key, _)| key.clone()).collect();
        assert!(ours.is_subset(&printed), "{:#?}", ours.difference(&printed));
        check_counts(version, &counts, &EXTRA_COUNTS);
    }
}

/// Counters and gauges are those of HAProxy's exporter, but for what it mistypes.
#[test]
fn types() {
    let lines = contract::lines();
    for version in VERSIONS {
        let families =
            text::read_recorded(&fixtures::text(&format!("builtin/{version}/promex.prom")));
        let mut mistyped = Vec::new();
        for family in &families {
            if family.name == "haproxy_sticktable_local_updates" {
                continue;
            }
            let line = lines.iter().find(|line| line.name == family.name);
            let line = line.unwrap_or_else(|| panic!("{} is not in the contract", family.name));
            if line.kind != family.kind {
                mistyped.push(family.name.as_str());
            }
        }
        let wanted: &[&str] = match is_as_new_as(version, "3.2") {
            true => &MISTYPED,
            false => &[],
        };
        assert_eq!(mistyped, wanted, "{version}");
        peers::note(&format!("{version}: {} families", families.len()));
    }
}
