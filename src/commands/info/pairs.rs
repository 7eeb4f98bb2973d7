//! The reply to `show info`: `Key: value` lines (management guide, section 9.3), kept as pairs in their order.
//! Keys differ by version.
//!
//! From HAProxy 1.7 on a value is a field as in the CSV: one that holds a comma, a quote or a line end is in
//! quotes. A `description` in quotes can look like more keys or like the end of the reply, so the first line
//! of a key counts. HAProxy 1.6 and earlier print it as it is.

use crate::commands::command::Release;
use crate::haproxy::reply::{Proof, Reply, ReplyError, Taken};
use crate::net::unsigned;

/// The first release that prints values as fields of the CSV.
const QUOTES_SINCE: Release = (1, 7);

/// Maximum size of a reply in bytes: real ones have about 1.3 KB.
pub(super) const MAX_INFO_BYTES: usize = 64 * 1024;

/// The reply of a master process to a command for a process that does not exist.
const NO_SUCH_PROCESS: &[u8] = b"Can't find the target PID matching the prefix ";

/// The pairs of one reply. The memory is kept from scrape to scrape.
#[derive(Debug, Default)]
pub(crate) struct Info {
    /// All lines so far, without their line ends.
    text: Vec<u8>,
    pairs: Vec<Pair>,
    /// Size of the reply so far, in bytes.
    bytes: usize,
    /// A quote is open: the next line belongs to the value of the last pair.
    is_quoted: bool,
    /// The pair whose quote was opened, until it is closed at the end of a line.
    opened: Option<usize>,
    ends_blank: bool,
    /// The first line of a value with an opening quote that no other one closes.
    unquoted: Vec<u8>,
}

/// Positions of the parts of a pair in the text.
#[derive(Clone, Copy, Debug)]
struct Pair {
    key: usize,
    key_end: usize,
    value: usize,
    value_end: usize,
}

impl Info {
    /// The value of a key as HAProxy printed it, without the line end; `None` if the key is
    /// missing.
    pub(crate) fn get(&self, key: &str) -> Option<&[u8]> {
        let mut pairs = self.pairs();
        pairs.find_map(|(other, value)| (other == key.as_bytes()).then_some(value))
    }

    /// The value of a key, if it is a number.
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

    /// Discards the reply, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.pairs.clear();
        (self.bytes, self.is_quoted, self.ends_blank) = (0, false, false);
        self.opened = None;
    }

    /// Discards the reply and its memory, but not what is known about the quotes of this HAProxy.
    pub(crate) fn forget(&mut self) {
        let unquoted = std::mem::take(&mut self.unquoted);
        *self = Self {
            unquoted,
            ..Self::default()
        };
    }

    /// Takes all whole lines from the beginning of `input`, up to the empty line that ends the
    /// reply.
    ///
    /// # Errors
    /// If the reply is too large.
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
        // Do not wait for the end of a line that is too long.
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
        if self.is_quoted {
            let closing = closing_quote(line);
            self.is_quoted = closing.is_none();
            if closing.is_some_and(|at| at + 1 == line.len()) {
                self.opened = None;
            }
        } else if let Some(colon) = memchr::memmem::find(line, b": ") {
            let value = &line[colon + 2..];
            self.is_quoted = match value.strip_prefix(b"\"") {
                Some(rest) => closing_quote(rest).is_none() && self.has_quotes(value),
                None => false,
            };
            self.opened = self.opened.or(self.is_quoted.then_some(self.pairs.len()));
            self.pairs.push(Pair {
                key: start,
                key_end: start + colon,
                value: start + colon + 2,
                value_end: self.text.len(),
            });
        } else {
            return;
        }
        if let Some(pair) = self.pairs.last_mut() {
            pair.value_end = self.text.len();
        }
        if !self.is_quoted {
            self.unquote();
        }
    }

    /// The first two numbers of the release, `2.6.12-1+deb12u4`.
    pub(crate) fn release(&self) -> Option<Release> {
        release(self.get("Version")?)
    }

    /// Whether a value that begins with a quote is a field of the CSV.
    fn has_quotes(&self, value: &[u8]) -> bool {
        let is_old = self.release().is_some_and(|release| release < QUOTES_SINCE);
        !is_old && self.unquoted != value
    }

    /// Takes the quotes off the last value, if it is a field in quotes.
    fn unquote(&mut self) {
        let Some(pair) = self.pairs.last() else {
            return;
        };
        let (from, value) = (pair.value, &self.text[pair.value..pair.value_end]);
        let is_field = value.strip_prefix(b"\"").is_some_and(|rest| {
            closing_quote(rest).is_some_and(|at| at + 1 == rest.len()) && self.has_quotes(value)
        });
        if !is_field {
            return;
        }
        let quoted = self.text.split_off(from);
        let mut rest = &quoted[1..quoted.len() - 1];
        while let Some(at) = memchr::memchr(b'"', rest) {
            self.text.extend_from_slice(&rest[..=at]);
            // A quote inside is doubled.
            rest = rest.get(at + 2..).unwrap_or_default();
        }
        self.text.extend_from_slice(rest);
        if let Some(pair) = self.pairs.last_mut() {
            pair.value_end = self.text.len();
        }
    }

    /// Whether a quote was opened in the reply and not closed as one, so that the value holds whatever followed:
    /// the other keys, and the replies to other commands. If so, the value is taken as it is in the next
    /// replies, and this one must be asked for again.
    pub(crate) fn has_learned(&mut self) -> bool {
        let Some(pair) = self.opened.and_then(|opened| self.pairs.get(opened)) else {
            return false;
        };
        let value = &self.text[pair.value..pair.value_end];
        let end = memchr::memchr(b'\n', value).unwrap_or(value.len());
        self.unquoted.clear();
        self.unquoted.extend_from_slice(&value[..end]);
        true
    }

    fn check_end(&self, rest: &[u8]) -> Result<(), ReplyError> {
        if self.bytes == 0 && rest.is_empty() {
            return Err(ReplyError::Empty(Proof::EmptyLine));
        }
        // It has no closing empty line.
        if self.text.starts_with(NO_SUCH_PROCESS) {
            return Err(ReplyError::NoSuchProcess);
        }
        // An open quote here is one that an old release did not mean as such.
        if !rest.is_empty() || !self.ends_blank {
            return Err(ReplyError::Cut(Proof::EmptyLine));
        }
        match self.get("Version") {
            Some(version) if !version.is_empty() => Ok(()),
            _ => Err(ReplyError::NoVersion),
        }
    }
}

/// Where the quote is that closes a field, in what follows its opening quote: the first that is not doubled.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'"', &text[from..]) {
        let at = from + at;
        if text.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
    None
}

impl Reply for Info {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        self.take_lines(input)
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        self.check_end(rest)
    }
}

/// Parses a whole reply.
///
/// # Errors
/// If it is incomplete, too large or not one to `show info`.
pub(crate) fn parse(answer: &[u8]) -> Result<Info, ReplyError> {
    let mut info = Info::default();
    let mut taken = info.take_lines(answer);
    if info.has_learned() {
        info.clear();
        taken = info.take_lines(answer);
    }
    let taken = taken?;
    info.check_end(&answer[taken.bytes..])?;
    Ok(info)
}

/// The first two numbers of a version.
pub(super) fn release(version: &[u8]) -> Option<Release> {
    let text = std::str::from_utf8(version).ok()?;
    let (major, rest) = text.split_once('.')?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    Some((major.parse().ok()?, rest[..end].parse().ok()?))
}
