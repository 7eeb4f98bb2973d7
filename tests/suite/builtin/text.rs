//! A strict reader of text expositions that keeps the order of everything.
//!
//! `support::exposition` demands what Prometheus recommends of names, and HAProxy's are not like that:
//! counters without `_total`, a gauge with it.

use std::collections::BTreeSet;

/// A family with its samples, in the order they came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Family {
    pub(super) name: String,
    pub(super) kind: String,
    /// Empty in recordings, which were made without.
    pub(super) help: String,
    pub(super) samples: Vec<Sample>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    /// In their order, not escaped.
    pub(super) labels: Vec<(String, String)>,
    /// As it was written.
    pub(super) value: String,
}

impl Sample {
    /// Its value as a number.
    pub(super) fn number(&self) -> f64 {
        let number = self.value.parse();
        number.unwrap_or_else(|_| panic!("{:?} is not a number", self.value))
    }

    /// `name{label="value"}`, labels in their order.
    pub(super) fn key(&self, name: &str) -> String {
        key(name, &self.labels)
    }
}

/// `name{label="value"}`, labels in their order.
pub(super) fn key(name: &str, labels: &[(String, String)]) -> String {
    let labels = labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"));
    let labels = labels.collect::<Vec<_>>().join(",");
    match labels.is_empty() {
        true => name.to_owned(),
        false => format!("{name}{{{labels}}}"),
    }
}

/// Reads an answer in which each family has a help text, a type and at least one sample.
pub(super) fn read(text: &str) -> Vec<Family> {
    let families = read_recorded(text);
    for family in &families {
        assert!(!family.help.is_empty(), "no help for {}", family.name);
    }
    families
}

/// The same for what was recorded without help texts.
pub(super) fn read_recorded(text: &str) -> Vec<Family> {
    assert!(
        text.is_empty() || text.ends_with('\n'),
        "the last line has no end"
    );
    let mut families: Vec<Family> = Vec::new();
    let mut help = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            assert_eq!(help, None, "two HELP lines: {line}");
            help = Some(rest.split_once(' ').expect("a help text"));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            let (of, help) = help.take().unwrap_or((name, ""));
            assert_eq!(of, name, "HELP and TYPE of two families");
            families.push(Family {
                name: name.to_owned(),
                kind: kind.to_owned(),
                help: help.to_owned(),
                samples: Vec::new(),
            });
        } else {
            assert_eq!(help, None, "a sample behind HELP: {line}");
            let (name, sample) = sample(line);
            let family = families.last_mut().filter(|family| family.name == name);
            let family = family.unwrap_or_else(|| panic!("outside its family: {line}"));
            family.samples.push(sample);
        }
    }
    check(&families);
    families
}

/// All samples, each with the name of its family.
pub(super) fn samples(families: &[Family]) -> Vec<(String, Sample)> {
    let of = |family: &Family| {
        let samples = family.samples.iter();
        let named = samples.map(|sample| (family.name.clone(), sample.clone()));
        named.collect::<Vec<_>>()
    };
    families.iter().flat_map(of).collect()
}

/// Samples of which only the lines are there: `name{...} value`.
pub(super) fn read_samples(text: &str) -> Vec<(String, Sample)> {
    text.lines().map(sample).collect()
}

/// Families in one piece, none empty, no sample twice.
fn check(families: &[Family]) {
    let mut names = BTreeSet::new();
    for family in families {
        let name = &family.name;
        assert!(names.insert(name), "{name} in two pieces");
        assert!(!family.samples.is_empty(), "{name} has no sample");
        assert!(
            ["counter", "gauge"].contains(&family.kind.as_str()),
            "{family:?}"
        );
        let mut keys = BTreeSet::new();
        for sample in &family.samples {
            let mut labels = sample.labels.clone();
            labels.sort();
            let names: BTreeSet<&String> = labels.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), labels.len(), "a label twice: {sample:?}");
            assert!(keys.insert(labels), "{name} twice: {sample:?}");
            sample.number();
        }
    }
}

/// `name{label="value",...} number`
fn sample(line: &str) -> (String, Sample) {
    let (key, value) = line.rsplit_once(' ').expect("a value");
    let (name, mut rest) = match key.split_once('{') {
        None => (key, "}"),
        Some((name, rest)) => (name, rest),
    };
    let mut labels = Vec::new();
    while rest != "}" {
        let (label, after) = rest.split_once("=\"").expect("a label");
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next().expect("the end of a label") {
                (end, '"') => break end,
                (_, '\\') => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, other @ ('\\' | '"'))) => value.push(other),
                    other => panic!("escaped {other:?} in {line}"),
                },
                (_, other) => value.push(other),
            }
        };
        labels.push((label.to_owned(), value));
        rest = after[end + 1..].trim_start_matches(',');
    }
    let sample = Sample {
        labels,
        value: value.to_owned(),
    };
    (name.to_owned(), sample)
}

#[test]
fn lines_are_read() {
    let (name, sample) = sample("a{b=\"c\\\"\\\\\\nd\",e=\"}, \"} 1.5");
    assert_eq!(name, "a");
    assert_eq!(sample.labels[0].1, "c\"\\\nd");
    assert_eq!(sample.labels[1].1, "}, ");
    assert_eq!(sample.number(), 1.5);
    let families = read("# HELP a b\n# TYPE a counter\na 1\n");
    assert_eq!(
        (families.len(), families[0].samples[0].key("a")),
        (1, "a".to_owned())
    );
}
