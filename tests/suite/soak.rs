//! Soak: scrapes as fast as they go while a real HAProxy is reloaded again and again: plain and compressed
//! responses, those of a target with a name, and certificates.
//!
//! `SOAK_SECONDS` says for how long (`make soak`); without it a few seconds show that the driver
//! itself works. Takes the binary that ships, `EXPORTER_STATIC`, where there is one. Prints requests,
//! errors and the memory curve on standard error.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::certificates;
use crate::support::exporter::{self, Exporter};
use crate::support::exposition;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::http::{self, PATIENCE};
use crate::support::peers;

/// Without `SOAK_SECONDS`.
const SHORT: u64 = 4;
/// What clients ask for that scrape at the same time, each over connections of its own.
const CLIENTS: [Asks; 4] = [Asks::Plain, Asks::Plain, Asks::Gzip, Asks::Target];
/// Requests on a connection before a new one is opened.
const REQUESTS_A_CONNECTION: usize = 100;
/// Every so many answers one is read by the strict reader; the others are looked through.
const STRICT_EVERY: usize = 200;
const SERVERS: usize = 50;
/// What memory may grow by between a tenth of the time and the end.
const GROWTH_KIB: u64 = 1024;

/// What a client asks for.
#[derive(Clone, Copy)]
enum Asks {
    Plain,
    /// A compressed response.
    Gzip,
    /// The same HAProxy, as a target with a name.
    Target,
}

/// What a client has seen.
#[derive(Debug, Default)]
struct Seen {
    requests: usize,
    bytes: u64,
    down: usize,
    errors: Vec<String>,
    slowest: Duration,
    /// Workers of HAProxy that answered.
    workers: BTreeSet<String>,
}

impl Seen {
    /// One answer: whole and of this HAProxy, or `haproxy_up 0` and nothing of it.
    fn check(&mut self, body: &str) -> Result<(), String> {
        let value = |name: &str| {
            let mut lines = body.lines();
            lines.find_map(|line| {
                line.strip_prefix(name)?
                    .strip_prefix(' ')
                    .map(str::to_owned)
            })
        };
        let rows = body
            .lines()
            .filter(|line| line.starts_with("haproxy_server_up{"))
            .count();
        match (value("haproxy_up").as_deref(), rows) {
            (Some("1"), SERVERS) => self.workers.extend(value("haproxy_process_pid")),
            (Some("0"), 0) => self.down += 1,
            (up, rows) => return Err(format!("up {up:?} with {rows} servers")),
        }
        if self.requests.is_multiple_of(STRICT_EVERY) {
            exposition::read(body.as_bytes()).map_err(|error| format!("malformed: {error}"))?;
        }
        Ok(())
    }

    fn add(&mut self, other: Seen) {
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.down += other.down;
        self.errors.extend(other.errors);
        self.slowest = self.slowest.max(other.slowest);
        self.workers.extend(other.workers);
    }
}

/// Scrapes until `stop`.
fn client(address: SocketAddr, asks: Asks, stop: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) && seen.errors.len() < 100 {
        let result = match asks {
            Asks::Plain => connection(address, "/metrics", stop, &mut seen),
            Asks::Gzip => compressed(address, &mut seen),
            Asks::Target => connection(address, "/metrics?target=named", stop, &mut seen),
        };
        if let Err(error) = result {
            seen.errors
                .push(format!("request {}: {error}", seen.requests));
        }
    }
    seen
}

/// One compressed response, whose body has no length.
fn compressed(address: SocketAddr, seen: &mut Seen) -> Result<(), String> {
    seen.requests += 1;
    let start = Instant::now();
    let accepts = [("Accept-Encoding", "gzip")];
    let response = http::request(address, "GET", "/metrics", &accepts);
    if (response.status, response.header("content-encoding")) != (200, Some("gzip")) {
        return Err(format!("answered {:?}", response.headers));
    }
    seen.slowest = seen.slowest.max(start.elapsed());
    seen.bytes += response.body.len() as u64;
    let body = String::from_utf8(response.decoded()?).map_err(|error| error.to_string())?;
    seen.check(&body)
}

fn connection(
    address: SocketAddr,
    path: &str,
    stop: &AtomicBool,
    seen: &mut Seen,
) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(text)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(text)?;
    let mut reader = BufReader::new(stream);
    for _ in 0..REQUESTS_A_CONNECTION {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        seen.requests += 1;
        let start = Instant::now();
        let request = format!("GET {path} HTTP/1.1\r\nHost: soak\r\n\r\n");
        let sent = reader.get_mut().write_all(request.as_bytes());
        sent.map_err(text)?;
        let body = answer(&mut reader)?;
        seen.slowest = seen.slowest.max(start.elapsed());
        seen.bytes += body.len() as u64;
        seen.check(&body)?;
    }
    Ok(())
}

