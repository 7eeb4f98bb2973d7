use super::super::tests::{defaults, selection, snapshot, snapshot_of_bytes};
use super::*;
use crate::metrics::selection::Query;

/// A snapshot that takes so much memory.
fn of_bytes(bytes: usize) -> Arc<Snapshot> {
    Arc::new(snapshot_of_bytes(bytes))
}

/// Fills and publishes `count` snapshots, each with a reader; returns those.
fn readers(snapshots: &mut Snapshots, count: usize, bytes: usize) -> Vec<Arc<Snapshot>> {
    let publish = |_| {
        let taken = snapshots.take(false).unwrap();
        assert_eq!(Arc::strong_count(&taken), 1);
        let filled = of_bytes(bytes);
        snapshots.publish(Arc::clone(&filled), 0, Instant::now());
        filled
    };
    (0..count).map(publish).collect()
}

#[test]
fn one_that_nobody_reads_is_used_again() {
    let mut snapshots = Snapshots::new();
    let first = snapshots.take(false).unwrap();
    let address = Arc::as_ptr(&first);
    snapshots.publish(first, 0, Instant::now());
    let again = snapshots.take(false).unwrap();
    assert_eq!(Arc::as_ptr(&again), address);
}

#[test]
fn there_are_a_few() {
    let mut snapshots = Snapshots::new();
    assert_eq!(snapshots.free(), MAX_SNAPSHOTS);
    let mut readers = readers(&mut snapshots, MAX_SNAPSHOTS, 1);
    assert_eq!(snapshots.free(), 0);
    assert!(snapshots.take(false).is_none());
    assert!(
        snapshots
            .read()
            .zip(&readers)
            .all(|(a, b)| Arc::ptr_eq(a, b))
    );
    let gone = Arc::as_ptr(&readers.remove(1));
    assert_eq!(snapshots.free(), 1);
    assert_eq!(Arc::as_ptr(&snapshots.take(false).unwrap()), gone);
}

/// The more one takes, the fewer there are, but two.
#[test]
fn there_are_fewer_large_ones() {
    for (bytes, most) in [
        (MAX_BYTES / MAX_SNAPSHOTS / 2, MAX_SNAPSHOTS),
        (MAX_BYTES / 4, 4),
        (MAX_BYTES / 2, 2),
        (MAX_BYTES + 1, 2),
        (MAX_BYTES * 2, 2),
    ] {
        let mut snapshots = Snapshots::new();
        let readers = readers(&mut snapshots, most, bytes);
        assert!(snapshots.take(false).is_none(), "{bytes}");
        drop(readers);
        assert_eq!(snapshots.free(), most, "{bytes}");
    }
}

#[test]
fn spacing_lets_each_be_read_for_the_whole_time() {
    let second = Duration::from_secs(1);
    for (bytes, readers_count, expected) in [
        (1, 0, Duration::ZERO),
        (1, MAX_SNAPSHOTS / UNSPACED - 1, Duration::ZERO),
        (1, MAX_SNAPSHOTS / UNSPACED, second / 8),
        (1, MAX_SNAPSHOTS, second / 8),
        (MAX_BYTES / 4, 0, Duration::ZERO),
        (MAX_BYTES / 4, 1, second / 4),
        (MAX_BYTES, 1, second / 2),
    ] {
        let mut snapshots = Snapshots::new();
        let _readers = readers(&mut snapshots, readers_count, bytes);
        let context = format!("{readers_count} of {bytes} bytes");
        assert_eq!(snapshots.spacing(second), expected, "{context}");
    }
}

#[test]
fn the_latest_is_there_for_who_waited_for_it() {
    let mut snapshots = Snapshots::new();
    let all = selection();
    let before = Instant::now();
    let at = before + Duration::from_secs(1);
    let after = at + Duration::from_secs(1);
    assert!(snapshots.finished_after(0, before, &all).is_none());
    drop(snapshots.take(true).unwrap());
    snapshots.publish(Arc::new(snapshot(1, 0)), 7, at);
    assert!(snapshots.finished_after(7, before, &all).is_some());
    // Clients of the same round come after it.
    assert!(snapshots.finished_after(7, at, &all).is_none());
    assert!(snapshots.finished_after(7, after, &all).is_none());
    assert!(
        snapshots.finished_after(0, before, &all).is_none(),
        "another target"
    );
    // Kept while there may be another, gone when it is taken for the next scrape.
    let other = snapshots.take(true).unwrap();
    assert!(snapshots.finished_after(7, before, &all).is_some());
    drop(other);
    drop(snapshots.take(false).unwrap());
    assert!(snapshots.finished_after(7, before, &all).is_none());
}

/// It was made for others, who may have wanted less.
#[test]
fn the_latest_has_all_that_is_selected() {
    let selected = |query: &str| Query::parse(query, &defaults()).unwrap().selection;
    let before = Instant::now();
    for (made_for, selected_by, is_whole) in [
        ("", "scope=server&no-maint", true),
        ("scope=frontend", "scope=frontend", true),
        ("scope=frontend", "", false),
        (
            "names=builtin&scope=server",
            "names=exporter&scope=backend",
            false,
        ),
    ] {
        let mut snapshots = Snapshots::new();
        let mut latest = Snapshot::default();
        latest.wanted = Wanted::of(&selected(made_for));
        snapshots.publish(Arc::new(latest), 0, before + Duration::from_secs(1));
        let found = snapshots.finished_after(0, before, &selected(selected_by));
        assert_eq!(found.is_some(), is_whole, "{made_for:?}, {selected_by:?}");
    }
}

#[test]
fn large_ones_that_nobody_reads_are_given_back() {
    let mut snapshots = Snapshots::new();
    let mut large = readers(&mut snapshots, 3, KEPT_BYTES + 1);
    snapshots.trim();
    assert_eq!(snapshots.live.len(), 3, "all are read");
    large.remove(0);
    snapshots.trim();
    assert_eq!(snapshots.live.len(), 2);
    drop(large);
    snapshots.trim();
    assert_eq!(snapshots.live.len(), 1, "the latest stays");
    let mut snapshots = Snapshots::new();
    drop(readers(&mut snapshots, 3, 1));
    snapshots.trim();
    assert_eq!(snapshots.live.len(), 3, "small ones stay");
}
