//! The position of a response: writes a snapshot piece by piece, family by family, for a selection.

use super::catalog::Catalog;
use super::column::Column;
use super::exposition::{self, CellLine};
use super::selection::Selection;
use super::snapshot::{Rows, Snapshot};
use super::{Cell, Conversion, Family, Group};
use crate::haproxy::stat::RowType;
use crate::haproxy::states::{MAINT, NOTHING};

/// The next line of a response: family, cell and row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    family: usize,
    cell: usize,
    place: RowPlace,
    /// Whether the family's header has been written.
    has_header: bool,
}

/// A row of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RowPlace {
    pub(super) row: usize,
    /// Position of its value in the column.
    pub(super) value_at: usize,
}

impl RowPlace {
    /// Goes to the next row of which a sparse cell has a sample, or behind the last: few have one.
    #[inline(always)]
    fn skip(&mut self, column: &Column, cell: &Cell) {
        if cell.conversion.is_sparse() {
            let rest = column.values.get(self.value_at..).unwrap_or_default();
            let rows = memchr::memchr(cell.state, rest).unwrap_or(rest.len());
            self.row += rows;
            self.value_at += rows;
        }
    }
}

/// Receives lines: a response buffer, plain or compressed. If a whole line does not fit, the output
/// stays unchanged and returns false.
pub(super) trait Output {
    /// The lines before the samples of a family.
    fn put_header(&mut self, view: &View<'_>) -> bool;

    /// The following lines belong to this cell.
    fn begin_cell(&mut self, _view: &View<'_>, _cell: usize, _line: &CellLine) {}

    /// The lines of a cell from `place` on, which moves on; returns whether all found room.
    fn put_rows(
        &mut self,
        cell: (&View<'_>, &Column, usize),
        line: &CellLine,
        place: &mut RowPlace,
    ) -> bool {
        let (view, column, cell) = cell;
        let cell = &view.family.cells[cell];
        // Two loops, each without a look at the conversion.
        match cell.conversion.is_state() {
            true => self.put_values(view, line, place, |at| {
                at.skip(column, cell);
                state(column, cell, &mut at.value_at)
            }),
            false => self.put_values(view, line, place, |at| text(column, &mut at.value_at)),
        }
    }

    /// The lines of values, which `value` reads and goes behind; it can go over rows without one before.
    #[inline(always)]
    fn put_values<'a>(
        &mut self,
        view: &View<'_>,
        line: &CellLine,
        place: &mut RowPlace,
        value: impl Fn(&mut RowPlace) -> (&'a [u8], usize),
    ) -> bool {
        let mut next = *place;
        let count = view.rows.count();
        while next.row < count {
            let before = next;
            let value = value(&mut next);
            let row = next.row;
            if value.1 > 0 && !view.is_left_out(row) && !self.put_line(line, view.rows, row, value)
            {
                *place = before;
                return false;
            }
            next.row += 1;
        }
        true
    }

    /// The line of a row. The value can have more bytes after its length.
    fn put_line(&mut self, line: &CellLine, rows: &Rows, row: usize, value: (&[u8], usize))
    -> bool;
}

/// A family of a selection, with its rows and columns.
pub(super) struct View<'a> {
    pub(super) number: usize,
    pub(super) group: &'static Group,
    pub(super) family: &'static Family,
    pub(super) rows: &'a Rows,
    /// The states of the rows, if rows in maintenance are excluded.
    states: Option<&'a [u8]>,
    profile: usize,
    catalog: &'a Catalog,
}

impl<'a> View<'a> {
    /// The family of this number, unless it is not wanted or has no rows; `None` after the last
    /// one.
    pub(super) fn new(
        snapshot: &'a Snapshot,
        selection: &Selection,
        number: usize,
    ) -> Option<Option<Self>> {
        let (catalog, profile) = (selection.catalog(), selection.profile());
        let (group, family) = catalog.family(profile, number)?;
        if !selection.has(number) {
            return Some(None);
        }
        let Some(rows) = snapshot.rows(catalog.rows_of_family(profile, number)) else {
            return Some(None);
        };
        let states = match selection.leaves_out_maint(group.rows) {
            true => states(catalog, rows),
            false => None,
        };
        Some(Some(Self {
            number,
            group,
            family,
            rows,
            states,
            profile,
            catalog,
        }))
    }

    /// The column of a cell, if it has a sample.
    pub(super) fn column(&self, cell: usize) -> Option<&'a Column> {
        let slot = self.catalog.slot_of_cell(self.profile, self.number, cell)?;
        let column = self.rows.columns.get(slot)?;
        (column.samples > 0).then_some(column)
    }

    pub(super) fn is_left_out(&self, row: usize) -> bool {
        let state = self.states.and_then(|states| states.get(row));
        state == Some(&MAINT)
    }

    /// Number of samples of the cell, and the bytes of their labels and values.
    pub(super) fn size(&self, cell: usize) -> (u64, u64, u64) {
        self.size_of(cell, u64::MAX)
    }

    /// The same of the first samples; where all are known, of all.
    fn size_of(&self, cell: usize, most: u64) -> (u64, u64, u64) {
        let Some(column) = self.column(cell) else {
            return (0, 0, 0);
        };
        let cell = &self.family.cells[cell];
        if self.states.is_none() && !cell.conversion.is_sparse() {
            let samples = u64::from(column.samples);
            return (samples, column.label_bytes, column.value_bytes);
        }
        let (mut samples, mut label_bytes, mut value_bytes) = (0, 0, 0);
        let mut at = RowPlace::default();
        loop {
            at.skip(column, cell);
            if at.row >= self.rows.count() || samples >= most {
                return (samples, label_bytes, value_bytes);
            }
            let (_, length) = value(column, cell, &mut at.value_at);
            if length > 0 && !self.is_left_out(at.row) {
                samples += 1;
                label_bytes += self.rows.labels_of(at.row).1 as u64;
                value_bytes += length as u64;
            }
            at.row += 1;
        }
    }

    /// The number of its rows in the snapshot: families with the same number have the same rows.
    pub(super) fn rows_number(&self) -> usize {
        self.catalog.rows_of_family(self.profile, self.number)
    }

    pub(super) fn has_samples(&self) -> bool {
        (0..self.family.cells.len()).any(|cell| self.size_of(cell, 1).0 > 0)
    }
}

/// The states of the servers in `rows`.
fn states<'a>(catalog: &Catalog, rows: &'a Rows) -> Option<&'a [u8]> {
    let slot = catalog.slot(RowType::Server, "status", Conversion::ServerState)?;
    rows.columns
        .get(slot)
        .map(|column| column.values.as_slice())
}

