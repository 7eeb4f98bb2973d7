//! Answers that are complete but hold rows, names and numbers no HAProxy should print.
//!
//! A bad row or cell costs itself and one count, whatever it holds; a row beyond the limits that
//! bound the memory costs the scrape.

use tempfile::TempDir;

use crate::support::cases::{NUMBERS, STATUSES};
use crate::support::csv::{FIELDS, HEADER, answer, backend, frontend, row, server};
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::faults::{self, CUT, Case, line_too_long};

const BARE_QUOTE: &str = "line 3: a quote where none may stand";
const LONG_NAME: &str = "line 3 has a name longer than 4096 bytes";
const NAME_LIMIT: usize = 4096;
const FIELD_LIMIT: usize = 1024;
/// With the newline at the end.
const LINE_LIMIT: usize = 1 << 20;

fn run(cases: Vec<Case>) {
    let directory = TempDir::new().expect("a temporary directory");
    let fake = Fake::unix(&directory.path().join("haproxy.sock"), Answers::default());
    let good = answer(&[good_row()]);
    let healthy = Case::served("healthy", &good, vec![Act::Send(good.clone())]);
    faults::run(&[fake], &[], &healthy, &cases);
}

fn good_row() -> String {
    server("app", "good", &[(4, "1"), (17, "UP"), (58, "3")])
}

fn served(name: &str, stat: &[u8]) -> Case {
    Case::served(name, stat, vec![Act::Send(stat.to_vec())])
}

fn failed(name: &str, stat: Vec<u8>, err: &str) -> Case {
    Case::failed(name, vec![Act::Send(stat)], err)
}

/// A good row, the rows of the case, a good row: the neighbours must survive.
fn between(rows: &[String]) -> Vec<u8> {
    answer(&[&[good_row()], rows, &[backend("app", &[(4, "9")])]].concat())
}

#[test]
#[rustfmt::skip]
fn rows() {
    let short = |fields: usize| "1,".repeat(fields - 1) + "\n";
    let of_fields = |fields: usize| format!("app,odd,{}\n", ",".repeat(fields - 3));
    let of_33 = format!("app,odd{}2\n", ",".repeat(31));
    let twice = server("app", "twice", &[(4, "1")]);
    let again = server("app", "twice", &[(4, "2")]);
    run(vec![
        Case::bad_rows(
            "a row with a field less",
            &between(&[of_fields(FIELDS)]),
            1,
            "line 3: 62 fields instead of 63",
        ),
        Case::bad_rows(
            "a row with a field more",
            &between(&[of_fields(FIELDS + 2)]),
            1,
            "line 3: 64 fields instead of 63",
        ),
        Case::bad_rows("a row of one field", &between(&["x\n".to_owned()]), 1, "line 3: 1 fields instead of 63"),
        Case::bad_rows(
            "many bad rows, one line in the log",
            &between(&vec![short(5); 1000]),
            1000,
            "line 3: 5 fields instead of 63",
        ),
        Case::bad_rows(
            "all rows too short, but a header",
            &answer(&[short(20), short(20)]),
            2,
            "line 2: 20 fields instead of 63",
        ),
        Case::bad_rows("32 fields are one too few", &answer(&[short(32)]), 1, "line 2: 32 fields instead of 63"),
        Case::bad_rows(
            "the header fixes the count, not the first row",
            &answer(&[short(40), good_row()]),
            1,
            "line 2: 40 fields instead of 63",
        ),
        Case::bad_rows(
            "without a header the first row of 33 fields or more does",
            &[&short(20), &of_33, &good_row(), "\n"]
                .concat()
                .into_bytes(),
            2,
            "line 1: 20 fields instead of 33",
        ),
        Case::bad_rows(
            "stray text before the header",
            &[b"Notice: a word, a comma\n", &between(&[])[..]].concat(),
            1,
            "line 1: 2 fields instead of 33",
        ),
        Case::bad_rows(
            "stray text before the header, with more fields than a row",
            &[
                format!("Notice{}\n", ",x".repeat(79)).as_bytes(),
                &between(&[]),
            ]
            .concat(),
            1,
            "line 1: the type \"x\" is not a number",
        ),
        Case::bad_rows(
            "the same server twice",
            &between(&[twice.clone(), again.clone()]),
            1,
            "line 4: a second row for \"app/twice\"",
        ),
        Case::bad_rows(
            "the same server three times",
            &between(&[twice.clone(), again.clone(), again]),
            2,
            "line 4: a second row for \"app/twice\"",
        ),
        Case::bad_rows(
            "the same frontend twice",
            &between(&[frontend("f", &[(4, "1")]), frontend("f", &[(4, "2")])]),
            1,
            "line 4: a second row for \"f\"",
        ),
        Case::bad_rows(
            "the same backend twice",
            &between(&[backend("b", &[(4, "1")]), backend("b", &[(4, "2")])]),
            1,
            "line 4: a second row for \"b\"",
        ),
        served(
            "the same name in each scope",
            &between(&[
                frontend("app", &[(4, "1")]),
                server("app", "app", &[(4, "2")]),
            ]),
        ),
        Case::bad_rows(
            "a frontend that is called otherwise",
            &between(&[frontend("f", &[(1, "x"), (4, "1")])]),
            1,
            "line 3: a row that should be called FRONTEND is called \"x\"",
        ),
        Case::bad_rows(
            "a backend that is called otherwise",
            &between(&[backend("b", &[(1, ""), (4, "1")])]),
            1,
            "line 3: a row that should be called BACKEND is called \"\"",
        ),
        Case::bad_rows(
            "a proxy without a name",
            &between(&[frontend("", &[(4, "1")])]),
            1,
            "line 3: the proxy has no name",
        ),
        Case::bad_rows(
            "a server without a name",
            &between(&[server("app", "", &[(4, "1")])]),
            1,
            "line 3: a server of \"app\" has no name",
        ),
        Case::bad_rows(
            "a type that is empty",
            &between(&[row(&[(0, "l"), (32, "")])]),
            1,
            "line 3: the type \"\" is not a number",
        ),
        Case::bad_rows(
            "a type that is a word",
            &between(&[row(&[(0, "l"), (32, "x")])]),
            1,
            "line 3: the type \"x\" is not a number",
        ),
        served(
            "types that are not exported",
            &between(&[
                row(&[(0, "l"), (1, "l"), (32, "3")]),
                row(&[(0, "l"), (32, "4")]),
            ]),
        ),
        Case::no_row("only the header", &answer(&[])),
        served(
            "comments and CRLF",
            format!(
                "{}\r\n# x,\"y\n{}\r\n\n",
                HEADER.trim_end(),
                good_row().trim_end()
            )
            .as_bytes(),
        ),
        served("no header, but good rows", &[good_row().as_bytes(), b"\n"].concat()),
    ]);
}

