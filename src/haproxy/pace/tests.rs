use std::collections::VecDeque;

use super::*;

/// What happens during a look: after so many microseconds the peer has added bytes, has ended, or the
/// system does not say.
#[derive(Clone, Copy)]
enum Look {
    Adds(usize),
    /// A look that takes longer, since others have the processor.
    AddsIn(u64, usize),
    Ends,
    Unknown,
}

use Look::{Adds, AddsIn, Ends, Unknown};

/// A socket whose peer writes exactly while it is looked at.
struct Scripted {
    looks: VecDeque<Look>,
    bytes: Option<usize>,
    now: Duration,
}

impl Queue for Scripted {
    fn bytes(&self) -> Option<usize> {
        self.bytes
    }

    fn ends_within(&mut self, time: Duration) -> bool {
        let look = self.looks.pop_front().expect("one look too many");
        let (took, added) = match look {
            Adds(bytes) => (time, bytes),
            AddsIn(micros, bytes) => (Duration::from_micros(micros), bytes),
            Ends => return true,
            Unknown => {
                self.bytes = None;
                return false;
            }
        };
        self.now += took;
        self.bytes = self.bytes.map(|bytes| bytes + added);
        false
    }

    fn now(&self) -> Duration {
        self.now
    }
}

/// Waits until all looks are used up; what was read each time, `None` once it is read as it comes.
fn reads(time: Duration, looks: &[Look]) -> Vec<Option<usize>> {
    let mut queue = Scripted {
        looks: looks.iter().copied().collect(),
        bytes: Some(10),
        now: Duration::ZERO,
    };
    let mut pace = Pace::new(Duration::ZERO, time, 0);
    let mut reads = Vec::new();
    while !queue.looks.is_empty() {
        assert!(pace.must_wait(), "it reads as it comes");
        pace.wait(&mut queue);
        let room = usize::MAX;
        let most = pace.most_of(room);
        reads.push((most < room).then_some(most));
        if most < room {
            assert_eq!(most, queue.bytes.unwrap(), "more or less than is there");
            // In two pieces, as a buffer may take it.
            pace.took(most / 2);
            assert_eq!(pace.most_of(room), most - most / 2);
            pace.took(most - most / 2);
            queue.bytes = Some(0);
        }
    }
    reads
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn reads_what_a_full_socket_holds() {
    // Each that is not full after the first waits for more.
    let grows = [Adds(90), Adds(100), Adds(0)];
    let cases: [(&[Look], &[Option<usize>]); 8] = [
        (&grows, &[Some(200)]),
        (
            &[&grows[..], &[Adds(200), Adds(0)]].concat(),
            &[Some(200); 2],
        ),
        // A few bytes less are full.
        (
            &[&grows[..], &[Adds(188), Adds(0)]].concat(),
            &[Some(200), Some(188)],
        ),
        // HAProxy has no processor for a while.
        (
            &[&grows[..], &[Adds(187), Adds(0), Adds(3), Adds(0)]].concat(),
            &[Some(200), Some(190)],
        ),
        // The end is no reason to wait, nor is there one behind it.
        (&[Ends], &[None]),
        (&[Adds(90), Ends], &[None]),
        (
            &[&grows[..], &[Adds(50), Ends]].concat(),
            &[Some(200), None],
        ),
        (&[Adds(90), Unknown], &[None]),
    ];
    for (number, (looks, expected)) in cases.into_iter().enumerate() {
        assert_eq!(reads(LONG, looks), expected, "case {number}");
    }
}

/// A peer that is slower by itself is not kept waiting for long.
#[test]
fn waits_for_more_a_while_only() {
    let grows = |looks: usize| vec![Adds(10); looks];
    // 60 ms of growth: half of it may be spent on looks, but no more than 10 ms at a time.
    let mut looks = grows(120);
    looks.push(Adds(0));
    let first = Some(10 + 1200);
    let mut expected = vec![first];
    for _ in 0..2 {
        looks.push(Adds(10));
        looks.extend([Adds(0); 20]);
        expected.push(Some(10));
    }
    assert_eq!(reads(LONG, &looks), expected);
    // The same behind 4 ms: about half of that.
    let mut looks = grows(8);
    looks.extend([Adds(0), Adds(10)]);
    // 0.5 ms of 4.5 were still; with each look half of the time since the first byte comes nearer.
    let until_half = (1..).find(|n| 2 * (1 + n) >= 8 + 1 + 1 + n).unwrap();
    looks.extend(vec![Adds(0); until_half]);
    assert_eq!(reads(LONG, &looks), [Some(90), Some(10)]);
}

/// A look that takes long counts for as long as it took.
#[test]
fn a_machine_that_is_busy() {
    let first = [AddsIn(20_000, 200), AddsIn(500, 0)];
    let slow = [AddsIn(500, 50), AddsIn(9_000, 0), AddsIn(1_000, 0)];
    let reads_of = |looks: &[Look]| reads(LONG, looks);
    assert_eq!(
        reads_of(&[&first[..], &slow].concat()),
        [Some(210), Some(50)]
    );
    // HAProxy comes back in time.
    let back = [AddsIn(500, 50), AddsIn(9_000, 0), AddsIn(500, 155), Adds(0)];
    assert_eq!(
        reads_of(&[&first[..], &back].concat()),
        [Some(210), Some(205)]
    );
}

/// A quarter of the time is left for reading what there is.
#[test]
fn the_last_quarter_is_not_paced() {
    let time = Duration::from_millis(8);
    // 6 ms of growth are 12 looks.
    assert_eq!(reads(time, &[Adds(1); 12]), [None]);
    let mut looks = vec![Adds(1); 11];
    looks.push(Adds(0));
    assert_eq!(reads(time, &looks), [Some(21)]);
    assert_eq!(reads(Duration::ZERO, &[]), []);
    let mut pace = Pace::new(Duration::ZERO, Duration::ZERO, 0);
    let mut queue = Scripted {
        looks: VecDeque::new(),
        bytes: Some(1),
        now: Duration::ZERO,
    };
    pace.wait(&mut queue);
    assert!(!pace.must_wait());
}

/// What the last connection has seen is expected of the next one, which may find less and does not wait
/// for more at each read, nor does the one behind it.
#[test]
fn a_connection_knows_what_the_last_one_held() {
    let read = |most, looks: &[Look]| {
        let mut queue = Scripted {
            looks: looks.iter().copied().collect(),
            bytes: Some(10),
            now: Duration::ZERO,
        };
        let mut pace = Pace::new(Duration::ZERO, LONG, most);
        pace.wait(&mut queue);
        (pace.most_of(usize::MAX), pace.most_held())
    };
    let busy = [Adds(30), Adds(30), Adds(30), Adds(0), Adds(100), Adds(0)];
    assert_eq!(read(0, &busy[..4]), (100, 100));
    assert_eq!(read(200, &busy), (200, 200));
    // It holds less since: as long as it took to fill is spent on that, once.
    let less = [&busy[..4], &[Adds(0), Adds(0)]].concat();
    assert_eq!(read(200, &less), (100, 100));
    assert_eq!(read(200, &[Ends]), (usize::MAX, 200));
}
