use super::*;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

use socket2::SockRef;

use super::super::request::{Parsed, parse};
use super::super::tests::{MANNER, selection, snapshot};

/// For what is there in a moment.
const PATIENCE: Duration = Duration::from_secs(60);
const GET: &[u8] = b"GET /metrics HTTP/1.0\r\n\r\n";

/// What a connection may be doing, in the order in which it does it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    Nothing,
    Asking,
    Waiting,
    Getting,
    Resting,
    Idle,
    Leaving,
}

const ALL: [Doing; 7] = [
    Doing::Nothing,
    Doing::Asking,
    Doing::Waiting,
    Doing::Getting,
    Doing::Resting,
    Doing::Idle,
    Doing::Leaving,
];

struct Bench {
    client: Client,
    scratch: Box<[u8; MAX_HEAD_BYTES]>,
    buffers: Buffers,
    now: Instant,
}

impl Bench {
    /// A connection that does this; the other side has read nothing.
    fn new(near: OwnedFd, mut far: impl Write, doing: Doing) -> Self {
        let now = Instant::now();
        let mut bench = Self {
            client: Client::new(near, now),
            scratch: Box::new([0; MAX_HEAD_BYTES]),
            buffers: Buffers::default(),
            now,
        };
        let keep_alive = doing != Doing::Leaving;
        match doing {
            Doing::Nothing => {}
            Doing::Asking => {
                far.write_all(b"GET /").unwrap();
                assert_eq!(bench.look(), Next::Stays);
            }
            Doing::Waiting => bench.wait(),
            Doing::Getting | Doing::Resting => {
                bench.wait();
                // 40 MB: more than the kernel takes.
                assert_eq!(bench.answer(20_000), Next::Stays);
            }
            Doing::Idle | Doing::Leaving => {
                let text = Text::refusal(Refusal::Timeout);
                let next = bench.client.say(&text, (false, keep_alive), now);
                assert_eq!(next, Next::Stays);
            }
        }
        match (&mut bench.client.state, doing) {
            (State::Answering(response), Doing::Getting) => response.rests_until = None,
            (State::Answering(response), Doing::Resting) => response.rests_until = Some(now),
            (State::Reading, Doing::Nothing | Doing::Asking | Doing::Idle)
            | (State::Waiting(_), Doing::Waiting)
            | (State::Leaving, Doing::Leaving) => {}
            _ => panic!("not {doing:?}"),
        }
        bench
    }

    fn wait(&mut self) {
        let Parsed::Request(request, _) = parse(GET) else {
            panic!("a request");
        };
        let manner = Manner {
            keep_alive: request.keep_alive,
            ..MANNER
        };
        let wait = Wait::new(&request, (0, selection()), manner, self.now);
        self.client.wait(wait, self.now);
    }

    fn answer(&mut self, frontends: usize) -> Next {
        let snapshot = Arc::new(snapshot(1, frontends));
        self.client.answer(&snapshot, &mut self.buffers, self.now)
    }

    /// Whether poll finds anything, and what.
    fn poll(&self, time: Duration) -> Option<i16> {
        let mut set = [self.client.poll_fd()];
        let found = sys::poll(&mut set, Some(time)).unwrap();
        (found > 0).then_some(set[0].revents)
    }

    /// What comes of what poll finds next.
    fn look(&mut self) -> Next {
        let found = self.poll(PATIENCE).expect("something to do");
        let (scratch, buffers) = (&mut self.scratch, &mut self.buffers);
        self.client.handle(found, scratch, buffers, self.now)
    }

    /// Looks until it is gone, and no more often than it takes to read two ends.
    fn is_gone(&mut self) -> bool {
        // The end of what it sends may show before the reset that follows.
        (0..3).any(|_| self.look() == Next::Gone)
    }
}

fn tcp() -> (OwnedFd, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let near = listener.accept().unwrap().0;
    near.set_nonblocking(true).unwrap();
    (near.into(), far)
}

fn unix() -> (OwnedFd, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    (near.into(), far)
}

