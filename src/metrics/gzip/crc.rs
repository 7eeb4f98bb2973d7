//! The CRC-32 of a text from those of its parts (RFC 1952, section 8).
//!
//! The register of a CRC is a polynomial over GF(2), and a byte of zeros multiplies it by x^8. All of it is
//! linear: what a text makes of a register is the register, multiplied by x^8 for each of its bytes, and
//! the CRC of the text from the register 0, added. So a text is passed in one step if its length and
//! that CRC are known, and the step goes backwards as well.

/// A register before the first byte, and what is added behind the last.
pub(super) const INVERTED: u32 = u32::MAX;

/// The polynomial, the lowest power in the highest bit.
const POLYNOMIAL: u32 = 0xedb8_8320;
/// The polynomial 1.
const ONE: u32 = 1 << 31;
/// x to this power is 1: the polynomial is primitive.
const ORDER: i64 = u32::MAX as i64;

/// What a number of bytes multiplies a register by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Power(u32);

/// The same for a number of bytes that is often met, as a table.
#[derive(Clone, Debug)]
pub(super) struct Shift([[u32; 16]; 8]);

/// What each byte makes of the register 0.
static BYTES: [u32; 256] = {
    let mut bytes = [0; 256];
    let mut byte = 0;
    while byte < bytes.len() {
        bytes[byte] = Shift::by(1).apply(byte as u32);
        byte += 1;
    }
    bytes
};
/// Back by four bytes.
static BACK_WORD: Shift = Shift::by(-4);

/// `register` times x.
const fn times_x(register: u32) -> u32 {
    let carry = if register & 1 == 1 { POLYNOMIAL } else { 0 };
    register >> 1 ^ carry
}

/// The product of two polynomials.
const fn product(a: u32, b: u32) -> u32 {
    let (mut left, mut power, mut sum) = (a, b, 0);
    while left != 0 {
        if left & ONE != 0 {
            sum ^= power;
        }
        left <<= 1;
        power = times_x(power);
    }
    sum
}

impl Power {
    /// Of so many bytes, back where they are less than none.
    pub(super) const fn of(bytes: i64) -> Self {
        // x^8, then x^16, x^32 and so on.
        let mut square = ONE >> 8;
        let mut left = bytes.rem_euclid(ORDER);
        let mut power = ONE;
        while left != 0 {
            if left & 1 == 1 {
                power = product(power, square);
            }
            left >>= 1;
            if left != 0 {
                square = product(square, square);
            }
        }
        Self(power)
    }

    /// The register behind so many bytes of zeros.
    pub(super) fn apply(self, register: u32) -> u32 {
        product(self.0, register)
    }
}

impl Shift {
    /// By so many bytes, back where they are less than none.
    const fn by(bytes: i64) -> Self {
        let Power(mut power) = Power::of(bytes);
        let mut table = [[0; 16]; 8];
        let mut bit = 32;
        while bit > 0 {
            bit -= 1;
            let (digits, digit) = (&mut table[bit / 4], 1 << (bit % 4));
            digits[digit] = power;
            power = times_x(power);
        }
        let mut at = 0;
        while at < table.len() {
            let mut digit = 1usize;
            while digit < 16 {
                let lowest = digit & digit.wrapping_neg();
                table[at][digit] = table[at][lowest] ^ table[at][digit ^ lowest];
                digit += 1;
            }
            at += 1;
        }
        Self(table)
    }

    /// The register behind so many bytes of zeros.
    #[inline(always)]
    pub(super) const fn apply(&self, register: u32) -> u32 {
        let Self([a, b, c, d, e, f, g, h]) = self;
        let [first, second, third, fourth] = register.to_le_bytes();
        (a[(first & 15) as usize] ^ b[(first >> 4) as usize])
            ^ (c[(second & 15) as usize] ^ d[(second >> 4) as usize])
            ^ (e[(third & 15) as usize] ^ f[(third >> 4) as usize])
            ^ (g[(fourth & 15) as usize] ^ h[(fourth >> 4) as usize])
    }
}

/// The register behind `text`.
#[inline(always)]
pub(super) fn update(mut register: u32, text: &[u8]) -> u32 {
    for byte in text {
        register = BYTES[(register as u8 ^ byte) as usize] ^ register >> 8;
    }
    register
}

/// What to add to a register before a text so that as many bytes of zeros do the same as the text: for the
/// bytes by which two texts differ, the first of them or the last of the longer one alone.
pub(super) fn difference(one: &[u8], other: &[u8]) -> u32 {
    let word = |text: &[u8], at: usize| match text.get(at..) {
        None => 0,
        Some(rest) => match rest.first_chunk() {
            Some(word) => u32::from_le_bytes(*word),
            None => rest
                .iter()
                .rev()
                .fold(0, |word, byte| word << 8 | u32::from(*byte)),
        },
    };
    let mut sum = 0;
    for at in (0..one.len().max(other.len())).step_by(4).rev() {
        sum = BACK_WORD.apply(sum) ^ word(one, at) ^ word(other, at);
    }
    sum
}

/// Shifts by lengths that are met again and again, each made once.
#[derive(Debug, Default)]
struct Cache<const SLOTS: usize>(Vec<(i64, Shift)>);

/// Shifts by the lengths of lines, most of which have 40 to 100 bytes, and back by those of names.
#[derive(Debug, Default)]
pub(super) struct Shifts {
    lines: Cache<64>,
    names: Cache<16>,
}

impl Shifts {
    /// The shift by a line of so many bytes.
    #[inline(always)]
    pub(super) fn by(&mut self, bytes: usize) -> &Shift {
        self.lines.get(bytes as i64)
    }

    /// The number of the shift by a line of this number of bytes, and the shift of a number, until another one
    /// is requested.
    pub(super) fn slot(&mut self, bytes: usize) -> usize {
        self.by(bytes);
        bytes % self.lines.0.len()
    }

    #[inline(always)]
    pub(super) fn in_slot(&self, slot: usize) -> &Shift {
        &self.lines.0[slot].1
    }

    /// The shift back by so many bytes of a name.
    #[inline(always)]
    pub(super) fn back_by(&mut self, bytes: usize) -> &Shift {
        self.names.get(-(bytes as i64))
    }
}

impl<const SLOTS: usize> Cache<SLOTS> {
    #[inline(always)]
    fn get(&mut self, bytes: i64) -> &Shift {
        let slot = bytes as usize % SLOTS;
        if self.0.get(slot).is_none_or(|(by, _)| *by != bytes) {
            self.make(bytes);
        }
        &self.0[slot].1
    }

    #[cold]
    #[inline(never)]
    fn make(&mut self, bytes: i64) {
        if self.0.is_empty() {
            self.0.resize(SLOTS, (0, Shift::by(0)));
        }
        self.0[bytes as usize % SLOTS] = (bytes, Shift::by(bytes));
    }
}

#[cfg(test)]
mod tests;
