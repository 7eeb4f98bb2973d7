use super::*;

#[test]
fn an_abort_is_the_end_of_the_deadline() {
    let abort = Abort::new();
    let deadline = Deadline::after(Duration::from_secs(100)).or_at(Some(abort));
    let part = deadline.or_after(Duration::from_secs(50));
    let look = deadline.next_look();
    assert_eq!(look, Some(LOOK_EVERY));
    abort.set(Aborted::Counts);
    for one in [deadline, part] {
        assert_eq!((one.remaining(), one.next_look()), (None, None));
    }
    abort.clear();
    assert!(part.remaining() > Some(Duration::from_secs(40)));
    // What nobody can abort waits as long as it may.
    let alone = Deadline::after(Duration::from_secs(100)).next_look();
    assert!(alone > Some(Duration::from_secs(90)));
}

/// What is aborted, with its rows or without them; whether it is repeated.
#[test]
fn which_scrapes_are_repeated() {
    for (then, with_rows, without) in [
        (Aborted::Counts, false, false),
        (Aborted::RepeatsWithRows, true, false),
        (Aborted::Repeats, true, true),
    ] {
        let abort = Abort::new();
        let deadline = Deadline::after(Duration::from_secs(100)).or_at(Some(abort));
        let both = || [deadline, deadline.without_rows()].map(Deadline::is_repeated);
        abort.set(then);
        assert_eq!(both(), [false; 2], "{then:?}: it was complete already");
        assert_eq!(deadline.remaining(), None);
        assert_eq!(both(), [with_rows, without], "{then:?}");
        abort.clear();
        abort.set(then);
        assert_eq!(both(), [false; 2], "{then:?}: another scrape");
    }
    assert!(!Deadline::after(Duration::ZERO).is_repeated());
}
