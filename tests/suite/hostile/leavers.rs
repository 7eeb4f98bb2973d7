//! Clients that leave: each kind of request, each way of leaving, before, while and after the scrape.
//!
//! No clock decides. The fake HAProxy holds a scrape, and what must happen meanwhile has happened before
//! that scrape runs out of time, or its client would be told that HAProxy is down.

use std::collections::BTreeSet;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use crate::hostile::tools::{
    connect_with_small_buffer, read_response, reset_at_close, signal, unsent,
};
use crate::support::csv::{answer, backend, server};
use crate::support::exporter::Exporter;
use crate::support::exposition;
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::faults::INFO;
use crate::support::http;
use crate::support::peers;
use crate::support::stream::Stream;

const METRICS: &str = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// What clients send, and what they get if they stay for it.
const REQUESTS: [(&str, Option<u16>); 13] = [
    (METRICS, Some(200)),
    (
        "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        Some(200),
    ),
    ("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n", Some(200)),
    (
        "GET /metrics HTTP/1.0\r\n\r\nGET /metrics HTTP/1.0\r\n\r\n",
        Some(200),
    ),
    ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Some(200)),
    (
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        Some(200),
    ),
    ("GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n", Some(200)),
    ("GET /x HTTP/1.1\r\nHost: a\r\n\r\n", Some(404)),
    (
        "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        Some(405),
    ),
    ("GET / HTTP/2.0\r\n\r\n", Some(505)),
    ("what?\r\n\r\n", Some(400)),
    ("GET /metrics HTTP", None),
    ("", None),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// The whole connection, with nothing or all of the answer unread.
    Close,
    /// Its half; it still reads.
    CloseHalf,
    /// TCP only.
    Reset,
    /// Once a part of the answer was read.
    CloseInAnswer,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// The exporter looks after all have gone.
    Before,
    /// A scrape is held.
    While,
    /// Its answer has come, or begun to.
    After,
}

const MOMENTS: [Moment; 3] = [Moment::Before, Moment::While, Moment::After];

/// An exporter, its HAProxy, and a way to it.
struct Scene {
    exporter: Exporter,
    fake: Fake,
    whole: Answers,
    /// Over unix sockets, where this is there.
    socket: Option<PathBuf>,
    /// Descriptors while a scrape is held and nobody else is there.
    descriptors: usize,
    _directory: TempDir,
}

impl Scene {
    fn new(over_unix: bool) -> Scene {
        let directory = TempDir::new().expect("a temporary directory");
        let socket = directory.path().join("metrics");
        // More than the kernel takes for a client that reads nothing.
        let mut rows = vec![backend("web", &[])];
        rows.extend((0..400).map(|number| server("web", &format!("server{number:04}"), &[])));
        let whole = Answers::whole(&answer(&rows), INFO);
        let fake = Fake::unix(&directory.path().join("haproxy"), whole.clone());
        let exporter = Exporter::start(&[
            &format!("--haproxy.scrape-uri={}", fake.uri()),
            &format!("--web.listen-address=unix:{}", socket.display()),
            // As long as a client that reads its answer was kept; those that left were, too.
            "--haproxy.timeout=9s",
        ]);
        exporter.scrape();
        let mut scene = Scene {
            exporter,
            fake,
            whole,
            socket: over_unix.then_some(socket),
            descriptors: 0,
            _directory: directory,
        };
        let client = scene.hold();
        scene.descriptors = scene.exporter.descriptors();
        scene.release(client, "the first");
        scene
    }

    fn connect(&self) -> Stream {
        let stream = match &self.socket {
            Some(path) => Stream::Unix(UnixStream::connect(path).expect("connect")),
            None => Stream::Tcp(connect_with_small_buffer(self.exporter.address())),
        };
        stream.set_patience().expect("set timeouts");
        stream
    }

    /// Connects and asks; the exporter may have gone on to others before all is sent.
    fn ask(&self, request: &str) -> Stream {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("send");
        stream
    }

    /// From now on each scrape is held; returns the client of the first.
    fn hold(&self) -> TcpStream {
        self.fake.set(Answers {
            stat: [vec![Act::AwaitChange], self.whole.stat.clone()].concat(),
            info: self.whole.info.clone(),
        });
        let mut client = TcpStream::connect(self.exporter.address()).expect("connect");
        let timeout = client.set_read_timeout(Some(http::PATIENCE));
        timeout.expect("set a read timeout");
        client.write_all(METRICS.as_bytes()).expect("send");
        peers::wait_for("a scrape", || {
            (!self.fake.requests().is_empty()).then_some(())
        });
        client
    }

