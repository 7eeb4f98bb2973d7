//! What a deflate block is made of: literal bytes and copies of what stands before (RFC 1951, 3.2.5).

/// Shortest copy.
pub(super) const MIN_COPY: usize = 3;
/// Longest copy.
pub(super) const MAX_COPY: usize = 258;
/// Literals that are put at once.
pub(super) const FEW: usize = 4;
/// A copy reaches no further back.
pub(super) const WINDOW: usize = 32 * 1024;
/// Literals, the end of the block and the lengths of copies.
pub(super) const LITERALS_AND_LENGTHS: usize = 286;
/// How far copies reach back.
pub(super) const DISTANCES: usize = 30;
/// The code that ends a block.
pub(super) const END: usize = 256;

/// A code and the bits behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Symbol {
    pub(super) code: usize,
    pub(super) extra: u64,
    pub(super) extra_bits: u32,
}

/// The length of a copy, from `MIN_COPY` to `MAX_COPY`.
#[inline]
pub(super) fn length(length: usize) -> Symbol {
    match length - MIN_COPY {
        over @ 0..8 => Symbol {
            code: END + 1 + over,
            extra: 0,
            extra_bits: 0,
        },
        255 => Symbol {
            code: LITERALS_AND_LENGTHS - 1,
            extra: 0,
            extra_bits: 0,
        },
        over => {
            // Four codes for each power of two.
            let extra_bits = over.ilog2() - 2;
            let quarter = over >> extra_bits & 3;
            Symbol {
                code: END + 5 + 4 * extra_bits as usize + quarter,
                extra: (over & ((1 << extra_bits) - 1)) as u64,
                extra_bits,
            }
        }
    }
}

/// The distance of a copy, from 1 to `WINDOW`.
#[inline]
pub(super) fn distance(distance: usize) -> Symbol {
    let over = distance - 1;
    if over < 4 {
        return Symbol {
            code: over,
            extra: 0,
            extra_bits: 0,
        };
    }
    // Two codes for each power of two.
    let extra_bits = over.ilog2() - 1;
    Symbol {
        code: 2 * extra_bits as usize + (over >> extra_bits),
        extra: (over & ((1 << extra_bits) - 1)) as u64,
        extra_bits,
    }
}

/// Who takes literals and copies: counts or codes.
pub(super) trait Tokens {
    /// The bytes as they are.
    fn literals(&mut self, text: &[u8]);

    /// At most `FEW` bytes as they are.
    #[inline(always)]
    fn few_literals(&mut self, text: &[u8]) {
        self.literals(text);
    }

    /// A copy of `MIN_COPY` to `MAX_COPY` bytes from at most `WINDOW` back.
    fn copy(&mut self, length: usize, distance: usize);

    /// A copy of `MIN_COPY` bytes or more.
    #[inline]
    fn long_copy(&mut self, mut length: usize, distance: usize) {
        while length > MAX_COPY {
            // What is left must not be too short.
            let part = MAX_COPY.min(length - MIN_COPY);
            self.copy(part, distance);
            length -= part;
        }
        self.copy(length, distance);
    }
}

/// A code is used no more often, as far as we count: the sum of all stays below 2^32.
const MAX_COUNT: u32 = u32::MAX / (LITERALS_AND_LENGTHS as u32 + 1);

/// How often each code is used.
pub(super) struct Counts {
    pub(super) literals_and_lengths: [u32; LITERALS_AND_LENGTHS],
    pub(super) distances: [u32; DISTANCES],
    /// How much each token counts.
    pub(super) weight: u32,
}

impl Counts {
    /// Each code once: all can be used, whatever was counted.
    pub(super) fn new() -> Self {
        Self {
            literals_and_lengths: [1; LITERALS_AND_LENGTHS],
            distances: [1; DISTANCES],
            weight: 1,
        }
    }
}

impl Tokens for Counts {
    fn literals(&mut self, text: &[u8]) {
        for byte in text {
            add(
                &mut self.literals_and_lengths[usize::from(*byte)],
                self.weight,
            );
        }
    }

    fn copy(&mut self, bytes: usize, back: usize) {
        let code = length(bytes).code;
        add(&mut self.literals_and_lengths[code], self.weight);
        add(&mut self.distances[distance(back).code], self.weight);
    }
}

fn add(count: &mut u32, weight: u32) {
    *count = (*count + weight).min(MAX_COUNT);
}

#[cfg(test)]
mod tests;
