//! Runs tables of hostile answers through few exporter processes.
//!
//! After every case a healthy answer must be served as if nothing had been, and at the end the log
//! must hold one line for each case, in order, and no other warning.

use std::fmt::Write;

use super::exporter::{Exporter, Problem};
use super::exposition::Exposition;
use super::fake_haproxy::{Act, Answers, Fake, Script};
use super::reference;

/// One answer and what must come of it. Expected errors are given without the name of the source,
/// which the log puts before each.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) answers: Answers,
    pub(crate) outcome: Outcome,
}

/// What a scrape makes of an answer.
pub(crate) enum Outcome {
    /// `haproxy_up 0`, nothing from HAProxy, one error line.
    Failed(String),
    /// These samples, so many failures, and a warning if there is a complaint.
    Served {
        want: Exposition,
        failures: u64,
        complaint: Option<Complaint>,
    },
}

/// What the warning of a served scrape is about.
pub(crate) enum Complaint {
    /// So many bad rows and cells, and the first of them.
    Rows(u64, String),
    /// `show info`.
    Info(String),
    /// A header, and not a single row.
    NoRow,
}

impl Case {
    /// The answer to `show stat`, or the page, makes the scrape fail. `info` is what a healthy peer says.
    pub(crate) fn failed(name: &str, stat: Script, err: &str) -> Case {
        let answers = Answers {
            stat,
            info: vec![Act::Send(INFO.to_vec())],
        };
        Case {
            name: name.to_owned(),
            answers,
            outcome: Outcome::Failed(err.to_owned()),
        }
    }

    /// The answer is served as the reference reads it, with CSV parse failures.
    pub(crate) fn bad_rows(name: &str, stat: &[u8], count: u64, first: &str) -> Case {
        let case = Case::served(name, stat, vec![Act::Send(stat.to_vec())]);
        let Outcome::Served { want, failures, .. } = case.outcome else {
            unreachable!("served says so")
        };
        assert_eq!(
            failures, count,
            "{name}: failures that the reference counts"
        );
        Case {
            outcome: Outcome::Served {
                want,
                failures,
                complaint: Some(Complaint::Rows(count, first.to_owned())),
            },
            ..case
        }
    }

    /// An answer without a row, which is whole all the same.
    pub(crate) fn no_row(name: &str, stat: &[u8]) -> Case {
        let mut case = Case::served(name, stat, vec![Act::Send(stat.to_vec())]);
        if let Outcome::Served { complaint, .. } = &mut case.outcome {
            *complaint = Some(Complaint::NoRow);
        }
        case
    }

    /// The script brings `stat` whole, without a reason to warn.
    pub(crate) fn served(name: &str, stat: &[u8], script: Script) -> Case {
        let want = reference::exposition(stat, Some(INFO_TEXT));
        let failures = want.value("haproxy_exporter_csv_parse_failures_total") as u64;
        let answers = Answers {
            stat: script,
            info: vec![Act::Send(INFO.to_vec())],
        };
        Case {
            name: name.to_owned(),
            answers,
            outcome: Outcome::Served {
                want,
                failures,
                complaint: None,
            },
        }
    }

    /// `show info` fails, the rows are served.
    pub(crate) fn info_failed(name: &str, stat: &[u8], info: Script, err: &str) -> Case {
        let want = reference::exposition(stat, None);
        let answers = Answers {
            stat: vec![Act::Send(stat.to_vec())],
            info,
        };
        Case {
            name: name.to_owned(),
            answers,
            outcome: Outcome::Served {
                want,
                failures: 0,
                complaint: Some(Complaint::Info(err.to_owned())),
            },
        }
    }

    /// Whether the scrape must run into its deadline. Only then it gets a short one: a healthy
    /// answer must not fail because the machine is busy.
    fn is_slow(&self) -> bool {
        let never_closes = matches!(self.answers.stat.last(), Some(Act::Hold));
        match &self.outcome {
            Outcome::Failed(err) => err == TIMED_OUT || never_closes,
            Outcome::Served { complaint, .. } => {
                matches!(complaint, Some(Complaint::Info(err)) if err == TIMED_OUT)
            }
        }
    }

