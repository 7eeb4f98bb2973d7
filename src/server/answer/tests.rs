use super::*;
use std::io::Read;
use std::os::unix::net::UnixStream;

/// A client's socket, as the front has it, and its far end.
fn client() -> (OwnedFd, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    (near.into(), far)
}

/// An answer that was ready long ago.
fn new<'a>(client: &'a OwnedFd, handover: &'a Handover) -> Answer<'a> {
    let long_ago = Instant::now().checked_sub(LONG_WAIT).unwrap();
    Answer::new(client, handover, long_ago)
}

/// Others that have waited for so long that each stall counts.
fn crowded() -> Handover {
    let now = Instant::now();
    let handover = Handover::new(now);
    handover.set_others(
        now.checked_sub(LONG_WAIT)
            .map(|since| Waiting { since, clients: 1 }),
    );
    handover
}

#[test]
fn what_the_client_takes_at_once_is_sent_at_once() {
    let (near, mut far) = client();
    let handover = Handover::new(Instant::now());
    let mut answer = new(&near, &handover);
    answer.write_all(b"one ").unwrap();
    answer.write_all(b"two").unwrap();
    assert_eq!(answer.sent(), 7);
    drop(near);
    let mut received = String::new();
    far.read_to_string(&mut received).unwrap();
    assert_eq!(received, "one two");
}

/// Far more than the socket holds, to a client that rests after each piece, while others wait.
#[test]
fn a_slow_reader_gets_all_of_it() {
    let (near, mut far) = client();
    let body = "0123456789abcdef".repeat(64 * 1024);
    let expected = body.clone();
    let reader = std::thread::spawn(move || {
        let mut received = Vec::new();
        let mut piece = [0; 64 * 1024];
        loop {
            match far.read(&mut piece).unwrap() {
                0 => return received == expected.as_bytes(),
                count => received.extend_from_slice(&piece[..count]),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let handover = crowded();
    let before = handover.last_alive();
    let result = new(&near, &handover).write_all(body.as_bytes());
    assert!(result.is_ok(), "{result:?}");
    assert!(handover.last_alive() > before, "no sign of life");
    drop(near);
    assert!(reader.join().unwrap(), "another answer came");
}

#[test]
fn a_never_reader_is_given_up() {
    let (near, far) = client();
    let handover = crowded();
    let mut answer = new(&near, &handover);
    let error = answer.write_all(&vec![b'x'; 4 << 20]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "the client reads too slowly");
    assert!(answer.sent() > 0);
    drop(far);
}

/// Before the answer and in its midst.
#[test]
fn a_client_that_has_gone_fails_the_write() {
    let (near, far) = client();
    let handover = Handover::new(Instant::now());
    drop(far);
    let error = new(&near, &handover).write_all(b"x").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);

    let (near, far) = client();
    let leaver = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        drop(far);
    });
    let error = new(&near, &handover)
        .write_all(&vec![b'x'; 4 << 20])
        .unwrap_err();
    let gone = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
    assert!(gone.contains(&error.kind()), "{error}");
    leaver.join().unwrap();
}

/// All times in milliseconds from the answer's beginning.
#[test]
fn how_long_a_client_may_keep_the_others_waiting() {
    const MIB: u64 = 1024 * 1024;
    // The last sign of reading, bytes sent and held, others and since when they wait, when the client
    // is given up.
    let cases = [
        (0, (0, 0), None, 5_000),
        (3_000, (10, 0), None, 8_000),
        (28_000, (10, 0), None, 30_000),
        (0, (0, 0), Some((1, 0)), 500),
        (0, (0, 0), Some((60, -500)), 500),
        // Somebody has waited for a second.
        (0, (0, 0), Some((1, -1_000)), 250),
        (0, (0, 0), Some((2, -1_000)), 250),
        (0, (0, 0), Some((4, -1_000)), 125),
        (0, (0, 0), Some((60, -1_000)), 100),
        (0, (0, 0), Some((1, -900)), 250),
        (0, (0, 0), Some((1, -600)), 400),
        (1_000, (100 * MIB, 0), Some((1, -1_000)), 1_250),
        (1_000, (100 * MIB, 0), Some((1, 900)), 1_500),
        // Too slow on average.
        (1_900, (MIB, 0), Some((1, 1_800)), 2_000),
        (1_900, (0, 0), Some((1, 1_800)), 1_000),
        (2_900, (2 * MIB, 0), Some((1, 2_890)), 3_000),
        (2_900, (3 * MIB, 0), Some((1, 2_890)), 3_400),
        (2_900, (2 * MIB, 0), Some((1, -1_000)), 2_250),
        // What the kernel holds has not been read.
        (1_900, (5 * MIB, 4 * MIB), Some((1, 1_800)), 2_000),
        (2_900, (6 * MIB, 5 * MIB), Some((4, -1_000)), 1_125),
    ];
    let zero = Instant::now();
    let began = zero + LONG_WAIT;
    let at = |millis: i64| zero + Duration::from_millis((millis + 1_000).max(0).unsigned_abs());
    for (last_read, (sent, held), others, expected) in cases {
        let pace = Pace {
            began,
            ready: zero,
            last_read: at(last_read),
            sent,
            held,
        };
        let waiting = others.map(|(clients, since)| Waiting {
            since: at(since),
            clients,
        });
        let case = format!("{last_read} {sent} {held} {others:?}");
        assert_eq!(pace.expires(waiting), at(expected), "{case}");
    }
    let fresh = Pace {
        began,
        ready: began,
        last_read: began,
        sent: 0,
        held: 0,
    };
    let since = zero;
    let waiting = Some(Waiting { since, clients: 60 });
    assert_eq!(fresh.expires(waiting), at(500), "a scrape that took long");
}
