//! The lines of a small reply, kept until they are needed: for commands whose reply is neither the
//! CSV of `show stat` nor `Key: value` pairs.

use super::buffer;
use super::failures::excerpt;
use super::limits::MAX_LINE_BYTES;
use super::reply::{Proof, ReplyError, Taken};

/// Maximum size of such a reply in bytes: about ten thousand lines. A peer that sends far more is
/// not HAProxy.
const MAX_BYTES: usize = 4 << 20;

/// The whole lines of one reply. The memory is kept.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    text: Vec<u8>,
    ends_blank: bool,
}

impl Lines {
    /// Discards the reply, keeps the memory.
    pub(crate) fn clear(&mut self) {
        if buffer::is_too_large(&self.text) {
            self.text = Vec::new();
        }
        self.text.clear();
        self.ends_blank = false;
    }

    /// The lines without their line ends, except the empty one at the end.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.text.split(|byte| *byte == b'\n');
        let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        lines.filter(|line| !line.is_empty())
    }

    /// See `Reply::push`.
    ///
    /// # Errors
    /// If the reply is too large.
    pub(crate) fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        let mut bytes = 0;
        while let Some(end) = memchr::memchr(b'\n', &input[bytes..]) {
            let line = &input[bytes..=bytes + end];
            bytes += line.len();
            self.ends_blank = matches!(line, b"\n" | b"\r\n");
            if self.ends_blank {
                return Ok(Taken { bytes, ends: true });
            }
            self.text.extend_from_slice(line);
        }
        // Do not wait for the end of a line that is longer than the buffer.
        let rest = input.len() - bytes;
        if rest > MAX_LINE_BYTES {
            return Err(ReplyError::LongLine);
        }
        match self.text.len() + rest > MAX_BYTES {
            true => Err(ReplyError::TooLarge(MAX_BYTES)),
            false => Ok(Taken { bytes, ends: false }),
        }
    }

    /// See `Reply::finish`. `is_right` must accept all lines.
    ///
    /// # Errors
    /// If the reply is incomplete, or belongs to another command.
    pub(crate) fn finish(
        &self,
        rest: &[u8],
        command: &'static str,
        is_right: impl Fn(&[u8]) -> bool,
    ) -> Result<(), ReplyError> {
        if let Some(line) = self.iter().find(|line| !is_right(line)) {
            return Err(ReplyError::OfAnotherKind(command, excerpt(line)));
        }
        if self.text.is_empty() && rest.is_empty() && !self.ends_blank {
            return Err(ReplyError::Empty(Proof::EmptyLine));
        }
        match self.ends_blank && rest.is_empty() {
            true => Ok(()),
            false => Err(ReplyError::Cut(Proof::EmptyLine)),
        }
    }
}

#[cfg(test)]
mod tests;
