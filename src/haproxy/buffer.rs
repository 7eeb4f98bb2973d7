//! The one buffer between a socket and the rows.

use super::limits::MAX_LINE_BYTES;

/// Enough for what HAProxy hands over in one go (`tune.bufsize`, 16 KiB) several times.
const START_BYTES: usize = 64 * 1024;
/// Holds a row of the longest kind and the byte that shows it to be longer.
const MAX_BYTES: usize = MAX_LINE_BYTES + START_BYTES;

/// Bytes that were read and not yet taken. Grows only for a row that does not fit.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl ReadBuffer {
    /// Forgets everything; memory that one odd row made it take is given back.
    pub(crate) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
        if self.bytes.len() > START_BYTES {
            self.bytes = Vec::new();
        }
    }

    /// What is not taken yet.
    pub(crate) fn data(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Room to read into; never empty, because rows longer than the limit are refused before.
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

    /// `count` bytes of the room were read.
    pub(crate) fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    /// The first `count` bytes of the data are done with.
    pub(crate) fn take(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Puts bytes behind the data; returns how many found room.
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
