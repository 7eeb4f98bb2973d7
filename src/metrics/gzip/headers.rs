//! The lines before the samples of a family: what of them stands in the lines of families before, and their
//! part in the CRC. Both are found once, when the first client wants a compressed response.

use super::crc::{self, Power};
use super::facts::same_start;
use super::tokens::{MIN_COPY, Tokens, WINDOW};
use crate::metrics::catalog::Catalog;
use crate::metrics::exposition::{self, CellLine};

/// Bytes that must be alike before texts are compared.
const KEY_BYTES: usize = 4;
/// Shorter copies cost as much as their text.
const MIN_PART_BYTES: usize = 5;
/// Where texts are looked up by their first bytes, and how many of each are remembered.
const BUCKETS: usize = 1024;
const TEXTS_A_BUCKET: usize = 4;

/// A part of a family's lines that stands in those of a family before, or further up in its own.
#[derive(Clone, Copy, Debug)]
struct Part {
    at: u16,
    bytes: u16,
    family: u16,
    /// Where in the lines of that family.
    from: u16,
}

/// What is known of a family's lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Their bytes.
    pub(super) bytes: u16,
    /// How many at their beginning are those of the family before.
    same_start: u16,
    /// Where its parts end; those of the family before end where they begin.
    parts_end: u16,
    /// Its lines, and what stands before the labels of its samples.
    all: u32,
    all_power: Power,
    /// What stands before the labels.
    pub(super) before: u32,
    before_power: Power,
}

/// The lines of all families of a profile.
#[derive(Debug, Default)]
pub(super) struct Headers {
    headers: Vec<Header>,
    parts: Vec<Part>,
}

/// Where the lines of families stand in a response, as far as they are near.
#[derive(Debug)]
pub(super) struct Places {
    /// By family modulo `FAMILIES`: the position modulo `MODULUS` and 1; 0 where the family is not there.
    places: [u16; FAMILIES],
    /// Families before are too far away.
    first_near: usize,
    /// The last one, and its position.
    last: Option<(usize, u64)>,
}

/// Families of which the places are kept: the lines of as many take most of the window.
const FAMILIES: usize = 224;
/// More than the distance of any place that is looked at.
const MODULUS: u64 = u16::MAX as u64;

impl Default for Places {
    fn default() -> Self {
        Self {
            places: [0; FAMILIES],
            first_near: 0,
            last: None,
        }
    }
}

impl Places {
    /// A family's lines begin at `position`.
    fn add(&mut self, family: usize, position: u64) {
        let mut next = family;
        if let Some((last, at)) = self.last
            && position - at < MODULUS - WINDOW as u64
        {
            next = last + 1;
        } else {
            self.first_near = family;
        }
        // Those between are not there.
        for skipped in next.max(family.saturating_sub(FAMILIES))..family {
            self.places[skipped % FAMILIES] = 0;
        }
        self.places[family % FAMILIES] = (position % MODULUS) as u16 + 1;
        self.first_near = self.first_near.max((family + 1).saturating_sub(FAMILIES));
        while self.first_near < family && self.distance(self.first_near, position).is_none() {
            self.first_near += 1;
        }
        self.last = Some((family, position));
    }

    /// How far back from `position` a family's lines begin, if they are near.
    fn distance(&self, family: usize, position: u64) -> Option<usize> {
        if family < self.first_near {
            return None;
        }
        let place = self.places[family % FAMILIES].checked_sub(1)?;
        let distance = (position % MODULUS + MODULUS - u64::from(place)) % MODULUS;
        (distance <= WINDOW as u64).then_some(distance as usize)
    }
}

impl Header {
    /// The register behind the lines of the family and what stands before the first labels.
    pub(super) fn enter(&self, register: u32) -> u32 {
        self.all_power.apply(register) ^ self.all
    }

    /// The register behind the last line of the family, if this one is behind what would stand before more
    /// labels.
    pub(super) fn leave(&self, register: u32) -> u32 {
        self.before_power.apply(register ^ self.before)
    }
}

impl Headers {
    /// Those of all families of a profile.
    pub(super) fn new(catalog: &Catalog, profile: usize) -> Self {
        let mut headers = Self::default();
        let mut finder = Finder::new();
        let (mut text, mut above) = (Vec::new(), Vec::new());
        for (group, family) in catalog.families(profile) {
            text.clear();
            for part in exposition::header_parts(group, family) {
                text.extend_from_slice(part.as_bytes());
            }
            let (bytes, same_start) = (text.len(), same_start(&text, &above));
            finder.find(&text, &mut headers.parts);
            above.clone_from(&text);
            if let Some(cell) = family.cells.first() {
                text.extend_from_slice(CellLine::new(group, family, cell).before());
            }
            let (all, before) = (&text, &text[bytes..]);
            headers.headers.push(Header {
                bytes: bytes as u16,
                same_start: same_start as u16,
                parts_end: headers.parts.len() as u16,
                all: crc::update(0, all),
                all_power: Power::of(all.len() as i64),
                before: crc::update(0, before),
                before_power: Power::of(-(before.len() as i64)),
            });
        }
        headers.headers.shrink_to_fit();
        headers.parts.shrink_to_fit();
        headers
    }

    pub(super) fn get(&self, family: usize) -> &Header {
        &self.headers[family]
    }