#[test]
fn a_reset_ends_a_connection_whatever_it_is_doing() {
    for doing in ALL {
        let (near, far) = tcp();
        let mut bench = Bench::new(near, &far, doing);
        SockRef::from(&far)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(far);
        assert!(bench.is_gone(), "{doing:?}");
    }
}

#[test]
fn a_close_of_a_unix_socket_ends_a_connection_whatever_it_is_doing() {
    for doing in ALL {
        let (near, far) = unix();
        let mut bench = Bench::new(near, &far, doing);
        drop(far);
        assert_eq!(bench.look(), Next::Gone, "{doing:?}");
    }
}

/// The client's kernel rejects what it is sent; ours counts that as not taken for ever.
#[test]
fn who_closes_without_reading_is_gone_once_that_is_known() {
    for doing in [Doing::Getting, Doing::Resting, Doing::Idle, Doing::Leaving] {
        let (near, far) = tcp();
        let mut bench = Bench::new(near, &far, doing);
        drop(far);
        assert!(bench.is_gone(), "{doing:?}, answered before");
    }
    for doing in [Doing::Waiting, Doing::Idle, Doing::Leaving] {
        let (near, far) = tcp();
        let mut bench = match doing {
            Doing::Waiting => Bench::new(near, &far, doing),
            _ => Bench::new(near, &far, Doing::Nothing),
        };
        drop(far);
        match doing {
            Doing::Waiting => {
                assert_eq!(bench.look(), Next::Stays);
                assert!(bench.client.half_closed);
                // A piece after the reset fails.
                let gone = bench.answer(20_000) == Next::Gone;
                assert!(gone || bench.is_gone(), "{doing:?}");
            }
            _ => {
                let text = Text::refusal(Refusal::Timeout);
                let keep_alive = doing == Doing::Idle;
                let next = bench.client.say(&text, (false, keep_alive), bench.now);
                assert_eq!(next, Next::Stays);
                assert!(bench.is_gone(), "{doing:?}, closed before");
            }
        }
    }
}

/// It waits as others do, and is watched for its close only.
#[test]
fn who_closes_half_of_its_connection_gets_its_answer() {
    let (near, far) = tcp();
    who_closes_half(near, far, |far| far.shutdown(Shutdown::Write).unwrap());
    let (near, far) = unix();
    who_closes_half(near, far, |far| far.shutdown(Shutdown::Write).unwrap());
}

fn who_closes_half<S: Read>(near: OwnedFd, mut far: S, close_half: impl Fn(&S))
where
    for<'a> &'a S: Write,
{
    let mut bench = Bench::new(near, &far, Doing::Waiting);
    assert!(!bench.client.half_closed);
    assert_eq!(bench.client.can_go_at(bench.now), None);
    close_half(&far);
    assert_eq!(bench.look(), Next::Stays);
    assert!(bench.client.half_closed);
    assert_eq!(bench.client.can_go_at(bench.now), Some(bench.now));
    assert_eq!(bench.poll(Duration::ZERO), None, "said once");
    assert_eq!(bench.answer(0), Next::Stays);
    let State::Leaving = bench.client.state else {
        panic!("not all of it was sent");
    };
    let mut head = [0; 15];
    far.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    // Its end is read once more; from then on only the kernel's count tells when it has all.
    let mut next = bench.look();
    far.read_to_end(&mut Vec::new()).unwrap();
    if next == Next::Stays {
        assert_eq!(bench.poll(Duration::ZERO), None, "ready all the time");
        next = bench.client.expire(bench.now);
    }
    assert_eq!(next, Next::Gone);
}

/// What it has sent before its end is not lost.
#[test]
fn requests_before_the_end_are_read() {
    let (near, mut far) = unix();
    let mut bench = Bench::new(near, &far, Doing::Waiting);
    let State::Waiting(wait) = &mut bench.client.state else {
        panic!("it waits");
    };
    wait.manner.keep_alive = true;
    far.write_all(GET).unwrap();
    far.shutdown(Shutdown::Write).unwrap();
    assert_eq!(bench.look(), Next::Stays);
    assert!(bench.client.half_closed);
    assert_eq!(bench.answer(0), Next::Stays);
    let mut answer = vec![0; 1 << 20];
    assert!(far.read(&mut answer).unwrap() > 0);
    assert!(matches!(bench.look(), Next::Asks(_)));
}

