use super::*;

fn traffic(requests: u64, connections: u64, bytes_out: u64) -> Traffic {
    Traffic {
        requests,
        connections,
        bytes_out,
    }
}

const NOTHING: Traffic = Traffic {
    requests: 0,
    connections: 0,
    bytes_out: 0,
};

/// Steps of a history and the sum behind them. `Saw` and `Old` hold a process and what was seen of it,
/// `Listed` the processes of one look.
enum Step {
    Saw(u64, Traffic, Traffic),
    Old(u64, Traffic, Traffic),
    Listed(&'static [u64]),
}
use Step::{Listed, Old, Saw};

#[test]
fn the_sum_is_what_old_workers_did() {
    let cases: [(&str, &[Step], Traffic); 14] = [
        ("nothing", &[Listed(&[])], NOTHING),
        (
            "old before the exporter was there: only what comes then",
            &[
                Old(1, traffic(100, 50, 1_000), NOTHING),
                Listed(&[1]),
                Old(1, traffic(111, 52, 1_500), NOTHING),
            ],
            traffic(10, 1, 500),
        ),
        (
            "old before, and silent when it was listed first",
            &[
                Listed(&[1]),
                Listed(&[1]),
                Old(1, traffic(100, 50, 1_000), NOTHING),
                Listed(&[1]),
                Old(1, traffic(111, 52, 1_500), NOTHING),
            ],
            traffic(10, 1, 500),
        ),
        (
            "current when seen last, with questions of ours since",
            &[
                Saw(1, traffic(100, 50, 1_000), traffic(3, 3, 700)),
                Listed(&[1]),
                Old(1, traffic(114, 60, 2_000), NOTHING),
            ],
            traffic(10, 6, 300),
        ),
        (
            "our questions are taken off each time",
            &[
                Saw(1, traffic(10, 10, 0), NOTHING),
                Listed(&[1, 2]),
                Old(1, traffic(11, 11, 0), traffic(0, 0, 1_000)),
                Listed(&[1, 2]),
                Old(1, traffic(12, 12, 1_000), traffic(0, 0, 1_000)),
                Listed(&[1, 2]),
                Old(1, traffic(13, 13, 2_000), traffic(0, 0, 1_000)),
            ],
            NOTHING,
        ),
        (
            "began and became old between two looks: all of it",
            &[Listed(&[]), Old(1, traffic(8, 6, 90), NOTHING)],
            traffic(7, 5, 90),
        ),
        (
            "one that ends leaves the sum as it is",
            &[
                Saw(1, traffic(1, 1, 1), NOTHING),
                Listed(&[1]),
                Old(1, traffic(6, 5, 9), NOTHING),
                Listed(&[]),
                Listed(&[2]),
            ],
            traffic(4, 3, 8),
        ),
        (
            "another process of the same id: all of it",
            &[
                Saw(1, traffic(100, 50, 1_000), traffic(3, 3, 3)),
                Listed(&[1]),
                Old(1, traffic(11, 31, 900), NOTHING),
            ],
            traffic(10, 30, 900),
        ),
        (
            "only the requests went back: the others count as before",
            &[
                Saw(1, traffic(100, 50, 1_000), NOTHING),
                Listed(&[1]),
                Old(1, traffic(11, 56, 1_200), NOTHING),
            ],
            traffic(10, 5, 200),
        ),
        (
            "only the connections went back: the others count as before",
            &[
                Saw(1, traffic(10, 50, 1_000), NOTHING),
                Listed(&[1]),
                Old(1, traffic(21, 6, 2_000), NOTHING),
            ],
            traffic(10, 5, 1_000),
        ),
        (
            "only the bytes went back: the others count as before",
            &[
                Saw(1, traffic(10, 50, 1_000), NOTHING),
                Listed(&[1]),
                Old(1, traffic(21, 56, 7), NOTHING),
            ],
            traffic(10, 5, 7),
        ),
        (
            "requests pass 32 bits, with questions of ours since; bytes are many",
            &[
                Saw(1, traffic(4_294_967_290, 100, 2_000_000_000_000), NOTHING),
                Listed(&[1]),
                Old(1, traffic(50, 110, 2_000_000_001_000), traffic(2, 2, 300)),
                Listed(&[1]),
                Old(1, traffic(60, 120, 2_000_000_002_000), NOTHING),
            ],
            traffic(49 + 7, 9 + 7, 1_000 + 700),
        ),
        (
            "the same, forgotten in between",
            &[
                Saw(1, traffic(5, 5, 5), NOTHING),
                Listed(&[]),
                Old(1, traffic(11, 6, 7), NOTHING),
            ],
            traffic(10, 5, 7),
        ),
        (
            "more questions of ours than HAProxy has counted",
            &[
                Saw(1, traffic(5, 5, 5), traffic(9, 9, 9)),
                Listed(&[1]),
                Old(1, traffic(6, 6, 6), NOTHING),
            ],
            NOTHING,
        ),
    ];
    for (what, steps, expected) in cases {
        let mut old = OldTraffic::default();
        for step in steps {
            match step {
                Saw(pid, seen, caused) => old.saw(*pid, *seen, *caused),
                Old(pid, seen, caused) => old.saw_old(*pid, *seen, *caused),
                Listed(pids) => old.looked(pids.to_vec()),
            }
        }
        assert_eq!(old.sum(), expected, "{what}");
    }
}

#[test]
fn what_was_caused_later_counts_for_the_process_that_is_named() {
    let mut old = OldTraffic::default();
    old.saw(1, traffic(10, 10, 10), NOTHING);
    old.caused(None, traffic(1, 1, 1));
    old.caused(Some(2), traffic(1, 1, 1));
    old.caused(Some(1), traffic(4, 4, 4));
    old.looked(vec![1]);
    old.saw_old(1, traffic(20, 20, 20), NOTHING);
    assert_eq!(old.sum(), traffic(5, 5, 6));
    // No process has counted beyond what fits.
    old.saw_old(3, traffic(u64::MAX, u64::MAX, u64::MAX), NOTHING);
    assert_eq!(old.sum(), traffic(u64::MAX, u64::MAX, u64::MAX));
}

#[test]
fn processes_that_are_never_listed_do_not_add_up() {
    let mut old = OldTraffic::default();
    for pid in 0..MOST_KNOWN as u64 + 10 {
        old.saw(pid, traffic(1, 1, 1), NOTHING);
    }
    assert_eq!(old.known.len(), MOST_KNOWN);
    // Those of before are forgotten first.
    assert_eq!(old.known[0].pid, 10);
}
