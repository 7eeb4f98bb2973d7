//! Bytes and time of compressed responses, beside plain ones and zlib's.

use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use haproxy_exporter::testing::{Proof, Statistics};

use crate::client::Client;
use crate::peers::{self, Peer};
use crate::player::Player;
use crate::process::{self, Running};
use crate::shapes::{self, Names, Values};
use crate::table::Grid;
use crate::whole::median;

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

/// Servers of whole scrapes.
const WHOLE_SIZES: [usize; 3] = [10, 1_000, 10_000];
const TIME_A_WHOLE: Duration = Duration::from_secs(8);
const MIN_WHOLE_ROUNDS: usize = 10;
const MAX_WHOLE_ROUNDS: usize = 2_000;
const MOST_GO_ROUNDS: usize = 20;

/// Measures all shapes, then whole scrapes, and prints two tables.
pub(crate) fn report() -> Result<(), String> {
    in_the_process()?;
    whole_scrapes()
}

fn in_the_process() -> Result<(), String> {
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
    let mut recorded = (0, (String::new(), String::new()));
    for (profile, servers, names, values) in SHAPES {
        if recorded.0 != servers {
            recorded = (servers, shapes::recorded(servers)?);
        }
        let csv = shapes::with(&recorded.1.0, names, values);
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

fn whole_scrapes() -> Result<(), String> {
    let binary = peers::exporter_binary()?;
    let mut grid = Grid::new(&[
        "servers",
        "values",
        "bytes plain",
        "gzip",
        "CPU ms plain",
        "gzip",
        "gzip/plain",
        "Go, gzip",
        "Go/ours",
        "wall ms plain",
        "gzip",
    ]);
    let mut client = Client::new();
    for servers in WHOLE_SIZES {
        let (stat, info) = shapes::recorded(servers)?;
        for values in [Values::Recorded, Values::Busy] {
            let stat = shapes::with(&stat, Names::Numbered, values);
            let player = Player::start(stat, info.clone())?;
            let ours = peers::ours_of(&binary, &player.socket)?;
            let go = match process::exists("prometheus-haproxy-exporter") {
                true => Some(peers::go_of(&player.socket)?),
                false => None,
            };
            let (plain, compressed, others) = rounds(&ours, go.as_ref(), &mut client)?;
            let milliseconds = |time: Duration| format!("{:.3}", time.as_secs_f64() * 1e3);
            let ratio = |a: Duration, b: Duration| {
                format!("{:.2}", a.as_secs_f64() / b.as_secs_f64().max(1e-9))
            };
            grid.row(&[
                servers.to_string(),
                format!("{values:?}").to_lowercase(),
                plain.bytes.to_string(),
                compressed.bytes.to_string(),
                milliseconds(plain.cpu),
                milliseconds(compressed.cpu),
                ratio(compressed.cpu, plain.cpu),
                milliseconds(others.cpu),
                ratio(others.cpu, compressed.cpu),
                milliseconds(plain.wall),
                milliseconds(compressed.wall),
            ]);
        }
    }
    println!("Whole scrapes over the unix socket (CPU: mean; wall: median)\n{grid}");
    Ok(())
}

/// What scrapes of one kind took.
#[derive(Default)]
struct Cost {
    bytes: u64,
    cpu: Duration,
    wall: Duration,
    walls: Vec<Duration>,
}

/// Scrapes ours plain and compressed, and the Go exporter compressed, in turns.
fn rounds(
    ours: &Peer,
    go: Option<&Peer>,
    client: &mut Client,
) -> Result<(Cost, Cost, Cost), String> {
    let mut costs = [Cost::default(), Cost::default(), Cost::default()];
    let began = Instant::now();
    // The first scrape of each grows its buffers and is not counted.
    for round in 0..=MAX_WHOLE_ROUNDS {
        if round > MIN_WHOLE_ROUNDS && began.elapsed() > TIME_A_WHOLE {
            break;
        }
        for (kind, cost) in costs.iter_mut().enumerate() {
            let exporter = match (kind, go) {
                (0 | 1, _) => ours,
                (_, Some(go)) if round <= MOST_GO_ROUNDS => go,
                _ => continue,
            };
            let cpu = || {
                exporter
                    .process
                    .as_ref()
                    .map_or(Duration::ZERO, Running::exact_cpu)
            };
            let before = cpu();
            let scraped = match kind {
                0 => client.scrape(exporter.address, exporter.proof)?,
                _ => client.scrape_compressed(exporter.address)?,
            };
            if round > 0 {
                cost.cpu += cpu().saturating_sub(before);
                cost.walls.push(scraped.took);
            }
            cost.bytes = scraped.body_bytes;
        }
    }
    for cost in &mut costs {
        cost.cpu /= u32::try_from(cost.walls.len().max(1)).unwrap_or(u32::MAX);
        cost.wall = median(&mut cost.walls);
    }
    let [plain, compressed, others] = costs;
    Ok((plain, compressed, others))
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
