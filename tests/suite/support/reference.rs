//! A second, naive exporter: DESIGN.md sections 3 to 5 and `metrics.tsv` in the plainest code.
//!
//! It shares no line and no idea with `src/`: strings are split and copied, values are floats, the
//! metric table is read from the file. Where both agree, both would have to be wrong the same way.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::csv::info_value;
use super::csv_reader::rows;
use super::exposition::{self, Exposition};
use super::fixtures::RENAMED;
use super::{cases, fixtures};

/// What the naive exporter makes of one scrape.
pub(crate) struct Reference {
    families: BTreeMap<String, (String, String)>,
    samples: BTreeMap<String, Vec<(String, String)>>,
    seen: BTreeSet<String>,
    /// The states of each backend's servers.
    servers: BTreeMap<String, Vec<String>>,
    /// Rows and cells that were skipped.
    pub(crate) failures: u64,
}

/// Families that differ from run to run, and the exporter's own process.
pub(crate) fn volatile(family: &str) -> bool {
    family == "haproxy_exporter_scrape_duration_seconds"
        || family == "haproxy_exporter_build_info"
        || family.starts_with("process_")
}

/// The first scrape of a healthy HAProxy.
pub(crate) fn exposition(stat: &[u8], info: Option<&str>) -> Exposition {
    parsed(&text(stat, info))
}

/// A scrape that failed whole: the counters and nothing else.
pub(crate) fn failed(scrapes: u64, failures: u64) -> Exposition {
    let mut reference = Reference::new();
    reference.own(0, scrapes, failures);
    parsed(&reference.print())
}

/// The same exposition with other totals, as a later scrape shows them.
pub(crate) fn with_totals(exposition: Exposition, scrapes: u64, failures: u64) -> Exposition {
    let mut exposition = exposition;
    let totals = failed(scrapes, failures).without(|family| family == "haproxy_up");
    exposition.samples.extend(totals.samples);
    exposition
}

/// The same as [`exposition`] as text: the golden files.
pub(crate) fn text(stat: &[u8], info: Option<&str>) -> String {
    let mut reference = Reference::new();
    reference.stat(&String::from_utf8_lossy(stat));
    if let Some(info) = info {
        reference.info(info);
    }
    reference.own(1, 1, reference.failures);
    reference.print()
}

fn parsed(text: &str) -> Exposition {
    exposition::read(text.as_bytes())
        .unwrap_or_else(|error| panic!("the reference is wrong: {error} in\n{text}"))
}

/// One line of `metrics.tsv`.
struct Metric {
    scope: String,
    column: usize,
    csv_name: String,
    family: String,
    kind: String,
    constant: Option<(String, String)>,
    value: String,
}

fn metrics() -> Vec<Metric> {
    let table = fixtures::text("metrics.tsv");
    let rows = table
        .lines()
        .skip(1)
        .map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let facts = fixtures::facts().into_iter();
    let facts = facts.filter(|fact| fact["scope"] != "process").map(|fact| {
        let constant = fact["label"].split_once('=');
        Metric {
            scope: fact["scope"].clone(),
            column: fact["column"].parse().expect("a column number"),
            csv_name: fact["csv_name"].clone(),
            family: fact["name"].clone(),
            kind: fact["type"].clone(),
            constant: constant.map(|(name, value)| (name.to_owned(), value.to_owned())),
            value: fact["value"].clone(),
        }
    });
    rows.map(|cells| {
        let constant = cells[6]
            .split_once('=')
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let column = cells[1].parse().expect("a column number");
        Metric {
            scope: cells[0].clone(),
            column,
            csv_name: cells[2].clone(),
            family: cells[3].clone(),
            kind: cells[4].clone(),
            constant,
            value: cells[7].clone(),
        }
    })
    .chain(facts)
    .collect()
}

impl Reference {
    fn new() -> Reference {
        Reference {
            families: BTreeMap::new(),
            samples: BTreeMap::new(),
            seen: BTreeSet::new(),
            servers: BTreeMap::new(),
            failures: 0,
        }
    }

