//! Answers cut at any byte: not a sample of a cut answer may be exported.

use tempfile::TempDir;

use crate::support::exporter::Problem;
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::faults::{self, CLOSED, CUT, Case, INFO, Outcome, Totals};
use crate::support::{fixtures, http, pages, reference};

/// Every prefix of the smallest recorded answer, through one process.
#[test]
fn unix_at_every_byte() {
    let stat = fixtures::bytes("1.5.0/stat.csv");
    let directory = TempDir::new().expect("a temporary directory");
    let fake = Fake::unix(&directory.path().join("haproxy.sock"), Answers::default());
    cli_cut_at(&fake, &stat, 0..stat.len());
}

/// Row boundaries, their neighbours and a sample of the rest, for every version.
#[test]
fn tcp_at_row_boundaries() {
    for version in fixtures::VERSIONS {
        let stat = fixtures::bytes(&format!("{version}/stat.csv"));
        let fake = Fake::tcp("127.0.0.1", Answers::default());
        let near_row_end = |at: usize| stat[at - 1..=at].contains(&b'\n');
        let positions = (0..stat.len()).filter(|at| at % 89 == 0 || near_row_end(*at));
        cli_cut_at(&fake, &stat, positions);
    }
}

fn cli_cut_at(fake: &Fake, stat: &[u8], positions: impl Iterator<Item = usize>) {
    let about = |err: &str| Problem::scrape_failed(&format!("{}: {err}", fake.object()));
    let problems = cut_at(
        fake,
        stat,
        positions,
        |bytes| Answers::whole(bytes, INFO),
        || whole(stat, true),
    );
    // The header alone could be the start of anything; it is cut all the same.
    assert_eq!(problems[0], about(CLOSED));
    let others: Vec<_> = problems[1..]
        .iter()
        .filter(|problem| **problem != about(CUT))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

/// The answer says where it ends, so a cut must be seen at every byte: a short page at all of
/// them, the recorded one at row boundaries and a sample of the rest.
#[test]
fn http_in_chunks() {
    let short = pages::in_chunks(&pages::body()).into_bytes();
    http_cut_at(&short, |_| true);
    let recorded = fixtures::bytes("2.0.0/http10.raw");
    let sample = |at: usize| at.is_multiple_of(11) || recorded[at - 1..=at].contains(&b'\n');
    http_cut_at(&recorded, |at| sample(at) || at + 20 > recorded.len());
}

/// Only the end of the connection ends the answer, so a cut can be seen but between rows.
#[test]
fn http_closed_by_eof() {
    for (version, step) in [("1.5.0", 3), ("3.2.0", 17)] {
        let answer = fixtures::bytes(&format!("{version}/http10.raw"));
        let head = answer.len() - http_body(&answer).len();
        let visible = |at: usize| at <= head || answer[at - 1] != b'\n';
        http_cut_at(&answer, |at| at.is_multiple_of(step) && visible(at));
    }
}

fn http_cut_at(answer: &[u8], wanted: impl Fn(usize) -> bool) {
    let body = http_body(answer);
    let fake = Fake::http("127.0.0.1", Answers::default());
    let positions = (0..answer.len()).filter(|at| wanted(*at));
    cut_at(&fake, answer, positions, Answers::page, || {
        whole(&body, false)
    });
}

fn http_body(answer: &[u8]) -> Vec<u8> {
    let head = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("a head")
        + 4;
    match http::parse(answer, false) {
        Ok(response) => response.body,
        Err(_) => answer[head..].to_vec(),
    }
}

fn whole(stat: &[u8], has_info: bool) -> Outcome {
    let info = has_info.then(|| std::str::from_utf8(INFO).expect("an answer of ASCII"));
    Outcome::Served {
        want: reference::exposition(stat, info),
        failures: 0,
        complaint: None,
    }
}

/// Cuts that one exporter gets: it logs each problem ten times a minute at most.
const CUTS_AN_EXPORTER: usize = 100;

/// Serves prefixes. Each must fail whole; after the first, the hundredth and the last one of each exporter a
/// healthy scrape must work. Returns the log's problems: one whenever the reason changes, or after a healthy scrape.
fn cut_at(
    fake: &Fake,
    answer: &[u8],
    positions: impl Iterator<Item = usize>,
    answers: impl Fn(&[u8]) -> Answers,
    whole: impl Fn() -> Outcome,
) -> Vec<Problem> {
    let positions: Vec<usize> = positions.collect();
    let cuts = positions.len();
    assert!(cuts >= 100, "{cuts} cuts");
    let mut problems = Vec::new();
    for positions in positions.chunks(CUTS_AN_EXPORTER) {
        let exporter = faults::exporter(fake, &[]);
        let mut totals = Totals::default();
        let mut check = |answers: Answers, name: &str, outcome: Outcome| {
            fake.set(answers.clone());
            let case = Case {
                name: name.to_owned(),
                answers,
                outcome,
            };
            let differences = totals.check(&exporter, &case);
            assert_eq!(differences, [""; 0], "{name} of {}", fake.uri());
        };
        for (cuts, position) in positions.iter().enumerate() {
            let name = format!("cut at byte {position}");
            let failed = Outcome::Failed(String::new());
            check(answers(&answer[..*position]), &name, failed);
            if cuts == 0 || cuts + 1 == positions.len() {
                check(answers(answer), &format!("whole, after {name}"), whole());
            }
        }
        let finished = exporter.finish();
        let counted = finished.times_until("scrape succeeded again");
        assert_eq!(
            counted,
            positions.len() as u64,
            "each cut is counted until the log says it is over"
        );
        problems.extend(finished.problems());
    }
    let healthy = cuts.div_ceil(CUTS_AN_EXPORTER) + 1;
    assert!(
        problems.len() >= healthy && problems.len() < cuts / 2,
        "{problems:#?}"
    );
    problems
}
