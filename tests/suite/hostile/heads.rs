//! Requests that are none, that never end, or that are far too many.

use std::io::{self, Read, Write};

use crate::hostile::tools::small;
use crate::hostile::{Attack, Rules, SMALL_KIB, siege};

const SMALL: Rules = Rules {
    percent_failed: 0,
    peak_kib: Some(SMALL_KIB),
};

#[test]
fn what_is_no_request() {
    const BAD: &str = "HTTP/1.1 400 Bad Request";
    let tls_hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a hello that never ends";
    let mut noise = vec![0; 4096];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for byte in &mut noise {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *byte = state as u8 | 0x80;
    }
    let attacks: [(&str, &[u8], &str); 9] = [
        (
            "HTTP/2.0",
            b"GET / HTTP/2.0\r\n\r\n",
            "HTTP/1.1 505 HTTP Version Not Supported",
        ),
        (
            "the HTTP/2 preface",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "HTTP/1.1 505 HTTP Version Not Supported",
        ),
        ("a TLS hello", tls_hello, BAD),
        ("binary noise", &noise, BAD),
        (
            "empty lines",
            &b"\r\n".repeat(5000),
            "HTTP/1.1 431 Request Header Fields Too Large",
        ),
        (
            "bare LF",
            b"GET /-/healthy HTTP/1.0\nConnection: close\n\n",
            "HTTP/1.1 200 OK",
        ),
        (
            "non-ASCII in the path",
            "GET /\u{fc} HTTP/1.0\r\n\r\n".as_bytes(),
            BAD,
        ),
        (
            "non-ASCII in a field's name",
            "GET /-/healthy HTTP/1.0\r\n\u{fc}: a\r\n\r\n".as_bytes(),
            BAD,
        ),
        ("NUL", b"GET /-/healthy HTTP/1.0\r\na: \0\r\n\r\n", BAD),
    ];
    siege(
        "200 times each of nine that are no requests",
        small(),
        SMALL,
        |attack| {
            let mut done = 0;
            while attack.goes_on(done, 200 * attacks.len()) {
                for (name, bytes, answer) in attacks {
                    let got = attack.send(bytes).expect("send and receive");
                    let got = String::from_utf8_lossy(&got);
                    assert_eq!(got.lines().next(), Some(answer), "{name}");
                    done += 1;
                }
            }
            done
        },
    );
}

#[test]
fn bodies() {
    let bodies = [
        ("Content-Length: 5000", "413 Content Too Large"),
        (
            "Content-Length: 4611686018427387904",
            "413 Content Too Large",
        ),
        (
            "Content-Length: 18446744073709551615",
            "413 Content Too Large",
        ),
        (
            "Content-Length: 99999999999999999999999",
            "413 Content Too Large",
        ),
        ("Content-Length: 5\r\nContent-Length: 6", "400 Bad Request"),
        (
            "Content-Length: 5\r\nContent-Length: 5",
            "413 Content Too Large",
        ),
        ("Content-Length: -1", "400 Bad Request"),
        ("Content-Length: 0x5", "400 Bad Request"),
        ("Content-Length: ", "400 Bad Request"),
        ("Transfer-Encoding: chunked", "413 Content Too Large"),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "413 Content Too Large",
        ),
        (
            "Content-Length: 5\r\nExpect: 100-continue",
            "417 Expectation Failed",
        ),
        ("Upgrade: h2c\r\nConnection: upgrade", "400 Bad Request"),
    ];
    let requests = bodies.map(|(fields, answer)| {
        (
            format!("GET /metrics HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n5\r\nhello"),
            format!("HTTP/1.1 {answer}"),
        )
    });
    siege("bodies of all kinds", small(), SMALL, |attack| {
        let mut done = 0;
        while attack.goes_on(done, 200) {
            for (request, answer) in &requests {
                let got = attack.send(request.as_bytes()).expect("send and receive");
                let got = String::from_utf8_lossy(&got);
                assert_eq!(got.lines().next(), Some(answer.as_str()), "{request:?}");
                done += 1;
            }
        }
        done
    });
}

