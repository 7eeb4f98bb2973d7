//! From the bytes of an answer to the exposition.

use crate::commands;
use crate::haproxy::limits::MAX_LINE_BYTES;
use crate::haproxy::reply::{Proof, Reply, ReplyError};
use crate::haproxy::rows::Filter;
use crate::haproxy::stat::{RowType, StatReader};
use crate::metrics::Conversion;
use crate::metrics::catalog::Catalog;
use crate::metrics::cursor::{self, Cursor};
use crate::metrics::exposition::BUFFER_BYTES;
use crate::metrics::selection::{Defaults, Query, Selection, Wanted};
use crate::metrics::snapshot::Snapshot;
use crate::metrics::writer::RowBatcher;

/// Columns of the type and the status.
const ROW_TYPE: usize = 32;
const STATUS: usize = 17;

mod builtin;
mod choice;
mod limits;
mod listeners;
mod mutations;
mod rows;

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
    result: Result<(), ReplyError>,
    text: String,
    failures: u64,
    first: Option<String>,
}

/// All that rows go through.
struct Table {
    selection: Selection,
    wanted: Wanted,
    reader: StatReader,
    batcher: RowBatcher,
    snapshot: Snapshot,
}

/// Feeds an answer in pieces, as a source does.
fn scrape(table: &mut Table, answer: &[u8], piece: usize, proof: Proof) -> Scraped {
    table.reader.clear();
    table.snapshot.clear();
    let mut rows = table.batcher.fill(&mut table.snapshot, &table.wanted);
    let mut reply = table.reader.reply(&mut rows);
    let mut pending = Vec::new();
    let mut pushed = Ok(());
    for piece in answer.chunks(piece) {
        pending.extend_from_slice(piece);
        // Behind an empty line more rows may come, as on the stats page.
        loop {
            match reply.push(&pending) {
                Ok(taken) => {
                    pending.drain(..taken.bytes);
                    if !taken.ends {
                        break;
                    }
                }
                Err(error) => {
                    pushed = Err(error);
                    break;
                }
            }
        }
        if pushed.is_err() {
            break;
        }
    }
    let result = pushed.and_then(|()| reply.finish(&pending, proof));
    rows.finish();
    let failures = table.reader.failures();
    Scraped {
        result,
        failures: failures.count,
        first: failures.first.as_ref().map(ToString::to_string),
        text: text(table),
    }
}

/// The exposition, which must be as long as it was said to be, also through the smallest buffer.
fn text(table: &Table) -> String {
    let mut texts = [BUFFER_BYTES, BUFFER_BYTES / 2].map(|size| {
        let (mut out, mut buffer) = (Vec::new(), vec![0; size]);
        let mut cursor = Cursor::default();
        loop {
            match cursor.fill(&table.snapshot, &table.selection, &mut buffer) {
                0 => break,
                filled => out.extend_from_slice(&buffer[..filled]),
            }
        }
        out
    });
    let length = cursor::exposition_bytes(&table.snapshot, &table.selection);
    assert_eq!(length, texts[0].len() as u64);
    assert_eq!(texts[0], texts[1]);
    String::from_utf8(std::mem::take(&mut texts[0])).unwrap()
}

fn table_of(server_columns: &[usize], excluded: &[&str]) -> Table {
    table_with(server_columns, excluded, 0, "")
}

/// With the names of a profile by number, in the selection of a query.
fn table_with(server_columns: &[usize], excluded: &[&str], profile: usize, query: &str) -> Table {
    let catalog: &'static Catalog = Box::leak(Box::new(commands::catalog(server_columns)));
    let selection = Query::parse(query, &Defaults { catalog, profile })
        .unwrap()
        .selection;
    let mut wanted = Wanted::default();
    wanted.add(&selection);
    let excluded = excluded.iter().map(|state| state.as_bytes().to_vec());
    let filter = Filter {
        excluded_states: excluded.collect(),
        ..Filter::default()
    };
    Table {
        selection,
        wanted,
        reader: StatReader::new(filter),
        batcher: RowBatcher::new(catalog),
        snapshot: Snapshot::default(),
    }
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
        r#"haproxy_servers{backend="app",state="DOWN"} 0"#,
        r#"haproxy_servers{backend="app",state="UP"} 1"#,
        r#"haproxy_servers{backend="app",state="MAINT"} 1"#,
        r#"haproxy_servers{backend="app",state="DRAIN"} 0"#,
        r#"haproxy_servers{backend="app",state="NOLB"} 0"#,
        r#"haproxy_server_current_sessions{backend="app",server="a"} 1"#,
        r#"haproxy_server_current_sessions{backend="app",server="b"} 2"#,
        r#"haproxy_server_up{backend="app",server="a"} 1"#,
        r#"haproxy_server_up{backend="app",server="b"} 0"#,
        r#"haproxy_server_maintenance{backend="app",server="b",reason="admin"} 1"#,
        r#"haproxy_server_http_responses_total{backend="app",server="a",code="1xx"} 10"#,
        r#"haproxy_server_http_responses_total{backend="app",server="a",code="2xx"} 20"#,
        r#"haproxy_server_http_responses_total{backend="app",server="b",code="2xx"} 30"#,
    ];
    let found = samples(&scraped.text);
    assert_eq!(found.len(), expected.len(), "{}", scraped.text);
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
    assert!(found[1].ends_with(" 1.5"), "{}", found[1]);
    let types = scraped.text.matches("# TYPE ").count();
    assert_eq!((types, scraped.text.matches("# HELP ").count()), (7, 7));
}

