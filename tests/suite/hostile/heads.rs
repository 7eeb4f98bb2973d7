//! Requests that are refused, that never end, or that are far too many.

use std::io::{self, Read, Write};

use crate::hostile::refused::refused;
use crate::hostile::tools::small;
use crate::hostile::{Attack, Rules, SMALL_KIB, siege};

const SMALL: Rules = Rules {
    percent_failed: 0,
    peak_kib: Some(SMALL_KIB),
};

#[test]
fn refused_requests() {
    let refused = refused();
    siege(
        "1,800 requests that are refused",
        small(),
        SMALL,
        |attack| {
            let mut done = 0;
            while attack.goes_on(done, 1800) {
                for (request, status) in &refused {
                    let got = attack.send(request).expect("send and receive");
                    let got = String::from_utf8_lossy(&got);
                    let status = format!("HTTP/1.1 {status}");
                    let shown = request[..request.len().min(99)].escape_ascii();
                    assert_eq!(got.lines().next(), Some(&*status), "{shown}");
                    done += 1;
                }
            }
            done
        },
    );
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