    fn stat(&mut self, text: &str) {
        let metrics = metrics();
        // The header fixes the number of fields, else the first row that has enough.
        let header = text.lines().find(|line| line.starts_with("# pxname,"));
        let names: Vec<&str> = header.map_or(Vec::new(), |line| line.split(',').collect());
        let header = header
            .map(|line| line.split(',').count())
            .filter(|count| *count >= 33);
        // HAProxy cut a header if all rows have more fields, all the same number.
        let found: BTreeSet<usize> = rows(text).iter().flatten().map(Vec::len).collect();
        let all = found.first().filter(|_| found.len() == 1);
        let mut count = match (header, all) {
            (Some(header), Some(all)) => Some(header.max(*all)),
            (header, _) => header,
        };
        let mut backends = Vec::new();
        for row in rows(text) {
            let Some(fields) = row else {
                self.failures += 1;
                continue;
            };
            if fields.len() < 33 || *count.get_or_insert(fields.len()) != fields.len() {
                self.failures += 1;
                continue;
            }
            let (scope, called) = match fields[32].as_str() {
                "0" => ("frontend", "FRONTEND"),
                "1" => ("backend", "BACKEND"),
                "2" => ("server", ""),
                number if integer(number).is_some() => continue,
                _ => {
                    self.failures += 1;
                    continue;
                }
            };
            let is_called = match called {
                "" => !fields[1].is_empty(),
                called => fields[1] == called,
            };
            if fields[0].is_empty() || !is_called {
                self.failures += 1;
                continue;
            }
            let mut labels = BTreeMap::new();
            if scope == "frontend" {
                labels.insert("frontend".to_owned(), fields[0].clone());
            } else {
                labels.insert("backend".to_owned(), fields[0].clone());
            }
            if scope == "server" {
                labels.insert("server".to_owned(), fields[1].clone());
            }
            if !self.seen.insert(format!("{scope} {labels:?}")) {
                self.failures += 1;
                continue;
            }
            if scope == "server" {
                let status = fields[17].split(' ').next().unwrap_or_default();
                let state = if status == "no" { "UP" } else { status };
                let states = self.servers.entry(fields[0].clone()).or_default();
                states.push(state.to_owned());
            }
            for metric in metrics.iter().filter(|metric| metric.scope == scope) {
                // Newer columns are found by their names.
                let field = |column: usize, name: &str| {
                    let at = match column {
                        0..=62 => Some(column),
                        _ => names.iter().position(|other| *other == name),
                    };
                    at.and_then(|at| fields.get(at)).map_or("", String::as_str)
                };
                match metric.value.as_str() {
                    "published" if field(usize::MAX, "reqbin").is_empty() => {}
                    "servers" => backends.push((metric, labels.clone())),
                    _ => {
                        let cell = field(metric.column, &metric.csv_name);
                        self.cell(metric, labels.clone(), cell);
                    }
                }
            }
        }
        for (metric, labels) in backends {
            let Some(states) = self.servers.get(&labels["backend"]) else {
                continue;
            };
            let (_, state) = metric.constant.as_ref().expect("a state");
            let count = states.iter().filter(|other| *other == state).count();
            self.cell(metric, labels, &count.to_string());
        }
    }

    fn cell(&mut self, metric: &Metric, mut labels: BTreeMap<String, String>, text: &str) {
        if text.is_empty() {
            return;
        }
        let value = match (metric.value.as_str(), integer(text)) {
            ("status", _) => status(text).to_string(),
            ("published", _) => u8::from(!text.ends_with("(UNPUB)")).to_string(),
            ("flag", Some(1)) => "1".to_owned(),
            ("flag", _) => return,
            ("reason", _) => {
                let (_, wanted) = metric.constant.as_ref().expect("a reason");
                match reason(text) {
                    Some((family, reason))
                        if metric.family.ends_with(family) && reason == wanted => {}
                    _ => return,
                }
                "1".to_owned()
            }
            (_, None) => {
                self.failures += 1;
                return;
            }
            ("integer" | "servers", Some(value)) => value.to_string(),
            ("ms_to_s", Some(value)) => (value as f64 / 1000.0).to_string(),
            (unit, _) => panic!("unit {unit:?} in metrics.tsv"),
        };
        labels.extend(metric.constant.clone());
        let help = format!(
            "Column {} ({}) of show stat.",
            metric.column, metric.csv_name
        );
        self.add(&metric.family, &metric.kind, &help, &labels, &value);
    }

