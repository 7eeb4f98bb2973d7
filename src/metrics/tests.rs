use std::collections::{BTreeMap, BTreeSet};

use super::catalog::{Catalog, label_names};
use super::*;
use crate::commands;
use crate::haproxy::columns::number;

fn catalog() -> Catalog {
    commands::catalog(&(0..1024).collect::<Vec<_>>())
}

/// The contract: scope, column, csv_name, family, type, labels, const_label, value.
const CONTRACT: &str = include_str!("../../tests/fixtures/metrics.tsv");

/// What we have besides, under both sets of names: its second column is the family.
const FACTS: &str = include_str!("../../tests/fixtures/facts.tsv");

#[test]
fn the_exporter_profile_is_the_contract() {
    let mut expected: Vec<String> = CONTRACT
        .lines()
        .skip(1)
        .map(|line| {
            let f: Vec<&str> = line.split('\t').collect();
            [f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7]].join(" ")
        })
        .collect();
    let mut ours = Vec::new();
    let facts: BTreeSet<&str> = FACTS.lines().filter_map(|l| l.split('\t').nth(1)).collect();
    for (group, family) in catalog().families(EXPORTER) {
        let name = format!("{}{}", group.prefix, family.name);
        if group.rows == RowsOf::Group || facts.contains(name.as_str()) {
            continue;
        }
        let scope = group.scope;
        for cell in family.cells {
            let label = match labels::LABELS[usize::from(cell.label)] {
                ("", _) => "-".to_owned(),
                (name, value) => format!("{name}={value}"),
            };
            let value = match cell.conversion {
                Conversion::Integer => "integer",
                Conversion::Milliseconds => "ms_to_s",
                Conversion::TakesTraffic => "status",
                other => panic!("{other:?}"),
            };
            ours.push(format!(
                "{scope} {} {} {}{} {} {} {label} {value}",
                number(cell.column).unwrap(),
                cell.column,
                group.prefix,
                family.name,
                family.kind.word(),
                group.labels.join(","),
            ));
        }
    }
    expected.sort();
    ours.sort();
    assert_eq!(ours, expected);
}

#[test]
fn names_are_unique_and_valid() {
    // Both may be given by /proc as well as by `show info`; then they come once.
    let twice = [
        "haproxy_process_max_fds",
        "haproxy_process_start_time_seconds",
    ];
    for profile in 0..PROFILES.len() {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for (group, family) in catalog().families(profile) {
            let name = format!("{}{}", group.prefix, family.name);
            *names.entry(name.clone()).or_default() += 1;
            assert!(is_name(&name), "{name}");
            let help = family.help(group).concat();
            assert!(help.ends_with('.') && help.len() > 8, "{name}");
            assert!(!help.contains(['\\', '\n', '|', '\t']), "{name}");
            let labels = label_names(group, family);
            assert_eq!(
                labels.iter().collect::<BTreeSet<_>>().len(),
                labels.len(),
                "{name}"
            );
            assert!(
                labels
                    .iter()
                    .all(|label| is_name(label) && !label.starts_with("__")),
                "{name}"
            );
            let label = |cell: &Cell| labels::LABELS[usize::from(cell.label)];
            let values: BTreeSet<_> = family.cells.iter().map(label).collect();
            assert_eq!(values.len(), family.cells.len(), "{name}");
        }
        for (name, count) in names {
            let expected = if twice.contains(&name.as_str()) { 2 } else { 1 };
            assert_eq!(count, expected, "{name}");
        }
    }
}

#[test]
fn counters_of_the_exporter_profile_and_only_they_end_in_total() {
    for (group, family) in catalog().families(EXPORTER) {
        // The names of `show info` are HAProxy's own.
        if group.scope != "global" || group.rows != RowsOf::Group {
            let is_total = family.name.ends_with("_total");
            assert_eq!(family.kind == Kind::Counter, is_total, "{}", family.name);
        }
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes.next();
    first.is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[test]
fn slots_and_families_fit_their_numbers() {
    let catalog = catalog();
    for row_type in RowType::ALL {
        assert!(
            catalog.stored_columns(row_type).len() < usize::from(u8::MAX),
            "{row_type:?}"
        );
    }
    for (profile, name) in PROFILES.iter().enumerate() {
        let count = catalog.families(profile).count();
        for (number, (group, family)) in catalog.families(profile).enumerate() {
            let rows = catalog.rows_of_family(profile, number);
            assert_eq!(rows, catalog.rows_of(group), "{}", family.name);
            for (cell, made_of) in family.cells.iter().enumerate() {
                let slot = catalog.slot_of_cell(profile, number, cell).unwrap();
                match group.rows {
                    RowsOf::Stat(row_type) => {
                        let stored = catalog.stored_columns(row_type)[slot];
                        assert_eq!(stored.column, made_of.column, "{}", family.name);
                        assert_eq!(stored.conversion, made_of.conversion, "{}", family.name);
                    }
                    RowsOf::Group => {
                        assert_eq!(family.name, group.families[slot].name);
                        assert_eq!(cell, 0, "{}", family.name);
                    }
                }
            }
        }
        assert!(count < 640, "{name}: {count}");
        assert!(catalog.family(profile, count).is_none());
    }
}

/// Rows keep one text for their labels, but for the name of the first.
#[test]
fn groups_of_the_same_rows_have_the_same_labels_behind_the_first() {
    for row_type in RowType::ALL {
        let catalog = catalog();
        let families = (0..PROFILES.len()).flat_map(|profile| catalog.families(profile));
        let groups = families.map(|(group, _)| group);
        let groups: Vec<_> = groups
            .filter(|group| group.rows == RowsOf::Stat(row_type))
            .collect();
        assert!(!groups.is_empty());
        for group in groups {
            let more = labels::labels_behind_proxy(row_type);
            assert_eq!(&group.labels[1..], more, "{}", group.prefix);
        }
    }
}
