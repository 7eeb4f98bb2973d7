//! Where a compressed text stands, and its lines as literals and copies of what stands before.

use super::headers::{Headers, Places};
use super::lines::{Above, CellText, Row};
use super::prior::{Place, Prior};
use super::tokens::Tokens;
use crate::metrics::cursor::View;
use crate::metrics::exposition::CellLine;
use crate::metrics::selection::Selection;
use crate::metrics::snapshot::Snapshot;

/// What is known of the text so far, kept between two pieces.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Its bytes.
    pub(super) position: u64,
    pub(super) above: Above,
    places: Places,
    /// The present cell, and the one before if it is near.
    cell: Option<Place>,
    prior: Option<Place>,
}

/// A text that goes on.
pub(super) struct Text<'a, T> {
    pub(super) state: &'a mut State,
    pub(super) tokens: T,
    pub(super) headers: &'a Headers,
    snapshot: &'a Snapshot,
    selection: &'a Selection,
    prior: Option<Prior<'a>>,
}

impl<'a, T: Tokens> Text<'a, T> {
    pub(super) fn new(
        state: &'a mut State,
        tokens: T,
        headers: &'a Headers,
        (snapshot, selection): (&'a Snapshot, &'a Selection),
    ) -> Self {
        Self {
            state,
            tokens,
            headers,
            snapshot,
            selection,
            prior: None,
        }
    }

    /// Puts the lines before the samples of a family.
    pub(super) fn put_header(&mut self, family: usize) {
        let state = &mut *self.state;
        state.above.finish(&mut self.tokens);
        let profile = (self.selection.catalog(), self.selection.profile());
        let place = (&mut state.places, state.position);
        self.headers.put(&mut self.tokens, profile, family, place);
        state.position += u64::from(self.headers.get(family).bytes);
    }

    /// The next lines are those of a cell, from its beginning or where they were left.
    pub(super) fn begin_cell(&mut self, view: &View<'_>, cell: usize, line: &CellLine) -> CellText {
        let text = CellText::new(view, line);
        let state = &mut *self.state;
        let before = state.cell;
        if before.is_none_or(|before| !before.is(view, cell)) {
            state.prior = before.filter(|before| before.is_near(view, state.position));
            let around = (text.before, text.behind);
            state.cell = Some(Place::new(view, cell, around, state.position));
            state.above.has_other_behind = true;
        }
        let label = view.family.cells[cell].label;
        let prior = |place| Prior::new(self.snapshot, self.selection, place, label);
        self.prior = state.prior.and_then(prior);
        text
    }

    /// Puts a line of `bytes`, but for what the next one may go on with.
    pub(super) fn put_line(
        &mut self,
        cell: &CellText,
        row: Row<'_>,
        (value, is_same_value): (&[u8], bool),
        bytes: usize,
    ) {
        let at = (self.state.position, cell.before);
        let prior = self.prior.as_mut();
        let source = prior.and_then(|prior| prior.source(row.number, at, value));
        let line = (value, is_same_value, bytes);
        self.state
            .above
            .put(&mut self.tokens, cell, row, line, source);
        self.state.position += bytes as u64;
    }

    /// Whether labels and values may be copied from the cell before.
    pub(super) fn has_prior(&self) -> bool {
        self.prior.is_some()
    }

    /// What is kept for the next piece is written back.
    pub(super) fn pause(&mut self) {
        if let Some(prior) = &self.prior {
            self.state.prior = Some(prior.place);
        }
    }
}
