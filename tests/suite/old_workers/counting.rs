//! What old workers have done, added up by the exporter.

use super::TOTALS;
use super::world::{A, B, C, World, info, processes, serving};
use crate::support::exposition;

/// What the master and its workers show at a scrape, and what the totals must be then. Counts are requests
/// and connections.
struct Step {
    /// Who serves.
    serving: (u64, [u64; 2]),
    old: &'static [(u64, [u64; 2])],
    totals: [u64; 2],
}

const fn step(serving: (u64, [u64; 2]), old: &'static [(u64, [u64; 2])], totals: [u64; 2]) -> Step {
    Step {
        serving,
        old,
        totals,
    }
}

fn counts([requests, connections]: [u64; 2]) -> [(&'static str, u64); 2] {
    [("CumReq", requests), ("CumConns", connections)]
}

/// Goes through the steps. Workers count the exporter's own questions as HAProxy's do: the one that they
/// answer with their counts, and those to the serving one behind it.
fn follow(steps: &[Step]) {
    let world = World::new();
    for (number, step) in steps.iter().enumerate() {
        let (pid, done) = step.serving;
        world.serve(&serving(pid, &counts(done)));
        let old: Vec<u64> = step.old.iter().map(|(pid, _)| *pid).collect();
        world.master.forget();
        world.master.say("show proc", &processes(&[pid], &old));
        for (pid, done) in step.old {
            world.say(*pid, &info(*pid, &counts(*done)));
        }
        let found = world.scrape_whole();
        for (name, total) in TOTALS.iter().zip(step.totals) {
            assert_eq!(
                found.samples[*name].text,
                total.to_string(),
                "{name}, step {number}"
            );
        }
    }
    assert_eq!(world.problems(), []);
}

#[test]
fn from_the_last_scrape_as_the_serving_one() {
    follow(&[
        step((A, [10, 20]), &[], [0, 0]),
        step((B, [1, 1]), &[(A, [25, 30])], [14, 9]),
        // Nothing but the question.
        step((B, [2, 2]), &[(A, [26, 31])], [14, 9]),
        step((B, [3, 3]), &[(A, [37, 40])], [24, 17]),
        step((B, [4, 4]), &[], [24, 17]),
        step((C, [1, 1]), &[(B, [8, 9])], [27, 21]),
    ]);
}

/// It served between two scrapes only: all that it did is new.
#[test]
fn a_worker_that_no_scrape_saw_serving() {
    follow(&[
        step((A, [10, 20]), &[], [0, 0]),
        step((C, [1, 1]), &[(B, [8, 9]), (A, [11, 21])], [7, 8]),
    ]);
}

/// Nobody knows when they became old and what they had done by then.
#[test]
fn workers_that_were_old_before_the_exporter() {
    follow(&[
        step((C, [1, 1]), &[(A, [1000, 1000]), (B, [500, 500])], [0, 0]),
        step((C, [2, 2]), &[(A, [1011, 1001]), (B, [501, 501])], [10, 0]),
    ]);
}

#[test]
fn another_worker_of_the_same_process_id() {
    follow(&[
        step((C, [1, 1]), &[(A, [1000, 1000])], [0, 0]),
        // Ended and begun between two scrapes.
        step((C, [2, 2]), &[(A, [5, 6])], [4, 5]),
        step((C, [3, 3]), &[], [4, 5]),
        step((A, [3, 3]), &[(C, [4, 4])], [4, 5]),
        step((B, [3, 3]), &[(A, [5, 5]), (C, [5, 5])], [5, 6]),
    ]);
}

/// HAProxy counts in 64 bits; nothing overflows.
#[test]
fn the_largest_counts() {
    const MOST: u64 = u64::MAX;
    follow(&[
        step((A, [10, 20]), &[], [0, 0]),
        step((B, [1, 1]), &[(A, [MOST, MOST])], [MOST - 11, MOST - 21]),
        step((B, [1, 1]), &[(A, [MOST, MOST])], [MOST - 11, MOST - 21]),
        step((B, [1, 1]), &[(A, [100, 100])], [MOST, MOST]),
        step((B, [1, 1]), &[(A, [200, 200])], [MOST, MOST]),
    ]);
}

/// What a scrape does not show it does not ask: the counts begin where a worker was last asked.
#[test]
fn requests_for_some_metrics_only() {
    let world = World::new();
    let get = |query: &str| {
        let response = world.exporter.get(&format!("/metrics?metrics={query}"));
        exposition::read(&response.body).expect("an exposition")
    };
    let of_old = || get(TOTALS[0]).samples[TOTALS[0]].number;
    world.serve(&serving(A, &counts([10, 20])));
    world.say(A, &serving(A, &counts([10, 20])));
    world.master.say("show proc", &processes(&[A], &[]));
    assert_eq!(of_old(), 0.0);
    // Three questions, which A counts as requests.
    for _ in 0..3 {
        assert_eq!(get("haproxy_server_up").get(TOTALS[0]), None);
    }
    world.serve(&serving(B, &[]));
    world.master.say("show proc", &processes(&[B], &[A]));
    world.say(B, &serving(B, &[]));
    world.say(A, &info(A, &counts([30, 40])));
    assert_eq!(of_old(), 30.0 - 10.0 - 3.0 - 1.0);
    world.say(A, &info(A, &counts([41, 51])));
    assert_eq!(of_old(), 26.0);
    assert_eq!(world.problems(), []);
}

/// Bytes that the exporter itself was sent are not an old worker's traffic either.
#[test]
fn bytes_of_answers_to_the_exporter() {
    let world = World::new();
    let of = |bytes| [("TotalBytesOut", bytes)];
    let said = serving(A, &of(1_000_000));
    world.serve(&said);
    world.master.say("show proc", &processes(&[A], &[]));
    world.scrape();
    world.serve(&serving(B, &of(0)));
    world.master.say("show proc", &processes(&[B], &[A]));
    // It counts before it sends `show info`, which is the last of the scrape.
    let sent = said.len();
    let sent = u64::try_from(sent).expect("few bytes");
    let said = info(A, &of(1_000_000 + sent + 7));
    world.say(A, &said);
    assert_eq!(world.scrape_whole().value(TOTALS[2]), 7.0);
    let sent = sent + u64::try_from(said.len()).expect("few bytes");
    world.say(A, &info(A, &of(1_000_000 + sent + 10)));
    assert_eq!(world.scrape_whole().value(TOTALS[2]), 10.0);
    assert_eq!(world.problems(), []);
}
