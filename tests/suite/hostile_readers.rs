//! Clients that ask for much and read little of it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::hostile::{Attack, Honest, Rules, alone, is_idle, siege};
use crate::hostile_tools::many_servers;
use crate::support::exporter::Exporter;
use crate::support::http::{self, PATIENCE};

const GET: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";

fn large() -> Exporter {
    Exporter::start(&[&format!("--haproxy.scrape-uri={}", many_servers())])
}

fn within(seconds: u64) -> Rules {
    Rules {
        within: Some(Duration::from_secs(seconds)),
        ..Rules::default()
    }
}

/// Asks for all of it and never reads; asks again when it is cut off.
fn never_read(attack: &Attack, count: usize) -> usize {
    let mut asked = 0;
    let mut clients: Vec<Option<TcpStream>> = (0..count).map(|_| None).collect();
    while attack.goes_on(asked, 10 * count) {
        for client in &mut clients {
            let gone = client.as_ref().is_none_or(|client| {
                client.set_nonblocking(true).expect("set non-blocking");
                // An error shows only once what came before it has been read, so send instead.
                matches!((&mut &*client).write(b" "), Err(e) if e.kind() != ErrorKind::WouldBlock)
            });
            if gone {
                *client = attack.connect().ok();
                if let Some(client) = client {
                    asked += usize::from(client.write_all(GET).is_ok());
                }
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    asked
}

#[test]
fn never_readers() {
    siege(
        "3 clients that ask for 20 MB and never read",
        large(),
        within(3),
        |attack| never_read(attack, 3),
    );
}

/// As many as there are places for, but for the honest client's: it is served before it gives up.
#[test]
fn never_readers_do_not_add_up() {
    let _alone = alone();
    let exporter = large();
    let honest = Honest::new(exporter.address());
    let never_readers: Vec<TcpStream> = (0..60).map(|_| ask(&exporter)).collect();
    let took = honest.scrape().expect("the scrape behind them");
    eprintln!("behind 60 never-readers: {took:?}");
    drop(never_readers);
}

/// Whoever reads slowly gets all of it, while nobody else waits.
#[test]
fn a_slow_reader_is_served_while_it_is_alone() {
    let exporter = large();
    let honest = Honest::new(exporter.address());
    let mut stream = ask(&exporter);
    let mut answer = Vec::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        match stream.read(&mut piece).expect("an answer without a cut") {
            0 => break,
            count => answer.extend_from_slice(&piece[..count]),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let response = http::parse(&answer, false).expect("a whole answer");
    honest.check(&response.body).expect("a complete exposition");
}

/// What is cut never looks whole: it is shorter than its Content-Length.
#[test]
fn a_cut_answer_can_be_recognised() {
    let exporter = large();
    let honest = Honest::new(exporter.address());
    let mut never_reader = ask(&exporter);
    never_reader
        .peek(&mut [0; 1])
        .expect("the start of an answer");
    // It is cut off for this one.
    honest.scrape().expect("the scrape behind it");
    let mut answer = Vec::new();
    let _ = never_reader.read_to_end(&mut answer);
    let error = http::parse(&answer, false).expect_err("a cut answer");
    assert!(error.starts_with("Content-Length "), "{error}");
    assert!(answer.len() < 20_000_000, "{} bytes", answer.len());
}

/// Nobody who only waits, or makes others wait, costs processor time.
#[test]
fn waiting_is_not_busy() {
    let _alone = alone();
    let exporter = large();
    let connect = || TcpStream::connect(exporter.address()).expect("connect");
    let idle: Vec<TcpStream> = (0..20).map(|_| connect()).collect();
    let never_reader = ask(&exporter);
    never_reader.peek(&mut [0]).expect("the start of an answer");
    let mut half_closed = ask(&exporter);
    half_closed.shutdown(Shutdown::Write).expect("half a close");
    let mut talker = ask(&exporter);
    talker.write_all(&[b'x'; 4096]).expect("send");
    // Time for what is in the kernel's buffers.
    std::thread::sleep(Duration::from_millis(150));
    is_idle(&exporter).expect("peace while an answer stands still");
    drop(never_reader);
    let mut answer = Vec::new();
    half_closed.read_to_end(&mut answer).expect("an answer");
    http::parse(&answer, false).expect("a whole answer");
    drop((idle, talker));
}

/// A client that has asked for the metrics.
pub(crate) fn ask(exporter: &Exporter) -> TcpStream {
    let mut stream = TcpStream::connect(exporter.address()).expect("connect");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("set a read timeout");
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .expect("send a request");
    stream
}
