mod fake;

use super::*;
use std::sync::Arc;

use crate::commands;
use crate::commands::info;
use crate::haproxy::uri::ScrapeUri;
use crate::metrics::catalog::Catalog;
use crate::metrics::cursor::Cursor;
use crate::metrics::exposition::BUFFER_BYTES;
use crate::metrics::selection::{Defaults, Selection};
use crate::metrics::snapshot::Snapshot;
use crate::net::deadline::{Abort, Aborted, Deadline};
use Reply::{Closed, Held, Text};
use fake::{Fake, Reply};

/// No process has these ids: they are above what Linux allows (PID_MAX_LIMIT, proc(5)).
const A: u64 = 4_200_001;
const B: u64 = 4_200_002;
const C: u64 = 4_200_003;
const D: u64 = 4_200_004;

/// Far more than an answer takes, and a time that a reply which never comes may cost a test.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_secs(2);
/// A quarter of it is less than `LEAST_TIME`.
const TOO_SHORT: Duration = Duration::from_millis(300);

/// A watch, its master, and what scrapes have cost so far.
struct World {
    fake: Fake,
    watch: MasterWatch,
    catalog: &'static Catalog,
    spent: Spent,
}

impl World {
    fn new() -> Self {
        let fake = Fake::new();
        let uri = ScrapeUri::parse(&format!("unix:{}", fake.path.display())).unwrap();
        Self {
            watch: MasterWatch::new(Source::of_master(&uri).unwrap(), None, true),
            fake,
            catalog: Box::leak(Box::new(commands::catalog(&[]))),
            spent: Spent::default(),
        }
    }

    /// The master lists these workers, and those old ones.
    fn list(&self, serving: &[u64], old: &[u64]) {
        let mut text = "#<PID> <type> <reloads> <uptime> <version>\n\
             4200000 master 1 [failed: 0] 0d00h10m00s 2.6.12\n# workers\n"
            .to_owned();
        let line = |pid: &u64| format!("{pid} worker 0 0d00h00m07s 2.6.12\n");
        text.extend(serving.iter().map(line));
        text.push_str("# old workers\n");
        text.extend(old.iter().map(line));
        text.push_str("# programs\n\n");
        self.fake.reply(SHOW_PROC, Text(text));
    }

    fn reply(&self, pid: u64, reply: Reply) {
        self.fake.reply(&question(pid), reply);
    }

    /// One scrape, for which the scrape URI was asked on so many connections, and at last said this of
    /// its process; the samples of this group, as one line.
    fn scrape(&mut self, current: Option<&str>, connections: u64, time: Duration) -> String {
        self.scrape_until(Deadline::after(time), current, connections)
    }

    /// The same before a deadline.
    fn scrape_until(
        &mut self,
        deadline: Deadline,
        current: Option<&str>,
        connections: u64,
    ) -> String {
        self.spent.connections += connections;
        let info = current.map(|text| info::parse(text.as_bytes()).unwrap());
        let info = info.unwrap_or_default();
        self.watch.saw_current(&info, self.spent, self.spent);
        let limits = Limits {
            deadline,
            max_bytes: 1 << 20,
        };
        let mut snapshot = Snapshot::default();
        self.watch.add(
            &info,
            limits,
            &mut ReadBuffer::default(),
            &mut ProcRoot::system(),
            &mut Sink {
                catalog: self.catalog,
                snapshot: &mut snapshot,
            },
        );
        let defaults = Defaults {
            catalog: self.catalog,
            profile: 0,
        };
        let selection = Selection::all(&defaults);
        let mut text = vec![0; BUFFER_BYTES];
        let filled = Cursor::default().fill(&snapshot, &selection, &mut text);
        let text = String::from_utf8(text[..filled].to_vec()).unwrap();
        let samples = text
            .lines()
            .filter_map(|line| line.strip_prefix("haproxy_"));
        samples.collect::<Vec<_>>().join(", ")
    }
}

