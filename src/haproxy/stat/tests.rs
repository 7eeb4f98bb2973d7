use super::*;
use crate::metrics::exposition;
use crate::metrics::{GO_EXPORTER, ROW_TYPE, STATUS};

mod choice;
mod limits;
mod mutations;

const HEADER: &str = "# pxname,svname,qcur,\n";
/// Columns of `row`: enough for every metric that the cases look at.
const FIELDS: usize = 62;

/// A row of a proxy, a service and a type, with some cells set.
fn row(proxy: &str, service: &str, kind: &str, cells: &[(usize, &str)]) -> String {
    let mut fields = [""; FIELDS];
    (fields[0], fields[1], fields[ROW_TYPE]) = (proxy, service, kind);
    for (column, text) in cells {
        fields[*column] = text;
    }
    fields.join(",") + "\n"
}

fn server(name: &str, cells: &[(usize, &str)]) -> String {
    row("app", name, "2", cells)
}

fn frontend(cells: &[(usize, &str)]) -> String {
    row("web", "FRONTEND", "0", cells)
}

/// What a scrape makes of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Scraped {
    result: Result<(), TableError>,
    text: String,
    failures: u64,
    first: Option<String>,
}

/// Feeds an answer in pieces, as a source does.
fn scrape(table: &mut Table, answer: &[u8], piece: usize, proof: Proof) -> Scraped {
    table.clear();
    let mut pending = Vec::new();
    let mut pushed = Ok(());
    for piece in answer.chunks(piece) {
        pending.extend_from_slice(piece);
        match table.push(&pending) {
            Ok(taken) => drop(pending.drain(..taken)),
            Err(error) => {
                pushed = Err(error);
                break;
            }
        }
    }
    let result = pushed.and_then(|()| table.finish(&pending, proof));
    Scraped {
        result,
        text: text(table),
        failures: table.failures().count,
        first: table.failures().first.clone(),
    }
}

/// The exposition, which must be as long as it was said to be.
fn text(table: &Table) -> String {
    let mut out = Vec::new();
    let mut buffer = vec![0; exposition::BUFFER_BYTES];
    let mut writer = Writer::new(&mut buffer, &mut out);
    table.write(&mut writer).unwrap();
    writer.flush().unwrap();
    assert_eq!(table.exposition_bytes(), out.len() as u64);
    String::from_utf8(out).unwrap()
}

fn table_of(server_columns: &[usize], excluded: &[&str]) -> Table {
    let excluded = excluded.iter().map(|state| state.as_bytes().to_vec());
    Table::new(&GO_EXPORTER, server_columns, excluded.collect())
}

fn all_columns() -> Vec<usize> {
    (0..100).collect()
}

/// Scrapes whole and in pieces of several sizes, which must make no difference.
fn scraped_by(table: &mut Table, answer: &[u8], proof: Proof) -> Scraped {
    let whole = scrape(table, answer, usize::MAX, proof);
    for piece in [1, 7, 1000] {
        let pieces = scrape(table, answer, piece, proof);
        assert_eq!(
            pieces,
            whole,
            "pieces of {piece}: {}",
            answer.escape_ascii()
        );
    }
    whole
}

fn scraped(answer: impl AsRef<[u8]>, proof: Proof) -> Scraped {
    scraped_by(&mut table_of(&all_columns(), &[]), answer.as_ref(), proof)
}

