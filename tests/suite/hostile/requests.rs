//! HTTP as the front speaks it: what is served, what is refused, and who shares a scrape.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tempfile::TempDir;

use crate::hostile::Footprint;
use crate::hostile::refused::refused;
use crate::hostile::tools::{read_response, small};
use crate::support::csv::{answer, frontend};
use crate::support::exporter::Exporter;
use crate::support::exposition;
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::faults::INFO;
use crate::support::http::{self, PATIENCE, Response};
use crate::support::peers;

/// A client of one connection.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn new(exporter: &Exporter) -> Client {
        let stream = TcpStream::connect(exporter.address()).expect("connect");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("set a read timeout");
        Client {
            stream: BufReader::new(stream),
        }
    }

    fn send(&mut self, bytes: &str) {
        self.stream
            .get_mut()
            .write_all(bytes.as_bytes())
            .expect("send");
    }

    fn response(&mut self) -> Response {
        read_response(&mut self.stream, false).expect("an answer")
    }

    /// Whether the exporter has closed the connection, without a byte more.
    fn assert_closed(&mut self, context: &str) {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("a clean end");
        assert!(
            rest.is_empty(),
            "{context}: {:?}",
            String::from_utf8_lossy(&rest)
        );
    }
}

#[test]
fn keep_alive_reuses_the_connection() {
    let exporter = small();
    let versions = [
        ("HTTP/1.1\r\nHost: a", "keep-alive"),
        ("HTTP/1.0\r\nConnection: keep-alive", "keep-alive"),
        (
            "HTTP/1.1\r\nHost: a\r\nConnection: TE, Keep-Alive",
            "keep-alive",
        ),
    ];
    for (version, connection) in versions {
        let mut client = Client::new(&exporter);
        for path in ["/metrics", "/-/healthy", "/no-such-path", "/metrics"] {
            client.send(&format!("GET {path} {version}\r\n\r\n"));
            let response = client.response();
            assert_eq!(
                response.status,
                if path.starts_with("/no") { 404 } else { 200 },
                "{path}"
            );
            assert_eq!(response.header("connection"), Some(connection), "{version}");
        }
    }
    for version in [
        "HTTP/1.0",
        "HTTP/1.1\r\nHost: a\r\nConnection: close",
        "HTTP/1.0\r\nConnection: keep-alive, close",
    ] {
        let mut client = Client::new(&exporter);
        client.send(&format!("GET /metrics {version}\r\n\r\n"));
        assert_eq!(
            client.response().header("connection"),
            Some("close"),
            "{version}"
        );
        client.assert_closed(version);
    }
}

