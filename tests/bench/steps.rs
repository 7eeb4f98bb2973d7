//! The steps of the hot path, in this process and without a socket.

use std::hint::black_box;
use std::time::{Duration, Instant};

use haproxy_exporter::testing::{Proof, Statistics};

use crate::table::Grid;
use crate::{allocations, rows};

/// What HAProxy hands over in one go (`tune.bufsize`).
const PIECE_BYTES: usize = 16 * 1024;
/// Names, recorded answer and number of rows.
const SIZES: [(&str, &str, usize); 7] = [
    ("exporter", "3.2.0", 34),
    ("exporter", "3.2.0", 1_000),
    ("exporter", "3.2.0", 10_000),
    ("builtin", "3.2.0", 10_000),
    ("exporter", "2.6.12", 10_000),
    ("exporter", "3.2.0", 100_000),
    ("builtin", "3.2.0", 100_000),
];
/// Rounds go on for this long, but never fewer or more than the numbers below.
const TIME_A_SIZE: Duration = Duration::from_secs(2);
const MIN_ROUNDS: usize = 5;
const MAX_ROUNDS: usize = 2_000;
/// Index and exposition of 10,000 rows may take this long .
const BUDGET_ROWS: usize = 10_000;
const BUDGET: Duration = Duration::from_millis(10);

/// A table with all columns, and what a scrape needs beside it.
struct Bench {
    csv: String,
    statistics: Statistics,
}

impl Bench {
    fn new(profile: &str, version: &str, rows: usize) -> Result<Self, String> {
        let mut bench = Self {
            csv: rows::answer(version, rows)?,
            statistics: Statistics::new(profile, "", &[]),
        };
        // Two scrapes grow every buffer to its size.
        for _ in 0..2 {
            bench.index()?;
            bench.write();
        }
        let (failures, _) = bench.statistics.failures();
        if failures > 0 {
            return Err(format!(
                "{failures} CSV parse failures in the generated answer"
            ));
        }
        Ok(bench)
    }

    /// From bytes to columns, in pieces as they come from the socket.
    fn index(&mut self) -> Result<(), String> {
        let size = |left: usize| left.min(PIECE_BYTES);
        self.statistics
            .read(self.csv.as_bytes(), Proof::EmptyLine, size)
    }

    /// From columns to a compressed text; returns its length.
    fn compress(&mut self) -> u64 {
        let mut bytes = 0;
        self.statistics
            .compress(|piece| bytes += black_box(piece).len() as u64);
        bytes
    }

    /// From columns to text; returns its length.
    fn write(&mut self) -> u64 {
        let mut bytes = 0;
        self.statistics
            .write(|piece| bytes += black_box(piece).len() as u64);
        bytes
    }
}

/// Measures all sizes and prints the table.
pub(crate) fn report() -> Result<(), String> {
    let mut grid = Grid::new(&[
        "rows",
        "names",
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
    for (profile, version, rows) in SIZES {
        let mut bench = Bench::new(profile, version, rows)?;
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
        let verdict = match rows == BUDGET_ROWS && profile == "exporter" {
            false => "",
            true if index + write <= BUDGET => "within 10 ms",
            true => "MISSED 10 ms",
        };
        allocating |= count > 0;
        grid.row(&[
            rows.to_string(),
            profile.to_owned(),
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
    let mut bench = Bench::new("exporter", "3.2.0", rows)?;
    for _ in 0..times {
        match step {
            "index" => bench.index()?,
            "exposition" => {
                black_box(bench.write());
            }
            "gzip" => {
                black_box(bench.compress());
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
