use super::*;

#[test]
fn an_abort_is_the_end_of_the_deadline() {
    let abort = Abort::new();
    let deadline = Deadline::after(Duration::from_secs(100)).or_at(Some(abort));
    let part = deadline.or_after(Duration::from_secs(50));
    let look = deadline.next_look();
    assert_eq!(look, Some(LOOK_EVERY));
    abort.set();
    for one in [deadline, part] {
        assert_eq!((one.remaining(), one.next_look()), (None, None));
    }
    abort.clear();
    assert!(part.remaining() > Some(Duration::from_secs(40)));
    // What nobody can abort waits as long as it may.
    let alone = Deadline::after(Duration::from_secs(100)).next_look();
    assert!(alone > Some(Duration::from_secs(90)));
}
