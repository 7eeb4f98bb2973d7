//! A zero-copy splitter for HAProxy's CSV (management guide, section 9.1; quoting as in RFC 4180).
//!
//! A line without a quote, which is nearly every line, is split in place. A line with a quote takes
//! a slower path: its fields are unquoted into a scratch buffer. Comments, blank lines and bad rows
//! are defined as in Go's `encoding/csv`, which the Go exporter uses.

mod commas;

use memchr::{memchr, memchr_iter, memchr2};

use commas::{BLOCK_BYTES, COMMAS_A_TURN, locate_fields};

/// Number of fields that are located by default; further fields are only counted.
pub const LOCATED_FIELDS: usize = 80;

/// One row: its bytes and where its fields are.
#[derive(Debug)]
pub struct Row<'a> {
    bytes: &'a [u8],
    /// For each located field the position after its comma or line end, where the next field
    /// begins.
    nexts: &'a [u32],
    /// Number of all fields of the row.
    pub count: usize,
    /// Whether the row is a copy without quotes instead of the first bytes of the input.
    pub is_unquoted: bool,
}

impl<'a> Row<'a> {
    /// The field at `position`, from 0; `None` if the row does not have it or it was not located.
    pub fn field(&self, position: usize) -> Option<&'a [u8]> {
        let next = *self.nexts.get(position)? as usize;
        let start = match position {
            0 => 0,
            _ => self.nexts[position - 1] as usize,
        };
        self.bytes.get(start..next - 1)
    }

    /// The bytes that contain the fields.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Appends the positions in the row where the first `count - 1` fields begin, and where the
    /// last of them ends. A field ends one byte before the next begins. Fields that the row lacks
    /// are empty.
    pub(crate) fn starts(&self, count: usize, to: &mut Vec<u32>) {
        to.push(0);
        let located = self.nexts.len().min(count.saturating_sub(1));
        to.extend_from_slice(&self.nexts[..located]);
        let mut start = self.nexts[..located].last().copied().unwrap_or(0);
        for _ in located + 1..count {
            start += 1;
            to.push(start);
        }
    }
}

/// Why a row could not be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadQuote {
    /// A quote inside a field that does not begin with one, or text after a closing quote.
    Bare,
    /// The input ended inside quotes.
    Unclosed,
}

/// The first item of the input, and the number of bytes it occupies.
#[derive(Debug)]
pub enum Item<'a> {
    /// A row of fields.
    Row(Row<'a>),
    /// An empty line.
    Blank,
    /// A line that begins with `#`, without its line end.
    Comment(&'a [u8]),
    /// A line that cannot be split.
    Bad(BadQuote),
    /// The end of the row is not in the input yet.
    Incomplete,
}

/// Memory of the splitter, kept from row to row so that nothing is allocated.
#[derive(Debug)]
pub struct Splitter {
    /// Number of fields that are located.
    located: usize,
    /// Fields of a line without quotes: positions after commas. The last block can contain more
    /// commas than wanted, and its last step more than exist.
    nexts: Vec<u32>,
    /// Fields in the scratch buffer.
    unquoted: Vec<u32>,
    scratch: Vec<u8>,
}

impl Default for Splitter {
    fn default() -> Self {
        Self {
            located: LOCATED_FIELDS,
            nexts: vec![0; LOCATED_FIELDS + BLOCK_BYTES + COMMAS_A_TURN],
            unquoted: Vec::new(),
            scratch: Vec::new(),
        }
    }
}

impl Splitter {
    /// Locates the first `count` fields of each row from now on.
    pub(crate) fn set_located(&mut self, count: usize) {
        self.located = count;
        self.nexts.resize(count + BLOCK_BYTES + COMMAS_A_TURN, 0);
    }

    /// Splits the first line or row of `input`. With `last` no more bytes follow, so a line without
    /// a line end is complete. Returns the item and the number of bytes it occupies: 0 for
    /// `Incomplete`, which an empty input gives too.
    pub fn next<'a>(&'a mut self, input: &'a [u8], last: bool) -> (Item<'a>, usize) {
        // One search finds the end of the line, or a quote before it.
        let (line, taken) = match memchr2(b'\n', b'"', input) {
            Some(at) if input[at] == b'\n' => (&input[..at], at + 1),
            Some(_) if input[0] != b'#' => return self.careful(input, last),
            _ => match memchr(b'\n', input) {
                Some(at) => (&input[..at], at + 1),
                None if last && !input.is_empty() => (input, input.len()),
                None => return (Item::Incomplete, 0),
            },
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let item = match line.first() {
            None => Item::Blank,
            Some(b'#') => Item::Comment(line),
            Some(_) => Item::Row(self.plain(line)),
        };
        (item, taken)
    }

    fn plain<'a>(&'a mut self, line: &'a [u8]) -> Row<'a> {
        let (found, searched) = locate_fields(line, self.located, &mut self.nexts);
        let count = if searched < line.len() {
            found + 1 + memchr_iter(b',', &line[searched..]).count()
        } else {
            found + 1
        };
        let mut located = found;
        if located < self.located {
            self.nexts[located] = line.len() as u32 + 1;
            located += 1;
        }
        Row {
            bytes: line,
            nexts: &self.nexts[..located],
            count,
            is_unquoted: false,
        }
    }

    /// Splits a row whose first line has a quote; it can span several lines.
    fn careful<'a>(&'a mut self, input: &'a [u8], last: bool) -> (Item<'a>, usize) {
        self.unquoted.clear();
        self.scratch.clear();
        let mut count = 0;
        let mut at = 0;
        loop {
            let field = if input.get(at) == Some(&b'"') {
                quoted_field(input, at, last, &mut self.scratch)
            } else {
                bare_field(input, at, last, &mut self.scratch)
            };
            let (next, stop) = match field {
                Field::Ends { next, stop } => (next, stop),
                Field::Incomplete => return (Item::Incomplete, 0),
                Field::Bad { reason, next } => return (Item::Bad(reason), next),
            };
            count += 1;
            if self.unquoted.len() < self.located {
                self.unquoted.push(self.scratch.len() as u32 + 1);
                self.scratch.push(b',');
            } else {
                // The fields after the located ones are not read.
                let kept = self.unquoted.last().map_or(0, |next| *next as usize);
                self.scratch.truncate(kept);
            }
            if stop {
                return (
                    Item::Row(Row {
                        bytes: &self.scratch,
                        nexts: &self.unquoted,
                        count,
                        is_unquoted: true,
                    }),
                    next,
                );
            }
            at = next;
        }
    }
}

