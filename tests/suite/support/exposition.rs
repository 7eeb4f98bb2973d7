//! A strict reader of the Prometheus text format 0.0.4.
//!
//! Prometheus forgives much; a dashboard does not. This reader takes exactly what the exporter may
//! write: HELP then TYPE then samples, a family in one piece, one line a sample, no time stamps,
//! counters and gauges only.

use super::fixtures;
use std::collections::BTreeMap;

/// What one answer holds.
#[derive(Debug, Default, Clone)]
pub(crate) struct Exposition {
    pub(crate) families: BTreeMap<String, Family>,
    /// By canonical key: `name{a="x",b="y"}`, labels sorted, values escaped.
    pub(crate) samples: BTreeMap<String, Sample>,
}

/// The two lines before the samples of a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) help: String,
}

/// One value, as a number and as it was written (a float cannot tell 2^64 - 1 from 2^64).
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) family: String,
    pub(crate) number: f64,
    pub(crate) text: String,
}

impl Exposition {
    /// The value of a sample by its canonical key, or `None` when it is not there.
    pub(crate) fn get(&self, key: &str) -> Option<f64> {
        self.samples.get(key).map(|sample| sample.number)
    }

    /// The value of a sample that must be there.
    pub(crate) fn value(&self, key: &str) -> f64 {
        self.get(key)
            .unwrap_or_else(|| panic!("no {key} among {:#?}", self.samples.keys()))
    }

    /// Without the families that `unwanted` picks.
    pub(crate) fn without(mut self, unwanted: impl Fn(&str) -> bool) -> Exposition {
        self.families.retain(|name, _| !unwanted(name));
        self.samples.retain(|_, sample| !unwanted(&sample.family));
        self
    }

    /// How `self` differs from `want` in samples, values and types; help texts may differ. Empty when equal.
    pub(crate) fn differences(&self, want: &Exposition) -> Vec<String> {
        let mut found = Vec::new();
        for (name, family) in &want.families {
            match self.families.get(name) {
                None => found.push(format!("missing family {name}")),
                Some(got) if got.kind != family.kind => {
                    found.push(format!("{name} is a {}, not a {}", got.kind, family.kind))
                }
                Some(_) => {}
            }
        }
        found.extend(
            self.families
                .keys()
                .filter(|name| !want.families.contains_key(*name))
                .map(|name| format!("extra family {name}")),
        );
        for (key, sample) in &want.samples {
            match self.samples.get(key) {
                None => found.push(format!("missing {key}")),
                Some(got) if got.number != sample.number => {
                    found.push(format!("{key} is {}, not {}", got.text, sample.text))
                }
                Some(_) => {}
            }
        }
        found.extend(
            self.samples
                .keys()
                .filter(|key| !want.samples.contains_key(*key))
                .map(|key| format!("extra {key}")),
        );
        found
    }

    /// Fails with the first differences.
    pub(crate) fn assert_equals(&self, want: &Exposition, context: &str) {
        let differences = self.differences(want);
        assert!(
            differences.is_empty(),
            "{context}: {} differences:\n{}",
            differences.len(),
            differences[..differences.len().min(12)].join("\n")
        );
    }
}

/// Reads a whole answer, or says which line breaks which rule.
pub(crate) fn read(bytes: &[u8]) -> Result<Exposition, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))?;
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("the last line does not end with a newline".to_owned());
    }
    let mut reader = Reader::default();
    for (index, line) in text.split_terminator('\n').enumerate() {
        reader
            .line(line)
            .map_err(|error| format!("line {}: {error}", index + 1))?;
    }
    reader
        .end_family()
        .map_err(|error| format!("at the end: {error}"))?;
    Ok(reader.exposition)
}

/// Whether the contract of HAProxy's own names has a family of this name and type.
fn is_builtin(name: &str, kind: &str) -> bool {
    let is_it = |row: &BTreeMap<String, String>| row["name"] == name && row["type"] == kind;
    fixtures::builtin().iter().any(is_it)
}

#[derive(Default)]
struct Reader {
    exposition: Exposition,
    /// The family that is being read.
    open: Option<Open>,
}