    /// The same case without `show info`: over HTTP there is none.
    pub(crate) fn over_http(mut self) -> Case {
        if let Outcome::Served { want, .. } = &mut self.outcome {
            let info = reference::exposition(b"", Some(INFO_TEXT));
            let own = reference::exposition(b"", None);
            *want = want.clone().without(|family| {
                info.families.contains_key(family) && !own.families.contains_key(family)
            });
        }
        self
    }
}

/// An exporter that scrapes the fake, and has time.
pub(crate) fn exporter(fake: &Fake, flags: &[&str]) -> Exporter {
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    Exporter::start(&[&[uri.as_str(), "--haproxy.timeout=30s"], flags].concat())
}

/// The answer to `show info` of a healthy peer.
pub(crate) const INFO: &[u8] = INFO_TEXT.as_bytes();
const INFO_TEXT: &str = "Name: HAProxy\nVersion: 9.9.9\nRelease_date: 2026/01/02\nPid: 77\nUptime_sec: 5\nIdle_pct: 98\nnode: n1\n\n";

/// The answer ended without a byte.
pub(crate) const CLOSED: &str = "closed without a reply";
/// The connection was reset.
pub(crate) const RESET: &str = "read: connection reset by peer";
/// The deadline passed while the answer was read.
pub(crate) const TIMED_OUT: &str = "read: timed out";
/// Over the CLI: no empty line at the end.
pub(crate) const CUT: &str = "reply cut: the closing empty line is missing";
/// Over HTTP and from files: the last row is not whole.
pub(crate) const CUT_ROW: &str = "reply cut: it ends in the middle of a row";
/// HTML instead of CSV.
pub(crate) const HTML: &str = "an HTML page instead of CSV";

/// The error for an answer without a header and without a row, which quotes its start.
pub(crate) fn not_statistics(answer: &[u8]) -> String {
    let mut lines = answer
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end);
    let first = lines
        .find(|line| !line.is_empty())
        .expect("something in the answer");
    let start = String::from_utf8_lossy(&first[..first.len().min(80)]);
    format!("not HAProxy statistics: it begins {start:?}")
}

/// The error for an answer beyond `--haproxy.max-response-bytes`.
pub(crate) fn too_large(limit: usize) -> String {
    format!("read: the reply is larger than {limit} bytes (--haproxy.max-response-bytes)")
}

/// The error for a row beyond the limit of 1 MiB.
pub(crate) fn line_too_long(line: usize) -> String {
    format!("line {line} is longer than 1048576 bytes")
}

/// Deals the cases out to the fakes, each of which has an exporter of its own: what waits for a
/// deadline waits at the same time. Reports every deviation of a fake's cases at once.
pub(crate) fn run(fakes: &[Fake], flags: &[&str], healthy: &Case, cases: &[Case]) {
    std::thread::scope(|scope| {
        for (number, fake) in fakes.iter().enumerate() {
            let dealt = cases.iter().skip(number).step_by(fakes.len());
            scope.spawn(move || run_in_turn(fake, flags, healthy, dealt));
        }
    });
}

/// Cases that one exporter gets: it logs each problem ten times a minute at most, and a line more when it is over.
const CASES_AN_EXPORTER: usize = 5;

fn run_in_turn<'a>(
    fake: &Fake,
    flags: &[&str],
    healthy: &'a Case,
    cases: impl Iterator<Item = &'a Case>,
) {
    let cases: Vec<_> = cases.collect();
    let mut report = String::new();
    for cases in cases.chunks(CASES_AN_EXPORTER) {
        report += &differences(fake, flags, healthy, cases);
    }
    assert!(report.is_empty(), "cases against {}:\n{report}", fake.uri());
}