#[test]
#[rustfmt::skip]
fn quotes() {
    let quoted = |name: &str| server("app", name, &[(4, "1")]);
    run(vec![
        served("commas, quotes and newlines inside quotes", &between(&[quoted("\"a,b\"\"c\nd\r\"")])),
        served(
            "a description that looks like rows",
            &between(&[server("app", "s", &[(4, "1"), (56, "\"x\n# y,\n\nz\"")])]),
        ),
        Case::bad_rows("a bare quote", &between(&[quoted("a\"b")]), 1, BARE_QUOTE),
        Case::bad_rows("something behind a closing quote", &between(&[quoted("\"a\"b")]), 1, BARE_QUOTE),
        Case::bad_rows("a quote that opens in the middle", &between(&[quoted("a\"b,c\"")]), 1, BARE_QUOTE),
        failed("a quote that never closes", between(&[quoted("\"a")]), CUT),
        failed(
            "a quote that never closes, a megabyte later",
            answer(&[quoted(&format!("\"{}", "x,\n".repeat(200_000)))]),
            CUT,
        ),
    ]);
}

/// A server's row with a name of any bytes.
fn push_named(stat: &mut Vec<u8>, name: &[u8]) {
    let rest = server("app", "", &[(4, "1")]);
    let rest = rest.strip_prefix("app,").expect("the proxy's name");
    stat.extend_from_slice(b"app,");
    stat.extend_from_slice(name);
    stat.extend_from_slice(rest.as_bytes());
}

