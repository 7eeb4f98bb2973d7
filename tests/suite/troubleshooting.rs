//! The table of troubleshooting.md: its log messages are what the exporter really writes.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::csv;
use crate::support::documents;
use crate::support::exporter::{self, Exporter};
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::haproxy::{Haproxy, Place};
use crate::support::peers;

/// Some user that owns nothing.
const STRANGER: u32 = 65533;

/// The texts in the column "log message".
fn texts() -> Vec<String> {
    let document = documents::read(&documents::with("troubleshooting"));
    let table = &document[documents::table(&document, "troubleshooting")];
    let rows = table.lines();
    let cells = rows.filter_map(|row| row.split(" | ").nth(1));
    cells
        .filter_map(|cell| Some(cell.strip_prefix('`')?.strip_suffix('`')?.to_owned()))
        .collect()
}

/// What a scrape of the URI logs.
fn scrape(uri: &str, flags: &[&str]) -> String {
    let uri = format!("--haproxy.scrape-uri={uri}");
    problem(Exporter::start(&[&[uri.as_str()], flags].concat()))
}

/// The same as a user who may not do everything: this one, unless it is root.
fn scrape_as_stranger(uri: &str) -> String {
    if !peers::is_root() {
        return scrape(uri, &[]);
    }
    let directory = open_directory();
    let program = directory.path().join("exporter");
    exporter::copy_to(&program);
    let mut command = exporter::command_of(program.as_os_str());
    command.arg(format!("--haproxy.scrape-uri={uri}"));
    problem(Exporter::spawn(command.uid(STRANGER).gid(STRANGER)))
}

fn problem(exporter: Exporter) -> String {
    exporter.get("/metrics");
    let problems = exporter.finish().problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].details.join(" ")
}

/// What it says when it does not start.
fn refusal(flag: &str) -> String {
    let (status, _, error) = peers::run(exporter::command().arg(flag));
    assert!(!status.success(), "{flag} was taken");
    error
}

/// What it says when it may not open what it needs.
fn with_few_descriptors() -> String {
    let program = exporter::command();
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        "ulimit -n 9; exec \"$0\" --web.listen-address=127.0.0.1:0",
    ]);
    let (status, _, error) = peers::run(shell.arg(program.get_program()));
    assert!(!status.success(), "9 descriptors were enough");
    error
}

/// A directory that all may enter.
fn open_directory() -> TempDir {
    let directory = TempDir::new().expect("a temporary directory");
    set_mode(directory.path(), 0o755);
    directory
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("set a mode");
}

fn page(text: &str) -> String {
    let fake = Fake::http("127.0.0.1", Answers::page(text.as_bytes()));
    scrape(&fake.uri().replace(";csv", ""), &[])
}

/// Brings about each trouble of unix sockets, and says what is logged.
fn socket_troubles(directory: &Path) -> Vec<String> {
    let path = |name: &str| directory.join(name);
    let uri = |name: &str| format!("unix:{}", path(name).display());
    let mut logs = vec![scrape(&uri("gone"), &[])];
    drop(UnixListener::bind(path("stopped")).expect("bind a unix socket"));
    logs.push(scrape(&uri("stopped"), &[]));
    let empty = Fake::unix(&path("empty"), Answers::default());
    logs.push(scrape(empty.uri(), &[]));
    let hold = Answers {
        stat: vec![Act::Hold],
        info: vec![Act::Hold],
    };
    let slow = Fake::unix(&path("slow"), hold);
    logs.push(scrape(slow.uri(), &["--haproxy.timeout=100ms"]));

    let closed = Fake::unix(&path("closed"), Answers::default());
    set_mode(&path("closed"), 0);
    logs.push(scrape_as_stranger(closed.uri()));
    std::fs::create_dir(path("inner")).expect("make a directory");
    let inside = Fake::unix(&path("inner/s"), Answers::default());
    set_mode(&path("inner"), 0);
    let log = scrape_as_stranger(inside.uri());
    logs.push(log.replace(&path("inner").display().to_string(), "/run/haproxy"));
    // So that it can be removed.
    set_mode(&path("inner"), 0o700);
    logs
}

/// The same of HAProxy itself: the master's socket, an answer over the limit.
fn haproxy_troubles() -> Option<Vec<String>> {
    let place = Place::new(0);
    let master = place.path("master.sock").display().to_string();
    let configuration = format!("{}backend app\n  server one 127.0.0.1:1\n", place.global());
    let haproxy = Haproxy::start_as(place, &configuration, &["-W", "-db", "-S", &master])?;
    // It accepts before the master starts itself anew, and refuses meanwhile.
    peers::wait_for("the master's CLI", || {
        let mut socket = UnixStream::connect(&master).ok()?;
        socket.write_all(b"show proc\n").ok()?;
        socket.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        let mut answer = [0; 4096];
        let count = socket.read(&mut answer).ok()?;
        answer[..count].starts_with(b"#<PID>").then_some(())
    });
    let limit = "--haproxy.max-response-bytes=1000";
    let denied = Answers {
        stat: vec![Act::Send(b"Permission denied\n\n".to_vec())],
        info: vec![],
    };
    let denied = Fake::unix(&haproxy.place().path("denied"), denied);
    let with_master = |uri: &str| {
        let flag = format!("--haproxy.master-socket={uri}");
        scrape(&haproxy.unix_uri(), &[&flag])
    };
    Some(vec![
        with_master(&haproxy.unix_uri()),
        with_master(denied.uri()),
        scrape(&format!("unix:{master}"), &[]),
        scrape(&haproxy.unix_uri(), &[limit]).replace("than 1000 bytes", "than 67108864 bytes"),
    ])
}

#[test]
fn log_lines_of_troubles() {
    let directory = open_directory();
    let mut logs = socket_troubles(directory.path());
    logs.push(page("HTTP/1.0 200 OK\r\n\r\n<html><body>\n"));
    logs.push(page(&format!("HTTP/1.0 200 OK\r\n\r\n{}", csv::HEADER)));
    logs.push(page("HTTP/1.1 426 Upgrade Required\r\n\r\n"));
    logs.push(page("HTTP/1.0 401 Unauthorized\r\n\r\n"));
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind a TCP socket");
    let address = taken.local_addr().expect("its address").to_string();
    let refused = refusal(&format!("--web.listen-address={address}"));
    logs.push(refused.replace(&address, ":9101"));
    drop(taken);
    logs.push(scrape(&format!("http://{address}/;csv"), &[]));
    logs.push(refusal(
        "--haproxy.scrape-uri=http://admin:p/w@localhost/;csv",
    ));
    logs.push(refusal("--web.listen-address=192.0.2.1:9101"));
    logs.push(with_few_descriptors());
    let Some(more) = haproxy_troubles() else {
        return;
    };
    logs.extend(more);

    let texts = texts();
    assert!(texts.len() > 10, "{texts:?}");
    for text in &texts {
        let written = logs.iter().any(|log| log.contains(text));
        assert!(
            written,
            "troubleshooting.md has {text:?}, the exporter said:\n{}",
            logs.join("\n")
        );
    }
    for log in &logs {
        let told = texts.iter().any(|text| log.contains(text));
        assert!(told, "troubleshooting.md has not:\n{log}");
    }
}
