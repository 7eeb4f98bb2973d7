//! The labels of rows, as compressed lines have them: up to the quote behind the last value. What stands behind
//! it is different in cells with one more label.

use std::collections::TryReserveError;

use super::crc::Shifts;
use crate::metrics::snapshot::{LABELS_END, Rows};

/// What stands behind the last label's value but for its quote.
pub(super) const NOT_LABELS: usize = LABELS_END.len() - 1;

/// Bytes of a row's labels.
#[inline(always)]
pub(super) fn label_bytes(rows: &Rows, row: usize) -> usize {
    rows.labels_of(row).1.saturating_sub(NOT_LABELS)
}

/// These labels.
#[inline(always)]
pub(super) fn labels(rows: &Rows, row: usize) -> &[u8] {
    let (labels, length) = rows.labels_of(row);
    &labels[..length.saturating_sub(NOT_LABELS)]
}

/// Finds what is needed of each row, unless it was found.
///
/// # Errors
/// When there is no memory for it.
pub(super) fn find_facts(rows: &Rows, shifts: &mut Shifts) -> Result<(), TryReserveError> {
    let all = (0..rows.count()).map(|row| labels(rows, row));
    rows.facts.find(all, shifts)
}
