//! Recorded answers with random faults, from a fixed seed: whatever comes out must be well formed.

use super::*;

const ANSWERS: [&[u8]; 8] = [
    include_bytes!("../../../../tests/fixtures/1.5.0/stat.csv"),
    include_bytes!("../../../../tests/fixtures/1.5.0/stat-transitions.csv"),
    include_bytes!("../../../../tests/fixtures/2.0.0/stat.csv"),
    include_bytes!("../../../../tests/fixtures/2.0.0/stat-transitions.csv"),
    include_bytes!("../../../../tests/fixtures/2.6.12/stat.csv"),
    include_bytes!("../../../../tests/fixtures/2.6.12/stat-transitions.csv"),
    include_bytes!("../../../../tests/fixtures/3.2.0/stat.csv"),
    include_bytes!("../../../../tests/fixtures/3.2.0/stat-transitions.csv"),
];

/// What is put in: bytes that mean something, and numbers at the edges.
const FRAGMENTS: [&[u8]; 22] = [
    b",",
    b"\"",
    b"\n",
    b"\r\n",
    b"#",
    b"\\",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b"\"\"",
    b"\n\n",
    b"<",
    b"UP",
    b"MAINT (via a/b)",
    b" 1/2",
    b"-",
    b"18446744073709551616",
    b"-9223372036854775808",
    b"1e9",
    b"00000000000000000000000001",
    b"0",
    b",,,,,,,,",
];

/// xorshift64: enough for faults.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn mutate(answer: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(answer.len());
    let line_start = answer[..at]
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |n| n + 1);
    let line_end = answer[at..]
        .iter()
        .position(|b| *b == b'\n')
        .map_or(answer.len(), |n| at + n + 1);
    match random.below(8) {
        0 if !answer.is_empty() => answer[at] = random.below(256) as u8,
        1 if !answer.is_empty() => drop(answer.remove(at)),
        // A row twice, a row gone, a row behind another.
        2 => {
            let line = answer[line_start..line_end].to_vec();
            drop(answer.splice(line_start..line_start, line));
        }
        3 => drop(answer.drain(line_start..line_end)),
        4 => {
            let line: Vec<u8> = answer.drain(line_start..line_end).collect();
            answer.extend(line);
        }
        5 if random.below(10) == 0 => answer.truncate(at),
        _ => {
            let fragment = FRAGMENTS[random.below(FRAGMENTS.len())];
            drop(answer.splice(at..at, fragment.iter().copied()));
        }
    }
}

#[test]
fn mutated_answers() {
    let mut random = Random(0x5eed);
    let mut table = table_of(&all_columns(), &["MAINT"]);
    let (mut good, mut refused, mut failures) = (0, 0, 0);
    for round in 0..1_000 {
        let mut answer = ANSWERS[round % ANSWERS.len()].to_vec();
        for _ in 0..random.below(8) {
            mutate(&mut answer, &mut random);
        }
        let proof = [Proof::EmptyLine, Proof::Length, Proof::LineEnd][random.below(3)];
        let whole = scrape(&mut table, &answer, usize::MAX, proof);
        let piece = 1 + random.below(5_000);
        let pieces = scrape(&mut table, &answer, piece, proof);
        assert_eq!(pieces, whole, "round {round}, pieces of {piece}");
        check_format(&whole.text);
        assert_eq!(whole.first.is_some(), whole.failures > 0);
        match whole.result {
            Ok(()) => good += 1,
            Err(_) => refused += 1,
        }
        failures += whole.failures;
    }
    // The mix is worth its time: all three happen often.
    assert!(
        good > 200 && refused > 50 && failures > 200,
        "{good} {refused} {failures}"
    );
}

#[test]
fn the_recorded_answers_have_no_failures() {
    for answer in ANSWERS {
        let scraped = scraped(answer, Proof::EmptyLine);
        assert_eq!((scraped.result, scraped.failures), (Ok(()), 0));
        check_format(&scraped.text);
    }
}

/// Every line is a HELP, the TYPE behind it or a sample of the family before; no sample twice.
fn check_format(text: &str) {
    assert!(text.is_empty() || text.ends_with('\n'));
    let mut families = std::collections::HashSet::new();
    let mut names = std::collections::HashSet::new();
    let mut family = "";
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split(' ').next().unwrap();
            let kind = lines.next().unwrap();
            let kind = kind.strip_prefix(&format!("# TYPE {family} "));
            assert!(matches!(kind, Some("counter" | "gauge")), "{line}");
            assert!(families.insert(family), "{family} stands twice");
            continue;
        }
        let rest = line
            .strip_prefix(family)
            .and_then(|rest| rest.strip_prefix('{'));
        let rest = after_labels(rest.expect(line)).expect(line);
        let value = rest.strip_prefix(' ').expect(line);
        assert!(is_number(value), "{line}");
        assert!(
            names.insert(&line[..line.len() - value.len()]),
            "{line} stands twice"
        );
    }
}

/// What follows `a="text",b="text"}`; backslashes stand only before a backslash, a quote or an n.
fn after_labels(mut text: &str) -> Option<&str> {
    loop {
        let (name, rest) = text.split_once("=\"")?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase()) {
            return None;
        }
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next()? {
                (_, '\\') if matches!(characters.next()?.1, '\\' | '"' | 'n') => {}
                (_, '\\') => return None,
                (at, '"') => break at,
                _ => {}
            }
        };
        let rest = &rest[end + 1..];
        match rest.strip_prefix(',') {
            Some(rest) => text = rest,
            None => return rest.strip_prefix('}'),
        }
    }
}

fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_digits(whole.strip_prefix('-').unwrap_or(whole)) && is_digits(fraction)
}
