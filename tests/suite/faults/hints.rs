//! What the log says to look at.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::csv::{answer, backend};
use crate::support::exporter::{self, Exporter, Problem};
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::faults::HTML;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::{fixtures, peers};

/// The error of one scrape that fails.
fn error_of(exporter: Exporter, object: &str) -> String {
    assert_eq!(exporter.scrape().value("haproxy_up"), 0.0);
    let problems = exporter.finish().problems();
    let [problem] = problems.as_slice() else {
        panic!("{problems:?}");
    };
    let details = problem.details.join(" ");
    let error = details.strip_prefix(&format!("err={object}: "));
    error.unwrap_or(&details).to_owned()
}

fn scrape(uri: &str, object: &str) -> String {
    error_of(
        Exporter::start(&[&format!("--haproxy.scrape-uri={uri}")]),
        object,
    )
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("change a mode");
}

/// Root may enter and open everything, so the exporter runs as nobody.
#[test]
fn what_may_not_be_entered_or_opened() {
    if !peers::is_root() {
        peers::skip("only root can become nobody");
        return;
    }
    let directory = TempDir::new().expect("a temporary directory");
    let place = |name: &str| directory.path().join(name);
    set_mode(directory.path(), 0o755);
    fs::write(place("file"), "").expect("write a file");
    for (name, mode) in [("closed", 0o700), ("open", 0o755)] {
        fs::create_dir_all(place(name).join("run")).expect("make directories");
        let socket = place(name).join("run/haproxy.sock");
        drop(UnixListener::bind(&socket).expect("bind a socket"));
        set_mode(&socket, 0o600);
        set_mode(&place(name), mode);
    }
    let binary = place("exporter");
    exporter::copy_to(&binary);
    let closed = format!(
        "the exporter cannot enter the directory {}",
        place("closed").display()
    );
    let group = "is the exporter in HAProxy's group? the socket has owner root, group root, mode 0600; the exporter \
                 has user nobody, group nogroup: write \"mode 660 group haproxy\" at \"stats socket\""
        .to_owned();
    let file = "this is a file, not a socket; write the path of \"stats socket\", or file:/path for a recording"
        .to_owned();
    let cases = [
        ("closed/run/haproxy.sock", &closed),
        ("closed/nowhere/at/all", &closed),
        ("open/run/haproxy.sock", &group),
        ("file", &file),
    ];
    for (name, hint) in cases {
        let socket = place(name).display().to_string();
        let mut command = Command::new(&binary);
        command
            .arg(format!("--haproxy.scrape-uri=unix:{socket}"))
            .arg("--web.listen-address=127.0.0.1:0")
            .current_dir("/")
            .uid(65534)
            .gid(65534);
        let error = error_of(
            Exporter::spawn(&mut command),
            &format!("unix socket {socket}"),
        );
        assert_eq!(error, format!("connect: permission denied ({hint})"));
    }
}

/// What is wrong with the socket of the master is mended at `-S`, not at a "stats socket".
#[test]
fn the_socket_of_a_master() {
    if !peers::is_root() {
        peers::skip("only root can become nobody");
        return;
    }
    let directory = TempDir::new().expect("a temporary directory");
    let place = |name: &str| directory.path().join(name);
    set_mode(directory.path(), 0o755);
    let binary = place("exporter");
    exporter::copy_to(&binary);
    fs::write(place("file"), "").expect("write a file");
    drop(UnixListener::bind(place("closed")).expect("bind a socket"));
    set_mode(&place("closed"), 0o600);
    let denied = "(is the exporter in HAProxy's group? the socket has owner root, group root, \
                  mode 0600; the exporter has user nobody, group nogroup: start haproxy with -S \
                  PATH,mode,660,group,haproxy)";
    let refused = "(this is not a socket; write the one of haproxy -S)";
    // A file can be denied, or not accept connections.
    fs::write(place("open"), "").expect("write a file");
    set_mode(&place("open"), 0o666);
    let recording = fixtures::path("3.2.0/stat.csv");
    fs::copy(&recording, place("stat.csv")).expect("copy a recording");
    let cases = [
        ("file", format!("permission denied {refused}")),
        ("open", format!("connection refused {refused}")),
        ("closed", format!("permission denied {denied}")),
    ];
    for (name, why) in cases {
        let socket = place(name).display().to_string();
        let mut command = Command::new(&binary);
        command
            .arg("--check")
            .arg(format!(
                "--haproxy.scrape-uri=file:{}",
                place("stat.csv").display()
            ))
            .arg(format!("--haproxy.master-socket=unix:{socket}"))
            .current_dir("/");
        command.uid(65534).gid(65534);
        let (status, output, error) = peers::run(&mut command);
        assert_eq!((status.code(), error.as_str()), (Some(1), ""), "{output}");
        let line = format!(
            "--haproxy.master-socket:       FAILED: master unix socket {socket}: connect: {why}\n"
        );
        assert!(output.contains(&line), "no {line} in\n{output}");
    }
}

