//! What a master is asked, how, and how often.

use super::world::{A, B, C, D, World, info, processes, question, serving};
use super::{OLD, UNANSWERED};
use crate::support::exporter::{self, Exporter, Problem};
use crate::support::exposition::{self, Exposition};
use crate::support::fake_haproxy::{Act, Answers, Fake, Script};
use crate::support::fake_master::FakeMaster;
use crate::support::{fixtures, peers};

/// The lines of these questions, sorted as questions about workers may come in any order.
fn lines(questions: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = questions
        .iter()
        .map(|question| format!("{question}\n"))
        .collect();
    lines[1..].sort();
    lines
}

/// What the master was asked since the last time, sorted in the same way.
fn asked(master: &FakeMaster) -> Vec<String> {
    let mut asked = master.take_questions();
    assert_eq!(asked.first().map(String::as_str), Some("show proc\n"));
    asked[1..].sort();
    asked
}

/// The warning about so many workers without an answer, of which this one was asked first.
fn timed_out(world: &World, count: usize, pid: u64) -> Problem {
    let err = format!("err=master {}: read: timed out", world.master.object());
    Problem {
        level: "warn".to_owned(),
        msg: "old workers unresponsive".to_owned(),
        details: vec![format!("count={count}"), err, format!("pid={pid}")],
    }
}

/// The fake answers nobody who has not ended his half of the connection, and keeps all that came on it: it
/// is one command, and never `show stat`.
#[test]
fn one_command_a_connection() {
    let world = World::new();
    world.serve(&serving(C, &[]));
    world.master.say("show proc", &processes(&[C], &[A, B]));
    world.say(A, &info(A, &[]));
    world.say(B, &info(B, &[]));
    world.say(C, &serving(C, &[]));
    for _ in 0..2 {
        let found = world.scrape_whole();
        assert_eq!(found.value(OLD), 2.0);
        // Who serves has said it already.
        let expected = ["show proc".to_owned(), question(A), question(B)];
        assert_eq!(asked(&world.master), lines(&expected));
    }
    let mut rows = world.worker.requests();
    rows.retain(|line| line.contains("proc") || line.contains("@"));
    assert!(rows.is_empty(), "{rows:?}");
    assert_eq!(world.problems(), []);
}

/// Who has hardly time to answer is not asked: it would count as one that is silent, and never be asked
/// again.
#[test]
fn nobody_is_asked_who_has_no_time() {
    for (timeout, is_asked) in [("300ms", false), ("30s", true)] {
        let world = World::with(&[&format!("--haproxy.timeout={timeout}")]);
        world.serve(&serving(B, &[]));
        world.master.say("show proc", &processes(&[B], &[A]));
        world.say(A, &info(A, &[]));
        world.scrape();
        let asked = world.master.take_questions();
        let of_worker = |line: &String| line.starts_with('@');
        assert_eq!(asked.iter().any(of_worker), is_asked, "{timeout} {asked:?}");
    }
}

/// Each question that stays open takes one of ten slots, of the master and of the worker: there are two at
/// most, and who did not answer is not asked again.
#[test]
fn two_questions_stay_open_at_most() {
    let world = World::with(&["--haproxy.timeout=4s"]);
    world.serve(&serving(D, &[]));
    let list = |old: &[u64]| world.master.say("show proc", &processes(&[D], old));
    list(&[A, B, C]);
    for pid in [A, B, C] {
        world.master.answer(&question(pid), vec![Act::Hold]);
    }
    let mut open = Vec::new();
    for _ in 0..3 {
        let found = world.scrape_whole();
        assert_eq!([OLD, UNANSWERED].map(|name| found.value(name)), [3.0, 3.0]);
        open.extend(asked(&world.master).split_off(1));
    }
    open.sort();
    let first = open.clone();
    assert_eq!(first.len(), 2, "{first:?}");
    assert_ne!(first[0], first[1]);

    // One that has answered nothing is gone: there is room for one more question.
    let of = |pid| format!("{}\n", question(pid));
    let left = |pid: &u64| *pid == C || first[0] != of(*pid);
    let gone: Vec<u64> = [A, B, C].into_iter().filter(left).collect();
    list(&gone);
    for _ in 0..3 {
        world.scrape_whole();
        open.extend(asked(&world.master).split_off(1));
    }
    open.sort();
    assert_eq!(open, [of(A), of(B), of(C)]);
    let expected = timed_out(&world, 3, A);
    assert_eq!(world.problems(), [expected]);
}

/// A worker that ended and whose number another one has got is asked like any other.
#[test]
fn a_process_id_that_is_used_again() {
    let world = World::with(&["--haproxy.timeout=4s"]);
    world.serve(&serving(B, &[]));
    world.master.say("show proc", &processes(&[B], &[A]));
    world.master.answer(&question(A), vec![Act::Hold]);
    let values = |world: &World| {
        let found = world.scrape_whole();
        [OLD, UNANSWERED].map(|name| found.value(name))
    };
    assert_eq!(values(&world), [1.0, 1.0]);
    world.master.say("show proc", &processes(&[B], &[]));
    assert_eq!(values(&world), [0.0, 0.0]);
    world.master.say("show proc", &processes(&[B], &[A]));
    world.say(A, &info(A, &[]));
    assert_eq!(values(&world), [1.0, 0.0]);
    let expected = timed_out(&world, 1, A);
    let finished = world.exporter.finish();
    assert_eq!(finished.problems(), [expected]);
    assert_eq!(finished.times_until("all old workers respond again"), 1);
}

