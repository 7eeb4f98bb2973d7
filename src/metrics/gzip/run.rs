//! Lines on their way into a piece: what is repeated, and the CRC.

use super::cell::Cell;
use super::crc::{self, Shifts};
use super::encoder::Encoder;
use super::fast::{self, Target};
use super::headers::Headers;
use super::huffman::MAX_LITERAL_BITS;
use super::lines::Row;
use super::rows::label_bytes;
use super::text::{State, Text};
use crate::metrics::column::Column;
use crate::metrics::cursor::{self, Output, RowPlace, View};
use crate::metrics::exposition::CellLine;
use crate::metrics::selection::Selection;
use crate::metrics::snapshot::{Rows, Snapshot};

/// Room for copies that are too short for their codes, and for whole words.
const SPARE_BYTES: usize = 64;

/// The CRC so far.
#[derive(Debug)]
pub(super) struct Crc {
    /// Its register, in a family behind what stands before the labels of a line.
    register: u32,
    /// This family.
    family: Option<usize>,
}

impl Default for Crc {
    fn default() -> Self {
        Self {
            register: crc::INVERTED,
            family: None,
        }
    }
}

impl Crc {
    /// That of the text as it is.
    pub(super) fn of_text(&self, headers: &Headers) -> u32 {
        self.behind_line(headers) ^ crc::INVERTED
    }

    /// The register behind the last line.
    fn behind_line(&self, headers: &Headers) -> u32 {
        let family = self.family.map(|family| headers.get(family));
        family.map_or(self.register, |family| family.leave(self.register))
    }

    fn enter(&mut self, headers: &Headers, family: usize) {
        self.register = headers.get(family).enter(self.behind_line(headers));
        self.family = Some(family);
    }
}

/// A piece that is being filled.
pub(super) struct Run<'a> {
    text: Text<'a, Encoder<'a>>,
    crc: &'a mut Crc,
    shifts: &'a mut Shifts,
    cell: Option<Cell<'a>>,
    snapshot: &'a Snapshot,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        (state, crc): (&'a mut State, &'a mut Crc),
        encoder: Encoder<'a>,
        (headers, shifts): (&'a Headers, &'a mut Shifts),
        (snapshot, selection): (&'a Snapshot, &'a Selection),
    ) -> Self {
        Self {
            text: Text::new(state, encoder, headers, (snapshot, selection)),
            crc,
            shifts,
            cell: None,
            snapshot,
        }
    }

    /// Ends the piece, of which so much is used.
    pub(super) fn finish(mut self) -> usize {
        self.text.pause();
        self.text.tokens.used
    }
}

impl Output for Run<'_> {
    fn put_header(&mut self, view: &View<'_>) -> bool {
        let headers = self.text.headers;
        let bytes = usize::from(headers.get(view.number).bytes);
        if !has_room(&self.text, bytes) {
            return false;
        }
        self.crc.enter(headers, view.number);
        self.text.put_header(view.number);
        true
    }

    fn begin_cell(&mut self, view: &View<'_>, cell: usize, line: &CellLine) {
        let text = self.text.begin_cell(view, cell, line);
        let rows = self.snapshot.rows(view.rows_number());
        let facts = rows.map_or(&[][..], |rows| rows.facts.get());
        let before = self.text.headers.get(view.number).before;
        self.cell = Some(Cell::new(text, facts, before));
    }

    fn put_rows(
        &mut self,
        (view, column, cell): (&View<'_>, &Column, usize),
        line: &CellLine,
        place: &mut RowPlace,
    ) -> bool {
        loop {
            if let Some(state) = &mut self.cell {
                let is_small = self.text.has_prior();
                let target = Target {
                    encoder: &mut self.text.tokens,
                    above: &mut self.text.state.above,
                    shifts: self.shifts,
                    register: &mut self.crc.register,
                    position: &mut self.text.state.position,
                };
                fast::put(target, state, (view, column, cell), place, is_small);
            }
            match cursor::put_row(self, (view, column, cell), line, place) {
                Some(true) => {}
                Some(false) => return false,
                None => return true,
            }
        }
    }

    #[inline(never)]
    fn put_line(
        &mut self,
        _line: &CellLine,
        rows: &Rows,
        number: usize,
        (value, value_bytes): (&[u8], usize),
    ) -> bool {
        let Some(cell) = &mut self.cell else {
            return false;
        };
        let labels = label_bytes(rows, number);
        let bytes = cell.text.before + labels + cell.text.behind + value_bytes + 1;
        let Some(facts) = cell.facts.get(number).copied() else {
            return false;
        };
        if !has_room(&self.text, bytes) {
            return false;
        }
        let value = &value[..value_bytes];
        let is_same_value = self.text.state.above.has_value(value);
        if !is_same_value || cell.tail_bytes == 0 {
            cell.set_tail(value, self.shifts);
        }
        let shift = self.shifts.by(labels + cell.tail_bytes);
        self.crc.register = shift.apply(self.crc.register ^ facts.crc) ^ cell.tail;
        let row = Row {
            rows,
            number,
            facts,
        };
        let value = (value, is_same_value);
        self.text.put_line(&cell.text, row, value, bytes);
        true
    }
}

/// Whether so many bytes of text find room, whatever they are made of.
#[inline(always)]
fn has_room(text: &Text<'_, Encoder<'_>>, bytes: usize) -> bool {
    let most = bytes * MAX_LITERAL_BITS / 8 + text.state.above.most_pending_bytes();
    text.tokens.room() >= most + SPARE_BYTES
}
