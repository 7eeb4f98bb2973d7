use super::*;
use crate::metrics::snapshot::Outcome;
use std::os::unix::net::UnixStream;

use super::super::connection::{Client, MIN_ANSWER_TIME, State};
use super::super::doorbell::tests::{FakeMain, fake};
use super::super::request::{Parsed, parse};
use super::super::snapshots::MAX_SNAPSHOTS;
use super::super::tests::{MANNER, selection, snapshot};

const TIMEOUT: Duration = Duration::from_secs(5);

/// Scrapes for clients that never read, at whatever time the test says it is.
struct Bench {
    scrapes: Scrapes,
    connections: Connections,
    buffers: Buffers,
    main: FakeMain,
    zero: Instant,
    /// The clients' ends.
    clients: Vec<UnixStream>,
}

impl Bench {
    fn new() -> Self {
        let (doorbell, main) = fake();
        Self {
            scrapes: Scrapes::new(
                doorbell,
                Targets::new(["", "a"].map(str::to_owned).to_vec()),
                TIMEOUT,
                TIMEOUT,
            ),
            connections: Connections::new(20),
            buffers: Buffers::default(),
            main,
            zero: Instant::now(),
            clients: Vec::new(),
        }
    }

    fn at(&self, seconds: f64) -> Instant {
        self.zero + Duration::from_secs_f64(seconds)
    }

    /// A client asks for the metrics; returns its slot.
    fn ask(&mut self, seconds: f64, announced: Option<f64>) -> usize {
        self.ask_for(0, seconds, announced)
    }

