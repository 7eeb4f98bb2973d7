use super::*;

#[test]
fn trouble_is_said_when_it_begins_changes_lasts_and_ends() {
    let mut event = Past::default();
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
        (62, "b", Said::Again),
        (121, "b", Said::Nothing),
        (200, "b", Said::Again),
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
    // It begins again, also for the reason of the last time.
    assert_eq!(event.count(at(202), "a"), Said::New);
    assert_eq!(event.count(at(202), ""), Said::New);
    assert_eq!(event.end(), Some(2));
}

/// Ten lines a minute, then one that says how many there were besides.
#[test]
fn a_problem_that_changes_all_the_time_is_said_ten_times_a_minute() {
    let start = Instant::now();
    let at = |seconds: u64| start + Duration::from_secs(seconds);
    let mut lines = Lines::default();
    assert_eq!(lines.next(at(0), false), None);
    for second in 5..15 {
        assert_eq!(lines.next(at(second), true), Some(0), "{second}");
    }
    for second in 15..65 {
        assert_eq!(lines.next(at(second), second % 2 == 0), None, "{second}");
    }
    // That line is one of the ten, and comes also when nothing changes any more.
    assert_eq!(lines.next(at(65), false), Some(25));
    assert_eq!(lines.next(at(66), false), None);
    for second in 67..76 {
        assert_eq!(lines.next(at(second), true), Some(0), "{second}");
    }
    assert_eq!(lines.next(at(124), true), None);
    assert_eq!(lines.next(at(125), true), Some(1));
    // Without any withheld, a quiet time is followed by no line.
    assert_eq!(lines.next(at(500), false), None);
    assert_eq!(lines.next(at(500), true), Some(0));
}
