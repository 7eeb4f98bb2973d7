//! A prefix code that fits what was counted, and its description in the stream (RFC 1951, 3.2.2 and 3.2.7).

use super::bits::{Bits, Code};
use super::tokens::{Counts, DISTANCES, END, LITERALS_AND_LENGTHS};

/// Longest code of a literal or length. The format allows 15; with 13 the longest line finds room in
/// `BUFFER_BYTES`, whatever it is made of.
pub(super) const MAX_LITERAL_BITS: usize = 13;
/// Longest code of a distance.
const MAX_DISTANCE_BITS: usize = 10;
/// Longest code of a code's length.
const MAX_LENGTH_BITS: usize = 7;
/// Lengths of codes, and three that repeat them.
const CODE_LENGTHS: usize = 19;
/// Repeats the last length 3 to 6 times.
const REPEAT: usize = 16;
/// How often at most.
const MAX_REPEAT: usize = 6;
/// In which order the lengths of the lengths' codes stand.
const ORDER: [usize; CODE_LENGTHS] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// The codes of a block.
#[derive(Debug)]
pub(super) struct Codes {
    /// No others have it.
    pub(super) number: u64,
    pub(super) literals_and_lengths: [Code; LITERALS_AND_LENGTHS],
    pub(super) distances: [Code; DISTANCES],
}

impl Codes {
    /// The best codes for what was counted.
    pub(super) fn new(counts: &Counts, number: u64) -> Self {
        Self {
            number,
            literals_and_lengths: codes(&counts.literals_and_lengths, MAX_LITERAL_BITS),
            distances: codes(&counts.distances, MAX_DISTANCE_BITS),
        }
    }

    /// Puts the beginning of a block, the last one, with a description of its codes.
    pub(super) fn describe(&self, bits: &mut Bits, to: &mut [u8], used: &mut usize) {
        let all = || self.literals_and_lengths.iter().chain(&self.distances);
        let mut counts = [0; CODE_LENGTHS];
        repeated(all(), |symbol, _| counts[symbol] += 1);
        let codes = codes(&counts, MAX_LENGTH_BITS);
        let mut put = |value: usize, count: u32| put(bits, (to, used), value, count);
        // The last block, with codes of its own.
        put(0b101, 3);
        put(LITERALS_AND_LENGTHS - 257, 5);
        put(DISTANCES - 1, 5);
        let last = ORDER.iter().rposition(|symbol| codes[*symbol].length > 0);
        let described = last.map_or(4, |last| (last + 1).max(4));
        put(described - 4, 4);
        for symbol in &ORDER[..described] {
            put(usize::from(codes[*symbol].length), 3);
        }
        repeated(all(), |symbol, more| {
            let code = codes[symbol];
            put(usize::from(code.bits), u32::from(code.length));
            if symbol == REPEAT {
                put(more, 2);
            }
        });
    }
}

#[inline(never)]
fn put(bits: &mut Bits, (to, used): (&mut [u8], &mut usize), value: usize, count: u32) {
    bits.put(value as u64, count);
    bits.flush(to, used);
}

/// Calls `put` for the lengths of the codes one by one; for `REPEAT` with how many more than three.
fn repeated<'a>(codes: impl Iterator<Item = &'a Code>, mut put: impl FnMut(usize, usize)) {
    let mut codes = codes.map(|code| usize::from(code.length)).peekable();
    while let Some(length) = codes.next() {
        put(length, 0);
        let mut again = 0;
        while codes.next_if_eq(&length).is_some() {
            again += 1;
        }
        while again >= 3 {
            let now = again.min(MAX_REPEAT);
            put(REPEAT, now - 3);
            again -= now;
        }
        for _ in 0..again {
            put(length, 0);
        }
    }
}

/// The best codes of at most `most` bits for what was counted.
fn codes<const N: usize>(counts: &[u32; N], most: usize) -> [Code; N] {
    let mut codes = [Code::default(); N];
    set_lengths(counts, most, &mut codes);
    set_bits(&mut codes);
    codes
}

