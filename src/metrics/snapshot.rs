//! What a scrape keeps: for each kind of rows their labels, escaped once, and each wanted column
//! once, as checked text or as the number of a state.
//!
//! Both profiles and every selection read the same snapshot; a family is a view of a column.

use std::time::Duration;

use super::catalog::Catalog;
use super::column::Column;
use super::exposition::push_escaped;
use super::gzip::facts::Facts;
use super::name_index::NameIndex;
use super::selection::Wanted;
use super::value::{MAX_VALUE_BYTES, Value};
use super::{Group, Table};
use crate::haproxy::limits::MAX_NAME_BYTES;
use crate::haproxy::stat::RowType;

/// Number of consecutive scrapes that need less than a quarter of the memory before it is released.
pub(super) const IDLE_SCRAPES_BEFORE_SHRINK: u32 = 20;
/// Smaller buffers are kept.
const WORTH_GIVING_BACK_BYTES: usize = 64 * 1024;
/// The text between the labels of a row and its value.
pub(crate) const LABELS_END: &[u8] = b"\"} ";

/// The outcome of a scrape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Whether it succeeded.
    pub(crate) is_up: bool,
    /// Its duration.
    pub(crate) took: Duration,
}

/// The rows of one scrape.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// The outcome of the scrape that filled it.
    pub(crate) outcome: Outcome,
    /// What was scraped. It can serve only requests that select no more.
    pub(crate) wanted: Wanted,
    /// The rows of `show stat`, by type.
    stat: [Rows; RowType::ALL.len()],
    /// The rows of groups with their own rows, by number: see `Catalog::rows_of`.
    own: Vec<Rows>,
    light_scrapes: u32,
}

/// Rows with the same columns.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// The label texts of all rows, concatenated. Each begins with the value of the first label,
    /// because the name of that label depends on the profile, and ends in `LABELS_END`.
    pub(crate) labels: Vec<u8>,
    /// Position of the end of each row's label text.
    pub(crate) label_ends: Vec<u32>,
    names: NameIndex,
    /// By slot (see `Catalog::stored_columns`); columns after the last wanted one are missing.
    pub(crate) columns: Vec<Column>,
    /// Facts about each row for compressed responses.
    pub(super) facts: Facts,
}

impl Snapshot {
    /// Removes all rows, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.all_mut().for_each(Rows::clear);
    }

    /// Rows by their number; `None` if none were ever added.
    pub(crate) fn rows(&self, number: usize) -> Option<&Rows> {
        match number.checked_sub(self.stat.len()) {
            None => self.stat.get(number),
            Some(own) => self.own.get(own),
        }
    }

    /// The rows of a type.
    pub(crate) fn stat_rows(&self, row_type: RowType) -> &Rows {
        &self.stat[row_type as usize]
    }

    /// The rows of a type, to add more.
    pub(crate) fn stat_rows_mut(&mut self, row_type: RowType) -> &mut Rows {
        &mut self.stat[row_type as usize]
    }

    /// The rows of a group, to add more.
    pub(crate) fn add<V>(
        &mut self,
        catalog: &Catalog,
        table: &'static Table<V>,
    ) -> TableRows<'_, V> {
        self.add_at(catalog.rows_of(&table.group), table)
    }

    /// The same, where the number of the rows is known.
    pub(super) fn add_at<V>(
        &mut self,
        number: usize,
        table: &'static Table<V>,
    ) -> TableRows<'_, V> {
        let number = number - self.stat.len();
        if self.own.len() <= number {
            self.own.resize_with(number + 1, Rows::default);
        }
        TableRows {
            rows: &mut self.own[number],
            table,
        }
    }

    /// Rows by their number, to put any.
    #[cfg(test)]
    pub(super) fn rows_mut(&mut self, number: usize) -> &mut Rows {
        let Some(own) = number.checked_sub(self.stat.len()) else {
            return &mut self.stat[number];
        };
        if self.own.len() <= own {
            self.own.resize_with(own + 1, Rows::default);
        }
        &mut self.own[own]
    }

    /// All rows, of whatever kind.
    pub(super) fn all(&self) -> impl Iterator<Item = &Rows> {
        self.stat.iter().chain(&self.own)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Rows> {
        self.stat.iter_mut().chain(&mut self.own)
    }

    /// Size of the snapshot in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let all = self.all().flat_map(Rows::memory);
        all.map(|(_, capacity)| capacity).sum()
    }

    /// Releases memory that the last scrapes did not need. Must be called once per scrape.
    pub(crate) fn shrink(&mut self) {
        let is_needed =
            |(used, capacity)| capacity <= WORTH_GIVING_BACK_BYTES || used >= capacity / 4;
        if self.all().flat_map(Rows::memory).all(is_needed) {
            self.light_scrapes = 0;
            return;
        }
        self.light_scrapes += 1;
        if self.light_scrapes >= IDLE_SCRAPES_BEFORE_SHRINK {
            self.light_scrapes = 0;
            self.all_mut().for_each(Rows::shrink);
        }
    }
}

/// A snapshot, with the catalog that is needed to add rows of groups.
pub(crate) struct Sink<'a> {
    /// The list of groups.
    pub(crate) catalog: &'a Catalog,
    /// The snapshot to add to.
    pub(crate) snapshot: &'a mut Snapshot,
}

