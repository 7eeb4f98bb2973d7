//! A CSV cell becomes the text of a sample value: digits are checked and copied, never a float.

use crate::catalog::Value;

/// Longest value text: a sign, 20 digits, a point and a zero before it.
pub const MAX_VALUE_BYTES: usize = 24;

/// Room for a value text.
pub type Text = [u8; MAX_VALUE_BYTES];

/// Writes the value text of `cell` to the beginning of `to`. Returns its length, or `None` when the
/// cell is no such value. An empty cell has length 0.
pub fn write(value: Value, cell: &[u8], to: &mut Text) -> Option<usize> {
    if cell.is_empty() {
        return Some(0);
    }
    match value {
        Value::Integer => write_integer(cell, to),
        Value::Milliseconds => write_milliseconds(cell, to),
        Value::Status => {
            to[0] = if takes_traffic(cell) { b'1' } else { b'0' };
            Some(1)
        }
    }
}

/// Whether the first `length` bytes of `bytes`, at most all, are digits.
#[inline(always)]
pub fn are_digits(bytes: [u8; 8], length: usize) -> bool {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const SIXES: u64 = 0x0606_0606_0606_0606;
    const UPPER: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    // Bytes that do not count become zeros, which are digits.
    let half = (4 * length) as u32 & 63;
    let others = u64::MAX.wrapping_shl(half).wrapping_shl(half);
    let word = u64::from_le_bytes(bytes) & !others | ZEROS & others;
    // Digits are 0x30 to 0x39: adding 6 leaves their upper half as it is. Bytes from 0xfa on, whose
    // carry would reach the next one, are found by the first half of the test.
    (word & UPPER ^ ZEROS) | (word.wrapping_add(SIXES) & UPPER ^ ZEROS) == 0
}

/// A sign and 20 digits, so that the value in seconds has `MAX_VALUE_BYTES` at most.
const MAX_NEGATIVE_BYTES: usize = 21;
/// Digits that surely fit into 64 bits.
const SAFE_DIGITS: usize = 18;

fn write_integer(cell: &[u8], to: &mut Text) -> Option<usize> {
    let cell = checked_integer(cell)?;
    to[..cell.len()].copy_from_slice(cell);
    Some(cell.len())
}

/// The cell without a plus sign and, when long, without leading zeros, if it is a whole number
/// from -2^63 to 2^64-1.
fn checked_integer(cell: &[u8]) -> Option<&[u8]> {
    if cell.len() <= SAFE_DIGITS && cell.iter().all(u8::is_ascii_digit) {
        return Some(cell);
    }
    let (negative, digits) = match cell {
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
        // The sign stands before the digits, so zeros between them stay: a reader takes `-007` as -7.
        true => (magnitude <= i64::MIN.unsigned_abs() && cell.len() <= MAX_NEGATIVE_BYTES)
            .then_some(cell),
    }
}

