//! Why a sample of HAProxy's own exporter is one of ours, or is not.
//!
//! The CLI is read just before and just after that exporter answers, so a value that moves is between
//! the two. Every other difference has a class, with the rule that explains it.

use std::collections::BTreeMap;

use super::answers::Table;
use super::contract;
use super::text::Sample;

/// HAProxy's averages are over so many requests.
const AVERAGED: u64 = 1024;
/// The question itself is a connection, a session and a task or two.
const OF_THE_QUESTION: f64 = 2.0;
/// What it shows itself in.
const COUNTS_THE_QUESTION: [&str; 7] = [
    "haproxy_process_current_connections",
    "haproxy_process_current_tasks",
    "haproxy_process_current_run_queue",
    "haproxy_frontend_current_sessions",
    "haproxy_listener_current_sessions",
    "haproxy_frontend_h1_open_connections",
    "haproxy_frontend_h1_open_streams",
];

/// What is known of one sample of HAProxy's exporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// The same value.
    Equal,
    /// The value moved: it is the one read afterwards, or between the two.
    Moved,
    /// A rate over the last second, which falls by itself.
    Fell,
    /// A count of what is open now, the question itself included.
    Question,
    /// `NaN` for an empty cell or a missing key: no sample of ours.
    NotANumber,
    /// An average over fewer than 1,024 requests: HAProxy divides by 1,024 all the same.
    Average,
    /// How long the last check of a server took whose checks are paused: the cell is empty.
    Paused,
    /// How many servers had a result; before 2.9 also those whose checks are paused.
    PausedCounted,
    /// A check's code, 0 for the milliseconds in which the check runs.
    CheckRuns,
    /// Only in `show peers`.
    LocalUpdates,
}
use Class::*;

/// What was read of the CLI before and after.
pub(super) struct Around {
    /// Samples by `name{labels}`.
    pub(super) values: [BTreeMap<String, String>; 2],
    /// `show stat`.
    pub(super) rows: [Table; 2],
    /// Column or key of each family.
    columns: BTreeMap<String, String>,
}

impl Around {
    pub(super) fn new(values: [BTreeMap<String, String>; 2], rows: [Table; 2]) -> Around {
        let columns = contract::lines().into_iter();
        Around {
            values,
            rows,
            columns: columns
                .map(|line| (line.name, line.keys[0].clone()))
                .collect(),
        }
    }

    /// How many samples are of each class. What nothing explains fails.
    pub(super) fn classify(&self, samples: &[(String, Sample)]) -> BTreeMap<Class, usize> {
        let mut counts = BTreeMap::new();
        let mut unexplained = Vec::new();
        for (name, sample) in samples {
            match self.class(name, sample) {
                Some(class) => *counts.entry(class).or_insert(0) += 1,
                None => {
                    let key = sample.key(name);
                    let ours = self.values.each_ref().map(|values| values.get(&key));
                    unexplained.push(format!("{key} is {} there, {ours:?} here", sample.value));
                }
            }
        }
        assert!(
            unexplained.is_empty(),
            "not explained:\n{}",
            unexplained.join("\n")
        );
        counts
    }

    /// The class of a sample, or `None` if nothing explains it.
    pub(super) fn class(&self, name: &str, sample: &Sample) -> Option<Class> {
        let key = sample.key(name);
        let numbers = self.values.each_ref().map(|values| {
            let value = values.get(&key)?;
            Some(value.parse::<f64>().expect("a number"))
        });
        match numbers {
            [Some(before), Some(after)] => self.class_of_two(name, sample, before, after),
            [None, None] => self.class_of_none(name, sample),
            // It came or went in between.
            [one, other] => (one.or(other) == Some(sample.number())).then_some(Moved),
        }
    }

    fn class_of_two(&self, name: &str, sample: &Sample, before: f64, after: f64) -> Option<Class> {
        let number = sample.number();
        let is_between = before.min(after) <= number && number <= before.max(after);
        let distance = (number - before).abs().min((number - after).abs());
        let rules = [
            (Equal, number == before),
            (Moved, is_between),
            (Fell, is_rate_of_now(name) && number <= before.max(after)),
            (
                Question,
                COUNTS_THE_QUESTION.contains(&name) && distance <= OF_THE_QUESTION,
            ),
            (
                Average,
                name.ends_with("_time_average_seconds") && self.is_diluted(name, sample),
            ),
            (
                PausedCounted,
                name == "haproxy_backend_agg_check_status"
                    && number > before.max(after)
                    && distance <= self.paused_servers(sample),
            ),
            (CheckRuns, name.ends_with("_check_code") && number == 0.0),
        ];
        rules
            .into_iter()
            .find(|(_, holds)| *holds)
            .map(|(class, _)| class)
    }

    fn class_of_none(&self, name: &str, sample: &Sample) -> Option<Class> {
        let is_paused = |status: &str| {
            let cells = [0, 1].map(|when: usize| self.cell(when, sample, status));
            cells.contains(&Some(""))
        };
        match name {
            "haproxy_sticktable_local_updates" => Some(LocalUpdates),
            "haproxy_server_check_duration_seconds" if is_paused("check_status") => Some(Paused),
            "haproxy_server_agent_duration_seconds" if is_paused("agent_status") => Some(Paused),
            _ => sample.number().is_nan().then_some(NotANumber),
        }
    }

    /// Whether HAProxy divided the sum of the times by 1,024 instead of by their number. In http mode
    /// that is twice the number of requests.
    fn is_diluted(&self, name: &str, sample: &Sample) -> bool {
        let printed = (sample.number() * 1000.0).round() as u64;
        [0, 1].into_iter().any(|when: usize| {
            let number = |column: &str| self.cell(when, sample, column)?.parse::<u64>().ok();
            let average = number(&self.columns[name]).expect("an average");
            let (requests, each) = match number("req_tot") {
                Some(requests) => (requests, 2),
                None => (number("lbtot").unwrap_or(0), 1),
            };
            // Both are rounded up.
            let divisor = (requests * each).min(AVERAGED);
            let by_divisor = average.saturating_sub(1) * divisor..=average * divisor;
            let by_all = printed.saturating_sub(1) * AVERAGED..=printed * AVERAGED;
            requests < AVERAGED
                && by_divisor.start() <= by_all.end()
                && by_all.start() <= by_divisor.end()
        })
    }

    /// How many servers of a backend have no check result on the CLI.
    fn paused_servers(&self, sample: &Sample) -> f64 {
        let table = &self.rows[0];
        let paused = table.rows.iter().filter(|row| {
            let cells = ["pxname", "type", "check_status"].map(|column| table.cell(row, column));
            cells == [label(sample, "proxy"), Some("2"), Some("")]
        });
        paused.count() as f64
    }

    /// A cell of the row of `show stat` that a sample is about.
    fn cell(&self, when: usize, sample: &Sample, column: &str) -> Option<&str> {
        let table = &self.rows[when];
        let row = table.rows.iter().find(|row| {
            let cell = |column: &str| table.cell(row, column);
            let name = label(sample, "server").or(Some("BACKEND"));
            cell("pxname") == label(sample, "proxy") && cell("svname") == name
        })?;
        table.cell(row, column)
    }
}

fn label<'a>(sample: &'a Sample, wanted: &str) -> Option<&'a str> {
    let mut labels = sample.labels.iter();
    labels.find_map(|(name, value)| (name == wanted).then_some(value.as_str()))
}

/// A rate over the last second, neither a limit nor a maximum.
fn is_rate_of_now(name: &str) -> bool {
    name.ends_with("_rate") && !name.contains("_limit_") && !name.contains("_max_")
}
