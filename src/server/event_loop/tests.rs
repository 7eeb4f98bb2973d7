use super::*;
use crate::server::targets::Targets;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;

use socket2::{Domain, Socket, Type};

use super::super::doorbell::tests::{FakeMain, fake};
use super::super::landing::About;
use super::super::listen::{ListenAddress, bind_all};
use super::super::tests::{MANNER, defaults, snapshot, text};

/// A front whose main loop is the test.
struct Bench {
    address: SocketAddr,
    main: FakeMain,
    front: JoinHandle<End>,
    /// Stands for the signals, which never come.
    _signals: UnixStream,
}

const TIMEOUT: Duration = Duration::from_secs(300);
/// For what is there in a moment.
const PATIENCE: Duration = Duration::from_secs(60);

impl Bench {
    fn new(timeout: Duration, spare: Duration) -> Self {
        let address = ListenAddress::parse("127.0.0.1:0").unwrap();
        let listeners = bind_all(&[address], 0).unwrap();
        let listener = TcpListener::from(listeners[0].fd.try_clone().unwrap());
        let (signals, others) = UnixStream::pair().unwrap();
        let (link, main) = fake();
        let routes = Routes::new(
            "/metrics".to_owned(),
            defaults(),
            true,
            MANNER.failure_status,
            About::default(),
        );
        let scrapes = Scrapes::new(link, Targets::new(vec![String::new()]), timeout, spare);
        let event_loop = EventLoop::new(signals.into(), listeners, routes, scrapes);
        Self {
            address: listener.local_addr().unwrap(),
            main,
            front: std::thread::spawn(|| event_loop.run()),
            _signals: others,
        }
    }

    /// A client that has asked for the metrics, and announced a time.
    fn ask(&self, announced: Option<f64>) -> TcpStream {
        self.send(&request("/metrics", announced))
    }

    /// Waits for the I/O thread to end; returns why it did.
    fn end(self) -> String {
        match self.front.join().unwrap() {
            End::Dead(error) => error.to_string(),
            End::Stopped => panic!("stopped"),
        }
    }

    fn send(&self, bytes: &str) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // The kernel takes little of what this side does not read.
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.connect(&self.address.into()).unwrap();
        let mut client = TcpStream::from(socket);
        client.write_all(bytes.as_bytes()).unwrap();
        client
    }

    /// Waits until the I/O thread has looked at all that was sent before, which a round of its own shows.
    fn settle(&self) {
        let mut client = self.send(&request("/-/healthy", None));
        assert_eq!(receive(&mut client), "OK\n");
        drop(client);
    }
}

fn request(path: &str, announced: Option<f64>) -> String {
    let field = announced.map_or_else(String::new, |seconds| {
        format!("X-Prometheus-Scrape-Timeout-Seconds: {seconds}\r\n")
    });
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n{field}\r\n")
}

/// The body of an answer on a connection that stays open.
fn receive(client: &mut TcpStream) -> String {
    let (mut answer, mut byte) = (String::new(), [0]);
    let mut length = None;
    while length.is_none_or(|length: usize| answer.split("\r\n\r\n").nth(1).unwrap().len() < length)
    {
        client.read_exact(&mut byte).unwrap();
        answer.push(char::from(byte[0]));
        if length.is_none() && answer.ends_with("\r\n\r\n") {
            let field = answer.split("Content-Length: ").nth(1).unwrap();
            length = field.split("\r\n").next().unwrap().parse().ok();
        }
    }
    answer.split_off(answer.find("\r\n\r\n").unwrap() + 4)
}

#[test]
fn clients_are_answered_with_what_the_main_loop_scraped() {
    let mut bench = Bench::new(TIMEOUT, TIMEOUT);
    let mut client = bench.ask(None);
    for number in [1, 2] {
        let scrape = bench.main.receive();
        assert_eq!((scrape.target, scrape.time), (0, TIMEOUT));
        bench.main.report(scrape, snapshot(number, 0));
        assert_eq!(receive(&mut client), text(&snapshot(number, 0)));
        client
            .write_all(request("/metrics", None).as_bytes())
            .unwrap();
    }
}