/// To close while bytes of the client are unread would make the kernel throw its answer away.
#[test]
fn what_came_before_the_end_is_read_before_the_close() {
    let (near, mut far) = tcp();
    let mut bench = Bench::new(near, &far, Doing::Waiting);
    far.write_all(GET).unwrap();
    far.shutdown(Shutdown::Write).unwrap();
    assert_eq!(bench.look(), Next::Stays);
    assert!(bench.client.half_closed);
    assert_eq!(bench.answer(0), Next::Stays);
    assert!(matches!(bench.client.state, State::Leaving));
    assert_eq!(bench.look(), Next::Stays, "the request");
    if bench.look() == Next::Gone {
        bench.client.close();
    }
    let mut answer = Vec::new();
    far.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
}

/// A client that does not read what it was sent is looked at again and again, but not for ever.
#[test]
fn a_client_that_has_ended_may_read_for_a_while() {
    let (near, far) = unix();
    let mut bench = Bench::new(near, &far, Doing::Leaving);
    far.shutdown(Shutdown::Write).unwrap();
    assert_eq!(bench.look(), Next::Stays);
    assert_eq!(bench.poll(Duration::ZERO), None);
    let soon = bench.now + LOOK_PAUSE;
    assert_eq!(bench.client.expires(), Some(soon), "soon");
    let last = bench.now + ANSWER_TIMEOUT;
    while let Some(at) = bench.client.expires()
        && at < last
    {
        assert!(at > bench.now, "busy");
        bench.now = at;
        assert_eq!(bench.client.expire(at), Next::Stays);
    }
    assert_eq!(bench.client.expire(last), Next::Gone);
}

/// How long each state lasts if nothing comes.
#[test]
fn times_of_a_connection() {
    for (doing, expected) in [
        (Doing::Nothing, Some(HEAD_TIMEOUT)),
        (Doing::Asking, Some(HEAD_TIMEOUT)),
        // Its scrape has an end.
        (Doing::Waiting, None),
        (Doing::Getting, Some(ANSWER_TIMEOUT)),
        (Doing::Resting, Some(Duration::ZERO)),
        (Doing::Idle, Some(KEEP_ALIVE_TIMEOUT)),
        (Doing::Leaving, Some(LINGER_TIMEOUT)),
    ] {
        let (near, far) = unix();
        let bench = Bench::new(near, &far, doing);
        let expires = bench.client.expires();
        assert_eq!(expires, expected.map(|time| bench.now + time), "{doing:?}");
    }
}

/// It begins with its first byte, and the others do not make it longer.
#[test]
fn the_time_for_a_head() {
    let (near, mut far) = unix();
    let mut bench = Bench::new(near, &far, Doing::Idle);
    assert!(far.read(&mut [0; 4096]).unwrap() > 0);
    bench.now += KEEP_ALIVE_TIMEOUT / 2;
    let expected = bench.now + HEAD_TIMEOUT;
    for piece in [&b"GET"[..], b" /", b"metrics"] {
        far.write_all(piece).unwrap();
        assert_eq!(bench.look(), Next::Stays);
        assert_eq!(bench.client.expires(), Some(expected), "{piece:?}");
        bench.now += Duration::from_secs(1);
    }
}

