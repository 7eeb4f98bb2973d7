//! The body of an HTTP answer: lengths that lie, chunks that do not fit, pages that are no CSV.

use crate::support::csv::{self, server};
use crate::support::fake_haproxy::{Act, Answers};
use crate::support::faults::{CUT_ROW, Case, HTML, RESET, TIMED_OUT};
use crate::support::faults::{line_too_long, not_statistics, too_large};
use crate::support::pages::with_length;
use crate::support::pages::{CHUNKED, OK, body, flood, in_chunks, run, send, send_then, served};

const MAX_BYTES: usize = 4 << 20;
const CUT_BODY: &str = "response cut: the body is shorter than announced";
const EMPTY: &str = "an empty reply";
const BAD_CHUNK: &str = "bad chunk in the response";

#[test]
#[rustfmt::skip]
fn lengths() {
    let length = body().len();
    let with = |fields: &str| format!("{OK}{fields}\r\n\r\n{}", body());
    let announced = |length: usize| with(&format!("Content-Length: {length}"));
    let twice = |a: usize, b: usize| with(&format!("Content-Length: {a}\r\nContent-Length: {b}"));
    let half = &with_length(&body())[..with_length(&body()).len() - length / 2];
    let mut cases = vec![
        served("the same length twice", send(twice(length, length))),
        served("whole, but never closed", send_then(with_length(&body()), Act::Hold)),
        Case::failed("one byte shorter than announced", send(announced(length + 1)), CUT_BODY),
        Case::failed("much shorter than announced", send(announced(length * 2)), CUT_BODY),
        Case::failed("longer than announced, by half a row", send(announced(length - 10)), CUT_ROW),
        Case::failed("empty", send(format!("{OK}Content-Length: 0\r\n\r\n")), EMPTY),
        Case::failed("stalls", send_then(half, Act::Hold), TIMED_OUT),
        Case::failed("resets", send_then(half, Act::Reset), RESET),
        Case::failed("no length, never closed", send_then(with(""), Act::Hold), TIMED_OUT),
        Case::failed("beyond the limit", send(announced(1 << 40)), &too_large(64 << 20)),
        Case::failed("2^63", send(announced(1 << 63)), &too_large(64 << 20)),
    ];
    let bad = [
        (twice(length, length - 1), "two that differ".to_owned()),
        (
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{}",
                &in_chunks(&body())[17..]
            ),
            "both a number and chunks".to_owned(),
        ),
    ];
    let no_numbers = [
        "",
        "-1",
        "+5",
        "many",
        "0x10",
        "5, 4",
        "5 5",
        "18446744073709551616",
    ];
    let no_numbers = no_numbers.map(|value| {
        (with(&format!("Content-Length: {value}")), format!("{value:?}"))
    });
    let digits = "9".repeat(1000);
    let digits = (
        with(&format!("Content-Length: {digits}")),
        format!("{:?}", &digits[..200]),
    );
    for (answer, what) in bad.into_iter().chain(no_numbers).chain([digits]) {
        let err = format!("bad length of the response: {what}");
        cases.push(Case::failed(&what, send(answer), &err));
    }
    for encoding in ["gzip", "gzip, chunked", "chunked, chunked", "identity"] {
        let err = format!("the response has an encoding that was not requested: {encoding:?}");
        cases.push(Case::failed(
            encoding,
            send(with(&format!("Transfer-Encoding: {encoding}"))),
            &err,
        ));
    }
    run(&[], &cases);
}

