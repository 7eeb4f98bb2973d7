//! The samples that HAProxy's answers stand for, made from the contract in the plainest code.

use std::collections::BTreeMap;

use super::answers::{Answers, Table};
use super::contract::{self, Line};
use super::text;
use crate::support::csv::info_value;

const FRONTEND_STATES: [&str; 2] = ["DOWN", "UP"];
const LISTENER_STATES: [&str; 3] = ["WAITING", "OPEN", "FULL"];
const SERVER_STATES: [&str; 5] = ["DOWN", "UP", "MAINT", "DRAIN", "NOLB"];
const CHECK_RESULTS: [&str; 16] = [
    "HANA", "SOCKERR", "L4OK", "L4TOUT", "L4CON", "L6OK", "L6TOUT", "L6RSP", "L7TOUT", "L7RSP",
    "L7OK", "L7OKC", "L7STS", "PROCERR", "PROCTOUT", "PROCOK",
];

/// A sample, and what is said of its family.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) line: Line,
    /// In their order.
    pub(super) labels: Vec<(String, String)>,
    /// As HAProxy prints it.
    pub(super) value: String,
}

impl Expected {
    pub(super) fn key(&self) -> String {
        text::key(&self.line.name, &self.labels)
    }
}

/// A row of any answer: its labels by name, its cells by column.
struct Row<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    table: &'a Table,
    cells: &'a [String],
}

impl<'a> Row<'a> {
    fn cell(&self, column: &str) -> Option<&'a str> {
        let cell = self.table.cell(self.cells, column)?;
        (!cell.is_empty()).then_some(cell)
    }
}

/// Without what is only there with `?extra-counters`.
pub(super) fn main(answers: &Answers) -> BTreeMap<String, Expected> {
    let mut made = all(answers);
    made.retain(|_, sample| sample.line.set != "extra");
    made
}

/// All samples of all families, extra counters too, by `name{labels}` in their order.
pub(super) fn all(answers: &Answers) -> BTreeMap<String, Expected> {
    let (stat, tables, resolvers) = (answers.stat(), answers.tables(), answers.resolvers());
    let stat = joined(stat);
    let mut made = Vec::new();
    for line in contract::lines_and_ours() {
        let (table, names, kind) = match line.scope.as_str() {
            "process" => {
                made.extend(process(&line, answers));
                continue;
            }
            "frontend" => (&stat, [("proxy", "pxname"); 2], "0"),
            "backend" => (&stat, [("proxy", "pxname"); 2], "1"),
            "server" => (&stat, [("proxy", "pxname"), ("server", "svname")], "2"),
            "listener" => (&stat, [("proxy", "pxname"), ("listener", "svname")], "3"),
            "sticktable" => (&tables, [("name", "name"), ("type", "type")], ""),
            "resolver" => (&resolvers, [("resolver", "pid"), ("nameserver", "id")], ""),
            other => panic!("scope {other:?} in the contract"),
        };
        for cells in &table.rows {
            if !kind.is_empty() && table.cell(cells, "type") != Some(kind) {
                continue;
            }
            let label = |column| table.cell(cells, column).expect("a label's column");
            let row = Row {
                labels: names.map(|(name, column)| (name, label(column))).into(),
                table,
                cells,
            };
            made.extend(samples(&line, &row, &stat));
        }
    }
    let count = made.len();
    let made: BTreeMap<String, Expected> = made
        .into_iter()
        .map(|sample| (sample.key(), sample))
        .collect();
    assert_eq!(made.len(), count, "a sample twice");
    made
}

