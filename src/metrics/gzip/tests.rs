use std::io::Read;

use super::tokens::{Counts, Tokens};
use super::*;
use crate::commands;
use crate::haproxy::stat::RowType;
use crate::metrics::catalog::Catalog;
use crate::metrics::exposition::BUFFER_BYTES;
use crate::metrics::selection::{Defaults, Query};
use crate::testing::{Proof, Statistics};

mod each_row;
mod random;

use random::{Random, Shape};

/// Decodes with zlib, which checks CRC and length, and with miniz_oxide, which does not know them.
fn decoded(compressed: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut decoder = flate2::bufread::GzDecoder::new(compressed);
    let read = decoder.read_to_end(&mut text);
    assert!(read.is_ok(), "zlib: {read:?} behind {} bytes", text.len());
    assert!(decoder.into_inner().is_empty(), "more behind the end");
    let body = &compressed[HEAD.len()..compressed.len() - 8];
    let other = miniz_oxide::inflate::decompress_to_vec(body);
    assert!(
        other.is_ok_and(|other| other == text),
        "miniz_oxide has another text"
    );
    text
}

/// Compares texts that are too long to be shown.
fn assert_same(text: &[u8], expected: &[u8], what: &str) {
    let at = text
        .iter()
        .zip(expected)
        .take_while(|(a, b)| a == b)
        .count();
    let around = |text: &[u8]| {
        let (begin, end) = (at.saturating_sub(120), (at + 40).min(text.len()));
        String::from_utf8_lossy(&text[begin.min(end)..end]).into_owned()
    };
    assert!(
        text == expected,
        "{what}: at {at}: {:?} for {:?}",
        around(text),
        around(expected)
    );
}

/// What a client has of a snapshot, plain and compressed in pieces of `size()` bytes.
fn responses(
    snapshot: &Snapshot,
    selection: &Selection,
    common: &mut Common,
    mut size: impl FnMut() -> usize,
) -> (Vec<u8>, Vec<u8>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let (mut plain, mut compressed) = (Vec::new(), Vec::new());
    let mut cursor = Cursor::default();
    loop {
        match cursor.fill(snapshot, selection, &mut buffer) {
            0 => break,
            filled => plain.extend_from_slice(&buffer[..filled]),
        }
    }
    let mut gzip = Gzip::new(snapshot, selection, common).expect("memory");
    loop {
        let to = &mut buffer[..size()];
        match gzip.fill(snapshot, selection, common, to) {
            0 => break,
            filled => compressed.extend_from_slice(&buffer[..filled]),
        }
    }
    assert!(gzip.is_over(), "no end");
    (plain, compressed)
}

fn catalog() -> &'static Catalog {
    let columns: Vec<usize> = (0..1024).collect();
    Box::leak(Box::new(commands::catalog(&columns)))
}

fn selection(catalog: &'static Catalog, profile: usize, query: &str) -> Selection {
    let defaults = Defaults { catalog, profile };
    Query::parse(query, &defaults)
        .expect("a selection")
        .selection
}

#[test]
fn every_snapshot_has_the_same_text_plain_and_compressed() {
    let common = &mut Common::default();
    let catalog = catalog();
    let queries = [
        "",
        "no-maint=1",
        "extra-counters=1",
        "metrics=haproxy_server_up,haproxy_up",
    ];
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let shape = Shape::new(&mut random);
        let snapshot = shape.snapshot(catalog, &mut random);
        let profile = random.below(PROFILES.len());
        let query = queries[random.below(queries.len())];
        let selection = selection(catalog, profile, query);
        let small = shape.has_short_lines() && random.below(2) == 0;
        let size = || match small {
            true => 2_048 + random.below(500),
            false => BUFFER_BYTES,
        };
        let (plain, compressed) = responses(&snapshot, &selection, common, size);
        let what = format!("seed {seed}, {shape:?}, {profile} {query:?}");
        assert_same(&decoded(&compressed), &plain, &what);
    }
}

#[test]
fn pieces_of_any_size_make_the_same_response() {
    let common = &mut Common::default();
    let catalog = catalog();
    let mut random = Random::new(1);
    let snapshot = Shape::usual(40).snapshot(catalog, &mut random);
    let selection = selection(catalog, 0, "");
    let (_, whole) = responses(&snapshot, &selection, common, || BUFFER_BYTES);
    for size in (1_024..3_000).step_by(7) {
        let (_, pieces) = responses(&snapshot, &selection, common, || size);
        assert!(pieces == whole, "pieces of {size} bytes");
    }
}

#[test]
fn a_response_that_is_cut_is_never_taken_for_a_whole_one() {
    let common = &mut Common::default();
    let catalog = catalog();
    let mut random = Random::new(2);
    let snapshot = Shape::usual(3).snapshot(catalog, &mut random);
    let selection = selection(catalog, 0, "scope=server");
    let (plain, compressed) = responses(&snapshot, &selection, common, || BUFFER_BYTES);
    assert!(!plain.is_empty());
    for cut in 0..compressed.len() {
        let mut text = Vec::new();
        let mut decoder = flate2::bufread::GzDecoder::new(&compressed[..cut]);
        assert!(decoder.read_to_end(&mut text).is_err(), "cut at {cut}");
        assert!(plain.starts_with(&text), "cut at {cut}: another text");
    }
}

