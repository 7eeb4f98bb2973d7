//! Bits into bytes, the first bit lowest.

/// A code with its length: what is put into the stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

/// Bits that are not a whole byte yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits {
    word: u64,
    count: u32,
}

/// Bits that find room behind those that are left by `flush`.
pub(super) const ROOM_BITS: u32 = u64::BITS - 7;

impl Bits {
    /// Puts the lowest `count` of `bits`; the others must be 0.
    #[inline(always)]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        debug_assert!(self.count + count <= u64::BITS && (count == 64 || bits >> count == 0));
        self.word |= bits << self.count;
        self.count += count;
    }

    /// Puts a code.
    #[inline(always)]
    pub(super) fn put_code(&mut self, code: Code) {
        self.put(u64::from(code.bits), u32::from(code.length));
    }

    /// Moves whole bytes to `used`, where there must be room for 8.
    #[inline(always)]
    pub(super) fn flush(&mut self, to: &mut [u8], used: &mut usize) {
        let Some(room) = to.get_mut(*used..).and_then(<[u8]>::first_chunk_mut) else {
            return;
        };
        *room = self.word.to_le_bytes();
        let bytes = self.count / 8;
        *used += bytes as usize;
        // All 64 bits at once would be more than a shift may have.
        self.word = self.word >> (4 * bytes) >> (4 * bytes);
        self.count %= 8;
    }

    /// Bits up to the next whole byte.
    pub(super) fn missing(&self) -> u32 {
        (8 - self.count) % 8
    }
}
