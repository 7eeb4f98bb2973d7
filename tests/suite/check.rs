//! `--check`: what it prints about real and broken HAProxy instances, and its exit status.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::old_workers::world::{A, B, World, info, processes, question, serving};
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::haproxy::{Haproxy, Place};
use crate::support::text::mask;
use crate::support::{children, exporter, fixtures, peers};

/// Exit status and lines without the first, which names the build. Numbers that differ from run to run are `#`.
fn check(flags: &[&str]) -> (Option<i32>, Vec<String>) {
    let (status, output, error) = peers::run(exporter::command().arg("--check").args(flags));
    assert_eq!(error, "", "{flags:?}");
    let lines = output.lines().skip(2);
    let lines = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        match name {
            "scrape" | "HAProxy" | "metrics" if !value.contains("FAILED") => {
                format!("{name}: {}", mask(value.trim()))
            }
            _ => format!("{name}: {}", value.trim()),
        }
    });
    (status.code(), lines.collect())
}

/// The line about the user who runs the tests.
fn user() -> String {
    let (_, lines) = check(&["--haproxy.scrape-uri=file:/none"]);
    let line = lines
        .into_iter()
        .find(|line| line.starts_with("connected as: user "));
    line.expect("a line about the user")
}

fn failed(source: &str, why: &str) -> (Option<i32>, Vec<String>) {
    let lines = vec![
        format!("source: {source}"),
        user(),
        format!("scrape: FAILED: {why}"),
        "result: 1 FAILED, see above".to_owned(),
    ];
    (Some(1), lines)
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn every_group_of_a_real_haproxy() {
    let place = Place::new(2);
    let master = path(&place.path("master.sock"));
    let configuration = format!(
        "{}frontend web\n  bind {}\n  stats enable\n  stats uri /stats\n\
         peers farm\n  bind {}\n  server here\n\
         backend app\n  stick-table type ip size 100 peers farm\n  server one 127.0.0.1:1\n  server two 127.0.0.1:1\n",
        place
            .global()
            .replace("level admin", "level user\n  localpeer here"),
        place.bind(0),
        place.bind(1)
    );
    let arguments = ["-W", "-db", "-S", &master];
    let Some(haproxy) = Haproxy::start_as(place, &configuration, &arguments) else {
        return;
    };
    let uri = haproxy.unix_uri();
    let source = haproxy.unix_flag();
    let socket = path(&haproxy.socket());
    let pid_file = path(&haproxy.write_pid_file());
    let common = |result: &[&str]| {
        let mut lines = vec![
            format!("source: {uri}"),
            user(),
            "CLI level: user".to_owned(),
            String::new(),
            "rows: 1 frontends, 1 backends, 2 servers, 0 listeners".to_owned(),
            "metrics: # families, # bytes".to_owned(),
            "scrape: # ms, # bytes read".to_owned(),
            "show info: works".to_owned(),
            "show table: works".to_owned(),
            String::new(),
        ];
        lines.extend(result.iter().map(|line| (*line).to_owned()));
        lines
    };
    let check = |flags: &[&str]| {
        let (status, mut lines) = check(&[&[source.as_str()], flags].concat());
        // The release decides about these.
        let haproxy = std::mem::take(&mut lines[3]);
        assert!(haproxy.starts_with("HAProxy: #"), "{haproxy}");
        assert!(haproxy.contains(", up for # s"), "{haproxy}");
        let resolvers = std::mem::take(&mut lines[9]);
        assert!(
            resolvers.starts_with("show stat domain resolvers: "),
            "{resolvers}"
        );
        (status, lines)
    };

    let master_flag = format!("--haproxy.master-socket=unix:{master}");
    peers::wait_for("the master's CLI", || {
        let (status, _) = check(&[&master_flag]);
        (status == Some(0)).then_some(())
    });
    let pid_flag = format!("--haproxy.pid-file={pid_file}");
    // A level that does not show them.
    let (status, lines) = check(&["--haproxy.server-info"]);
    let missing = "--haproxy.server-info: FAILED: addresses of servers are missing: HAProxy prints them to a CLI of \
                   level operator and above, and on a page with stats show-legends";
    assert_eq!(status, Some(1));
    assert!(lines.contains(&missing.to_owned()), "{lines:#?}");

    let all = [master_flag.as_str(), &pid_flag, "--haproxy.peers"];
    let lines = common(&[
        "--haproxy.peers: works",
        "--haproxy.master-socket: works",
        "--haproxy.pid-file: works",
        "result: all works",
    ]);
    assert_eq!(check(&all), (Some(0), lines));

    // A stats socket as master socket, a level that is too low, no pid file.
    let wrong = format!("--haproxy.master-socket=unix:{socket}");
    let broken = [&wrong, "--haproxy.pid-file=/none", "--haproxy.certificates"];
    let lines = common(&[
        &format!(
            "--haproxy.certificates: FAILED: unix socket {socket}: not a reply to \"show ssl cert\": it begins \
             \"Can't allocate memory!\" (the CLI socket needs level operator)"
        ),
        &format!(
            "--haproxy.master-socket: FAILED: master unix socket {socket}: not a reply to \"show proc\": it begins \
             \"Unknown command, but maybe one of the following ones is a better match:\" (this is a stats socket; \
             write the one of haproxy -S)"
        ),
        "--haproxy.pid-file: FAILED: none: no such file or directory",
        "result: 3 FAILED, see above",
    ]);
    assert_eq!(check(&broken), (Some(1), lines));

    // A pattern that no name matches.
    let lines = check(&["--haproxy.proxy-include=app.*"]);
    let problem = "problem: no proxy matches --haproxy.proxy-include=app.* (the first is \"web\"; * matches any \
                   text, ? one character)";
    assert_eq!(lines.0, Some(1));
    assert!(lines.1.contains(&problem.to_owned()), "{lines:#?}");

    let page = format!("http://{}/stats;csv", haproxy.address(0));
    let two = [
        format!("--haproxy.target=page={page}"),
        "--haproxy.target=gone=unix:/none".to_owned(),
    ];
    let (status, lines) = super::check::check(&[&two[0], &two[1], "--haproxy.timeout=5s"]);
    let only = "exported: only frontends, backends, servers and listeners: no facts about the process, stick tables \
                or resolvers (a \"stats socket\" has them)";
    let expected = [
        "target: page",
        &format!("source: {page}"),
        &user(),
        only,
        "rows: 1 frontends, 1 backends, 2 servers, 0 listeners",
        "metrics: # families, # bytes",
        "scrape: # ms, # bytes read",
        "result: all works",
        ": ",
        "target: gone",
        "source: unix:/none",
        &user(),
        "scrape: FAILED: unix socket /none: connect: no such file or directory (is HAProxy running, and does its \
         configuration have this \"stats socket\"?)",
        "result: 1 FAILED, see above",
    ];
    assert_eq!(
        (status, lines),
        (Some(1), expected.map(str::to_owned).to_vec())
    );

    let wrong = format!("http://{}/wrong;csv", haproxy.address(0));
    let why = format!(
        "{wrong}: the response is \"HTTP/1.1 503 Service Unavailable\" instead of 200 (is its path that of \"stats \
         uri\", followed by \";csv\"?)"
    );
    let flag = format!("--haproxy.scrape-uri={wrong}");
    assert_eq!(super::check::check(&[&flag]), failed(&wrong, &why));
}

#[test]
fn a_file_or_a_directory_as_socket() {
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let file = directory.path().join("file");
    std::fs::write(&file, "").expect("write a file");
    let cases = [
        (
            &*file,
            "this is a file, not a socket; write the path of \"stats socket\", or file:/path for a recording",
        ),
        (
            directory.path(),
            "this is a directory; write the path of \"stats socket\"",
        ),
    ];
    for (place, advice) in cases {
        let place = path(place);
        let uri = format!("unix:{place}");
        let why = format!("unix socket {place}: connect: connection refused ({advice})");
        let flag = format!("--haproxy.scrape-uri={uri}");
        assert_eq!(check(&[&flag]), failed(&uri, &why));
    }
}

/// A worker that is left over and hangs is no failure of the master.
#[test]
fn an_old_worker_that_does_not_respond() {
    let world = World::new();
    world.serve(&serving(B, &[]));
    world.master.say("show proc", &processes(&[B], &[A]));
    world.master.answer(&question(A), vec![Act::Hold]);
    let uri = format!("--haproxy.scrape-uri={}", world.worker.uri());
    let flags = [&*uri, &world.master.flag(), "--haproxy.timeout=1s"];
    let (status, lines) = check(&flags);
    let line = format!(
        "--haproxy.master-socket: FAILED: old workers unresponsive: master {}: read: timed out",
        world.master.object()
    );
    assert_eq!(status, Some(1), "{lines:#?}");
    assert!(lines.contains(&line), "{lines:#?}");
    world.say(A, &info(A, &[]));
    let (status, lines) = check(&flags);
    assert_eq!(status, Some(0), "{lines:#?}");
    assert!(lines.contains(&"--haproxy.master-socket: works".to_owned()));
}

/// What is known of a target is printed while the next one hangs, and which one that is.
#[test]
fn targets_are_printed_one_by_one() {
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let hangs = Answers {
        stat: vec![Act::Hold],
        info: vec![Act::Hold],
    };
    let fake = Fake::unix(&directory.path().join("socket"), hangs);
    let mut command = exporter::command();
    let recording = path(&fixtures::path("3.2.0/stat.csv"));
    command
        .args(["--check", "--haproxy.timeout=1h"])
        .arg(format!("--haproxy.target=a=file:{recording}"))
        .arg(format!("--haproxy.target=b={}", fake.uri()))
        .stdout(Stdio::piped());
    let (mut child, _group) = children::spawn(&mut command).expect("start the exporter");
    let out = BufReader::new(child.stdout.take().expect("its output"));
    let last = format!("source: {}", fake.uri());
    let seen: Vec<String> = (out.lines().map_while(Result::ok))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .take_while(|line| *line != last)
        .collect();
    assert!(child.try_wait().expect("its state").is_none(), "{seen:#?}");
    child.kill().expect("end it");
    child.wait().expect("its end");
    let end = ["result: all works", "", "target: b"];
    assert_eq!(seen[seen.len() - 3..], end, "{seen:#?}");
}

#[test]
fn a_recording() {
    let recording = fixtures::path("3.2.0/stat.csv");
    let flag = format!("--haproxy.scrape-uri=file:{}", path(&recording));
    let (status, lines) = check(&[&flag]);
    assert_eq!(status, Some(0), "{lines:#?}");
    assert_eq!(lines.last().map(String::as_str), Some("result: all works"));
}

/// The flags themselves are refused as at a start, with another status.
#[test]
fn wrong_flags() {
    for flag in ["--haproxy.timeout=0", "--check=all"] {
        let (status, output, error) = peers::run(exporter::command().args(["--check", flag]));
        assert_eq!((status.code(), output.as_str()), (Some(2), ""), "{flag}");
        assert!(error.starts_with("haproxy_exporter: --"), "{error}");
    }
}