#[test]
fn recorded_answers_are_compressed() {
    for profile in PROFILES {
        for version in ["1.5.0", "2.0.0", "2.6.12", "3.2.0"] {
            for file in ["stat.csv", "stat-transitions.csv"] {
                let path = format!("tests/fixtures/{version}/{file}");
                let csv = std::fs::read(&path).unwrap();
                let mut statistics = Statistics::new(profile, "", &[]);
                statistics
                    .read(&csv, Proof::EmptyLine, |left| left)
                    .unwrap();
                let (mut plain, mut compressed) = (Vec::new(), Vec::new());
                statistics.write(|piece| plain.extend_from_slice(piece));
                statistics.compress(|piece| compressed.extend_from_slice(piece));
                assert_same(&decoded(&compressed), &plain, &path);
                let least = plain.len() / 7;
                assert!(
                    compressed.len() < least,
                    "{path}: {} bytes",
                    compressed.len()
                );
            }
        }
    }
}

#[test]
fn an_empty_snapshot_is_an_empty_text() {
    let common = &mut Common::default();
    let selection = selection(catalog(), 0, "");
    let (plain, compressed) = responses(&Snapshot::default(), &selection, common, || BUFFER_BYTES);
    assert_eq!(plain, b"");
    assert_eq!(decoded(&compressed), b"");
}

#[test]
fn a_client_costs_no_more_than_two_kilobytes() {
    // It is one box, and has no memory of its own elsewhere.

    assert!(size_of::<Gzip>() <= 2_048, "{} bytes", size_of::<Gzip>());
    assert_eq!(size_of::<facts::RowFacts>(), 8);
}

#[test]
fn the_longest_line_finds_room_in_a_buffer() {
    let common = &mut Common::default();
    let catalog = catalog();
    let shape = Shape::longest();
    let snapshot = shape.snapshot(catalog, &mut Random::new(3));
    assert!(snapshot.stat_rows(RowType::Server).count() > 1);
    for profile in 0..PROFILES.len() {
        let selection = selection(catalog, profile, "");
        let (plain, compressed) = responses(&snapshot, &selection, common, || BUFFER_BYTES);
        assert_same(&decoded(&compressed), &plain, "long lines");
        // Lines that are too long for copies, in the longest codes: the short ones are for letters that do not occur.
        // How many rows there are is random, and so is the share of short lines.
        let selection = self::selection(catalog, profile, "scope=server");
        let (plain, _) = responses(&snapshot, &selection, common, || BUFFER_BYTES);
        let mut gzip = Gzip::new(&snapshot, &selection, common).expect("memory");
        let mut counts = Counts::new();
        for (power, letter) in (b'A'..b'U').enumerate() {
            counts.weight = 1 << (8 + power);
            counts.literals(&[letter]);
        }
        gzip.codes = Arc::new(Codes::new(&counts, u64::MAX));
        let mut compressed = Vec::new();
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match gzip.fill(&snapshot, &selection, common, &mut buffer) {
                0 => break,
                filled => compressed.extend_from_slice(&buffer[..filled]),
            }
        }
        assert!(
            compressed.len() > plain.len() * 7 / 5,
            "{} bytes of {}",
            compressed.len(),
            plain.len()
        );
        assert_same(&decoded(&compressed), &plain, "long lines in long codes");
    }
}

/// More rows than 16 bits count; every third in maintenance.
#[test]
fn many_rows() {
    const ROWS: usize = 65_536 + 100;
    let catalog = catalog();
    let mut snapshot = Snapshot::default();
    let stored = catalog.stored_columns(RowType::Server);
    let rows = snapshot.stat_rows_mut(RowType::Server);
    rows.make_columns(stored.len());
    for row in 0..ROWS {
        let name = format!("server-{row}");
        let labels = [b"backend", name.as_bytes()];
        let label_bytes = rows.push_labels(&["server"], &labels).expect("a new row");
        for (column, stored) in rows.columns.iter_mut().zip(stored) {
            match stored.conversion.is_state() {
                true => column.push_state(if row % 3 == 0 { 2 } else { 1 }, label_bytes),
                false => column.push((row / 1_000).to_string().as_bytes(), label_bytes),
            }
        }
    }
    let common = &mut Common::default();
    for query in [
        "metrics=haproxy_server_current_sessions,haproxy_server_up",
        "metrics=haproxy_server_max_sessions&no-maint=1",
    ] {
        let selection = selection(catalog, 0, query);
        let (plain, compressed) = responses(&snapshot, &selection, common, || BUFFER_BYTES);
        assert!(plain.len() > ROWS * 30, "{} bytes", plain.len());
        assert_same(&decoded(&compressed), &plain, query);
    }
}
