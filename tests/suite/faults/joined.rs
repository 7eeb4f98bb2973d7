//! Two answers on one connection: where the first ends and the second begins, and what the second may
//! cost.
//!
//! The rows are complete with their own empty line. What is wrong behind it costs `show info` alone.

use std::time::Duration;

use tempfile::TempDir;

use crate::support::csv::{answer, backend, server};
use crate::support::fake_haproxy::{Act, Answers, Fake, Script};
use crate::support::faults::{self, CLOSED, CUT, Case, INFO, TIMED_OUT, not_statistics};

const NO_INFO: &str = "not a reply to \"show info\": it has no Version";
const TOO_MUCH: &str = "read: more came behind the closing empty line";

fn rows() -> Vec<u8> {
    answer(&[
        server("app", "s1", &[(4, "1"), (17, "UP")]),
        backend("app", &[(4, "2"), (17, "UP")]),
    ])
}

/// Cells that hold what looks like the end of the answer, and like the beginning of the next.
fn rows_with_empty_lines() -> Vec<u8> {
    answer(&[
        server("app", "s1", &[(4, "1"), (56, "\"\n\nVersion: 0\n\n\"")]),
        server("app", "s2", &[(4, "2"), (56, "\"\"\"\n\n\"\"\n\n\"")]),
    ])
}

fn run(cases: &[Case]) {
    let directory = TempDir::new().expect("a temporary directory");
    let fakes = [
        Fake::unix(&directory.path().join("s"), Answers::default()),
        Fake::tcp("127.0.0.1", Answers::default()),
    ];
    let healthy = Case::served("healthy", &rows(), vec![Act::Send(rows())]);
    for fake in fakes {
        faults::run(&[fake], &[], &healthy, cases);
    }
}

/// All bytes of both answers come in the script of the first: where one write ends says nothing.
fn at_once(case: Case, bytes: &[&[u8]]) -> Case {
    let answers = Answers {
        // What comes behind is not an answer of its own, so that the fake closes.
        stat: vec![Act::Send(bytes.concat()), Act::Close],
        info: Script::new(),
    };
    Case { answers, ..case }
}

fn served(name: &str, stat: &[u8]) -> Case {
    Case::served(name, stat, Script::new())
}

fn info_failed(name: &str, stat: &[u8], err: &str) -> Case {
    Case::info_failed(name, stat, Script::new(), err)
}

#[test]
#[rustfmt::skip]
fn answers_in_one_piece() {
    let (rows, tricky) = (rows(), rows_with_empty_lines());
    let no_row = answer(&[]);
    let of_two = INFO.len() / 2;
    run(&[
        at_once(served("both", &rows), &[&rows, INFO]),
        at_once(served("empty lines in cells", &tricky), &[&tricky, INFO]),
        at_once(Case::no_row("a header without rows", &no_row), &[&no_row, INFO]),
        at_once(info_failed("cut between the answers", &rows, CLOSED), &[&rows]),
        at_once(info_failed("cut in the second", &rows, CUT), &[&rows, &INFO[..of_two]]),
        at_once(info_failed("cut before the last empty line", &rows, CUT), &[&rows, &INFO[..INFO.len() - 1]]),
        at_once(info_failed("the second is a bare empty line", &rows, NO_INFO), &[&rows, b"\n"]),
        at_once(info_failed("the second is denied", &rows, NO_INFO), &[&rows, b"Permission denied\n\n"]),
        at_once(info_failed("an empty line too many between them", &rows, TOO_MUCH), &[&rows, b"\n", INFO]),
        at_once(info_failed("an empty line too many at the end", &rows, TOO_MUCH), &[&rows, INFO, b"\n"]),
        at_once(info_failed("an answer too many", &rows, TOO_MUCH), &[&rows, INFO, INFO]),
        at_once(Case::failed("the first is a bare empty line", Script::new(), CLOSED), &[b"\n", INFO]),
        at_once(
            Case::failed("the first is denied", Script::new(), &not_statistics(b"Permission denied")),
            &[b"Permission denied\n\n", INFO],
        ),
        at_once(
            Case::failed(
                "the first is unknown",
                Script::new(),
                &not_statistics(b"Unknown command. Please enter one of the following"),
            ),
            &[
                b"Unknown command. Please enter one of the following\n  help : this\n\n",
                INFO,
            ],
        ),
        at_once(Case::failed("only the second", Script::new(), &not_statistics(INFO)), &[INFO]),
        at_once(Case::failed("the first without its empty line", Script::new(), CUT), &[&rows[..rows.len() - 1]]),
    ]);
}

#[test]
fn answers_in_many_pieces() {
    let (rows, tricky) = (rows(), rows_with_empty_lines());
    let drip = |bytes: &[u8]| vec![Act::Drip(bytes.to_vec(), Duration::ZERO)];
    let dripped = |case: Case, stat: &[u8], info: &[u8]| Case {
        answers: Answers {
            stat: drip(stat),
            info: drip(info),
        },
        ..case
    };
    // Over the place where one answer ends and the other begins.
    let (early, late) = INFO.split_at(20);
    let straddling = [
        &rows[..rows.len() - 9],
        &[&rows[rows.len() - 9..], early].concat(),
        late,
    ]
    .map(|piece| Act::Send(piece.to_vec()));
    let straddling = Case {
        answers: Answers {
            stat: straddling.into_iter().chain([Act::Close]).collect(),
            info: Script::new(),
        },
        ..served("a piece of both", &rows)
    };
    run(&[
        dripped(served("byte by byte", &rows), &rows, INFO),
        dripped(served("empty lines in cells", &tricky), &tricky, INFO),
        dripped(
            info_failed("byte by byte, then more", &rows, TOO_MUCH),
            &rows,
            &[INFO, b"x"].concat(),
        ),
        straddling,
    ]);
}

/// The second has a quarter of the time that is left, and an hour in all would not end this test.
#[test]
fn the_second_hangs() {
    let rows = rows();
    let hang = |info: &[u8]| vec![Act::Send(info.to_vec()), Act::Hold];
    let case = |name: &str, info: &[u8]| Case::info_failed(name, &rows, hang(info), TIMED_OUT);
    run(&[
        case("at once", b""),
        case("in the middle", &INFO[..30]),
        case("before its empty line", &INFO[..INFO.len() - 1]),
        case("behind its empty line", INFO),
    ]);
}
