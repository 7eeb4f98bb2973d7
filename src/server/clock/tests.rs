use super::*;

/// All times in milliseconds.
#[test]
fn a_round_counts_for_what_it_was_meant_to_take() {
    // The time to wait, the time that passed, the time that counts.
    let cases = [
        (Some(0), 3, 3),
        (Some(100), 100, 100),
        (Some(100), 900, 900),
        (Some(100), 20_000, 1_100),
        (Some(1_000), 20_000, 2_000),
        (None, 20_000, 20_000),
    ];
    let real = Instant::now();
    for (wait, passed, counted) in cases {
        let mut clock = Clock::new(real);
        let wait = wait.map(Duration::from_millis);
        let now = clock.advance(real + Duration::from_millis(passed), wait);
        assert_eq!(
            now - real,
            Duration::from_millis(counted),
            "{wait:?} {passed}"
        );
        assert_eq!(clock.now(), now);
        // The next round begins at the system's time, not at the clock's.
        let passed = Duration::from_millis(passed + 5);
        assert_eq!(
            clock.advance(real + passed, wait) - now,
            Duration::from_millis(5)
        );
    }
}