enum Field {
    /// The field is in the scratch buffer; the next one begins at `next`, unless `stop` ends the
    /// row.
    Ends {
        next: usize,
        stop: bool,
    },
    Incomplete,
    /// The line that ends before `next` is invalid.
    Bad {
        reason: BadQuote,
        next: usize,
    },
}

/// A field without quotes, from `at` to its comma or line end.
fn bare_field(input: &[u8], at: usize, last: bool, scratch: &mut Vec<u8>) -> Field {
    let rest = &input[at..];
    let end = match rest.iter().position(|b| matches!(b, b',' | b'\n' | b'"')) {
        Some(end) => end,
        None if last => rest.len(),
        None => return Field::Incomplete,
    };
    match rest.get(end) {
        Some(b',') => {
            scratch.extend_from_slice(&rest[..end]);
            Field::Ends {
                next: at + end + 1,
                stop: false,
            }
        }
        Some(b'"') => bad_line(input, at + end, last, BadQuote::Bare),
        line_end => {
            let field = &rest[..end];
            scratch.extend_from_slice(field.strip_suffix(b"\r").unwrap_or(field));
            Field::Ends {
                next: at + end + usize::from(line_end.is_some()),
                stop: true,
            }
        }
    }
}

/// A field in quotes, from its opening quote at `at` to its comma or line end.
fn quoted_field(input: &[u8], at: usize, last: bool, scratch: &mut Vec<u8>) -> Field {
    let mut from = at + 1;
    loop {
        let Some(length) = memchr(b'"', &input[from..]) else {
            return match last {
                true => Field::Bad {
                    reason: BadQuote::Unclosed,
                    next: input.len(),
                },
                false => Field::Incomplete,
            };
        };
        let quote = from + length;
        push_lines(&input[from..quote], scratch);
        match (input.get(quote + 1), input.get(quote + 2)) {
            (Some(b'"'), _) => {
                scratch.push(b'"');
                from = quote + 2;
            }
            (Some(b','), _) => {
                return Field::Ends {
                    next: quote + 2,
                    stop: false,
                };
            }
            (Some(b'\n'), _) => {
                return Field::Ends {
                    next: quote + 2,
                    stop: true,
                };
            }
            (Some(b'\r'), Some(b'\n')) => {
                return Field::Ends {
                    next: quote + 3,
                    stop: true,
                };
            }
            (Some(b'\r'), None) if last => {
                return Field::Ends {
                    next: quote + 2,
                    stop: true,
                };
            }
            (None, _) if last => {
                return Field::Ends {
                    next: quote + 1,
                    stop: true,
                };
            }
            (None, _) | (Some(b'\r'), None) => return Field::Incomplete,
            _ => return bad_line(input, quote + 1, last, BadQuote::Bare),
        }
    }
}

/// Copies quoted text; CR LF in it becomes LF, as in Go's reader.
fn push_lines(text: &[u8], scratch: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, b"\r\n") {
        scratch.extend_from_slice(&rest[..at]);
        scratch.push(b'\n');
        rest = &rest[at + 2..];
    }
    scratch.extend_from_slice(rest);
}

/// Skips an invalid row up to the end of the line that contains `at`.
fn bad_line(input: &[u8], at: usize, last: bool, reason: BadQuote) -> Field {
    match memchr(b'\n', &input[at..]) {
        Some(length) => Field::Bad {
            reason,
            next: at + length + 1,
        },
        None if last => Field::Bad {
            reason,
            next: input.len(),
        },
        None => Field::Incomplete,
    }
}

#[cfg(test)]
mod tests;
