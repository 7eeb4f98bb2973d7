//! The few fields of a certificate that its errors need (RFC 5280, 4.1).
//!
//! Nothing is decided here but the dates of a certificate that is a root itself: webpki checks all
//! others, and does not tell who issued them.

use std::fmt;

use rustls::pki_types::UnixTime;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The version, which may be left out.
const EXPLICIT_0: u8 = 0xa0;
/// id-at-commonName, 2.5.4.3, and id-at-organizationName, 2.5.4.10.
const COMMON_NAME: [u8; 3] = [0x55, 4, 3];
const ORGANIZATION: [u8; 3] = [0x55, 4, 10];
/// Characters of a peer's name in an error.
const MAX_NAME_CHARACTERS: usize = 64;

/// Fields of a certificate.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    /// The issuer's name, encoded.
    pub issuer: &'a [u8],
    /// The subject's name, encoded.
    pub subject: &'a [u8],
    /// Begin of the validity.
    pub not_before: Time,
    /// End of the validity, which still belongs to it.
    pub not_after: Time,
}

/// A date and time in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    year: u16,
    /// Month, day, hour, minute and second.
    rest: [u8; 5],
}

/// The fields of a certificate, if it is one.
pub(crate) fn facts(certificate: &[u8]) -> Option<Facts<'_>> {
    let mut input = certificate;
    let mut whole = expect(&mut input, SEQUENCE)?;
    let mut body = expect(&mut whole, SEQUENCE)?;
    if body.first() == Some(&EXPLICIT_0) {
        element(&mut body)?;
    }
    // The serial number and the algorithm of the signature.
    element(&mut body)?;
    element(&mut body)?;
    let issuer = expect(&mut body, SEQUENCE)?;
    let mut validity = expect(&mut body, SEQUENCE)?;
    let not_before = Time::read(&mut validity)?;
    let not_after = Time::read(&mut validity)?;
    let subject = expect(&mut body, SEQUENCE)?;
    Some(Facts {
        issuer,
        subject,
        not_before,
        not_after,
    })
}

/// The common name in an encoded name, or else the organization; empty when there is neither.
pub(crate) fn common_name(name: &[u8]) -> String {
    let value = attribute(name, &COMMON_NAME).or_else(|| attribute(name, &ORGANIZATION));
    let text = String::from_utf8_lossy(value.unwrap_or_default());
    text.chars().take(MAX_NAME_CHARACTERS).collect()
}

fn attribute<'a>(mut name: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    while let Some((_, mut set)) = element(&mut name) {
        while let Some((_, mut pair)) = element(&mut set) {
            let (_, kind) = element(&mut pair)?;
            if kind == wanted {
                return element(&mut pair).map(|(_, value)| value);
            }
        }
    }
    None
}

/// Takes the tag and the content of one element off `input` (X.690, 8.1).
fn element<'a>(input: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&[tag, first], rest) = input.split_first_chunk()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().fold(0, |sum, d| sum << 8 | usize::from(*d));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *input = rest;
    Some((tag, content))
}

fn expect<'a>(input: &mut &'a [u8], wanted: u8) -> Option<&'a [u8]> {
    let (tag, content) = element(input)?;
    (tag == wanted).then_some(content)
}

impl Time {
    /// UTCTime `YYMMDDhhmmssZ` is of 1950 to 2049, GeneralizedTime has four digits (4.1.2.5).
    fn read(input: &mut &[u8]) -> Option<Self> {
        let (tag, content) = element(input)?;
        let digits = content.strip_suffix(b"Z")?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut pairs = digits
            .chunks_exact(2)
            .map(|pair| (pair[0] - b'0') * 10 + (pair[1] - b'0'));
        let mut pair = || pairs.next();
        let century = match (tag, digits.len()) {
            (UTC_TIME, 12) if digits[0] >= b'5' => 19,
            (UTC_TIME, 12) => 20,
            (GENERALIZED_TIME, 14) => pair()?,
            _ => return None,
        };
        let time = Self {
            year: u16::from(century) * 100 + u16::from(pair()?),
            rest: [pair()?, pair()?, pair()?, pair()?, pair()?],
        };
        let is_date = (1..=12).contains(&time.rest[0]) && (1..=31).contains(&time.rest[1]);
        is_date.then_some(time)
    }

    /// Whether it is over at `now`.
    pub(crate) fn is_before(self, now: UnixTime) -> bool {
        self.seconds() < i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
    }

    /// Whether it is yet to come at `now`.
    pub(crate) fn is_after(self, now: UnixTime) -> bool {
        self.seconds() > i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
    }

    /// Seconds since 1970. Years begin in March here, so that the leap day comes last.
    fn seconds(self) -> i64 {
        let [month, day, hour, minute, second] = self.rest.map(i64::from);
        let (year, month) = match month {
            1 | 2 => (i64::from(self.year) - 1, month + 9),
            _ => (i64::from(self.year), month - 3),
        };
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let days = year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468;
        ((days * 24 + hour) * 60 + minute) * 60 + second
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [month, day, hour, minute, second] = self.rest;
        write!(
            f,
            "{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z",
            self.year
        )
    }
}

#[cfg(test)]
mod tests;
