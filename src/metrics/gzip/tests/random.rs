//! Snapshots of all kinds, the same for a seed.

use crate::haproxy::limits::MAX_NAME_BYTES;
use crate::haproxy::states::{NOTHING, OTHER};
use crate::metrics::catalog::Catalog;
use crate::metrics::column::Column;
use crate::metrics::server_rows::MAX_TEXT_BYTES;
use crate::metrics::snapshot::Snapshot;
use crate::metrics::{Group, PROFILES, RowsOf};

/// Numbers that are the same for a seed (Marsaglia's xorshift).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit.max(1)
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// How labels are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    Numbered,
    Pods,
    Addresses,
    Words,
    Escaped,
    /// What stands in lines as well.
    LikeLines,
    Long,
    /// Bytes that are not UTF-8, as many as there may be: each becomes three.
    Longest,
}

/// How values are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    Zeros,
    Counters,
    /// Of every length, nearly the one above, or none.
    Odd,
}

/// What a snapshot is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    names: Names,
    values: Values,
    most_rows: usize,
}

impl Shape {
    pub(super) fn new(random: &mut Random) -> Self {
        let names = random.one_of(&[
            Names::Numbered,
            Names::Pods,
            Names::Addresses,
            Names::Words,
            Names::Escaped,
            Names::LikeLines,
            Names::Long,
        ]);
        let most_rows = match names {
            Names::Long => 4,
            _ => random.one_of(&[1, 2, 3, 10, 100, 300]),
        };
        Self {
            names,
            values: random.one_of(&[Values::Zeros, Values::Counters, Values::Odd]),
            most_rows,
        }
    }

    pub(super) fn usual(rows: usize) -> Self {
        Self {
            names: Names::Numbered,
            values: Values::Odd,
            most_rows: rows,
        }
    }

    pub(super) fn longest() -> Self {
        Self {
            names: Names::Longest,
            values: Values::Odd,
            most_rows: 3,
        }
    }

    pub(super) fn has_short_lines(&self) -> bool {
        !matches!(self.names, Names::Long | Names::Longest)
    }

    /// A snapshot with rows for all groups.
    pub(super) fn snapshot(&self, catalog: &Catalog, random: &mut Random) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let mut done = Vec::new();
        for profile in 0..PROFILES.len() {
            for (number, (group, _)) in catalog.families(profile).enumerate() {
                let rows = catalog.rows_of_family(profile, number);
                if !done.contains(&rows) {
                    done.push(rows);
                    self.put_rows(&mut snapshot, catalog, (rows, group), random);
                }
            }
        }
        snapshot
    }

    fn put_rows(
        &self,
        snapshot: &mut Snapshot,
        catalog: &Catalog,
        (number, group): (usize, &Group),
        random: &mut Random,
    ) {
        let count = match group.labels.len() {
            0 => random.below(2),
            _ if self.names == Names::Longest => self.most_rows,
            _ => random.below(self.most_rows + 1),
        };
        let is_state: Vec<bool> = match group.rows {
            RowsOf::Stat(row_type) => {
                let kept = catalog.stored_columns(row_type).iter();
                kept.map(|kept| kept.conversion.is_state()).collect()
            }
            RowsOf::Group => vec![false; group.families.len()],
        };
        let rows = snapshot.rows_mut(number);
        rows.make_columns(is_state.len());
        let mut above: Vec<Vec<u8>> = vec![Vec::new(); is_state.len()];
        for row in 0..count {
            let mut labels: Vec<Vec<u8>> = (0..group.labels.len())
                .map(|position| self.label(row, position, random))
                .collect();
            // Only the address and cookie of a server make more than three labels.
            for text in labels.iter_mut().skip(2).filter(|_| group.labels.len() > 3) {
                text.truncate(MAX_TEXT_BYTES);
            }
            let labels: Vec<&[u8]> = labels.iter().map(Vec::as_slice).collect();
            let more = group.labels.get(1..).unwrap_or_default();
            let Ok(label_bytes) = rows.push_labels(more, &labels) else {
                continue;
            };
            for ((column, is_state), above) in
                rows.columns.iter_mut().zip(&is_state).zip(&mut above)
            {
                match is_state {
                    true => push_state(column, label_bytes, random),
                    false => {
                        *above = self.value(above, random);
                        column.push(above, label_bytes);
                    }
                }
            }
        }
        assert!(matches!(group.rows, RowsOf::Group) || rows.count() <= self.most_rows);
    }

    fn label(&self, row: usize, position: usize, random: &mut Random) -> Vec<u8> {
        // Proxies have the same name in several rows.
        let row = if position == 0 && self.names != Names::Longest {
            row / 7
        } else {
            row
        };
        let letters = |random: &mut Random, letters: &[u8], count: usize| -> Vec<u8> {
            (0..count).map(|_| random.one_of(letters)).collect()
        };
        match self.names {
            Names::Numbered => format!("web-{row:03}").into_bytes(),
            Names::Pods => {
                let tail = letters(random, b"bcdfghjklmnpqrstvwxz2456789", 5);
                [b"api-7d4b9c6f5d-".to_vec(), tail].concat()
            }
            Names::Addresses => {
                let byte = |random: &mut Random| random.below(256);
                format!("10.{}.{}.{}:80", byte(random), byte(random), byte(random)).into_bytes()
            }
            Names::Words => {
                let word = random.one_of(&[
                    "m\u{f6}we",
                    "\u{441}\u{435}\u{440}\u{432}\u{435}\u{440}",
                    "\u{30c7}\u{30fc}\u{30bf}",
                ]);
                format!("{word}{}", random.below(1000)).into_bytes()
            }
            Names::Escaped => {
                let count = random.below(12);
                letters(random, b"\"\\\n\xffa\0", count)
            }
            Names::LikeLines => {
                let text = random.one_of(&[
                    "\"} 0\nhaproxy_server_up{backend=\"",
                    "\",server=\"",
                    "a",
                    "",
                    "\"} ",
                    "# HELP haproxy_up",
                ]);
                let count = random.below(3);
                text.repeat(count).into_bytes()
            }
            Names::Long => {
                let count = random.one_of(&[1, 255, 256, 257, 300, 1_000, MAX_NAME_BYTES]);
                let mut text = vec![b'x'; count];
                let at = random.below(count);
                text[at] = random.one_of(b"0123456789");
                text
            }
            Names::Longest => {
                let mut text = vec![0xff; MAX_NAME_BYTES];
                let at = random.below(text.len());
                text[at] = random.one_of(b"0123456789");
                text
            }
        }
    }

    fn value(&self, above: &[u8], random: &mut Random) -> Vec<u8> {
        let digits = |random: &mut Random, count: usize| -> Vec<u8> {
            (0..count).map(|_| random.one_of(b"0123456789")).collect()
        };
        match self.values {
            Values::Zeros if random.below(40) > 0 => b"0".to_vec(),
            Values::Zeros | Values::Counters => {
                let count = 1 + random.below(10);
                digits(random, count)
            }
            Values::Odd => match random.below(6) {
                0 => Vec::new(),
                1 | 2 => above.to_vec(),
                3 if !above.is_empty() => {
                    let mut value = above.to_vec();
                    let at = random.below(value.len());
                    value[at] = random.one_of(b"0123456789.-e");
                    value
                }
                _ => {
                    let count = random.below(25);
                    digits(random, count)
                }
            },
        }
    }
}

fn push_state(column: &mut Column, label_bytes: usize, random: &mut Random) {
    let state = random.one_of(&[0, 1, 2, 2, 3, OTHER, NOTHING]);
    column.push_state(state, label_bytes);
}
