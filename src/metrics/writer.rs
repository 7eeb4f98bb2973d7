//! Turns rows of `show stat` into columns of a snapshot.
//!
//! A row has a field for each of some forty columns. Appending each field to its column at once
//! would touch forty places in memory per row, which compete for the same lines of the CPU cache in
//! large tables. So rows are collected where they are in the input, and a batch of them is turned
//! into columns together.

use super::aggregates::Aggregates;
use super::catalog::{Catalog, StoredColumn};
use super::column::{self, Column, Fields, MAX_STORED_BYTES};
use super::labels::labels_behind_proxy;
use super::listeners::Listeners;
use super::selection::Wanted;
use super::server_rows::ServerInfo;
use super::snapshot::{Rows, Snapshot};
use super::{Conversion, value};
use crate::haproxy::columns::Header;
use crate::haproxy::csv::Row;
use crate::haproxy::failures::{BadRow, Failures};
use crate::haproxy::stat::{Place, RowSink, RowType};

/// Number of rows that are turned into columns together: with their bytes they fit into the
/// first-level CPU cache.
const BATCH_ROWS: usize = 32;

/// Which fields of rows are read, and the rows of the current batch. The memory is kept from scrape
/// to scrape.
#[derive(Debug)]
pub(crate) struct RowBatcher {
    catalog: &'static Catalog,
    wanted: Wanted,
    batches: [Batch; RowType::ALL.len()],
    aggregates: Aggregates,
    listeners: Listeners,
    /// The addresses and cookies of servers.
    pub(crate) server_info: ServerInfo,
    /// Positions of the names and the status in the current reply.
    proxy_name: usize,
    service_name: usize,
    status: usize,
    check_status: usize,
    /// Number of fields of a row that are used, and the change of the header that all this is of.
    fields: usize,
    header: Option<u64>,
    /// The values of a column's batch, before they are appended to the column.
    values: Box<[u8; BATCH_ROWS * MAX_STORED_BYTES]>,
}

/// Rows of one type whose fields are still in the input.
#[derive(Debug, Default)]
struct Batch {
    /// For each slot whether its column is wanted.
    wanted: Vec<bool>,
    /// The wanted columns that the reply has.
    columns: Vec<ColumnSource>,
    rows: Vec<PendingRow>,
    /// For each row the positions of its fields, and the end of the last one.
    starts: Vec<u32>,
    /// Number of positions per row.
    fields: usize,
}

/// Which fields a column is made of.
#[derive(Clone, Copy, Debug)]
struct ColumnSource {
    slot: u8,
    conversion: Conversion,
    column: &'static str,
    position: u16,
    /// Position of the field that decides whether the first one counts; the same as the first one
    /// if there is none.
    other: u16,
}

/// A row whose fields are still in the input.
#[derive(Clone, Copy, Debug)]
struct PendingRow {
    /// Position of the row.
    at: usize,
    label_bytes: usize,
    line: u64,
}

/// The batcher together with the snapshot that it fills.
pub(crate) struct SnapshotWriter<'a> {
    batcher: &'a mut RowBatcher,
    snapshot: &'a mut Snapshot,
}

impl RowBatcher {
    /// Nothing is read yet.
    pub(crate) fn new(catalog: &'static Catalog) -> Self {
        Self {
            catalog,
            wanted: Wanted::default(),
            batches: RowType::ALL.map(|_| Batch::default()),
            aggregates: Aggregates::default(),
            listeners: Listeners::default(),
            server_info: ServerInfo::default(),
            proxy_name: 0,
            service_name: 0,
            status: 0,
            check_status: 0,
            fields: 0,
            header: None,
            values: Box::new([0; BATCH_ROWS * MAX_STORED_BYTES]),
        }
    }

    /// Begins a scrape for what is `wanted`.
    pub(crate) fn fill<'a>(
        &'a mut self,
        snapshot: &'a mut Snapshot,
        wanted: &Wanted,
    ) -> SnapshotWriter<'a> {
        if self.wanted != *wanted || self.batches.iter().all(|batch| batch.wanted.is_empty()) {
            self.wanted = *wanted;
            self.header = None;
            for (row_type, batch) in RowType::ALL.into_iter().zip(&mut self.batches) {
                wanted.mark_slots(self.catalog, row_type, &mut batch.wanted);
            }
            let stored = self.catalog.stored_columns(RowType::Backend);
            let backends = stored
                .iter()
                .zip(&self.batches[RowType::Backend as usize].wanted);
            let wanted = backends.filter(|(_, wanted)| **wanted);
            self.aggregates
                .set_wanted(wanted.map(|(stored, _)| stored.conversion));
        }
        self.aggregates.clear();
        self.listeners.clear();
        self.server_info.begin(wanted, self.catalog);
        for batch in &mut self.batches {
            batch.rows.clear();
            batch.starts.clear();
        }
        SnapshotWriter {
            batcher: self,
            snapshot,
        }
    }
}

