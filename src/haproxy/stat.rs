//! From rows to columns: what a scrape keeps of the CSV.
//!
//! The bytes of an answer pass by once, in pieces of any size, while HAProxy is still printing.
//! Each wanted cell is checked and its value text put behind those of the rows before it, column
//! by column, since the exposition wants all samples of a metric together. The labels of a row are
//! escaped once. The CSV itself is not kept. How long the exposition will be is added up on the way.

use std::io;

use crate::haproxy::csv::{BadQuote, Item, Row, Splitter};
use crate::haproxy::failures::{EXCERPT_BYTES, Failures, excerpt};
use crate::haproxy::reply::{Proof, Reply, ReplyError, Taken};
use crate::haproxy::rules::{MAX_LABEL_BYTES, MAX_LINE_BYTES, Rules, TableError, Verdict};
use crate::metrics::exposition::Writer;
use crate::metrics::snapshot::{Place, Rows};
use crate::metrics::{Cell, Profile, Scope};

/// Scrapes in a row that need less than a quarter of the memory before it is given back.
const IDLE_SCRAPES_BEFORE_SHRINK: u32 = 20;
/// Rows whose columns are not made yet may lie so far back in the input.
const MAX_BATCH_BYTES: usize = 16 << 20;

/// The command: frontends (1), backends (2) and servers (4) of all proxies, not listeners (8).
pub(crate) const SHOW_STAT: &str = "show stat -1 7 -1";
/// Frontends and backends only.
pub(crate) const SHOW_STAT_WITHOUT_SERVERS: &str = "show stat -1 3 -1";

/// What may follow the input.
#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    /// More of the same answer.
    Comes,
    /// Behind an empty line, another answer.
    BehindBlank,
    /// Nothing.
    Never,
}

/// The statistics of one scrape, by scope and column.
#[derive(Debug)]
pub struct Table {
    splitter: Splitter,
    scopes: [Rows; 3],
    rules: Rules,
    failures: Failures,
    answer: Answer,
    light_scrapes: u32,
}

/// What was seen of the answer so far.
#[derive(Debug, Default)]
struct Answer {
    lines: u64,
    header: bool,
    good_row: bool,
    ends_blank: bool,
    /// The last row had a wrong number of fields.
    ends_in_bad_row: bool,
    /// Empty until a line has come that is not blank; kept to save an allocation a scrape.
    first_line: Vec<u8>,
}

impl Answer {
    /// Counts an item's lines; returns the number of its first.
    fn take(&mut self, item: &Item<'_>, bytes: &[u8]) -> u64 {
        self.lines += 1;
        let line = self.lines;
        self.ends_blank = matches!(item, Item::Blank);
        if self.first_line.is_empty() && !self.ends_blank {
            let first = &bytes[..bytes.len().min(EXCERPT_BYTES)];
            self.first_line.extend_from_slice(first.trim_ascii_end());
        }
        match item {
            Item::Comment(text) => self.header |= text.starts_with(b"# pxname,"),
            // Such a row may have line ends in its cells.
            Item::Row(Row {
                is_unquoted: true, ..
            })
            | Item::Bad(_) => {
                let ends = memchr::memchr_iter(b'\n', bytes).count() as u64;
                self.lines += ends.saturating_sub(1);
            }
            _ => {}
        }
        line
    }

    fn judged(&mut self, verdict: Verdict) {
        self.good_row |= matches!(verdict, Verdict::Wanted(_) | Verdict::Unwanted);
        self.ends_in_bad_row = verdict == Verdict::Bad;
    }

    fn clear(&mut self) {
        let mut first_line = std::mem::take(&mut self.first_line);
        first_line.clear();
        *self = Self {
            first_line,
            ..Self::default()
        };
    }
}

impl Table {
    /// A table for `profile`. Of the server columns only those in `server_columns` are kept;
    /// server rows whose status matches one of `excluded_states` are left out.
    pub fn new(profile: &Profile, server_columns: &[usize], excluded_states: Vec<Vec<u8>>) -> Self {
        let scopes = Scope::ALL.map(|scope| {
            let wanted =
                |cell: &Cell| scope != Scope::Server || server_columns.contains(&cell.column);
            Rows::new(scope, profile, wanted)
        });
        Self {
            splitter: Splitter::default(),
            scopes,
            rules: Rules::new(excluded_states),
            failures: Failures::default(),
            answer: Answer::default(),
            light_scrapes: 0,
        }
    }

    /// Whether server rows are of any use.
    pub fn wants_servers(&self) -> bool {
        !self.scopes[Scope::Server as usize].is_empty()
    }

    /// Forgets the rows, keeps the memory.
    pub fn clear(&mut self) {
        self.rules.clear();
        self.failures = Failures::default();
        self.answer.clear();
        self.scopes.iter_mut().for_each(Rows::clear);
    }

    /// Takes all whole rows at the beginning of `input` and returns how many bytes they are; the
    /// rest must come again, with more behind it.
    ///
    /// # Errors
    /// When a limit is passed: then the whole answer is refused.
    pub fn push(&mut self, input: &[u8]) -> Result<usize, TableError> {
        self.take_rows(input, More::Comes)
    }