/// The sample lines of an exposition.
fn samples(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn the_exposition_of_a_small_answer() {
    let answer = [
        HEADER.to_owned(),
        frontend(&[(4, "7"), (17, "OPEN")]),
        server("a", &[(4, "1"), (17, "UP 1/2"), (39, "10"), (40, "20")]),
        row("app", "BACKEND", "1", &[(61, "1500")]),
        row("app", "sock-1", "3", &[(4, "99")]),
        server("b", &[(4, "2"), (17, "MAINT"), (40, "30")]),
        "\n".to_owned(),
    ];
    let scraped = scraped(answer.concat(), Proof::EmptyLine);
    assert_eq!((scraped.result, scraped.failures), (Ok(()), 0));
    let expected = [
        r#"haproxy_frontend_current_sessions{frontend="web"} 7"#,
        r#"haproxy_backend_http_total_time_average_seconds{backend="app"} "#,
        r#"haproxy_server_current_sessions{backend="app",server="a"} 1"#,
        r#"haproxy_server_current_sessions{backend="app",server="b"} 2"#,
        r#"haproxy_server_up{backend="app",server="a"} 1"#,
        r#"haproxy_server_up{backend="app",server="b"} 0"#,
        r#"haproxy_server_http_responses_total{code="1xx",backend="app",server="a"} 10"#,
        r#"haproxy_server_http_responses_total{code="2xx",backend="app",server="a"} 20"#,
        r#"haproxy_server_http_responses_total{code="2xx",backend="app",server="b"} 30"#,
    ];
    let found = samples(&scraped.text);
    assert_eq!(found.len(), expected.len(), "{}", scraped.text);
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
    assert!(found[1].ends_with(" 1.5"), "{}", found[1]);
    let types = scraped.text.matches("# TYPE ").count();
    assert_eq!((types, scraped.text.matches("# HELP ").count()), (5, 5));
}

#[test]
fn complete_and_cut_answers() {
    use Proof::{EmptyLine, Length, LineEnd};
    let rows = HEADER.to_owned() + &frontend(&[(4, "1")]) + &server("a", &[(4, "2")]);
    let cut = rows.trim_end().to_owned();
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let only_row = frontend(&[(4, "1")]);
    #[rustfmt::skip]
    let cases: [(&str, String, Proof, Result<usize, TableError>); 35] = [
        ("cli", rows.clone() + "\n", EmptyLine, Ok(2)),
        ("cli, CRLF", crlf(&rows) + "\r\n", EmptyLine, Ok(2)),
        ("cli, two empty lines", rows.clone() + "\n\n", EmptyLine, Ok(2)),
        ("cli, no empty line", rows.clone(), EmptyLine, cut_by(EmptyLine)),
        ("cli, cut row", cut.clone(), EmptyLine, cut_by(EmptyLine)),
        ("cli, only CR", rows.clone() + "\r", EmptyLine, cut_by(EmptyLine)),
        ("cli, a row behind", rows.clone() + "\n" + &server("b", &[]), EmptyLine, cut_by(EmptyLine)),
        ("cli, header", HEADER.to_owned() + "\n", EmptyLine, Ok(0)),
        ("cli, header only", HEADER.to_owned(), EmptyLine, cut_by(EmptyLine)),
        ("cli, cut header", "# pxna".to_owned(), EmptyLine, cut_by(EmptyLine)),
        ("cli, no header", only_row.clone() + "\n", EmptyLine, Ok(1)),
        ("cli, nothing", String::new(), EmptyLine, Err(TableError::Empty(EmptyLine))),
        ("cli, empty line", "\n".to_owned(), EmptyLine, Err(TableError::Empty(EmptyLine))),
        ("length", rows.clone(), Length, Ok(2)),
        ("length, CRLF", crlf(&rows), Length, Ok(2)),
        ("length, no line end", cut.clone(), Length, Ok(2)),
        ("length, empty line", rows.clone() + "\n", Length, Ok(2)),
        ("length, header", HEADER.to_owned(), Length, Ok(0)),
        ("length, cut header", HEADER.trim_end().to_owned(), Length, cut_by(Length)),
        ("length, nothing", String::new(), Length, Err(TableError::Empty(Length))),
        ("length, CR", "\r".to_owned(), Length, Err(TableError::Empty(Length))),
        ("file", rows.clone(), LineEnd, Ok(2)),
        ("file, CRLF", crlf(&rows), LineEnd, Ok(2)),
        ("file, empty line", rows.clone() + "\n", LineEnd, Ok(2)),
        ("file, cut row", cut, LineEnd, cut_by(LineEnd)),
        ("file, header only", HEADER.to_owned(), LineEnd, Ok(0)),
        ("file, cut header", "# pxname,svna".to_owned(), LineEnd, cut_by(LineEnd)),
        ("file, a row alone, cut", only_row.trim_end().to_owned(), LineEnd, cut_by(LineEnd)),
        ("file, a row alone", only_row, LineEnd, Ok(1)),
        ("file, nothing", String::new(), LineEnd, Err(TableError::Empty(LineEnd))),
        ("page", "<!DOCTYPE html>\n<p>\n".to_owned(), Length, Err(TableError::Html)),
        ("page, one line", " <html><body class=\"x\">".to_owned(), LineEnd, Err(TableError::Html)),
        ("cli, unknown", "Unknown command.\nhelp\n\n".to_owned(), EmptyLine, other("Unknown command.")),
        ("cli, denied", "Permission denied\n\n".to_owned(), EmptyLine, other("Permission denied")),
        ("noise", format!("{}\u{1b}", "x".repeat(79)), LineEnd, other(&format!("{}\u{1b}", "x".repeat(79)))),
    ];
    for (name, answer, proof, expected) in cases {
        let scraped = scraped(&answer, proof);
        match expected {
            Ok(count) => {
                assert_eq!(scraped.result, Ok(()), "{name}");
                assert_eq!(samples(&scraped.text).len(), count, "{name}");
                assert_eq!(scraped.failures, 0, "{name}: {:?}", scraped.first);
            }
            Err(error) => assert_eq!(scraped.result, Err(error), "{name}"),
        }
    }
}

fn cut_by(proof: Proof) -> Result<usize, TableError> {
    Err(TableError::Cut(proof))
}

fn other(line: &str) -> Result<usize, TableError> {
    Err(TableError::NotStatistics(line.to_owned()))
}

#[test]
fn error_texts() {
    let cases = [
        (
            TableError::Empty(Proof::EmptyLine),
            "closed without an answer",
        ),
        (TableError::Empty(Proof::Length), "an empty answer"),
        (
            TableError::Cut(Proof::EmptyLine),
            "answer cut: the closing empty line is missing",
        ),
        (
            TableError::Cut(Proof::LineEnd),
            "answer cut: it ends in the middle of a row",
        ),
        (
            TableError::Html,
            "an HTML page instead of CSV (does the scrape URI lack \";csv\"?)",
        ),
        (
            TableError::NotStatistics("a\u{1b}\"".to_owned()),
            r#"not HAProxy statistics: it begins "a\u{1b}\"""#,
        ),
        (
            TableError::LineTooLong(3),
            "line 3 is longer than 1048576 bytes",
        ),
        (
            TableError::TooManyFields(3),
            "line 3 has more than 1024 fields",
        ),
        (
            TableError::NameTooLong(3),
            "line 3 has a name longer than 4096 bytes",
        ),
    ];
    for (error, expected) in cases {
        assert_eq!(error.to_string(), expected);
    }
}

/// Rows between two good ones: what is kept, counted and said.
#[test]
fn bad_rows_and_cells() {
    let wide = |count: usize| ",".repeat(count - 1) + "\n";
    let bad_cell = |cell| server("x", &[(4, cell)]);
    let twice = |a: &str, b: &str| server(a, &[(4, "5")]) + &server(b, &[(4, "6")]);
    // name, rows, samples besides the two good ones, failures, first failure
    #[rustfmt::skip]
    let cases: [(&str, String, usize, u64, &str); 21] = [
        ("nothing", String::new(), 0, 0, ""),
        ("a comment", "# \"\n".to_owned(), 0, 0, ""),
        ("an empty line", "\n\r\n".to_owned(), 0, 0, ""),
        ("a field less", wide(61), 0, 1, "line 3: 61 fields instead of 62"),
        ("a field more", wide(63), 0, 1, "line 3: 63 fields instead of 62"),
        ("one field", "x\n".to_owned(), 0, 1, "line 3: 1 fields instead of 62"),
        ("two bad rows", "x\n\n".to_owned() + &wide(9), 0, 2, "line 3: 1 fields instead of 62"),
        ("a bare quote", "a\"b,\n".to_owned(), 0, 1, "line 3: a quote where none may stand"),
        ("text behind a quote", "\"a\"b\n".to_owned(), 0, 1, "line 3: a quote where none may stand"),
        ("an empty cell", server("x", &[]), 0, 0, ""),
        ("a name in quotes", server("\"x,\"\"\ny\"", &[(4, "5")]), 1, 0, ""),
        ("a listener", row("web", "sock", "3", &[(4, "x")]), 0, 0, ""),
        ("an unknown type", row("web", "y", "7", &[(4, "x")]), 0, 0, ""),
        ("no type", row("web", "y", "", &[(4, "x")]), 0, 0, ""),
        ("a word", bad_cell("x"), 0, 1,
            "line 3, field 4 (haproxy_server_current_sessions): \"x\" is no number"),
        ("a fraction", bad_cell("1.5"), 0, 1,
            "line 3, field 4 (haproxy_server_current_sessions): \"1.5\" is no number"),
        ("control characters", bad_cell("\u{1b}\u{7f}"), 0, 1,
            "line 3, field 4 (haproxy_server_current_sessions): \"\\u{1b}\\u{7f}\" is no number"),
        ("a bad time beside a good cell", server("x", &[(4, "5"), (38, "-")]), 1, 1,
            "line 3, field 38 (haproxy_server_check_duration_seconds): \"-\" is no number"),
        ("a second row", twice("x", "x"), 1, 1,
            "line 4: a second row for backend=\"app\",server=\"x\""),
        ("a second row, in quotes", twice("x", "\"x\""), 1, 1,
            "line 4: a second row for backend=\"app\",server=\"x\""),
        ("other case", twice("x", "X"), 2, 0, ""),
    ];
    for (name, rows, kept, count, first) in cases {
        let answer = [
            HEADER,
            &frontend(&[(4, "1")]),
            &rows,
            &server("z", &[(4, "2")]),
            "\n",
        ];
        let scraped = scraped(answer.concat(), Proof::EmptyLine);
        assert_eq!(scraped.result, Ok(()), "{name}");
        assert_eq!(
            (scraped.failures, scraped.first.as_deref().unwrap_or("")),
            (count, first),
            "{name}"
        );
        assert_eq!(
            samples(&scraped.text).len(),
            kept + 2,
            "{name}: {}",
            scraped.text
        );
    }
}

#[test]
fn a_long_cell_is_quoted_in_part() {
    let answer = HEADER.to_owned() + &frontend(&[(4, &"9".repeat(10_000))]) + "\n";
    let scraped = scraped(&answer, Proof::EmptyLine);
    assert_eq!(scraped.failures, 1);
    let expected = format!(
        "line 2, field 4 (haproxy_frontend_current_sessions): {:?} is no number",
        "9".repeat(80)
    );
    assert_eq!(scraped.first, Some(expected));
}

#[test]
fn the_first_of_two_rows_wins_and_the_neighbours_keep_their_values() {
    let answer = [
        HEADER,
        &server("a", &[(4, "1")]),
        &server("b", &[]),
        &server("a", &[(4, "9")]),
        &server("c", &[(4, "x")]),
        &server("d", &[(4, "4")]),
    ];
    let scraped = scraped(answer.concat(), Proof::LineEnd);
    let name = "haproxy_server_current_sessions";
    assert_eq!(scraped.failures, 2);
    assert_eq!(
        samples(&scraped.text),
        [
            format!("{name}{{backend=\"app\",server=\"a\"}} 1"),
            format!("{name}{{backend=\"app\",server=\"d\"}} 4"),
        ]
    );
}

#[test]
fn rows_of_fewer_than_33_fields_are_no_statistics() {
    let short = "a,FRONTEND".to_owned() + &",".repeat(30) + "\n";
    let cases = [
        (
            HEADER.to_owned() + &short,
            Ok(()),
            "line 2: 32 fields instead of 33",
        ),
        (
            short.clone(),
            Err(TableError::NotStatistics(short.trim_end().to_owned())),
            "line 1: 32 fields instead of 33",
        ),
    ];
    for (answer, result, first) in cases {
        let scraped = scraped(&answer, Proof::LineEnd);
        assert_eq!(scraped.result, result);
        assert_eq!(
            (scraped.failures, scraped.first.as_deref()),
            (1, Some(first))
        );
    }
    // As many as are needed and no more.
    let row = "a,FRONTEND,,,5".to_owned() + &",".repeat(28) + "0\n";
    let scraped = scraped(&row, Proof::LineEnd);
    assert_eq!((scraped.result, scraped.failures), (Ok(()), 0));
    assert_eq!(
        samples(&scraped.text),
        ["haproxy_frontend_current_sessions{frontend=\"a\"} 5"]
    );
}

#[test]
fn a_quote_that_is_never_closed() {
    let answer = [HEADER, &frontend(&[(4, "1")]), "app,\"x\n", "y\n\n"].concat();
    for proof in [Proof::EmptyLine, Proof::LineEnd] {
        // The rest of the answer might have come yet.
        assert_eq!(scraped(&answer, proof).result, Err(TableError::Cut(proof)));
    }
    let scraped = scraped(&answer, Proof::Length);
    assert_eq!(scraped.result, Ok(()));
    assert_eq!(samples(&scraped.text).len(), 1);
    assert_eq!(
        (scraped.failures, scraped.first.as_deref()),
        (1, Some("line 3: a quote that is never closed"))
    );
}
