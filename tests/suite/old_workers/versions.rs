//! The bytes of five releases of HAProxy: what their masters and workers said, and what is made of it.

use super::world::{World, edited};
use super::{LAST_RELOAD, OLD, RELOADS, TOTALS, UNANSWERED, UP};
use crate::support::fixtures;

/// A release, and the workers of its transcripts in the order they were started: the second reload made
/// the third one after a failure that the master lists, and the last one drove it away.
struct Release {
    version: &'static str,
    workers: [u64; 4],
    /// How long the master had run in each transcript, in seconds.
    uptimes: [u64; 4],
    /// How long the first worker had run, and what it and the second had done then: requests,
    /// connections and bytes, as their transcripts have it.
    age: u64,
    done: [[u64; 3]; 2],
    says_whether_failed: bool,
}

const RELEASES: [Release; 4] = [
    Release {
        version: "2.4.0",
        workers: [2437, 3240, 3340, 3700],
        uptimes: [5, 15, 19, 66],
        age: 33,
        done: [[7, 18, 1008], [5, 9, 101]],
        says_whether_failed: false,
    },
    Release {
        version: "2.6.12",
        workers: [26770, 28913, 29432, 30476],
        uptimes: [6, 24, 36, 171],
        age: 106,
        done: [[10, 34, 1280], [6, 11, 102]],
        says_whether_failed: true,
    },
    Release {
        version: "3.2.0",
        workers: [2756, 3089, 3119, 3186],
        uptimes: [5, 15, 19, 78],
        age: 27,
        done: [[8, 21, 1379], [6, 10, 101]],
        says_whether_failed: true,
    },
    Release {
        version: "3.4.0",
        workers: [4608, 5668, 6128, 7354],
        uptimes: [6, 16, 20, 79],
        age: 34,
        done: [[8, 20, 1466], [6, 10, 101]],
        says_whether_failed: true,
    },
];

impl Release {
    fn file(&self, name: &str) -> String {
        format!("cli/{}/{name}.out", self.version)
    }

    /// What an old worker said, with other counts or without a change.
    fn old(&self, pid: u64, changes: &[(&str, u64)]) -> Vec<u8> {
        let names = ["a06-old0-show-info", "a06-old1-show-info"];
        let texts = names.map(|name| fixtures::text(&self.file(name)));
        let own = format!("\nPid: {pid}\n");
        let text = texts.iter().find(|text| text.contains(&own));
        edited(text.expect("a transcript of the worker"), changes)
    }

    /// What the last worker said while it served, as if another one had.
    fn serving(&self, pid: u64) -> Vec<u8> {
        let text = fixtures::text(&self.file("a04-at1-show-info"));
        edited(&text, &[("Pid", pid)])
    }

    /// The first one before the reloads.
    fn before(&self, done: [u64; 3]) -> Vec<u8> {
        let stopping = [("Stopping", 0)];
        let changes = [&stopping[..], &counts(done)].concat();
        self.old(self.workers[0], &changes)
    }

    fn expected(&self, state: &State) -> Vec<String> {
        let mut lines = vec![
            format!("haproxy_master_reloads_total {}", state.reloads),
            format!("haproxy_master_up 1"),
            format!("haproxy_master_uptime_seconds {}", state.uptime),
            format!("haproxy_old_workers {}", state.old),
            format!("haproxy_old_workers_bytes_out_total {}", state.totals[2]),
            format!("haproxy_old_workers_connections_total {}", state.totals[1]),
            format!(
                "haproxy_old_workers_current_connections {}",
                state.connections
            ),
            format!("haproxy_old_workers_oldest_age_seconds {}", state.age),
            format!("haproxy_old_workers_requests_total {}", state.totals[0]),
            "haproxy_old_workers_unanswered 0".to_owned(),
        ];
        if self.says_whether_failed {
            let is_good = u8::from(!state.failed);
            lines.push(format!("haproxy_master_last_reload_successful {is_good}"));
        }
        lines.sort();
        lines
    }
}

/// What a state must show.
#[derive(Default)]
struct State {
    uptime: u64,
    reloads: u64,
    failed: bool,
    old: u64,
    age: u64,
    connections: u64,
    totals: [u64; 3],
}

