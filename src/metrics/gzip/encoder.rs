//! Literals and copies as the codes of a block.

use super::bits::{Bits, ROOM_BITS};
use super::huffman::{Codes, MAX_LITERAL_BITS};
use super::tokens::{self, FEW, Tokens};

const _: () = assert!(FEW * MAX_LITERAL_BITS <= ROOM_BITS as usize);

/// Puts codes into a piece of a response.
pub(super) struct Encoder<'a> {
    pub(super) codes: &'a Codes,
    pub(super) bits: &'a mut Bits,
    pub(super) to: &'a mut [u8],
    pub(super) used: usize,
    /// The last copy: mostly the next one is the same.
    last: Copy,
}

/// A copy and its bits.
#[derive(Clone, Copy, Default)]
struct Copy {
    length: usize,
    distance: usize,
    bits: u64,
    count: u32,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(codes: &'a Codes, bits: &'a mut Bits, to: &'a mut [u8], used: usize) -> Self {
        Self {
            codes,
            bits,
            to,
            used,
            last: Copy::default(),
        }
    }

    /// Bytes that are left.
    #[inline]
    pub(super) fn room(&self) -> usize {
        self.to.len() - self.used
    }

    #[inline(never)]
    fn make(&mut self, length: usize, distance: usize) {
        let mut made = Copy {
            length,
            distance,
            ..Copy::default()
        };
        let (long, back) = (tokens::length(length), tokens::distance(distance));
        let codes = [
            (self.codes.literals_and_lengths[long.code], long),
            (self.codes.distances[back.code], back),
        ];
        for (code, symbol) in codes {
            made.bits |= u64::from(code.bits) << made.count;
            made.count += u32::from(code.length);
            made.bits |= symbol.extra << made.count;
            made.count += symbol.extra_bits;
        }
        self.last = made;
    }
}

impl Tokens for Encoder<'_> {
    fn literals(&mut self, text: &[u8]) {
        for few in text.chunks(FEW) {
            self.few_literals(few);
        }
    }

    #[inline(always)]
    fn few_literals(&mut self, text: &[u8]) {
        for byte in text {
            let code = self.codes.literals_and_lengths[usize::from(*byte)];
            self.bits.put(u64::from(code.bits), u32::from(code.length));
        }
        self.bits.flush(self.to, &mut self.used);
    }

    #[inline(always)]
    fn copy(&mut self, length: usize, distance: usize) {
        if (self.last.length, self.last.distance) != (length, distance) {
            self.make(length, distance);
        }
        self.bits.put(self.last.bits, self.last.count);
        self.bits.flush(self.to, &mut self.used);
    }
}
