//! Finds the commas of a line without a branch for each byte or comma.

/// Number of bytes that are searched together.
pub(super) const BLOCK_BYTES: usize = 64;
/// Number of positions that are written together.
pub(super) const COMMAS_A_TURN: usize = 8;

/// Writes the positions after the first `wanted` commas of `line` into `to`. Returns their number,
/// and where the search stopped.
///
/// Fields have one or two bytes, so one search per field would cost more than the scan itself. The
/// position of the next comma cannot be predicted, so positions are written without a branch for
/// each.
pub(super) fn locate_fields(line: &[u8], wanted: usize, to: &mut [u32]) -> (usize, usize) {
    let (blocks, rest) = line.as_chunks::<BLOCK_BYTES>();
    let mut found = 0;
    let mut base = 0;
    for block in blocks {
        found = write_positions(comma_bits(block), base, found, to);
        base += BLOCK_BYTES as u32;
        if found >= wanted {
            return (wanted, last_of(wanted, to));
        }
    }
    let mut last = [0; BLOCK_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    found = write_positions(comma_bits(&last), base, found, to);
    if found >= wanted {
        return (wanted, last_of(wanted, to));
    }
    (found, line.len())
}

/// Where the search continues after the last of `wanted` commas.
fn last_of(wanted: usize, to: &[u32]) -> usize {
    wanted.checked_sub(1).map_or(0, |last| to[last] as usize)
}

/// A bit for each byte: whether it is a comma. This and the steps below are unrolled by hand,
/// because the crate is compiled for size and the compiler would keep loops.
#[inline(always)]
fn comma_bits(block: &[u8; BLOCK_BYTES]) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    let bits = |position: usize| comma_bits_of_word(words[position]) << (8 * position);
    bits(0) | bits(1) | bits(2) | bits(3) | bits(4) | bits(5) | bits(6) | bits(7)
}

#[inline(always)]
fn comma_bits_of_word(bytes: [u8; 8]) -> u64 {
    const COMMAS: u64 = 0x2c2c_2c2c_2c2c_2c2c;
    const SEVEN_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    /// A multiplication with this moves the highest bit of each byte into the highest byte, in the
    /// order of the bytes.
    const GATHER: u64 = 0x0002_0408_1020_4081;
    let word = u64::from_le_bytes(bytes) ^ COMMAS;
    // The highest bit of every byte that was a comma and is now 0.
    let zeros = !(((word & SEVEN_BITS) + SEVEN_BITS) | word | SEVEN_BITS);
    zeros.wrapping_mul(GATHER) >> 56
}

/// Writes the positions after the set bits, following the `found` ones; returns the new number of
/// positions.
#[inline(always)]
fn write_positions(mut bits: u64, base: u32, found: usize, to: &mut [u32]) -> usize {
    let count = bits.count_ones() as usize;
    let base = base + 1;
    let mut at = found;
    while bits != 0 {
        let Some([a, b, c, d, e, f, g, h]) = to[at..].first_chunk_mut::<COMMAS_A_TURN>() else {
            break;
        };
        *a = base + take_lowest(&mut bits);
        *b = base + take_lowest(&mut bits);
        *c = base + take_lowest(&mut bits);
        *d = base + take_lowest(&mut bits);
        *e = base + take_lowest(&mut bits);
        *f = base + take_lowest(&mut bits);
        *g = base + take_lowest(&mut bits);
        *h = base + take_lowest(&mut bits);
        at += COMMAS_A_TURN;
    }
    found + count
}

/// The position of the lowest set bit, which is cleared; any number if there is none.
#[inline(always)]
fn take_lowest(bits: &mut u64) -> u32 {
    let position = (*bits | 1 << 63).trailing_zeros();
    *bits &= bits.wrapping_sub(1);
    position
}
