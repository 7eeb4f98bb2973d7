use super::*;
use crate::commands::certificates;

/// A site all of whose scrapes are short is not left without, and a short one among longer ones does not begin
/// a reading.
#[test]
fn a_reading_waits_for_an_interval_for_a_scrape_with_enough_time() {
    let timeout = Duration::from_secs(5);
    let mut periodic = NowAndThen::new(&certificates::COMMAND, None, timeout).unwrap();
    let now = Instant::now();
    let cases = [
        (None, Some(LEAST_TIME)),
        (Some(0), Some(LEAST_TIME)),
        (Some(299), Some(LEAST_TIME)),
        (Some(300), None),
    ];
    for (waits, expected) in cases {
        periodic.waits_since = Some(now).filter(|_| waits.is_some());
        let later = now + Duration::from_secs(waits.unwrap_or_default());
        assert_eq!(periodic.least_time(later), expected, "{waits:?}");
    }
}