    /// Lets all scrapes go on; whoever waited must get a whole one. Returns how many there were.
    fn release(&self, client: TcpStream, context: &str) -> f64 {
        assert!(
            is_held(&client),
            "{context}: the scrape has run out of time"
        );
        self.fake.set(self.whole.clone());
        let response = read_response(&mut BufReader::new(client), false);
        let response = response.unwrap_or_else(|error| panic!("{context}: {error}"));
        let got = exposition::read(&response.body).expect("a valid exposition");
        assert_eq!(got.value("haproxy_up"), 1.0, "{context}");
        got.value("haproxy_exporter_scrapes_total")
    }

    /// Nothing is left of those who left, while a scrape is held.
    fn is_as_before(&self, context: &str) {
        let client = self.hold();
        let mut now = 0;
        while is_held(&client) {
            now = self.exporter.descriptors();
            if now <= self.descriptors {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        assert_eq!(now, self.descriptors, "{context}: descriptors");
        self.release(client, context);
    }

    /// Stops the process, and waits until all its threads have noticed.
    fn stop(&self) {
        let pid = self.exporter.pid();
        signal(pid, libc::SIGSTOP);
        peers::wait_for("the stop", || {
            let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
            let mut states = tasks.flatten().map(|task| {
                let path = task.path().join("stat");
                std::fs::read_to_string(path).is_ok_and(|text| text.contains(") T "))
            });
            states.all(|is_stopped| is_stopped).then_some(())
        });
    }

    fn is_healthy(&self, context: &str) {
        assert_eq!(self.exporter.get("/-/healthy").text(), "OK\n", "{context}");
    }

    /// Some clients leave; returns those that have closed half of their connection.
    fn leave(&self, clients: Vec<Stream>, way: Way) -> Vec<Stream> {
        clients
            .into_iter()
            .filter_map(|mut client| {
                match (way, &client) {
                    (Way::CloseHalf, _) => {
                        client.end().expect("half a close");
                        return Some(client);
                    }
                    (Way::Reset, Stream::Tcp(stream)) => reset_at_close(stream),
                    (Way::CloseInAnswer, _) => client.read_exact(&mut [0; 50]).expect("a part"),
                    _ => {}
                }
                None
            })
            .collect()
    }

    fn case(&self, (request, status): (&str, Option<u16>), way: Way, moment: Moment) {
        let shown = request.lines().next().unwrap_or_default();
        let context = format!("{shown:?}, {way:?} {moment:?}");
        let ask = |count: usize| (0..count).map(|_| self.ask(request)).collect::<Vec<_>>();
        // More than can be held at the same time, where they may be cut.
        let many = if way == Way::CloseHalf { 40 } else { 100 };
        let before = self.exporter.scrape();
        let before = before.value("haproxy_exporter_scrapes_total");
        let stayed = match moment {
            Moment::Before => {
                self.stop();
                let stayed = self.leave(ask(many), way);
                signal(self.exporter.pid(), libc::SIGCONT);
                stayed
            }
            Moment::While => {
                let held = self.hold();
                // One after the other, as a prober does.
                let clients = (0..many).flat_map(|_| self.leave(ask(1), way)).collect();
                self.is_healthy(&context);
                self.release(held, &context);
                clients
            }
            Moment::After => {
                let mut clients = ask(40);
                for client in &mut clients {
                    client.read_exact(&mut [0; 1]).expect("an answer");
                }
                self.leave(clients, way)
            }
        };
        for mut client in stayed {
            let mut got = Vec::new();
            client.read_to_end(&mut got).expect("a clean end");
            let rest = if moment == Moment::After { "H" } else { "" };
            let got = [rest.as_bytes(), &got].concat();
            let got = status.map(|_| http::parse(&got, shown.starts_with("HEAD")));
            let got = got.map(|got| {
                got.unwrap_or_else(|error| panic!("{context}: {error}"))
                    .status
            });
            assert_eq!(got, status, "{context}");
        }
        let after = self.exporter.scrape();
        let scrapes = after.value("haproxy_exporter_scrapes_total") - before - 1.0;
        // All who left share one; those of whom that is known get none.
        let known = way == Way::Reset || (self.socket.is_some() && way == Way::Close);
        let most = match moment {
            Moment::Before => f64::from(u8::from(!known)),
            Moment::While => 1.0 + f64::from(u8::from(!known)),
            Moment::After => f64::MAX,
        };
        assert!(scrapes <= most, "{context}: {scrapes} scrapes");
        self.is_as_before(&context);
    }

    fn table(self, ways: &[Way]) {
        for request in REQUESTS {
            for way in ways {
                for moment in MOMENTS {
                    let must_answer = *way == Way::CloseInAnswer || moment == Moment::After;
                    let in_answer = *way == Way::CloseInAnswer && moment != Moment::After;
                    if !in_answer && (request.1.is_some() || !must_answer) {
                        self.case(request, *way, moment);
                    }
                }
            }
        }
        assert_eq!(self.exporter.finish().problems(), []);
    }
}

/// Whether nothing has come for a client.
fn is_held(client: &TcpStream) -> bool {
    client.set_nonblocking(true).expect("set non-blocking");
    let held = matches!(client.peek(&mut [0]), Err(e) if e.kind() == ErrorKind::WouldBlock);
    client.set_nonblocking(false).expect("set blocking");
    held
}

#[test]
fn clients_that_leave_a_tcp_connection() {
    let ways = [Way::Close, Way::CloseHalf, Way::Reset, Way::CloseInAnswer];
    Scene::new(false).table(&ways);
}

#[test]
fn clients_that_leave_a_unix_connection() {
    let ways = [Way::Close, Way::CloseHalf, Way::CloseInAnswer];
    Scene::new(true).table(&ways);
}

/// The kernel keeps nothing for those who left.
#[test]
fn nothing_is_kept_for_clients_that_left() {
    let scene = Scene::new(false);
    let port = scene.exporter.address().port();
    for (request, _) in REQUESTS {
        drop((0..100).map(|_| scene.ask(request)).collect::<Vec<_>>());
        scene.exporter.scrape();
        scene.is_as_before(request);
        let states: BTreeSet<String> = unsent(port)
            .into_iter()
            .filter_map(|(state, bytes)| (bytes > 0).then_some(state))
            .collect();
        assert_eq!(states, BTreeSet::new(), "{request:?}");
    }
}

/// Clients that left while their target hangs keep nobody from the other targets: what those are asked for
/// comes first.
#[test]
fn clients_that_leave_a_target_that_hangs() {
    let directory = TempDir::new().expect("a temporary directory");
    let whole = Answers::whole(&answer(&[backend("web", &[])]), INFO);
    let held = Answers {
        stat: [vec![Act::AwaitChange], whole.stat.clone()].concat(),
        info: whole.info.clone(),
    };
    let [hangs, works] =
        ["hangs", "works"].map(|name| Fake::unix(&directory.path().join(name), held.clone()));
    let exporter = Exporter::start(&[
        &format!("--haproxy.target=hangs={}", hangs.uri()),
        &format!("--haproxy.target=works={}", works.uri()),
        "--haproxy.timeout=50s",
    ]);
    let ask = |target: &str| {
        let mut client = TcpStream::connect(exporter.address()).expect("connect");
        let timeout = client.set_read_timeout(Some(http::PATIENCE));
        timeout.expect("set a read timeout");
        let request = format!("GET /metrics?target={target} HTTP/1.1\r\nHost: a\r\n\r\n");
        client.write_all(request.as_bytes()).expect("send");
        client
    };
    let is_asked = |fake: &Fake| (!fake.requests().is_empty()).then_some(());
    let stays = ask("hangs");
    peers::wait_for("a scrape", || is_asked(&hangs));
    for _ in 0..200 {
        drop(ask("hangs"));
    }
    let other = ask("works");
    assert_eq!(exporter.get("/-/healthy").text(), "OK\n");
    hangs.set(held);
    peers::wait_for("a scrape of the other", || is_asked(&works));
    assert_eq!(hangs.requests(), Vec::<String>::new(), "asked before");
    works.set(whole.clone());
    hangs.set(whole);
    for client in [stays, other] {
        let response = read_response(&mut BufReader::new(client), false).expect("an answer");
        let got = exposition::read(&response.body).expect("a valid exposition");
        assert_eq!(got.value("haproxy_up"), 1.0);
    }
}