struct Open {
    name: String,
    help: String,
    kind: Option<String>,
    samples: usize,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            self.end_family()?;
            let (name, help) = rest.split_once(' ').ok_or("HELP without a text")?;
            check_name(name, true)?;
            if self.exposition.families.contains_key(name) {
                return Err(format!(
                    "a second HELP for {name}, or a family in two pieces"
                ));
            }
            let help = unescape(help, false)?;
            self.open = Some(Open {
                name: name.to_owned(),
                help,
                kind: None,
                samples: 0,
            });
            Ok(())
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or("TYPE without a type")?;
            let open = self
                .open
                .as_mut()
                .filter(|open| open.name == name)
                .ok_or_else(|| format!("TYPE of {name} without its HELP before it"))?;
            if open.kind.is_some() {
                return Err(format!("a second TYPE for {name}"));
            }
            match (kind, name.ends_with("_total")) {
                // HAProxy's own exporter has names that do not keep to it.
                ("counter" | "gauge", _) if is_builtin(name, kind) => {
                    open.kind = Some(kind.to_owned())
                }
                ("counter", true) | ("gauge", false) => open.kind = Some(kind.to_owned()),
                ("counter", false) => {
                    return Err(format!("counter {name} does not end with _total"));
                }
                ("gauge", true) => return Err(format!("gauge {name} ends with _total")),
                _ => return Err(format!("{name} is of type {kind:?}")),
            }
            Ok(())
        } else if line.starts_with('#') {
            Err(format!("neither HELP nor TYPE: {line:?}"))
        } else {
            self.sample(line)
        }
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let (name, labels, text) = split_sample(line)?;
        let open = self
            .open
            .as_mut()
            .filter(|open| open.name == name)
            .ok_or_else(|| format!("a sample of {name} outside its family"))?;
        if open.kind.is_none() {
            return Err(format!("a sample of {name} before its TYPE"));
        }
        open.samples += 1;
        let number = number(text)?;
        let key = key(name, &labels);
        let sample = Sample {
            family: name.to_owned(),
            number,
            text: text.to_owned(),
        };
        match self.exposition.samples.insert(key.clone(), sample) {
            Some(_) => Err(format!("a second sample {key}")),
            None => Ok(()),
        }
    }

    fn end_family(&mut self) -> Result<(), String> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let kind = open
            .kind
            .ok_or_else(|| format!("no TYPE for {}", open.name))?;
        if open.samples == 0 {
            return Err(format!("no sample in family {}", open.name));
        }
        self.exposition.families.insert(
            open.name,
            Family {
                kind,
                help: open.help,
            },
        );
        Ok(())
    }
}

/// The canonical key of a sample.
pub(crate) fn key(name: &str, labels: &BTreeMap<String, String>) -> String {
    if labels.is_empty() {
        return name.to_owned();
    }
    let escape = |value: &str| {
        value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    };
    let labels: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}=\"{}\"", escape(value)))
        .collect();
    format!("{name}{{{}}}", labels.join(","))
}

/// Splits `name{label="value",...} number`.
fn split_sample(line: &str) -> Result<(&str, BTreeMap<String, String>, &str), String> {
    let end = line
        .find(['{', ' '])
        .ok_or_else(|| format!("no value in {line:?}"))?;
    let (name, mut rest) = line.split_at(end);
    check_name(name, true)?;
    let mut labels = BTreeMap::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, after) = rest
                .split_once("=\"")
                .ok_or_else(|| format!("no label in {rest:?}"))?;
            check_name(label, false)?;
            let end = closing_quote(after).ok_or("a label value without an end")?;
            let value = unescape(&after[..end], true)?;
            if labels.insert(label.to_owned(), value).is_some() {
                return Err(format!("label {label} twice"));
            }
            rest = &after[end + 1..];
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            rest = rest
                .strip_prefix(',')
                .ok_or("neither comma nor brace after a label")?;
        }
    }
    let value = rest.strip_prefix(' ').ok_or("no space before the value")?;
    Ok((name, labels, value))
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`; labels have no colon and no leading `__`.
fn check_name(name: &str, metric: bool) -> Result<(), String> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || (metric && c == ':');
    let first = name.chars().next().ok_or("an empty name")?;
    if first.is_ascii_digit() || !name.chars().all(good) || (!metric && name.starts_with("__")) {
        return Err(format!("bad name {name:?}"));
    }
    Ok(())
}

/// Help texts know `\\` and `\n`; label values know `\"` too, and need it.
fn unescape(text: &str, label: bool) -> Result<String, String> {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('\\') => plain.push('\\'),
                Some('n') => plain.push('\n'),
                Some('"') if label => plain.push('"'),
                other => {
                    return Err(format!(
                        "bad escape \\{}",
                        other.map_or(String::new(), String::from)
                    ));
                }
            },
            c => plain.push(c),
        }
    }
    Ok(plain)
}

/// A decimal float as Go writes or reads it. Rust's own parser takes more (`.5`, `inf`), so it comes second.
fn number(text: &str) -> Result<f64, String> {
    let named = match text {
        "NaN" => Some(f64::NAN),
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        _ => None,
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = unsigned
        .split_once(['e', 'E'])
        .map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa
        .split_once('.')
        .map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let plain = digits(whole)
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    match named {
        Some(number) => Ok(number),
        None if plain => text.parse().map_err(|_| format!("bad value {text:?}")),
        None => Err(format!("bad value {text:?}")),
    }
}