/// The value at `at` of a column, with more bytes after it, and its length. Advances `at`.
#[inline(always)]
pub(super) fn value<'a>(column: &'a Column, cell: &Cell, at: &mut usize) -> (&'a [u8], usize) {
    match cell.conversion.is_state() {
        true => state(column, cell, at),
        false => text(column, at),
    }
}

/// The same of a column of states.
#[inline(always)]
fn state(column: &Column, cell: &Cell, at: &mut usize) -> (&'static [u8], usize) {
    let found = column.values.get(*at);
    *at += 1;
    match found {
        None | Some(&NOTHING) => (b"", 0),
        Some(state) if *state == cell.state => (b"1", 1),
        Some(_) if cell.conversion.is_sparse() => (b"", 0),
        Some(_) => (b"0", 1),
    }
}

/// The same of a column of texts.
#[inline(always)]
fn text<'a>(column: &'a Column, at: &mut usize) -> (&'a [u8], usize) {
    let rest = column.values.get(*at..).unwrap_or_default();
    let Some((length, after)) = rest.split_first() else {
        return (b"", 0);
    };
    let length = usize::from(*length);
    *at += 1 + length;
    (after, length)
}

/// Size of the whole exposition in bytes: the total of all calls of `Cursor::fill`.
pub(crate) fn exposition_bytes(snapshot: &Snapshot, selection: &Selection) -> u64 {
    let mut total = 0;
    let mut number = 0;
    while let Some(view) = View::new(snapshot, selection, number) {
        number += 1;
        let Some(view) = view else {
            continue;
        };
        let mut lines = 0;
        for (cell_number, cell) in view.family.cells.iter().enumerate() {
            let (samples, label_bytes, value_bytes) = view.size(cell_number);
            if samples > 0 {
                let line = CellLine::new(view.group, view.family, cell);
                lines += line.bytes(samples, label_bytes, value_bytes);
            }
        }
        if lines > 0 {
            total += lines + exposition::header_bytes(view.group, view.family) as u64;
        }
    }
    total
}

