use super::*;

#[test]
fn the_time_of_day_is_libcs() {
    let libc = || clock_of_libc().unwrap();
    let (before, now, after) = (duration(libc()), time_of_day(), duration(libc()));
    assert!(
        before <= now && now <= after,
        "{before:?} {now:?} {after:?}"
    );
    if cfg!(target_pointer_width = "32") {
        assert!(clock_64().is_some(), "Linux older than 5.1?");
    }
}

/// Whatever the clock says, a time comes out.
#[test]
fn clocks_in_nonsense() {
    let cases = [
        ((0, 0), Duration::ZERO),
        ((1, 999_999_999), Duration::new(1, 999_999_999)),
        ((1 << 31, 7), Duration::new(1 << 31, 7)),
        ((i64::MAX, 0), Duration::from_secs(i64::MAX as u64)),
        ((-1, 0), Duration::ZERO),
        ((i64::MIN, 5), Duration::ZERO),
        ((5, 1_000_000_000), Duration::ZERO),
        ((5, -1), Duration::ZERO),
    ];
    for (clock, expected) in cases {
        assert_eq!(duration(clock), expected, "{clock:?}");
    }
}
