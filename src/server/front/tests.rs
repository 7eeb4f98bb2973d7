use super::*;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::super::handover::Exchange;
use super::super::link::{CUT, SENT};
use super::super::listen::{ListenAddress, bind_all};

/// A front whose server is the test.
struct Bench {
    address: SocketAddr,
    private: BufReader<UnixStream>,
    handover: Arc<Handover>,
    front: JoinHandle<End>,
    /// Stands for the signals, which never come.
    _signals: UnixStream,
}

impl Bench {
    fn new(patience: Duration) -> Self {
        let address = ListenAddress::parse("127.0.0.1:0").unwrap();
        let listeners = bind_all(&[address], 0).unwrap();
        let listener = TcpListener::from(listeners[0].fd.try_clone().unwrap());
        let (signals, others) = UnixStream::pair().unwrap();
        let (near, far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let handover = Arc::new(Handover::new(Instant::now()));
        let front = Front::new(
            signals.into(),
            listeners,
            near,
            Arc::clone(&handover),
            patience,
        );
        Self {
            address: listener.local_addr().unwrap(),
            private: BufReader::new(far),
            handover,
            front: std::thread::spawn(|| front.run()),
            _signals: others,
        }
    }

    /// A client that has sent a request.
    fn ask(&self, request: &str) -> TcpStream {
        let mut client = TcpStream::connect(self.address).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        client
    }

    /// What the front sends on.
    fn request(&mut self) -> String {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            self.private.read_line(&mut request).unwrap();
        }
        request
    }

    fn report(&mut self, report: &[u8]) {
        self.private.get_mut().write_all(report).unwrap();
    }
}

const GET: &str = "GET /m?x=1 HTTP/1.1\r\nHost: a\r\nCookie: b\r\n\r\n";
const LONG: Duration = Duration::from_secs(600);

#[test]
fn requests_go_on_and_clients_are_handed_over() {
    let mut bench = Bench::new(LONG);
    let mut client = bench.ask(GET);
    for (request, method, keep_alive) in [
        (None, "GET", true),
        (
            Some("HEAD /m HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
            "HEAD",
            false,
        ),
    ] {
        if let Some(request) = request {
            client.write_all(request.as_bytes()).unwrap();
        }
        let expected = format!("{method} /m HTTP/1.1\r\n\r\n");
        assert_eq!(bench.request(), expected);
        let exchange = bench.handover.take().unwrap();
        assert_eq!(exchange.keep_alive, keep_alive);
        assert!(bench.handover.take().is_none());
        assert_eq!(sys::send(exchange.client.as_fd(), b"answer").unwrap(), 6);
        let mut answer = [0; 6];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"answer");
        drop(exchange);
        // A report may come in pieces.
        let (first, rest) = SENT.split_at(SENT.len() / 2);
        bench.report(first);
        bench.report(rest);
    }
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

#[test]
fn those_who_wait_share_a_batch() {
    let mut bench = Bench::new(LONG);
    let _first = bench.ask(GET);
    bench.request();
    let first = bench.handover.take().unwrap();
    let _others = [bench.ask(GET), bench.ask(GET)];
    while bench
        .handover
        .others()
        .is_none_or(|others| others.clients < 2)
    {
        std::thread::yield_now();
    }
    bench.report(SENT);
    bench.request();
    let second = bench.handover.take().unwrap();
    assert_eq!(bench.handover.others().unwrap().clients, 1);
    bench.report(SENT);
    bench.request();
    let third = bench.handover.take().unwrap();
    assert_eq!(bench.handover.others(), None);
    assert!(first.batch < second.batch);
    assert_eq!(second.batch, third.batch);
}

/// Who has little time left must not make HAProxy look down to the others.
#[test]
fn a_client_in_a_hurry_gets_a_scrape_of_its_own() {
    let mut bench = Bench::new(LONG);
    let _first = bench.ask(GET);
    bench.request();
    let first = bench.handover.take().unwrap();
    let announcing = |seconds: &str| {
        let field = format!("X-Prometheus-Scrape-Timeout-Seconds: {seconds}\r\n");
        GET.replace("Cookie: b\r\n", &field)
    };
    let mut others = Vec::new();
    for request in [
        announcing("0.4"),
        announcing("30"),
        announcing("20"),
        GET.to_owned(),
    ] {
        others.push(bench.ask(&request));
        let count = others.len() as u32;
        while bench
            .handover
            .others()
            .is_none_or(|others| others.clients < count)
        {
            std::thread::yield_now();
        }
    }
    let mut exchanges = others.iter().map(|_| {
        bench.report(SENT);
        bench.request();
        bench.handover.take().unwrap()
    });
    let hurried = exchanges.next().unwrap();
    let shared: Vec<Exchange> = exchanges.collect();
    assert!(first.batch < hurried.batch && hurried.batch < shared[0].batch);
    assert!(hurried.time_left.unwrap() <= Duration::from_millis(400));
    let time_left = shared[0].time_left.unwrap();
    assert!(
        (10.0..=20.0).contains(&time_left.as_secs_f64()),
        "{time_left:?}"
    );
    assert!(
        shared
            .iter()
            .all(|exchange| exchange.batch == shared[0].batch)
    );
}

#[test]
fn a_cut_answer_ends_with_a_reset() {
    let mut bench = Bench::new(LONG);
    let mut client = bench.ask(GET);
    bench.request();
    drop(bench.handover.take());
    bench.report(CUT);
    let error = client.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_broken_server_ends_the_front() {
    let cases: [(Option<&[u8]>, &str); 3] = [
        (None, "closed by the server"),
        (
            Some(b"HTTP/1.1 500 Internal Server Error\r\n"),
            "not a report",
        ),
        (Some(b"HTTP/1.1 204 Sent\r\n\r\nHTTP"), "not a report"),
    ];
    for (report, expected) in cases {
        let mut bench = Bench::new(LONG);
        let _client = bench.ask(GET);
        bench.request();
        match report {
            Some(bytes) => bench.report(bytes),
            None => drop(std::mem::replace(
                bench.private.get_mut(),
                UnixStream::pair().unwrap().0,
            )),
        }
        let expected = End::Dead(format!("private connection: {expected}"));
        assert_eq!(bench.front.join().unwrap(), expected);
    }
}

#[test]
fn a_server_without_a_sign_of_life_ends_the_front() {
    let mut bench = Bench::new(Duration::from_secs(1));
    let _client = bench.ask(GET);
    bench.request();
    // Far longer than the front's patience altogether.
    for _ in 0..15 {
        std::thread::sleep(Duration::from_millis(100));
        bench.handover.still_alive(Instant::now());
    }
    assert!(!bench.front.is_finished());
    let expected = End::Dead("the server has not answered in time".to_owned());
    assert_eq!(bench.front.join().unwrap(), expected);
}
