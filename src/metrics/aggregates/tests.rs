use super::*;

/// What is counted for which columns: servers and states for each, results only for columns of results.
#[test]
fn check_results_are_counted_where_they_are_wanted() {
    use Conversion::{Integer, ServersInState, ServersWithResult};
    let cases: [(&[Conversion], [u32; 3]); 4] = [
        (&[Integer], [0, 0, 0]),
        (&[Integer, ServersInState], [1, 1, 0]),
        (&[ServersWithResult, Integer], [1, 1, 1]),
        (&[ServersWithResult, ServersInState], [1, 1, 1]),
    ];
    let mut aggregates = Aggregates::default();
    // What was wanted before does not matter.
    for (wanted, expected) in cases.into_iter().chain(cases.into_iter().rev()) {
        aggregates.clear();
        aggregates.set_wanted(wanted.iter().copied());
        aggregates.server(b"web", b"UP", b"L4OK");
        let counts = aggregates.counts.first().copied().unwrap_or([0; _]);
        let found = [counts[0], counts[STATES + 1], counts[RESULTS + 2]];
        assert_eq!(found, expected, "{wanted:?}");
    }
}

/// Memory is kept for the next scrape, but not that of far more proxies than the last one had.
#[test]
fn memory_of_many_proxies_is_released() {
    let memory = |aggregates: &Aggregates| {
        let counts = aggregates.counts.capacity() * size_of::<Counts>();
        let numbers = aggregates.name_ends.capacity() + aggregates.backends.capacity();
        counts + 4 * numbers + aggregates.names.capacity() + aggregates.found.memory().1
    };
    let mut aggregates = Aggregates::default();
    let mut scrape = |proxies: usize| {
        aggregates.clear();
        aggregates.set_wanted([Conversion::ServersInState].into_iter());
        for number in 0..proxies {
            let name = format!("proxy{number}");
            aggregates.server(name.as_bytes(), b"UP", b"");
            aggregates.backend(name.as_bytes());
        }
        memory(&aggregates)
    };
    let large = scrape(50_000);
    assert!(large > 4_000_000, "{large}");
    assert_eq!(scrape(50_000), large);
    assert_eq!(scrape(2), large, "known only after it");
    let small = scrape(2);
    assert!(small < 64 * 1024, "{small}");
}
