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
