//! Copies of short texts without a call.
//!
//! A line of the exposition is three short texts, and 10,000 servers make 400,000 lines. The C
//! library's `memcpy`, musl's above all, needs longer to start than such a text takes. A copy whose
//! length the compiler knows is a few moves; how much of it counts is known afterwards.

/// Copies the first `length` bytes of `from` to the beginning of `to`. Where both are long enough
/// that means `N` bytes, so that `to` may get more than it was meant to: what comes next goes there.
#[inline(always)]
pub(crate) fn padded<const N: usize>(to: &mut [u8], from: &[u8], length: usize) {
    match (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
        (Some(to), Some(from)) if length <= N => *to = *from,
        _ => exact(to, from, length),
    }
}

/// At the end of a buffer, and for long texts.
#[cold]
#[inline(never)]
fn exact(to: &mut [u8], from: &[u8], length: usize) {
    to[..length].copy_from_slice(&from[..length]);
}

#[cfg(test)]
mod tests;
