//! Lines as literals and copies, without a search: a line repeats the one above up to the label that
//! differs, and behind it mostly to its end and on to the same label of the next line.

use super::facts::{QUOTE, RowFacts, same};
use super::rows::labels;
use super::tokens::{MIN_COPY, Tokens, WINDOW};
use crate::metrics::cursor::View;
use crate::metrics::exposition::CellLine;
use crate::metrics::snapshot::Rows;
use crate::metrics::value::MAX_VALUE_BYTES;

/// So many bytes of labels that differ are put as literals, and no other way is looked for: they cost no more
/// than a copy.
pub(super) const FEW_LITERALS: usize = 3;
/// A line with more is put as literals, so that all distances to the line above are in the window.
const LONG_LINE: usize = WINDOW / 2;
/// Bytes of what is pending for one byte in the stream: a copy of 255 takes at most 41 bits.
const PENDING_A_BYTE: usize = 32;

/// What the lines of a cell have in common.
#[derive(Clone)]
pub(super) struct CellText {
    line: CellLine,
    /// Bytes before the labels.
    pub(super) before: usize,
    /// Bytes of them that are the metric's name.
    name: usize,
    /// How far back the name stands in the TYPE line from the first line behind it.
    name_distance: usize,
    /// Bytes behind the labels, before the value.
    pub(super) behind: usize,
}

impl CellText {
    pub(super) fn new(view: &View<'_>, line: &CellLine) -> Self {
        let name = view.group.prefix.len() + view.family.name.len();
        let is_labelled = !view.group.labels.is_empty();
        Self {
            line: line.clone(),
            before: line.before().len(),
            name,
            name_distance: name + 1 + view.family.kind.word().len() + 1,
            behind: if is_labelled { line.behind().len() } else { 0 },
        }
    }

    /// What stands before the labels.
    pub(super) fn before(&self) -> &[u8] {
        self.line.before()
    }

    /// What stands behind the labels, before the value.
    pub(super) fn behind(&self) -> &[u8] {
        &self.line.behind()[..self.behind]
    }
}

/// The line above.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Above {
    /// All of it; 0 where no line of the family stands above.
    pub(super) bytes: usize,
    row: usize,
    value: [u8; MAX_VALUE_BYTES],
    value_bytes: usize,
    /// Bytes at its end that are those of the line above it, and are not put yet: a copy goes on from there
    /// into the next line.
    pub(super) pending: usize,
    /// Whether something else stands behind its labels.
    pub(super) has_other_behind: bool,
}

/// Where the labels of the row stand in the cell before.
#[derive(Clone, Copy)]
pub(super) struct Source {
    /// So many bytes back.
    pub(super) distance: usize,
    /// So many bytes behind the labels are the same as well.
    pub(super) same_behind: usize,
}

/// The row of a line, with its facts.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) rows: &'a Rows,
    pub(super) number: usize,
    pub(super) facts: RowFacts,
}

impl Above {
    /// Puts what is pending: something else than a line of the family follows.
    pub(super) fn finish(&mut self, tokens: &mut dyn Tokens) {
        self.put_pending(tokens);
        *self = Self::default();
    }

    fn put_pending(&mut self, tokens: &mut dyn Tokens) {
        if self.pending >= MIN_COPY {
            tokens.long_copy(self.pending, self.bytes);
        } else if self.pending > 0 {
            // The line end, and perhaps a digit before it.
            let value = self.value();
            tokens.literals(&value[value.len() + 1 - self.pending..]);
            tokens.literals(b"\n");
        }
        self.pending = 0;
    }

    /// Puts a line of `bytes`, but for what is pending then.
    pub(super) fn put(
        &mut self,
        tokens: &mut dyn Tokens,
        cell: &CellText,
        row: Row<'_>,
        (value, is_same_value, bytes): (&[u8], bool, usize),
        source: Option<Source>,
    ) {
        let labels = labels(row.rows, row.number);
        if self.bytes == 0 || self.bytes.max(bytes) > LONG_LINE {
            self.put_first(tokens, cell, (labels, value), source);
        } else {
            let (start, end) = if row.number == self.row + 1 {
                (row.facts.same_start(), row.facts.same_end())
            } else {
                same(labels, self::labels(row.rows, self.row))
            };
            tokens.long_copy(self.pending + cell.before + start, self.bytes);
            if is_same_value && !self.has_other_behind {
                self.put_labels(tokens, row, (start, end), source);
                self.pending = end + cell.behind + value.len() + 1;
            } else {
                self.put_rest(tokens, cell.behind(), row, (start, end), value, source);
            }
        }
        if !is_same_value {
            self.value[..value.len()].copy_from_slice(value);
            self.value_bytes = value.len();
        }
        self.bytes = bytes;
        self.row = row.number;
        self.has_other_behind = false;
    }