    fn info(&mut self, text: &str) {
        let value = |key: &str| {
            let value = text
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
            value.map(str::to_owned)
        };
        let gauge = |reference: &mut Reference,
                     family: &str,
                     labels: &[(&str, Option<String>)],
                     value: &str| {
            let labels = labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone().unwrap_or_default()))
                .collect();
            reference.add(family, "gauge", "From show info.", &labels, value);
        };
        let (version, date, node) = (value("Version"), value("Release_date"), value("node"));
        gauge(
            self,
            "haproxy_version_info",
            &[("release_date", date.clone()), ("version", version.clone())],
            "1",
        );
        gauge(
            self,
            "haproxy_info",
            &[("node", node), ("release_date", date), ("version", version)],
            "1",
        );
        let none = BTreeMap::new();
        let facts = fixtures::facts();
        let facts = facts.iter().filter(|fact| fact["scope"] == "process");
        let more = facts.map(|fact| {
            (
                fact["csv_name"].as_str(),
                fact["name"].as_str(),
                fact["type"].as_str(),
            )
        });
        let more = more.chain([("Pid", "haproxy_process_pid", "gauge")]);
        let rows = fixtures::builtin();
        let rows = rows.iter().filter(|row| row["scope"] == "process");
        let rows = rows.map(|row| {
            (
                row["key"].as_str(),
                row["name"].as_str(),
                row["type"].as_str(),
            )
        });
        for (keys, family, kind) in rows.chain(more) {
            let renamed = RENAMED.iter().find(|(name, _)| *name == family);
            let (family, kind) = match renamed {
                Some((_, None)) => continue,
                Some((_, Some(renamed))) => (*renamed, "counter"),
                None => (family, kind),
            };
            let Some(text) = keys.split('|').find_map(value) else {
                continue;
            };
            let text = info_value(&text, &value("Version").unwrap_or_default());
            let label = match family.trim_start_matches("haproxy_process_") {
                "build_info" => "version",
                "node" => "node",
                "description" => "desc",
                _ => "",
            };
            let digits = text.strip_prefix("0x").unwrap_or("");
            let number = match i128::from_str_radix(digits, 16) {
                Ok(number) if keys == "Tainted" => Some(number),
                _ => integer(&text),
            };
            let range = if keys == "Idle_pct" {
                0..=100
            } else {
                i128::MIN..=i128::MAX
            };
            match (label, number.filter(|number| range.contains(number))) {
                ("", Some(number)) if keys == "BootTime_ms" => {
                    let seconds = number as f64 / 1000.0;
                    self.add(family, kind, "From show info.", &none, &seconds.to_string())
                }
                ("", Some(number)) => {
                    self.add(family, kind, "From show info.", &none, &number.to_string())
                }
                ("", None) => {}
                (label, _) if !text.is_empty() => gauge(self, family, &[(label, Some(text))], "1"),
                _ => {}
            }
        }
    }

    fn own(&mut self, up: u64, scrapes: u64, failures: u64) {
        let none = BTreeMap::new();
        self.add(
            "haproxy_up",
            "gauge",
            "1 after a good scrape.",
            &none,
            &up.to_string(),
        );
        self.add(
            "haproxy_exporter_scrapes_total",
            "counter",
            "Scrapes.",
            &none,
            &scrapes.to_string(),
        );
        self.add(
            "haproxy_exporter_csv_parse_failures_total",
            "counter",
            "Bad rows and cells.",
            &none,
            &failures.to_string(),
        );
    }

    fn add(
        &mut self,
        family: &str,
        kind: &str,
        help: &str,
        labels: &BTreeMap<String, String>,
        value: &str,
    ) {
        // The first help of a family stands for all its columns.
        self.families
            .entry(family.to_owned())
            .or_insert_with(|| (kind.to_owned(), help.to_owned()));
        self.samples
            .entry(family.to_owned())
            .or_default()
            .push((exposition::key(family, labels), value.to_owned()));
    }

    fn print(&self) -> String {
        let mut text = String::new();
        for (family, (kind, help)) in &self.families {
            writeln!(text, "# HELP {family} {help}\n# TYPE {family} {kind}")
                .expect("writing to a String");
            for (key, value) in &self.samples[family] {
                writeln!(text, "{key} {value}").expect("writing to a String");
            }
        }
        text
    }
}

/// Why a server of this status is out of service: the end of the family's name, and the reason.
fn reason(text: &str) -> Option<(&'static str, &'static str)> {
    Some(match text {
        "MAINT (resolution)" => ("_maintenance", "resolution"),
        _ if text.starts_with("MAINT (via ") => ("_maintenance", "tracked"),
        _ if text.starts_with("MAINT") => ("_maintenance", "admin"),
        "DRAIN (agent)" => ("_draining", "agent"),
        _ if text.starts_with("DRAIN") => ("_draining", "admin"),
        _ if text.starts_with("NOLB") => ("_draining", "check"),
        _ => return None,
    })
}

/// An optional sign and digits, within 64 bits of either kind.
fn integer(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: i128 = text.parse().ok()?;
    (i128::from(i64::MIN)..=i128::from(u64::MAX))
        .contains(&value)
        .then_some(value)
}

/// 1 for what takes traffic. `UP 1/3`, `DRAIN (agent)` and the like are judged by their first words.
fn status(text: &str) -> u8 {
    let words = text.split(" (").next().unwrap_or(text);
    let counted = |last: &str| {
        last.split_once('/')
            .is_some_and(|(n, m)| n.parse::<i64>().is_ok() && m.parse::<i64>().is_ok())
    };
    let state = match words.rsplit_once(' ') {
        Some((state, last)) if counted(last) => state,
        _ => words,
    };
    u8::from(["UP", "OPEN", "no check", "DRAIN"].contains(&state))
}

#[test]
fn cells_are_read_as_listed() {
    for (text, is_up, _) in cases::STATUSES {
        assert_eq!(status(text), u8::from(*is_up), "{text}");
    }
    for (text, is_number, _) in cases::NUMBERS {
        let cell = text.trim_matches('"');
        assert_eq!(integer(cell).is_some(), *is_number, "{text:?}");
    }
}