fn differences(fake: &Fake, flags: &[&str], healthy: &Case, cases: &[&Case]) -> String {
    let exporter = exporter(fake, flags);
    let mut report = String::new();
    let mut totals = Totals::default();
    let mut problems = Vec::new();
    for case in cases {
        for (name, turn) in [
            (case.name.clone(), *case),
            (format!("healthy after {}", case.name), healthy),
        ] {
            fake.set(turn.answers.clone());
            for difference in totals.check(&exporter, turn) {
                writeln!(report, "{name}: {difference}").expect("writing to a String");
            }
            if let Some(problem) = expected_problem(turn, fake) {
                problems.push((name, problem));
            }
        }
    }
    report += &compare_logs(&problems, &exporter.finish().problems());
    report
}

/// Says which lines are wrong, missing or too many. A line that a later case expects is left to it,
/// so that one missing line does not make all the others look wrong.
fn compare_logs(wanted: &[(String, Problem)], logged: &[Problem]) -> String {
    let mut report = String::new();
    let mut logged = logged.iter().peekable();
    for (index, (name, want)) in wanted.iter().enumerate() {
        let later = &wanted[index + 1..];
        let own = |got: &&Problem| *got == want || later.iter().all(|(_, other)| *got != other);
        let got = logged.next_if(own);
        if got != Some(want) {
            writeln!(report, "{name}: logged {got:?}\n    instead of {want:?}")
                .expect("writing to a String");
        }
    }
    for extra in logged {
        writeln!(report, "one line too many: {extra:?}").expect("writing to a String");
    }
    report
}

/// What the counters came to with the last scrape.
#[derive(Default)]
pub(crate) struct Totals {
    scrapes: u64,
    failures: u64,
}

impl Totals {
    /// One scrape; the differences from what the case says, the first few.
    pub(crate) fn check(&mut self, exporter: &Exporter, case: &Case) -> Vec<String> {
        let announced = case
            .is_slow()
            .then_some(("X-Prometheus-Scrape-Timeout-Seconds", "3"));
        let got = exporter.scrape_with(announced.as_slice());
        let got = got.without(reference::volatile);
        self.scrapes += 1;
        let want = match &case.outcome {
            Outcome::Failed(_) => reference::failed(self.scrapes, self.failures),
            Outcome::Served { want, failures, .. } => {
                let failures = self.failures + failures;
                reference::with_totals(want.clone(), self.scrapes, failures)
            }
        };
        // A case that miscounts must not make the next ones look wrong.
        self.failures = got.value("haproxy_exporter_csv_parse_failures_total") as u64;
        let mut differences = got.differences(&want);
        differences.truncate(5);
        differences
    }
}

/// The line that the case must leave in the log.
pub(crate) fn expected_problem(case: &Case, fake: &Fake) -> Option<Problem> {
    let about = |err: &str| format!("{}: {err}", fake.object());
    match &case.outcome {
        Outcome::Failed(err) => Some(Problem::scrape_failed(&about(err))),
        Outcome::Served { complaint, .. } => match complaint {
            None => None,
            Some(Complaint::NoRow) => Some(Problem::no_row()),
            Some(Complaint::Info(err)) => Some(Problem::info_failed(&about(err))),
            Some(Complaint::Rows(count, first)) => Some(Problem::bad_rows(*count, first)),
        },
    }
}

#[test]
fn logs_are_compared_line_by_line() {
    let line = Problem::scrape_failed;
    let wanted = ["a", "b", "c"].map(|err| (err.to_owned(), line(err)));
    let report = |logged: &[Problem]| compare_logs(&wanted, logged).lines().count();
    assert_eq!(report(&[line("a"), line("b"), line("c")]), 0);
    assert_eq!(report(&[line("a"), line("c")]), 2);
    assert_eq!(report(&[line("a"), line("x"), line("c")]), 2);
    assert_eq!(report(&[line("a"), line("b"), line("c"), line("c")]), 1);
}
