//! Answers of a real HAProxy with other names and values, for what depends on these.

use std::fmt::Write;
use std::io::{Read, Write as _};
use std::os::unix::net::UnixStream;

use crate::haproxy::{Haproxy, Shape};

/// How servers are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// As the configuration has them: `backend-0007`, `server-042`.
    Numbered,
    /// `checkout-7d4b9c6f5d-x2k9p`, as the pods of a cluster.
    Pods,
    /// `10.3.17.209:8080`.
    Addresses,
    /// Words that are not ASCII.
    Words,
}

/// What their counters show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// No traffic: nearly every value is 0.
    Recorded,
    /// Each server has its own.
    Busy,
}

/// Columns that grow on a busy HAProxy: sessions, bytes, answers, requests, times.
const BUSY_COLUMNS: [usize; 14] = [4, 5, 7, 8, 9, 30, 40, 42, 43, 48, 58, 59, 60, 61];
const TYPE_COLUMN: usize = 32;
const SERVER: &str = "2";
/// Letters of the random parts of pods' names.
const POD_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
const SERVICES: [&str; 6] = ["checkout", "cart", "search-api", "auth", "web", "images"];
const WORDS: [&str; 6] = ["möwe", "größe", "сервер", "データ", "naïve", "łódź"];

/// The answers of a HAProxy with so many servers to `show stat` and `show info`.
pub(crate) fn recorded(servers: usize) -> Result<(String, String), String> {
    let haproxy = Haproxy::start(&Shape::of(servers))?;
    let ask = |command: &str| -> Result<String, String> {
        let mut answer = String::new();
        UnixStream::connect(&haproxy.socket)
            .and_then(|mut stream| {
                writeln!(stream, "{command}")?;
                stream.read_to_string(&mut answer)
            })
            .map_err(|error| format!("{command}: {error}"))?;
        Ok(answer)
    };
    Ok((ask("show stat")?, ask("show info")?))
}

/// The same answer with other names and values.
pub(crate) fn with(answer: &str, names: Names, values: Values) -> String {
    let mut numbers = Numbers(7);
    let mut changed = String::new();
    for line in answer.lines() {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        if cells.get(TYPE_COLUMN).is_some_and(|cell| cell == SERVER) {
            if let Some(name) = name(names, &cells[0], &mut numbers) {
                cells[1] = name;
            }
            if values == Values::Busy {
                for column in BUSY_COLUMNS {
                    cells[column] = numbers.value().to_string();
                }
            }
        }
        // Writing to a String cannot fail.
        let _ = writeln!(changed, "{}", cells.join(","));
    }
    changed
}

fn name(names: Names, proxy: &str, numbers: &mut Numbers) -> Option<String> {
    // All servers of a proxy belong to one deployment.
    let number: usize = proxy.bytes().map(usize::from).sum();
    let letters = |numbers: &mut Numbers, count: usize| -> String {
        let letter = |_| POD_LETTERS[numbers.below(POD_LETTERS.len() as u64) as usize] as char;
        (0..count).map(letter).collect()
    };
    let name = match names {
        Names::Numbered => return None,
        Names::Pods => {
            let service = SERVICES[number % SERVICES.len()];
            let hash = letters(&mut Numbers(number as u64), 10);
            format!("{service}-{hash}-{}", letters(numbers, 5))
        }
        Names::Addresses => format!(
            "10.{}.{}.{}:8080",
            numbers.below(4),
            numbers.below(256),
            numbers.below(256)
        ),
        Names::Words => {
            let word = WORDS[numbers.below(WORDS.len() as u64) as usize];
            format!("{word}-{}", numbers.below(100_000))
        }
    };
    Some(name)
}

/// Numbers that are the same in every run (Knuth's linear congruence).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// One to ten digits.
    fn value(&mut self) -> u64 {
        let digits = 1 + self.below(10) as u32;
        self.below(u64::from(u32::MAX)) % 10u64.pow(digits)
    }
}