impl Sink<'_> {
    /// The rows of a group, to add more.
    pub(crate) fn add<V>(&mut self, table: &'static Table<V>) -> TableRows<'_, V> {
        self.snapshot.add(self.catalog, table)
    }
}

/// The rows of a group, with the recipes of its values.
pub(crate) struct TableRows<'a, V: 'static> {
    rows: &'a mut Rows,
    table: &'static Table<V>,
}

impl<V> TableRows<'_, V> {
    /// Adds a row. `value` makes a value from the recipe in the table.
    pub(crate) fn put<'v>(&mut self, labels: &[&[u8]], value: impl Fn(&'static V) -> Value<'v>) {
        let values = self.table.values;
        self.put_slots(labels, &|slot| value(&values[slot]));
    }

    /// Adds a row. `value` makes the value at a position in the table.
    pub(crate) fn put_slots<'v>(&mut self, labels: &[&[u8]], value: &dyn Fn(usize) -> Value<'v>) {
        self.rows.put(&self.table.group, labels, value);
    }
}

impl TableRows<'_, u64> {
    /// Adds a row whose labels contain everything.
    pub(crate) fn put_constant(&mut self, labels: &[&[u8]]) {
        self.put(labels, |one| Value::from(*one));
    }
}

impl Rows {
    /// Adds a row of a group. A row with a longer label than `show stat` can have is omitted: its
    /// lines would not fit into `exposition::BUFFER_BYTES`.
    fn put<'v>(&mut self, group: &Group, labels: &[&[u8]], value: &dyn Fn(usize) -> Value<'v>) {
        if labels.iter().any(|text| text.len() > MAX_NAME_BYTES) {
            return;
        }
        let more = group.labels.get(1..).unwrap_or_default();
        let Ok(label_bytes) = self.push_labels(more, labels) else {
            return;
        };
        self.make_columns(group.families.len());
        for (slot, column) in self.columns.iter_mut().enumerate() {
            let mut text = [0; MAX_VALUE_BYTES];
            let length = value(slot).write(&mut text);
            column.push(&text[..length], label_bytes);
        }
    }

    /// Number of rows.
    pub(crate) fn count(&self) -> usize {
        self.label_ends.len()
    }

    /// Makes room for this many columns.
    pub(crate) fn make_columns(&mut self, count: usize) {
        if self.columns.len() < count {
            self.columns.resize_with(count, Column::default);
        }
    }

    /// Adds the labels of the next row and returns their length. `more` are the names of the labels after
    /// the first.
    ///
    /// # Errors
    /// If another row has them already; holds its number.
    pub(crate) fn push_labels(&mut self, more: &[&str], labels: &[&[u8]]) -> Result<usize, usize> {
        let start = self.labels.len();
        let names = std::iter::once("").chain(more.iter().copied());
        for (position, (name, value)) in names.zip(labels).enumerate() {
            if position > 0 {
                self.labels.extend_from_slice(b"\",");
                self.labels.extend_from_slice(name.as_bytes());
                self.labels.extend_from_slice(b"=\"");
            }
            push_escaped(&mut self.labels, value);
        }
        if !labels.is_empty() {
            self.labels.extend_from_slice(LABELS_END);
        }
        let (all, ends) = (&self.labels, &self.label_ends);
        let earlier = self
            .names
            .insert(&all[start..], |row| &all[range(ends, row)]);
        if let Some(earlier) = earlier {
            self.labels.truncate(start);
            return Err(earlier);
        }
        // Fits into 32 bits: `show stat` with more than 64 MiB of labels is rejected, other replies
        // are smaller.
        self.label_ends.push(self.labels.len() as u32);
        Ok(self.labels.len() - start)
    }

    /// The label text of a row, from its first byte to the end of all labels, and its length.
    #[inline(always)]
    pub(crate) fn labels_of(&self, row: usize) -> (&[u8], usize) {
        let range = range(&self.label_ends, row);
        (&self.labels[range.start..], range.len())
    }

    fn clear(&mut self) {
        self.labels.clear();
        self.label_ends.clear();
        self.names.clear();
        self.columns.iter_mut().for_each(Column::clear);
        self.facts.clear();
    }

    fn shrink(&mut self) {
        let give_back = |memory: &mut Vec<u8>| memory.shrink_to(memory.len() * 2);
        give_back(&mut self.labels);
        for column in &mut self.columns {
            give_back(&mut column.values);
        }
        self.label_ends.shrink_to(self.label_ends.len() * 2);
        self.names.shrink();
        self.facts.shrink();
    }

    /// Used and allocated bytes of each buffer.
    fn memory(&self) -> impl Iterator<Item = (usize, usize)> {
        let columns = self.columns.iter().map(|column| &column.values);
        let bytes = columns.chain([&self.labels]);
        let numbers = (self.label_ends.len() * 4, self.label_ends.capacity() * 4);
        bytes.map(|bytes| (bytes.len(), bytes.capacity())).chain([
            numbers,
            self.names.memory(),
            self.facts.memory(),
        ])
    }
}

/// Where a text stands, among texts with these ends.
#[inline(always)]
pub(super) fn range(ends: &[u32], row: usize) -> std::ops::Range<usize> {
    let start = match row {
        0 => 0,
        row => ends[row - 1] as usize,
    };
    start..ends[row] as usize
}
