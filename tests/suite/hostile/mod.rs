//! What hostile clients may do, and the honest client that must not notice them.
//!
//! A siege is one row of the table that the project promises: an attack on one process, honest
//! scrapes all the while, and nothing left behind when it is over. What counts is what was served,
//! never how long it took: that depends on the machine.

mod connections;
mod hanging;
mod heads;
mod honest;
mod hurry;
mod leavers;
mod link;
mod listen;
mod log;
mod memory;
mod neighbours;
mod readers;
mod refused;
mod requests;
mod signals;
mod slow;
mod stopped;
mod threads;
pub(crate) mod tools;

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::support::exporter::Exporter;
use crate::support::exposition;
use crate::support::http::{self, PATIENCE};

/// An attack goes on until so many honest scrapes have ended, and it has done what it set out to do ...
const SCRAPES: usize = 10;
/// ... but for the sake of the latter no longer than this.
const LONGEST: Duration = Duration::from_secs(6);
/// Between two honest scrapes.
const PERIOD: Duration = Duration::from_millis(50);
/// What the heap may keep: it gives back whole pages at its end only.
const KEPT_KIB: u64 = 512;
/// Connections that are held at the same time, and what a scrape opens.
const MOST_HELD: usize = 64 + 3;
/// The table's bound on memory, where it has one.
pub(crate) const SMALL_KIB: u64 = 8 * 1024;

/// Takes a turn among those that read answers of 20 MB: the exporter cuts off who reads slowly while
/// others wait, and on a busy machine an honest client does.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What must hold besides that every honest scrape is served whole.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rules {
    /// Of a hundred honest scrapes so many may fail while the attack lasts.
    pub(crate) percent_failed: usize,
    /// The most memory the process may ever have held.
    pub(crate) peak_kib: Option<u64>,
}

/// A running attack.
pub(crate) struct Attack<'a> {
    pub(crate) address: SocketAddr,
    began: Instant,
    /// Honest scrapes that have ended.
    scrapes: &'a AtomicUsize,
}

impl Attack<'_> {
    /// Whether to do more after `done` of `wanted`.
    pub(crate) fn goes_on(&self, done: usize, wanted: usize) -> bool {
        let lasted = self.began.elapsed();
        let is_watched = self.scrapes.load(Ordering::Relaxed) >= SCRAPES;
        // An honest client that gets no answer at all gives up some time, and this with it.
        (!is_watched && lasted < PATIENCE) || (done < wanted && lasted < LONGEST)
    }

    /// A connection. Who sends more than is read gives up after half a second.
    pub(crate) fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(Duration::from_millis(500)))?;
        Ok(stream)
    }

    /// Sends bytes on a connection of their own, and returns what comes back until its end.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = self.connect()?;
        stream.write_all(bytes)?;
        let mut answer = Vec::new();
        // A reset ends an answer as well as a close.
        let _ = stream.read_to_end(&mut answer);
        Ok(answer)
    }
}

/// Attacks `exporter`, which serves what it serves now all the while. `attack` returns how often
/// it did what it does.
pub(crate) fn siege(
    name: &str,
    exporter: Exporter,
    rules: Rules,
    attack: impl FnOnce(&Attack<'_>) -> usize,
) {
    let honest = Honest::new(exporter.address());
    let before = Footprint::settled(&exporter);
    let over = AtomicBool::new(false);
    let scrapes = AtomicUsize::new(0);
    let (log, attacks) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| honest.scrape_until(&over, &scrapes, &exporter));
        let over = Flag(&over);
        let attacks = attack(&Attack {
            address: exporter.address(),
            began: Instant::now(),
            scrapes: &scrapes,
        });
        drop(over);
        (watch.join().expect("the honest client"), attacks)
    });
    let after = Footprint::recovered(&exporter, &before);
    let mut failures = log.check(rules);
    for _ in 0..3 {
        failures.extend(honest.scrape().err().map(|e| format!("afterwards: {e}")));
    }
    let peak = exporter.proc_status("VmHWM");
    eprintln!("{}", row(name, attacks, &log, peak, &before, &after));
    failures.extend(after.exceeds(&before));
    if let Err(busy) = is_idle(&exporter) {
        failures.push(busy);
    }
    if log.descriptors > before.descriptors + MOST_HELD {
        failures.push(format!("{} descriptors while it lasted", log.descriptors));
    }
    if rules.peak_kib.is_some_and(|most| peak > most) {
        failures.push(format!("VmHWM is {peak} KiB"));
    }
    let status = exporter.finish();
    if status.status.code() != Some(0) {
        failures.push(format!("ended with {}", status.status));
    }
    assert!(failures.is_empty(), "{name}:\n{}", failures.join("\n"));
}

