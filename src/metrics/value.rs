//! Converts a CSV field into the text of a sample value: digits are checked and copied, never
//! parsed as a float.

use std::time::Duration;

/// Maximum length of a value text: a sign, 20 digits, a point and a leading zero.
pub(crate) const MAX_VALUE_BYTES: usize = 24;

/// Room for a value text.
pub(crate) type Text = [u8; MAX_VALUE_BYTES];

/// The value of a row that is not one of `show stat`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    /// No sample.
    Nothing,
    /// A whole number as HAProxy printed it; no sample if it is not one.
    Text(&'a [u8]),
    /// A whole number.
    Unsigned(u64),
    /// A whole number that can be negative.
    Signed(i64),
    /// A time in seconds, to the nanosecond.
    Seconds(Duration),
}

impl Value<'_> {
    /// Writes its text and returns the length, 0 for no sample.
    pub(crate) fn write(self, to: &mut Text) -> usize {
        let written = match self {
            Self::Nothing => None,
            Self::Text(field) => write_integer(field, to),
            Self::Unsigned(number) => write_display(number, to),
            Self::Signed(number) => write_display(number, to),
            Self::Seconds(time) => write_seconds(time, to),
        };
        written.unwrap_or(0)
    }
}

impl From<bool> for Value<'_> {
    fn from(is_so: bool) -> Self {
        Self::Unsigned(u64::from(is_so))
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Unsigned(number)
    }
}

impl From<Duration> for Value<'_> {
    fn from(time: Duration) -> Self {
        Self::Seconds(time)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(field: &'a [u8]) -> Self {
        Self::Text(field)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// Whether the first `length` bytes of `bytes` are digits.
#[inline(always)]
pub(crate) fn are_digits(bytes: [u8; 8], length: usize) -> bool {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const SIXES: u64 = 0x0606_0606_0606_0606;
    const UPPER: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    // Bytes after the length become zeros, which are digits.
    let half = (4 * length) as u32 & 63;
    let others = u64::MAX.wrapping_shl(half).wrapping_shl(half);
    let word = u64::from_le_bytes(bytes) & !others | ZEROS & others;
    // Digits are 0x30 to 0x39: adding 6 does not change their upper half. Bytes from 0xfa on, whose
    // carry would reach the next byte, are found by the first half of the test.
    (word & UPPER ^ ZEROS) | (word.wrapping_add(SIXES) & UPPER ^ ZEROS) == 0
}

/// Maximum length of a negative number: a sign and 20 digits, so that the value in seconds has at
/// most `MAX_VALUE_BYTES`.
const MAX_NEGATIVE_BYTES: usize = 21;
/// Number of digits that always fit into 64 bits.
const SAFE_DIGITS: usize = 18;

/// Writes a whole number from -2^63 to 2^64-1 unchanged. `None` if the field is not one.
pub(crate) fn write_integer(field: &[u8], to: &mut Text) -> Option<usize> {
    let field = checked_integer(field)?;
    to[..field.len()].copy_from_slice(field);
    Some(field.len())
}

/// The field without a plus sign and, if it is long, without leading zeros, if it is a whole number
/// from -2^63 to 2^64-1.
fn checked_integer(field: &[u8]) -> Option<&[u8]> {
    if field.len() <= SAFE_DIGITS && field.iter().all(u8::is_ascii_digit) {
        return Some(field);
    }
    let (negative, digits) = match field {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let zeros = digits
        .iter()
        .take_while(|b| **b == b'0')
        .count()
        .min(digits.len() - 1);
    let significant = &digits[zeros..];
    let magnitude: u64 = std::str::from_utf8(significant).ok()?.parse().ok()?;
    match negative {
        false => Some(significant),
        // The sign comes before the digits, so zeros between them stay: `-007` is -7 to a reader.
        true => (magnitude <= i64::MIN.unsigned_abs() && field.len() <= MAX_NEGATIVE_BYTES)
            .then_some(field),
    }
}

/// Writes whole milliseconds in seconds.
pub(crate) fn write_milliseconds(field: &[u8], to: &mut Text) -> Option<usize> {
    if field == b"0" {
        to[0] = b'0';
        return Some(1);
    }
    let integer = checked_integer(field)?;
    let digits = integer.strip_prefix(b"-").unwrap_or(integer);
    let (seconds, millis) = digits.split_at(digits.len().saturating_sub(3));
    let seconds = if seconds.is_empty() { b"0" } else { seconds };
    let kept = millis.len() - millis.iter().rev().take_while(|b| **b == b'0').count();
    let point: &[u8] = if kept > 0 { b"." } else { b"" };
    let zeros = if kept > 0 {
        &b"00"[..3 - millis.len()]
    } else {
        b""
    };
    let sign = &integer[..integer.len() - digits.len()];
    let mut length = 0;
    for byte in [sign, seconds, point, zeros, &millis[..kept]]
        .into_iter()
        .flatten()
    {
        to[length] = *byte;
        length += 1;
    }
    Some(length)
}

/// Writes a time in seconds, without zeros at the end; without the last digits if there is no room for them.
/// The code that writes a float takes 8 KB.
fn write_seconds(time: Duration, to: &mut Text) -> Option<usize> {
    let mut length = write_display(time.as_secs(), to)?;
    let (mut rest, mut unit) = (time.subsec_nanos(), 100_000_000);
    if rest > 0
        && let Some(point) = to.get_mut(length)
    {
        *point = b'.';
        length += 1;
    }
    while rest > 0
        && let Some(digit) = to.get_mut(length)
    {
        *digit = b'0' + (rest / unit) as u8;
        rest %= unit;
        unit /= 10;
        length += 1;
    }
    Some(length)
}

/// Writes a whole number.
fn write_display(number: impl std::fmt::Display, to: &mut Text) -> Option<usize> {
    use std::io::Write;
    let mut room = to.as_mut_slice();
    write!(room, "{number}").ok()?;
    let left = room.len();
    Some(MAX_VALUE_BYTES - left)
}

#[cfg(test)]
mod tests;
