use super::*;
use std::collections::BTreeSet;

/// The contract: scope, column, csv_name, family, type, labels, const_label, value.
const CONTRACT: &str = include_str!("../../tests/fixtures/metrics.tsv");

#[test]
fn the_catalog_is_the_contract() {
    let mut expected: Vec<String> = CONTRACT
        .lines()
        .skip(1)
        .map(|line| {
            let f: Vec<&str> = line.split('\t').collect();
            [f[0], f[1], f[3], f[4], f[5], f[6], f[7]].join(" ")
        })
        .collect();
    let mut ours = Vec::new();
    for (scope, name) in Scope::ALL
        .into_iter()
        .zip(["frontend", "backend", "server"])
    {
        let labels: Vec<&str> = scope.labels().iter().map(|(name, _)| *name).collect();
        for row in GO_EXPORTER.families(scope) {
            for cell in row.cells {
                let label = cell
                    .label
                    .map_or("-".to_owned(), |(name, value)| format!("{name}={value}"));
                let value = match cell.value {
                    Value::Integer => "integer",
                    Value::Milliseconds => "ms_to_s",
                    Value::Status => "status",
                };
                ours.push(format!(
                    "{name} {} {} {} {} {label} {value}",
                    cell.column,
                    row.family.name,
                    row.family.kind.word(),
                    labels.join(","),
                ));
            }
        }
    }
    expected.sort();
    ours.sort();
    assert_eq!(ours, expected);
}

#[test]
fn names_are_unique_and_valid() {
    let mut names = BTreeSet::new();
    for (family, labels) in all() {
        assert!(names.insert(family.name), "{} stands twice", family.name);
        assert!(is_name(family.name), "{}", family.name);
        assert_eq!(
            family.kind == Kind::Counter,
            family.name.ends_with("_total"),
            "{}: counters, and only they, end in _total",
            family.name
        );
        assert!(
            !family.help.is_empty() && family.help.ends_with('.'),
            "{}",
            family.name
        );
        assert!(
            !family.help.contains(['\\', '\n', '|', '\t']),
            "{}",
            family.name
        );
        assert_eq!(
            labels.iter().collect::<BTreeSet<_>>().len(),
            labels.len(),
            "{}",
            family.name
        );
        assert!(
            labels
                .iter()
                .all(|label| is_name(label) && !label.starts_with("__"))
        );
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[test]
fn no_metric_reads_a_column_that_the_splitter_does_not_locate() {
    for scope in Scope::ALL {
        for row in GO_EXPORTER.families(scope) {
            for cell in row.cells {
                assert!(
                    cell.column < crate::haproxy::csv::LOCATED_FIELDS,
                    "{}",
                    row.family.name
                );
            }
        }
    }
}