#[test]
#[rustfmt::skip]
fn chunks() {
    let text = body();
    let length = text.len();
    let chunked = |chunks: String| format!("{CHUNKED}{chunks}");
    let sized = |size: &str| send(chunked(format!("{size}\r\n{text}\r\n0\r\n\r\n")));
    let all = chunked(format!("{length:x}\r\n{text}\r\n"));
    let (left, right) = text.split_at(length / 2);
    let (small, large) = (left.len(), right.len());
    let two = chunked(format!(
        "{small:x}\r\n{left}\r\n{large:X}\r\n{right}\r\n0\r\n\r\n"
    ));
    let single: String = text.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    let open = send_then(in_chunks(&text), Act::Hold);
    let glued = chunked(format!("{length:x}\r\n{text}0\r\n\r\n"));
    let mut cases = vec![
        served("two chunks", send(two)),
        served("a byte a chunk", send(chunked(format!("{single}0\r\n\r\n")))),
        served("an extension", sized(&format!("{length:x};name=\"value\""))),
        served("leading zeros", sized(&format!("0000{length:x}"))),
        served("trailers", send(format!("{all}0\r\nX-A: b\r\nX-C: d\r\n\r\n"))),
        served("whole, but never closed", open),
        Case::failed("no chunk at all", send(CHUNKED), CUT_BODY),
        Case::failed("only the last chunk", send(chunked("0\r\n\r\n".to_owned())), EMPTY),
        Case::failed("no last chunk", send(&all), CUT_BODY),
        Case::failed("cut inside a size", send(format!("{all}0")), CUT_BODY),
        Case::failed("cut before the last line", send(format!("{all}0\r\n")), CUT_BODY),
        Case::failed("cut inside a chunk", send(&all[..all.len() / 2]), CUT_BODY),
        Case::failed("stalls inside a chunk", send_then(&all[..all.len() / 2], Act::Hold), TIMED_OUT),
        Case::failed("stalls before the last chunk", send_then(&all, Act::Hold), TIMED_OUT),
        Case::failed("no line end after a chunk", send(glued), BAD_CHUNK),
        Case::failed("a size without end", flood(CHUNKED, "0"), BAD_CHUNK),
        Case::failed("an extension without end", flood(&format!("{CHUNKED}5;"), "x"), BAD_CHUNK),
        Case::failed("trailers without end", flood(&format!("{all}0\r\n"), "X: y\r\n"), BAD_CHUNK),
        Case::failed("a trailer without end", flood(&format!("{all}0\r\n"), "x"), BAD_CHUNK),
    ];
    let (short, long) = (format!("{:x}", length - 1), format!("{:x}", length + 1));
    let digits = "f".repeat(1000);
    let sizes = [
        "",
        " ",
        "xyz",
        "-1",
        "+1",
        "0x1",
        ";",
        "10000000000000000",
        "ffffffffffffffff",
        "8000000000000000",
        &digits,
        &short,
        &long,
    ];
    cases.extend(
        sizes.map(|size| Case::failed(&format!("a size of {size:.20?}"), sized(size), BAD_CHUNK)),
    );
    run(&[], &cases);
}

#[test]
#[rustfmt::skip]
fn bodies() {
    let page =
        "<!DOCTYPE HTML>\n<html><head><title>Statistics Report for HAProxy</title></head></html>\n";
    let indented = format!("\n  {page}");
    let limit = format!("--haproxy.max-response-bytes={MAX_BYTES}");
    let closed_by_eof = |bytes: usize| send(format!("{OK}\r\n{}", &body()[..bytes]));
    let rows = format!("{OK}\r\n{}", csv::HEADER);
    let row = server("app", "s", &[(4, "1")]);
    let announced = format!("{OK}Content-Length: {}\r\n\r\n{}", MAX_BYTES + 1, body());
    let block = format!("400\r\n{}\r\n", "#\n".repeat(512));
    // Looked at from its start at every chunk, this row would take longer than any scrape may.
    let quoted = format!("\"{}", "\r\n".repeat(520_000));
    let tiny_chunks = format!(
        "{CHUNKED}{:x}\r\n{quoted}\r\n{}",
        quoted.len(),
        "1\r\nx\r\n".repeat(10_000)
    );
    let chunk = format!(
        "{CHUNKED}{:x}\r\n{}",
        MAX_BYTES + 1,
        "#\n".repeat(MAX_BYTES)
    );
    run(
        &[&limit],
        &[
            served("closed by EOF", closed_by_eof(body().len())),
            Case::failed("the page without ;csv", send(with_length(page)), HTML),
            Case::failed("the page without ;csv, in chunks", send(in_chunks(page)), HTML),
            Case::failed("the page without ;csv, indented", send(with_length(&indented)), HTML),
            Case::failed("another page", send(with_length("hello\n")), &not_statistics(b"hello\n")),
            Case::failed("an empty body", closed_by_eof(0), EMPTY),
            Case::failed("closed by EOF in the header", closed_by_eof(5), CUT_ROW),
            Case::failed("closed by EOF in a row", closed_by_eof(body().len() - 30), CUT_ROW),
            Case::failed("closed by EOF before a newline", closed_by_eof(body().len() - 1), CUT_ROW),
            Case::failed("rows without end", flood(&rows, &row), &too_large(MAX_BYTES)),
            Case::failed("one line without end", flood(&format!("{OK}\r\n"), "x"), &line_too_long(1)),
            Case::failed("chunks without end", flood(CHUNKED, &block), &too_large(MAX_BYTES)),
            Case::failed("a row that is never whole, in tiny chunks", send(tiny_chunks), &line_too_long(1)),
            Case::failed("announces too much", send(announced), &too_large(MAX_BYTES)),
            Case::failed("a chunk that is too large", send(chunk), &too_large(MAX_BYTES)),
            open_quote(),
        ],
    );
}

/// The length proves the body whole, so the open quote is HAProxy's own and costs one row.
fn open_quote() -> Case {
    let text = format!("{}{}", body(), server("app", "\"open", &[(4, "1")]));
    let first = "line 5: a quote that is never closed";
    let case = Case::bad_rows("a quote that never closes", text.as_bytes(), 1, first).over_http();
    Case {
        answers: Answers::page(with_length(&text).as_bytes()),
        ..case
    }
}
