use super::*;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::super::request::{Parsed, parse};
use super::super::targets::Targets;
use super::super::tests::{MANNER, selection, snapshot};

/// Who gives way first stands first; the last never does.
const ORDER: [(&str, bool); 7] = [
    ("leaving", true),
    ("leaving", false),
    ("waiting", true),
    ("answering", true),
    ("idle", false),
    ("answering", false),
    ("waiting", false),
];

fn client(doing: &str, half_closed: bool, began: Instant, kept: &mut Vec<UnixStream>) -> Client {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    kept.push(far);
    let mut client = Client::new(near.into(), began);
    let Parsed::Request(request, _) = parse(b"GET / HTTP/1.0\r\n\r\n") else {
        panic!("a request");
    };
    let frontends = match doing {
        "idle" => None,
        "leaving" => Some(0),
        // More than a unix socket takes.
        _ => Some(1_000),
    };
    if let Some(frontends) = frontends {
        client.wait(Wait::new(&request, (0, selection()), MANNER, began), began);
        if doing != "waiting" {
            let snapshot = Arc::new(snapshot(1, frontends));
            client.answer(&snapshot, &mut Buffers::default(), began);
        }
    }
    let is = match client.state {
        State::Reading => "idle",
        State::Waiting(_) => "waiting",
        State::Answering(_) => "answering",
        State::Leaving => "leaving",
    };
    assert_eq!(is, doing);
    client.half_closed = half_closed;
    client
}

#[test]
fn clients_that_have_ended_give_way_first() {
    let (now, mut kept) = (Instant::now(), Vec::new());
    let long_ago = now - MIN_ANSWER_TIME;
    let mut connections = Connections::new(ORDER.len());
    // Those that give way first came last.
    for (slot, (doing, half_closed)) in ORDER.into_iter().rev().enumerate() {
        let began = long_ago + Duration::from_millis(slot as u64) - Duration::from_secs(1);
        connections.put(slot, client(doing, half_closed, began, &mut kept));
    }
    for (nth, expected) in ORDER[..ORDER.len() - 1].iter().enumerate() {
        let slot = connections.replaceable(now).unwrap();
        assert_eq!(slot, ORDER.len() - 1 - nth, "{expected:?}");
        connections.close(slot);
        assert_eq!(connections.free(now).map(|free| free >= slot), Some(true));
    }
    assert_eq!(connections.replaceable(now), None);
}

/// However short it was.
#[test]
fn who_has_ended_or_leaves_gives_way_at_once() {
    let (now, mut kept) = (Instant::now(), Vec::new());
    for (doing, half_closed) in ORDER {
        let mut connections = Connections::new(1);
        connections.put(0, client(doing, half_closed, now, &mut kept));
        let at_once = half_closed || doing == "leaving";
        assert_eq!(
            connections.free(now).is_some(),
            at_once,
            "{doing} {half_closed}"
        );
        assert_eq!(connections.next_replaceable(now) == Some(now), at_once);
    }
}

/// Of several that are alike the one that came first.
#[test]
fn the_first_of_several_gives_way() {
    let (now, mut kept) = (Instant::now(), Vec::new());
    let mut connections = Connections::new(3);
    for (slot, age) in [(0, 20), (1, 40), (2, 30)] {
        let began = now - Duration::from_secs(age);
        connections.put(slot, client("waiting", true, began, &mut kept));
    }
    assert_eq!(connections.replaceable(now), Some(1));
}

#[test]
fn whether_all_who_wait_for_a_target_have_ended() {
    let (now, mut kept) = (Instant::now(), Vec::new());
    let mut connections = Connections::new(4);
    connections.put(0, client("waiting", true, now, &mut kept));
    connections.put(1, client("idle", false, now, &mut kept));
    connections.put(2, client("leaving", false, now, &mut kept));
    assert!(connections.all_half_closed(0));
    connections.put(3, client("waiting", false, now, &mut kept));
    assert!(!connections.all_half_closed(0));
    assert!(
        connections.all_half_closed(1),
        "nobody waits for another target"
    );
}

/// Of those that wait one in eight is too many: first those that may be gone, then the last of the target that
/// most wait for. A target that answers has no such limit until its clients have waited for a while.
#[test]
fn who_is_refused_while_too_many_wait() {
    // Targets of the clients in their order, with those that are half-closed; whether target 0 answers; who is
    // left after a moment.
    let cases: [(&str, bool, u64, &str); 8] = [
        ("00000000", false, 0, "0000000"),
        ("0000000", false, 0, "0000000"),
        ("00000000", true, 499, "00000000"),
        ("00000000", true, 500, "0000000"),
        ("00001111", true, 0, "0000111"),
        ("11110000", false, 0, "1111000"),
        ("1x000000", true, 0, "1000000"),
        ("00000001", false, 0, "0000001"),
    ];
    for (targets, answers, milliseconds, expected) in cases {
        let (now, mut kept) = (Instant::now(), Vec::new());
        let mut connections = Connections::new(targets.len().max(8));
        for (slot, target) in targets.chars().enumerate() {
            let began = now + Duration::from_micros(slot as u64);
            let mut one = client("waiting", target == 'x', began, &mut kept);
            if let State::Waiting(wait) = &mut one.state {
                wait.target = usize::from(target == '1');
            }
            connections.put(slot, one);
        }
        let later = now + Duration::from_millis(milliseconds) + Duration::from_micros(8);
        connections.refuse_too_many(|target| answers && target == 0, later);
        let left: String = connections
            .waiting()
            .map(|(wait, _)| wait.target.to_string())
            .collect();
        assert_eq!(left, expected, "{targets} {answers} {milliseconds}");
    }
}

/// Many clients that do not read a long page cost no more memory than is set.
#[test]
fn long_texts_are_limited_together() {
    let (now, mut kept) = (Instant::now(), Vec::new());
    let targets = Targets::new((0..100_000).map(|number| number.to_string()).collect());
    let text = Text::no_target(&targets.find(Some("x")).unwrap_err());
    let fitting = MAX_TEXT_BYTES / text.bytes(false, true).len();
    let mut connections = Connections::new(2 * fitting);
    for slot in 0..connections.len() {
        let mut one = client("idle", false, now, &mut kept);
        one.say(&text, (false, true), now);
        connections.put(slot, one);
        connections.limit_texts(slot);
    }
    let left = connections.all().count();
    // A little of each is with the kernel.
    assert!(
        (fitting..2 * fitting).contains(&left),
        "{left} of {fitting}"
    );
}