fn question(pid: u64) -> String {
    format!("@!{pid} show info")
}

/// What a process says of itself: its counters, and lines of its own.
fn info(pid: u64, count: u64, lines: &str) -> String {
    format!(
        "Name: HAProxy\nVersion: 2.6.12\nPid: {pid}\nCumReq: {count}\nCumConns: {count}\n{lines}\n\n"
    )
}

fn stopping(pid: u64, count: u64) -> Reply {
    Text(info(pid, count, "Uptime_sec: 9\nCurrConns: 3\nStopping: 1"))
}

fn serving(pid: u64, count: u64) -> String {
    info(pid, count, "Uptime_sec: 9\nCurrConns: 3\nStopping: 0")
}

/// The value of a sample, as it stands in the line.
fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let samples = line.split(", ");
    let mut values = samples.filter_map(|sample| sample.strip_prefix(name)?.strip_prefix(' '));
    values.next()
}

const OLD: &str = "old_workers";
const UNANSWERED: &str = "old_workers_unanswered";
const REQUESTS: &str = "old_workers_requests_total";

/// A name, the workers that are listed, the old ones, replies, and what is shown: how many are old, of them
/// without an answer, their connections and the greatest age.
type Case<'a> = (
    &'a str,
    &'a [u64],
    &'a [u64],
    Vec<(u64, Reply)>,
    [&'a str; 4],
);

#[test]
#[rustfmt::skip]
fn what_is_shown_of_the_workers() {
    let unknown = || Text("Can't find the target PID matching the prefix '@!4'\n".to_owned());
    let silent = || Text(info(A, 1, "Uptime_sec: 9\nCurrConns: 3"));
    let cases: [Case<'_>; 10] = [
        ("none", &[D], &[], vec![], ["0", "0", "0", "0"]),
        ("one", &[D], &[A], vec![(A, stopping(A, 1))], ["1", "0", "3", "9"]),
        ("several", &[D], &[A, B], vec![(A, stopping(A, 1)), (B, stopping(B, 1))], ["2", "0", "6", "9"]),
        ("listed as serving, and stopping", &[D, A], &[], vec![(A, stopping(A, 1))], ["1", "0", "3", "9"]),
        ("listed as old, and serving", &[D], &[A], vec![(A, Text(serving(A, 1)))], ["0", "0", "0", "0"]),
        ("it does not say", &[D], &[A], vec![(A, silent())], ["1", "0", "3", "9"]),
        ("ended", &[D], &[A], vec![(A, unknown())], ["0", "0", "0", "0"]),
        ("it ends", &[D], &[A], vec![(A, Closed)], ["0", "0", "0", "0"]),
        (
            "denied: the age is the master's",
            &[D],
            &[A],
            vec![(A, Text("Permission denied\n\n".to_owned()))],
            ["1", "1", "0", "7"],
        ),
        (
            "one without a place in the list's answers, one with",
            &[D, C],
            &[A, B],
            vec![
                (A, unknown()),
                (B, stopping(B, 1)),
                (C, Text(serving(C, 1))),
            ],
            ["1", "0", "3", "9"],
        ),
    ];
    for (name, current, old, replies, expected) in cases {
        let mut world = World::new();
        world.list(current, old);
        for (pid, reply) in replies {
            world.reply(pid, reply);
        }
        let found = world.scrape(Some(&serving(D, 1)), 1, LONG);
        let shown = ["master_up", "master_reloads_total", "master_uptime_seconds"];
        assert_eq!(
            shown.map(|key| value(&found, key)),
            [Some("1"), Some("1"), Some("600")]
        );
        let keys = [
            OLD,
            UNANSWERED,
            "old_workers_current_connections",
            "old_workers_oldest_age_seconds",
        ];
        assert_eq!(
            keys.map(|key| value(&found, key)),
            expected.map(Some),
            "{name}: {found}"
        );
        // Who serves has said it already.
        let asked = world.fake.asked();
        assert!(!asked.contains(&question(D)), "{name}: {asked:?}");
    }
}