#[test]
#[rustfmt::skip]
fn names() {
    let named = |bytes: &[u8]| {
        let mut stat = format!("{HEADER}{}", good_row()).into_bytes();
        push_named(&mut stat, bytes);
        stat.push(b'\n');
        stat
    };
    let long = |bytes: usize| between(&[server("app", &"n".repeat(bytes), &[(4, "1")])]);
    let marked = |stat: &[u8], mark: &str| {
        let case = served(mark, stat);
        let faults::Outcome::Served { want, .. } = &case.outcome else {
            unreachable!("served says so")
        };
        let key = format!("haproxy_server_current_sessions{{backend=\"app\",server=\"{mark}\"}}");
        assert!(want.get(&key).is_some(), "the reference has no {key:?}");
        case
    };
    run(vec![
        marked(&named(b"a\0b"), "a\0b"),
        marked(&named(b"a\xffb"), "a\u{fffd}b"),
        marked(&named(b"\xc3"), "\u{fffd}"),
        marked(&named(b"\xe2\x82"), "\u{fffd}"),
        marked(&named(b"\xed\xa0\x80"), "\u{fffd}\u{fffd}\u{fffd}"),
        marked(&named(b"\xf0\x9f\x92\xff\xc0\x80"), "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
        marked(&named("\u{1f600}\u{e9}".as_bytes()), "\u{1f600}\u{e9}"),
        marked(&named(b"a\\b"), "a\\\\b"),
        marked(&named(b"\"a\nb\""), "a\\nb"),
        marked(&named(b"\"a\"\"b\""), "a\\\"b"),
        marked(&named(b"a\rb\x1b[31m{}= "), "a\rb\x1b[31m{}= "),
        Case::bad_rows("a bare quote after invalid UTF-8", &named(b"\xfe\""), 1, BARE_QUOTE),
        served("a name at the limit", &long(NAME_LIMIT)),
        failed("a name beyond the limit", long(NAME_LIMIT + 1), LONG_NAME),
        failed("a name of a megabyte", long(1_000_000), LONG_NAME),
        failed(
            "a backend name beyond the limit",
            between(&[server(&"n".repeat(NAME_LIMIT + 1), "s", &[])]),
            LONG_NAME,
        ),
        failed("a frontend name beyond the limit", between(&[frontend(&"n".repeat(NAME_LIMIT + 1), &[])]), LONG_NAME),
    ]);
}

/// Both become U+FFFD, so they are two rows with the same names.
#[test]
fn names_that_become_equal() {
    let mut stat = HEADER.as_bytes().to_vec();
    for byte in [0xfe, 0xff] {
        push_named(&mut stat, &[byte]);
    }
    stat.push(b'\n');
    run(vec![Case::bad_rows(
        "names that become equal",
        &stat,
        1,
        "line 3: a second row for \"app/\u{fffd}\"",
    )]);
}

#[test]
fn numbers() {
    let nines = "9".repeat(10_000);
    let negative = format!("-{nines}");
    let zeros = format!("{}12", "0".repeat(100));
    let long = [(&*nines, false), (&*negative, false), (&*zeros, true)];
    let listed = NUMBERS
        .iter()
        .map(|(text, is_number, _)| (*text, *is_number));
    let cases = listed.chain(long).map(|(text, is_number)| {
        let stat = between(&[server("app", "s", &[(4, text), (7, "5")])]);
        let shown = text.trim_matches('"');
        let shown = &shown[..shown.len().min(80)];
        match is_number {
            true => served(shown, &stat),
            false => {
                let first = not_a_number(4, "scur", shown);
                Case::bad_rows(shown, &stat, 1, &first)
            }
        }
    });
    run(cases.collect());
}

#[test]
#[rustfmt::skip]
fn cells() {
    let row = |cells: &[(usize, &str)]| between(&[server("app", "s", cells)]);
    let milliseconds = [
        (38, "1"),
        (58, "999"),
        (59, "-5"),
        (60, "123456789"),
        (61, "+1000"),
    ];
    let limits = [
        (58, "9223372036854775807"),
        (59, "18446744073709551615"),
        (60, "-9223372036854775808"),
    ];
    let bad_time = not_a_number(58, "qtime", "1.5");
    let bad_number = not_a_number(4, "scur", "a");
    let three = row(&[(4, "a"), (5, "b"), (7, "c"), (17, "UP")]);
    run(vec![
        served("milliseconds", &row(&milliseconds)),
        served("milliseconds at the limits", &row(&limits)),
        Case::bad_rows("bad milliseconds", &row(&[(58, "1.5"), (59, "x")]), 2, &bad_time),
        Case::bad_rows("three bad cells, one line in the log", &three, 3, &bad_number),
        served("columns without a metric", &row(&[(10, "x"), (26, "y"), (36, "* L7OK")])),
    ]);
}

fn not_a_number(field: usize, column: &str, text: &str) -> String {
    format!("line 3, field {field} ({column}): {text:?} is not a number")
}

#[test]
fn statuses() {
    let texts = STATUSES.iter().map(|(text, ..)| *text).chain([""]);
    let rows = texts.enumerate();
    let rows = rows.map(|(n, text)| server("app", &n.to_string(), &[(17, text)]));
    let rows: Vec<String> = rows.collect();
    run(vec![served("all of HAProxy's words", &answer(&rows))]);
}

#[test]
#[rustfmt::skip]
fn rows_beyond_the_limits() {
    let fields =
        |count: usize| format!("{HEADER}app,wide,{}\n\n", ",".repeat(count - 3)).into_bytes();
    // The last check's text fills the line; nothing is exported of it.
    let line = |bytes: usize| {
        let bare = server("app", "long", &[(4, "1")]).len() - 1;
        answer(&[server(
            "app",
            "long",
            &[(4, "1"), (56, &"x".repeat(bytes - bare))],
        )])
    };
    run(vec![
        Case::bad_rows("fields at the limit", &fields(FIELD_LIMIT), 1, "line 2: 1024 fields instead of 63"),
        failed("a field too many", fields(FIELD_LIMIT + 1), "line 2 has more than 1024 fields"),
        failed("a row of a million fields", fields(1_000_000), "line 2 has more than 1024 fields"),
        served("a line at the limit", &line(LINE_LIMIT - 1)),
        failed("a byte too many", line(LINE_LIMIT), &line_too_long(2)),
        failed("a line of 3 MB", line(3_000_000), &line_too_long(2)),
        failed(
            "a comment of 3 MB",
            format!("{HEADER}#{}\n\n", "x".repeat(3_000_000)).into_bytes(),
            &line_too_long(2),
        ),
    ]);
}
