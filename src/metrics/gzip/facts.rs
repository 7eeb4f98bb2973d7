//! What is needed of each row beside its labels to compress a line, found once a snapshot.

use std::collections::TryReserveError;
use std::sync::{Mutex, OnceLock};

use super::crc::{self, Shifts};
/// What ends a label.
pub(super) const QUOTE: u8 = b'"';

/// Facts of a row: 8 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RowFacts {
    /// The labels' part in the CRC (see `crc::difference`).
    pub(super) crc: u32,
    /// Bytes at the beginning that are those of the row before.
    same_start: u16,
    /// Bytes at the end that are, behind these, at most `MOST_END`; and `ONE_LABEL`.
    same_end: u16,
}

/// More bytes at the end are not counted.
const MOST_END: u16 = ONE_LABEL - 1;
/// All that is different stands in one label.
const ONE_LABEL: u16 = 1 << 15;

impl RowFacts {
    fn new(crc: u32, labels: &[u8], above: &[u8]) -> Self {
        let (start, end) = same(labels, above);
        let bounded = |bytes: usize, most: u16| u16::try_from(bytes).unwrap_or(most).min(most);
        let (same_start, same_end) = (bounded(start, u16::MAX), bounded(end, MOST_END));
        let other = &labels[start..labels.len() - usize::from(same_end)];
        let is_one = memchr::memchr(QUOTE, other).is_none();
        Self {
            crc,
            same_start,
            same_end: same_end | if is_one { ONE_LABEL } else { 0 },
        }
    }

    /// Bytes at the beginning that are those of the row before.
    #[inline(always)]
    pub(super) fn same_start(self) -> usize {
        usize::from(self.same_start)
    }

    /// Bytes at the end that are, behind these.
    #[inline(always)]
    pub(super) fn same_end(self) -> usize {
        usize::from(self.same_end & MOST_END)
    }

    /// Whether all that is different stands in one label.
    #[inline(always)]
    pub(super) fn is_one_label(self) -> bool {
        self.same_end & ONE_LABEL != 0
    }
}

/// How many bytes at the beginning of two texts are the same.
pub(super) fn same_start(one: &[u8], other: &[u8]) -> usize {
    let is_same = |(a, b): &(&[u8; 8], &[u8; 8])| a == b;
    let (words, others) = (one.as_chunks().0, other.as_chunks().0);
    let words = 8 * words.iter().zip(others).take_while(is_same).count();
    let rest = one[words..].iter().zip(&other[words..]);
    words + rest.take_while(|(a, b)| a == b).count()
}

/// The same, and how many at the end behind them.
pub(super) fn same(one: &[u8], other: &[u8]) -> (usize, usize) {
    let start = same_start(one, other);
    let (one, other) = (&one[start..], &other[start..]);
    let pairs = one.iter().rev().zip(other.iter().rev());
    (start, pairs.take_while(|(a, b)| a == b).count())
}

/// The facts of all rows of a kind, found when the first client wants them.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    found: OnceLock<Vec<RowFacts>>,
    /// Memory of an earlier scrape.
    kept: Mutex<Vec<RowFacts>>,
}

impl Facts {
    /// Those that were found.
    pub(super) fn get(&self) -> &[RowFacts] {
        self.found.get().map_or(&[], Vec::as_slice)
    }

    /// Finds those of all rows, unless they were. `rows` are their labels, up to the quote behind the last
    /// value: some cells have one more label behind it.
    ///
    /// # Errors
    /// When there is no memory for them.
    pub(super) fn find<'a>(
        &self,
        rows: impl ExactSizeIterator<Item = &'a [u8]>,
        shifts: &mut Shifts,
    ) -> Result<(), TryReserveError> {
        if self.found.get().is_none() {
            let mut facts = match self.kept.lock() {
                Ok(mut kept) => std::mem::take(&mut *kept),
                Err(_) => Vec::new(),
            };
            facts.clear();
            facts.try_reserve_exact(rows.len())?;
            find(rows, shifts, &mut facts);
            // One thread makes responses.
            let _ = self.found.set(facts);
        }
        Ok(())
    }

    /// Forgets all, keeps the memory.
    pub(crate) fn clear(&mut self) {
        if let (Some(found), Ok(kept)) = (self.found.take(), self.kept.get_mut()) {
            *kept = found;
        }
    }

    /// Gives memory back that is not used.
    pub(crate) fn shrink(&mut self) {
        if let Ok(kept) = self.kept.get_mut() {
            *kept = Vec::new();
        }
    }

    /// Used and reserved bytes.
    pub(crate) fn memory(&self) -> (usize, usize) {
        let kept = self.kept.lock().map_or(0, |kept| kept.capacity());
        let found = self
            .found
            .get()
            .map_or((0, 0), |found| (found.len(), found.capacity()));
        let bytes = |rows: usize| rows * size_of::<RowFacts>();
        (bytes(found.0), bytes(found.1 + kept))
    }
}

fn find<'a>(rows: impl Iterator<Item = &'a [u8]>, shifts: &mut Shifts, facts: &mut Vec<RowFacts>) {
    let (mut above, mut crc): (&[u8], _) = (b"", 0);
    for labels in rows {
        let mut row = RowFacts::new(crc, labels, above);
        let start = row.same_start();
        let difference = crc::difference(&labels[start..], &above[start..]);
        crc ^= shifts.back_by(start).apply(difference);
        row.crc = crc;
        facts.push(row);
        above = labels;
    }
}
