//! Reads the reply to `show stat`: classes of rows, limits, completeness.
//!
//! The bytes of a reply pass once, in pieces of any size, while HAProxy is still printing. Rows are
//! classified and passed on in place; the CSV itself is not kept.

mod answer;

pub(crate) use super::columns::CutHeader;
use super::columns::Header;
use super::csv::{BadQuote, Item, Row, Splitter};
use super::failures::{BadRow, Failures, Why, excerpt};
use super::limits::{MAX_LABEL_BYTES, MAX_LINE_BYTES, MIN_FIELDS};
use super::reply::{Proof, Reply, ReplyError, Taken};
use super::rows::{Filter, RowClass, Rules};
use answer::Answer;

pub(crate) use super::rows::RowType;

/// Maximum distance in bytes of a pending row from the end of the input.
const MAX_BATCH_BYTES: usize = 16 << 20;

/// What can follow the input.
#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    /// More rows or, after an empty line, another reply.
    Comes,
    /// Nothing.
    Never,
}

/// The position of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The text that contains all rows until the next flush.
    pub(crate) text: &'a [u8],
    /// Position of this row in it.
    pub(crate) at: usize,
    /// Line of the row in the reply, from 1.
    pub(crate) line: u64,
}

/// Receives the valid rows of replies.
pub(crate) trait RowSink {
    /// Another reply begins, with these columns. Returns the number of fields of each row that are
    /// read.
    fn begin(&mut self, header: &Header) -> usize;
    /// A row. Its fields can be read later, until `flush`.
    fn push(&mut self, row_type: RowType, row: &Row<'_>, place: Place<'_>, failures: &mut Failures);
    /// A server that is not exported, but counted among its backend's.
    fn count(&mut self, row: &Row<'_>);
    /// The text that contains the rows will be overwritten.
    fn flush(&mut self, text: &[u8], failures: &mut Failures);
    /// Size of all names that are kept, in bytes.
    fn name_bytes(&self) -> usize;
}

/// Reads replies; the memory is kept from one to the next.
#[derive(Debug)]
pub(crate) struct StatReader {
    splitter: Splitter,
    header: Header,
    rules: Rules,
    failures: Failures,
    answer: Answer,
}

/// One reply, and what receives its rows.
pub(crate) struct StatReply<'a> {
    reader: &'a mut StatReader,
    rows: &'a mut dyn RowSink,
}

impl StatReader {
    /// A reader with a filter.
    pub(crate) fn new(filter: Filter) -> Self {
        Self {
            splitter: Splitter::default(),
            header: Header::default(),
            rules: Rules::new(filter),
            failures: Failures::default(),
            answer: Answer::default(),
        }
    }

    /// Begins another scrape, or discards a failed one.
    pub(crate) fn clear(&mut self) {
        self.rules.unwanted = None;
        self.failures = Failures::default();
        self.answer.clear();
    }

    /// Begins another reply, whose rows go to `rows`.
    pub(crate) fn reply<'a>(&'a mut self, rows: &'a mut dyn RowSink) -> StatReply<'a> {
        self.answer.clear();
        StatReply { reader: self, rows }
    }

    /// Compares the header of the reply that was read with its rows. If all rows have the same number of
    /// fields, and more than the header, then HAProxy cut the header at `tune.bufsize`. Returns whether that
    /// changes how the rows are read: then the reply must be asked for again. It holds for the next replies
    /// with this header, until a row has as many fields as the header.
    pub(crate) fn has_learned(&mut self) -> bool {
        let (header, rows) = (&mut self.header, self.rules.row_fields());
        let Some(names) = header.name_count() else {
            return false;
        };
        let cut = match rows.all().filter(|fields| *fields > names) {
            Some(fields) => Some(fields),
            None if rows.some_as_header => None,
            None => return false,
        };
        let is_new = header.cut() != cut;
        header.set_cut(cut);
        is_new
    }

    /// How often the header has changed.
    pub(crate) fn header_changes(&self) -> u64 {
        self.header.changes()
    }

    /// Exchanges the last cut header, for a reply of another HAProxy instance.
    pub(crate) fn swap_cut_header(&mut self, other: &mut Option<CutHeader>) {
        self.header.swap_known_cut(other);
    }

    /// What could not be parsed in this scrape, to add more.
    pub(crate) fn failures_mut(&mut self) -> &mut Failures {
        &mut self.failures
    }

    /// What could not be parsed in this scrape.
    pub(crate) fn failures(&self) -> &Failures {
        &self.failures
    }

    /// Whether the reply had a header and no row.
    pub(crate) fn has_no_row(&self) -> bool {
        self.answer.has_header && !self.answer.has_good_row && self.failures.count == 0
    }

    /// The first proxy of this scrape that the filter excludes, if there is one.
    pub(crate) fn unwanted(&self) -> Option<&str> {
        self.rules.unwanted.as_deref()
    }
}