fn counts([requests, connections, bytes]: [u64; 3]) -> [(&'static str, u64); 3] {
    [
        ("CumReq", requests),
        ("CumConns", connections),
        ("TotalBytesOut", bytes),
    ]
}

/// From a start over two good reloads and one that failed to the end of the old workers.
fn show(release: &Release) {
    let world = World::new();
    let [first, second, third, fourth] = release.workers;
    let [of_first, of_second] = release.done;
    let list = |name| {
        let answer = fixtures::bytes(&release.file(name));
        world.master.say("show proc", &answer);
    };
    let check = |state: &State, name: &str| {
        let mut found = world.scrape();
        found.retain(|line| !line.contains("_memory_"));
        found.sort();
        assert_eq!(found, release.expected(state), "{} {name}", release.version);
    };

    list("a00-show-proc-fresh");
    world.serve(&release.before([2, 5, 300]));
    let state = State {
        uptime: release.uptimes[0],
        ..State::default()
    };
    check(&state, "fresh");

    // 2.4.0 and 3.2 list who serves among the old ones.
    list("a01-show-proc-2old-1failed");
    world.serve(&release.serving(third));
    world.say(third, &release.serving(third));
    let [said_first, said_second] = [first, second].map(|pid| release.old(pid, &[]));
    world.say(first, &said_first);
    world.say(second, &said_second);
    // Each has counted the exporter's question. The second began behind the last scrape. The first has
    // sent less than it would have told that scrape.
    let state = State {
        uptime: release.uptimes[1],
        reloads: 3,
        failed: true,
        old: 2,
        age: release.age,
        connections: 3,
        totals: [
            of_first[0] - 2 - 1 + of_second[0] - 1,
            of_first[1] - 5 - 1 + of_second[1] - 1,
            of_second[2],
        ],
    };
    check(&state, "2 old, 1 failed");

    world.master.forget();
    list("a02-show-proc-after-good");
    world.serve(&release.serving(fourth));
    world.say(first, &release.old(first, &counts([20, 40, 5000])));
    world.say(second, &release.old(second, &counts([30, 50, 6000])));
    let questions = said_first.len() + said_second.len();
    let state = State {
        uptime: release.uptimes[2],
        reloads: 4,
        failed: false,
        totals: [
            state.totals[0] + 20 - of_first[0] - 1 + 30 - of_second[0] - 1,
            state.totals[1] + 40 - of_first[1] - 1 + 50 - of_second[1] - 1,
            state.totals[2] + 5000 - of_first[2] + 6000 - of_second[2] - questions as u64,
        ],
        ..state
    };
    check(&state, "after a good one");

    list("a30-show-proc-drained");
    let state = State {
        uptime: release.uptimes[3],
        reloads: 4,
        totals: state.totals,
        ..State::default()
    };
    check(&state, "drained");
    assert_eq!(world.problems(), []);
}

#[test]
fn reloads_in_the_words_of_each_release() {
    std::thread::scope(|scope| {
        for release in &RELEASES {
            scope.spawn(move || show(release));
        }
    });
}

/// One reload that fails, another one, and a good one. Each release has its own list and its own count of
/// failures; the serving worker is never old.
#[test]
fn failed_reloads_in_the_words_of_each_release() {
    let releases = [
        ("2.6.12", [30568, 31354]),
        ("3.0.0", [13310, 14841]),
        ("3.2.0", [24351, 29983]),
        ("3.4.0", [31559, 32202]),
    ];
    let lists = [
        "a50-failed-show-proc",
        "a51-failed-twice-show-proc",
        "a52-good-again-show-proc",
    ];
    for (version, [before, after]) in releases {
        let world = World::new();
        let file = |name| format!("cli/{version}/{name}.out");
        let text = fixtures::text(&file("a50-failed-pid-show-info"));
        for ((name, serving), number) in lists.into_iter().zip([before, before, after]).zip(1..) {
            let info = edited(&text, &[("Pid", serving)]);
            world.serve(&info);
            world.master.say("show proc", &fixtures::bytes(&file(name)));
            world.say(serving, &info);
            let found = world.scrape_whole();
            let names = [UP, RELOADS, LAST_RELOAD, OLD, UNANSWERED, TOTALS[0]];
            let is_good = f64::from(u8::from(serving == after));
            let expected = [1.0, f64::from(number), is_good, 0.0, 0.0, 0.0];
            assert_eq!(
                names.map(|name| found.value(name)),
                expected,
                "{version} {name}"
            );
        }
        assert_eq!(world.problems(), []);
    }
}
