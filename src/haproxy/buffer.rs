//! The one buffer between a socket and the rows.

use super::limits::MAX_LINE_BYTES;
use super::trace::Trace;

/// Initial size in bytes: several times what HAProxy writes in one call (`tune.bufsize`, 16 KiB).
const START_BYTES: usize = 64 * 1024;
/// Maximum size in bytes: the longest row that is accepted, and one read more.
const MAX_BYTES: usize = MAX_LINE_BYTES + START_BYTES;

/// Whether a buffer is large, and the last scrape used less than a quarter of it.
pub(crate) fn is_too_large<T>(buffer: &Vec<T>) -> bool {
    let is_large = buffer.capacity() * size_of::<T>() > START_BYTES;
    is_large && buffer.len() < buffer.capacity() / 4
}

/// Bytes that were read and not taken yet. It grows only for a row that does not fit.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes received in this scrape.
    received: u64,
    /// What was received in this scrape, if that is logged.
    trace: Option<Trace>,
}

impl ReadBuffer {
    /// A scrape begins; `is_traced` if it is logged.
    pub(crate) fn begin(&mut self, is_traced: bool) {
        self.received = 0;
        self.trace = is_traced.then(Trace::default);
    }

    /// Discards all bytes, and releases memory that one long row needed.
    pub(crate) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
        if self.bytes.len() > START_BYTES {
            self.bytes = Vec::new();
        }
    }

    /// The bytes that are not taken yet.
    pub(crate) fn data(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Room to read into. It is never empty, because rows longer than the limit are rejected
    /// before.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.bytes.is_empty() {
            self.bytes = vec![0; START_BYTES];
        }
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.bytes.len() {
            self.bytes
                .resize((self.bytes.len() * 4).min(MAX_BYTES.max(self.end + 1)), 0);
        }
        &mut self.bytes[self.end..]
    }

    /// `count` bytes were read into the room.
    pub(crate) fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
        self.received += count as u64;
    }

    /// Bytes received in this scrape: those of HAProxy's replies.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// What was received in this scrape; empty if it is not logged.
    pub(crate) fn take_trace(&mut self) -> String {
        self.trace.take().map(Trace::into_text).unwrap_or_default()
    }

    /// See `begin`.
    pub(super) fn trace(&mut self) -> Option<&mut Trace> {
        self.trace.as_mut()
    }

    /// Takes the first `count` bytes of the data.
    pub(crate) fn take(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Appends bytes to the data; returns how many fit.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> usize {
        let room = self.room();
        let count = room.len().min(bytes.len());
        room[..count].copy_from_slice(&bytes[..count]);
        self.filled(count);
        count
    }
}

#[cfg(test)]
mod tests;
