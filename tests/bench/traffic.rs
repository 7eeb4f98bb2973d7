//! What a scrape does to HAProxy's own traffic: the longest that a request waits in each second while
//! somebody scrapes once a second.
//!
//! Up to 3.2 a HAProxy of one thread lets no request through while it prints an answer. The requests are
//! answered by HAProxy itself (`http-request return`), over one connection, twice a millisecond.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::haproxy::{Haproxy, Shape};
use crate::peers::{self, Peer};
use crate::process;
use crate::table::Grid;

/// Servers, backends, threads of HAProxy.
const SHAPES: [(usize, usize, usize); 7] = [
    (1_000, 10, 1),
    (1_000, 100, 1),
    (10_000, 1, 1),
    (10_000, 10, 1),
    (10_000, 100, 1),
    (10_000, 1_000, 1),
    (10_000, 100, 2),
];
/// Each exporter scrapes once a second for this long.
const SECONDS: u32 = 8;
/// Scrapes without traffic, to know what they cost HAProxy.
const QUIET_SCRAPES: u32 = 10;
/// Between two requests.
const PERIOD: Duration = Duration::from_micros(500);
/// What ours may be of HAProxy's own exporter.
type Budget = (&'static str, fn(&Effect) -> Duration, f64);
const BUDGETS: [Budget; 2] = [
    ("longest wait", |effect| effect.longest, 0.25),
    ("time of a scrape", |effect| effect.scrape, 0.75),
];

/// What ours over TCP may be, where HAProxy's buffer holds more.
const TCP_BUDGET: f64 = 1.0;

/// What one exporter did to the traffic.
struct Effect {
    name: &'static str,
    /// Of all requests.
    p50: Duration,
    p99: Duration,
    /// Of each second the longest, and of those the median.
    longest: Duration,
    /// Median time of a scrape.
    scrape: Duration,
    haproxy_cpu: Duration,
}

/// Measures and prints a table for each shape.
pub(crate) fn report(only: &[(usize, usize, usize)]) -> Result<(), String> {
    if !process::exists("haproxy") {
        return Err("traffic needs Debian's package haproxy".to_owned());
    }
    let shapes = if only.is_empty() { &SHAPES } else { only };
    for shape in shapes {
        let effects = measure(*shape)?;
        print(*shape, &effects);
    }
    Ok(())
}

fn measure((servers, backends, threads): (usize, usize, usize)) -> Result<Vec<Effect>, String> {
    let haproxy = Haproxy::start(&Shape {
        servers,
        backends,
        threads: Some(threads),
    })?;
    let binary = peers::exporter_binary()?;
    let mut exporters = vec![
        peers::ours(&binary, &haproxy, &[])?,
        peers::over_tcp(&binary, &haproxy)?,
    ];
    if process::exists("prometheus-haproxy-exporter") {
        exporters.push(peers::go(&haproxy)?);
    }
    exporters.push(peers::built_in(&haproxy));
    let mut effects = vec![watch(&haproxy, None)?];
    for exporter in &exporters {
        // The first scrape grows its buffers, and tells how many rows there are.
        Client::new().scrape(exporter.address, exporter.proof)?;
        effects.push(watch(&haproxy, Some(exporter))?);
    }
    for (exporter, effect) in exporters.iter().zip(&mut effects[1..]) {
        effect.haproxy_cpu = cpu_of_a_scrape(&haproxy, exporter)?;
    }
    Ok(effects)
}

/// HAProxy's processor time for a scrape while it has nothing else to do.
fn cpu_of_a_scrape(haproxy: &Haproxy, exporter: &Peer) -> Result<Duration, String> {
    let mut client = Client::new();
    let before = haproxy.process.exact_cpu();
    for _ in 0..QUIET_SCRAPES {
        client.scrape(exporter.address, exporter.proof)?;
    }
    Ok(haproxy.process.exact_cpu().saturating_sub(before) / QUIET_SCRAPES)
}

/// One run: requests, and scrapes by somebody or nobody.
fn watch(haproxy: &Haproxy, exporter: Option<&Peer>) -> Result<Effect, String> {
    let is_over = AtomicBool::new(false);
    let (waits, mut scrapes) = std::thread::scope(|scope| {
        let requests = scope.spawn(|| requests(haproxy.traffic, &is_over));
        let scrapes = scrapes(exporter);
        is_over.store(true, Ordering::Relaxed);
        let waits = requests.join().map_err(|_| "a panic".to_owned())?;
        Ok::<_, String>((waits?, scrapes?))
    })?;
    let mut longest: Vec<Duration> = waits
        .iter()
        .filter_map(|second| second.iter().max().copied())
        .collect();
    let mut all = waits.concat();
    Ok(Effect {
        name: exporter.map_or("nobody", |exporter| exporter.name),
        p50: quantile(&mut all, 50),
        p99: quantile(&mut all, 99),
        longest: quantile(&mut longest, 50),
        scrape: quantile(&mut scrapes, 50),
        haproxy_cpu: Duration::ZERO,
    })
}

/// One scrape at the beginning of each second; the times that they took.
fn scrapes(exporter: Option<&Peer>) -> Result<Vec<Duration>, String> {
    let mut client = Client::new();
    let mut times = Vec::new();
    let start = Instant::now();
    for second in 1..=SECONDS {
        if let Some(exporter) = exporter {
            let scraped = client.scrape(exporter.address, exporter.proof)?;
            times.push(scraped.took);
        }
        let end = start + Duration::from_secs(1) * second;
        std::thread::sleep(end.saturating_duration_since(Instant::now()));
    }
    Ok(times)
}

/// Requests until it is over; how long each waited, second by second.
fn requests(address: SocketAddr, is_over: &AtomicBool) -> Result<Vec<Vec<Duration>>, String> {
    let failed = |error: std::io::Error| format!("a request to {address}: {error}");
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let mut waits = vec![Vec::new()];
    let mut buffer = [0; 1024];
    let start = Instant::now();
    let mut next = start;
    while !is_over.load(Ordering::Relaxed) {
        let asked = Instant::now();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
            .map_err(failed)?;
        let mut count = 0;
        // Neither head nor body has an empty line elsewhere.
        while !buffer[..count].ends_with(b"\r\n\r\n") {
            match stream.read(&mut buffer[count..]).map_err(failed)? {
                0 => return Err(format!("a request to {address}: closed")),
                more => count += more,
            }
        }
        let second = asked.duration_since(start).as_secs() as usize;
        waits.resize_with(waits.len().max(second + 1), Vec::new);
        waits[second].push(asked.elapsed());
        next = (next + PERIOD).max(Instant::now());
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    waits.truncate(SECONDS as usize);
    Ok(waits)
}

fn quantile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let at = times.len() * percent / 100;
    times
        .get(at.min(times.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

fn print(shape: (usize, usize, usize), effects: &[Effect]) {
    let mut grid = Grid::new(&[
        "scraped by",
        "p50 ms",
        "p99 ms",
        "longest a second ms",
        "scrape ms",
        "HAProxy CPU ms",
    ]);
    let milliseconds = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    for effect in effects {
        let mut cells = vec![effect.name.to_owned()];
        cells.extend([effect.p50, effect.p99, effect.longest].map(milliseconds));
        if effect.name != "nobody" {
            cells.extend([effect.scrape, effect.haproxy_cpu].map(milliseconds));
        }
        grid.row(&cells);
    }
    let (servers, backends, threads) = shape;
    println!("\n{servers} servers in {backends} backends, {threads} threads of HAProxy\n{grid}");
    // The first is nobody's, ours are the next, and HAProxy's own comes last.
    if let [_, ours, over_tcp, .., built_in] = effects {
        let part = over_tcp.longest.as_secs_f64() / built_in.longest.as_secs_f64().max(1e-9);
        let verdict = if part <= TCP_BUDGET {
            "holds"
        } else {
            "MISSED"
        };
        println!(
            "budget  longest wait over TCP, of the built-in exporter's: {part:.2} (at most {TCP_BUDGET}): {verdict}"
        );
        for (what, time, most) in BUDGETS {
            let part = time(ours).as_secs_f64() / time(built_in).as_secs_f64().max(1e-9);
            let verdict = if part <= most { "holds" } else { "MISSED" };
            println!(
                "budget  {what}, of the built-in exporter's: {part:.2} (at most {most}): {verdict}"
            );
        }
    }
}