/// Who serves can also be asked on the scrape URI.
#[test]
fn old_workers_are_asked_first() {
    let mut world = World::new();
    world.list(&[C, D], &[A, B]);
    for pid in [A, B] {
        world.reply(pid, stopping(pid, 1));
    }
    for pid in [C, D] {
        world.reply(pid, Text(serving(pid, 1)));
    }
    world.scrape(None, 1, LONG);
    let workers = [A, B, C, D].map(question);
    assert_eq!(
        world.fake.asked(),
        [&[SHOW_PROC.to_owned()][..], &workers].concat()
    );
}

/// Each question that is left behind takes one of the master's ten slots.
#[test]
fn a_master_that_hangs_is_not_asked_each_time() {
    let mut world = World::new();
    world.fake.reply(SHOW_PROC, Held);
    for _ in 0..2 + MOST_ABANDONED {
        assert_eq!(world.scrape(None, 1, SHORT), "master_up 0");
    }
    assert_eq!(world.fake.asked().len(), MOST_ABANDONED);
}

#[test]
fn a_master_that_had_hardly_time_does_not_count_as_one_that_hangs() {
    let mut world = World::new();
    world.fake.reply(SHOW_PROC, Held);
    for _ in 0..2 + MOST_ABANDONED {
        assert_eq!(world.scrape(None, 1, TOO_SHORT), "master_up 0");
    }
    world.list(&[D], &[]);
    let found = world.scrape(None, 1, LONG);
    assert_eq!(value(&found, "master_up"), Some("1"), "{found}");
}

#[test]
fn a_worker_that_would_have_hardly_time_is_not_asked() {
    let mut world = World::new();
    world.list(&[D], &[A]);
    world.reply(A, stopping(A, 1));
    let found = world.scrape(Some(&serving(D, 1)), 1, TOO_SHORT);
    // On a busy machine not even the master has answered.
    let unanswered = value(&found, UNANSWERED);
    assert!(unanswered.is_none_or(|count| count == "1"), "{found}");
    assert!(!world.fake.asked().contains(&question(A)));
    let found = world.scrape(Some(&serving(D, 1)), 1, LONG);
    assert_eq!(value(&found, UNANSWERED), Some("0"), "{found}");
}

#[test]
fn a_worker_without_an_answer_is_asked_again_only_once_it_was_seen_to_run() {
    let mut world = World::new();
    world.list(&[D], &[A]);
    world.reply(A, Held);
    let of_d = serving(D, 1);
    for _ in 0..3 {
        let found = world.scrape(Some(&of_d), 1, SHORT);
        assert_eq!(value(&found, UNANSWERED), Some("1"), "{found}");
    }
    world.reply(A, stopping(A, 5));
    let found = world.scrape(Some(&of_d), 1, LONG);
    assert_eq!(value(&found, UNANSWERED), Some("1"), "{found}");
    let asked = world.fake.asked();
    let times = asked.iter().filter(|one| **one == question(A)).count();
    assert_eq!(times, 1, "{asked:?}");
    // It answers a scrape.
    let Text(of_a) = stopping(A, 5) else {
        unreachable!()
    };
    let found = world.scrape(Some(&of_a), 1, LONG);
    assert_eq!(value(&found, UNANSWERED), Some("0"), "{found}");
    assert!(world.fake.asked().contains(&question(A)));
}

#[test]
fn two_workers_without_an_answer_are_enough() {
    let mut world = World::new();
    world.list(&[D], &[A, B, C]);
    for pid in [A, B, C] {
        world.reply(pid, Held);
    }
    let found = world.scrape(Some(&serving(D, 1)), 1, Duration::from_secs(4));
    assert_eq!(
        [OLD, UNANSWERED].map(|key| value(&found, key)),
        [Some("3"); 2],
        "{found}"
    );
    assert_eq!(
        world.fake.asked(),
        [SHOW_PROC.to_owned(), question(A), question(B)]
    );
}

