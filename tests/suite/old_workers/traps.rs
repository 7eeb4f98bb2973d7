//! Masters and workers that answer badly: what each answer costs, and what is said of it.

use super::world::{A, B, World, group, info, processes, question, serving};
use super::{MEMORY, OLD, UNANSWERED, UP, scrape_until};
use crate::support::exporter::Problem;
use crate::support::fake_haproxy::{Act, Answers, Script};
use crate::support::fixtures;

fn problem(msg: &str, details: &[String]) -> Problem {
    Problem {
        level: "warn".to_owned(),
        msg: msg.to_owned(),
        details: details.to_vec(),
    }
}

fn send(answer: impl AsRef<[u8]>) -> Script {
    vec![Act::Send(answer.as_ref().to_vec())]
}

/// Answers to `show proc`, and what is wrong with each.
#[rustfmt::skip]
fn lists() -> Vec<(&'static str, Script, String)> {
    let whole = processes(&[B], &[A]);
    let cut = "reply cut: the closing empty line is missing";
    let another = |line: &str| format!("not a reply to \"show proc\": it begins {line:?}");
    let denied = fixtures::bytes("cli/3.2.0/a40-level-user-show-proc.out");
    let level = " (the CLI socket needs level operator)";
    let denial = another("Permission denied") + level;
    let unknown = "Unknown command, but maybe one of the following ones is a better match:";
    let header = "#<PID>          <type>          <reloads>       <uptime>        <version>";
    let row = |pid: &str| format!("{pid:<15} worker          ");
    // With as many rows under "# old workers".
    let many = |count: u32| {
        let text = String::from_utf8(processes(&[B], &[A])).expect("text");
        let row = |pid: u32| row(&pid.to_string()) + "0               0d00h00m05s\n";
        let rows: String = (1..=count).map(row).collect();
        send(text.replace("# programs\n", &rows))
    };
    // A process under another number.
    let of = |process: u64, pid: &str| {
        let text = String::from_utf8(whole.clone()).expect("text");
        let from = row(&process.to_string());
        assert!(text.contains(&from), "{from} in {text}");
        send(text.replace(&from, &row(pid)))
    };
    let of_row = |pid: &str| {
        let line = row(pid) + "1               0d00h01m45s     2.6.12-1+deb12u4";
        another(&line[..80])
    };
    let endless = |bytes: &[u8]| vec![Act::Repeat(bytes.to_vec())];
    [
        ("cut by a byte", send(&whole[..whole.len() - 1]), cut),
        ("cut between rows", send(format!("{header}\n")), cut),
        ("cut in a row", send(&whole[..whole.len() - 40]), cut),
        ("nothing", vec![], &format!("closed without a reply{level}")),
        ("an empty reply", send("\n"), &another("")),
        ("a level that is too low", send(denied), &denial),
        (
            "a worker's CLI",
            send(format!("{unknown}\n\n")),
            &format!(
                "{} (this is a stats socket; write the one of haproxy -S)",
                another(unknown)
            ),
        ),
        ("endless", endless(b"HTTP/1.1 200 OK\r\n"), "read: the reply is larger than 4194304 bytes"),
        ("a line without an end", endless(b"x"), "read: a line is longer than 1048576 bytes"),
        ("2,000 workers", many(2000), "more than 1000 workers"),
        ("100,000 workers", many(100_000), "read: the reply is larger than 4194304 bytes"),
        ("a header alone", send(format!("{header}\n\n")), &another(header)),
        ("process 0", of(A, "0"), &of_row("0")),
        ("process -1", of(A, "-1"), &of_row("-1")),
        ("process 2^64", of(A, "18446744073709551616"), &of_row("18446744073709551616")),
        ("no process", of(A, "x"), &of_row("x")),
    ]
    .map(|(name, script, why)| (name, script, why.to_owned()))
    .into()
}

