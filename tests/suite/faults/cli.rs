//! A CLI socket (unix, tcp) that stalls, stops, resets, floods, or speaks of other things.
//!
//! All or nothing: only the empty line at its end proves an answer complete.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::csv::{self, backend, frontend, server};
use crate::support::exporter::{Exporter, Problem};
use crate::support::fake_haproxy::{Act, Answers, Fake, Script};
use crate::support::faults::{
    self, CLOSED, CUT, Case, HTML, INFO, Outcome, RESET, TIMED_OUT, Totals, line_too_long,
    not_statistics, too_large,
};
use crate::support::reference;

const MAX_BYTES: usize = 4 << 20;
const TOO_MUCH: &str = "read: more came behind the closing empty line";
const NO_INFO: &str = "not a reply to \"show info\": it has no Version";

/// What HAProxy 2.6's master answers to `show stat`, before it waits for the next command.
const MASTER: &[u8] =
    b"Unknown command: 'show stat -1', but maybe one of the following ones is a better match:\n\n";

/// A small answer that has one row of each kind.
fn healthy_answer() -> Vec<u8> {
    csv::answer(&[
        frontend("web", &[(4, "1"), (17, "OPEN")]),
        server("app", "s1", &[(4, "2"), (17, "UP")]),
        backend("app", &[(4, "3"), (17, "UP")]),
    ])
}

fn healthy() -> Case {
    Case::served(
        "healthy",
        &healthy_answer(),
        vec![Act::Send(healthy_answer())],
    )
}

/// Exporters for each kind of socket, which share the cases out.
const EXPORTERS: usize = 4;

/// Runs a table over unix and over tcp.
fn over_both(flags: &[&str], cases: &[Case]) {
    let directory = TempDir::new().expect("a temporary directory");
    let unix = |number| directory.path().join(format!("{number}.sock"));
    let unix = (0..EXPORTERS).map(|number| Fake::unix(&unix(number), Answers::default()));
    let tcp = (0..EXPORTERS).map(|_| Fake::tcp("127.0.0.1", Answers::default()));
    let (unix, tcp): (Vec<Fake>, Vec<Fake>) = (unix.collect(), tcp.collect());
    let healthy = healthy();
    std::thread::scope(|scope| {
        scope.spawn(|| faults::run(&unix, flags, &healthy, cases));
        faults::run(&tcp, flags, &healthy, cases);
    });
}

fn send(bytes: impl AsRef<[u8]>) -> Script {
    vec![Act::Send(bytes.as_ref().to_vec())]
}

#[test]
#[rustfmt::skip]
fn answers_that_end_wrong() {
    let cut = |bytes: usize| healthy_answer()[..bytes].to_vec();
    let whole = healthy_answer().len();
    over_both(
        &[],
        &[
            Case::failed("closed without a byte", vec![], CLOSED),
            Case::failed(
                "the master CLI, which waits for another command",
                vec![Act::Send(MASTER.to_vec()), Act::Hold],
                &not_statistics(MASTER),
            ),
            Case::failed("reset without a byte", vec![Act::Reset], RESET),
            Case::failed("reset in the middle", vec![Act::Send(cut(whole / 2)), Act::Reset], RESET),
            Case::failed("reset after a whole row", vec![Act::Send(cut(whole - 1)), Act::Reset], RESET),
            Case::failed("cut before the empty line", send(cut(whole - 1)), CUT),
            Case::failed("cut inside the header", send(cut(10)), CUT),
            Case::failed(
                "header and rows, but inside a quote at the end",
                send([&cut(whole - 1), &b"app,\"s2,\n\n"[..]].concat()),
                CUT,
            ),
        ],
    );
}

#[test]
#[rustfmt::skip]
fn answers_that_never_end() {
    let half = healthy_answer()[..healthy_answer().len() / 2].to_vec();
    let slow = Duration::from_millis(50);
    over_both(
        &[],
        &[
            Case::failed("accepts and says nothing", vec![Act::Hold], TIMED_OUT),
            Case::failed("stops after half", vec![Act::Send(half.clone()), Act::Hold], TIMED_OUT),
            Case::failed(
                "stops before the empty line",
                vec![
                    Act::Send(healthy_answer()[..healthy_answer().len() - 1].to_vec()),
                    Act::Hold,
                ],
                TIMED_OUT,
            ),
            Case::info_failed(
                "both whole, but never closes",
                &healthy_answer(),
                vec![Act::Send(INFO.to_vec()), Act::Hold],
                TIMED_OUT,
            ),
            Case::failed("a byte now and then", vec![Act::Drip(healthy_answer(), slow)], TIMED_OUT),
            Case::served(
                "byte by byte, quickly",
                &healthy_answer(),
                vec![Act::Drip(healthy_answer(), Duration::ZERO)],
            ),
        ],
    );
}