impl SnapshotWriter<'_> {
    /// Ends the rows of a scrape: rows of one listener become one, and the counts over servers go into the
    /// snapshot.
    pub(crate) fn finish(self) {
        let catalog = self.batcher.catalog;
        let listeners = self.snapshot.stat_rows_mut(RowType::Listener);
        let stored = catalog.stored_columns(RowType::Listener);
        self.batcher.listeners.join(stored, listeners);
        let wanted = &self.batcher.batches[RowType::Backend as usize].wanted;
        let rows = self.snapshot.stat_rows_mut(RowType::Backend);
        self.batcher
            .aggregates
            .finish(catalog.stored_columns(RowType::Backend), wanted, rows);
    }
}

impl RowSink for SnapshotWriter<'_> {
    fn begin(&mut self, header: &Header) -> usize {
        let batcher = &mut *self.batcher;
        if batcher.header == Some(header.changes()) {
            return batcher.fields;
        }
        batcher.header = Some(header.changes());
        let place = |name| header.position(name).unwrap_or(usize::from(u16::MAX));
        batcher.proxy_name = place("pxname");
        batcher.service_name = place("svname");
        batcher.status = place("status");
        batcher.check_status = place("check_status");
        let mut fields = 0;
        for (row_type, batch) in RowType::ALL.into_iter().zip(&mut batcher.batches) {
            let stored = batcher.catalog.stored_columns(row_type);
            batch.find_columns(stored, header);
            let last = batch
                .columns
                .iter()
                .map(|column| column.position.max(column.other));
            fields = fields.max(last.max().map_or(0, |last| usize::from(last) + 1));
        }
        let named = [
            batcher.proxy_name,
            batcher.service_name,
            batcher.status,
            batcher.check_status,
        ];
        let named = named
            .into_iter()
            .filter(|place| *place < usize::from(u16::MAX));
        let fields = fields.max(named.max().map_or(0, |last| last + 1));
        let fields = fields.max(batcher.server_info.find(header));
        for batch in &mut batcher.batches {
            batch.fields = fields + 1;
        }
        batcher.fields = fields;
        fields
    }

    fn push(
        &mut self,
        row_type: RowType,
        row: &Row<'_>,
        place: Place<'_>,
        failures: &mut Failures,
    ) {
        let field = |position| row.field(position).unwrap_or_default();
        let proxy = field(self.batcher.proxy_name);
        let names = [proxy, field(self.batcher.service_name)];
        let names = match row_type {
            RowType::Frontend | RowType::Backend => &names[..1],
            RowType::Server | RowType::Listener => &names[..],
        };
        let rows = self.snapshot.stat_rows_mut(row_type);
        let (number, label_bytes) = match rows.push_labels(labels_behind_proxy(row_type), names) {
            Ok(label_bytes) => (rows.count() - 1, label_bytes),
            // HAProxy prints one for each socket.
            Err(earlier) if row_type == RowType::Listener => (earlier, 0),
            Err(_) => {
                failures.add(BadRow::second(place.line, names));
                return;
            }
        };
        match row_type {
            RowType::Server => {
                self.count(row);
                self.batcher.server_info.push(names, row, self.snapshot);
            }
            RowType::Backend => self.batcher.aggregates.backend(proxy),
            RowType::Listener => self.batcher.listeners.push(number),
            RowType::Frontend => {}
        }
        let batch = &self.batcher.batches[row_type as usize];
        if row.is_unquoted || batch.rows.len() == BATCH_ROWS {
            self.flush_type(row_type, place.text, failures);
        }
        let batch = &mut self.batcher.batches[row_type as usize];
        row.starts(batch.fields, &mut batch.starts);
        batch.rows.push(PendingRow {
            at: if row.is_unquoted { 0 } else { place.at },
            label_bytes,
            line: place.line,
        });
        if row.is_unquoted {
            self.flush_type(row_type, row.bytes(), failures);
        }
    }

    fn count(&mut self, row: &Row<'_>) {
        let field = |position| row.field(position).unwrap_or_default();
        self.batcher.aggregates.server(
            field(self.batcher.proxy_name),
            field(self.batcher.status),
            field(self.batcher.check_status),
        );
    }

    fn flush(&mut self, text: &[u8], failures: &mut Failures) {
        for row_type in RowType::ALL {
            self.flush_type(row_type, text, failures);
        }
    }

    fn name_bytes(&self) -> usize {
        let labels = RowType::ALL.map(|of| self.snapshot.stat_rows(of).labels.len());
        let batcher = &self.batcher;
        labels.iter().sum::<usize>()
            + batcher.aggregates.name_bytes()
            + batcher.server_info.label_bytes(self.snapshot)
    }
}

