use super::*;

#[test]
fn trouble_is_said_when_it_begins_changes_lasts_and_ends() {
    let mut event = Event::new(Level::Warn, "it fails", "it works again");
    let start = Instant::now();
    let at = |minutes: u64| start + Duration::from_secs(60 * minutes);
    assert_eq!(event.end(), None);
    let steps = [
        (0, "a", Said::New),
        (1, "a", Said::Nothing),
        (2, "b", Said::New),
        (3, "b", Said::Nothing),
        // An hour after it was said last, not after it began.
        (61, "b", Said::Nothing),
        (62, "b", Said::Again(6)),
        (121, "b", Said::Nothing),
        (200, "b", Said::Again(8)),
        (201, "a", Said::New),
    ];
    for (minutes, reason, expected) in steps {
        assert_eq!(
            event.count(at(minutes), reason),
            expected,
            "{minutes} {reason}"
        );
    }
    assert_eq!((event.end(), event.end()), (Some(9), None));
    // It begins anew, also for the reason of the last time.
    assert_eq!(event.count(at(202), "a"), Said::New);
    assert_eq!(event.count(at(202), ""), Said::New);
    assert_eq!(event.end(), Some(2));
}
