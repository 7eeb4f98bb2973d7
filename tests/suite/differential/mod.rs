//! Debian's prometheus-haproxy-exporter and ours side by side on the same answers.
//!
//! Both must show the same families, types, labels and values. Where DESIGN.md, section 5, wants
//! another behaviour, the answer is in `design` instead.

mod design;
mod design_flags;
mod design_http;
mod design_rows;
mod live;
mod odd;
mod unlisted;

use tempfile::TempDir;

use crate::support::csv::HEADER;
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::fixtures::{self, CAPTURES, HTTP_VERSIONS, VERSIONS};
use crate::support::go_exporter::{Pair, has_family};

/// What HAProxy says to `show info`.
const INFO: &[u8] =
    b"Name: HAProxy\nVersion: 2.6.12\nRelease_date: 2023/03/28\nPid: 7\nUptime_sec: 9\nnode: n\n\n";

/// A CSV without the empty line that ends a CLI answer.
struct Case {
    name: String,
    csv: Vec<u8>,
}

fn case(name: &str, rows: &[&str]) -> Case {
    Case {
        name: name.to_owned(),
        csv: format!("{HEADER}{}", rows.concat()).into_bytes(),
    }
}

fn page(csv: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", csv.len());
    [head.as_bytes(), csv].concat()
}

/// Runs all cases over both transports through one pair of exporters each.
fn run(cases: &[Case]) {
    run_over_unix(cases);
    run_over_http(cases);
}

fn run_over_unix(cases: &[Case]) {
    let directory = TempDir::new().expect("a temporary directory");
    let fake = Fake::unix(&directory.path().join("s"), Answers::default());
    let answer = |case: &Case| Answers::whole(&[&case.csv[..], b"\n"].concat(), INFO);
    compare(&fake, cases, answer);
}

fn run_over_http(cases: &[Case]) {
    let fake = Fake::http("127.0.0.1", Answers::default());
    compare(&fake, cases, |case| Answers::page(&page(&case.csv)));
}

/// One pair of exporters on the fake, one scrape of both for each case.
fn compare(fake: &Fake, cases: &[Case], answer: impl Fn(&Case) -> Answers) {
    let Some(pair) = Pair::start(&[&format!("--haproxy.scrape-uri={}", fake.uri())]) else {
        return;
    };
    let mut report = Vec::new();
    let mut before = [0.0; 2];
    for case in cases {
        fake.set(answer(case));
        let (ours, go) = pair.scrape();
        let differences = differences(ours, go, &mut before);
        if !differences.is_empty() {
            report.push(format!("{}: {}", case.name, differences.join("; ")));
        }
    }
    assert!(
        report.is_empty(),
        "{} of {} cases differ over {}:\n{}",
        report.len(),
        cases.len(),
        fake.uri(),
        report.join("\n")
    );
}

/// Compares the failures of this scrape, not their sum, so that one difference is told once.
fn differences(ours: Exposition, go: Exposition, before: &mut [f64; 2]) -> Vec<String> {
    const FAILURES: &str = "haproxy_exporter_csv_parse_failures_total";
    let total = [ours.value(FAILURES), go.value(FAILURES)];
    let [mine, its] = [total[0] - before[0], total[1] - before[1]];
    *before = total;
    let counted = |exposition: Exposition| exposition.without(|family| family == FAILURES);
    let mut found = counted(ours).differences(&counted(go));
    if mine != its {
        found.push(format!("{mine} failures, not {its}"));
    }
    found.truncate(4);
    found
}

#[test]
fn recorded_answers() {
    let mut cases = Vec::new();
    for version in VERSIONS {
        for capture in CAPTURES {
            let mut csv = fixtures::bytes(&format!("{version}/{capture}.csv"));
            assert_eq!(csv.pop(), Some(b'\n'), "the empty line");
            let text = String::from_utf8(csv).expect("a recorded answer of UTF-8");
            let csv = full_states(&text).into_bytes();
            cases.push(Case {
                name: format!("{version}/{capture}"),
                csv,
            });
        }
    }
    run(&cases);
}

/// The text with `UP 1/2` and `DRAIN (agent)` as plain `UP` and `DRAIN`: what follows the word is
/// judged differently on purpose (`design::a_count_behind_the_status`).
fn full_states(text: &str) -> String {
    let cell = |cell: &str| match cell.split_once(' ') {
        Some((state @ ("UP" | "DRAIN"), _)) => state.to_owned(),
        _ => cell.to_owned(),
    };
    let line = |line: &str| line.split(',').map(cell).collect::<Vec<_>>().join(",") + "\n";
    text.lines().map(line).collect()
}

/// The pages byte by byte as HAProxy sent them, chunks and all.
#[test]
fn recorded_pages() {
    let fake = Fake::http("127.0.0.1", Answers::default());
    let Some(pair) = Pair::start(&[&format!("--haproxy.scrape-uri={}", fake.uri())]) else {
        return;
    };
    for version in HTTP_VERSIONS {
        let answer = fixtures::bytes(&format!("{version}/http10.raw"));
        fake.set(Answers::page(&answer));
        let (ours, go) = pair.scrape();
        assert!(has_family(&go, "haproxy_server_"), "{version}");
        let found = ours.differences(&go);
        assert_eq!(found, judged_differently(&answer), "{version}/http10.raw");
    }
}

/// The servers whose status has a count or words behind it that the Go exporter does not know.
fn judged_differently(answer: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(answer);
    let differs = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let status = *cells.get(17)?;
        let counted = status.starts_with("UP ") && !status.ends_with("/3");
        (counted || status.starts_with("DRAIN ")).then(|| {
            let [backend, server] = [cells[0], cells[1]];
            format!("haproxy_server_up{{backend=\"{backend}\",server=\"{server}\"}} is 1, not 0")
        })
    };
    text.lines().filter_map(differs).collect()
}

/// `--haproxy.server-metric-fields` and `--haproxy.server-exclude-states` on a recorded answer.
#[test]
fn flags() {
    let mut csv = fixtures::bytes("2.6.12/stat.csv");
    assert_eq!(csv.pop(), Some(b'\n'), "the empty line");
    let csv = full_states(&String::from_utf8(csv).expect("UTF-8")).into_bytes();
    let fake = Fake::http("127.0.0.1", Answers::page(&page(&csv)));
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let variants = [
        "--haproxy.server-metric-fields=",
        "--haproxy.server-metric-fields=17",
        "--haproxy.server-metric-fields=2,3,17,39,40,44,61",
        "--haproxy.server-metric-fields=17,17,40",
        "--haproxy.server-metric-fields=0,1,32,62,79,99999",
        "--haproxy.server-metric-fields=41",
        "--haproxy.server-exclude-states=",
        "--haproxy.server-exclude-states=DOWN",
        "--haproxy.server-exclude-states=no check,DRAIN",
    ];
    for variant in variants {
        let Some(pair) = Pair::start(&[&uri, variant]) else {
            return;
        };
        let (ours, go) = pair.scrape();
        ours.assert_equals(&go, variant);
    }
}