    /// Whether its value is this one.
    #[inline(always)]
    pub(super) fn has_value(&self, value: &[u8]) -> bool {
        match (value, self.value()) {
            ([digit], [above]) => digit == above,
            (value, above) => value == above,
        }
    }

    /// What is pending takes no more bytes.
    #[inline(always)]
    pub(super) fn most_pending_bytes(&self) -> usize {
        self.pending / PENDING_A_BYTE
    }

    /// Whether the line is that of the row before, in the same cell.
    pub(super) fn is_row_before(&self, row: usize) -> bool {
        self.bytes > 0 && !self.has_other_behind && self.row + 1 == row
    }

    /// The line of a row that is above from now on.
    pub(super) fn set(&mut self, row: usize, bytes: usize, pending: usize, value: &[u8]) {
        (self.row, self.bytes, self.pending) = (row, bytes, pending);
        self.value[..value.len()].copy_from_slice(value);
        self.value_bytes = value.len();
    }

    /// Its value.
    pub(super) fn value(&self) -> &[u8] {
        &self.value[..self.value_bytes]
    }

    /// A line that does not repeat the one above.
    fn put_first(
        &mut self,
        tokens: &mut dyn Tokens,
        cell: &CellText,
        (labels, value): (&[u8], &[u8]),
        source: Option<Source>,
    ) {
        self.put_pending(tokens);
        let (name, rest) = cell.before().split_at(cell.name);
        if self.bytes == 0 {
            tokens.long_copy(name.len(), cell.name_distance);
        } else {
            tokens.literals(name);
        }
        let known = rest.len() + labels.len();
        let source = source.filter(|source| known + source.same_behind >= MIN_COPY);
        let same_behind = source.map_or(0, |source| source.same_behind);
        if let Some(source) = source {
            tokens.long_copy(known + same_behind, source.distance);
        } else {
            tokens.literals(rest);
            tokens.literals(labels);
        }
        tokens.literals(cell.behind().get(same_behind..).unwrap_or_default());
        tokens.literals(&value[same_behind.saturating_sub(cell.behind)..]);
        tokens.literals(b"\n");
    }

    /// The labels between the first `start` bytes and the last `end`.
    fn put_labels(
        &self,
        tokens: &mut dyn Tokens,
        row: Row<'_>,
        (start, end): (usize, usize),
        source: Option<Source>,
    ) {
        let own = labels(row.rows, row.number);
        let other = &own[start..own.len() - end];
        if other.len() <= FEW_LITERALS {
            return tokens.literals(other);
        }
        // From the same row of the cell before, or what follows the first label that differs from the line
        // above.
        if let Some(source) = source {
            return tokens.long_copy(other.len(), source.distance);
        }
        let all_above = labels(row.rows, self.row);
        let above = &all_above[start..all_above.len() - end];
        let quote = |text: &[u8]| memchr::memchr(QUOTE, text).unwrap_or(text.len());
        let (quote, quote_above) = (quote(other), quote(above));
        let (repeated, _) = same(&other[quote..], &above[quote_above..]);
        if repeated <= FEW_LITERALS {
            return tokens.literals(other);
        }
        tokens.literals(&other[..quote]);
        tokens.long_copy(repeated, self.bytes + quote - quote_above);
        tokens.literals(&other[quote + repeated..]);
    }

    /// Labels, what stands behind them, and a value that is not the one above.
    fn put_rest(
        &mut self,
        tokens: &mut dyn Tokens,
        behind: &[u8],
        row: Row<'_>,
        (start, end): (usize, usize),
        value: &[u8],
        source: Option<Source>,
    ) {
        let own = labels(row.rows, row.number);
        let (mut same_digits, mut same_end) = same(value, self.value());
        let from_source = source.map_or(0, |source| source.same_behind);
        if let Some(source) = source
            && from_source > behind.len() + same_digits
        {
            tokens.long_copy(own.len() - start + from_source, source.distance);
            same_digits = from_source - behind.len();
            same_end = same_end.min(value.len() - same_digits);
        } else {
            self.put_labels(tokens, row, (start, end), source);
            let above = labels(row.rows, self.row);
            if self.has_other_behind {
                same_digits = 0;
                same_end = 0;
                tokens.literals(&own[own.len() - end..]);
                tokens.literals(behind);
            } else if end + behind.len() + same_digits >= MIN_COPY {
                let repeated = end + behind.len() + same_digits;
                tokens.long_copy(repeated, self.bytes + own.len() - above.len());
            } else {
                tokens.literals(&own[own.len() - end..]);
                tokens.literals(behind);
                tokens.literals(&value[..same_digits]);
            }
        }
        tokens.literals(&value[same_digits..value.len() - same_end]);
        self.pending = same_end + 1;
    }
}