#[test]
fn what_needs_no_scrape_does_not_wait_for_one() {
    let mut bench = Bench::new(TIMEOUT, TIMEOUT);
    let _waits = bench.ask(None);
    let _scrape = bench.main.receive();
    for (path, expected) in [("/-/healthy", "OK\n"), ("/none", "404 Not Found\n")] {
        let mut client = bench.send(&request(path, None));
        assert_eq!(receive(&mut client), expected);
    }
    let mut refused = bench.send("POST /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(receive(&mut refused), "405 Method Not Allowed\n");
}

#[test]
fn those_who_wait_share_a_scrape() {
    let mut bench = Bench::new(TIMEOUT, TIMEOUT);
    let mut first = bench.ask(Some(20.0));
    let scrape = bench.main.receive();
    assert_eq!(scrape.time, Duration::from_secs(18));
    let mut others = [Some(10.0), Some(100.0), Some(30.0)].map(|time| bench.ask(time));
    bench.settle();
    bench.main.report(scrape, snapshot(1, 0));
    assert_eq!(receive(&mut first), text(&snapshot(1, 0)));
    // The longest time that any of them has.
    let scrape = bench.main.receive();
    assert!(scrape.time > Duration::from_secs(80) && scrape.time <= Duration::from_secs(90));
    bench.main.report(scrape, snapshot(2, 0));
    for other in &mut others {
        assert_eq!(receive(other), text(&snapshot(2, 0)));
    }
    assert!(!bench.main.is_asked());
}

/// Who has little time is told so, and takes none of the others'.
#[test]
fn who_announces_too_little_is_told_so() {
    let mut bench = Bench::new(TIMEOUT, TIMEOUT);
    let mut hurried = bench.ask(Some(0.2));
    let scrape = bench.main.receive();
    assert_eq!(scrape.time, Duration::from_millis(180));
    let mut patient = bench.ask(None);
    let too_late =
        "no scrape ended in the time that X-Prometheus-Scrape-Timeout-Seconds announces\n";
    assert_eq!(receive(&mut hurried), too_late);
    // The connection goes on; the next answer comes from a scrape that began before this request, since
    // that ends while it waits.
    hurried
        .write_all(request("/metrics", Some(0.2)).as_bytes())
        .unwrap();
    bench.settle();
    bench.main.report(scrape, snapshot(1, 0));
    assert_eq!(receive(&mut hurried), text(&snapshot(1, 0)));
    let scrape = bench.main.receive();
    assert_eq!(scrape.time, TIMEOUT, "the patient one's");
    bench.main.report(scrape, snapshot(2, 0));
    assert_eq!(receive(&mut patient), text(&snapshot(2, 0)));
}

/// A HAProxy that hangs is not asked again at once by those whose time was short.
#[test]
fn the_impatient_wait_for_the_pace_of_the_patient() {
    let mut bench = Bench::new(TIMEOUT, TIMEOUT);
    let mut alone = bench.ask(Some(0.2));
    let scrape = bench.main.receive();
    std::thread::sleep(scrape.time);
    bench.main.report(scrape, snapshot(1, 0));
    receive(&mut alone);
    // Who is alone may ask again, but not two.
    let _first = bench.ask(Some(0.2));
    let scrape = bench.main.receive();
    // It still waits when the scrape of the first ends, also on a busy machine.
    let _second = bench.ask(Some(0.3));
    bench.settle();
    std::thread::sleep(scrape.time);
    bench.main.report(scrape, snapshot(1, 0));
    bench.settle();
    let mut again = bench.ask(Some(0.2));
    let got = receive(&mut again);
    assert!(got.starts_with("no scrape ended"), "{got}");
    assert!(!bench.main.is_asked(), "asked again for the impatient");
    let _patient = bench.ask(None);
    assert_eq!(bench.main.receive().time, TIMEOUT);
}

#[test]
fn a_broken_server_ends_the_front() {
    let cases: [(Option<&[u8]>, &str); 2] = [
        (None, "closed by the server"),
        (
            Some(b"HTTP/1.1 500 Internal Server Error\r\n"),
            "not a report",
        ),
    ];
    for (report, expected) in cases {
        let mut bench = Bench::new(TIMEOUT, TIMEOUT);
        let _client = bench.ask(None);
        bench.main.receive();
        match report {
            Some(bytes) => bench.main.send(bytes),
            None => drop(std::mem::replace(&mut bench.main, fake().1)),
        }
        assert_eq!(bench.end(), format!("private connection: {expected}"));
    }
}

#[test]
fn a_server_without_a_report_ends_the_front() {
    let spare = Duration::from_secs(1);
    let mut bench = Bench::new(spare, spare);
    let began = Instant::now();
    let _client = bench.ask(None);
    bench.main.receive();
    assert_eq!(bench.end(), "the server did not respond in time");
    assert!(
        began.elapsed() >= 2 * spare,
        "not even the scrape's own time"
    );
}

/// A client that asks again before it has read gets a reset, and the kernel keeps nothing for it.
#[test]
fn who_asks_again_without_reading_is_reset() {
    let mut bench = Bench::new(TIMEOUT, TIMEOUT);
    let mut client = bench.ask(None);
    let scrape = bench.main.receive();
    // More than the kernel takes on the client's side, less than on ours.
    bench.main.report(scrape, snapshot(1, 8));
    client.peek(&mut [0]).unwrap();
    bench.settle();
    client
        .write_all(request("/metrics", None).as_bytes())
        .unwrap();
    bench.settle();
    // A kernel without room may take no notice of the reset itself (RFC 5961, section 3.2), and the first
    // byte may be there before it.
    let first = client.write_all(b"x");
    bench.settle();
    let results = [
        first,
        client.write_all(b"x"),
        client.read_to_end(&mut Vec::new()).map(drop),
    ];
    let is_reset = |error: &io::Error| {
        [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error.kind())
    };
    let errors = results.iter().filter_map(|result| result.as_ref().err());
    assert!(errors.clone().any(is_reset), "{results:?}");
    assert!(!bench.main.is_asked());
}