/// The body of one answer on a connection that stays open.
fn answer(reader: &mut impl BufRead) -> Result<String, String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let count = reader
            .read_line(&mut head)
            .map_err(|error| error.to_string())?;
        if count == 0 {
            return Err(format!("closed after {head:?}"));
        }
    }
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(format!("answered {head:?}"));
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok());
    let mut body = vec![0; length.ok_or("no Content-Length")?];
    reader
        .read_exact(&mut body)
        .map_err(|error| format!("cut: {error}"))?;
    String::from_utf8(body).map_err(|error| error.to_string())
}

fn configuration(place: &Place, certificate: &Path) -> String {
    let mut text = place
        .global()
        .replace("level admin", "level admin expose-fd listeners");
    write!(
        text,
        "frontend web\n  bind {} ssl crt {}\n  default_backend app\nbackend app\n",
        place.bind(0),
        certificate.display()
    )
    .expect("writing to a String");
    for number in 0..SERVERS {
        writeln!(text, "  server s{number} 127.0.0.1:9").expect("writing to a String");
    }
    text
}

/// Past the test's capture: these are figures to report.
fn say(line: &str) {
    let line = format!("soak: {line}\n");
    std::io::stderr()
        .write_all(line.as_bytes())
        .expect("write to standard error");
}

/// Reloads HAProxy and notes the exporter's memory until the time is over.
fn drive(exporter: &Exporter, haproxy: &Haproxy, seconds: u64) -> (usize, Vec<u64>) {
    let start = Instant::now();
    let reload_every = Duration::from_secs(if seconds > 60 { 5 } else { 1 });
    let note_every = Duration::from_secs(if seconds > 60 { 10 } else { 1 });
    let (mut reload, mut note) = (reload_every, note_every);
    let (mut reloads, mut memory) = (0, Vec::new());
    while start.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(Duration::from_millis(50));
        if start.elapsed() >= reload {
            haproxy.peer.signal(libc::SIGUSR2);
            reloads += 1;
            reload += reload_every;
        }
        if start.elapsed() >= note {
            let (rss, peak) = (exporter.proc_status("VmRSS"), exporter.proc_status("VmHWM"));
            say(&format!(
                "{} s: VmRSS {rss} KiB, VmHWM {peak} KiB",
                start.elapsed().as_secs()
            ));
            memory.push(rss);
            note += note_every;
        }
    }
    (reloads, memory)
}

#[test]
fn soak() {
    let given = std::env::var("SOAK_SECONDS").ok();
    let seconds: u64 = given.map_or(SHORT, |text| {
        text.parse().expect("SOAK_SECONDS is a number")
    });
    let place = Place::new(1);
    let Some(certificate) = certificates::make(&place) else {
        return;
    };
    let text = configuration(&place, &certificate);
    let Some(haproxy) = Haproxy::start_as(place, &text, &["-W"]) else {
        return;
    };
    let mut command = match std::env::var_os("EXPORTER_STATIC") {
        Some(binary) => exporter::command_of(&binary),
        None => exporter::command(),
    };
    let named = format!("--haproxy.target=named={}", haproxy.unix_uri());
    let flags = [&haproxy.unix_flag(), &named, "--haproxy.certificates"];
    let exporter = Exporter::spawn(command.args(flags));
    // The certificates too.
    exporter.scrape();
    let expiry = "haproxy_ssl_certificate_not_after_timestamp_seconds";
    let first = exporter.get("/metrics").text().to_owned();
    assert!(first.contains(expiry), "{first}");
    let before = (exporter.proc_status("Threads"), exporter.descriptors());
    let (address, stop) = (exporter.address(), AtomicBool::new(false));
    let mut seen = Seen::default();
    let (reloads, memory) = std::thread::scope(|scope| {
        let stop = &stop;
        let clients = CLIENTS.map(|asks| scope.spawn(move || client(address, asks, stop)));
        // Also when a panic ends the drive, so that the clients end too.
        let driven = catch_unwind(AssertUnwindSafe(|| drive(&exporter, &haproxy, seconds)));
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            seen.add(client.join().expect("a client's end"));
        }
        driven.expect("the drive")
    });
    say(&format!(
        "{} requests in {seconds} s ({} MB), {reloads} reloads, {} workers seen, {} answers with haproxy_up 0, \
         {} errors, slowest {:?}",
        seen.requests,
        seen.bytes / 1_000_000,
        seen.workers.len(),
        seen.down,
        seen.errors.len(),
        seen.slowest
    ));
    assert!(seen.errors.is_empty(), "{:#?}", seen.errors);
    assert!(seen.requests > 10 && seen.workers.len() > 1, "{seen:?}");
    let (threads, descriptors) = before;
    let is_back =
        || exporter.proc_status("Threads") <= threads && exporter.descriptors() <= descriptors;
    let back = peers::wait_for_or_give_up(|| is_back().then_some(()));
    assert!(
        back.is_some(),
        "{threads} threads and {descriptors} descriptors before, more now"
    );
    let early = memory.get(memory.len() / 10).copied().unwrap_or(0);
    let late = memory.last().copied().unwrap_or(0);
    assert!(
        late <= early + GROWTH_KIB,
        "VmRSS went from {early} to {late} KiB"
    );
}
