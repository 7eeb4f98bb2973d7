//! `--once`: one scrape on standard output, for node_exporter's textfile collector and for the question
//! why `haproxy_up` is 0.

mod labels;

use std::fs::File;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::csv::{answer, backend, frontend, server};
use crate::support::exporter;
use crate::support::exposition;
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::faults::INFO;
use crate::support::{peers, reference};

fn stat() -> Vec<u8> {
    answer(&[
        frontend("web", &[(4, "1"), (17, "OPEN")]),
        server("app", "a", &[(4, "2"), (17, "UP")]),
        backend("app", &[(4, "3"), (17, "UP")]),
    ])
}

fn fake(directory: &TempDir) -> Fake {
    Fake::unix(&directory.path().join("s"), Answers::whole(&stat(), INFO))
}

#[test]
fn prints_what_a_scrape_gives_and_opens_no_listener() {
    let directory = TempDir::new().expect("a temporary directory");
    let fake = fake(&directory);
    // The address is taken: a listener could not be opened.
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let listen = format!(
        "--web.listen-address={}",
        taken.local_addr().expect("its address")
    );
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let (status, output, error) = peers::run(exporter::command().args(["--once", &uri, &listen]));
    assert_eq!((status.code(), error.as_str()), (Some(0), ""));
    let found = exposition::read(output.as_bytes()).expect("an exposition");
    let info = std::str::from_utf8(INFO).expect("ASCII");
    let expected = reference::exposition(&stat(), Some(info));
    let found = found.without(reference::volatile);
    assert_eq!(found.differences(&expected), [""; 0]);

    let builtin = "--haproxy.metric-names=builtin";
    let (status, output, _) = peers::run(exporter::command().args(["--once", &uri, builtin]));
    assert_eq!(status.code(), Some(0));
    let state = "haproxy_server_status{proxy=\"app\",server=\"a\",state=\"UP\"} 1\n";
    assert!(output.contains(state), "{output}");
}

#[test]
fn says_why_haproxy_is_down() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("none");
    let uri = format!("--haproxy.scrape-uri=unix:{}", path.display());
    let (status, output, error) = peers::run(exporter::command().args(["--once", &uri]));
    assert_eq!(status.code(), Some(1));
    let found = exposition::read(output.as_bytes()).expect("an exposition");
    assert_eq!(found.value("haproxy_up"), 0.0);
    let reason = format!(
        "err=\"unix socket {}: connect: no such file or directory (is HAProxy running, and does its configuration have this \\\"stats socket\\\"?)\"",
        path.display()
    );
    assert!(
        error.contains("level=error msg=\"scrape failed\""),
        "{error}"
    );
    assert!(error.contains(&reason), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn standard_output_that_takes_nothing() {
    let directory = TempDir::new().expect("a temporary directory");
    let fake = fake(&directory);
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let (reader, closed) = std::io::pipe().expect("a pipe");
    drop(reader);
    let full = File::options()
        .write(true)
        .open("/dev/full")
        .expect("open /dev/full");
    let outputs = [
        (Stdio::from(closed), "broken pipe"),
        (Stdio::from(full), "no space left on device"),
    ];
    for (output, reason) in outputs {
        let mut command = exporter::command();
        let child = command
            .args(["--once", &uri])
            .stdout(output)
            .stderr(Stdio::piped());
        let ended = child
            .spawn()
            .expect("start")
            .wait_with_output()
            .expect("wait");
        let error = String::from_utf8_lossy(&ended.stderr);
        let expected = format!("haproxy_exporter: standard output: {reason}\n");
        assert_eq!((ended.status.code(), &*error), (Some(1), &*expected));
    }
}

/// std opens /dev/null where a standard stream is closed, and takes an output that may only be read for one
/// that wrote everything.
#[test]
fn standard_output_that_is_closed_or_only_read() {
    let directory = TempDir::new().expect("a temporary directory");
    let fake = fake(&directory);
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let cases = [
        (">&-", "it is closed", 1),
        ("1</dev/null", "bad file descriptor", 1),
        (">/dev/null", "", 0),
        // As Python's DEVNULL and daemons open it.
        ("1<>/dev/null", "", 0),
    ];
    let flags: [&[&str]; 5] = [
        &["--once", &uri],
        &["--check", &uri],
        &["--help"],
        &["--version"],
        &["--list-metrics"],
    ];
    let asked = || fake.requests().len();
    for (redirection, reason, status) in cases {
        for flags in flags {
            let before = asked();
            let mut command = Command::new("sh");
            command.args(["-c", &format!("exec \"$0\" \"$@\" {redirection}")]);
            command.arg(exporter::command().get_program()).args(flags);
            let (ended, _, error) = peers::run(&mut command);
            let expected = match reason {
                "" => String::new(),
                reason => format!("haproxy_exporter: standard output: {reason}\n"),
            };
            let found = (ended.code(), error);
            assert_eq!(found, (Some(status), expected), "{flags:?} {redirection}");
            if redirection == ">&-" && flags[0] == "--once" {
                assert_eq!(asked(), before, "HAProxy is not asked for nothing");
            }
        }
    }
}

/// The reader of a pipe or socket can have made it non-blocking, and read late.
#[test]
fn an_output_that_is_not_blocking_gets_everything() {
    let directory = TempDir::new().expect("a temporary directory");
    let rows = (0..5000).map(|number| server("app", &format!("server{number}"), &[(4, "2")]));
    let stat = answer(&rows.collect::<Vec<_>>());
    let fake = Fake::unix(&directory.path().join("s"), Answers::whole(&stat, INFO));
    let (mut reader, writer) = std::os::unix::net::UnixStream::pair().expect("a pair");
    writer.set_nonblocking(true).expect("set non-blocking");
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let mut command = exporter::command();
    command.args(["--once", "--haproxy.timeout=60s", &uri]);
    command.stdout(Stdio::from(std::os::fd::OwnedFd::from(writer)));
    let mut child = command.spawn().expect("start");
    drop(command);
    let mut output = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut output).expect("everything");
    assert_eq!(child.wait().expect("wait").code(), Some(0));
    let found = exposition::read(&output).expect("a whole exposition");
    assert_eq!(found.value("haproxy_up"), 1.0);
}
