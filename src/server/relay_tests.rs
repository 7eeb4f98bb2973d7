use super::*;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// A relay between two socket pairs, with the tests at their far ends.
struct Bench {
    relay: Relay,
    now: Instant,
    server: (UnixStream, UnixStream),
    client: (UnixStream, UnixStream),
}

impl Bench {
    fn new(is_head: bool, keep_alive: bool) -> Self {
        let request = Request {
            is_head,
            path: "/".to_owned(),
            keep_alive,
            announced: None,
        };
        let now = Instant::now();
        let mut relay = Relay::new(now);
        relay.begin(&request, now);
        let client = UnixStream::pair().unwrap();
        client.1.set_nonblocking(true).unwrap();
        Self {
            relay,
            now,
            server: UnixStream::pair().unwrap(),
            client,
        }
    }

    fn answer(&mut self, bytes: impl AsRef<[u8]>) {
        self.server.1.write_all(bytes.as_ref()).unwrap();
    }

    fn carry(&mut self) -> Turn {
        let client = self.client.0.as_fd();
        self.relay
            .carry(self.server.0.as_fd(), Some(client), self.now)
    }

    fn carry_without_client(&mut self) -> Turn {
        self.relay.carry(self.server.0.as_fd(), None, self.now)
    }

    /// What has come to the client.
    fn received(&mut self) -> String {
        let mut bytes = Vec::new();
        let mut piece = [0; 64 * 1024];
        while let Ok(count @ 1..) = self.client.1.read(&mut piece) {
            bytes.extend_from_slice(&piece[..count]);
        }
        String::from_utf8(bytes).unwrap()
    }
}

#[test]
fn answers_get_a_connection_field_and_nothing_else() {
    let head = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n";
    let cases = [
        (false, true, "hello", "keep-alive"),
        (false, false, "hello", "close"),
        (true, true, "", "keep-alive"),
        (true, false, "", "close"),
    ];
    for (is_head, keep_alive, body, word) in cases {
        let answer = format!("{head}\r\n{body}");
        let expected = format!("{head}Connection: {word}\r\n\r\n{body}");
        // Whole, cut at every byte, and byte by byte.
        let mut cuts: Vec<Vec<usize>> = (1..answer.len()).map(|cut| vec![cut]).collect();
        cuts.push(Vec::new());
        cuts.push((1..answer.len()).collect());
        for cuts in cuts {
            let mut bench = Bench::new(is_head, keep_alive);
            assert_eq!(bench.carry(), Turn::NeedsServer);
            let mut from = 0;
            for cut in cuts {
                bench.answer(&answer[from..cut]);
                assert_eq!(bench.carry(), Turn::NeedsServer, "{cut}");
                assert!(bench.relay.waits_for_server_since().is_some());
                from = cut;
            }
            bench.answer(&answer[from..]);
            assert_eq!(bench.carry(), Turn::Done(keep_alive));
            assert_eq!(bench.received(), expected);
            assert_eq!(bench.relay.waits_for_server_since(), None);
        }
    }
}

#[test]
fn an_answer_without_a_body() {
    let mut bench = Bench::new(false, true);
    bench.answer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(bench.carry(), Turn::Done(true));
    let expected = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n";
    assert_eq!(bench.received(), expected);
}

#[test]
fn one_answer_behind_the_other() {
    let mut bench = Bench::new(false, true);
    for body in ["a", "bb", ""] {
        let request = Request {
            is_head: false,
            path: "/".to_owned(),
            keep_alive: true,
            announced: None,
        };
        bench.relay.begin(&request, bench.now);
        let length = body.len();
        bench.answer(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
        assert_eq!(bench.carry(), Turn::Done(true));
        assert!(bench.received().ends_with(&format!("\r\n\r\n{body}")));
    }
}

/// Far more than the sockets and the relay hold.
#[test]
fn a_large_answer_to_a_slow_client() {
    const LENGTH: usize = 4 << 20;
    let mut bench = Bench::new(false, true);
    let mut server = bench.server.1.try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        let body = "0123456789abcdef".repeat(LENGTH / 16);
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n{body}");
        server.write_all(answer.as_bytes()).unwrap();
        body
    });
    let mut received = String::new();
    let mut waited = 0;
    loop {
        match bench.carry() {
            Turn::Done(keep_alive) => {
                assert!(keep_alive);
                break;
            }
            Turn::NeedsClient => {
                waited += 1;
                assert!(bench.relay.waits_for_server_since().is_none());
                received += &bench.received();
            }
            Turn::NeedsServer => std::thread::yield_now(),
            Turn::Again => {}
            other => panic!("{other:?}"),
        }
    }
    received += &bench.received();
    assert!(waited > 0);
    let (_, body) = received.split_once("\r\n\r\n").unwrap();
    assert!(body == writer.join().unwrap());
}

#[test]
fn when_the_client_has_gone_the_rest_is_thrown_away() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    for cut in 0..answer.len() {
        let mut bench = Bench::new(false, true);
        bench.answer(&answer[..cut]);
        assert_eq!(bench.carry(), Turn::NeedsServer);
        bench.relay.discard();
        bench.answer(&answer[cut..]);
        assert_eq!(bench.carry_without_client(), Turn::Done(true), "{cut}");
    }
    let mut bench = Bench::new(false, true);
    bench.client.1 = UnixStream::pair().unwrap().0;
    bench.answer(answer);
    assert_eq!(bench.carry(), Turn::ClientGone);
    bench.relay.discard();
    assert_eq!(bench.carry_without_client(), Turn::Done(true));
}

#[test]
fn what_the_server_may_not_do() {
    let long_head = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(2 * MAX_HEAD_BYTES));
    let no_length = "an answer without Content-Length from the server";
    let cases = [
        ("HTTP/1.1 200 OK\r\n\r\nhello", no_length),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            no_length,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            no_length,
        ),
        (&long_head, "bad head from the server"),
    ];
    for (answer, expected) in cases {
        let mut bench = Bench::new(false, true);
        bench.answer(answer);
        assert_eq!(bench.carry(), Turn::Broken(expected.to_owned()));
        assert_eq!(bench.received(), "");
    }
    for answer in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
    ] {
        let mut bench = Bench::new(false, true);
        bench.answer(answer);
        bench.server.1.shutdown(std::net::Shutdown::Write).unwrap();
        let expected = "the server closed its connection".to_owned();
        assert_eq!(bench.carry(), Turn::Broken(expected), "{answer}");
    }
}
