//! A row for each socket of a listener: one series.

use super::*;

/// Cells of rows of one name: sessions now, at most, allowed, in all; the state; what becomes of them.
type Case<'a> = (&'a str, &'a [[&'a str; 5]], [&'a str; 5]);

/// The places of these cells.
const CELLS: [usize; 5] = [4, 5, 6, 7, STATUS];
const FAMILIES: [&str; 4] = [
    "current_sessions",
    "max_sessions",
    "limit_sessions",
    "sessions_total",
];

fn listener(name: &str, texts: &[&str; 5]) -> String {
    let cells: Vec<(usize, &str)> = CELLS.into_iter().zip(texts.iter().copied()).collect();
    row("web", name, "3", &cells)
}

/// The values of a listener's series, empty where there is none, and its state.
fn values(text: &str, listener: &str) -> [String; 5] {
    let labels = format!("proxy=\"web\",listener=\"{listener}\"");
    let value = |key: String| {
        let found = text.lines().find_map(|line| line.strip_prefix(&key));
        found.unwrap_or_default().to_owned()
    };
    let [now, most, limit, all] =
        FAMILIES.map(|name| value(format!("haproxy_listener_{name}{{{labels}}} ")));
    let states = ["WAITING", "OPEN", "FULL"].into_iter().filter(|state| {
        value(format!(
            "haproxy_listener_status{{{labels},state=\"{state}\"}} "
        )) == "1"
    });
    [now, most, limit, all, states.collect()]
}

#[test]
fn rows_of_one_name_are_added_up() {
    #[rustfmt::skip]
    let cases: [Case<'_>; 12] = [
        ("one", &[["1", "2", "3", "4", "OPEN"]], ["1", "2", "3", "4", "OPEN"]),
        ("three", &[["1", "2", "3", "4", "OPEN"], ["5", "9", "3", "6", "OPEN"], ["0", "1", "3", "0", "OPEN"]],
            ["6", "9", "9", "10", "OPEN"]),
        ("one is full", &[["1", "1", "1", "1", "FULL"], ["0", "0", "1", "0", "OPEN"]], ["1", "1", "2", "1", "OPEN"]),
        ("one is open", &[["0", "0", "1", "0", "OPEN"], ["1", "1", "1", "1", "FULL"]], ["1", "1", "2", "1", "OPEN"]),
        ("none is open", &[["0", "0", "1", "0", "WAITING"], ["1", "1", "1", "1", "FULL"]], ["1", "1", "2", "1", "FULL"]),
        ("all wait", &[["", "", "", "", "WAITING"], ["", "", "", "", "WAITING"]], ["", "", "", "", "WAITING"]),
        ("an odd state", &[["", "", "", "", "ODD"], ["", "", "", "", "WAITING"], ["", "", "", "", "ODD"]],
            ["", "", "", "", "WAITING"]),
        ("no state", &[["1", "", "", "", ""], ["1", "", "", "", ""]], ["2", "", "", "", ""]),
        ("an empty cell first", &[["", "", "", "", "OPEN"], ["1", "2", "3", "4", "OPEN"]], ["1", "2", "3", "4", "OPEN"]),
        ("an empty cell later", &[["1", "2", "3", "4", "OPEN"], ["", "", "", "", "OPEN"]], ["1", "2", "3", "4", "OPEN"]),
        ("below zero", &[["-1", "-2", "1", "007", "OPEN"], ["+3", "-5", "1", "1", "OPEN"]], ["2", "-2", "2", "8", "OPEN"]),
        ("more than 64 bits", &[["18446744073709551615", "5", "", "18446744073709551614", "OPEN"], ["2", "4", "", "1", "OPEN"]],
            ["18446744073709551615", "5", "", "18446744073709551615", "OPEN"]),
    ];
    for (name, rows, expected) in cases {
        // Rows of others stand before, between and behind them, and more than one batch has room for.
        let mut answer = HEADER.to_owned() + &listener("before", &["7", "7", "7", "7", "FULL"]);
        for (number, texts) in rows.iter().enumerate() {
            answer += &listener("it", texts);
            for other in 0..40 {
                let name = format!("other-{number}-{other}");
                answer += &listener(&name, &["1", "2", "3", "4", "WAITING"]);
            }
        }
        answer += &listener("\"behind, quoted\"", &["8", "8", "8", "8", "OPEN"]);
        answer += "\n";
        let mut table = table_with(&[], &[], 1, "");
        let scraped = scraped_by(&mut table, answer.as_bytes(), Proof::EmptyLine);
        assert_eq!(
            (scraped.result, scraped.failures),
            (Ok(()), 0),
            "{name}: {:?}",
            scraped.first
        );
        assert_eq!(values(&scraped.text, "it"), expected, "{name}");
        let others = ["before", "other-0-0", "other-0-39", "behind, quoted"];
        let found = others.map(|other| values(&scraped.text, other));
        let wanted = [
            ("7", "FULL"),
            ("1", "WAITING"),
            ("1", "WAITING"),
            ("8", "OPEN"),
        ];
        for (found, (now, state)) in found.iter().zip(wanted) {
            assert_eq!([&*found[0], &*found[4]], [now, state], "{name}");
        }
        // The next scrape has rows of one socket each.
        let answer = HEADER.to_owned() + &listener("it", &["1", "2", "3", "4", "OPEN"]) + "\n";
        let again = scraped_by(&mut table, answer.as_bytes(), Proof::EmptyLine);
        assert_eq!(values(&again.text, "it"), ["1", "2", "3", "4", "OPEN"]);
        assert_eq!(again.text.matches("listener=").count(), 7, "{}", again.text);
    }
}

/// A cell that is no number is left out and counted; the others are added up.
#[test]
fn a_bad_cell_of_one_socket() {
    let answer = [
        HEADER,
        &listener("it", &["1", "2", "3", "4", "OPEN"]),
        &listener("it", &["x", "5", "3", "4", "OPEN"]),
        &listener("it", &["2", "1", "3", "4", "OPEN"]),
        "\n",
    ];
    let mut table = table_with(&[], &[], 1, "");
    let scraped = scraped_by(&mut table, answer.concat().as_bytes(), Proof::EmptyLine);
    let first = "line 3, field 4 (scur): \"x\" is not a number";
    assert_eq!(
        (scraped.failures, scraped.first.as_deref()),
        (1, Some(first))
    );
    assert_eq!(values(&scraped.text, "it"), ["3", "5", "9", "12", "OPEN"]);
}

/// What is read of listeners is either added up, or one of their states.
#[test]
fn columns_can_be_joined() {
    let catalog = commands::catalog(&[]);
    for stored in catalog.stored_columns(RowType::Listener) {
        assert!(
            matches!(
                stored.conversion,
                Conversion::Integer | Conversion::ListenerState
            ),
            "{stored:?}"
        );
    }
}