impl SnapshotWriter<'_> {
    /// Converts the fields of the batch of a type; they are in `text`.
    fn flush_type(&mut self, row_type: RowType, text: &[u8], failures: &mut Failures) {
        let batch = &mut self.batcher.batches[row_type as usize];
        if batch.rows.is_empty() {
            return;
        }
        let rows = self.snapshot.stat_rows_mut(row_type);
        batch.put(rows, text, &mut self.batcher.values, failures);
        batch.rows.clear();
        batch.starts.clear();
    }
}

impl Batch {
    /// Finds the wanted columns that the reply has.
    fn find_columns(&mut self, stored: &[StoredColumn], header: &Header) {
        self.columns.clear();
        let wanted = stored.iter().enumerate().zip(&self.wanted);
        for ((slot, stored), _) in wanted.filter(|(_, wanted)| **wanted) {
            if stored.conversion.is_aggregate() {
                continue;
            }
            let other = match stored.conversion {
                Conversion::HttpInteger => "hrsp_1xx",
                Conversion::CheckCode => "check_status",
                Conversion::AgentCode | Conversion::AgentMilliseconds => "agent_status",
                Conversion::Published => "reqbin",
                _ => stored.column,
            };
            if let (Some(position), Some(other)) =
                (header.position(stored.column), header.position(other))
            {
                self.columns.push(ColumnSource {
                    slot: slot as u8,
                    conversion: stored.conversion,
                    column: stored.column,
                    position: position as u16,
                    other: other as u16,
                });
            }
        }
    }

    fn put(
        &self,
        rows: &mut Rows,
        text: &[u8],
        values: &mut [u8; BATCH_ROWS * MAX_STORED_BYTES],
        failures: &mut Failures,
    ) {
        if let Some(last) = self.columns.iter().map(|column| column.slot).max() {
            rows.make_columns(usize::from(last) + 1);
        }
        for source in &self.columns {
            let column = &mut rows.columns[usize::from(source.slot)];
            match source.conversion.is_state() {
                true => self.put_states(source, column, text),
                false => self.put_texts(source, column, text, values, failures),
            }
        }
    }

    /// The range of the field at `position` of a row in the text.
    #[inline(always)]
    fn field(&self, row: usize, position: u16) -> std::ops::Range<usize> {
        let starts = &self.starts[row * self.fields..];
        let position = usize::from(position);
        let start = self.rows[row].at + starts[position] as usize;
        start..start + (starts[position + 1] - 1 - starts[position]) as usize
    }

    fn put_states(&self, source: &ColumnSource, column: &mut Column, text: &[u8]) {
        for (number, row) in self.rows.iter().enumerate() {
            let field = text
                .get(self.field(number, source.position))
                .unwrap_or_default();
            column.push_state(column::state(source.conversion, field), row.label_bytes);
        }
    }

    fn put_texts(
        &self,
        source: &ColumnSource,
        column: &mut Column,
        text: &[u8],
        values: &mut [u8; BATCH_ROWS * MAX_STORED_BYTES],
        failures: &mut Failures,
    ) {
        let is_integer = source.conversion == Conversion::Integer;
        let (mut used, mut samples, mut label_bytes, mut value_bytes) = (0, 0, 0, 0);
        for (number, row) in self.rows.iter().enumerate() {
            let range = self.field(number, source.position);
            let Some(to) = values[used..].first_chunk_mut::<MAX_STORED_BYTES>() else {
                break;
            };
            // Eight bytes are read together, including those after a shorter field.
            let plain = text.get(range.start..).and_then(<[u8]>::first_chunk);
            let length = range.len();
            let written = match plain {
                Some(bytes) if is_integer && length <= 8 && value::are_digits(*bytes, length) => {
                    to[1..9].copy_from_slice(bytes);
                    length
                }
                _ => {
                    // The range of a field that the row lacks is after the end of the text.
                    let own = text.get(range).unwrap_or_default();
                    let other = text
                        .get(self.field(number, source.other))
                        .unwrap_or_default();
                    let [_, to @ ..] = to;
                    column::write(source.conversion, Fields { own, other }, to).unwrap_or_else(
                        || {
                            let ColumnSource {
                                position, column, ..
                            } = *source;
                            failures.add(BadRow::field(row.line, position, column, own));
                            0
                        },
                    )
                }
            };
            to[0] = written as u8;
            used += 1 + written;
            samples += u32::from(written > 0);
            value_bytes += written as u64;
            label_bytes += if written > 0 {
                row.label_bytes as u64
            } else {
                0
            };
        }
        column.samples += samples;
        column.label_bytes += label_bytes;
        column.value_bytes += value_bytes;
        column.values.extend_from_slice(&values[..used]);
    }
}

#[cfg(test)]
mod tests;
