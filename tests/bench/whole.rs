//! Whole scrapes of a real HAProxy, beside the floor and the other exporters, in the same minute.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::haproxy::{Haproxy, Shape};
use crate::peers::{self, Peer};
use crate::process::{self, Running};
use crate::table::Grid;
use crate::{floor, verdict};

/// Rounds of each exporter go on until its time is over, but never fewer or more than this.
const TIME_AN_EXPORTER: Duration = Duration::from_secs(6);
const MIN_ROUNDS: usize = 3;
const MAX_ROUNDS: usize = 400;
/// Scrapes under strace.
const TRACED_SCRAPES: u64 = 5;
/// With more servers strace would only show the same again.
const TRACED_SERVERS: usize = 10_000;

/// Medians of one exporter.
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    pub(crate) rounds: usize,
    pub(crate) wall: Duration,
    /// Its own processor time a scrape; inside HAProxy that is HAProxy's.
    pub(crate) cpu: Duration,
    pub(crate) haproxy_cpu: Duration,
    pub(crate) peak_bytes: Option<u64>,
    pub(crate) calls: Option<u64>,
    pub(crate) body_bytes: u64,
}

/// All that was measured with one number of servers.
pub(crate) struct Measured {
    pub(crate) servers: usize,
    pub(crate) show_stat: Duration,
    pub(crate) loopback: Duration,
    /// The same for as many bytes as there are under builtin names.
    pub(crate) builtin_loopback: Duration,
    /// Ours under both sets of names first, then the peers that are there.
    pub(crate) exporters: Vec<Figures>,
}

/// Measures and prints a table for each number of servers.
pub(crate) fn report(sizes: &[usize]) -> Result<(), String> {
    if !process::exists("haproxy") {
        return Err("whole scrapes need Debian's package haproxy".to_owned());
    }
    let binary = peers::exporter_binary()?;
    println!("{}", binary.display());
    for servers in sizes {
        let measured = measure(*servers, &binary)?;
        print(&measured);
    }
    Ok(())
}

fn measure(servers: usize, binary: &Path) -> Result<Measured, String> {
    let haproxy = Haproxy::start(&Shape::of(servers))?;
    let mut exporters = vec![
        peers::ours(binary, &haproxy, &[])?,
        peers::builtin_names(binary, &haproxy)?,
    ];
    if process::exists("prometheus-haproxy-exporter") {
        exporters.push(peers::go(&haproxy)?);
    }
    exporters.push(peers::built_in(&haproxy));
    let mut client = Client::new();
    let mut show_stat = Vec::new();
    let mut loopback = Vec::new();
    let mut builtin_loopback = Vec::new();
    // The first scrape of each grows its buffers and is not counted.
    let mut body_bytes = Vec::new();
    for exporter in &exporters {
        let first = client.scrape(exporter.address, exporter.proof)?;
        body_bytes.push(first.body_bytes);
    }
    let mut rounds: Vec<Rounds> = exporters.iter().map(|_| Rounds::default()).collect();
    for round in 0..MAX_ROUNDS {
        if !rounds.iter().any(Rounds::goes_on) {
            break;
        }
        // The floor is measured beside ours, round by round, so that both see the same machine.
        if rounds[0].goes_on() {
            let failed = |error| format!("the floor: {error}");
            show_stat.push(floor::show_stat(&haproxy.socket, &mut client).map_err(failed)?);
            loopback.push(floor::loopback(body_bytes[0], &mut client).map_err(failed)?);
            builtin_loopback.push(floor::loopback(body_bytes[1], &mut client).map_err(failed)?);
        }
        for (exporter, rounds) in exporters.iter().zip(&mut rounds) {
            if round < MIN_ROUNDS || rounds.goes_on() {
                rounds.add(exporter, &haproxy.process, &mut client)?;
            }
        }
    }
    let mut figures = Vec::new();
    for ((exporter, rounds), body_bytes) in exporters.iter().zip(rounds).zip(body_bytes) {
        let peak_bytes = exporter.process.as_ref().map(Running::peak_bytes);
        let calls = match &exporter.process {
            Some(process) if servers <= TRACED_SERVERS => calls(process, exporter, &mut client),
            _ => None,
        };
        figures.push(rounds.figures(exporter.name, peak_bytes, calls, body_bytes));
    }
    Ok(Measured {
        servers,
        show_stat: median(&mut show_stat),
        loopback: median(&mut loopback),
        builtin_loopback: median(&mut builtin_loopback),
        exporters: figures,
    })
}

/// The rounds of one exporter.
#[derive(Default)]
struct Rounds {
    walls: Vec<Duration>,
    spent: Duration,
    cpu: Duration,
    haproxy_cpu: Duration,
}