/// Sets the lengths of the codes; 0 for what was never counted.
fn set_lengths(counts: &[u32], most: usize, codes: &mut [Code]) {
    let mut room = ([0; LITERALS_AND_LENGTHS], [0; LITERALS_AND_LENGTHS]);
    let mut used = 0;
    // The count above, the symbol below, so that they are sorted together.
    for (symbol, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        room.0[used] = u64::from(*count) << 32 | symbol as u64;
        used += 1;
    }
    let (sorted, nodes) = (&mut room.0[..used], &mut room.1[..used]);
    sort(sorted);
    for (node, entry) in nodes.iter_mut().zip(&*sorted) {
        *node = (entry >> 32) as u32;
    }
    depths(nodes);
    let mut of_length = [0u32; 16];
    for depth in nodes {
        of_length[(*depth as usize).clamp(1, most)] += 1;
    }
    shorten(&mut of_length, most);
    // The rarest have the longest.
    let mut length = most;
    for entry in sorted {
        while of_length[length] == 0 {
            length -= 1;
        }
        of_length[length] -= 1;
        codes[(*entry & u64::from(u32::MAX)) as usize].length = length as u8;
    }
}

/// Sorts a few hundred numbers (Shell's method): the library's sorts would be a hundredth of the binary.
fn sort(numbers: &mut [u64]) {
    for gap in [132, 57, 23, 10, 4, 1] {
        for from in gap..numbers.len() {
            let mut at = from;
            while at >= gap && numbers[at - gap] > numbers[at] {
                numbers.swap(at - gap, at);
                at -= gap;
            }
        }
    }
}

/// Makes the depths of a Huffman tree's leaves of their counts, which ascend (Moffat and Katajainen,
/// In-place calculation of minimum-redundancy codes).
fn depths(nodes: &mut [u32]) {
    let count = nodes.len();
    if count < 2 {
        return nodes.fill(1);
    }
    // Counts become sums, then the numbers of parents.
    nodes[0] += nodes[1];
    let (mut root, mut leaf) = (0, 2);
    for next in 1..count - 1 {
        let mut sum = 0;
        for _ in 0..2 {
            if leaf >= count || (root < next && nodes[root] < nodes[leaf]) {
                sum += nodes[root];
                nodes[root] = next as u32;
                root += 1;
            } else {
                sum += nodes[leaf];
                leaf += 1;
            }
        }
        nodes[next] = sum;
    }
    // Depths of the inner nodes.
    nodes[count - 2] = 0;
    for next in (0..count - 2).rev() {
        nodes[next] = nodes[nodes[next] as usize] + 1;
    }
    // Depths of the leaves.
    let (mut available, mut depth) = (1, 0);
    let (mut inner, mut next) = (count - 1, count);
    while available > 0 {
        let mut taken = 0;
        while inner > 0 && nodes[inner - 1] == depth {
            taken += 1;
            inner -= 1;
        }
        while available > taken {
            next -= 1;
            nodes[next] = depth;
            available -= 1;
        }
        available = 2 * taken;
        depth += 1;
    }
}

/// Makes a prefix code of lengths that were cut to `most`: where they would need more than all codes,
/// a shorter one is made longer, for two of its new length.
fn shorten(of_length: &mut [u32; 16], most: usize) {
    let needed = |of_length: &[u32; 16]| -> u32 {
        let each = of_length.iter().enumerate().skip(1);
        each.map(|(length, count)| count << (most - length.min(most)))
            .sum()
    };
    let mut over = needed(of_length).saturating_sub(1 << most);
    while over > 0 {
        let shorter = (1..most).rev().find(|length| of_length[*length] > 0);
        let Some(shorter) = shorter else {
            return;
        };
        of_length[most] -= 1;
        of_length[shorter] -= 1;
        of_length[shorter + 1] += 2;
        over -= 1;
    }
}

/// Sets the bits of codes with these lengths, in the order that the format has for them, the first bit lowest.
fn set_bits(codes: &mut [Code]) {
    let mut next = [0u16; 16];
    for code in codes.iter().filter(|code| code.length > 0) {
        next[usize::from(code.length)] += 1;
    }
    // The number of codes of each length becomes the first code of that length.
    let mut first = 0;
    for next in &mut next {
        let count = *next;
        *next = first;
        first = (first + count) << 1;
    }
    for code in codes.iter_mut().filter(|code| code.length > 0) {
        let bits = &mut next[usize::from(code.length)];
        code.bits = bits.reverse_bits() >> (16 - code.length);
        *bits += 1;
    }
}

/// The end of a block.
pub(super) fn end(codes: &Codes) -> Code {
    codes.literals_and_lengths[END]
}

#[cfg(test)]
mod tests;
