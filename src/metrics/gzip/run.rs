//! Lines on their way into a piece: what is repeated, and the CRC.

use super::crc::{self, Shift, Shifts};
use super::encoder::Encoder;
use super::facts::RowFacts;
use super::headers::Headers;
use super::huffman::MAX_LITERAL_BITS;
use super::lines::{CellText, Row};
use super::rows::label_bytes;
use super::text::{State, Text};
use crate::metrics::cursor::{Output, View};
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

/// The present cell.
struct Cell<'a> {
    text: CellText,
    facts: &'a [RowFacts],
    /// The CRC of what stands behind the labels.
    behind: u32,
    /// That of what stands before them.
    before: u32,
    before_shift: Shift,
    /// That of what stands behind the labels of a line to the labels of the next, and its bytes.
    tail: u32,
    tail_bytes: usize,
}

impl Cell<'_> {
    fn set_tail(&mut self, value: &[u8]) {
        let register = crc::update(crc::update(self.behind, value), b"\n");
        self.tail = self.before_shift.apply(register) ^ self.before;
        self.tail_bytes = self.text.behind + value.len() + 1 + self.text.before;
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
        self.cell = Some(Cell {
            facts: self
                .snapshot
                .rows(view.rows_number())
                .map_or(&[], |rows| rows.facts.get()),
            behind: crc::update(0, text.behind()),
            before: crc::update(0, text.before()),
            before_shift: self.shifts.by(text.before).clone(),
            tail: 0,
            tail_bytes: 0,
            text,
        });
    }

    #[inline(always)]
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
            cell.set_tail(value);
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
