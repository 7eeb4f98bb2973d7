//! Whose scrape is next, who is held back, and which gives way.

use super::*;
use crate::server::turns::{Ended, Standing};

/// Only those are held back whose time was too short: who has more may have enough.
#[test]
fn who_has_more_time_than_was_too_short_is_not_held_back() {
    let pair = |bench: &mut Bench, seconds, announced| {
        [(); 2].map(|()| bench.ask(seconds, Some(announced)))
    };
    let close = |bench: &mut Bench, slots: [usize; 2]| {
        slots
            .into_iter()
            .for_each(|slot| bench.connections.close(slot));
    };
    let mut bench = Bench::new();
    // 0.45 s are too short, and then 0.63 s.
    let first = pair(&mut bench, 0.0, 0.5);
    assert!(bench.begins(0.0));
    bench.end(0.45);
    close(&mut bench, first);
    let second = pair(&mut bench, 0.5, 0.7);
    assert!(bench.begins(0.5));
    bench.end(1.13);
    close(&mut bench, second);
    let held = [bench.ask(1.2, Some(0.5)), bench.ask(1.2, Some(0.8))];
    assert!(!bench.begins(1.2));
    // The longest time is too short as long as it takes longer, also if others had less in the meantime.
    let honest = bench.ask(1.2, Some(1.0));
    assert!(bench.begins(1.2));
    bench.end(1.9);
    assert!(bench.is_answered(honest) && bench.is_answered(held[1]));
    bench.ask(2.0, Some(0.7));
    assert!(!bench.begins(2.0));
    bench.ask(2.0, Some(2.0));
    assert!(bench.begins(2.0));
}

/// An answer of HAProxy, or none, after so many seconds.
fn outcome(is_up: bool, seconds: f64) -> Outcome {
    let took = Duration::from_secs_f64(seconds);
    Outcome { is_up, took }
}

impl Bench {
    /// Two targets that answer at once.
    fn of_good_targets() -> Self {
        let mut bench = Self::new();
        bench.knows(&[true, true]);
        bench
    }

    /// The targets have answered, or failed, once.
    pub(super) fn knows(&mut self, targets: &[bool]) {
        for (target, is_up) in targets.iter().enumerate() {
            self.scrapes.turns.begin(target);
            let outcome = outcome(*is_up, 0.01);
            let ended = Ended::ByItself;
            self.scrapes.turns.end(outcome, TIMEOUT, ended, self.zero);
        }
    }

    /// Whether the scrape that goes on is to end at this time, and not a moment before.
    fn gives_way_at(&mut self, from: f64, seconds: f64) {
        for (seconds, expected) in [(seconds - 0.01, false), (seconds, true)] {
            let wakes = self.scrapes.wakes_at(&self.connections, self.at(from));
            let at = self.at(seconds);
            assert!(!expected || wakes.is_some_and(|wakes| wakes <= at));
            self.scrapes.give_way(&self.connections, at);
            assert_eq!(self.main.is_aborted(), expected, "{seconds}");
        }
    }
}

/// A target that begins to hang costs the others a second, and its clients wait for another try.
#[test]
fn a_scrape_that_takes_unusually_long_gives_way() {
    let mut bench = Bench::of_good_targets();
    let hanging = bench.ask_for(0, 0.0, None);
    assert!(bench.begins(0.0));
    let good = bench.ask_for(1, 0.2, None);
    bench.gives_way_at(0.2, 1.0);
    bench.end_as(1.02, outcome(false, 1.02));
    assert!(!bench.is_answered(hanging));
    assert!(bench.begins(1.02));
    assert_eq!(bench.main.receive_again().target, 1);
    bench.end_as(1.03, outcome(true, 0.01));
    assert!(bench.is_answered(good) && !bench.is_answered(hanging));
    // The next one has all its time as long as nobody waits for a second.
    assert!(bench.begins(1.03));
    assert!(!bench.main.is_aborted());
    bench.ask_for(1, 3.0, None);
    bench.gives_way_at(3.0, 4.0);
    bench.end_as(4.0, outcome(false, 2.97));
    assert!(bench.is_answered(hanging), "told that it is down");
}

/// What comes in time is an answer, whether or not the scrape was to give way.
#[test]
fn an_answer_that_comes_as_the_scrape_gives_way_counts() {
    let mut bench = Bench::of_good_targets();
    let slow = bench.ask_for(0, 0.0, None);
    assert!(bench.begins(0.0));
    bench.ask_for(1, 0.2, None);
    bench.gives_way_at(0.2, 1.0);
    bench.end_as(1.01, outcome(true, 1.01));
    assert!(bench.is_answered(slow));
    let now = bench.at(1.01);
    let rank = bench.scrapes.turns.rank((0, now), false, now);
    assert_eq!(rank, Standing::Good);
}

#[test]
fn scrapes_that_do_not_give_way() {
    // Nobody else waits; only others of the same target; another target that failed.
    for other in [None, Some(0), Some(1)] {
        let mut bench = Bench::new();
        bench.knows(&[true, false]);
        bench.ask_for(0, 0.0, None);
        assert!(bench.begins(0.0));
        if let Some(target) = other {
            bench.ask_for(target, 0.1, None);
        }
        bench.scrapes.give_way(&bench.connections, bench.at(4.9));
        assert!(!bench.main.is_aborted(), "{other:?}");
    }
    // For one that is held back, another scrape is of no use.
    let mut bench = Bench::of_good_targets();
    let pair = [(); 2].map(|()| bench.ask_for(1, 0.0, Some(0.5)));
    assert!(bench.begins(0.0));
    bench.end_as(0.45, outcome(false, 0.45));
    for slot in pair {
        bench.connections.close(slot);
    }
    bench.ask_for(0, 0.5, None);
    assert!(bench.begins(0.5));
    bench.ask_for(1, 0.6, Some(0.5));
    bench.scrapes.give_way(&bench.connections, bench.at(3.0));
    assert!(!bench.main.is_aborted());
}

/// However long the clients of those that hang have waited, each try of theirs is followed by one that answers.
#[test]
fn targets_that_failed_never_go_before_a_good_one_twice_in_a_row() {
    let mut bench = Bench::new();
    bench.scrapes = Scrapes::new(
        std::mem::replace(&mut bench.scrapes, Bench::new().scrapes).doorbell,
        Targets::new(["", "a", "b"].map(str::to_owned).to_vec()),
        TIMEOUT,
        TIMEOUT,
    );
    bench.knows(&[false, false, true]);
    for target in [0, 1] {
        bench.ask_for(target, 0.0, None);
    }
    bench.ask_for(2, 5.5, None);
    let mut order = Vec::new();
    // The third scrape is of a good one as well: one that failed had a second, and 2.5 s later they do not
    // take another from those that answer.
    for (begins, ends, again) in [
        (6.0, 7.0, 2),
        (7.0, 7.01, 2),
        (9.9, 9.91, 2),
        (10.0, 10.1, 1),
    ] {
        assert!(bench.begins(begins));
        let target = bench.main.receive_again().target;
        order.push(target);
        bench.end_as(ends, outcome(target == 2, ends - begins));
        bench.ask_for(again, ends, None);
    }
    assert_eq!(order, [0, 2, 2, 1]);
}