impl Rounds {
    fn goes_on(&self) -> bool {
        self.walls.len() < MIN_ROUNDS || self.spent < TIME_AN_EXPORTER
    }

    fn add(
        &mut self,
        exporter: &Peer,
        haproxy: &Running,
        client: &mut Client,
    ) -> Result<(), String> {
        let own = || {
            exporter
                .process
                .as_ref()
                .map_or(Duration::ZERO, Running::cpu)
        };
        let (own_before, haproxy_before) = (own(), haproxy.cpu());
        let start = Instant::now();
        let scraped = client.scrape(exporter.address, exporter.proof)?;
        self.spent += start.elapsed();
        self.walls.push(scraped.took);
        self.cpu += own().saturating_sub(own_before);
        self.haproxy_cpu += haproxy.cpu().saturating_sub(haproxy_before);
        Ok(())
    }

    fn figures(
        mut self,
        name: &'static str,
        peak_bytes: Option<u64>,
        calls: Option<u64>,
        body_bytes: u64,
    ) -> Figures {
        let rounds = self.walls.len();
        let each = |time: Duration| time / u32::try_from(rounds.max(1)).unwrap_or(u32::MAX);
        Figures {
            name,
            rounds,
            wall: median(&mut self.walls),
            cpu: if peak_bytes.is_some() {
                each(self.cpu)
            } else {
                each(self.haproxy_cpu)
            },
            haproxy_cpu: each(self.haproxy_cpu),
            peak_bytes,
            calls,
            body_bytes,
        }
    }
}

/// System calls a scrape, counted by strace; `None` where there is none.
fn calls(process: &Running, exporter: &Peer, client: &mut Client) -> Option<u64> {
    let directory = tempfile::tempdir().ok()?;
    let file = directory.path().join("calls");
    let mut strace = Command::new("strace")
        .args(["-f", "-c", "-o"])
        .arg(&file)
        .args(["-p", &process.id().to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // strace has attached when the process has a tracer.
    let attached = process::wait_for("strace", Duration::from_secs(5), || {
        process.is_traced().then_some(())
    });
    std::thread::sleep(Duration::from_millis(100));
    let scraped =
        (0..TRACED_SCRAPES).all(|_| client.scrape(exporter.address, exporter.proof).is_ok());
    // Interrupted, strace detaches and writes its table.
    let _ = Command::new("kill")
        .args(["-INT", &strace.id().to_string()])
        .status();
    let _ = strace.wait();
    attached.ok()?;
    let table = std::fs::read_to_string(&file).ok()?;
    let total = table
        .lines()
        .find(|line| line.trim_end().ends_with(" total"))?;
    let count: u64 = total.split_whitespace().nth(3)?.parse().ok()?;
    scraped.then_some(count / TRACED_SCRAPES)
}

fn print(measured: &Measured) {
    let mut grid = Grid::new(&[
        "",
        "rounds",
        "wall ms",
        "CPU ms",
        "HAProxy CPU ms",
        "peak RSS MB",
        "calls",
        "bytes",
        "wall / ours",
        "CPU / ours",
        "wall / floor",
    ]);
    let floor = measured.show_stat + measured.loopback;
    let milliseconds = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    let ratio = |time: Duration, by: Duration| format!("{:.2}", verdict::ratio(time, by));
    for (name, time) in [
        ("show stat, bare reader", measured.show_stat),
        ("loopback, bare sender", measured.loopback),
        ("floor", floor),
        (
            "floor, builtin names",
            measured.show_stat + measured.builtin_loopback,
        ),
    ] {
        let mut cells = vec![name.to_owned(), String::new(), milliseconds(time)];
        cells.resize(10, String::new());
        cells.push(ratio(time, floor));
        grid.row(&cells);
    }
    let ours = &measured.exporters[0];
    for figures in &measured.exporters {
        grid.row(&[
            figures.name.to_owned(),
            figures.rounds.to_string(),
            milliseconds(figures.wall),
            milliseconds(figures.cpu),
            milliseconds(figures.haproxy_cpu),
            figures
                .peak_bytes
                .map_or(String::new(), |bytes| format!("{:.2}", bytes as f64 / 1e6)),
            figures
                .calls
                .map_or(String::new(), |calls| calls.to_string()),
            figures.body_bytes.to_string(),
            ratio(figures.wall, ours.wall),
            ratio(figures.cpu, ours.cpu),
            ratio(figures.wall, floor),
        ]);
    }
    println!("\n{} servers\n{grid}", measured.servers);
    for line in verdict::lines(measured) {
        println!("{line}");
    }
}

pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
