//! Blocking network access with one deadline. It does not depend on HAProxy.

pub(crate) mod address;
pub(crate) mod deadline;
pub(crate) mod error;
pub(crate) mod http;
pub(crate) mod proxy;
pub(crate) mod resolve;
pub(crate) mod stream;
#[cfg(feature = "tls")]
pub(crate) mod tls;

/// A number of digits alone, up to 64 bits: std's `parse` takes a sign as well.
pub(crate) fn unsigned(text: &[u8]) -> Option<u64> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
