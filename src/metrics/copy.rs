//! Copies short texts without a call.
//!
//! A line of the exposition consists of three short texts, and 10,000 servers make 400,000 lines.
//! `memcpy` of the C library, above all musl's, takes longer to start than such a text takes to
//! copy. A copy whose length is known to the compiler is a few moves; how much of it is valid is
//! known afterwards.

/// Copies the first `length` bytes of `from` to the beginning of `to`. If both are long enough, `N`
/// bytes are copied, so `to` can get more bytes than `length`; the next text overwrites them.
#[inline(always)]
pub(crate) fn padded<const N: usize>(to: &mut [u8], from: &[u8], length: usize) {
    match (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
        (Some(to), Some(from)) if length <= N => *to = *from,
        _ => exact(to, from, length),
    }
}

/// Copies all of `from`, which has no bytes after it, to the beginning of `to`. Returns whether
/// there was room. (The compiler would turn a loop into a call of `memcpy`.)
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

/// Copies the first and the last `N` bytes, which can overlap.
#[inline(always)]
fn both_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk::<N>()) {
        *to = *from;
    }
}

/// For the end of a buffer, which in a small snapshot is always near, and for long texts.
#[cold]
#[inline(never)]
fn exact(to: &mut [u8], from: &[u8], length: usize) {
    short(&mut to[..length], &from[..length]);
}

#[cfg(test)]
mod tests;
