//! Odd answers that both exporters must read alike.

use super::{case, run, run_over_http};
use crate::support::cases::{Go, NUMBERS, STATUSES};
use crate::support::csv::{self, FIELDS, backend, frontend, row};

/// A server with a status: the Go exporter drops rows without one (`design::a_server_without_status`).
fn server(backend: &str, name: &str, cells: &[(usize, &str)]) -> String {
    csv::server(backend, name, &[&[(17, "UP")], cells].concat())
}

#[test]
fn odd_lines() {
    let good = server("app", "good", &[(4, "1"), (17, "UP"), (58, "3")]);
    let good = good.as_str();
    let other = backend("app", &[(4, "5")]);
    let other = other.as_str();
    let short = "a,b,0,\n";
    let crlf = good.replace('\n', "\r\n");
    let fields = |count: usize| format!("app,odd{}\n", ",".repeat(count - 2));
    // The row itself, where it is not the first: see `design::a_bad_first_row`.
    let bad = |name: &str, row: &str| case(name, &[good, row, other]);
    run(&[
        case("no rows", &[]),
        case("comments", &["# one\n", good, "#two,three\n", "#\n"]),
        case("a comment with a quote", &["# \"\n", good]),
        case("CRLF", &[&crlf]),
        case("CRLF and LF", &[&crlf, other]),
        case("CR in a field", &[&server("app", "a\rb", &[(4, "1")])]),
        bad("a row with a field less", &fields(FIELDS)),
        bad("a row with a field more", &fields(FIELDS + 2)),
        bad("a row of one field", "x\n"),
        bad("a bare quote", &server("app", "a\"b", &[(4, "1")])),
        bad("a bare quote at the end", &server("app", "a\"", &[])),
        bad("a bare quote in the first field", &server("a\"b", "x", &[])),
        bad("text behind a quoted field", &server("app", "\"a\"b", &[])),
        bad("two bad lines", "a\"\nb\"\n"),
        case("all rows short", &[short, short]),
        case("32 fields", &[&fields(32), &fields(32)]),
        case("a bare quote first", &[&server("a\"b", "x", &[])]),
        case(
            "a quoted row",
            &[&server("\"a,b\"", "\"c\"\"d\"", &[(4, "\"7\"")])],
        ),
        case(
            "a newline in quotes",
            &[&server("app", "\"a\nb\"", &[(4, "1")])],
        ),
        case(
            "CRLF in quotes",
            &[&server("app", "\"a\r\nb\"", &[(4, "1")])],
        ),
        case(
            "an empty quoted field",
            &[&server("app", "x", &[(4, "\"\"")])],
        ),
        case(
            "a comma in quotes",
            &[&server("app", "x", &[(4, "1"), (56, "\"a, b\"")])],
        ),
        case("leading blanks", &[&server(" app", "  x", &[(4, "1")])]),
    ]);
    // On a CLI socket these swallow the empty line that proves the answer complete.
    run_over_http(&[
        case(
            "a quote that is never closed",
            &[good, &server("app", "\"a", &[])],
        ),
        case("a lone quote", &[good, "\"\n"]),
        case("no newline at the end", &[good, other.trim_end()]),
    ]);
}

#[test]
fn odd_numbers() {
    let numbers = NUMBERS.iter().chain([&("", true, Go::Agrees)]);
    let cases = numbers.filter_map(|(number, _, go)| match go {
        Go::Agrees => Some(number_case(
            number,
            &[(4, number), (7, number), (58, number)],
        )),
        Go::AgreesOnCounts => Some(number_case(number, &[(4, number), (7, number)])),
        Go::Differs => None,
    });
    run(&cases.collect::<Vec<_>>());
    let times = [
        "1",
        "10",
        "100",
        "999",
        "1000",
        "1001",
        "12345",
        "-1",
        "-1500",
        "86400000",
        "4294967295",
        "9007199254740993",
    ];
    run(&times.map(|time| number_case(time, &[(38, time), (58, time), (61, time)])));
}

fn number_case(number: &str, cells: &[(usize, &str)]) -> super::Case {
    case(
        &format!("{number:?}"),
        &[
            &server("app", "x", cells),
            &backend("app", cells),
            &frontend("web", cells),
            &server("app", "good", &[(4, "1"), (59, "1500")]),
        ],
    )
}

/// Every status that HAProxy prints, on servers, backends and frontends; what differs by design is absent.
#[test]
fn statuses() {
    let statuses = STATUSES.iter().filter(|(_, _, go)| *go == Go::Agrees);
    let cases = statuses.map(|(status, ..)| {
        case(
            status,
            &[
                &frontend("web", &[(17, status)]),
                &server("app", "x", &[(17, status), (4, "1")]),
                &backend("app", &[(17, status)]),
            ],
        )
    });
    run(&cases.collect::<Vec<_>>());
}

#[test]
fn names() {
    let names = [
        "plain",
        "with space",
        "back\\slash",
        "tab\there",
        "ü",
        "日本",
        "\u{1f980}",
        "{}",
        "a=b",
        "'",
        "\\n",
        "\u{7f}",
        "\u{1}",
        "\\\\",
        "a\\",
        "=1+1",
        "%s",
        "<b>",
        "\u{2028}",
        "\u{feff}",
    ];
    run(&names.map(|name| {
        case(
            &format!("{name:?}"),
            &[
                &frontend(name, &[(4, "1")]),
                &server(name, name, &[(4, "1"), (40, "2")]),
                &backend(name, &[(4, "1")]),
            ],
        )
    }));
    let quoted = [
        "\"a\"\"b\"",
        "\"a,b\"",
        "\"\\\"\"\"",
        "\"a\nb\"",
        "\"\"\"\"",
        "\"# no comment\"",
    ];
    run(&quoted.map(|name| case(name, &[&server(name, name, &[(4, "1"), (40, "2")])])));
    run(&[
        case(
            "one name in three scopes",
            &[
                &frontend("same", &[(4, "1")]),
                &server("same", "same", &[(4, "2")]),
                &backend("same", &[(4, "3")]),
            ],
        ),
        case(
            "same server names in two backends",
            &[
                &server("a", "x", &[(4, "1")]),
                &server("b", "x", &[(4, "2")]),
            ],
        ),
    ]);
}

#[test]
fn row_types() {
    let kinds = ["0", "1", "2", "3", "4", "00", "-1"];
    run(&kinds.map(|kind| {
        let name = match kind {
            "0" => "FRONTEND",
            "1" => "BACKEND",
            _ => "sv",
        };
        case(
            &format!("type {kind:?}"),
            &[
                &row(&[(0, "px"), (1, name), (32, kind), (4, "1"), (17, "UP")]),
                &server("app", "good", &[(4, "1")]),
            ],
        )
    }));
}

/// Rows that take part in no family have cells that nobody reads.
#[test]
fn other_columns_are_not_read() {
    let all = |text: &'static str| -> Vec<(usize, &str)> {
        let names_and_type = [0, 1, 17, 32];
        (0..FIELDS)
            .filter(|column| !names_and_type.contains(column))
            .map(|column| (column, text))
            .collect()
    };
    for text in ["1", "", "junk", "-5"] {
        run(&[case(
            &format!("{text:?} everywhere"),
            &[
                &frontend("web", &all(text)),
                &server("app", "x", &all(text)),
                &backend("app", &all(text)),
            ],
        )]);
    }
}
