//! Decides whether a reply is one to `show stat`, and complete.

use super::super::csv::{Item, Row};
use super::super::failures::EXCERPT_BYTES;
use super::super::rows::RowClass;

/// Facts about the reply so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub lines: u64,
    pub has_header: bool,
    pub has_good_row: bool,
    /// The rows' columns are known.
    pub has_begun: bool,
    pub ends_blank: bool,
    /// The last row had a wrong number of fields.
    pub ends_in_cut_row: bool,
    /// It says that `show stat` is unknown and that `show proc` is known: a master process.
    pub is_of_master: bool,
    /// The first line that is not blank; kept to save an allocation per scrape.
    pub first_line: Vec<u8>,
}

impl Answer {
    /// Counts the lines of an item; returns the number of the first.
    pub(super) fn take(&mut self, item: &Item<'_>, bytes: &[u8]) -> u64 {
        let line = self.next_line();
        self.lines += 1;
        self.ends_blank = matches!(item, Item::Blank);
        if self.first_line.is_empty() && !self.ends_blank {
            let first = &bytes[..bytes.len().min(EXCERPT_BYTES)];
            self.first_line.extend_from_slice(first.trim_ascii_end());
        }
        self.is_of_master |= self.first_line.starts_with(b"Unknown command")
            && bytes.trim_ascii_start().starts_with(b"show proc ");
        // Such a row can have line ends in its fields.
        if let Item::Bad(_)
        | Item::Row(Row {
            is_unquoted: true, ..
        }) = item
        {
            let ends = memchr::memchr_iter(b'\n', bytes).count() as u64;
            self.lines += ends.saturating_sub(1);
        }
        line
    }

    /// The number of the next line, from 1.
    pub(super) fn next_line(&self) -> u64 {
        self.lines + 1
    }

    /// A row was classified.
    pub(super) fn judged(&mut self, class: RowClass) {
        self.has_good_row |= matches!(
            class,
            RowClass::Wanted(_) | RowClass::Excluded | RowClass::Unwanted
        );
        self.ends_in_cut_row = class == RowClass::Cut;
    }

    /// Begins another reply.
    pub(super) fn clear(&mut self) {
        let mut first_line = std::mem::take(&mut self.first_line);
        first_line.clear();
        *self = Self {
            first_line,
            ..Self::default()
        };
    }
}
