//! The lines of a small answer, kept until they are needed: for commands whose answers are no CSV of
//! `show stat` and no `Key: value` pairs.

use super::failures::excerpt;
use super::limits::MAX_LINE_BYTES;
use super::reply::{Proof, ReplyError, Taken};

/// Most bytes of such an answer: some ten thousand lines. A peer that sends far more is not HAProxy.
const MAX_BYTES: usize = 4 << 20;

/// The whole lines of one answer. The memory is kept.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    text: Vec<u8>,
    ends_blank: bool,
}

impl Lines {
    /// Forgets the answer, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends_blank = false;
    }

    /// The lines without their line ends; the closing empty one is not among them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.text.split(|byte| *byte == b'\n');
        let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        lines.filter(|line| !line.is_empty())
    }

    /// See `Reply::push`.
    ///
    /// # Errors
    /// When the answer is too large.
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
        // A line without end must not be waited for, and the buffer has room for no longer one.
        let rest = input.len() - bytes;
        if rest > MAX_LINE_BYTES {
            return Err(ReplyError::LongLine);
        }
        match self.text.len() + rest > MAX_BYTES {
            true => Err(ReplyError::TooLarge(MAX_BYTES)),
            false => Ok(Taken { bytes, ends: false }),
        }
    }

    /// See `Reply::finish`. All lines must be as `is_right` wants them.
    ///
    /// # Errors
    /// When the answer is cut, or not one to the command.
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
