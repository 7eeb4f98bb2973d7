//! Clients that send a request and close the connection without reading the response: how long
//! `/-/healthy` is delayed, how long their descriptors stay open, and what other scrapes notice.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::haproxy::{Haproxy, Shape};
use crate::peers::{self, Peer};
use crate::process::{self, Running};
use crate::table::Grid;

const REQUESTS: [(&str, &str); 8] = [
    ("/metrics", "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "/metrics, Connection: close",
        "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ),
    ("/", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "/, Connection: close",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ),
    ("/-/healthy", "GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("404", "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "405",
        "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    ),
    ("bad version", "GET / HTTP/2.0\r\n\r\n"),
];
/// Connections that close one after the other.
const FEW: usize = 200;
/// Connections that wait in a full backlog, all of them closed.
const MANY: usize = 4096;
const SERVERS: usize = 100;
/// A flood of closed connections, and well-behaved scrapes meanwhile.
const FLOOD_PER_SECOND: u32 = 500;
const FLOOD: Duration = Duration::from_secs(10);
/// Without an end by then, something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

const HEALTHY_AFTER_FEW: Duration = Duration::from_millis(200);
const HEALTHY_AFTER_MANY: Duration = Duration::from_millis(500);
const DESCRIPTORS_BACK: Duration = Duration::from_secs(1);
const WORST_SCRAPE: Duration = Duration::from_millis(300);

/// Measures and prints the table, and holds it against the budgets.
pub(crate) fn report() -> Result<(), String> {
    if !process::exists("haproxy") {
        return Err("leavers needs Debian's package haproxy".to_owned());
    }
    let haproxy = Haproxy::start(&Shape::of(SERVERS))?;
    let exporter = peers::ours(&peers::exporter_binary()?, &haproxy, &[])?;
    let mut client = Client::new();
    client.scrape(exporter.address, exporter.proof)?;
    let mut grid = Grid::new(&[
        "request, then close",
        "/-/healthy after 200, ms",
        "after 4,096, ms",
        "descriptors back, ms",
    ]);
    let mut worst = [Duration::ZERO; 3];
    for (name, request) in REQUESTS {
        let times = measure(&exporter, request)?;
        worst = std::array::from_fn(|nth| worst[nth].max(times[nth]));
        let mut cells = vec![name.to_owned()];
        cells.extend(times.map(milliseconds));
        grid.row(&cells);
    }
    println!("{SERVERS} servers\n{grid}");
    let names = ["/-/healthy after 200", "after 4,096", "descriptors back"];
    let budgets = [HEALTHY_AFTER_FEW, HEALTHY_AFTER_MANY, DESCRIPTORS_BACK];
    let mut missed = false;
    for ((name, time), most) in names.iter().zip(worst).zip(budgets) {
        missed |= !budget(name, time, most);
    }
    let (whole, failed, longest) = flood(&exporter)?;
    println!(
        "\n{FLOOD_PER_SECOND} such connections a second for {FLOOD:?}: {whole} scrapes, {failed} failed"
    );
    missed |= !budget("worst scrape meanwhile", longest, WORST_SCRAPE);
    let process = own(&exporter)?;
    println!("peak RSS {:.2} MB", process.peak_bytes() as f64 / 1e6);
    match (missed, failed) {
        (_, 1..) => Err(format!("leavers: {failed} scrapes failed meanwhile")),
        (true, _) => Err("leavers: a budget was missed".to_owned()),
        _ => Ok(()),
    }
}

fn own(exporter: &Peer) -> Result<&Running, String> {
    let process = exporter.process.as_ref();
    process.ok_or_else(|| "no process of its own".to_owned())
}

/// Prints whether a budget holds, and returns it.
fn budget(what: &str, time: Duration, most: Duration) -> bool {
    let verdict = if time <= most { "holds" } else { "MISSED" };
    let (time, most) = (milliseconds(time), milliseconds(most));
    println!("budget  {what}: {time} ms (at most {most}): {verdict}");
    verdict == "holds"
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

/// The time until `/-/healthy` responds after few and after many, and that of the descriptors, whichever is
/// longer.
fn measure(exporter: &Peer, request: &str) -> Result<[Duration; 3], String> {
    let process = own(exporter)?;
    let descriptors = descriptors(process);
    let few = {
        (0..FEW).try_for_each(|_| leave(exporter.address, request))?;
        let healthy = healthy(exporter.address)?;
        [healthy, back(process, descriptors)?]
    };
    signal(process, "STOP")?;
    let sent = (0..MANY).try_for_each(|_| leave(exporter.address, request));
    signal(process, "CONT")?;
    sent?;
    let many = [healthy(exporter.address)?, back(process, descriptors)?];
    Ok([few[0], many[0], few[1].max(many[1])])
}

/// Sends a request and closes.
fn leave(address: SocketAddr, request: &str) -> Result<(), String> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE);
    let sent = stream.and_then(|mut stream| stream.write_all(request.as_bytes()));
    sent.map_err(|error| format!("a client that leaves: {error}"))
}

/// How long `/-/healthy` takes to respond.
fn healthy(address: SocketAddr) -> Result<Duration, String> {
    let failed = |error: std::io::Error| format!("/-/healthy: {error}");
    let start = Instant::now();
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let request = b"GET /-/healthy HTTP/1.0\r\n\r\n";
    stream.write_all(request).map_err(failed)?;
    let mut response = String::new();
    stream.read_to_string(&mut response).map_err(failed)?;
    match response.starts_with("HTTP/1.1 200 ") {
        true => Ok(start.elapsed()),
        false => Err(format!("/-/healthy: {response:?}")),
    }
}

/// How long it takes until no more descriptors are open than before.
fn back(process: &Running, before: usize) -> Result<Duration, String> {
    let start = Instant::now();
    process::wait_for("the end of the connections", PATIENCE, || {
        (descriptors(process) <= before).then(|| start.elapsed())
    })
}

fn descriptors(process: &Running) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", process.id()));
    files.map_or(0, Iterator::count)
}

fn signal(process: &Running, name: &str) -> Result<(), String> {
    let mut kill = Command::new("kill");
    let status = kill.args(["-s", name, &process.id().to_string()]).status();
    match status.map(|status| status.success()) {
        Ok(true) => Ok(()),
        _ => Err(format!("kill -s {name}")),
    }
}

/// Scrapes while clients leave, kind by kind: how many were whole, how many failed, and the longest.
fn flood(exporter: &Peer) -> Result<(usize, usize, Duration), String> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| {
            let start = Instant::now();
            let mut requests = REQUESTS.iter().cycle();
            for number in 0.. {
                let due = start + Duration::from_secs(1) * number / FLOOD_PER_SECOND;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                match requests.next() {
                    Some((_, request)) if !is_over.load(Ordering::Relaxed) => {
                        leave(exporter.address, request)?;
                    }
                    _ => break,
                }
            }
            Ok::<(), String>(())
        });
        let (mut client, start) = (Client::new(), Instant::now());
        let (mut whole, mut failed, mut longest) = (0, 0, Duration::ZERO);
        while start.elapsed() < FLOOD {
            let began = Instant::now();
            match client.scrape(exporter.address, exporter.proof) {
                Ok(_) => whole += 1,
                Err(_) => failed += 1,
            }
            longest = longest.max(began.elapsed());
            std::thread::sleep(Duration::from_millis(20));
        }
        is_over.store(true, Ordering::Relaxed);
        flood.join().map_err(|_| "a panic".to_owned())??;
        Ok((whole, failed, longest))
    })
}
