//! What errors say of certificates: names and dates, for people.
//!
//! Nothing is decided here: webpki reads and checks the certificates.

use std::fmt;

use rustls::pki_types::UnixTime;

/// id-at-commonName, 2.5.4.3, and id-at-organizationName, 2.5.4.10.
const COMMON_NAME: [u8; 3] = [0x55, 4, 3];
const ORGANIZATION: [u8; 3] = [0x55, 4, 10];
/// Characters of a peer's name in an error.
const MAX_NAME_CHARACTERS: usize = 64;
const DAY_SECONDS: u64 = 86_400;

/// The common name in an encoded name (RFC 5280, 4.1.2.4), or else the organization; empty when there
/// is neither.
pub(crate) fn common_name(name: &[u8]) -> String {
    let value = attribute(name, &COMMON_NAME).or_else(|| attribute(name, &ORGANIZATION));
    let text = String::from_utf8_lossy(value.unwrap_or_default());
    text.chars().take(MAX_NAME_CHARACTERS).collect()
}

fn attribute<'a>(mut name: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    while let Some(mut set) = element(&mut name) {
        while let Some(mut pair) = element(&mut set) {
            if element(&mut pair)? == wanted {
                return element(&mut pair);
            }
        }
    }
    None
}

/// Takes one element off `input` and returns its content (X.690, 8.1).
fn element<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (&[_, first], rest) = input.split_first_chunk()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // A name that is longer than 65,535 bytes is not read.
        0x81..=0x82 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().fold(0, |sum, d| sum << 8 | usize::from(*d));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *input = rest;
    Some(content)
}

/// A date and time of a certificate as `2020-02-29T23:59:59Z`.
pub(crate) struct Date(pub UnixTime);

impl fmt::Display for Date {
    /// Years begin in March here, so that the leap day comes last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        // Days since 1 March of the year 0, in eras of 400 years, which have 146,097.
        let days = seconds / DAY_SECONDS + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, later) = match month {
            0..=9 => (month + 3, 0),
            _ => (month - 9, 1),
        };
        let year = era * 400 + year + later;
        let of_day = seconds % DAY_SECONDS;
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

#[cfg(test)]
mod tests;
