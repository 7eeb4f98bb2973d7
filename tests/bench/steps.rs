//! The steps of the hot path, in this process and without a socket.

use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use haproxy_exporter::testing::haproxy::rules::Proof;
use haproxy_exporter::testing::haproxy::stat::Table;
use haproxy_exporter::testing::metrics;
use haproxy_exporter::testing::metrics::exposition::{self, Writer};

use crate::table::Grid;
use crate::{allocations, rows};

/// What HAProxy hands over in one go (`tune.bufsize`).
const PIECE_BYTES: usize = 16 * 1024;
/// Recorded answer and number of rows.
const SIZES: [(&str, usize); 5] = [
    ("3.2.0", 34),
    ("3.2.0", 1_000),
    ("3.2.0", 10_000),
    ("2.6.12", 10_000),
    ("3.2.0", 100_000),
];
/// Rounds go on for this long, but never fewer or more than the numbers below.
const TIME_A_SIZE: Duration = Duration::from_secs(2);
const MIN_ROUNDS: usize = 5;
const MAX_ROUNDS: usize = 2_000;
/// Index and exposition of 10,000 rows may take this long (issue 4).
const BUDGET_ROWS: usize = 10_000;
const BUDGET: Duration = Duration::from_millis(12);

/// A table with all columns, and what a scrape needs beside it.
struct Bench {
    csv: String,
    table: Table,
    buffer: Vec<u8>,
}

impl Bench {
    fn new(version: &str, rows: usize) -> Result<Self, String> {
        let columns: Vec<usize> = (0..128).collect();
        let mut bench = Self {
            csv: rows::answer(version, rows)?,
            table: Table::new(&metrics::GO_EXPORTER, &columns, Vec::new()),
            buffer: vec![0; exposition::BUFFER_BYTES],
        };
        // Two scrapes grow every buffer to its size.
        for _ in 0..2 {
            bench.index()?;
            bench.write();
        }
        let failures = bench.table.failures().count;
        if failures > 0 {
            return Err(format!(
                "{failures} bad rows or cells in the generated answer"
            ));
        }
        Ok(bench)
    }

    /// From bytes to columns, in pieces as they come from the socket.
    fn index(&mut self) -> Result<(), String> {
        let csv = self.csv.as_bytes();
        self.table.clear();
        let (mut taken, mut end) = (0, 0);
        while end < csv.len() {
            end = (end + PIECE_BYTES).min(csv.len());
            taken += self
                .table
                .push(&csv[taken..end])
                .map_err(|error| error.to_string())?;
        }
        self.table
            .finish(&csv[taken..], Proof::EmptyLine)
            .map_err(|error| error.to_string())?;
        self.table.shrink();
        Ok(())
    }

    /// From columns to text; returns its length.
    fn write(&mut self) -> u64 {
        let mut sink = Sink(0);
        let mut writer = Writer::new(&mut self.buffer, &mut sink);
        // A sink takes everything.
        let _ = self.table.write(&mut writer).and_then(|()| writer.flush());
        sink.0
    }
}

/// Takes everything, as a socket with an infinitely fast peer would.
struct Sink(u64);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += black_box(bytes).len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Measures all sizes and prints the table.
pub(crate) fn report() -> Result<(), String> {
    let mut grid = Grid::new(&[
        "rows",
        "HAProxy",
        "CSV",
        "text",
        "index ms",
        "MB/s",
        "exposition ms",
        "MB/s",
        "both ms",
        "allocations",
        "verdict",
    ]);
    let mut allocating = false;
    for (version, rows) in SIZES {
        let mut bench = Bench::new(version, rows)?;
        let (mut index, mut write) = (Vec::new(), Vec::new());
        let (began, mut text, mut count) = (Instant::now(), 0, 0);
        while index.len() < MIN_ROUNDS
            || (began.elapsed() < TIME_A_SIZE && index.len() < MAX_ROUNDS)
        {
            count += allocations::during(|| {
                let start = Instant::now();
                // It was indexed well twice before.
                let _ = bench.index();
                let indexed = Instant::now();
                text = bench.write();
                let written = Instant::now();
                // Room for the times grows with `reserve` below, not here.
                if index.len() < index.capacity() {
                    index.push(indexed - start);
                    write.push(written - indexed);
                }
            });
            index.reserve(1);
            write.reserve(1);
        }
        let rounds = index.len() as u64;
        let (index, write) = (median(&mut index), median(&mut write));
        let csv = bench.csv.len() as u64;
        let verdict = match rows == BUDGET_ROWS {
            false => "",
            true if index + write <= BUDGET => "within 12 ms",
            true => "MISSED 12 ms",
        };
        allocating |= count > 0;
        grid.row(&[
            rows.to_string(),
            version.to_owned(),
            csv.to_string(),
            text.to_string(),
            milliseconds(index),
            megabytes_a_second(csv, index),
            milliseconds(write),
            megabytes_a_second(text, write),
            milliseconds(index + write),
            format!("{:.2}", count as f64 / rounds as f64),
            verdict.to_owned(),
        ]);
    }
    println!("Index and exposition in the process (medians)\n{grid}");
    if allocating {
        return Err("a warm scrape allocates".to_owned());
    }
    Ok(())
}

/// Does a step so often; the first scrapes, which grow the buffers, come on top.
pub(crate) fn repeat(step: &str, rows: usize, times: usize) -> Result<(), String> {
    let mut bench = Bench::new("3.2.0", rows)?;
    for _ in 0..times {
        match step {
            "index" => bench.index()?,
            "exposition" => {
                black_box(bench.write());
            }
            _ => return Err(format!("{step:?} is not a step")),
        }
    }
    Ok(())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1e3)
}

fn megabytes_a_second(bytes: u64, time: Duration) -> String {
    format!("{:.0}", bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9))
}