/// One row for all sockets of a listener: the largest of what is a maximum, the best state, sums of all else.
fn joined(stat: Table) -> Table {
    let mut joined = Table {
        columns: stat.columns.clone(),
        rows: Vec::new(),
    };
    for row in &stat.rows {
        let key = |row: &[String]| {
            ["pxname", "svname", "type"].map(|column| stat.cell(row, column).map(str::to_owned))
        };
        let mut earlier = joined.rows.iter_mut();
        let earlier =
            earlier.find(|other| key(other)[2].as_deref() == Some("3") && key(other) == key(row));
        let Some(earlier) = earlier else {
            joined.rows.push(row.clone());
            continue;
        };
        for ((column, all), cell) in stat.columns.iter().zip(earlier).zip(row) {
            let numbers = [&*all, cell].map(|text| text.parse::<u64>());
            *all = match (column.as_str(), numbers) {
                ("type", _) => "3".to_owned(),
                ("status", _) => {
                    let states = ["OPEN", "FULL", "WAITING"];
                    let best = states
                        .into_iter()
                        .find(|state| *state == all || state == cell);
                    best.expect("a state").to_owned()
                }
                (name, [Ok(a), Ok(b)]) if name.ends_with("max") => a.max(b).to_string(),
                (_, [Ok(a), Ok(b)]) => (a + b).to_string(),
                _ => continue,
            };
        }
    }
    joined
}

fn process(line: &Line, answers: &Answers) -> Option<Expected> {
    let value = line.keys.iter().find_map(|key| answers.fact(key))?;
    let (labels, value) = match line.transform.as_str() {
        "copy" => (Vec::new(), value.to_owned()),
        "ms_to_s" => (Vec::new(), seconds(value)),
        "hex" => {
            let digits = value.strip_prefix("0x").unwrap_or(value);
            let number = u64::from_str_radix(digits, 16).expect("a hexadecimal number");
            (Vec::new(), number.to_string())
        }
        "const1" => {
            let version = answers.fact("Version").unwrap_or_default();
            let label = (line.labels[0].clone(), info_value(value, version));
            (vec![label], "1".to_owned())
        }
        other => panic!("{other:?} of show info"),
    };
    Some(Expected {
        line: line.clone(),
        labels,
        value,
    })
}

/// The samples of a row: one, or one for each state.
fn samples(line: &Line, row: &Row, stat: &Table) -> Vec<Expected> {
    if line.is_http && row.cell("hrsp_1xx").is_none() {
        return Vec::new();
    }
    let sample = |state: Option<&str>, value: String| {
        let with_state = |name: &String| match (name.as_str(), state) {
            ("state", Some(state)) => state.to_owned(),
            (name, _) => row.labels[name].to_owned(),
        };
        let named = line
            .labels
            .iter()
            .map(|name| (name.clone(), with_state(name)));
        Expected {
            line: line.clone(),
            labels: named.chain(line.constant.clone()).collect(),
            value,
        }
    };
    let cell = row.cell(&line.keys[0]);
    let whole = cell.filter(|cell| is_whole_number(cell));
    let number = |value: Option<String>| -> Vec<Expected> {
        value.map(|value| sample(None, value)).into_iter().collect()
    };
    let states = |names: &[&str], value: &dyn Fn(&str) -> usize| -> Vec<Expected> {
        let made = names
            .iter()
            .map(|name| sample(Some(name), value(name).to_string()));
        made.collect()
    };
    let one_of = |names: &[&str], is: Option<&str>| match is {
        Some(is) => states(names, &|name| usize::from(name == is)),
        None => Vec::new(),
    };
    match line.transform.as_str() {
        "copy" => number(whole.map(str::to_owned)),
        "ms_to_s" => number(whole.map(seconds)),
        "ms_to_s:agent" => match row.cell("agent_status").map(check_result) {
            Some("UNK" | "INI") => Vec::new(),
            _ => number(whole.map(seconds)),
        },
        "state:frontend" => one_of(&FRONTEND_STATES, cell.map(frontend_state)),
        "state:backend" => one_of(&FRONTEND_STATES, cell.map(backend_state)),
        "state:listener" => one_of(&LISTENER_STATES, cell),
        "state:server" => one_of(&SERVER_STATES, cell.map(server_state)),
        "state:check" => one_of(&CHECK_RESULTS, cell.map(check_result)),
        "code:check_status" => number(code(row, "check_status", cell)),
        "code:agent_status" => number(code(row, "agent_status", cell)),
        "reason" => match (cell, &line.constant) {
            (Some(cell), Some((_, reason))) if is_reason(&line.name, cell, reason) => {
                number(Some("1".to_owned()))
            }
            _ => Vec::new(),
        },
        "published" => match (cell, row.cell("reqbin")) {
            (Some(cell), Some(_)) => {
                let is_published = !cell.ends_with("(UNPUB)");
                number(Some(usize::from(is_published).to_string()))
            }
            _ => Vec::new(),
        },
        "agg:server" => match server_words(stat, row, "status", server_state) {
            Some(words) => states(&SERVER_STATES, &|state| count(&words, state)),
            None => Vec::new(),
        },
        "agg:check" => match server_words(stat, row, "check_status", check_result) {
            Some(words) => states(&CHECK_RESULTS, &|result| count(&words, result)),
            None => Vec::new(),
        },
        other => panic!("transformation {other:?} in the contract"),
    }
}