#[test]
#[rustfmt::skip]
fn answers_that_are_too_large() {
    let row = server("app", &"s".repeat(60), &[(4, "1")]);
    let header = Act::Send(csv::HEADER.as_bytes().to_vec());
    let limit = format!("--haproxy.max-response-bytes={MAX_BYTES}");
    // The first ends the rows, the second the answer to `show info`.
    let rows = format!("{}{row}", csv::HEADER);
    let mut empty_lines = Case::info_failed(
        "empty lines without end",
        rows.as_bytes(),
        Script::new(),
        TOO_MUCH,
    );
    empty_lines.answers.stat = vec![
        Act::Send(rows.clone().into_bytes()),
        Act::Repeat(b"\n".to_vec()),
    ];
    let repeat = |bytes: &str| vec![header.clone(), Act::Repeat(bytes.as_bytes().to_vec())];
    over_both(
        &[&limit],
        &[
            Case::failed("rows without end", repeat(&row), &too_large(MAX_BYTES)),
            Case::failed("one line without end", repeat("x"), &line_too_long(2)),
            Case::failed("fields without end", repeat("1,"), &line_too_long(2)),
            Case::failed("quotes without end", repeat("\"\n,"), &too_large(MAX_BYTES)),
            Case::failed(
                "a quote without end",
                vec![
                    Act::Send(format!("{}\"", csv::HEADER).into_bytes()),
                    Act::Repeat(b"x,\n".to_vec()),
                ],
                &line_too_long(2),
            ),
            empty_lines,
            Case::failed("noise without end", vec![Act::Repeat((0..=255).collect())], &too_large(MAX_BYTES)),
            Case::failed("a byte too many", send(padded_to(MAX_BYTES + 1)), &too_large(MAX_BYTES)),
            Case::served("just small enough", &padded_to(MAX_BYTES), send(padded_to(MAX_BYTES))),
        ],
    );
}

/// A whole answer of exactly that many bytes.
fn padded_to(bytes: usize) -> Vec<u8> {
    let mut answer = healthy_answer();
    assert_eq!(answer.pop(), Some(b'\n'));
    let filler = format!("# {}\n", "-".repeat(997));
    while answer.len() + filler.len() < bytes {
        answer.extend_from_slice(filler.as_bytes());
    }
    answer.push(b'#');
    answer.resize(bytes - 2, b'-');
    answer.extend_from_slice(b"\n\n");
    answer
}

