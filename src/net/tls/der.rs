//! Names in certificates, for error messages.
//!
//! Nothing is decided here: webpki parses and verifies the certificates.

/// id-at-commonName, 2.5.4.3, and id-at-organizationName, 2.5.4.10.
const COMMON_NAME: [u8; 3] = [0x55, 4, 3];
const ORGANIZATION: [u8; 3] = [0x55, 4, 10];
/// Maximum number of characters of a peer's name in an error.
const MAX_NAME_CHARACTERS: usize = 64;

/// The common name in an encoded name (RFC 5280, 4.1.2.4), or else the organization. Empty if there
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

/// Removes one element from `input` and returns its content (X.690, 8.1).
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

#[cfg(test)]
mod tests;
