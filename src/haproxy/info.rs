//! The answer to `show info`: `Key: value` lines (management guide, section 9.3, "show info").
//!
//! Kept as pairs in their order. Keys differ by version. A value that holds a comma, a quote or a
//! line end is quoted as in the CSV, and a quoted `description` may look like more keys or like the
//! end of the answer; old versions do not quote. So the first line of a key counts.

use super::reply::{Proof, Reply, ReplyError, Taken};
use crate::net::unsigned;

/// The command.
pub(crate) const SHOW_INFO: &str = "show info";
/// Most bytes of an answer: real ones have about 1.3 KB, and a peer that sends far more is not
/// HAProxy.
const MAX_INFO_BYTES: usize = 64 * 1024;

/// What a master process answers that is asked for the one of a process that it does not have.
const NO_SUCH_PROCESS: &[u8] = b"Can't find the target PID matching the prefix ";

/// The pairs of one answer. The memory is kept from scrape to scrape.
#[derive(Debug, Default)]
pub(crate) struct Info {
    /// All lines so far, without their line ends.
    text: Vec<u8>,
    pairs: Vec<Pair>,
    /// Bytes of the answer so far.
    bytes: usize,
    /// A quote was opened and not closed: the next line belongs to the last pair's value.
    is_quoted: bool,
    ends_blank: bool,
}

/// Where the parts of a pair are in the text.
#[derive(Clone, Copy, Debug)]
struct Pair {
    key: usize,
    key_end: usize,
    value: usize,
    value_end: usize,
}

impl Info {
    /// The value of a key as HAProxy printed it, without the line end; `None` when there is no such
    /// line.
    pub(crate) fn get(&self, key: &str) -> Option<&[u8]> {
        let mut pairs = self.pairs();
        pairs.find_map(|(other, value)| (other == key.as_bytes()).then_some(value))
    }

    /// The same where it is a number.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        unsigned(self.get(key)?)
    }

    /// All keys and values in their order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs.iter().map(|pair| {
            let key = &self.text[pair.key..pair.key_end];
            (key, &self.text[pair.value..pair.value_end])
        })
    }

    /// Forgets the answer, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.pairs.clear();
        (self.bytes, self.is_quoted, self.ends_blank) = (0, false, false);
    }

    /// Takes all whole lines off the beginning of `input`, up to the empty one that ends the answer.
    ///
    /// # Errors
    /// When the answer is too large.
    fn take_lines(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        let mut taken = Taken {
            bytes: 0,
            ends: false,
        };
        while let Some(end) = memchr::memchr(b'\n', &input[taken.bytes..]) {
            let line = &input[taken.bytes..taken.bytes + end];
            self.count(line.len() + 1)?;
            taken.bytes += line.len() + 1;
            self.take_line(line.strip_suffix(b"\r").unwrap_or(line));
            if self.ends_blank && !self.is_quoted {
                taken.ends = true;
                return Ok(taken);
            }
        }
        // A line without end must not be waited for.
        match self.bytes + input.len() - taken.bytes > MAX_INFO_BYTES {
            true => Err(ReplyError::TooLarge(MAX_INFO_BYTES)),
            false => Ok(taken),
        }
    }

    fn count(&mut self, bytes: usize) -> Result<(), ReplyError> {
        self.bytes += bytes;
        match self.bytes > MAX_INFO_BYTES {
            true => Err(ReplyError::TooLarge(MAX_INFO_BYTES)),
            false => Ok(()),
        }
    }

    fn take_line(&mut self, line: &[u8]) {
        self.ends_blank = line.is_empty();
        if self.is_quoted {
            self.text.push(b'\n');
        }
        let start = self.text.len();
        self.text.extend_from_slice(line);
        // A quote inside is doubled, so that an odd number of them ends the value.
        let closes = |text: &[u8]| !memchr::memchr_iter(b'"', text).count().is_multiple_of(2);
        if self.is_quoted {
            self.is_quoted = !closes(line);
            if let Some(pair) = self.pairs.last_mut() {
                pair.value_end = self.text.len();
            }
        } else if let Some(colon) = memchr::memmem::find(line, b": ") {
            let value = &line[colon + 2..];
            self.is_quoted = value.strip_prefix(b"\"").is_some_and(|rest| !closes(rest));
            self.pairs.push(Pair {
                key: start,
                key_end: start + colon,
                value: start + colon + 2,
                value_end: self.text.len(),
            });
        }
    }

    fn check_end(&self, rest: &[u8]) -> Result<(), ReplyError> {
        if self.bytes == 0 && rest.is_empty() {
            return Err(ReplyError::Empty(Proof::EmptyLine));
        }
        // It has no closing empty line.
        if self.text.starts_with(NO_SUCH_PROCESS) {
            return Err(ReplyError::NoSuchProcess);
        }
        // Where a quote is open, it is one that an old version did not mean as such.
        if !rest.is_empty() || !self.ends_blank {
            return Err(ReplyError::Cut(Proof::EmptyLine));
        }
        match self.get("Version") {
            Some(version) if !version.is_empty() => Ok(()),
            _ => Err(ReplyError::NoVersion),
        }
    }
}

impl Reply for Info {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        self.take_lines(input)
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        self.check_end(rest)
    }
}

/// Reads a whole answer.
///
/// # Errors
/// When it is cut, too large or something else than `show info`.
pub(crate) fn parse(answer: &[u8]) -> Result<Info, ReplyError> {
    let mut info = Info::default();
    let taken = info.take_lines(answer)?;
    info.check_end(&answer[taken.bytes..])?;
    Ok(info)
}

#[cfg(test)]
mod tests;
