//! Bytes and time of compressed responses, beside plain ones and zlib's.

use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use haproxy_exporter::testing::{Proof, Statistics};

use crate::shapes::{self, Names, Values};
use crate::table::Grid;

/// Names of the families, servers, their names and values.
const SHAPES: [(&str, usize, Names, Values); 15] = [
    ("exporter", 10, Names::Numbered, Values::Recorded),
    ("exporter", 1_000, Names::Numbered, Values::Recorded),
    ("exporter", 10_000, Names::Numbered, Values::Recorded),
    ("builtin", 10, Names::Numbered, Values::Recorded),
    ("builtin", 1_000, Names::Numbered, Values::Recorded),
    ("builtin", 10_000, Names::Numbered, Values::Recorded),
    ("exporter", 10, Names::Numbered, Values::Busy),
    ("exporter", 1_000, Names::Numbered, Values::Busy),
    ("exporter", 10_000, Names::Numbered, Values::Busy),
    ("exporter", 10, Names::Pods, Values::Recorded),
    ("exporter", 1_000, Names::Pods, Values::Recorded),
    ("exporter", 1_000, Names::Addresses, Values::Recorded),
    ("exporter", 1_000, Names::Words, Values::Recorded),
    ("exporter", 1_000, Names::Pods, Values::Busy),
    ("builtin", 1_000, Names::Pods, Values::Busy),
];
const LEVELS: [u32; 3] = [1, 6, 9];
const TIME_A_SHAPE: Duration = Duration::from_millis(500);
const MAX_ROUNDS: usize = 2_000;

/// Measures all shapes and prints a table.
pub(crate) fn report() -> Result<(), String> {
    let mut grid = Grid::new(&[
        "servers",
        "families",
        "names",
        "values",
        "plain",
        "gzip",
        "plain/gzip",
        "zlib 1",
        "zlib 6",
        "zlib 9",
        "gzip/zlib 6",
        "plain ms",
        "gzip ms",
        "zlib 6 ms",
    ]);
    let mut recorded = (0, String::new());
    for (profile, servers, names, values) in SHAPES {
        if recorded.0 != servers {
            recorded = (servers, shapes::recorded(servers)?);
        }
        let csv = shapes::with(&recorded.1, names, values);
        let mut statistics = Statistics::new(profile, "", &[]);
        let size = |left: usize| left;
        statistics.read(csv.as_bytes(), Proof::EmptyLine, size)?;
        let mut text = Vec::new();
        statistics.write(|piece| text.extend_from_slice(piece));
        let mut compressed = 0;
        statistics.compress(|piece| compressed += piece.len());
        let (mut plain_times, mut times) = (Vec::new(), Vec::new());
        let began = Instant::now();
        while times.len() < 3 || (began.elapsed() < TIME_A_SHAPE && times.len() < MAX_ROUNDS) {
            // What was found of the rows is forgotten with the answer.
            statistics.read(csv.as_bytes(), Proof::EmptyLine, size)?;
            let start = Instant::now();
            statistics.write(|piece| {
                black_box(piece);
            });
            let written = Instant::now();
            statistics.compress(|piece| {
                black_box(piece);
            });
            times.push(written.elapsed());
            plain_times.push(written - start);
        }
        let mut zlib_time = Duration::ZERO;
        let mut zlib = Vec::new();
        for level in LEVELS {
            let start = Instant::now();
            let bytes = zlib_bytes(&text, level)?;
            if level == 6 {
                zlib_time = start.elapsed();
            }
            zlib.push(bytes);
        }
        let ratio = |a: usize, b: usize| format!("{:.2}", a as f64 / b.max(1) as f64);
        let milliseconds = |time: Duration| format!("{:.3}", time.as_secs_f64() * 1e3);
        grid.row(&[
            servers.to_string(),
            profile.to_owned(),
            format!("{names:?}").to_lowercase(),
            format!("{values:?}").to_lowercase(),
            text.len().to_string(),
            compressed.to_string(),
            ratio(text.len(), compressed),
            zlib[0].to_string(),
            zlib[1].to_string(),
            zlib[2].to_string(),
            ratio(compressed, zlib[1]),
            milliseconds(shortest(&plain_times)),
            milliseconds(shortest(&times)),
            milliseconds(zlib_time),
        ]);
    }
    println!("Compressed responses in the process (the shortest of many times)\n{grid}");
    Ok(())
}

/// On a busy machine the median is longer than the work.
fn shortest(times: &[Duration]) -> Duration {
    times.iter().min().copied().unwrap_or_default()
}

fn zlib_bytes(text: &[u8], level: u32) -> Result<usize, String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder
        .write_all(text)
        .and_then(|()| encoder.finish())
        .map(|bytes| bytes.len())
        .map_err(|error| format!("zlib: {error}"))
}