#[test]
fn pipelined_requests_get_one_answer_and_a_close() {
    let exporter = small();
    let mut client = Client::new(&exporter);
    client.send(&"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3));
    let response = client.response();
    assert_eq!(
        (response.status, response.header("connection")),
        (200, Some("close"))
    );
    exposition::read(&response.body).expect("a valid exposition");
    client.assert_closed("pipelined");
}

#[test]
fn head_has_no_body() {
    let exporter = small();
    let mut client = Client::new(&exporter);
    for path in ["/metrics", "/", "/-/healthy", "/no-such-path"] {
        client.send(&format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let head = read_response(&mut client.stream, true).expect("an answer");
        client.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let get = client.response();
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(
            head.header("content-type"),
            get.header("content-type"),
            "{path}"
        );
        let length = |response: &Response| -> usize {
            let length = response.header("content-length").expect("a length");
            length.parse().expect("a number")
        };
        // Numbers of the exporter's own process may have grown a digit or lost one.
        assert!(length(&head).abs_diff(length(&get)) < 50, "{path}");
    }
}

#[test]
fn refusals() {
    let exporter = small();
    for (request, status) in refused() {
        let got = http::exchange(exporter.address(), &request);
        let allow = if status.starts_with("405") {
            "Allow: GET, HEAD\r\n"
        } else {
            ""
        };
        let want = format!(
            "HTTP/1.1 {status}\r\n{allow}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{status}\n",
            status.len() + 1
        );
        let shown = request[..request.len().min(99)].escape_ascii();
        assert_eq!(String::from_utf8_lossy(&got), want, "{shown}");
    }
    // Nothing of this was worth a line.
    assert_eq!(exporter.finish().problems(), []);
}

/// A head must be whole within 5 s; a connection that has said nothing is closed without a word.
#[test]
fn slow_heads() {
    const START: &str = "GET /-/healthy HTTP/1.1\r\n";
    let exporter = small();
    let mut silent = Client::new(&exporter);
    let mut slow = Client::new(&exporter);
    slow.send(START);
    let mut hesitating = Client::new(&exporter);
    hesitating.send(START);
    std::thread::sleep(Duration::from_secs(1));
    hesitating.send("Host: a\r\n\r\n");
    assert_eq!(hesitating.response().text(), "OK\n");
    let response = slow.response();
    assert_eq!(
        (response.status, response.text()),
        (408, "408 Request Timeout\n")
    );
    assert_eq!(response.header("connection"), Some("close"));
    slow.assert_closed("slow");
    silent.assert_closed("silent");
}

/// A head in single bytes is a good request, and so are odd but right spellings.
#[test]
fn odd_but_good_requests() {
    let exporter = small();
    let mut client = Client::new(&exporter);
    for byte in b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n" {
        client.stream.get_mut().write_all(&[*byte]).expect("send");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(client.response().text(), "OK\n");
    let requests = [
        "\r\n\r\nGET /-/healthy HTTP/1.0\r\n\r\n",
        "GET http://any.host:1/-/healthy?x=y HTTP/1.0\r\n\r\n",
        "GET /-/healthy?x=%zz&\" HTTP/1.0\r\nX: \t\u{fc}\r\n\r\n",
        "GET /-/healthy HTTP/1.0\n\n",
        "GET /-/healthy HTTP/1.0\r\nContent-Length: 0\r\n\r\n",
        "GET /-/healthy HTTP/1.7\r\nhOST: a\r\nConnection: close\r\n\r\n",
    ];
    for request in requests {
        let got = http::exchange(exporter.address(), request.as_bytes());
        let response = http::parse(&got, false).expect("an answer");
        assert_eq!(
            (response.status, response.text()),
            (200, "OK\n"),
            "{request:?}"
        );
    }
}

/// What cannot be a time is as if it were not there; any number is survived.
#[test]
fn announced_times() {
    let exporter = small();
    let times = [
        "",
        "x",
        "nan",
        "inf",
        "-inf",
        "-1",
        "-0",
        "0",
        "1e-300",
        "10",
        "1e3",
        "4e8",
        "1e11",
        "1.6e11",
        "1e15",
        "1e19",
        "1.8e19",
        "1e308",
        "1e999",
        "18446744073709551615",
        "18446744073709551616",
        "999999999999999999999999",
    ];
    for time in times {
        let scrape = exporter.scrape_with(&[("X-Prometheus-Scrape-Timeout-Seconds", time)]);
        assert_eq!(scrape.value("haproxy_up"), 1.0, "{time}");
    }
    assert_eq!(exporter.finish().problems(), []);
}

/// Whoever asks while a scrape runs gets the next one, together with all others that wait.
#[test]
fn waiting_requests_share_a_scrape() {
    let directory = TempDir::new().expect("a temporary directory");
    let socket = directory.path().join("socket");
    let stat = answer(&[frontend("web", &[(4, "1")])]);
    let held = |others: usize| Answers {
        stat: vec![Act::AwaitCommands(2 + others), Act::Send(stat.clone())],
        info: vec![Act::Send(INFO.to_vec())],
    };
    let fake = Fake::unix(&socket, Answers::whole(&stat, INFO));
    let exporter = Exporter::start(&[
        &format!("--haproxy.scrape-uri={}", fake.uri()),
        "--haproxy.timeout=50s",
    ]);
    // The first scrape ends only after a third command, which this test sends itself.
    fake.set(held(1));
    const GET: &str = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut clients: Vec<Client> = (0..6).map(|_| Client::new(&exporter)).collect();
    clients[0].send(GET);
    peers::wait_for("a scrape", || (!fake.requests().is_empty()).then_some(()));
    for client in &mut clients[1..] {
        client.send(GET);
    }
    // Nothing shows from outside that the front has read these few bytes, which are there already.
    std::thread::sleep(Duration::from_millis(300));
    let mut opener = std::os::unix::net::UnixStream::connect(&socket).expect("connect");
    opener.write_all(b"show info\n").expect("send");
    let scrapes: Vec<f64> = clients
        .iter_mut()
        .map(|client| {
            let body = client.response().body;
            let got = exposition::read(&body).expect("a valid exposition");
            assert_eq!(got.value("haproxy_up"), 1.0);
            got.value("haproxy_exporter_scrapes_total")
        })
        .collect();
    assert_eq!(scrapes, [1.0, 2.0, 2.0, 2.0, 2.0, 2.0]);
    assert_eq!(
        exporter.scrape().value("haproxy_exporter_scrapes_total"),
        3.0
    );
}

/// A client that leaves while it waits, or while it is answered, takes nobody's place.
#[test]
fn clients_that_leave_are_forgotten() {
    let exporter = small();
    let before = Footprint::settled(&exporter);
    for count in 0..200 {
        let mut client = Client::new(&exporter);
        client.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
        if count % 2 == 0 {
            client
                .stream
                .get_ref()
                .shutdown(std::net::Shutdown::Write)
                .expect("half a close");
            assert_eq!(client.response().status, 200, "after half a close");
        }
    }
    let after = Footprint::recovered(&exporter, &before);
    assert_eq!(after.exceeds(&before), Vec::<String>::new());
    let mut client = Client::new(&exporter);
    client
        .stream
        .get_ref()
        .set_nonblocking(true)
        .expect("set non-blocking");
    assert_eq!(
        client.stream.read(&mut [0]).map_err(|e| e.kind()),
        Err(ErrorKind::WouldBlock)
    );
}
