//! The cell whose lines are put, and what their CRCs have in common.

use super::crc::{self, Shifts};
use super::facts::RowFacts;
use super::lines::CellText;

/// The present cell.
pub(super) struct Cell<'a> {
    pub(super) text: CellText,
    pub(super) facts: &'a [RowFacts],
    /// The CRC of what stands behind the labels.
    behind: u32,
    /// That of what stands before them.
    before: u32,
    /// That of what stands behind the labels of a line to the labels of the next, and its bytes.
    pub(super) tail: u32,
    pub(super) tail_bytes: usize,
}

impl<'a> Cell<'a> {
    /// A cell of rows with these facts; `before` is the CRC of what stands before the labels.
    pub(super) fn new(text: CellText, facts: &'a [RowFacts], before: u32) -> Self {
        Self {
            facts,
            behind: crc::update(0, text.behind()),
            before,
            tail: 0,
            tail_bytes: 0,
            text,
        }
    }

    /// The value of the next line.
    #[inline(always)]
    pub(super) fn set_tail(&mut self, value: &[u8], shifts: &mut Shifts) {
        let register = crc::update(crc::update(self.behind, value), b"\n");
        self.tail = shifts.by(self.text.before).apply(register) ^ self.before;
        self.tail_bytes = self.text.behind + value.len() + 1 + self.text.before;
    }
}
