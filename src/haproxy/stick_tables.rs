//! The answer to `show table` without a name: one line a stick table, whatever its size (management
//! guide, section 9.3). With a name or a filter HAProxy would walk through its entries: never asked.

use super::lines::Lines;
use super::reply::{Proof, Reply, ReplyError, Taken};

/// The command.
pub(crate) const SHOW_TABLE: &str = "show table";

/// The stick tables of one answer.
#[derive(Debug, Default)]
pub(crate) struct StickTables {
    lines: Lines,
}

/// One of them: its fields as HAProxy printed them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StickTable<'a> {
    /// The table's name: that of its section.
    pub(crate) name: &'a [u8],
    /// What its keys are, such as `ip`.
    pub(crate) key_type: &'a [u8],
    /// Entries that it can hold.
    pub(crate) size: &'a [u8],
    /// Entries that it holds.
    pub(crate) used: &'a [u8],
}

impl StickTables {
    /// Forgets the answer, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
    }

    /// All tables, in the order of the answer.
    pub(crate) fn iter(&self) -> impl Iterator<Item = StickTable<'_>> {
        self.lines.iter().filter_map(parse)
    }
}

impl Reply for StickTables {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        self.lines.push(input)
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        self.lines
            .finish(rest, SHOW_TABLE, |line| parse(line).is_some())
    }
}

/// `# table: NAME, type: TYPE, size:N, used:N`; what newer versions put behind it is passed over.
fn parse(line: &[u8]) -> Option<StickTable<'_>> {
    let rest = line.strip_prefix(b"# table: ")?;
    let (name, rest) = split_once(rest, b", type: ")?;
    let (key_type, rest) = split_once(rest, b", size:")?;
    let (size, rest) = split_once(rest, b", used:")?;
    let end = memchr::memchr(b',', rest).unwrap_or(rest.len());
    Some(StickTable {
        name,
        key_type,
        size,
        used: rest[..end].trim_ascii(),
    })
}

fn split_once<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(text, separator)?;
    Some((&text[..at], &text[at + separator.len()..]))
}

#[cfg(test)]
mod tests;
