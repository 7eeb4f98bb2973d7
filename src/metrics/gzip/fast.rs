//! The way of nearly all lines: those of the next row, of whose labels one is other than above, and perhaps the
//! value. It does what `lines` does, with all that changes from line to line in registers.

use super::bits::Bits;
use super::cell::Cell;
use super::crc::Shifts;
use super::encoder::Encoder;
use super::lines::{Above, FEW_LITERALS};
use super::rows::{NOT_LABELS, label_bytes};
use super::tokens::{FEW, MAX_COPY, MIN_COPY};
use crate::metrics::column::Column;
use crate::metrics::cursor::{self, RowPlace, View};

/// A longer line takes the other way: all copies are of at most `MAX_COPY` bytes then.
const SHORT_LINE: usize = 250;
/// So do lines with more bytes of labels that differ.
const MOST_LITERALS: usize = 64;
/// Room for a line: two copies, letters, a value and a whole word.
const LINE_ROOM_BYTES: usize = 256;

/// What a run of lines changes.
pub(super) struct Target<'a, 'b> {
    pub(super) encoder: &'a mut Encoder<'b>,
    pub(super) above: &'a mut Above,
    pub(super) shifts: &'a mut Shifts,
    pub(super) register: &'a mut u32,
    pub(super) position: &'a mut u64,
}

/// Puts lines from `place` on as long as they are like those above; `place` moves on. Where `has_prior`, long
/// labels and values that differ are left to others: they may stand in the cell before.
pub(super) fn put(
    target: Target<'_, '_>,
    cell: &mut Cell<'_>,
    (view, column, number): (&View<'_>, &Column, usize),
    place: &mut RowPlace,
    has_prior: bool,
) {
    let Target {
        encoder,
        above,
        shifts,
        register,
        position,
    } = target;
    let rows = view.rows;
    if !above.is_row_before(place.row) || view.group.labels.is_empty() || cell.tail_bytes == 0 {
        return;
    }
    let form = &view.family.cells[number];
    let (before, behind) = (cell.text.before, cell.text.behind);
    let most_literals = if has_prior {
        FEW_LITERALS
    } else {
        MOST_LITERALS
    };
    let (ends, labels, facts) = (&rows.label_ends[..], &rows.labels[..], cell.facts);
    let literals = &encoder.codes.literals_and_lengths;
    let mut bits: Bits = *encoder.bits;
    let mut used = encoder.used;
    let mut crc = *register;
    let (mut slot, mut shift_bytes) = (0, usize::MAX);
    let mut above_own = label_bytes(rows, place.row - 1);
    let mut label_start = ends[place.row - 1] as usize;
    let (mut above_bytes, mut pending) = (above.bytes, above.pending);
    let kept = *above;
    let mut above_value = kept.value();
    let (first, mut value_at) = (place.row, place.value_at);
    while let (Some(label_end), Some(fact)) = (ends.get(place.row), facts.get(place.row)) {
        let (value, length) = cursor::value(column, form, &mut value_at);
        let label_end = *label_end as usize;
        let own = label_end - label_start - NOT_LABELS;
        let bytes = before + own + behind + length + 1;
        let repeated = pending + before + fact.same_start();
        let behind_labels = fact.same_end() + behind;
        let other = label_start + fact.same_start()..label_start + own - fact.same_end();
        if length == 0
            || bytes > SHORT_LINE
            || repeated > MAX_COPY
            || behind_labels < MIN_COPY
            || other.len() > FEW_LITERALS && !(fact.is_one_label() && other.len() <= most_literals)
            || view.is_left_out(place.row)
            || encoder.to.len() - used < LINE_ROOM_BYTES
        {
            break;
        }
        let value = &value[..length];
        let same_digits = same_digits(value, above_value);
        let is_same_value = same_digits == length && length == above_value.len();
        if !is_same_value {
            if has_prior {
                break;
            }
            cell.set_tail(value, shifts);
            shift_bytes = usize::MAX;
        }
        let shift = own + cell.tail_bytes;
        if shift != shift_bytes {
            (slot, shift_bytes) = (shifts.slot(shift), shift);
        }
        crc = shifts.in_slot(slot).apply(crc ^ fact.crc) ^ cell.tail;
        let (copy, count) = encoder.copy_bits(repeated, above_bytes);
        bits.put(copy, count);
        let mut letters = labels[other].iter();
        if let Some(letter) = letters.next() {
            bits.put_code(literals[usize::from(*letter)]);
        }
        bits.flush(encoder.to, &mut used);
        for few in letters.as_slice().chunks(FEW) {
            for letter in few {
                bits.put_code(literals[usize::from(*letter)]);
            }
            bits.flush(encoder.to, &mut used);
        }
        pending = behind_labels + length + 1;
        if !is_same_value {
            let distance = above_bytes + own - above_own;
            let (copy, count) = encoder.copy_bits(behind_labels + same_digits, distance);
            bits.put(copy, count);
            bits.flush(encoder.to, &mut used);
            let same_end = same_last_digits(&value[same_digits..], &above_value[same_digits..]);
            for few in value[same_digits..length - same_end].chunks(FEW) {
                for digit in few {
                    bits.put_code(literals[usize::from(*digit)]);
                }
                bits.flush(encoder.to, &mut used);
            }
            pending = same_end + 1;
            above_value = value;
        }
        *position += bytes as u64;
        (above_own, above_bytes, label_start) = (own, bytes, label_end);
        place.row += 1;
        place.value_at = value_at;
    }
    if place.row > first {
        *encoder.bits = bits;
        encoder.used = used;
        *register = crc;
        above.set(place.row - 1, above_bytes, pending, above_value);
    }
}

/// How many bytes at the beginning are the same.
#[inline(always)]
fn same_digits(one: &[u8], other: &[u8]) -> usize {
    let pairs = one.iter().zip(other);
    pairs.take_while(|(a, b)| a == b).count()
}

/// How many at the end.
#[inline(always)]
fn same_last_digits(one: &[u8], other: &[u8]) -> usize {
    let pairs = one.iter().rev().zip(other.iter().rev());
    pairs.take_while(|(a, b)| a == b).count()
}
