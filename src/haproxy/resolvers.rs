//! The answer to `show stat domain resolvers`: a CSV of its own, one row a name server of a
//! `resolvers` section (management guide, section 9.3; HAProxy 2.5 and later).

use super::lines::Lines;
use super::reply::{Proof, Reply, ReplyError, Taken};

/// The command. HAProxy before 2.3 takes it for a plain `show stat`, 2.3 and 2.4 do not know the word.
pub(crate) const SHOW_RESOLVERS: &str = "show stat domain resolvers";
/// The first release that knows it.
pub(crate) const SINCE: (u32, u32) = (2, 5);

/// The name servers of one answer.
#[derive(Debug, Default)]
pub(crate) struct Resolvers {
    lines: Lines,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameServer<'a> {
    header: &'a [u8],
    row: &'a [u8],
}

impl Resolvers {
    /// Forgets the answer, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
    }

    /// All name servers, in the order of the answer.
    pub(crate) fn iter(&self) -> impl Iterator<Item = NameServer<'_>> {
        let mut lines = self.lines.iter();
        let header = lines.next().unwrap_or_default();
        let header = header.strip_prefix(b"# ").unwrap_or(header);
        lines.map(move |row| NameServer { header, row })
    }
}

impl<'a> NameServer<'a> {
    /// The cell of a column, if the answer has it.
    pub(crate) fn cell(&self, column: &str) -> Option<&'a [u8]> {
        let mut names = self.header.split(|byte| *byte == b',');
        let position = names.position(|name| name == column.as_bytes())?;
        self.row.split(|byte| *byte == b',').nth(position)
    }
}

impl Reply for Resolvers {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        self.lines.push(input)
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        // An answer without a header is one to something else; without resolvers there is only it.
        let first = self.lines.iter().next().unwrap_or_default();
        let is_right = first.starts_with(b"# id,pid,");
        self.lines.finish(rest, SHOW_RESOLVERS, |_| is_right)
    }
}

#[cfg(test)]
mod tests;
