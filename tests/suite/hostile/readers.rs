//! Clients that ask for much and read little of it.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::hostile::tools::{connect_with_small_buffer, many_servers, read_response, unsent};
use crate::hostile::{Attack, Honest, Rules, alone, is_idle, siege};
use crate::lifecycle::binaries::static_binary;
use crate::support::exporter::{self, Exporter};
use crate::support::http::{self, PATIENCE};
use crate::support::peers;

pub(crate) const GET: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";

/// The same, compressed: half a megabyte.
const GET_GZIP: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n";

fn large() -> Exporter {
    Exporter::start(&[&format!("--haproxy.scrape-uri={}", many_servers())])
}

/// Asks for all of it and never reads; asks again when it is cut off.
fn never_read(attack: &Attack<'_>, count: usize, request: &[u8]) -> usize {
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
                    asked += usize::from(client.write_all(request).is_ok());
                }
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    asked
}

#[test]
fn never_readers() {
    // Its allocator gives memory back; that of the tests' binary keeps a snapshot's worth, since another
    // thread freed it than the one that took it.
    let Some(binary) = static_binary() else {
        return;
    };
    let _alone = alone();
    let mut command = exporter::command_of(binary.as_os_str());
    command.arg(format!("--haproxy.scrape-uri={}", many_servers()));
    siege(
        "3 clients that ask for 20 MB and never read",
        Exporter::spawn(&mut command),
        Rules::default(),
        |attack| never_read(attack, 3, GET),
    );
}

/// A compressed response costs no more than a plain one, for as long as it is not read.
#[test]
fn never_readers_of_compressed_responses() {
    let Some(binary) = static_binary() else {
        return;
    };
    let _alone = alone();
    let mut command = exporter::command_of(binary.as_os_str());
    command.arg(format!("--haproxy.scrape-uri={}", many_servers()));
    siege(
        "20 clients that ask for 20 MB compressed and never read",
        Exporter::spawn(&mut command),
        Rules::default(),
        |attack| never_read(attack, 20, GET_GZIP),
    );
}

/// What the kernel does not take waits in one piece for each; nobody else waits.
#[test]
fn dripping_readers_of_compressed_responses() {
    let _alone = alone();
    let exporter = large();
    let honest = Honest::new(exporter.address());
    let drips: Vec<TcpStream> = (0..6)
        .map(|_| {
            let mut drip = connect_with_small_buffer(exporter.address());
            drip.write_all(GET_GZIP).expect("send a request");
            drip.peek(&mut [0; 1]).expect("the start of a response");
            drip
        })
        .collect();
    let port = exporter.address().port();
    let unsent: Vec<u64> = unsent(port).into_iter().map(|(_, bytes)| bytes).collect();
    let most = unsent.iter().max().copied().unwrap_or(0);
    assert!(most < 1_000_000, "{most} bytes in the kernel for a client");
    honest.scrape().expect("a scrape meanwhile");
    for mut drip in drips {
        let mut piece = [0; 8 * 1024];
        for _ in 0..4 {
            drip.read_exact(&mut piece).expect("a part of a response");
        }
    }
    honest.scrape().expect("a scrape behind them");
    let mut last = TcpStream::connect(exporter.address()).expect("connect");
    last.set_read_timeout(Some(PATIENCE))
        .expect("set a read timeout");
    last.write_all(GET_GZIP).expect("send a request");
    let mut last = BufReader::new(last);
    let response = read_response(&mut last, false).expect("a whole response");
    assert!(
        response.body.len() < 1_000_000,
        "{} bytes",
        response.body.len()
    );
    let text = response.decoded().expect("a text");
    honest.check(&text).expect("a complete exposition");
    assert_eq!(exporter.finish().status.code(), Some(0));
}

/// However many they are, the scrape behind them is served whole, and what they were sent is not
/// kept. (How long it takes is a matter for the benchmarks.)
#[test]
fn never_readers_do_not_add_up() {
    let _alone = alone();
    let exporter = large();
    let honest = Honest::new(exporter.address());
    let never_readers: Vec<TcpStream> = (0..30).map(|_| ask(&exporter)).collect();
    let took = honest.scrape().expect("the scrape behind them");
    eprintln!("behind 30 never-readers: {took:?}");
    let port = exporter.address().port();
    peers::wait_for("the kernel to forget what was cut", || {
        (unsent_of_closed(port) == 0).then_some(())
    });
    drop(never_readers);
}

/// Bytes that the kernel holds for connections to a port that the exporter has closed.
fn unsent_of_closed(port: u16) -> u64 {
    const FIN_WAIT_1: &str = "04";
    let unsent = unsent(port).into_iter();
    let closed = unsent.filter_map(|(state, bytes)| (state == FIN_WAIT_1).then_some(bytes));
    closed.sum()
}

/// Clients that read a little now and then always make progress; who waits behind them is served.
#[test]
fn dripping_readers_do_not_add_up() {
    let _alone = alone();
    let exporter = large();
    let honest = Honest::new(exporter.address());
    let drips = (0..6).map(|_| {
        let mut drip = connect_with_small_buffer(exporter.address());
        drip.write_all(GET).expect("send a request");
        drip.set_nonblocking(true).expect("set non-blocking");
        drip
    });
    let drips: Vec<TcpStream> = drips.collect();
    let over = AtomicBool::new(false);
    let took = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut piece = [0; 1024];
            while !over.load(Ordering::Relaxed) {
                for mut drip in &drips {
                    let _ = drip.read(&mut piece);
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let took = honest.scrape();
        over.store(true, Ordering::Relaxed);
        took.expect("the scrape behind them")
    });
    eprintln!("behind 6 dripping readers: {took:?}");
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

/// Readers give way when others need their place, and what is cut never looks whole: it is shorter than
/// its Content-Length.
#[test]
fn a_cut_answer_can_be_recognised() {
    let _alone = alone();
    let exporter = large();
    let honest = Honest::new(exporter.address());
    // Each gets a scrape of its own; there are no more snapshots.
    let mut never_readers: Vec<TcpStream> = (0..8)
        .map(|_| {
            let client = ask(&exporter);
            client.peek(&mut [0; 1]).expect("the start of an answer");
            client
        })
        .collect();
    honest.scrape().expect("the scrape behind them");
    let mut answer = Vec::new();
    let _ = never_readers[0].read_to_end(&mut answer);
    let error = http::parse(&answer, false).expect_err("a cut answer");
    assert!(error.starts_with("Content-Length "), "{error}");
    assert!(answer.len() < 20_000_000, "{} bytes", answer.len());
    // Nobody else had to go.
    let last = never_readers.last_mut().expect("the last");
    let mut answer = Vec::new();
    last.read_to_end(&mut answer).expect("all of it");
    let response = http::parse(&answer, false).expect("a whole answer");
    honest.check(&response.body).expect("a complete exposition");
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