/// A request that shows nothing of the master does not ask it.
#[test]
fn it_is_asked_where_it_is_wanted() {
    fn rows(command: &str) -> Script {
        let stat = fixtures::bytes("2.6.12/stat.csv");
        match command.starts_with("show stat -1") {
            true => vec![Act::Send(stat)],
            // Neither stick tables nor resolvers.
            false => vec![Act::Send(b"\n".to_vec())],
        }
    }
    let world = World::new();
    world.worker.set(Answers {
        stat: vec![Act::choose(rows)],
        info: vec![Act::Send(serving(B, &[]))],
    });
    world.master.say("show proc", &processes(&[B], &[]));
    for (query, is_asked) in [
        ("", true),
        ("?metrics=haproxy_master_up", true),
        ("?metrics=haproxy_old_workers", true),
        (
            "?names=builtin&metrics=haproxy_old_workers_requests_total",
            true,
        ),
        ("?names=builtin", true),
        ("?metrics=haproxy_up", false),
        ("?metrics=haproxy_server_up,haproxy_info", false),
        ("?metrics=-haproxy_server_up", true),
        // A scope picks among what HAProxy itself exports.
        ("?names=builtin&scope=server", true),
    ] {
        let response = world.exporter.get(&format!("/metrics{query}"));
        assert_eq!(response.status, 200, "{query}: {}", response.text());
        let found = exposition::read(&response.body).expect("an exposition");
        let shown = found.families.keys().any(|name| super::is_of_group(name));
        let asked = !world.master.take_questions().is_empty();
        assert_eq!((shown, asked), (is_asked, is_asked), "{query}");
    }
    assert_eq!(world.problems(), []);
}

/// It is the master of one HAProxy; other targets have none.
#[test]
fn other_targets_do_not_ask_it() {
    let stat = fixtures::path("2.6.12/stat.csv");
    let master = FakeMaster::tcp();
    master.say("show proc", &processes(&[B], &[]));
    master.say(&question(B), &serving(B, &[]));
    let uri = format!("file:{}", stat.display());
    let exporter = Exporter::start(&[
        &format!("--haproxy.scrape-uri={uri}"),
        &format!("--haproxy.target=other={uri}"),
        &master.flag(),
    ]);
    for (path, is_asked) in [("/metrics?target=other", false), ("/metrics", true)] {
        let found = exposition::read(&exporter.get(path).body).expect("an exposition");
        assert_eq!(found.get(super::UP).is_some(), is_asked, "{path}");
        assert_eq!(!master.take_questions().is_empty(), is_asked, "{path}");
    }
    assert_eq!(exporter.finish().problems(), []);
}

#[test]
fn once() {
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let stat = fixtures::bytes("2.6.12/stat.csv");
    let answers = Answers::whole(&stat, &serving(B, &[]));
    let worker = Fake::unix(&directory.path().join("worker"), answers);
    let mut master = FakeMaster::unix(directory.path().join("master"));
    master.say("show proc", &processes(&[B], &[A]));
    master.say(&question(A), &info(A, &[]));
    let uri = format!("--haproxy.scrape-uri={}", worker.uri());
    let run = |flag: &str| peers::run(exporter::command().args(["--once", &uri, flag]));
    let (status, output, error) = run(&master.flag());
    assert_eq!((status.code(), error.as_str()), (Some(0), ""));
    let found = exposition::read(output.as_bytes()).expect("an exposition");
    assert_eq!([super::UP, OLD].map(|name| found.value(name)), [1.0, 1.0]);
    // Sums over scrapes mean nothing after one.
    let is_sum =
        |name: &&String| name.starts_with("haproxy_old_workers") && name.ends_with("_total");
    let sums = |found: &Exposition| found.families.keys().filter(is_sum).count();
    assert_eq!(sums(&found), 0);
    let served = Exporter::start(&[&uri, &master.flag()]).scrape();
    assert_eq!(sums(&served), 3);

    // Nobody has ever answered there: that is said at once.
    master.refuse();
    let (status, output, error) = run(&master.flag());
    assert_eq!(status.code(), Some(0), "HAProxy itself answered");
    let found = exposition::read(output.as_bytes()).expect("an exposition");
    assert_eq!(
        (found.value("haproxy_up"), found.value(super::UP)),
        (1.0, 0.0)
    );
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("connection refused"), "{error}");
}

#[test]
#[rustfmt::skip]
fn addresses_that_are_not_sockets() {
    let not_socket = "must be a CLI socket: unix:/path, unix:@name or tcp://host:port";
    let supported = "(use http://, unix:, tcp:// or file:)";
    let cases = [
        ("http://localhost/;csv", not_socket.to_owned()),
        ("file:/tmp/x", not_socket.to_owned()),
        ("unix:", "the path is missing (unix:/path)".to_owned()),
        ("unix:@", "the name of the abstract socket is missing".to_owned()),
        ("tcp://localhost", "the port is missing (host:port)".to_owned()),
        ("/run/x", "a scheme is missing (write unix:/run/x)".to_owned()),
        ("ftp:/x", format!("scheme \"ftp\" is not supported {supported}")),
    ];
    let refused = |flags: &[&str], why: &str| {
        let (status, output, error) = peers::run(exporter::command().args(flags));
        let expected = format!("haproxy_exporter: {why}\n");
        assert_eq!((output, error), (String::new(), expected), "{flags:?}");
        assert_eq!(status.code(), Some(2), "{flags:?}");
    };
    for (value, why) in cases {
        let why = format!("--haproxy.master-socket: {why}");
        refused(&[&format!("--haproxy.master-socket={value}")], &why);
    }
    let flag = "--haproxy.master-socket=unix:/m";
    refused(
        &[flag, "--haproxy.target=a=unix:/a"],
        "--haproxy.master-socket is about the HAProxy of --haproxy.scrape-uri, which must be given as well",
    );
    refused(&[flag, flag], "--haproxy.master-socket is given twice");
}
