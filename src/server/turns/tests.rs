use super::*;

use Standing::{Failed, Good, New};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A target that took so long, and then failed so often.
fn record(took: u64, failed: u32) -> Record {
    let mut record = Record::default();
    if took > 0 {
        record.succeeded(ms(took));
    }
    for _ in 0..failed {
        record.failed(ms(1), ms(5000), ms(5000));
    }
    record
}

#[test]
fn when_a_scrape_gives_way() {
    // What it took last, failures since, who waits and since when; when it gives way.
    let cases = [
        ((10, 0), (Good, 700), Some(1000)),
        ((10, 0), (New, 0), Some(1000)),
        ((10, 0), (Failed, 0), None),
        ((400, 0), (Good, 0), Some(1200)),
        ((0, 0), (Good, 0), Some(100)),
        ((0, 0), (New, 0), Some(100)),
        ((0, 0), (Failed, 0), None),
        ((10, 1), (Good, 0), Some(500)),
        ((0, 1), (Failed, 0), Some(500)),
        // The third try.
        ((10, 2), (Good, 0), Some(1000)),
        ((10, 2), (Good, 3000), Some(4000)),
        ((10, 2), (New, 3000), Some(4000)),
        ((10, 2), (Failed, 0), None),
        ((10, 3), (Failed, 0), Some(500)),
        ((10, 4), (Good, 0), Some(500)),
        ((10, 5), (Good, 700), Some(1700)),
    ];
    let began = Instant::now();
    for ((took, failed), (other, since), expected) in cases {
        let found = record(took, failed).gives_way_at(began, (other, began + ms(since)));
        let context = format!("{took} {failed} {other:?} {since}");
        assert_eq!(found, expected.map(|at| began + ms(at)), "{context}");
    }
}

#[test]
fn what_scrapes_say_of_a_target() {
    assert_eq!(record(0, 0).standing(), New);
    assert_eq!(record(1, 0).standing(), Good);
    assert_eq!(record(1, 1).standing(), Failed);
    let mut again = record(1, 4);
    again.succeeded(ms(3));
    assert_eq!((again.standing(), again.failed), (Good, 0));
    // What it took last, what it took now, and what it had: whether it has failed.
    let cases = [
        (10, 135, 135, false),
        (10, 999, 999, false),
        (10, 1000, 1000, true),
        (2000, 5000, 5000, false),
        (2000, 6000, 6000, true),
        (3000, 7000, 7000, true),
        (0, 135, 135, false),
        (0, 500, 500, true),
        // Refused, and not too late.
        (10, 1, 135, true),
    ];
    for (before, took, time, expected) in cases {
        let mut one = record(before, 0);
        one.failed(ms(took), ms(time), ms(7000));
        assert_eq!(one.failed > 0, expected, "{before} {took} {time}");
    }
}

/// One that has replied before, or that nobody knows, is tried again for the same clients with its whole time,
/// and one whose short attempt has read the rows.
#[test]
fn what_becomes_of_an_aborted_scrape() {
    use Aborted::{Counts, Repeats, RepeatsWithRows};
    for (took, failed, expected) in [
        (10, 0, Repeats),
        (0, 0, Repeats),
        (10, 1, RepeatsWithRows),
        (10, 2, Counts),
        (0, 3, RepeatsWithRows),
        (0, 5, Counts),
    ] {
        let mut turns = Turns::new(1, ms(5000));
        turns.records[0] = record(took, failed);
        assert_eq!(turns.aborted(0), expected, "{took} {failed}");
        for (ended, failed_now) in [(Ended::Repeated, 2), (Ended::Aborted, failed + 1)] {
            turns.records[0] = record(took, failed);
            turns.end(Outcome::default(), ms(5000), ended, Instant::now());
            let found = turns.records[0];
            assert_eq!((found.failed, found.standing()), (failed_now, Failed));
        }
        // The repetition, whose client waits no further.
        turns.records[0] = record(took, 2);
        assert_eq!(turns.aborted(0), Counts);
    }
}