/// Whether the process uses no processor time to speak of.
pub(crate) fn is_idle(exporter: &Exporter) -> Result<(), String> {
    let ticks = || -> u64 {
        let path = format!("/proc/{}/stat", exporter.pid());
        let text = std::fs::read_to_string(path).expect("read /proc/PID/stat");
        // After the name in brackets: user time is field 14, system time field 15 (proc(5)).
        let rest = text.rsplit_once(')').expect("a name in brackets").1;
        let times = rest.split_whitespace().skip(11).take(2);
        times.map(|time| time.parse::<u64>().expect("a time")).sum()
    };
    let before = ticks();
    std::thread::sleep(Duration::from_millis(300));
    match ticks() - before {
        // A busy loop would take 30.
        0..=5 => Ok(()),
        used => Err(format!("{used} ticks of processor time in 300 ms of peace")),
    }
}

fn row(
    name: &str,
    attacks: usize,
    log: &Log,
    peak: u64,
    before: &Footprint,
    after: &Footprint,
) -> String {
    let mut row = format!(
        "| {name} ({attacks}) | {}/{} | {} ms | {:.1} MB | {:.1} > {:.1} MB |",
        log.took.len(),
        log.took.len() + log.errors.len(),
        log.took.iter().max().map_or(0, Duration::as_millis),
        peak as f64 / 1024.0,
        before.rss_kib as f64 / 1024.0,
        after.rss_kib as f64 / 1024.0,
    );
    let counts = [
        (before.threads, log.threads, after.threads),
        (before.descriptors, log.descriptors, after.descriptors),
    ];
    for (before, peak, after) in counts {
        write!(row, " {before} > {peak} > {after} |").expect("writing to a String");
    }
    row
}

/// Sets a flag when it goes out of scope, also by a panic.
struct Flag<'a>(&'a AtomicBool);

impl Drop for Flag<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a process holds.
#[derive(Debug)]
pub(crate) struct Footprint {
    threads: usize,
    descriptors: usize,
    rss_kib: u64,
}

impl Footprint {
    fn of(exporter: &Exporter) -> Footprint {
        Footprint {
            threads: exporter.proc_status("Threads") as usize,
            descriptors: exporter.descriptors(),
            rss_kib: exporter.proc_status("VmRSS"),
        }
    }

    /// The footprint once the last connection is closed on the other side too.
    pub(crate) fn settled(exporter: &Exporter) -> Footprint {
        let deadline = Instant::now() + PATIENCE;
        let mut last = Footprint::of(exporter);
        loop {
            std::thread::sleep(Duration::from_millis(50));
            let now = Footprint::of(exporter);
            if now.descriptors == last.descriptors || Instant::now() > deadline {
                return now;
            }
            last = now;
        }
    }

