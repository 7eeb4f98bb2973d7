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

/// Copies all of `from`, which has no more bytes behind it, to the beginning of `to`. Returns whether
/// there was room. (A loop would be made a call of `memcpy` again.)
#[inline]
pub(crate) fn short(to: &mut [u8], from: &[u8]) -> bool {
    let Some(to) = to.get_mut(..from.len()) else {
        return false;
    };
    match from.len() {
        0 => {}
        1..4 => {
            let last = from.len() - 1;
            (to[0], to[last / 2], to[last]) = (from[0], from[last / 2], from[last]);
        }
        4..8 => both_ends::<4>(to, from),
        8..16 => both_ends::<8>(to, from),
        16..32 => both_ends::<16>(to, from),
        32..=64 => both_ends::<32>(to, from),
        _ => to.copy_from_slice(from),
    }
    true
}

/// The first and the last `N` bytes, which may overlap.
#[inline(always)]
fn both_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk::<N>()) {
        *to = *from;
    }
}

/// At the end of a buffer, which in a small snapshot is never far, and for long texts.
#[cold]
#[inline(never)]
fn exact(to: &mut [u8], from: &[u8], length: usize) {
    short(&mut to[..length], &from[..length]);
}

#[cfg(test)]
mod tests;