/// What becomes of a connection whose time is over, and what it hears of that.
#[test]
fn the_end_of_a_time() {
    let cases: [(Doing, Duration, Next, &str); 7] = [
        (Doing::Nothing, HEAD_TIMEOUT, Next::Gone, ""),
        (Doing::Asking, HEAD_TIMEOUT, Next::Stays, "HTTP/1.1 408 "),
        (Doing::Idle, KEEP_ALIVE_TIMEOUT, Next::Gone, "HTTP/1.1 408 "),
        (Doing::Resting, Duration::ZERO, Next::Stays, "HTTP/1.1 200 "),
        (
            Doing::Getting,
            ANSWER_TIMEOUT - REST,
            Next::Stays,
            "HTTP/1.1 200 ",
        ),
        (Doing::Getting, ANSWER_TIMEOUT, Next::Gone, "HTTP/1.1 200 "),
        (Doing::Resting, ANSWER_TIMEOUT, Next::Gone, "HTTP/1.1 200 "),
    ];
    for (doing, time, expected, said) in cases {
        let (near, mut far) = unix();
        let mut bench = Bench::new(near, &far, doing);
        let next = bench.client.expire(bench.now + time);
        assert_eq!(next, expected, "{doing:?} {time:?}");
        if let State::Answering(delivery) = &bench.client.state
            && next == Next::Stays
        {
            assert_eq!(delivery.rests_until, None, "{doing:?}");
        }
        drop(bench);
        let mut head = vec![0; said.len()];
        far.read_exact(&mut head).unwrap();
        assert_eq!(String::from_utf8(head).unwrap(), said, "{doing:?} {time:?}");
        if said.is_empty() {
            assert_eq!(far.read(&mut [0]).unwrap(), 0, "{doing:?}");
        }
    }
}

/// An answer that the kernel has is the client's for as long as one that is being sent.
#[test]
fn an_idle_client_that_still_reads_is_not_pushed_out() {
    let (near, mut far) = unix();
    let mut bench = Bench::new(near, &far, Doing::Idle);
    let at = bench.now;
    let look = Some(at + LOOK_PAUSE);
    assert_eq!(bench.client.can_go_at(at), look);
    let last = at + MIN_ANSWER_TIME;
    let before = last.checked_sub(LOOK_PAUSE / 2).unwrap();
    assert_eq!(bench.client.can_go_at(before), Some(last));
    let idle = Some(at + MIN_IDLE);
    assert_eq!(bench.client.can_go_at(last), idle);
    // What it has read does not protect it.
    bench.now = at;
    let mut answer = vec![0; 4096];
    assert!(far.read(&mut answer).unwrap() > 0);
    assert_eq!(bench.client.can_go_at(at), idle);
}

#[test]
fn who_does_not_read_gets_no_more() {
    for reads in [false, true] {
        let (near, mut far) = unix();
        let mut bench = Bench::new(near, &far, Doing::Idle);
        if reads {
            assert!(far.read(&mut [0; 4096]).unwrap() > 0);
        }
        far.write_all(GET).unwrap();
        let next = bench.look();
        assert_eq!(matches!(next, Next::Asks(_)), reads, "{next:?}");
        assert_eq!(next == Next::Gone, !reads, "{next:?}");
    }
}

/// A request behind which more has come is the last of its connection: what came is thrown away.
#[test]
fn requests_are_never_piled_up() {
    let get = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    let (first, second) = get.split_at(10);
    let twice = get.repeat(2);
    let more = format!("{second}G");
    let cases: [(&[&str], bool); 5] = [
        (&[get], true),
        (&[first, second], true),
        (&[&twice], false),
        (&[first, &more], false),
        (&[&get[..get.len() - 1], "\n"], true),
    ];
    for (pieces, keep_alive) in cases {
        let (near, mut far) = unix();
        let mut bench = Bench::new(near, &far, Doing::Nothing);
        let mut next = Next::Stays;
        for piece in pieces {
            assert_eq!(next, Next::Stays, "{pieces:?}");
            far.write_all(piece.as_bytes()).unwrap();
            next = bench.look();
        }
        let Next::Asks(request) = next else {
            panic!("{pieces:?}: {next:?}");
        };
        assert_eq!(request.keep_alive, keep_alive, "{pieces:?}");
    }
}

/// After a plain close the kernel would keep what the client does not read.
#[test]
fn a_close_forgets_what_the_client_has_not_read() {
    for (doing, is_reset) in [(Doing::Getting, true), (Doing::Nothing, false)] {
        let (near, mut far) = tcp();
        Bench::new(near, &far, doing).client.close();
        let result = far.read_to_end(&mut Vec::new());
        let error = result.err().map(|error| error.kind());
        let expected = is_reset.then_some(io::ErrorKind::ConnectionReset);
        assert_eq!(error, expected, "{doing:?}");
    }
}

mod texts;