fn write_milliseconds(cell: &[u8], to: &mut Text) -> Option<usize> {
    if cell == b"0" {
        to[0] = b'0';
        return Some(1);
    }
    let integer = checked_integer(cell)?;
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

/// Whether a server, backend or frontend of this status takes traffic: the words in brackets
/// (`DOWN (agent)`) and the count of checks (`UP 1/3`) do not matter (management guide, 9.1, 17).
pub fn takes_traffic(status: &[u8]) -> bool {
    let is_up = |status: &[u8]| matches!(status, b"UP" | b"OPEN" | b"DRAIN" | b"no check");
    // Nearly always there is nothing to strip.
    is_up(status) || is_up(bare_status(status))
}

/// The status without what follows it: ` (words in brackets)`, then ` n/m`.
pub fn bare_status(status: &[u8]) -> &[u8] {
    let status = match memchr::memmem::find(status, b" (") {
        Some(at) if status.ends_with(b")") => &status[..at],
        _ => status,
    };
    match memchr::memrchr(b' ', status) {
        Some(at) if is_count(&status[at + 1..]) => &status[..at],
        _ => status,
    }
}

/// A number that is written in digits alone; `None` for all else and beyond 64 bits.
pub fn unsigned(text: &[u8]) -> Option<u64> {
    // Rust's own parser takes a plus sign as well.
    let text = text.iter().all(u8::is_ascii_digit).then_some(text)?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn is_count(text: &[u8]) -> bool {
    let Some(slash) = memchr::memchr(b'/', text) else {
        return false;
    };
    let is_number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    is_number(&text[..slash]) && is_number(&text[slash + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Value, cell: &str) -> Option<String> {
        let mut to = [b'x'; MAX_VALUE_BYTES];
        let length = write(value, cell.as_bytes(), &mut to)?;
        Some(String::from_utf8(to[..length].to_vec()).unwrap())
    }

    #[test]
    fn unsigned_numbers() {
        let cases = [
            ("0", Some(0)),
            ("007", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("", None),
            ("+1", None),
            ("-1", None),
            (" 1", None),
            ("1.0", None),
            ("0x1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(unsigned(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn digits_are_told_from_all_other_bytes() {
        for byte in 0..=u8::MAX {
            for length in 0..=8 {
                for position in 0..8 {
                    let mut bytes = *b"90909090";
                    bytes[position] = byte;
                    let expected = bytes[..length].iter().all(u8::is_ascii_digit);
                    assert_eq!(are_digits(bytes, length), expected, "{bytes:?} {length}");
                }
            }
        }
    }

    #[test]
    fn integers() {
        let good = [
            ("", ""),
            ("0", "0"),
            ("7", "7"),
            ("007", "007"),
            ("+5", "5"),
            ("-5", "-5"),
            ("-0", "-0"),
            ("-05", "-05"),
            ("123456789012345678", "123456789012345678"),
            ("9223372036854775808", "9223372036854775808"),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("00000000000000000000000000042", "42"),
            ("0000000000000000000000", "0"),
        ];
        for (cell, expected) in good {
            assert_eq!(
                text(Value::Integer, cell).as_deref(),
                Some(expected),
                "{cell}"
            );
        }
        let bad = [
            "a",
            "1a",
            "1.5",
            "1e3",
            " 1",
            "1 ",
            "-",
            "+",
            "+-1",
            "--1",
            "0x10",
            "1_000",
            "18446744073709551616",
            "-9223372036854775809",
            "99999999999999999999999",
            "\u{661}",
            "NaN",
            "-00000000000000000000000000042",
        ];
        for cell in bad {
            assert_eq!(text(Value::Integer, cell), None, "{cell}");
            assert_eq!(text(Value::Milliseconds, cell), None, "{cell}");
        }
    }

    #[test]
    fn milliseconds_are_seconds() {
        let cases = [
            ("", ""),
            ("0", "0"),
            ("5", "0.005"),
            ("50", "0.05"),
            ("500", "0.5"),
            ("1000", "1"),
            ("1500", "1.5"),
            ("12345", "12.345"),
            ("-7", "-0.007"),
            ("+7", "0.007"),
            ("18446744073709551615", "18446744073709551.615"),
            ("-9223372036854775808", "-9223372036854775.808"),
        ];
        for (cell, expected) in cases {
            assert_eq!(
                text(Value::Milliseconds, cell).as_deref(),
                Some(expected),
                "{cell}"
            );
        }
        for millis in 0..20_000u32 {
            let got: f64 = text(Value::Milliseconds, &millis.to_string())
                .unwrap()
                .parse()
                .unwrap();
            assert_eq!(got, f64::from(millis) / 1000.0);
        }
    }

    #[test]
    fn statuses() {
        let up = [
            "UP",
            "UP 1/2",
            "UP 4/5",
            "UP 12/30",
            "OPEN",
            "no check",
            "DRAIN",
            "DRAIN 1/2",
            "DRAIN (agent)",
            "UP (agent)",
        ];
        let down = [
            "DOWN",
            "DOWN 1/2",
            "DOWN (agent)",
            "NOLB",
            "NOLB 1/2",
            "MAINT",
            "MAINT (via px/sv)",
            "MAINT (resolution)",
            "STOP",
            "FULL",
            "up",
            "UPX",
            "UP x/y",
            "UP 1/",
            "UP /",
            "UP (",
            "whatever",
            "UP 1/2 3/4",
        ];
        for status in up {
            assert_eq!(
                text(Value::Status, status).as_deref(),
                Some("1"),
                "{status}"
            );
        }
        for status in down {
            assert_eq!(
                text(Value::Status, status).as_deref(),
                Some("0"),
                "{status}"
            );
        }
    }
}
