//! The rows of one scope: their labels, and a column for each metric.
//!
//! A row has a cell for each of some forty columns. To put each cell behind its column at once
//! would touch forty places of memory a row, which for large tables fight for the same lines of the
//! processor's cache. So rows are collected where they lie in the input, and a batch of them is
//! turned into columns together.

use std::io;

use crate::haproxy::csv::{LOCATED_FIELDS, Row, Starts};
use crate::haproxy::failures::{Failures, excerpt};
use crate::metrics::duplicates::Names;
use crate::metrics::exposition::{self, Line, SHORT_TEXT, Writer};
use crate::metrics::value::{self, MAX_VALUE_BYTES};
use crate::metrics::{Cell, Family, Profile, Scope, Value};

/// Rows that are turned into columns together: with their bytes they fit into the processor's
/// first-level cache.
const BATCH_ROWS: usize = 32;
/// A value's length and text.
const CELL_BYTES: usize = 1 + MAX_VALUE_BYTES;

/// Where a row is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The text that all rows of the batch lie in.
    pub text: &'a [u8],
    /// Where this row begins in it.
    pub at: usize,
    /// The row's line in the answer, from 1.
    pub line: u64,
}

/// The rows of one scope.
#[derive(Debug)]
pub(crate) struct Rows {
    /// What stands before each label's value, and the column that it comes from.
    label_columns: Vec<(Vec<u8>, usize)>,
    /// The label texts of all rows, one after the other, each `name="value",...} `.
    pub(crate) labels: Vec<u8>,
    /// Where the label text of each row ends.
    pub(crate) label_ends: Vec<u32>,
    names: Names,
    pub(crate) columns: Vec<Column>,
    /// Rows of the batch; the first `pending` are in use.
    batch: Box<[Pending]>,
    pending: usize,
    /// The cells of a column's batch, before they go behind the others.
    cells: Box<[u8; BATCH_ROWS * CELL_BYTES]>,
}

/// A row whose cells are still in the input.
#[derive(Clone, Debug)]
struct Pending {
    /// Where the row begins.
    at: usize,
    /// Where its fields begin in it.
    starts: Starts,
    label_bytes: usize,
    line: u64,
}

impl Pending {
    const NONE: Self = Self {
        at: 0,
        starts: [0; LOCATED_FIELDS + 1],
        label_bytes: 0,
        line: 0,
    };
}

/// One metric's samples.
#[derive(Debug)]
pub(crate) struct Column {
    cell: Cell,
    /// The family, with the length of its HELP and TYPE lines.
    family: Family,
    /// Whether a column before this one belongs to the same family.
    continues: bool,
    /// What stands before the labels: `name{`, with the column's own label.
    /// Padded to `SHORT_TEXT`, so that it can be copied in one block.
    prefix: Vec<u8>,
    prefix_bytes: usize,
    /// For each row a byte with the value's length (0: no sample) and the value.
    pub(crate) values: Vec<u8>,
    /// Bytes of all sample lines.
    line_bytes: u64,
}

impl Rows {
    /// No rows of `scope`, and of its columns those that are `wanted`.
    pub(crate) fn new(scope: Scope, profile: &Profile, wanted: impl Fn(&Cell) -> bool) -> Self {
        let mut columns: Vec<Column> = Vec::new();
        for row in profile.families(scope) {
            for cell in row.cells.iter().filter(|cell| wanted(cell)) {
                let continues = columns
                    .last()
                    .is_some_and(|c| c.family.name == row.family.name);
                let mut prefix = exposition::line_prefix(row.family.name, cell.label);
                let prefix_bytes = prefix.len();
                prefix.resize(prefix_bytes.max(SHORT_TEXT), 0);
                columns.push(Column {
                    cell: *cell,
                    family: row.family,
                    continues,
                    prefix,
                    prefix_bytes,
                    values: Vec::new(),
                    line_bytes: 0,
                });
            }
        }
        let labels = scope.labels().iter().enumerate();
        let label_columns = labels.map(|(position, (name, column))| {
            let ends_last = if position > 0 { "\"," } else { "" };
            (format!("{ends_last}{name}=\"").into_bytes(), *column)
        });
        Self {
            label_columns: label_columns.collect(),
            labels: Vec::new(),
            label_ends: Vec::new(),
            names: Names::default(),
            columns,
            batch: vec![Pending::NONE; BATCH_ROWS].into_boxed_slice(),
            pending: 0,
            cells: Box::new([0; BATCH_ROWS * CELL_BYTES]),
        }
    }

