//! Our answers, and how they differ from the reference.

use std::collections::{BTreeMap, BTreeSet};

use super::reference::Expected;
use super::text::{self, Family};
use crate::support::exporter::Exporter;

/// The families of the exporter itself, whose values are nobody else's.
pub(super) fn is_own(name: &str) -> bool {
    name == "haproxy_up" || name.starts_with("haproxy_exporter_") || name.starts_with("process_")
}

/// The families of one answer, all of them well-formed.
pub(super) fn get(exporter: &Exporter, path: &str) -> Vec<Family> {
    let response = exporter.get(path);
    assert_eq!(response.status, 200, "{path}: {}", response.text());
    assert_eq!(
        response.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    text::read(response.text())
}

/// An exporter with these flags whose names are HAProxy's.
pub(super) fn start(flags: &[&str]) -> Exporter {
    Exporter::start(&[flags, &["--haproxy.metric-names=builtin"]].concat())
}

/// Fails unless the families hold what is expected and, but for the exporter's own, nothing else.
pub(super) fn assert_same(
    families: &[Family],
    expected: &BTreeMap<String, Expected>,
    context: &str,
) {
    let differences = differences(families, expected);
    assert!(
        differences.is_empty(),
        "{context}: {} differences:\n{}",
        differences.len(),
        differences[..differences
            .len()
            .min(if std::env::var_os("BT_ALL").is_some() {
                100000
            } else {
                20
            })]
            .join("\n")
    );
}

fn differences(families: &[Family], expected: &BTreeMap<String, Expected>) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for family in families.iter().filter(|family| !is_own(&family.name)) {
        for sample in &family.samples {
            let key = sample.key(&family.name);
            let Some(expected) = expected.get(&key) else {
                found.push(format!("extra {key} {}", sample.value));
                continue;
            };
            let kind = &expected.line.kind;
            if *kind != family.kind {
                found.push(format!(
                    "{} is a {}, not a {kind}",
                    family.name, family.kind
                ));
            }
            // Seconds may have fewer zeros behind the point, numbers before it; all else is copied.
            let is_odd = expected.value.starts_with(['+', '0']) || expected.value.starts_with("-0");
            let is_same = match expected.line.transform.starts_with("ms_to_s") || is_odd {
                true => Ok(sample.number()) == expected.value.parse(),
                false => sample.value == expected.value,
            };
            if !is_same {
                found.push(format!("{key} is {}, not {}", sample.value, expected.value));
            }
            seen.insert(key);
        }
    }
    let missing = expected.keys().filter(|key| !seen.contains(*key));
    found.extend(missing.map(|key| format!("missing {key}")));
    found
}