/// Whoever announces next to no time makes HAProxy look down to itself, and to nobody else.
#[test]
fn clients_in_a_hurry() {
    siege("scrapes with a timeout of 1 ns", small(), SMALL, |attack| {
        let request = b"GET /metrics HTTP/1.0\r\nX-Prometheus-Scrape-Timeout-Seconds: 1e-9\r\n\r\n";
        let ask = || {
            let mut done = 0;
            while attack.goes_on(done, 1000) {
                let got = attack.send(request).expect("send and receive");
                let got = String::from_utf8_lossy(&got);
                // Up only for one that came in time to share a scrape of others.
                assert!(got.contains("\nhaproxy_up "), "{got}");
                done += 1;
            }
            done
        };
        // Several, so that one of them always waits together with the honest client.
        std::thread::scope(|scope| {
            let others: Vec<_> = (0..3).map(|_| scope.spawn(ask)).collect();
            let others = others
                .into_iter()
                .map(|other| other.join().expect("a client"));
            others.sum()
        })
    });
}

/// Sends `start` and then `block` again and again, on as many connections as it takes, until
/// `wanted` bytes have left. Returns how many did.
fn pour(attack: &Attack<'_>, start: &[u8], block: &[u8], wanted: usize) -> usize {
    let mut sent = 0;
    while attack.goes_on(sent, wanted) {
        let mut pour_one = || -> io::Result<()> {
            let mut stream = attack.connect()?;
            stream.write_all(start)?;
            while attack.goes_on(sent, wanted) {
                sent += stream.write(block)?;
            }
            Ok(())
        };
        // It is closed on us, sooner or later.
        let _ = pour_one();
    }
    sent
}

#[test]
fn heads_without_end() {
    const START: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: a\r\nX: ";
    let fields = b"A: b\r\n".repeat(10_000);
    let line = vec![b'x'; 1 << 16];
    siege(
        "a header line of 200 MB (bytes)",
        small(),
        SMALL,
        |attack| pour(attack, START, &line, 200_000_000),
    );
    siege("10 MB of small headers (bytes)", small(), SMALL, |attack| {
        pour(attack, b"GET /metrics HTTP/1.1\r\n", &fields, 10_000_000)
    });
    let path = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(100_000));
    siege("paths of 100 KB", small(), SMALL, |attack| {
        let mut done = 0;
        while attack.goes_on(done, 200) {
            let mut stream = attack.connect().expect("connect");
            // The answer is there before all of the path has been sent.
            let _ = stream.write_all(path.as_bytes());
            let mut got = Vec::new();
            let _ = stream.read_to_end(&mut got);
            assert!(
                got.starts_with(b"HTTP/1.1 431 "),
                "{}",
                String::from_utf8_lossy(&got)
            );
            done += 1;
        }
        done
    });
}

#[test]
fn pipelines() {
    let requests = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    let block = requests.repeat(1000);
    siege(
        "200,000 pipelined requests, nothing read",
        small(),
        SMALL,
        |attack| pour(attack, b"", &block, 200_000 * requests.len()) / requests.len(),
    );
    siege(
        "200,000 pipelined requests, answers read",
        small(),
        SMALL,
        |attack| {
            let mut sent = 0;
            while attack.goes_on(sent, 200_000) {
                let mut stream = attack.connect().expect("connect");
                let mut reader = stream.try_clone().expect("a second handle");
                std::thread::scope(|scope| {
                    scope.spawn(move || {
                        let mut scrap = vec![0; 1 << 16];
                        while reader.read(&mut scrap).is_ok_and(|count| count > 0) {}
                    });
                    while attack.goes_on(sent, 200_000) {
                        match stream.write(&block) {
                            Ok(count) => sent += count / requests.len(),
                            Err(_) => break,
                        }
                    }
                    // The reader waits for nothing more than this.
                    let _ = stream.shutdown(std::net::Shutdown::Both);
                });
            }
            sent
        },
    );
}