/// Whether a server of this status is in MAINT, or in DRAIN or NOLB, for a reason.
fn is_reason(family: &str, status: &str, reason: &str) -> bool {
    let (state, brackets) = status.split_once(" (").unwrap_or((status, ""));
    let state = state.split(' ').next().unwrap_or_default();
    let word = match (state, brackets) {
        ("MAINT", "resolution)") => "maintenance resolution",
        ("MAINT", by) if by.starts_with("via ") => "maintenance tracked",
        ("MAINT", _) => "maintenance admin",
        ("DRAIN", "agent)") => "draining agent",
        ("DRAIN", _) => "draining admin",
        ("NOLB", _) => "draining check",
        _ => return false,
    };
    word.split_once(' ') == Some((family.trim_start_matches("haproxy_server_"), reason))
}

/// What a column says of each server of a backend, or `None` for a backend without servers.
fn server_words<'a>(
    stat: &'a Table,
    backend: &Row,
    column: &str,
    word: impl Fn(&'a str) -> &'a str,
) -> Option<Vec<&'a str>> {
    let cell = |row: &'a Vec<String>, column: &str| stat.cell(row, column).unwrap_or_default();
    let is_its = |row: &&'a Vec<String>| {
        cell(row, "type") == "2" && cell(row, "pxname") == backend.labels["proxy"]
    };
    let rows = stat.rows.iter().filter(is_its);
    let words: Vec<&str> = rows.map(|row| word(cell(row, column))).collect();
    (!words.is_empty()).then_some(words)
}

fn count(words: &[&str], word: &str) -> usize {
    words.iter().filter(|other| **other == word).count()
}

/// Milliseconds in seconds, as HAProxy prints them.
pub(super) fn seconds(cell: &str) -> String {
    let milliseconds: f64 = cell.parse().expect("milliseconds");
    format!("{:.6}", milliseconds / 1000.0)
}

/// An optional sign and digits, within 64 bits of either kind.
pub(super) fn is_whole_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let range = i128::from(i64::MIN)..=i128::from(u64::MAX);
    is_plain && cell.parse().is_ok_and(|number| range.contains(&number))
}

fn frontend_state(cell: &str) -> &str {
    if cell == "STOP" { "DOWN" } else { "UP" }
}

fn backend_state(cell: &str) -> &str {
    if cell.starts_with("UP") { "UP" } else { "DOWN" }
}

fn server_state(cell: &str) -> &str {
    match cell {
        "no check" => "UP",
        _ => cell.split(' ').next().unwrap_or_default(),
    }
}

/// The result of the last check, also while the next one runs. A check without a result yet (UNK, INI,
/// CHECKED) has another word.
fn check_result(cell: &str) -> &str {
    cell.strip_prefix("* ").unwrap_or(cell)
}

/// 0 where there is a result without a code.
fn code(row: &Row, status: &str, cell: Option<&str>) -> Option<String> {
    row.cell(status)?;
    Some(cell.unwrap_or("0").to_owned())
}
