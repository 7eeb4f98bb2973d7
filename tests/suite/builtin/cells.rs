//! What cells may hold: every status, odd numbers, odd names, under HAProxy's own names.

use super::answers::Answers;
use super::ours;
use super::reference;
use super::responder::Responder;
use crate::support::cases::NUMBERS;
use crate::support::exporter::{Exporter, Problem};

/// Statuses of each type of rows.
const FRONTENDS: [&str; 7] = ["OPEN", "STOP", "FULL", "PAUSED", "WAITING", "open", ""];
const BACKENDS: [&str; 8] = [
    "UP",
    "DOWN",
    "UP (UNPUB)",
    "UP (2/3)",
    "UPS",
    "up",
    "MAINT",
    "",
];
const LISTENERS: [&str; 7] = ["OPEN", "WAITING", "FULL", "CLOSED", "OPEN 1", "open", ""];
const SERVERS: [&str; 30] = [
    "UP",
    "UP 1/3",
    "UP -1/3",
    "UP 868/900",
    "UP (agent)",
    "no check",
    "no",
    "no checks",
    "DOWN",
    "DOWN 1/2",
    "DOWN (agent)",
    "DOWN (UNPUB)",
    "MAINT",
    "MAINT (via a/b)",
    "MAINT (resolution)",
    "MAINTENANCE",
    "DRAIN",
    "DRAIN 2/3",
    "DRAIN (agent)",
    "NOLB",
    "NOLB 1/2",
    "NOLB(x)",
    "OPEN",
    "up",
    "UPS",
    "UP1",
    "DOWN\t1",
    "nonsense",
    "drain",
    "",
];
/// Of health checks and of agents.
const CHECKS: [&str; 30] = [
    "HANA", "SOCKERR", "L4OK", "L4TOUT", "L4CON", "L6OK", "L6TOUT", "L6RSP", "L7TOUT", "L7RSP",
    "L7OK", "L7OKC", "L7STS", "PROCERR", "PROCTOUT", "PROCOK", "UNK", "INI", "CHECKED", "* L7OK",
    "* L4CON", "* UNK", "* INI", "*L7OK", "*  L7OK", "* * L7OK", "L8OK", "l7ok", "L7OK ", "",
];
const NAMES: [&str; 21] = [
    "plain",
    "with space",
    " leading",
    "trailing ",
    "back\\slash",
    "\\n",
    "\\",
    "tab\there",
    "ü",
    "日本",
    "\u{1f980}",
    "{}",
    "}",
    "a=b",
    "a,b",
    "say \"hi\"",
    "\"",
    "two\nlines",
    "no # hash",
    "\u{1}",
    "\u{feff}",
];

/// A row of the columns of 3.4.0.
fn row(kind: &str, names: [&str; 2], cells: &[(&str, &str)]) -> String {
    let columns = Answers::recorded("3.4.0", "", "").stat().columns;
    let named = [("pxname", names[0]), ("svname", names[1]), ("type", kind)];
    let cells = [&named[..], cells].concat();
    let text = |column: &String| {
        let found = cells.iter().rev().find(|(name, _)| name == column);
        let cell = found.map_or("", |(_, cell)| cell);
        match cell.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell.to_owned(),
        }
    };
    columns.iter().map(text).collect::<Vec<_>>().join(",") + "\n"
}

fn with_rows(rows: &[String]) -> Answers {
    let mut answers = Answers::recorded("3.4.0", "", "");
    let header = answers.stat.lines().next().expect("a header");
    answers.stat = format!("{header}\n{}", rows.concat());
    answers
}

/// Ours has what the reference has, and so many cells were bad.
fn compare(rows: &[String], bad: usize) {
    let answers = with_rows(rows);
    let responder = Responder::start(answers.clone());
    let exporter = ours::start(&[&responder.flag()]);
    let families = ours::get(&exporter, "/metrics");
    ours::assert_same(&families, &reference::main(&answers), "odd cells");
    let problems = exporter.finish().problems();
    assert_eq!(problems.len(), usize::from(bad > 0), "{problems:?}");
    for Problem { msg, details, .. } in problems {
        assert_eq!(msg, "CSV parse failures");
        assert_eq!(details[0], format!("count={bad}"));
    }
}

#[test]
fn states_of_proxies() {
    let rows = |kind: &'static str, name: &'static str, statuses: &[&'static str]| {
        let rows = statuses.iter().enumerate().map(|(at, status)| {
            row(
                kind,
                [&format!("p{at}"), name],
                &[("status", status), ("scur", "1")],
            )
        });
        rows.collect::<Vec<_>>()
    };
    let frontends = rows("0", "FRONTEND", &FRONTENDS);
    let backends = rows("1", "BACKEND", &BACKENDS);
    let listeners = rows("3", "sock-1", &LISTENERS);
    compare(&[frontends, backends, listeners].concat(), 0);
}

/// Each in a backend of its own, which counts them, and all in one.
#[test]
fn states_of_servers() {
    for (column, texts) in [
        ("status", &SERVERS[..]),
        ("check_status", &CHECKS),
        ("agent_status", &CHECKS),
    ] {
        let mut rows = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            let backend = format!("b{at}");
            for (name, code) in [("with", "200"), ("without", "")] {
                let cells = [
                    ("status", "UP"),
                    ("check_code", code),
                    ("check_duration", "7"),
                    ("agent_code", code),
                    ("agent_duration", "8"),
                    (column, text),
                ];
                rows.push(row("2", [&backend, name], &cells));
                rows.push(row("2", ["all", &format!("{name}{at}")], &cells));
            }
            rows.push(row("1", [&backend, "BACKEND"], &[("status", "UP")]));
        }
        // HAProxy prints a proxy's rows together.
        rows.sort_by_key(|row| row.split(',').next().map(str::to_owned));
        rows.push(row("1", ["all", "BACKEND"], &[("status", "UP")]));
        rows.push(row("1", ["none", "BACKEND"], &[("status", "UP")]));
        compare(&rows, 0);
    }
}