#[test]
fn answers_that_are_something_else() {
    let noise: Vec<u8> = (0..4096_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .filter(|byte| *byte != b'"')
        .collect();
    let unknown = "Unknown command. Please enter one of the following commands only :\n  help           : this message\n\n";
    let http = "HTTP/1.0 400 Bad request\r\nConnection: close\r\n\r\n";
    let html = "<!DOCTYPE html>\n<html><body>503</body></html>\n\n";
    let other =
        |name: &str, answer: &[u8]| Case::failed(name, send(answer), &not_statistics(answer));
    over_both(
        &[],
        &[
            other("permission denied", b"Permission denied\n\n"),
            other("unknown command", unknown.as_bytes()),
            other("show info instead", INFO),
            other("an HTTP answer", http.as_bytes()),
            other("noise", &noise),
            other("noise that ends well", &[&noise[..], b"\n\n"].concat()),
            other("NULs", &[0; 5000]),
            other("commas", format!("{}\n\n", ",".repeat(61)).as_bytes()),
            Case::failed("an HTML page", send(html), HTML),
            Case::failed("only the empty line", send("\n"), CLOSED),
        ],
    );
}

#[test]
#[rustfmt::skip]
fn show_info_alone_at_fault() {
    let stat = healthy_answer();
    let case = |name: &str, info: Script, err: &str| Case::info_failed(name, &stat, info, err);
    over_both(
        &[&format!("--haproxy.max-response-bytes={MAX_BYTES}")],
        &[
            case("closed without a byte", vec![], CLOSED),
            case("reset", vec![Act::Reset], RESET),
            case("cut", send(&INFO[..INFO.len() - 1]), CUT),
            case("says nothing", vec![Act::Hold], TIMED_OUT),
            case("stops after half", vec![Act::Send(INFO[..INFO.len() / 2].to_vec()), Act::Hold], TIMED_OUT),
            case(
                "flood",
                vec![Act::Repeat(b"Name: HAProxy\n".to_vec())],
                "read: the reply is larger than 65536 bytes",
            ),
            case("one endless line", vec![Act::Repeat(b"x".to_vec())], "read: the reply is larger than 65536 bytes"),
            case("permission denied", send("Permission denied\n\n"), NO_INFO),
            case("statistics instead", send(&stat), NO_INFO),
            case("noise", send([0xff, 0x00, b':', b' ', 0xfe, b'\n', b'\n']), NO_INFO),
            case("no version", send("Name: HAProxy\nUptime_sec: 5\n\n"), NO_INFO),
        ],
    );
}

/// Values that no HAProxy should print leave their own metric out, or stand in a label as they are.
#[test]
fn show_info_with_odd_values() {
    let stat = healthy_answer();
    let infos: [&[u8]; 10] = [
        b"Version: 1\n\n",
        b"Version: 1\nRelease_date: \nnode: \n\n",
        b"Version: 1: 2\nnode: a\\b\"c\n\n",
        b"Version: 1\nnode: a\xffb\0c\x1b\n\n",
        b"Version: 1\nIdle_pct: 0\nPid: 0\nUptime_sec: 0\n\n",
        b"Version: 1\nIdle_pct: 100\nPid: 18446744073709551615\n\n",
        b"Version: 1\nIdle_pct: 101\nPid: 18446744073709551616\n\n",
        b"Version: 1\nIdle_pct: -1\nPid: x\nUptime_sec: \n\n",
        b"Version: 1\nIdle_pct: 1.5\nPid: 0x1\nUptime_sec: 1 2\n\n",
        b"no colon\n: \nVersion: 1\nversion: 2\nVersion_: 3\n\n",
    ];
    let case = |info: &[u8]| {
        let text = String::from_utf8_lossy(info);
        let want = reference::exposition(&stat, Some(&text));
        let outcome = Outcome::Served {
            want,
            failures: 0,
            complaint: None,
        };
        Case {
            name: text.escape_debug().to_string(),
            answers: Answers::whole(&stat, info),
            outcome,
        }
    };
    over_both(&[], &infos.map(case));
}

/// Whatever `show info` does, the scrape fails with what `show stat` did.
#[test]
fn show_stat_at_fault_and_show_info_too() {
    let hold = || vec![Act::Hold];
    let case = |name: &str, stat: Script, info: Script, err: &str| Case {
        answers: Answers { stat, info },
        ..Case::failed(name, vec![], err)
    };
    over_both(
        &[],
        &[
            case("both close", vec![], vec![], CLOSED),
            case("both hang", hold(), hold(), TIMED_OUT),
            case("one hangs, the other closes", hold(), vec![], TIMED_OUT),
            case(
                "one is cut, the other closes",
                send(csv::HEADER),
                vec![],
                CUT,
            ),
        ],
    );
}

/// Once `show stat` has failed nothing can be exported, so there is nothing to wait for: an hour
/// would not end this test.
#[test]
fn a_failed_show_stat_does_not_wait_for_show_info() {
    for (stat, err) in [(vec![], CLOSED), (send(csv::HEADER), CUT)] {
        let fake = Fake::tcp(
            "127.0.0.1",
            Answers {
                stat,
                info: vec![Act::Hold],
            },
        );
        let uri = format!("--haproxy.scrape-uri={}", fake.uri());
        let exporter = Exporter::start(&[&uri, "--haproxy.timeout=1h"]);
        assert_eq!(exporter.scrape().value("haproxy_up"), 0.0);
        let want = Problem::scrape_failed(&format!("{}: {err}", fake.object()));
        assert_eq!(exporter.finish().problems(), [want]);
    }
}

/// Nobody listens, or nobody can.
#[test]
fn no_socket_to_connect_to() {
    let directory = TempDir::new().expect("a temporary directory");
    let place = |name: &str| directory.path().join(name).display().to_string();
    std::fs::write(place("regular"), "").expect("write a file");
    drop(UnixListener::bind(place("left-over")).expect("bind a unix socket"));
    let free = TcpListener::bind("127.0.0.1:0")
        .expect("bind a port")
        .local_addr()
        .expect("its address");
    let missing = "connect: no such file or directory (is HAProxy running, and does its configuration have this \"stats socket\"?)";
    let refused = "connect: connection refused (is HAProxy running?)";
    let file = "connect: connection refused (this is a file, not a socket; write the path of \"stats socket\", \
                or file:/path for a recording)";
    let folder =
        "connect: connection refused (this is a directory; write the path of \"stats socket\")";
    let below = "connect: a part of the path is not a directory";
    let plainly_refused = "connect: connection refused";
    let no_page = "connect: connection refused (is HAProxy's stats page there? the default is http://localhost/;csv)";
    let unix = |name: String| (format!("unix:{name}"), format!("unix socket {name}"));
    let cases = [
        (unix(place("missing")), missing),
        (unix(place("left-over")), refused),
        (unix(place("regular")), file),
        (unix(directory.path().display().to_string()), folder),
        (unix(place("regular/below")), below),
        (unix(format!("@{}", place("abstract"))), refused),
        (
            (format!("tcp://{free}"), format!("tcp socket {free}")),
            plainly_refused,
        ),
        (
            (format!("http://{free}/;csv"), format!("http://{free}/;csv")),
            no_page,
        ),
    ];
    for ((uri, object), err) in cases {
        let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={uri}")]);
        let differences = Totals::default().check(&exporter, &Case::failed(&uri, vec![], err));
        assert_eq!(differences, [""; 0], "{uri}");
        let want = Problem::scrape_failed(&format!("{object}: {err}"));
        assert_eq!(exporter.finish().problems(), [want], "{uri}");
    }
}