impl Cursor {
    /// Writes the next lines into `to`, as many as fit, and returns their size in bytes; 0 is the
    /// end. `to` must have `BUFFER_BYTES`, so that every line fits.
    pub(crate) fn fill(
        &mut self,
        snapshot: &Snapshot,
        selection: &Selection,
        to: &mut [u8],
    ) -> usize {
        let mut text = Text { to, used: 0 };
        self.put(snapshot, selection, &mut text);
        text.used
    }

    /// Writes the next lines, as many as fit; returns whether these were the last.
    pub(super) fn put(
        &mut self,
        snapshot: &Snapshot,
        selection: &Selection,
        output: &mut impl Output,
    ) -> bool {
        while let Some(view) = View::new(snapshot, selection, self.family) {
            if let Some(view) = view
                && !self.put_family(&view, output)
            {
                return false;
            }
            *self = Self {
                family: self.family + 1,
                ..Self::default()
            };
        }
        true
    }

    /// Writes the rest of a family; returns whether all of it fit.
    fn put_family(&mut self, view: &View<'_>, output: &mut impl Output) -> bool {
        if !self.has_header {
            if !view.has_samples() {
                return true;
            }
            if !output.put_header(view) {
                return false;
            }
            self.has_header = true;
        }
        while let Some(cell) = view.family.cells.get(self.cell) {
            if let Some(column) = view.column(self.cell) {
                let line = CellLine::new(view.group, view.family, cell);
                output.begin_cell(view, self.cell, &line);
                let cell = (view, column, self.cell);
                if !output.put_rows(cell, &line, &mut self.place) {
                    return false;
                }
            }
            (self.cell, self.place) = (self.cell + 1, RowPlace::default());
        }
        true
    }
}

/// Puts the line of a row, if it has one, and moves on; returns whether it found room, `None` behind the last.
#[inline(always)]
pub(super) fn put_row(
    output: &mut (impl Output + ?Sized),
    (view, column, cell): (&View<'_>, &Column, usize),
    line: &CellLine,
    place: &mut RowPlace,
) -> Option<bool> {
    place.skip(column, &view.family.cells[cell]);
    let RowPlace { row, mut value_at } = *place;
    if row >= view.rows.count() {
        return None;
    }
    let value = value(column, &view.family.cells[cell], &mut value_at);
    if value.1 > 0 && !view.is_left_out(row) && !output.put_line(line, view.rows, row, value) {
        return Some(false);
    }
    *place = RowPlace {
        row: row + 1,
        value_at,
    };
    Some(true)
}

/// A response buffer, and the number of bytes used.
struct Text<'a> {
    to: &'a mut [u8],
    used: usize,
}

impl Output for Text<'_> {
    fn put_header(&mut self, view: &View<'_>) -> bool {
        exposition::put_header(self.to, &mut self.used, view.group, view.family)
    }

    #[inline(always)]
    fn put_line(
        &mut self,
        line: &CellLine,
        rows: &Rows,
        row: usize,
        value: (&[u8], usize),
    ) -> bool {
        line.put(self.to, &mut self.used, rows.labels_of(row), value)
    }
}
