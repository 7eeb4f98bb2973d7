//! Codes of the last responses: they fit the next ones too, and to make new ones takes longer than a small
//! response.

use std::sync::Arc;

use super::huffman::Codes;
use crate::metrics::selection::Selection;
use crate::metrics::snapshot::{Rows, Snapshot};

/// Selections whose codes are known: a few scrapers that want different families.
const MOST_KNOWN: usize = 4;
/// After this number of responses codes are made again: values become longer, and idle servers busy.
const MOST_USES: u32 = 16;
/// They are as well when labels and values have become more or less by a part of this.
const CHANGE_PARTS: usize = 8;

/// Codes that were made.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The one that was used last comes last.
    entries: Vec<Entry>,
    next_number: u64,
}

#[derive(Debug)]
struct Entry {
    selection: Selection,
    /// Bytes of labels and values of the snapshot that they were made for.
    bytes: usize,
    uses: u32,
    codes: Arc<Codes>,
}

impl Known {
    /// Codes for a response: those of one before, or new ones, which have a number that no others have.
    pub(super) fn get(
        &mut self,
        snapshot: &Snapshot,
        selection: &Selection,
        make: impl FnOnce(u64) -> Codes,
    ) -> Arc<Codes> {
        let bytes = bytes(snapshot);
        let found = self
            .entries
            .iter()
            .position(|entry| entry.selection.is_same(selection));
        let fits = |entry: &Entry| {
            entry.uses < MOST_USES && entry.bytes.abs_diff(bytes) <= entry.bytes / CHANGE_PARTS
        };
        let entry = match found.map(|at| self.entries.remove(at)) {
            Some(entry) if fits(&entry) => Entry {
                uses: entry.uses + 1,
                ..entry
            },
            _ => {
                self.next_number += 1;
                Entry {
                    selection: *selection,
                    bytes,
                    uses: 1,
                    codes: Arc::new(make(self.next_number)),
                }
            }
        };
        if self.entries.len() >= MOST_KNOWN {
            self.entries.remove(0);
        }
        let codes = Arc::clone(&entry.codes);
        self.entries.push(entry);
        codes
    }
}

/// Bytes of a snapshot's labels and values.
fn bytes(snapshot: &Snapshot) -> usize {
    let of = |rows: &Rows| -> usize {
        let values = rows.columns.iter().map(|column| column.values.len());
        rows.labels.len() + values.sum::<usize>()
    };
    snapshot.all().map(of).sum()
}

#[cfg(test)]
mod tests;