/// The URI is blamed for a page only where it may be the reason.
#[test]
fn a_page_instead_of_csv() {
    let page = b"HTTP/1.0 200 OK\r\n\r\n<!DOCTYPE html>\n<html><body>page</body></html>\n";
    let fake = Fake::http("127.0.0.1", Answers::page(page));
    let lacking = format!("{HTML} (does the scrape URI lack \";csv\"?)");
    let cases = [
        ("/", lacking.as_str()),
        ("/haproxy?stats", &lacking),
        ("/csv", &lacking),
        ("/;csv", HTML),
        ("/haproxy?stats;csv;norefresh", HTML),
    ];
    for (path, expected) in cases {
        let uri = format!("http://{}{path}", fake.address());
        assert_eq!(scrape(&uri, &uri), expected, "{path}");
    }
}

#[test]
fn a_page_that_refuses_http_1_0() {
    for status in ["426 Upgrade Required", "505 HTTP Version Not Supported"] {
        let line = format!("HTTP/1.1 {status}");
        let fake = Fake::http(
            "127.0.0.1",
            Answers::page(format!("{line}\r\nContent-Length: 0\r\n\r\n").as_bytes()),
        );
        let expected =
            format!("the response is {line:?} instead of 200 (this exporter speaks HTTP/1.0)");
        assert_eq!(scrape(fake.uri(), fake.uri()), expected);
    }
}

const MASTER: &str = "this is the master socket; use a stats socket";

/// It answers each command and then waits for the next: an hour would not end this test.
#[test]
fn the_master_of_the_recordings() {
    let unknown = "Unknown command, but maybe one of the following ones is a better match:\n";
    let named = "Unknown command: 'show', but maybe one of the following ones is a better match:\n";
    let known = "  show cli level                          : display the level of the current CLI session\n  \
                 show proc                               : show processes status\n  \
                 quit                                    : disconnect\n\n";
    for first in [unknown, named] {
        let help = format!("{first}{known}").into_bytes();
        let answers = Answers {
            stat: vec![Act::Send(help.repeat(2)), Act::Hold],
            info: Vec::new(),
        };
        let fake = Fake::tcp("127.0.0.1", answers);
        let exporter = Exporter::start(&[
            &format!("--haproxy.scrape-uri={}", fake.uri()),
            "--haproxy.timeout=1h",
        ]);
        assert_eq!(error_of(exporter, &fake.object()), MASTER);
    }
}

#[test]
fn a_real_master() {
    let place = Place::new(0);
    let master = place.path("master");
    let name = master.display().to_string();
    let configuration = format!("{}backend app\n", place.global());
    let Some(_haproxy) = Haproxy::start_as(place, &configuration, &["-W", "-S", &name]) else {
        return;
    };
    let uri = format!("--haproxy.scrape-uri=unix:{}", master.display());
    let exporter = Exporter::start(&[&uri, "--haproxy.timeout=1h"]);
    // Its CLI may come later than the worker's, or go and come again.
    peers::wait_for("the master's answer", || {
        assert_eq!(exporter.scrape().value("haproxy_up"), 0.0);
        let lines = exporter.log_lines();
        lines.iter().any(|line| line.contains(MASTER)).then_some(())
    });
}

/// The first line of a key counts, whatever a description holds.
#[test]
fn a_description_that_looks_like_more() {
    let info = fixtures::bytes("field/info-description.txt");
    let fake = Fake::tcp(
        "127.0.0.1",
        Answers::whole(&answer(&[backend("app", &[])]), &info),
    );
    let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={}", fake.uri())]);
    let got = exporter.scrape();
    let labels = "node=\"lb1\",release_date=\"2023/04/01\",version=\"2.6.12\"";
    assert_eq!(got.value(&format!("haproxy_info{{{labels}}}")), 1.0);
    assert_eq!(got.value("haproxy_process_pid"), 4711.0);
    assert_eq!(got.value("haproxy_process_uptime_seconds"), 100.0);
    assert_eq!(got.value("haproxy_process_idle_time_percent"), 100.0);
    assert_eq!(exporter.finish().problems(), Vec::<Problem>::new());
}