#[test]
fn numbers() {
    let mut rows = Vec::new();
    let mut bad = 0;
    for (at, (text, is_number, _)) in NUMBERS.iter().enumerate() {
        let text = text.trim_matches('"');
        assert_eq!(reference::is_whole_number(text), *is_number, "{text:?}");
        let cells = [
            ("status", "UP"),
            ("scur", text),
            ("stot", text),
            ("ttime", text),
        ];
        rows.push(row("2", ["app", &format!("s{at}")], &cells));
        bad += if *is_number { 0 } else { 3 };
    }
    rows.push(row("1", ["app", "BACKEND"], &[("status", "UP")]));
    compare(&rows, bad);
}

#[test]
fn names() {
    let mut rows = Vec::new();
    for name in NAMES {
        let cells = [
            ("scur", "1"),
            ("status", "UP"),
            ("hrsp_1xx", "3"),
            ("check_status", "L4OK"),
        ];
        rows.push(row("0", [name, "FRONTEND"], &cells));
        rows.push(row("3", [name, name], &cells));
        rows.push(row("2", [name, name], &cells));
        rows.push(row("1", [name, "BACKEND"], &cells));
    }
    compare(&rows, 0);
}

/// What `show info` says in words.
#[test]
fn words() {
    for words in [
        "plain",
        "say \"hi\"",
        "back\\slash",
        "a=\"b\",c",
        " blanks ",
        "ü 日本",
        "{}",
    ] {
        let mut answers = Answers::recorded("3.4.0", "", "");
        answers.info = answers
            .info
            .replace("promex test", words)
            .replace("testnode", words);
        let responder = Responder::start(answers.clone());
        let exporter = ours::start(&[&responder.flag()]);
        let families = ours::get(&exporter, "/metrics");
        ours::assert_same(&families, &reference::main(&answers), words);
    }
}

/// Servers that are left out still are servers of their backend.
#[test]
fn excluded_states() {
    let answers = Answers::recorded("3.4.0", "", "");
    let responder = Responder::start(answers.clone());
    let stat = answers.stat();
    for states in ["MAINT", "DOWN", "MAINT,DRAIN", "UP,no check", "NOLB"] {
        let flag = format!("--haproxy.server-exclude-states={states}");
        let excluded: Vec<&str> = states.split(',').collect();
        let mut expected = reference::main(&answers);
        expected.retain(|_, sample| {
            let label = |wanted: &str| {
                let found = sample.labels.iter().find(|(name, _)| name == wanted);
                found.map(|(_, value)| value.as_str())
            };
            let row = stat.rows.iter().find(|row| {
                sample.line.scope == "server"
                    && stat.cell(row, "pxname") == label("proxy")
                    && stat.cell(row, "svname") == label("server")
            });
            let status = row
                .and_then(|row| stat.cell(row, "status"))
                .unwrap_or_default();
            let word = match status.split_once(' ') {
                Some((word, _)) if status != "no check" => word,
                _ => status,
            };
            !excluded.contains(&word)
        });
        let exporter = ours::start(&[&responder.flag(), &flag]);
        ours::assert_same(&ours::get(&exporter, "/metrics"), &expected, states);
    }
}

/// The columns that are chosen for servers are those of the other profile.
#[test]
fn chosen_columns() {
    let answers = Answers::recorded("3.4.0", "", "");
    let responder = Responder::start(answers.clone());
    let exporter = Exporter::start(&[&responder.flag(), "--haproxy.server-metric-fields=17"]);
    let families = ours::get(&exporter, "/metrics?names=builtin");
    ours::assert_same(&families, &reference::main(&answers), "builtin");
}

/// Each column has a number of its own, so that none can stand for another; in http mode and not.
#[test]
fn every_column() {
    let columns = Answers::recorded("3.4.0", "", "").stat().columns;
    let numbers: Vec<String> = (0..columns.len())
        .map(|at| (1_000_000 + at).to_string())
        .collect();
    let all = columns.iter().zip(&numbers);
    let all: Vec<(&str, &str)> = all
        .map(|(name, number)| (name.as_str(), number.as_str()))
        .collect();
    let mut rows = Vec::new();
    // HAProxy leaves these empty where a proxy is not in http mode.
    let responses = ["hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx"];
    let tcp = responses.map(|column| (column, ""));
    for (kind, name) in [
        ("0", "FRONTEND"),
        ("3", "sock"),
        ("2", "one"),
        ("1", "BACKEND"),
    ] {
        for (proxy, mode) in [("http", &[][..]), ("tcp", &tcp)] {
            let cells = [
                ("pxname", proxy),
                ("svname", name),
                ("type", kind),
                ("status", "UP"),
                ("check_status", "L7OK"),
                ("agent_status", "L7STS"),
            ];
            rows.push(row(kind, [proxy, name], &[&all[..], &cells, mode].concat()));
        }
    }
    let answers = with_rows(&rows);
    let responder = Responder::start(answers.clone());
    let exporter = ours::start(&[&responder.flag()]);
    let families = ours::get(&exporter, "/metrics?extra-counters");
    let expected = reference::all(&answers);
    ours::assert_same(&families, &expected, "every column");
    assert!(expected.len() > 700, "{}", expected.len());
    assert_eq!(exporter.finish().problems(), []);
}