#[test]
fn complete_and_cut_answers() {
    use Proof::{EmptyLine, Length, LineEnd};
    let rows = HEADER.to_owned() + &frontend(&[(4, "1")]) + &server("a", &[(4, "2")]);
    let cut = rows.trim_end().to_owned();
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let only_row = frontend(&[(4, "1")]);
    #[rustfmt::skip]
    let cases: [(&str, String, Proof, Result<usize, ReplyError>); 35] = [
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
        ("cli, nothing", String::new(), EmptyLine, Err(ReplyError::Empty(EmptyLine))),
        ("cli, empty line", "\n".to_owned(), EmptyLine, Err(ReplyError::Empty(EmptyLine))),
        ("length", rows.clone(), Length, Ok(2)),
        ("length, CRLF", crlf(&rows), Length, Ok(2)),
        ("length, no line end", cut.clone(), Length, Ok(2)),
        ("length, empty line", rows.clone() + "\n", Length, Ok(2)),
        ("length, header", HEADER.to_owned(), Length, Ok(0)),
        ("length, cut header", HEADER.trim_end().to_owned(), Length, cut_by(Length)),
        ("length, nothing", String::new(), Length, Err(ReplyError::Empty(Length))),
        ("length, CR", "\r".to_owned(), Length, Err(ReplyError::Empty(Length))),
        ("file", rows.clone(), LineEnd, Ok(2)),
        ("file, CRLF", crlf(&rows), LineEnd, Ok(2)),
        ("file, empty line", rows.clone() + "\n", LineEnd, Ok(2)),
        ("file, cut row", cut, LineEnd, cut_by(LineEnd)),
        ("file, header only", HEADER.to_owned(), LineEnd, Ok(0)),
        ("file, cut header", "# pxname,svna".to_owned(), LineEnd, cut_by(LineEnd)),
        ("file, a row alone, cut", only_row.trim_end().to_owned(), LineEnd, cut_by(LineEnd)),
        ("file, a row alone", only_row, LineEnd, Ok(1)),
        ("file, nothing", String::new(), LineEnd, Err(ReplyError::Empty(LineEnd))),
        ("page", "<!DOCTYPE html>\n<p>\n".to_owned(), Length, Err(ReplyError::Html)),
        ("page, one line", " <html><body class=\"x\">".to_owned(), LineEnd, Err(ReplyError::Html)),
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

fn cut_by(proof: Proof) -> Result<usize, ReplyError> {
    Err(ReplyError::Cut(proof))
}

fn other(line: &str) -> Result<usize, ReplyError> {
    Err(ReplyError::NotStatistics(line.to_owned()))
}

#[test]
fn error_texts() {
    let cases = [
        (
            ReplyError::Empty(Proof::EmptyLine),
            "closed without a reply",
        ),
        (ReplyError::Empty(Proof::Length), "an empty reply"),
        (
            ReplyError::Cut(Proof::EmptyLine),
            "reply cut: the closing empty line is missing",
        ),
        (
            ReplyError::Cut(Proof::LineEnd),
            "reply cut: it ends in the middle of a row",
        ),
        (ReplyError::Html, "an HTML page instead of CSV"),
        (
            ReplyError::NotStatistics("a\u{1b}\"".to_owned()),
            r#"not HAProxy statistics: it begins "a\u{1b}\"""#,
        ),
        (
            ReplyError::LineTooLong(3),
            "line 3 is longer than 1048576 bytes",
        ),
        (
            ReplyError::TooManyFields(3),
            "line 3 has more than 1024 fields",
        ),
        (
            ReplyError::NameTooLong(3),
            "line 3 has a name longer than 4096 bytes",
        ),
    ];
    for (error, expected) in cases {
        assert_eq!(error.to_string(), expected);
    }
}
