//! Counts the literals and copies of some rows of each cell, for codes that fit the response.

use super::headers::Headers;
use super::lines::{CellText, Row};
use super::rows::label_bytes;
use super::text::{State, Text};
use super::tokens::Counts;
use crate::metrics::column::Column;
use crate::metrics::cursor::{self, View};
use crate::metrics::exposition::CellLine;
use crate::metrics::selection::Selection;
use crate::metrics::snapshot::Snapshot;
use crate::metrics::value::MAX_VALUE_BYTES;

/// Of so few rows all are counted.
const FEW_ROWS: usize = 96;
/// Of more, so many parts with so many rows each.
const PARTS: usize = 4;
const ROWS_A_PART: usize = 16;
/// The parts of the next cell begin so many rows later: each sees other names.
const NEXT_ROWS: usize = 13;
/// A row counts for no more.
const MOST_WEIGHT: usize = 65_536;

/// What the codes of a response should fit.
pub(super) fn counts(headers: &Headers, snapshot: &Snapshot, selection: &Selection) -> Counts {
    let mut state = State::default();
    let response = (snapshot, selection);
    let mut text = Text::new(&mut state, Counts::new(), headers, response);
    let mut number = 0;
    while let Some(view) = View::new(snapshot, selection, number) {
        number += 1;
        let Some(view) = view.filter(View::has_samples) else {
            continue;
        };
        text.tokens.weight = 1;
        text.put_header(view.number);
        for cell in 0..view.family.cells.len() {
            if let Some(column) = view.column(cell) {
                count_cell(&mut text, (&view, cell, number), column);
            }
        }
    }
    let bytes = text.state.position;
    debug_assert_eq!(bytes, cursor::exposition_bytes(snapshot, selection));
    text.tokens
}

fn count_cell(
    text: &mut Text<'_, Counts>,
    (view, cell, turn): (&View<'_>, usize, usize),
    column: &Column,
) {
    let line = CellLine::new(view.group, view.family, &view.family.cells[cell]);
    let cell_text = text.begin_cell(view, cell, &line);
    let count = view.rows.count();
    let begins = text.state.position;
    if count <= FEW_ROWS {
        count_rows(text, (view, cell), (&cell_text, column), 0..count);
        return;
    }
    text.tokens.weight = (count / (PARTS * ROWS_A_PART)).clamp(1, MOST_WEIGHT) as u32;
    let (samples, label_bytes, value_bytes) = view.size(cell);
    let total = line.bytes(samples, label_bytes, value_bytes);
    for part in 0..PARTS {
        let first = (part * count / PARTS + turn * NEXT_ROWS) % (count - ROWS_A_PART);
        text.state.position = begins + total * first as u64 / count as u64;
        let rows = first..first + ROWS_A_PART;
        count_rows(text, (view, cell), (&cell_text, column), rows);
    }
    text.state.position = begins + total;
}

fn count_rows(
    text: &mut Text<'_, Counts>,
    (view, cell): (&View<'_>, usize),
    (text_of_cell, column): (&CellText, &Column),
    rows: std::ops::Range<usize>,
) {
    let facts = view.rows.facts.get();
    let cell = &view.family.cells[cell];
    let mut at = match cell.conversion.is_state() {
        true => rows.start,
        false => value_at(column, rows.start, view.rows.count()),
    };
    for number in rows {
        let (value, length) = cursor::value(column, cell, &mut at);
        if length == 0 || view.is_left_out(number) {
            continue;
        }
        let value = &value[..length];
        let Some(facts) = facts.get(number).copied() else {
            return;
        };
        let labels = label_bytes(view.rows, number);
        let bytes = text_of_cell.before + labels + text_of_cell.behind + length + 1;
        let row = Row {
            rows: view.rows,
            number,
            facts,
        };
        let is_same = text.state.above.has_value(value);
        text.put_line(text_of_cell, row, (value, is_same), bytes);
    }
}

/// Where the text of a value of a row near this one begins in its column. To count from the first would take longer
/// than all else. The texts of values have no bytes as low as their lengths.
fn value_at(column: &Column, row: usize, count: usize) -> usize {
    let values = &column.values;
    let about = values.len() * row / count.max(1);
    let is_length = |byte: &u8| usize::from(*byte) <= MAX_VALUE_BYTES;
    let rest = values.get(about..).unwrap_or_default();
    about + rest.iter().position(is_length).unwrap_or(rest.len())
}