    /// Ends the answer: `rest` is what `push` left. `proof` is what must show that nothing is missing.
    ///
    /// # Errors
    /// When the answer is cut or no statistics; nothing of it may be exported then.
    pub fn finish(&mut self, rest: &[u8], proof: Proof) -> Result<(), TableError> {
        // A body as long as announced may do without the last line end, but no header does.
        let cut_header = self.answer.lines == 0 && rest.starts_with(b"#");
        let is_cut = cut_header || (proof != Proof::Length && !rest.is_empty());
        if !(is_cut && (self.looks_like_statistics() || cut_header)) {
            // Also to say what else it is, if it is no statistics.
            self.take_rows(rest, More::Never)?;
            if !self.looks_like_statistics() {
                return Err(self.not_statistics(proof));
            }
        }
        // A body as long as announced may still end in a row that is not whole.
        if !rest.is_empty() && self.answer.ends_in_bad_row {
            return Err(TableError::Cut(proof));
        }
        if is_cut || (proof == Proof::EmptyLine && !self.answer.ends_blank) {
            return Err(TableError::Cut(proof));
        }
        Ok(())
    }

    /// Gives memory back that the last scrapes did not need. To be called once a scrape.
    pub fn shrink(&mut self) {
        if self.scopes.iter().all(Rows::is_full) {
            self.light_scrapes = 0;
            return;
        }
        self.light_scrapes += 1;
        if self.light_scrapes >= IDLE_SCRAPES_BEFORE_SHRINK {
            self.light_scrapes = 0;
            self.scopes.iter_mut().for_each(Rows::shrink);
        }
    }

    /// What could not be read in this scrape.
    pub fn failures(&self) -> &Failures {
        &self.failures
    }

    /// Bytes that `write` will write.
    pub fn exposition_bytes(&self) -> u64 {
        self.scopes.iter().map(Rows::exposition_bytes).sum()
    }

    /// Writes all samples, family by family.
    ///
    /// # Errors
    /// Those of the writer's output.
    pub fn write(&self, to: &mut Writer<'_>) -> io::Result<()> {
        self.scopes.iter().try_for_each(|rows| rows.write(to))
    }

    fn looks_like_statistics(&self) -> bool {
        self.answer.header || self.answer.good_row
    }

    fn not_statistics(&self, proof: Proof) -> TableError {
        let line = self.answer.first_line.as_slice();
        if line.is_empty() {
            return TableError::Empty(proof);
        }
        match line.trim_ascii_start().first() {
            Some(b'<') => TableError::Html,
            _ => TableError::NotStatistics(excerpt(line)),
        }
    }

    fn take_rows(&mut self, input: &[u8], more: More) -> Result<usize, TableError> {
        // Where the text begins that the rows' batches lie in.
        let mut origin = 0;
        let result = self.take_rows_from(input, more, &mut origin);
        self.flush(&input[origin..]);
        result
    }

    fn take_rows_from(
        &mut self,
        input: &[u8],
        more: More,
        origin: &mut usize,
    ) -> Result<usize, TableError> {
        let mut at = 0;
        while at < input.len() {
            if at - *origin > MAX_BATCH_BYTES {
                self.flush(&input[*origin..]);
                *origin = at;
            }
            let (item, taken) = self.splitter.next(&input[at..], more == More::Never);
            if taken > MAX_LINE_BYTES || (taken == 0 && input.len() - at > MAX_LINE_BYTES) {
                return Err(TableError::LineTooLong(self.answer.lines + 1));
            }
            if taken == 0 {
                break;
            }
            let line = self.answer.take(&item, &input[at..at + taken]);
            match item {
                Item::Row(row) => {
                    let verdict = self.rules.judge(&row, line, &mut self.failures)?;
                    self.answer.judged(verdict);
                    if let Verdict::Wanted(scope) = verdict {
                        let place = Place {
                            text: &input[*origin..],
                            at: at - *origin,
                            line,
                        };
                        let rows = &mut self.scopes[scope as usize];
                        rows.push(&row, place, &mut self.failures);
                        let all = self.scopes.iter().map(Rows::label_bytes).sum::<usize>();
                        if all > MAX_LABEL_BYTES {
                            return Err(TableError::NamesTooLong(line));
                        }
                    }
                }
                Item::Bad(reason) => self.failures.add(line, || bad_quote(reason, line)),
                Item::Comment(_) | Item::Blank | Item::Incomplete => {}
            }
            at += taken;
            if self.answer.ends_blank && more == More::BehindBlank {
                break;
            }
        }
        Ok(at)
    }

    fn flush(&mut self, text: &[u8]) {
        for rows in &mut self.scopes {
            rows.flush(text, &mut self.failures);
        }
    }
}

impl Reply for Table {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        let bytes = self.take_rows(input, More::BehindBlank)?;
        let ends = bytes > 0 && self.answer.ends_blank;
        Ok(Taken { bytes, ends })
    }

    fn finish(&mut self, rest: &[u8], proof: Proof) -> Result<(), ReplyError> {
        Ok(self.finish(rest, proof)?)
    }
}

fn bad_quote(reason: BadQuote, line: u64) -> String {
    match reason {
        BadQuote::Bare => format!("line {line}: a quote where none may stand"),
        BadQuote::Unclosed => format!("line {line}: a quote that is never closed"),
    }
}

#[cfg(test)]
mod tests;
