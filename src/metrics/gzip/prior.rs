//! The cell before, walked beside the present one: in a small snapshot the labels of a row stand there,
//! near enough for a copy.

use super::facts::same_start;
use super::lines::Source;
use super::rows::label_bytes;
use super::tokens::WINDOW;
use crate::metrics::Cell;
use crate::metrics::column::Column;
use crate::metrics::cursor::{self, View};
use crate::metrics::selection::Selection;
use crate::metrics::snapshot::Snapshot;

/// A cell, and where one of its lines stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The number of its rows in the snapshot.
    rows: usize,
    family: usize,
    cell: usize,
    /// Bytes before and behind the labels of a line.
    before: u8,
    behind: u8,
    /// The label that tells its lines from those of the family's other cells.
    label: u8,
    /// The next row, and where its value begins in the column.
    row: usize,
    value_at: usize,
    /// Where its line begins.
    position: u64,
}

impl Place {
    /// The beginning of a cell.
    pub(super) fn new(
        view: &View<'_>,
        cell: usize,
        (before, behind): (usize, usize),
        position: u64,
    ) -> Self {
        Self {
            rows: view.rows_number(),
            family: view.number,
            cell,
            before: before as u8,
            behind: behind as u8,
            label: view.family.cells[cell].label,
            row: 0,
            value_at: 0,
            position,
        }
    }

    /// Whether it is this cell.
    pub(super) fn is(&self, view: &View<'_>, cell: usize) -> bool {
        (self.family, self.cell) == (view.number, cell)
    }

    /// Whether its labels are those of a family that goes on at `position`, and not too far back.
    pub(super) fn is_near(&self, view: &View<'_>, position: u64) -> bool {
        self.rows == view.rows_number() && position - self.position <= WINDOW as u64
    }
}

/// A cell whose lines stand before.
pub(super) struct Prior<'a> {
    pub(super) place: Place,
    view: View<'a>,
    column: &'a Column,
    cell: &'static Cell,
    /// Whether the same stands behind the labels as in the present cell.
    has_same_behind: bool,
}

impl<'a> Prior<'a> {
    /// The cell at `place`, beside one with this label.
    pub(super) fn new(
        snapshot: &'a Snapshot,
        selection: &Selection,
        place: Place,
        label: u8,
    ) -> Option<Self> {
        let view = View::new(snapshot, selection, place.family)??;
        let cell = view.family.cells.get(place.cell)?;
        Some(Self {
            place,
            column: view.column(place.cell)?,
            cell,
            has_same_behind: place.label == label,
            view,
        })
    }

    /// Where the labels of `row` stand, if its line with `value` begins at `position` and has `before`
    /// bytes before the labels. To be asked for one row after the other.
    pub(super) fn source(
        &mut self,
        row: usize,
        (position, before): (u64, usize),
        value: &[u8],
    ) -> Option<Source> {
        let mut found = None;
        while self.place.row <= row {
            found = None;
            let (text, length) = cursor::value(self.column, self.cell, &mut self.place.value_at);
            if length > 0 && !self.view.is_left_out(self.place.row) {
                found = Some((self.place.position, &text[..length]));
                let labels = label_bytes(self.view.rows, self.place.row);
                let around = usize::from(self.place.before) + usize::from(self.place.behind);
                self.place.position += (around + labels + length + 1) as u64;
            }
            self.place.row += 1;
        }
        let (line, text) = found?;
        let lines = usize::try_from(position.checked_sub(line)?).ok()?;
        let distance = (lines + before).checked_sub(usize::from(self.place.before))?;
        let same_behind = match self.has_same_behind {
            true => usize::from(self.place.behind) + same_start(text, value),
            false => 0,
        };
        (distance <= WINDOW).then_some(Source {
            distance,
            same_behind,
        })
    }
}
