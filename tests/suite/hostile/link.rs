//! Many honest clients far away: whatever the link alone lets through in time arrives whole.
//!
//! `SLOW_LINK=all` tries every number of clients with every round trip, and shows beside it what a
//! server gets through the same link that only sends; with `EXPORTER_STATIC` the binary that ships.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use crate::hostile::tools::{read_response, servers, unsent};
use crate::hostile::{Honest, alone};
use crate::support::exporter::{self, Exporter};
use crate::support::http::{self, PATIENCE, Response};
use crate::support::peers;
use crate::support::slow_link::{Line, NEAR, SlowLink};

/// What Prometheus waits for, from the connection to the end of the answer, unless told otherwise.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);
/// What whoever asks for the health waits for: some round trips, and a second.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);
/// From the first request of a client to that of the next: each has a scrape of its own.
const OFFSET: Duration = Duration::from_millis(150);

/// Between two looks at what the kernel holds.
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// The most that the kernel holds of an answer: 2 MiB and the piece that came last, with its head.
const MOST_UNSENT_BYTES: u64 = 2 * 1024 * 1024 + 64 * 1024 + 256;

/// So many clients, each of which asks so often, and what is between them and the exporter.
#[derive(Clone, Copy, Debug)]
struct Scene {
    servers: usize,
    clients: usize,
    rounds: usize,
    line: Line,
    encoding: &'static str,
}

const PLAIN: &str = "identity";
const COMPRESSED: &str = "gzip";

/// The link lets all of it through in time. 1,000 servers are an answer of 2.6 MB, 1 s of 20 Mbit/s; 5,000
/// are 12.8 MB, 5.1 s of them; 10,000 are 25.5 MB, 5.1 s of 40 Mbit/s. The connection takes a round trip,
/// and TCP begins with 14 KB and doubles that with each round trip, so that it takes five to seven of them,
/// 1.4 s of 200 ms, until the link is full: 6.7 s. What waits for others to share a scrape waits for 1.25 s.
///
/// A compressed response of 10,000 servers has a thirtieth of the bytes: 0.2 s of 40 Mbit/s.
const SUITE: [Scene; 6] = [
    scene(1_000, 10, 200, 2),
    scene(5_000, 10, 200, 1),
    scene(10_000, 2, 200, 1),
    compressed(10_000, 10, 200, 2),
    scene(10_000, 1, 100, 2),
    compressed(10_000, 1, 100, 2),
];

const fn compressed(
    servers: usize,
    clients: usize,
    round_trip_millis: u64,
    rounds: usize,
) -> Scene {
    Scene {
        encoding: COMPRESSED,
        ..scene(servers, clients, round_trip_millis, rounds)
    }
}

const fn scene(servers: usize, clients: usize, round_trip_millis: u64, rounds: usize) -> Scene {
    let bits_a_second = if servers > 5_000 { 40e6 } else { 20e6 };
    Scene {
        servers,
        clients,
        rounds,
        line: Line {
            round_trip: Duration::from_millis(round_trip_millis),
            bits_a_second,
        },
        encoding: PLAIN,
    }
}