    /// Bytes of the label texts of all rows.
    pub(crate) fn label_bytes(&self) -> usize {
        self.labels.len()
    }

    /// Whether no column is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Forgets the rows, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.labels.clear();
        self.label_ends.clear();
        self.names.clear();
        self.pending = 0;
        for column in &mut self.columns {
            column.values.clear();
            column.line_bytes = 0;
        }
    }

    /// Takes a row. Its cells are taken when the batch is full, or by `flush`, which must be called
    /// before the text that the rows lie in goes away.
    pub(crate) fn push(&mut self, row: &Row<'_>, place: Place<'_>, failures: &mut Failures) {
        let start = self.labels.len();
        for (before, column) in &self.label_columns {
            let value = row.field(*column).unwrap_or_default();
            self.labels.extend_from_slice(before);
            exposition::push_escaped(&mut self.labels, value);
        }
        self.labels.extend_from_slice(b"\"} ");
        let text = |at: usize, ends: &[u32], labels: &[u8]| {
            let start = if at == 0 { 0 } else { ends[at - 1] as usize };
            start..(ends[at] as usize).min(labels.len())
        };
        let (labels, ends) = (&self.labels, &self.label_ends);
        let is_new = self
            .names
            .insert(&labels[start..], |at| &labels[text(at, ends, labels)]);
        if !is_new {
            failures.add(place.line, || {
                let labels = String::from_utf8_lossy(&labels[start..labels.len() - 2]);
                format!("line {}: a second row for {labels}", place.line)
            });
            self.labels.truncate(start);
            return;
        }
        // Fits: the table refuses more than 64 MiB of labels.
        self.label_ends.push(self.labels.len() as u32);
        if row.is_unquoted || self.pending == BATCH_ROWS {
            self.flush(place.text, failures);
        }
        let pending = &mut self.batch[self.pending];
        pending.at = if row.is_unquoted { 0 } else { place.at };
        row.starts(&mut pending.starts);
        pending.label_bytes = self.labels.len() - start;
        pending.line = place.line;
        self.pending += 1;
        if row.is_unquoted {
            self.flush(row.bytes(), failures);
        }
    }

    /// Takes the cells of the rows in the batch, which lie in `text`.
    pub(crate) fn flush(&mut self, text: &[u8], failures: &mut Failures) {
        if self.pending == 0 {
            return;
        }
        for column in &mut self.columns {
            column.push(text, &self.batch[..self.pending], &mut self.cells, failures);
        }
        self.pending = 0;
    }

    /// Bytes that `write` will write.
    pub(crate) fn exposition_bytes(&self) -> u64 {
        let mut total = 0;
        let mut has_header = false;
        for column in &self.columns {
            has_header &= column.continues;
            if column.line_bytes > 0 {
                if !has_header {
                    total += exposition::header_bytes(&column.family);
                    has_header = true;
                }
                total += column.line_bytes;
            }
        }
        total
    }

    /// Writes the samples, family by family.
    ///
    /// # Errors
    /// Those of the writer's output.
    pub(crate) fn write(&self, to: &mut Writer<'_>) -> io::Result<()> {
        let mut has_header = false;
        for column in &self.columns {
            has_header &= column.continues;
            if column.line_bytes == 0 {
                continue;
            }
            if !has_header {
                to.header(&column.family)?;
                has_header = true;
            }
            column.write(&self.labels, &self.label_ends, to)?;
        }
        Ok(())
    }

    /// Whether the rows need a good part of the memory that is held.
    pub(crate) fn is_full(&self) -> bool {
        self.memory().all(|(used, capacity)| used >= capacity / 4)
    }

    /// Gives memory back that these rows do not need.
    pub(crate) fn shrink(&mut self) {
        let give_back = |memory: &mut Vec<u8>| memory.shrink_to(memory.len() * 2);
        give_back(&mut self.labels);
        self.columns
            .iter_mut()
            .for_each(|column| give_back(&mut column.values));
        self.label_ends.shrink_to(self.label_ends.len() * 2);
        self.names.shrink();
    }

    /// Used and reserved bytes of each buffer, small ones left out: they cost next to nothing.
    fn memory(&self) -> impl Iterator<Item = (usize, usize)> {
        const WORTH_GIVING_BACK_BYTES: usize = 64 * 1024;
        let columns = self
            .columns
            .iter()
            .map(|c| (c.values.len(), c.values.capacity()));
        columns
            .chain([(self.labels.len(), self.labels.capacity())])
            .filter(|(_, capacity)| *capacity > WORTH_GIVING_BACK_BYTES)
    }
}