    /// Waits until nothing is above `before`, and returns what there is then.
    pub(crate) fn recovered(exporter: &Exporter, before: &Footprint) -> Footprint {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = Footprint::of(exporter);
            if now.exceeds(before).is_empty() || Instant::now() > deadline {
                return now;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What is more than before.
    pub(crate) fn exceeds(&self, before: &Footprint) -> Vec<String> {
        let compared = [
            ("threads", self.threads as u64, before.threads as u64),
            (
                "descriptors",
                self.descriptors as u64,
                before.descriptors as u64,
            ),
            ("VmRSS", self.rss_kib, before.rss_kib + KEPT_KIB),
        ];
        let more = compared.iter().filter(|(_, now, most)| now > most);
        more.map(|(what, now, most)| format!("{what} is {now}, not at most {most} as before"))
            .collect()
    }
}

/// A client that scrapes as Prometheus does, and knows what it must get.
pub(crate) struct Honest {
    address: SocketAddr,
    /// All that comes from HAProxy's rows.
    rows: Vec<u8>,
}

/// What an honest client saw.
#[derive(Default)]
struct Log {
    took: Vec<Duration>,
    errors: Vec<String>,
    /// The most that the process had meanwhile.
    threads: usize,
    descriptors: usize,
}

impl Log {
    fn check(&self, rules: Rules) -> Vec<String> {
        let scrapes = self.took.len() + self.errors.len();
        let failed = self.errors.len();
        let mut failures = Vec::new();
        if failed * 100 > scrapes * rules.percent_failed {
            failures.push(format!("{failed} of {scrapes} scrapes failed"));
            failures.extend_from_slice(&self.errors[..failed.min(3)]);
        }
        if scrapes < SCRAPES {
            failures.push(format!("only {scrapes} scrapes: that proves nothing"));
        }
        failures
    }
}

impl Honest {
    /// Scrapes a few times, so that buffers have their size, and remembers the rows. They are
    /// checked by the strict reader once; from then on every answer must bring the same bytes.
    pub(crate) fn new(address: SocketAddr) -> Honest {
        let mut rows = Vec::new();
        for _ in 0..3 {
            let body = get(address).expect("a scrape before the attack");
            let (own, served) = split(&body).expect("rows before the attack");
            if rows.is_empty() {
                // Of the large answer a part will do: reading it whole takes seconds.
                let end = served.len().min(1 << 20);
                let end = served[..end].iter().rposition(|byte| *byte == b'\n');
                let checked = own.len() + end.map_or(0, |end| end + 1);
                exposition::read(&body[..checked]).expect("a valid exposition");
                rows = served.to_vec();
            }
            assert!(rows == served, "rows that never change");
        }
        Honest { address, rows }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// One scrape, checked to the last byte; how long it took.
    pub(crate) fn scrape(&self) -> Result<Duration, String> {
        let began = Instant::now();
        let body = get(self.address)?;
        let took = began.elapsed();
        self.check(&body)?;
        Ok(took)
    }

    /// Whether this is a complete and valid exposition.
    pub(crate) fn check(&self, body: &[u8]) -> Result<(), String> {
        let (own, rows) = split(body)?;
        let own = exposition::read(own)?;
        if own.get("haproxy_up") != Some(1.0) {
            return Err("haproxy_up is not 1".to_owned());
        }
        if rows != self.rows {
            return Err(format!("{} bytes of rows are not as before", rows.len()));
        }
        Ok(())
    }

    fn scrape_until(&self, over: &AtomicBool, scrapes: &AtomicUsize, exporter: &Exporter) -> Log {
        let mut log = Log::default();
        while !over.load(Ordering::Relaxed) {
            let began = Instant::now();
            match self.scrape() {
                Ok(took) => log.took.push(took),
                Err(error) => log.errors.push(error),
            }
            scrapes.fetch_add(1, Ordering::Relaxed);
            let now = Footprint::of(exporter);
            log.threads = log.threads.max(now.threads);
            log.descriptors = log.descriptors.max(now.descriptors);
            std::thread::sleep(PERIOD.saturating_sub(began.elapsed()));
        }
        log
    }
}

/// What the exporter says of itself, and HAProxy's rows.
fn split(body: &[u8]) -> Result<(&[u8], &[u8]), String> {
    const FIRST_ROWS: [&str; 3] = [
        "# HELP haproxy_frontend_",
        "# HELP haproxy_backend_",
        "# HELP haproxy_server_",
    ];
    let searched = &body[..body.len().min(16 * 1024)];
    let searched = String::from_utf8_lossy(searched);
    let at = FIRST_ROWS.iter().filter_map(|text| searched.find(text));
    let at = at
        .min()
        .ok_or("no rows: HAProxy looks as if it were down")?;
    Ok(body.split_at(at))
}

/// The metrics, on a connection of its own.
fn get(address: SocketAddr) -> Result<Vec<u8>, String> {
    let mut stream =
        TcpStream::connect_timeout(&address, PATIENCE).map_err(|e| format!("connect: {e}"))?;
    let timeouts = stream
        .set_read_timeout(Some(PATIENCE))
        .and(stream.set_write_timeout(Some(PATIENCE)));
    timeouts.map_err(|e| e.to_string())?;
    get_over(&mut stream)
}

/// The metrics, on this connection, which the exporter then closes.
pub(crate) fn get_over(stream: &mut (impl Read + Write)) -> Result<Vec<u8>, String> {
    const GET: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    stream.write_all(GET).map_err(|e| format!("send: {e}"))?;
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .map_err(|e| format!("receive: {e} after {} bytes", answer.len()))?;
    let response = http::parse(&answer, false)?;
    if response.status != 200 {
        return Err(format!("status {}", response.status));
    }
    Ok(response.body)
}
