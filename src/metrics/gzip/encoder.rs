//! Literals and copies as the codes of a block.

use super::bits::{Bits, ROOM_BITS};
use super::huffman::{Codes, MAX_LITERAL_BITS};
use super::tokens::{self, FEW, MAX_COPY, MIN_COPY, Symbol, Tokens};

const _: () = assert!(FEW * MAX_LITERAL_BITS <= ROOM_BITS as usize);

/// Distances whose bits are made in advance: those of the line above, mostly.
const NEAR: usize = 256;

/// The bits of each length and of near distances, with those behind the code, made in advance for the codes
/// that were used last.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// The number of the codes.
    of: Option<u64>,
    lengths: Vec<Packed>,
    distances: Vec<Packed>,
}

/// Up to 27 bits, and behind them how many.
type Packed = u32;
const COUNT_BITS: u32 = 5;

impl Tables {
    /// Makes them for codes.
    pub(super) fn make(&mut self, codes: &Codes) {
        if self.of == Some(codes.number) {
            return;
        }
        self.of = Some(codes.number);
        self.lengths.clear();
        self.lengths
            .extend((MIN_COPY..=MAX_COPY).map(|length| codes.length(length)));
        self.distances.clear();
        self.distances
            .extend((1..=NEAR).map(|distance| codes.distance(distance)));
    }
}

impl Codes {
    fn length(&self, length: usize) -> Packed {
        let symbol = tokens::length(length);
        let code = self.literals_and_lengths[symbol.code];
        packed(u32::from(code.bits), u32::from(code.length), symbol)
    }

    fn distance(&self, distance: usize) -> Packed {
        let symbol = tokens::distance(distance);
        let code = self.distances[symbol.code];
        packed(u32::from(code.bits), u32::from(code.length), symbol)
    }
}

fn packed(bits: u32, length: u32, symbol: Symbol) -> Packed {
    let bits = bits | (symbol.extra as u32) << length;
    bits << COUNT_BITS | (length + symbol.extra_bits)
}

/// Puts codes into a piece of a response.
pub(super) struct Encoder<'a> {
    pub(super) codes: &'a Codes,
    tables: &'a Tables,
    pub(super) bits: &'a mut Bits,
    pub(super) to: &'a mut [u8],
    pub(super) used: usize,
}

impl<'a> Encoder<'a> {
    /// `tables` are those of `codes`.
    pub(super) fn new(
        (codes, tables): (&'a Codes, &'a Tables),
        bits: &'a mut Bits,
        to: &'a mut [u8],
        used: usize,
    ) -> Self {
        debug_assert_eq!(tables.of, Some(codes.number));
        Self {
            codes,
            tables,
            bits,
            to,
            used,
        }
    }

    /// Bytes that are left.
    #[inline]
    pub(super) fn room(&self) -> usize {
        self.to.len() - self.used
    }

    /// The bits of a copy, and how many.
    #[inline(always)]
    pub(super) fn copy_bits(&self, length: usize, distance: usize) -> (u64, u32) {
        let length = match self.tables.lengths.get(length - MIN_COPY) {
            Some(length) => *length,
            None => self.codes.length(length),
        };
        let distance = match self.tables.distances.get(distance - 1) {
            Some(distance) => *distance,
            None => self.codes.distance(distance),
        };
        let count = |packed: Packed| packed & ((1 << COUNT_BITS) - 1);
        let bits = |packed: Packed| u64::from(packed >> COUNT_BITS);
        (
            bits(length) | bits(distance) << count(length),
            count(length) + count(distance),
        )
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
            self.bits.put_code(code);
        }
        self.bits.flush(self.to, &mut self.used);
    }

    fn copy(&mut self, length: usize, distance: usize) {
        let (bits, count) = self.copy_bits(length, distance);
        self.bits.put(bits, count);
        self.bits.flush(self.to, &mut self.used);
    }
}