#[test]
fn whatever_a_slow_link_lets_through_arrives_whole() {
    let _alone = alone();
    let is_all = std::env::var("SLOW_LINK").is_ok_and(|value| value == "all");
    let scenes = if is_all { all() } else { SUITE.to_vec() };
    let failures: Vec<String> = scenes
        .into_iter()
        .filter_map(|scene| {
            // Threads of its own: a network is for life.
            let thread = std::thread::Builder::new().name("slow link".to_owned());
            let played = thread.spawn(move || play(scene, is_all));
            played.expect("a thread").join().expect("a scene").err()
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn all() -> Vec<Scene> {
    let mut scenes = Vec::new();
    for servers in [1_000, 10_000] {
        for round_trip_millis in [50, 100, 200] {
            scenes.extend([2, 5, 10].map(|clients| scene(servers, clients, round_trip_millis, 2)));
        }
    }
    scenes
}

fn play(scene: Scene, shows_the_link_alone: bool) -> Result<(), String> {
    // The first is for whoever asks for the health.
    let addresses: Vec<Ipv4Addr> = (1..)
        .map(|number| Ipv4Addr::new(10, 9, 1, number))
        .take(scene.clients + 1)
        .collect();
    let Some(link) = SlowLink::enter_near_end(scene.line, &addresses) else {
        return Ok(());
    };
    let directory = TempDir::new().expect("a temporary directory");
    let uri = servers(scene.servers, directory.path());
    let mut command = match std::env::var_os("EXPORTER_STATIC") {
        Some(binary) => exporter::command_of(&binary),
        None => exporter::command(),
    };
    command
        .arg(format!("--haproxy.scrape-uri={uri}"))
        .arg(format!("--web.listen-address={NEAR}:0"));
    let exporter = Exporter::spawn(&mut command);
    let honest = Honest::new(exporter.address());
    let fields = [("Accept-Encoding", scene.encoding)];
    let body = http::request(exporter.address(), "GET", "/metrics", &fields).body;
    let name = format!(
        "{} servers, {} ({:.1} MB, {:.1} s of {:.0} Mbit/s), {} clients, {:?}",
        scene.servers,
        scene.encoding,
        body.len() as f64 / 1e6,
        scene.line.time_for(body.len()).as_secs_f64(),
        scene.line.bits_a_second / 1e6,
        scene.clients,
        scene.line.round_trip
    );
    let check = |response: &Response| honest.check(&response.decoded()?);
    let seen = crowd(scene, &link, &addresses, exporter.address(), &check);
    let peak = exporter.proc_status("VmHWM");
    peers::note(&format!("{name}: {seen}; VmHWM {peak} KiB"));
    let mut failures = seen.failures();
    if seen.most_unsent > MOST_UNSENT_BYTES {
        failures.push(format!("{} bytes in the kernel", seen.most_unsent));
    }
    if shows_the_link_alone || !failures.is_empty() {
        let plain = plain_server(body, |address| {
            crowd(scene, &link, &addresses, address, &|_| Ok(()))
        });
        peers::note(&format!("{name}: the link alone: {plain}"));
    }
    assert_eq!(exporter.finish().status.code(), Some(0));
    match failures.is_empty() {
        true => Ok(()),
        false => Err(format!("{name}:\n{}", failures.join("\n"))),
    }
}

/// What the clients of a scene saw.
struct Seen {
    scrapes: Vec<Result<Duration, String>>,
    /// Answers to who asked for the health all the while.
    healthy: usize,
    unhealthy: Vec<String>,
    /// The most that the kernel held for a client.
    most_unsent: u64,
}

impl Seen {
    fn failures(&self) -> Vec<String> {
        let cut = self
            .scrapes
            .iter()
            .filter_map(|scrape| scrape.as_ref().err());
        let nobody = "nobody was told the health".to_owned();
        let nobody = (self.healthy == 0).then_some(nobody);
        cut.chain(&self.unhealthy).cloned().chain(nobody).collect()
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole: Vec<&Duration> = self.scrapes.iter().flatten().collect();
        write!(
            f,
            "{} of {} whole, the last after {:.1} s; healthy {} of {}; at most {:.1} MB in the kernel",
            whole.len(),
            self.scrapes.len(),
            whole.iter().max().map_or(0.0, |time| time.as_secs_f64()),
            self.healthy,
            self.healthy + self.unhealthy.len(),
            self.most_unsent as f64 / 1e6
        )
    }
}

/// All clients of a scene, and one that asks for the health meanwhile.
fn crowd(
    scene: Scene,
    link: &SlowLink,
    addresses: &[Ipv4Addr],
    server: SocketAddr,
    check: &(impl Fn(&Response) -> Result<(), String> + Sync),
) -> Seen {
    let over = &AtomicBool::new(false);
    let (health, clients) = addresses.split_first().expect("an address");
    let start = &Barrier::new(clients.len());
    std::thread::scope(|scope| {
        let health = scope.spawn(|| {
            link.enter_far_end();
            ask_for_the_health(*health, server, over)
        });
        let most_unsent = scope.spawn(|| watch_the_kernel(server.port(), over));
        let clients = (0..).zip(clients).map(|(number, address)| {
            scope.spawn(move || {
                link.enter_far_end();
                let mut client = Client::new(*address, server, scene.encoding);
                start.wait();
                std::thread::sleep(OFFSET * number);
                let scrape = |round| {
                    let began = Instant::now();
                    let response = client.get("/metrics", SCRAPE_TIMEOUT);
                    let took = began.elapsed();
                    let checked = response.and_then(|response| check(&response));
                    let error = |error| format!("client {number}, round {round}: {error}");
                    checked.map(|()| took).map_err(error)
                };
                (0..scene.rounds).map(scrape).collect::<Vec<_>>()
            })
        });
        let clients: Vec<_> = clients.collect();
        let scrapes: Vec<_> = clients.into_iter().map(|client| client.join()).collect();
        over.store(true, Ordering::Relaxed);
        let (healthy, unhealthy) = health.join().expect("who asks for the health");
        Seen {
            scrapes: scrapes
                .into_iter()
                .flat_map(|scrapes| scrapes.expect("a client"))
                .collect(),
            healthy,
            unhealthy,
            most_unsent: most_unsent.join().expect("who watches the kernel"),
        }
    })
}

fn ask_for_the_health(
    from: Ipv4Addr,
    server: SocketAddr,
    over: &AtomicBool,
) -> (usize, Vec<String>) {
    let (mut healthy, mut unhealthy) = (0, Vec::new());
    while !over.load(Ordering::Relaxed) {
        match Client::new(from, server, PLAIN).get("/-/healthy", HEALTH_TIMEOUT) {
            Ok(_) => healthy += 1,
            Err(error) => unhealthy.push(format!("health: {error}")),
        }
    }
    (healthy, unhealthy)
}

/// The most that the kernel holds for a client at any time.
fn watch_the_kernel(port: u16, over: &AtomicBool) -> u64 {
    let mut most = 0;
    while !over.load(Ordering::Relaxed) {
        let unsent = unsent(port).into_iter().map(|(_, bytes)| bytes);
        most = unsent.max().unwrap_or(0).max(most);
        std::thread::sleep(LOOK_PAUSE);
    }
    most
}

/// Asks as Prometheus does: over a connection that stays open, with a deadline for all of it.
struct Client {
    from: Ipv4Addr,
    server: SocketAddr,
    encoding: &'static str,
    stream: Option<BufReader<Patient>>,
}

impl Client {
    fn new(from: Ipv4Addr, server: SocketAddr, encoding: &'static str) -> Client {
        Client {
            from,
            server,
            encoding,
            stream: None,
        }
    }

    /// An answer with status 200. A connection with an error is not used again.
    fn get(&mut self, path: &str, timeout: Duration) -> Result<Response, String> {
        let until = Instant::now() + timeout;
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::with_capacity(1 << 16, self.connect(timeout)?),
        };
        stream.get_mut().until = until;
        let request = format!(
            "GET {path} HTTP/1.1\r\n\
             Host: {}\r\n\
             User-Agent: Prometheus/3.5.0\r\n\
             Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1\r\n\
             Accept-Encoding: {}\r\n\
             X-Prometheus-Scrape-Timeout-Seconds: {}\r\n\r\n",
            self.server,
            self.encoding,
            timeout.as_secs()
        );
        let sent = stream.get_mut().stream.write_all(request.as_bytes());
        sent.map_err(|error| format!("send: {error}"))?;
        let response = read_response(&mut stream, false)?;
        if response.status != 200 {
            return Err(format!("{}: {}", response.status, response.text()));
        }
        self.stream = Some(stream);
        Ok(response)
    }

    fn connect(&self, timeout: Duration) -> Result<Patient, String> {
        let connect = || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            socket.bind(&SocketAddr::new(IpAddr::V4(self.from), 0).into())?;
            socket.connect_timeout(&self.server.into(), timeout)?;
            Ok::<_, std::io::Error>(socket.into())
        };
        Ok(Patient {
            stream: connect().map_err(|error| format!("connect: {error}"))?,
            until: Instant::now(),
        })
    }
}

/// A connection that is read until a point in time.
struct Patient {
    stream: TcpStream,
    until: Instant,
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}

/// A server that does nothing but send: a thread for each connection, and the kernel's own buffers.
fn plain_server<T>(body: Vec<u8>, clients: impl FnOnce(SocketAddr) -> T) -> T {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let answer = [head.into_bytes(), body].concat();
    let listener = TcpListener::bind((NEAR, 0)).expect("listen");
    let address = listener.local_addr().expect("an address");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let answer = &answer;
                scope.spawn(move || serve(&stream.expect("a connection"), answer));
            }
        });
        let result = clients(address);
        over.store(true, Ordering::Relaxed);
        TcpStream::connect(address).expect("wake the listener");
        result
    })
}

/// Answers requests until the client has gone.
fn serve(mut stream: &TcpStream, metrics: &[u8]) {
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("set a read timeout");
    let mut request = [0; 2048];
    while let Ok(count @ 1..) = stream.read(&mut request) {
        let sent = match request[..count].starts_with(b"GET /-/healthy ") {
            true => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nOK\n"),
            false => stream.write_all(metrics),
        };
        if sent.is_err() {
            return;
        }
    }
}
