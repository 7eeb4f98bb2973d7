//! Answers to `show stat` of any size, modelled on recorded ones.

use std::fmt::Write;
use std::path::Path;

/// Servers of one backend; each backend has a frontend before it.
const SERVERS_A_BACKEND: usize = 100;
/// Counters that grow on a busy HAProxy: sessions, bytes in, bytes out.
const BUSY_COLUMNS: std::ops::RangeInclusive<usize> = 7..=9;

/// The answer of HAProxy `version` (a folder of `tests/fixtures`) as it was recorded, its empty line included.
fn recorded(version: &str) -> Result<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(version)
        .join("stat.csv");
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

/// An answer with `count` rows. The number of rows that was recorded gives the recorded answer;
/// any other is made of its rows, with other names and other numbers.
pub(crate) fn answer(version: &str, count: usize) -> Result<String, String> {
    let text = recorded(version)?;
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let templates: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    if templates.len() == count {
        return Ok(text);
    }
    let of_type = |wanted: &str| -> Vec<&str> {
        let is_wanted = |line: &&&str| line.split(',').nth(32) == Some(wanted);
        templates.iter().filter(is_wanted).copied().collect()
    };
    let [frontends, backends, servers] = ["0", "1", "2"].map(of_type);
    let mut answer = format!("{header}\n");
    let mut numbers = Numbers(1);
    for row in 0..count {
        let (backend, position) = (row / (SERVERS_A_BACKEND + 2), row % (SERVERS_A_BACKEND + 2));
        let (templates, name) = match position {
            0 => (&frontends, "FRONTEND".to_owned()),
            1 => (&backends, "BACKEND".to_owned()),
            _ => (&servers, format!("server-{position:03}")),
        };
        let template = templates
            .get(row % templates.len().max(1))
            .ok_or("a type of row is missing")?;
        push_row(
            &mut answer,
            template,
            &format!("backend-{backend:04}"),
            &name,
            &mut numbers,
        );
    }
    answer.push('\n');
    Ok(answer)
}

fn push_row(answer: &mut String, template: &str, proxy: &str, name: &str, numbers: &mut Numbers) {
    for (position, cell) in template.trim_end_matches(',').split(',').enumerate() {
        // Writing to a String cannot fail.
        let _ = match position {
            0 => write!(answer, "{proxy},"),
            1 => write!(answer, "{name},"),
            column if BUSY_COLUMNS.contains(&column) => write!(answer, "{},", numbers.next()),
            _ => write!(answer, "{cell},"),
        };
    }
    let commas = |text: &str| text.bytes().filter(|byte| *byte == b',').count();
    let missing = commas(template) - commas(template.trim_end_matches(',')) - 1;
    answer.extend(std::iter::repeat_n(',', missing));
    answer.push('\n');
}

/// Numbers of one to ten digits, the same in every run (Knuth's linear congruence).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let digits = 1 + (self.0 >> 33) % 10;
        (self.0 >> 20) % 10u64.pow(digits as u32)
    }
}