/// HAProxy counts our questions: those since it was seen last are taken off, and no others.
#[test]
fn what_was_asked_of_a_process_counts_from_when_it_was_seen_last() {
    let mut world = World::new();
    world.list(&[A], &[]);
    world.scrape(Some(&serving(A, 100)), 1, LONG);
    // From here on `show info` fails on the scrape URI, on which A still answers.
    world.list(&[D], &[A]);
    // Ours: 4 by the scrape, one to the worker.
    world.reply(A, stopping(A, 100 + 10 + 4 + 1));
    let found = world.scrape(None, 4, LONG);
    assert_eq!(value(&found, REQUESTS), Some("10"), "{found}");
    world.reply(A, stopping(A, 115 + 7 + 2 + 1));
    let found = world.scrape(None, 2, LONG);
    assert_eq!(value(&found, REQUESTS), Some("17"), "{found}");
}

/// A master that executes itself again refuses for a moment: what was seen before stands.
#[test]
fn a_moment_without_the_master() {
    let mut world = World::new();
    world.list(&[D], &[A]);
    world.reply(A, stopping(A, 1));
    let of_d = serving(D, 1);
    let before = world.scrape(Some(&of_d), 1, LONG);
    assert_eq!(value(&before, OLD), Some("1"));
    for reply in [Closed, Text(String::new())] {
        world.fake.reply(SHOW_PROC, reply);
        assert_eq!(world.scrape(Some(&of_d), 1, LONG), before);
    }
    let failing = world.watch.failing.as_mut().unwrap();
    failing.since = failing.since.checked_sub(RELOAD_TIME).unwrap();
    assert_eq!(world.scrape(Some(&of_d), 1, LONG), "master_up 0");
    // What is no answer at all is not a reload.
    world.list(&[D], &[A]);
    assert_eq!(world.scrape(Some(&of_d), 1, LONG), before);
    world
        .fake
        .reply(SHOW_PROC, Text("Permission denied\n\n".to_owned()));
    assert_eq!(world.scrape(Some(&of_d), 1, LONG), "master_up 0");
}

/// A scrape that is aborted before a worker could reply proves nothing about it.
#[test]
fn a_worker_that_had_no_time_is_not_unresponsive() {
    let long_ago = Instant::now().checked_sub(LEAST_TIME).unwrap();
    for is_aborted in [false, true] {
        let abort = Abort::new();
        if is_aborted {
            abort.set(Aborted::Counts);
        }
        let limits = Limits {
            deadline: Deadline::after(Duration::from_secs(100)).or_at(Some(abort)),
            max_bytes: 1,
        };
        let later = Instant::now() + LEAST_TIME;
        assert_eq!(has_waited(later, limits), !is_aborted);
        assert!(has_waited(long_ago, limits));
    }
}

/// Neither the master nor a worker that did not reply has failed; if the scrape is not repeated, they have.
#[test]
fn a_scrape_that_is_aborted_and_repeated_is_no_failure() {
    for (then, works) in [(Aborted::Repeats, true), (Aborted::Counts, false)] {
        for held in [SHOW_PROC.to_owned(), question(A)] {
            let mut world = World::new();
            world.list(&[B], &[A]);
            world.fake.reply(&held, Held);
            let abort = Abort::new();
            let deadline = Deadline::after(LONG).or_at(Some(abort));
            let said = Arc::clone(&world.fake.said);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let is_asked = || said.lock().unwrap().asked.contains(&held);
                    while !is_asked() {
                        std::thread::yield_now();
                    }
                    abort.set(then);
                });
                world.scrape_until(deadline, Some(&serving(B, 1)), 1);
            });
            let (_, state) = world.watch.state();
            // What failed first can be a reload for a while.
            let is_failing = world.watch.failing.is_some() || !matches!(state, State::Works);
            assert_eq!(is_failing, !works, "{held} {then:?}");
        }
    }
}