#[test]
fn a_bad_list_costs_the_group_alone_and_one_line() {
    let mut report = Vec::new();
    for (name, script, why) in lists() {
        let world = World::new();
        world.serve(&serving(B, &[]));
        world.say(A, &info(A, &[]));
        world.master.answer("show proc", script);
        for _ in 0..2 {
            assert_eq!(world.scrape(), [format!("{UP} 0")], "{name}");
        }
        let asked = world.master.take_questions();
        assert_eq!(asked, ["show proc\n"; 2], "{name}");
        world.master.say("show proc", &processes(&[B], &[A]));
        assert_eq!(world.scrape_whole().value(UP), 1.0, "{name}");
        let err = format!("err=master {}: {why}", world.master.object());
        let expected = [problem("show proc failed", &[err])];
        let finished = world.exporter.finish();
        let problems = finished.problems();
        if problems != expected {
            report.push(format!("{name}: {problems:?}\n  instead of {expected:?}"));
        }
        assert_eq!(finished.times_until("show proc recovered"), 2);
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
}

/// What stands in no section that is known, and odd bytes in names, is no fault.
#[test]
fn odd_names() {
    let text = String::from_utf8(processes(&[B], &[A])).expect("text");
    let text = text.replace(
        "# programs\n",
        "# programs\n77 p\u{7f}\"x 0 ? -\n# w\u{f6}rkers {\n\\ \"\n",
    );
    let mut answer = text
        .replace("2.6.12-1+deb12u4", "2.6.12 \u{1b}[0m")
        .into_bytes();
    answer.splice(answer.len() - 1.., b"\xff\xfe \xc3\n\n".to_owned());
    let world = World::new();
    world.serve(&serving(B, &[]));
    world.say(A, &info(A, &[]));
    world.master.say("show proc", &answer);
    let found = world.scrape_whole();
    let values = [UP, OLD, UNANSWERED].map(|name| found.value(name));
    assert_eq!(values, [1.0, 1.0, 0.0]);
    assert_eq!(world.problems(), []);
}

/// Answers of an old worker: whether it is counted as one, and whether and why as one without an answer.
/// One that closes may be ending: it is counted only when it has done so for a while.
#[rustfmt::skip]
fn workers() -> Vec<(&'static str, Script, [f64; 2], Option<&'static str>)> {
    let whole = info(A, &[]);
    let text = String::from_utf8(whole.clone()).expect("text");
    let middle = text.find("CumConns").expect("a key");
    let cut = "reply cut: the closing empty line is missing";
    let gone = fixtures::bytes("cli/3.4.0/a14-gone-pid.out");
    let mut open = send(&whole[..middle]);
    open.push(Act::Hold);
    let endless = || vec![Act::Repeat(b"Name: HAProxy\n".to_vec())];
    vec![
        ("whole", send(&whole), [1.0, 0.0], None),
        ("cut by a byte", send(&whole[..whole.len() - 1]), [1.0, 1.0], Some(cut)),
        ("cut between lines", send(&whole[..middle]), [1.0, 1.0], Some(cut)),
        ("it died in the middle", open, [1.0, 1.0], Some("read: timed out")),
        ("held", vec![Act::Hold], [1.0, 1.0], Some("read: timed out")),
        ("nothing", vec![], [1.0, 1.0], Some("closed without a reply")),
        ("it has ended", send(gone), [0.0, 0.0], None),
        (
            "denied",
            send("Permission denied\n\n"),
            [1.0, 1.0],
            Some("not a reply to \"show info\": it has no Version"),
        ),
        ("endless", endless(), [1.0, 1.0], Some("read: the reply is larger than 65536 bytes")),
        ("it serves", send(serving(A, &[])), [0.0, 0.0], None),
        ("it does not say", send(text.replace("Stopping: 1\n", "")), [1.0, 0.0], None),
    ]
}

#[test]
fn a_bad_worker_costs_its_own_numbers() {
    std::thread::scope(|scope| {
        for (name, script, expected, why) in workers() {
            scope.spawn(move || {
                // Only what must run into its deadline is to have a short one.
                let time = match why {
                    Some("read: timed out") => "4s",
                    _ => "30s",
                };
                let world = World::with(&[&format!("--haproxy.timeout={time}")]);
                world.serve(&serving(B, &[]));
                world.master.say("show proc", &processes(&[B], &[A]));
                world.master.answer(&question(A), script);
                let is_closed =
                    why.is_some_and(|why| why.contains("closed") || why.contains("cut"));
                if is_closed {
                    let found = world.scrape_whole();
                    assert_eq!([OLD, UNANSWERED].map(|key| found.value(key)), [0.0; 2]);
                    scrape_until(&world.exporter, UNANSWERED, 1.0);
                }
                for _ in 0..2 {
                    let found = world.scrape_whole();
                    assert_eq!(found.value(UP), 1.0, "{name}");
                    let values = [OLD, UNANSWERED].map(|key| found.value(key));
                    assert_eq!(values, expected, "{name}");
                }
                let of_it = |why| {
                    let err = format!("err=master {}: {why}", world.master.object());
                    let details = ["count=1".to_owned(), err, format!("pid={A}")];
                    problem("old workers unresponsive", &details)
                };
                let expected: Vec<Problem> = why.map(of_it).into_iter().collect();
                assert_eq!(world.problems(), expected, "{name}");
            });
        }
    });
}

/// The master is asked in what time the rows leave: nothing is begun that cannot be finished, since each
/// question that is left behind takes one of its slots.
#[test]
fn rows_that_take_all_the_time() {
    let world = World::new();
    world.master.say("show proc", &processes(&[B], &[A]));
    world.say(A, &info(A, &[]));
    world.worker.set(Answers {
        stat: vec![Act::Hold],
        info: vec![Act::Hold],
    });
    for _ in 0..3 {
        let short = [("X-Prometheus-Scrape-Timeout-Seconds", "0.5")];
        let found = world.exporter.scrape_with(&short);
        assert_eq!(found.value("haproxy_up"), 0.0);
        assert_eq!(group(&found), [format!("{UP} 0")]);
    }
    assert_eq!(world.master.take_questions(), [""; 0]);
    world.serve(&serving(B, &[]));
    assert_eq!(world.scrape_whole().value(UP), 1.0);
    let stat = format!("{}: read: timed out", world.worker.object());
    let master = format!("err=master {}: connect: timed out", world.master.object());
    let expected = [
        Problem::scrape_failed(&stat),
        problem("show proc failed", &[master]),
    ];
    assert_eq!(world.problems(), expected);
}

/// The master answers for itself.
#[test]
fn a_worker_that_gives_no_rows() {
    let world = World::new();
    world.master.say("show proc", &processes(&[B], &[A]));
    world.say(A, &info(A, &[]));
    world.say(B, &serving(B, &[]));
    world.worker.set(Answers {
        stat: vec![Act::Close],
        info: vec![Act::Close],
    });
    let found = world.exporter.scrape();
    let values = ["haproxy_up", UP, OLD].map(|name| found.value(name));
    assert_eq!(values, [0.0, 1.0, 1.0]);
    let stat = format!("{}: closed without a reply", world.worker.object());
    assert_eq!(world.problems(), [Problem::scrape_failed(&stat)]);
}

/// A master in another PID namespace or on another machine has other processes under these numbers.
#[test]
fn memory_of_the_masters_own_children_only() {
    let world = World::new();
    let test = u64::from(std::process::id());
    world.serve(&serving(B, &[]));
    world.master.say("show proc", &processes(&[B], &[test]));
    world.say(test, &info(test, &[]));
    let found = world.scrape_whole();
    assert_eq!((found.value(OLD), found.get(MEMORY)), (1.0, None));
    world.master.say("show proc", &processes(&[B], &[]));
    let found = world.scrape_whole();
    assert_eq!((found.value(OLD), found.get(MEMORY)), (0.0, Some(0.0)));
    assert_eq!(world.problems(), []);
}

/// While it starts itself anew a master refuses or resets connections for a moment.
#[test]
fn a_moment_without_the_master_is_not_seen() {
    let mut world = World::new();
    world.serve(&serving(B, &[]));
    world.master.say("show proc", &processes(&[B], &[A]));
    world.say(A, &info(A, &[("CumReq", 50)]));
    assert_eq!(world.scrape_whole().value(OLD), 1.0);
    world.say(A, &info(A, &[("CumReq", 90)]));
    let before = world.scrape();
    assert!(
        before.contains(&"haproxy_old_workers_requests_total 39".to_owned()),
        "{before:?}"
    );
    world.master.refuse();
    assert_eq!(world.scrape(), before);
    world.master.listen();
    assert_eq!(world.scrape(), before);
    world.master.reset(true);
    assert_eq!(world.scrape(), before);
    world.master.reset(false);
    world.say(A, &info(A, &[("CumReq", 95)]));
    let after = world.scrape();
    assert!(
        after.contains(&"haproxy_old_workers_requests_total 43".to_owned()),
        "{after:?}"
    );
    assert_eq!(world.problems(), []);
}

/// A reload in the middle of a scrape says nothing of the workers that were still to be asked.
#[test]
fn a_master_that_goes_away_between_two_questions() {
    let world = World::new();
    world.serve(&serving(B, &[]));
    let list = processes(&[B], &[A]);
    world.master.say("show proc", &list);
    world.say(A, &info(A, &[]));
    let before = world.scrape();
    assert!(before.contains(&format!("{OLD} 1")), "{before:?}");
    let script = vec![Act::Send(list), Act::Reset];
    world.master.answer("show proc", script);
    assert_eq!(world.scrape(), before);
    assert_eq!(
        world.master.take_questions().last().map(String::as_str),
        Some("show proc\n")
    );
    assert_eq!(world.problems(), []);
}

#[test]
fn longer_than_a_moment() {
    let mut world = World::new();
    world.serve(&serving(B, &[]));
    world.master.say("show proc", &processes(&[B], &[A]));
    world.say(A, &info(A, &[("CumReq", 50)]));
    world.scrape();
    world.say(A, &info(A, &[("CumReq", 90)]));
    let before = world.scrape();
    world.master.refuse();
    assert_eq!(world.scrape(), before);
    let found = scrape_until(&world.exporter, UP, 0.0);
    super::world::assert_has_rows(&found);
    assert_eq!(world.scrape(), [format!("{UP} 0")]);
    world.master.listen();
    // What was counted before is not lost, nor what was done meanwhile.
    world.say(A, &info(A, &[("CumReq", 100)]));
    let after = world.scrape_whole();
    assert_eq!(after.value(super::TOTALS[0]), 48.0);
    let why = "connect: connection refused (is HAProxy running?)";
    let err = format!("err=master {}: {why}", world.master.object());
    assert_eq!(world.problems(), [problem("show proc failed", &[err])]);
}
