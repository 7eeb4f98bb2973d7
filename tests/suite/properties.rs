//! The properties of the fuzz targets (`tests/fuzz`) on seeded random inputs and regression cases.
//!
//! The inputs are the same in every run: what fails here fails again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::support::fixtures;

#[allow(dead_code, unreachable_pub)]
#[path = "../fuzz/properties.rs"]
mod checks;

/// Mutated inputs for each property.
const INPUTS: usize = 3000;
/// Longest input, as for the fuzz targets (`-max_len`).
const MAX_BYTES: usize = 4096;

/// xorshift64*: good enough to mix bytes.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

fn directory(kind: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz")
        .join(kind)
        .join(target)
}

/// The files of a directory in a fixed order, with their names.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let path = entry.expect("read a directory").path();
            let bytes = std::fs::read(&path).expect("read a seed");
            (path.display().to_string(), bytes)
        })
        .collect();
    files.sort();
    files
}

/// The tokens of the dictionary; `\xNN` and `\\` are its escapes.
fn dictionary() -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/dictionary");
    let text = std::fs::read_to_string(path).expect("read the dictionary");
    let quoted = |line: &str| Some(line.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    text.lines()
        .filter_map(quoted)
        .map(|token| token_bytes(&token))
        .collect()
}

fn token_bytes(token: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = token;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        rest = match escape.strip_prefix('x') {
            Some(hex) => {
                bytes.push(u8::from_str_radix(&hex[..2], 16).expect("two hexadecimal digits"));
                &hex[2..]
            }
            None => {
                bytes.push(b'\\');
                &escape[1..]
            }
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// One to eight changes, each of a kind that breaks parsers.
fn mutate(random: &mut Random, seeds: &[(String, Vec<u8>)], tokens: &[Vec<u8>]) -> Vec<u8> {
    let mut input = random.pick(seeds).1.clone();
    for _ in 0..=random.below(8) {
        let at = random.below(input.len() + 1);
        let end = at + random.below((input.len() - at).min(64) + 1);
        match random.below(8) {
            0 => input.truncate(at),
            1 => drop(input.drain(at..end)),
            2 => drop(input.splice(at..at, input[at..end].to_vec())),
            3 | 4 => drop(input.splice(at..at, random.pick(tokens).clone())),
            5 => drop(input.splice(at..end, random.pick(tokens).clone())),
            6 => {
                let other = &random.pick(seeds).1;
                let from = random.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => {
                let byte = random.below(256) as u8;
                input.splice(at..(at + 1).min(input.len()), [byte]);
            }
        }
        input.truncate(MAX_BYTES);
    }
    input
}

fn check(target: &str, property: fn(&[u8]), name: &str, input: &[u8]) {
    if let Err(cause) = catch_unwind(AssertUnwindSafe(|| property(input))) {
        // As a file under regressions/ it stays; the message of the panic stands above.
        let path = std::env::temp_dir().join(format!("{target}-{}", std::process::id()));
        let kept = std::fs::write(&path, input).map(|()| path.display().to_string());
        eprintln!(
            "{target}: {name}: {:?} (in {kept:?})",
            input.escape_ascii().to_string()
        );
        std::panic::resume_unwind(cause);
    }
}

#[test]
fn properties_hold_for_regression_cases() {
    for (target, property) in checks::ALL {
        for (name, input) in files(&directory("regressions", target)) {
            check(target, *property, &name, &input);
        }
    }
}

#[test]
fn properties_hold_for_mutated_inputs() {
    let tokens = dictionary();
    assert!(tokens.contains(&b"\r\n".to_vec()) && tokens.contains(&b"\\".to_vec()));
    let run = |(target, property): &(&'static str, fn(&[u8]))| {
        let mut seeds = files(&directory("seeds", target));
        seeds.extend(files(&directory("regressions", target)));
        if *target == "http_response" {
            let raw = |version: &&str| {
                [
                    b"\x05",
                    &fixtures::bytes(&format!("{version}/http10.raw"))[..],
                ]
                .concat()
            };
            seeds.extend(
                fixtures::HTTP_VERSIONS
                    .iter()
                    .map(|v| ((*v).to_owned(), raw(v))),
            );
        }
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for (name, seed) in &seeds {
            check(target, *property, name, seed);
        }
        for number in 0..INPUTS {
            let input = mutate(&mut random, &seeds, &tokens);
            check(target, *property, &format!("input {number}"), &input);
        }
    };
    std::thread::scope(|scope| {
        let (one, other) = checks::ALL.split_at(2);
        scope.spawn(|| one.iter().for_each(run));
        other.iter().for_each(run);
    });
}
