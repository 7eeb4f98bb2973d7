//! The head of an HTTP answer: refused, redirected, malformed, slow or without end.

use std::time::Duration;

use crate::support::fake_haproxy::Act;
use crate::support::faults::{CLOSED, Case, RESET, TIMED_OUT};
use crate::support::pages::{
    OK, body, flood, in_chunks, run, send, send_then, served, with_length,
};

#[test]
fn statuses() {
    let head = |head: &str| send(format!("{head}\r\n\r\n{}", body()));
    let mut cases = vec![
        served("200 without a reason", head("HTTP/1.1 200")),
        served("another 2xx", head("HTTP/1.0 203 Non-Authoritative")),
    ];
    let unauthorized = "user or password are missing or wrong (http://user:password@host/path)";
    cases.push(Case::failed(
        "401",
        head("HTTP/1.0 401 Unauthorized"),
        unauthorized,
    ));
    let refused = [
        "HTTP/1.0 403 Forbidden",
        "HTTP/1.0 404 Not Found",
        "HTTP/1.0 500 Internal Server Error",
        "HTTP/1.1 503 Service Unavailable",
        "HTTP/1.1 100 Continue",
        "HTTP/1.0 199 x",
        "HTTP/1.0 304 Not Modified",
        "HTTP/1.0 307 Temporary Redirect",
        "HTTP/1.0 999 x\x1b[31m",
    ];
    for line in refused {
        let mut err = format!("the response is {line:?} instead of 200");
        if line.contains("404") || line.contains("503") {
            err.push_str(" (is its path that of \"stats uri\", followed by \";csv\"?)");
        }
        cases.push(Case::failed(line, head(line), &err));
    }
    let no_status = [
        "HTTP/1.0",
        "HTTP/1.0 ",
        "HTTP/1.0 99 x",
        "HTTP/1.0 2000 x",
        "HTTP/1.0 2x0 OK",
        "HTTP/1.0 +200 OK",
        "HTTP/2.0 200 OK",
        "HTTP/1.x 200 OK",
        "http/1.0 200 OK",
        "PRI * HTTP/2.0",
    ];
    for line in no_status {
        let err = format!("not an HTTP response: it begins {:?}", line.trim_end());
        cases.push(Case::failed(line, head(line), &err));
    }
    run(&[], &cases);
}

#[test]
#[rustfmt::skip]
fn redirects() {
    let long = "x".repeat(10_000);
    let locations = [
        ("301 Moved Permanently", "https://stats.example/;csv", "https://stats.example/;csv"),
        ("302 Found", "/haproxy?stats", "/haproxy?stats"),
        ("303 See Other", "/a\x1b[31m\tb\u{e9}", "/a\x1b[31m\tb\u{e9}"),
        ("307 Temporary Redirect", long.as_str(), &long[..200]),
        ("308 Permanent Redirect", " / ", "/"),
    ];
    let cases = locations.map(|(status, location, shown)| {
        let answer = format!("HTTP/1.1 {status}\r\nLocation: {location}\r\n\r\n");
        let err = format!(
            "the response is a redirect ({}) to {shown:?}: use that URI",
            &status[..3]
        );
        Case::failed(status, send(answer), &err)
    });
    run(&[], &cases);
}

#[test]
#[rustfmt::skip]
fn heads() {
    let with = |fields: &str| send(format!("{OK}{fields}\r\n\r\n{}", body()));
    let length = format!("cOnTeNt-LeNgTh: \t {} ", body().len());
    let long = format!("X: {}\r\nEmpty:", "y".repeat(10_000));
    let many = "X: y\r\n".repeat(5000);
    let too_long = "the response's head is larger than 65536 bytes";
    let not_asked = "the response has an encoding that was not requested: \"gzip\"";
    let noise: Vec<u8> = (0..=255_u8).cycle().take(3000).collect();
    let begins = |start: &str| format!("not an HTTP response: it begins {start:?}");
    run(
        &[],
        &[
            served("names in any case, spaces around values", with(&length)),
            served("a long field and an empty one", with(&long)),
            served("many fields", with(&many)),
            served("a line that is not a field", with("nonsense")),
            Case::failed("closed without a byte", vec![], CLOSED),
            Case::failed("reset without a byte", vec![Act::Reset], RESET),
            Case::failed("rows instead of a head", send(body()), &begins(&body()[..200])),
            Case::failed("noise", send(&noise), &begins("\0\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}")),
            Case::failed("NULs", send([0; 3000]), &begins(&"\0".repeat(200))),
            Case::failed("the head ends early", send("HTTP/1.0 200 OK\r\nA: b\r\n"), "response cut in its head"),
            Case::failed("the head never ends", flood(OK, "X: y\r\n"), too_long),
            Case::failed("a field never ends", flood(OK, "x"), too_long),
            Case::failed("more than 64 KiB", with(&format!("X: {}", "y".repeat(65_536))), too_long),
            Case::failed("a compressed body", with("Content-Encoding: gzip"), not_asked),
        ],
    );
}

#[test]
fn slow_heads() {
    let pause = Duration::from_millis(50);
    run(
        &[],
        &[
            Case::failed("says nothing", vec![Act::Hold], TIMED_OUT),
            Case::failed("the head stalls", send_then(OK, Act::Hold), TIMED_OUT),
            Case::failed(
                "now and then",
                vec![Act::Drip(with_length(&body()).into(), pause)],
                TIMED_OUT,
            ),
            served(
                "quickly, but byte by byte",
                vec![Act::Drip(in_chunks(&body()).into(), Duration::ZERO)],
            ),
        ],
    );
}
