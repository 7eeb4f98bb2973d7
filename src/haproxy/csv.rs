//! A zero-copy splitter for HAProxy's CSV (management guide, section 9.1; quoting as RFC 4180).
//!
//! A line without a quote, which is nearly all of them, is split where it lies. A line with a
//! quote takes the careful path: its fields are unquoted into a scratch buffer.
//! What is a comment, a blank line or a bad row follows Go's `encoding/csv`, as the Go exporter uses it.

mod commas;

use memchr::{memchr, memchr_iter, memchr2};

use commas::{BLOCK_BYTES, COMMAS_A_TURN, locate_fields};

/// Fields that are located one by one unless the splitter is told otherwise; later ones are only
/// counted.
pub const LOCATED_FIELDS: usize = 80;

/// One row: its bytes and where its fields are.
#[derive(Debug)]
pub struct Row<'a> {
    bytes: &'a [u8],
    /// One position behind the comma or line end of each located field, where the next begins.
    nexts: &'a [u32],
    /// Number of all fields of the row.
    pub count: usize,
    /// Whether the row is not the input's first bytes but its fields without their quotes.
    pub is_unquoted: bool,
}

impl<'a> Row<'a> {
    /// The field at `position`, from 0; `None` beyond the row or beyond those that are located.
    pub fn field(&self, position: usize) -> Option<&'a [u8]> {
        let next = *self.nexts.get(position)? as usize;
        let start = match position {
            0 => 0,
            _ => self.nexts[position - 1] as usize,
        };
        self.bytes.get(start..next - 1)
    }

    /// The bytes that the fields are in.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Puts where the first `count - 1` fields begin in the row, and where the last of them ends; one
    /// byte before the next begins, a field ends. Fields that the row does not have are empty.
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

/// Why a row could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadQuote {
    /// A quote inside a field that does not begin with one, or text behind a closing quote.
    Bare,
    /// The input ended inside quotes.
    Unclosed,
}

/// What the input begins with, and how many bytes of it that takes.
#[derive(Debug)]
pub enum Item<'a> {
    /// A row of fields.
    Row(Row<'a>),
    /// A line with nothing in it.
    Blank,
    /// A line that begins with `#`, without its line end.
    Comment(&'a [u8]),
    /// A line that cannot be split.
    Bad(BadQuote),
    /// The row's end is not in the input yet: more bytes, or the end of the input, must decide.
    Incomplete,
}

/// The splitter's memory, kept from row to row so that nothing is allocated.
#[derive(Debug)]
pub struct Splitter {
    /// How many fields are located.
    located: usize,
    /// Fields of a line without quotes: positions behind commas. The last block may bring more than
    /// are wanted, the last turn more than there are.
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

    /// Splits the first line or row of `input`. `last` says that no more bytes will come, so that
    /// a line without a line end is whole. Returns the item and the bytes it takes (0 for
    /// `Incomplete`, and for an empty input, which is `Incomplete`).
    pub fn next<'a>(&'a mut self, input: &'a [u8], last: bool) -> (Item<'a>, usize) {
        // One pass finds the line's end, or a quote before it.
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

    /// Splits a row with quotes somewhere in its first line; it may span several lines.
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
                // Nobody reads the fields behind the located ones.
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
    /// The field is in the scratch buffer; the next begins at `next`, unless `stop` ends the row.
    Ends {
        next: usize,
        stop: bool,
    },
    Incomplete,
    /// The line that ends before `next` is lost.
    Bad {
        reason: BadQuote,
        next: usize,
    },
}

/// A field without quotes, from `at` to the comma or line end behind it.
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

/// A field in quotes, from its opening quote at `at` to the comma or line end behind it.
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

/// Copies quoted text; a CR LF in it becomes LF, as Go's reader has it.
fn push_lines(text: &[u8], scratch: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, b"\r\n") {
        scratch.extend_from_slice(&rest[..at]);
        scratch.push(b'\n');
        rest = &rest[at + 2..];
    }
    scratch.extend_from_slice(rest);
}

/// A row is lost up to the end of the line that holds `at`.
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
