use super::super::tokens::Counts;
use super::*;
use crate::commands;
use crate::metrics::catalog::Catalog;
use crate::metrics::selection::{Defaults, Query};

fn catalog() -> &'static Catalog {
    Box::leak(Box::new(commands::catalog(&[])))
}

fn selections(count: usize) -> Vec<Selection> {
    let catalog = catalog();
    let defaults = Defaults {
        catalog,
        profile: 0,
    };
    let queries = [
        "",
        "scope=server",
        "scope=frontend",
        "scope=backend",
        "no-maint=1",
        "names=builtin",
    ];
    let selection = |query: &&str| Query::parse(query, &defaults).unwrap().selection;
    queries[..count].iter().map(selection).collect()
}

fn snapshot(servers: usize) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let rows = snapshot.rows_mut(2);
    for server in 0..servers {
        let name = format!("server-{server:05}");
        rows.push_labels(&["server"], &[b"backend", name.as_bytes()])
            .unwrap();
    }
    snapshot
}

/// The number of the codes that a response gets.
fn number(known: &mut Known, snapshot: &Snapshot, selection: &Selection) -> u64 {
    let make = |number| Codes::new(&Counts::new(), number);
    known.get(snapshot, selection, make).number
}

#[test]
fn codes_are_used_again_for_a_while() {
    let (mut known, snapshot, selection) = (Known::default(), snapshot(100), selections(1)[0]);
    let uses = MOST_USES as usize;
    let numbers: Vec<u64> = (0..2 * uses + 1)
        .map(|_| number(&mut known, &snapshot, &selection))
        .collect();
    assert_eq!(numbers[..uses], vec![1; uses]);
    assert_eq!(numbers[uses..2 * uses], vec![2; uses]);
    assert_eq!(numbers[2 * uses..], [3]);
}

#[test]
fn codes_are_made_anew_for_a_snapshot_that_is_much_larger_or_smaller() {
    let (mut known, selection) = (Known::default(), selections(1)[0]);
    let of = |known: &mut Known, servers| number(known, &snapshot(servers), &selection);
    let numbers = [100, 105, 95, 120, 115, 90, 0, 0].map(|servers| of(&mut known, servers));
    assert_eq!(numbers, [1, 1, 1, 2, 2, 3, 4, 4]);
}

#[test]
fn each_selection_has_its_own_and_the_oldest_is_forgotten() {
    let (mut known, snapshot) = (Known::default(), snapshot(10));
    let selections = selections(MOST_KNOWN + 1);
    let mut of = |at: usize| number(&mut known, &snapshot, &selections[at]);
    assert_eq!([of(0), of(1), of(2), of(3)], [1, 2, 3, 4]);
    assert_eq!([of(0), of(1), of(2), of(3)], [1, 2, 3, 4]);
    // The fifth takes the place of the one that was used least of late.
    assert_eq!([of(0), of(4), of(0), of(2), of(3)], [1, 5, 1, 3, 4]);
    assert_eq!(of(1), 6);
    assert_eq!(known.entries.len(), MOST_KNOWN);
}