    /// The same of a target.
    fn ask_for(&mut self, target: usize, seconds: f64, announced: Option<f64>) -> usize {
        let now = self.at(seconds);
        let (near, far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let mut client = Client::new(near.into(), now);
        let Parsed::Request(mut request, _) = parse(b"GET /metrics HTTP/1.0\r\n\r\n") else {
            panic!("a request");
        };
        request.announced = announced.map(Duration::from_secs_f64);
        client.wait(Wait::new(&request, (target, selection()), MANNER, now), now);
        let slot = self.connections.free(now).unwrap();
        self.connections.put(slot, client);
        self.clients.push(far);
        slot
    }

    /// Whether a scrape begins at this time.
    fn begins(&mut self, seconds: f64) -> bool {
        self.begins_before(false, seconds)
    }

    /// The same while newcomers are to be accepted.
    fn begins_before(&mut self, newcomers: bool, seconds: f64) -> bool {
        let now = self.at(seconds);
        let begun = self.scrapes.begin(&mut self.connections, newcomers, now);
        begun.unwrap();
        self.main.is_asked()
    }

    /// Its client may be gone.
    fn half_closed(&mut self, slot: usize) {
        self.connections.get_mut(slot).unwrap().half_closed = true;
    }

    /// A scrape that began ends.
    fn end(&mut self, seconds: f64) {
        self.end_as(seconds, Outcome::default());
    }

    fn end_as(&mut self, seconds: f64, outcome: Outcome) {
        let scrape = self.main.receive();
        // More than a unix socket takes.
        let mut brought = snapshot(0, 1_000);
        brought.outcome = outcome;
        self.main.report(scrape, brought);
        let now = self.at(seconds);
        let (connections, buffers) = (&mut self.connections, &mut self.buffers);
        while self.scrapes.is_running() {
            self.scrapes.receive(connections, buffers, now).unwrap();
        }
    }

    fn is_answered(&mut self, slot: usize) -> bool {
        let client = self.connections.get_mut(slot);
        client.is_some_and(|client| matches!(client.state, State::Answering(_)))
    }

    /// Clients that never read take all snapshots but one, each at a time of its own, 20 ms after the other:
    /// so soon because they announce little time.
    fn all_but_one(&mut self) -> Vec<usize> {
        let mut connections = Vec::new();
        for number in 0..MAX_SNAPSHOTS - 1 {
            let seconds = number as f64 / 50.0;
            let slot = self.ask(seconds, Some(0.15));
            assert!(self.begins(seconds));
            self.end(seconds);
            assert!(self.is_answered(slot));
            connections.push(slot);
        }
        connections
    }
}

/// So nobody waits for the whole time that a slow reader has.
#[test]
fn the_last_snapshot_is_taken_when_another_is_near() {
    let mut bench = Bench::new();
    let readers = bench.all_but_one();
    let next = bench.ask(1.0, None);
    let half = (MIN_ANSWER_TIME - MAX_WAIT).as_secs_f64();
    assert!(!bench.begins(half - 0.01));
    let wakes = bench.scrapes.wakes_at(&bench.connections, bench.at(1.0));
    assert_eq!(wakes, Some(bench.at(half)));
    assert!(bench.begins(half));
    bench.end(half);
    assert!(bench.is_answered(next));
    assert!(readers.iter().all(|slot| bench.is_answered(*slot)));
}

/// A client that leaves makes room at once.
#[test]
fn a_snapshot_is_free_when_its_readers_have_gone() {
    let mut bench = Bench::new();
    let readers = bench.all_but_one();
    bench.ask(2.0, None);
    assert!(!bench.begins(2.0));
    bench.connections.close(readers[2]);
    assert!(bench.begins(2.0));
}

/// Clients of Prometheus' 10 s come one after the other and read for as long: some wait a little and share
/// a scrape, so that there is a snapshot for each.
#[test]
fn slow_readers_share_before_snapshots_are_scarce() {
    let mut bench = Bench::new();
    let mut scrapes = Vec::new();
    let mut connections = Vec::new();
    for tenth in 0..100 {
        let seconds = f64::from(tenth) / 10.0;
        if tenth % 6 == 0 {
            connections.push((seconds, bench.ask(seconds, Some(10.0))));
        }
        if bench.begins(seconds) {
            bench.end(seconds);
            scrapes.push(seconds);
        }
        for (asked, slot) in &connections {
            let waited = seconds - asked;
            assert!(
                waited < 1.25 || bench.is_answered(*slot),
                "asked at {asked}, waits at {seconds}"
            );
        }
    }
    assert_eq!(scrapes, [0.0, 0.6, 1.9, 3.2, 4.5, 5.8, 7.1, 8.4]);
}

/// What a scrape waits for others depends on who waits, and on how many snapshots are being read.
#[test]
fn waits_for_others() {
    // Readers, what the clients announce, and how long after the last scrape theirs begins.
    let cases: [(usize, &[Option<f64>], f64); 8] = [
        (0, &[Some(10.0)], 0.0),
        (1, &[Some(10.0)], 0.0),
        (2, &[Some(10.0)], 1.25),
        (6, &[Some(10.0)], 1.25),
        (2, &[None], 1.25),
        (2, &[Some(60.0)], 1.25),
        (2, &[Some(1.0)], 0.125),
        (2, &[Some(10.0), Some(2.0), None], 0.25),
    ];
    for (readers, announced, expected) in cases {
        let mut bench = Bench::new();
        let connections = bench.all_but_one();
        connections[readers..]
            .iter()
            .for_each(|slot| bench.connections.close(*slot));
        let last = 0.02 * (MAX_SNAPSHOTS - 2) as f64;
        announced.iter().for_each(|time| {
            bench.ask(last, *time);
        });
        let context = format!("{readers} {announced:?}");
        if expected > 0.0 {
            assert!(!bench.begins(last + expected - 0.01), "{context}");
        }
        assert!(bench.begins(last + expected), "{context}");
    }
    // Another target has no scrape to share.
    let mut bench = Bench::new();
    let connections = bench.all_but_one();
    bench.connections.close(connections[0]);
    bench.ask_for(1, 0.2, Some(10.0));
    assert!(bench.begins(0.2));
}

#[test]
fn the_readers_of_the_oldest_give_way_after_ten_seconds() {
    let mut bench = Bench::new();
    let mut readers = bench.all_but_one();
    let later = bench.ask(5.0, None);
    assert!(bench.begins(5.0));
    bench.end(5.0);
    readers.push(later);
    bench.ask(6.0, None);
    for seconds in [6.0, 9.99] {
        assert!(!bench.begins(seconds), "{seconds}");
        assert!(readers.iter().all(|slot| bench.is_answered(*slot)));
    }
    assert!(bench.begins(10.0));
    assert!(!bench.is_answered(readers[0]), "the oldest is cut");
    assert!(readers[1..].iter().all(|slot| bench.is_answered(*slot)));
}

/// Who was answered late, with a scrape that another reads already, has as much time as others.
#[test]
fn the_last_reader_of_a_snapshot_has_its_whole_time() {
    let mut bench = Bench::new();
    let first = bench.ask(0.0, None);
    assert!(bench.begins(0.0));
    // Too late for that scrape; the next one comes too late for it.
    let late = bench.ask(0.0, Some(9.0));
    bench.end(0.1);
    let now = bench.at(8.6);
    let (connections, buffers) = (&mut bench.connections, &mut bench.buffers);
    bench.scrapes.answer_late(connections, buffers, now);
    assert!(bench.is_answered(first) && bench.is_answered(late));
    for number in 1..MAX_SNAPSHOTS - 1 {
        let seconds = 8.6 + number as f64 / 50.0;
        bench.ask(seconds, Some(0.15));
        assert!(bench.begins(seconds));
        bench.end(seconds);
    }
    let over = 8.6 + MIN_ANSWER_TIME.as_secs_f64();
    bench.ask(10.5, None);
    let half = over - MAX_WAIT.as_secs_f64();
    assert!(!bench.begins(half - 0.01), "the last free one is kept");
    assert!(bench.begins(half));
    bench.end(half);
    bench.ask(half, None);
    assert!(!bench.begins(over - 0.01));
    assert!(bench.is_answered(first) && bench.is_answered(late));
    assert!(bench.begins(over));
    assert!(!bench.is_answered(first) && !bench.is_answered(late));
}

/// Without need nobody is cut.
#[test]
fn slow_readers_stay_while_nobody_else_comes() {
    let mut bench = Bench::new();
    let readers = bench.all_but_one();
    assert!(!bench.begins(50.0));
    bench.ask(50.0, None);
    assert!(bench.begins(50.0), "one is free");
    assert!(readers.iter().all(|slot| bench.is_answered(*slot)));
}

#[test]
fn times_of_a_scrape() {
    // What the clients announce, and what a scrape for them may take.
    let cases: [(&[Option<f64>], f64); 7] = [
        (&[None], 5.0),
        (&[Some(10.0)], 5.0),
        (&[Some(5.0)], 4.5),
        (&[Some(1.0), Some(4.0), Some(2.0)], 3.6),
        (&[Some(1.0), None], 5.0),
        (&[Some(0.001)], 0.135),
        (&[Some(1e18)], 5.0),
    ];
    for (announced, expected) in cases {
        let mut bench = Bench::new();
        announced.iter().for_each(|time| {
            bench.ask(0.0, *time);
        });
        assert!(bench.begins(0.0));
        let time = bench.main.receive().time.as_secs_f64();
        assert!((time - expected).abs() < 1e-6, "{announced:?} {time}");
    }
}

/// Each has asked, waited, and begins with what is left of its time.
#[test]
fn who_has_waited_has_less_left() {
    let mut bench = Bench::new();
    bench.ask(0.0, None);
    assert!(bench.begins(0.0));
    bench.ask(1.0, Some(4.0));
    bench.end(3.0);
    assert!(bench.begins(3.0));
    let time = bench.main.receive().time.as_secs_f64();
    assert!((time - 1.6).abs() < 1e-6, "{time}");
}

/// A target that takes longer than some have is asked for them at the pace of the patient, as long as it
/// does; one that does not is not.
#[test]
fn the_impatient_wait_for_the_pace_of_their_target() {
    // Clients of 0.5 s share a scrape, which may take 0.45 s.
    let short = |bench: &mut Bench, took: f64| {
        let connections = [bench.ask(0.0, Some(0.5)), bench.ask(0.0, Some(0.5))];
        assert!(bench.begins(0.0));
        bench.end(took);
        connections
            .into_iter()
            .for_each(|slot| bench.connections.close(slot));
    };
    // Of others at 1 s: what they announce, how long their scrape takes; when one of 0.5 s begins.
    let cases = [
        (None, 5.0),
        (Some((None, 0.4)), 2.0),
        (Some((None, 0.6)), 6.0),
        (Some((Some(10.0), 0.6)), 6.0),
        (Some((Some(10.0), 5.0)), 6.0),
    ];
    for (others, expected) in cases {
        let mut bench = Bench::new();
        short(&mut bench, 0.45);
        if let Some((announced, took)) = others {
            let slot = bench.ask(1.0, announced);
            assert!(bench.begins(1.0), "{others:?}");
            bench.end(1.0 + took);
            bench.connections.close(slot);
        }
        bench.ask(2.0, Some(0.5));
        if expected > 2.0 {
            assert!(!bench.begins(expected - 0.01), "{others:?}");
        }
        assert!(bench.begins(expected), "{others:?}");
    }
    // One that is fast enough is not paced, and neither is another target, also if its client waits longer.
    let mut bench = Bench::new();
    short(&mut bench, 0.4);
    bench.ask(1.0, Some(0.5));
    assert!(bench.begins(1.0));
    let mut bench = Bench::new();
    short(&mut bench, 0.45);
    bench.ask(1.0, Some(0.5));
    let other = bench.ask_for(1, 1.1, Some(0.5));
    assert!(bench.begins(1.1));
    bench.end(1.2);
    assert!(bench.is_answered(other));
}

/// A target that failed is asked after those that did not, but not for ever.
#[test]
fn a_target_that_failed_waits_for_the_others() {
    let mut bench = Bench::new();
    bench.knows(&[false, true]);
    let failed = bench.ask_for(0, 0.0, None);
    let good = bench.ask_for(1, 1.0, None);
    let target = |bench: &Bench, seconds| {
        bench
            .scrapes
            .next(&bench.connections, bench.at(seconds))
            .unwrap()
            .0
    };
    assert_eq!(target(&bench, 1.0), 1);
    // Once it has waited as long as a scrape may take, its turn has come.
    assert_eq!(target(&bench, TIMEOUT.as_secs_f64()), 0);
    assert!(bench.begins(1.0));
    bench.end(1.1);
    assert!(bench.is_answered(good) && !bench.is_answered(failed));
    assert!(bench.begins(1.2));
    bench.end(1.3);
    assert!(bench.is_answered(failed));
}

/// A target for which only clients wait that may be gone is scraped after the others, but not for ever.
#[test]
fn clients_that_may_be_gone_wait_for_others() {
    for (now, expected) in [(TIMEOUT.as_secs_f64() - 0.1, 1), (TIMEOUT.as_secs_f64(), 0)] {
        let mut bench = Bench::new();
        let ended = bench.ask_for(0, 0.0, None);
        bench.half_closed(ended);
        bench.ask_for(1, now, None);
        assert!(bench.begins(now));
        assert_eq!(bench.main.receive().target, expected, "{now}");
    }
    // Who shares a target with one that stays, shares its scrape.
    let mut bench = Bench::new();
    let ended = bench.ask_for(0, 0.0, None);
    bench.half_closed(ended);
    bench.ask_for(1, 1.0, None);
    bench.ask_for(0, 2.0, None);
    assert!(bench.begins(2.0));
    assert_eq!(bench.main.receive().target, 0);
}

/// All clients that closed at once cost one scrape.
#[test]
fn clients_that_may_be_gone_wait_for_newcomers() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        let ended = bench.ask(0.0, None);
        bench.half_closed(ended);
        assert!(!bench.begins_before(true, 0.0));
    }
    bench.ask_for(1, 0.0, None);
    assert!(bench.begins_before(true, 0.0));
    assert_eq!(bench.main.receive().target, 1);
    let mut bench = Bench::new();
    let ended = bench.ask(0.0, None);
    bench.half_closed(ended);
    assert!(bench.begins_before(false, 0.0));
}

mod turns;