impl Column {
    /// Takes this column's cells of the rows in `batch`, which lie in `text`.
    fn push(
        &mut self,
        text: &[u8],
        batch: &[Pending],
        cells: &mut [u8; BATCH_ROWS * CELL_BYTES],
        failures: &mut Failures,
    ) {
        let is_integer = self.cell.value == Value::Integer;
        let column = self.cell.column.min(LOCATED_FIELDS - 1);
        let line_bytes = self.prefix_bytes + 1;
        let (mut used, mut all_lines) = (0, 0);
        for row in batch {
            let length = (row.starts[column + 1] - 1 - row.starts[column]) as usize;
            let start = row.at + row.starts[column] as usize;
            let Some(to) = cells[used..].first_chunk_mut::<CELL_BYTES>() else {
                break;
            };
            // Eight bytes are looked at together, also those behind a shorter cell.
            let plain = text.get(start..).and_then(<[u8]>::first_chunk);
            let written = match plain {
                Some(bytes) if is_integer && length <= 8 && value::are_digits(*bytes, length) => {
                    to[1..9].copy_from_slice(bytes);
                    length
                }
                _ => {
                    // A field that the row does not have lies behind the text.
                    let cell = text.get(start..start + length).unwrap_or_default();
                    let [_, to @ ..] = to;
                    value::write(self.cell.value, cell, to).unwrap_or_else(|| {
                        failures.add(row.line, || self.bad_cell(row.line, cell));
                        0
                    })
                }
            };
            to[0] = written as u8;
            used += 1 + written;
            let line = line_bytes + row.label_bytes + written;
            all_lines += if written > 0 { line } else { 0 };
        }
        self.line_bytes += all_lines as u64;
        self.values.extend_from_slice(&cells[..used]);
    }

    #[cold]
    fn bad_cell(&self, line: u64, cell: &[u8]) -> String {
        let (column, name) = (self.cell.column, self.family.name);
        let cell = excerpt(cell);
        format!("line {line}, field {column} ({name}): {cell:?} is no number")
    }

    fn write(&self, labels: &[u8], label_ends: &[u32], to: &mut Writer<'_>) -> io::Result<()> {
        let mut rest = self.values.as_slice();
        let mut start = 0;
        for end in label_ends {
            let end = *end as usize;
            let Some((length, after)) = rest.split_first() else {
                break;
            };
            let length = usize::from(*length);
            if length > 0 {
                to.sample(Line {
                    prefix: &self.prefix,
                    prefix_bytes: self.prefix_bytes,
                    labels: &labels[start..],
                    label_bytes: end - start,
                    value: after,
                    value_bytes: length,
                })?;
            }
            rest = &after[length..];
            start = end;
        }
        Ok(())
    }
}