    fn parts(&self, family: usize) -> &[Part] {
        let end = |family: usize| usize::from(self.headers[family].parts_end);
        let start = family.checked_sub(1).map_or(0, end);
        &self.parts[start..end(family)]
    }

    /// Puts the lines of a family, which begin at `position`.
    pub(super) fn put(
        &self,
        tokens: &mut dyn Tokens,
        (catalog, profile): (&Catalog, usize),
        family: usize,
        (places, position): (&mut Places, u64),
    ) {
        let Some((group, described)) = catalog.family(profile, family) else {
            return;
        };
        let text = exposition::header_parts(group, described);
        let last = places.last;
        places.add(family, position);
        let mut text = Pieces {
            pieces: &text,
            taken: 0,
            at: 0,
        };
        // The last family is perhaps not the one before, but its lines begin like these.
        if let Some((last, _)) = last
            && let Some(distance) = places.distance(last, position)
        {
            let between = &self.headers[last + 1..=family];
            let same = between.iter().map(|header| usize::from(header.same_start));
            let same = same.min().unwrap_or(0);
            if same >= MIN_PART_BYTES {
                tokens.long_copy(same, distance);
                text.take(same, |_| {});
            }
        }
        for part in self.parts(family) {
            let (begin, end) = (usize::from(part.at), usize::from(part.at + part.bytes));
            let begins = begin.max(text.at);
            let near = places.distance(usize::from(part.family), position + begin as u64);
            let distance = near.and_then(|near| near.checked_sub(usize::from(part.from)));
            if let Some(distance) = distance
                && begins + MIN_COPY <= end
            {
                text.take(begins, |literals| tokens.literals(literals));
                tokens.long_copy(end - begins, distance);
                text.take(end, |_| {});
            }
        }
        text.take(usize::MAX, |literals| tokens.literals(literals));
    }
}

/// A text in pieces, from which the next bytes are taken.
struct Pieces<'a> {
    pieces: &'a [&'static str],
    /// Bytes of the first of them that were taken.
    taken: usize,
    at: usize,
}

impl Pieces<'_> {
    /// Takes the bytes before `end`.
    fn take(&mut self, end: usize, mut with: impl FnMut(&[u8])) {
        while self.at < end
            && let Some((piece, others)) = self.pieces.split_first()
        {
            let rest = &piece.as_bytes()[self.taken..];
            let bytes = rest.len().min(end - self.at);
            with(&rest[..bytes]);
            self.at += bytes;
            self.taken += bytes;
            if self.taken == piece.len() {
                (self.pieces, self.taken) = (others, 0);
            }
        }
    }
}

/// Finds parts of texts in the texts before them, as they are passed.
struct Finder {
    /// All texts, and where each begins.
    all: Vec<u8>,
    starts: Vec<u32>,
    /// For the first bytes of a text where such were seen last, and 1.
    seen: Vec<[u32; TEXTS_A_BUCKET]>,
}

impl Finder {
    fn new() -> Self {
        Self {
            all: Vec::new(),
            starts: Vec::new(),
            seen: vec![[0; TEXTS_A_BUCKET]; BUCKETS],
        }
    }

    /// Finds the parts of the next text.
    fn find(&mut self, text: &[u8], parts: &mut Vec<Part>) {
        let start = self.all.len();
        self.all.extend_from_slice(text);
        self.starts.push(start as u32);
        let mut at = start;
        while at + KEY_BYTES <= self.all.len() {
            let found = self.longest(at);
            self.see(at);
            let Some((from, bytes)) = found else {
                at += 1;
                continue;
            };
            // A longer one may begin with the next byte.
            if self.longest(at + 1).is_some_and(|(_, next)| next > bytes) {
                at += 1;
                continue;
            }
            let family = self.starts.partition_point(|start| *start as usize <= from) - 1;
            parts.push(Part {
                at: (at - start) as u16,
                bytes: bytes as u16,
                family: family as u16,
                from: (from - self.starts[family] as usize) as u16,
            });
            for passed in at + 1..at + bytes {
                self.see(passed);
            }
            at += bytes;
        }
    }

    /// The longest text before that is the one from `at` on: where, and its bytes.
    fn longest(&self, at: usize) -> Option<(usize, usize)> {
        let rest = &self.all[at..];
        let seen = &self.seen[bucket(rest)?];
        let found = seen.iter().filter_map(|seen| seen.checked_sub(1));
        let found = found.map(|from| {
            let from = from as usize;
            // Behind the lines of a family its samples stand.
            let next = self.starts.partition_point(|start| *start as usize <= from);
            let end = self
                .starts
                .get(next)
                .map_or(self.all.len(), |end| *end as usize);
            (from, same_start(&self.all[from..end], rest))
        });
        let longest = found.max_by_key(|(from, bytes)| (*bytes, *from));
        longest.filter(|(_, bytes)| *bytes >= MIN_PART_BYTES)
    }

    fn see(&mut self, at: usize) {
        if let Some(bucket) = bucket(&self.all[at..]) {
            let seen = &mut self.seen[bucket];
            seen.rotate_right(1);
            seen[0] = at as u32 + 1;
        }
    }
}

/// Where texts are looked up that begin like this one.
fn bucket(text: &[u8]) -> Option<usize> {
    let key = u32::from_le_bytes(*text.first_chunk::<KEY_BYTES>()?);
    Some((key.wrapping_mul(2_654_435_761) >> 16) as usize % BUCKETS)
}

#[cfg(test)]
mod tests;