impl StatReply<'_> {
    /// Ends the reply: `rest` is what `push` did not take. `proof` shows whether the reply is
    /// complete.
    ///
    /// # Errors
    /// If the reply is incomplete or not statistics; none of it must be exported then.
    fn end(&mut self, rest: &[u8], proof: Proof) -> Result<(), ReplyError> {
        // A body of the announced length can lack the last line end, but not if its last line is
        // the header.
        let cut_header = self.reader.answer.lines == 0 && rest.starts_with(b"#");
        let is_cut = cut_header || (proof != Proof::Length && !rest.is_empty());
        if !(is_cut && (self.looks_like_statistics() || cut_header)) {
            // Needed too for naming what else it is, if it is not statistics.
            self.take_rows(rest, More::Never)?;
            if !self.looks_like_statistics() {
                return Err(self.not_statistics(proof));
            }
        }
        // A body of the announced length can still end in an incomplete row.
        if !rest.is_empty() && self.reader.answer.ends_in_cut_row {
            return Err(ReplyError::Cut(proof));
        }
        if is_cut || (proof == Proof::EmptyLine && !self.reader.answer.ends_blank) {
            return Err(ReplyError::Cut(proof));
        }
        Ok(())
    }

    fn looks_like_statistics(&self) -> bool {
        self.reader.answer.has_header || self.reader.answer.has_good_row
    }

    fn not_statistics(&self, proof: Proof) -> ReplyError {
        let line = self.reader.answer.first_line.as_slice();
        if line.is_empty() {
            return ReplyError::Empty(proof);
        }
        match line.trim_ascii_start().first() {
            Some(b'<') => ReplyError::Html,
            _ if self.reader.answer.is_of_master => ReplyError::Master,
            _ => ReplyError::NotStatistics(excerpt(line)),
        }
    }

    fn take_rows(&mut self, input: &[u8], more: More) -> Result<usize, ReplyError> {
        // Where the text of the pending rows begins.
        let mut origin = 0;
        let result = self.take_rows_from(input, more, &mut origin);
        self.rows.flush(&input[origin..], &mut self.reader.failures);
        result
    }

    fn take_rows_from(
        &mut self,
        input: &[u8],
        more: More,
        origin: &mut usize,
    ) -> Result<usize, ReplyError> {
        let mut at = 0;
        while at < input.len() {
            if at - *origin > MAX_BATCH_BYTES {
                self.rows
                    .flush(&input[*origin..], &mut self.reader.failures);
                *origin = at;
            }
            let reader = &mut *self.reader;
            let (item, taken) = reader.splitter.next(&input[at..], more == More::Never);
            if taken > MAX_LINE_BYTES || (taken == 0 && input.len() - at > MAX_LINE_BYTES) {
                return Err(ReplyError::LineTooLong(reader.answer.next_line()));
            }
            if taken == 0 {
                break;
            }
            if matches!(item, Item::Row(_)) && !reader.answer.has_begun {
                // Without a header, columns are at their numbers. The row is split again, because
                // the number of fields to locate is known only now.
                reader.header.forget();
                self.begin();
                continue;
            }
            let line = reader.answer.take(&item, &input[at..at + taken]);
            match item {
                Item::Row(row) => {
                    let class = reader.rules.judge(&row, line, &mut reader.failures)?;
                    reader.answer.judged(class);
                    match class {
                        RowClass::Wanted(row_type) => {
                            let place = Place {
                                text: &input[*origin..],
                                at: at - *origin,
                                line,
                            };
                            self.rows.push(row_type, &row, place, &mut reader.failures);
                        }
                        RowClass::Excluded => self.rows.count(&row),
                        _ => {}
                    }
                    if self.rows.name_bytes() > MAX_LABEL_BYTES {
                        return Err(ReplyError::NamesTooLong(line));
                    }
                }
                Item::Bad(reason) => reader.failures.add(bad_quote(reason, line)),
                Item::Comment(text) if is_header(text) => {
                    reader.answer.has_header = true;
                    self.rows
                        .flush(&input[*origin..], &mut self.reader.failures);
                    *origin = at;
                    self.read_header(input[at..at + taken].trim_ascii_end());
                }
                Item::Comment(_) | Item::Blank | Item::Incomplete => {}
            }
            at += taken;
            // The following bytes can be the reply to another command.
            if self.reader.answer.ends_blank && more == More::Comes {
                break;
            }
        }
        Ok(at)
    }

    /// A header with fewer columns than a row must have is not one of HAProxy.
    fn read_header(&mut self, text: &[u8]) {
        let has_enough = |header: &Header| header.field_count().is_some_and(|n| n >= MIN_FIELDS);
        self.reader.header.read(text);
        if has_enough(&self.reader.header) {
            self.begin();
        } else {
            self.reader.header.forget();
        }
    }

    /// The columns are known: passes them to everything that reads fields by position.
    fn begin(&mut self) {
        let reader = &mut *self.reader;
        reader.answer.has_begun = true;
        reader.rules.begin(&reader.header);
        // The fields that decide about rows are among them.
        let located = self.rows.begin(&reader.header).max(MIN_FIELDS);
        reader.splitter.set_located(located);
    }
}

impl Reply for StatReply<'_> {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        let bytes = self.take_rows(input, More::Comes)?;
        let ends = bytes > 0 && self.reader.answer.ends_blank;
        Ok(Taken { bytes, ends })
    }

    fn finish(&mut self, rest: &[u8], proof: Proof) -> Result<(), ReplyError> {
        self.end(rest, proof)
    }
}

/// `# pxname,svname,...`, in any order.
fn is_header(comment: &[u8]) -> bool {
    comment.starts_with(b"# pxname,") || memchr::memmem::find(comment, b",pxname,").is_some()
}

fn bad_quote(reason: BadQuote, line: u64) -> BadRow {
    let why = match reason {
        BadQuote::Bare => Why::BareQuote,
        BadQuote::Unclosed => Why::UnclosedQuote,
    };
    BadRow { line, why }
}

#[cfg(test)]
mod tests;
