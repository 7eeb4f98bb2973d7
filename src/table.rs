//! From rows to columns: what a scrape keeps of the CSV.
//!
//! The bytes of an answer pass by once, in pieces of any size, while HAProxy is still printing.
//! Each wanted cell is checked and its value text put behind those of the rows before it, column
//! by column, since the exposition wants all samples of a metric together. The labels of a row are
//! escaped once. The CSV itself is not kept. How long the exposition will be is added up on the way.

use std::fmt;
use std::io;

use crate::catalog::{Cell, PROXY_NAME, Profile, ROW_TYPE, SERVICE_NAME, STATUS, Scope};
use crate::csv::{BadQuote, Item, Row, Splitter};
use crate::exposition::Writer;
use crate::rows::{Place, Rows};
use crate::value;

/// A row with fewer fields is no row of statistics (the Go exporter's rule: `type` is the 33rd).
const MIN_FIELDS: usize = 33;
/// HAProxy 3.2 prints about 150; far more means that the peer is no HAProxy.
pub const MAX_FIELDS: usize = 1024;
/// Longest row; HAProxy prints a row into one buffer of 16 KiB by default (`tune.bufsize`).
pub const MAX_LINE_BYTES: usize = 1 << 20;
/// Longest name of a proxy or server; HAProxy reads configuration lines of 2 KiB.
pub const MAX_NAME_BYTES: usize = 4096;
/// Label texts of all rows of a kind: with names of usual length enough for more servers than an
/// answer can hold, and a bound where a peer sends names only.
const MAX_LABEL_BYTES: usize = 64 << 20;
/// How much of an unreadable line or cell is quoted in the log.
const EXCERPT_BYTES: usize = 80;
/// Scrapes in a row that need less than a quarter of the memory before it is given back.
const IDLE_SCRAPES_BEFORE_SHRINK: u32 = 20;
/// Rows whose columns are not made yet may lie so far back in the input.
const MAX_BATCH_BYTES: usize = 16 << 20;

/// What proves that an answer was not cut. HAProxy writes whole rows, so a cut answer usually ends
/// at a row's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The CLI closes its answer with an empty line (management guide, section 9.3).
    EmptyLine,
    /// The transport said how long the body is.
    Length,
    /// Nothing but the end of the stream: at least the last row must have its line end.
    LineEnd,
}

/// Why a whole answer is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableError {
    /// Not a byte came.
    Empty,
    /// The proof of completeness is missing.
    Cut(Proof),
    /// An HTML page: the URI lacks `;csv`.
    Html,
    /// Neither a header nor a single good row; holds the first line.
    NotStatistics(String),
    /// A row, counted from 1, is longer than `MAX_LINE_BYTES`.
    LineTooLong(u64),
    /// A row has more than `MAX_FIELDS` fields.
    TooManyFields(u64),
    /// A row has a name of more than `MAX_NAME_BYTES`.
    NameTooLong(u64),
    /// With this row, the names of all rows of a kind pass `MAX_LABEL_BYTES`.
    NamesTooLong(u64),
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("closed without an answer"),
            Self::Cut(Proof::EmptyLine) => {
                f.write_str("answer cut: the closing empty line is missing")
            }
            Self::Cut(_) => f.write_str("answer cut: it ends in the middle of a row"),
            Self::Html => {
                f.write_str("an HTML page instead of CSV (does the scrape URI lack \";csv\"?)")
            }
            Self::NotStatistics(line) => write!(f, "not HAProxy statistics: it begins {line:?}"),
            Self::LineTooLong(line) => {
                write!(f, "line {line} is longer than {MAX_LINE_BYTES} bytes")
            }
            Self::TooManyFields(line) => write!(f, "line {line} has more than {MAX_FIELDS} fields"),
            Self::NamesTooLong(line) => {
                write!(
                    f,
                    "the names up to line {line} are longer than {MAX_LABEL_BYTES} bytes"
                )
            }
            Self::NameTooLong(line) => {
                write!(
                    f,
                    "line {line} has a name longer than {MAX_NAME_BYTES} bytes"
                )
            }
        }
    }
}

/// Rows and cells that could not be read, of one scrape.
#[derive(Debug, Default)]
pub struct Failures {
    /// How many.
    pub count: u64,
    /// What the first one in the answer was.
    pub first: Option<String>,
    /// The line of the first one.
    line: u64,
}

impl Failures {
    /// Adds one. Those of one line come in their order, but lines may come in any order.
    pub(crate) fn add(&mut self, line: u64, describe: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.is_none() || line < self.line {
            self.first = Some(describe());
            self.line = line;
        }
    }
}

/// The statistics of one scrape, by scope and column.
#[derive(Debug)]
pub struct Table {
    splitter: Splitter,
    scopes: [Rows; 3],
    excluded_states: Vec<Vec<u8>>,
    field_count: Option<usize>,
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
            excluded_states,
            field_count: None,
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
        self.field_count = None;
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
        self.take_rows(input, false)
    }

    /// Ends the answer: `rest` is what `push` left. `proof` is what must show that nothing is missing.
    ///
    /// # Errors
    /// When the answer is cut or no statistics; nothing of it may be exported then.
    pub fn finish(&mut self, rest: &[u8], proof: Proof) -> Result<(), TableError> {
        let is_cut = proof != Proof::Length && !rest.is_empty();
        let cut_header = self.answer.lines == 0 && rest.starts_with(b"#");
        if !(is_cut && (self.looks_like_statistics() || cut_header)) {
            // Also to say what else it is, if it is no statistics.
            self.take_rows(rest, true)?;
            if !self.looks_like_statistics() {
                return Err(self.not_statistics());
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

    fn not_statistics(&self) -> TableError {
        let line = self.answer.first_line.as_slice();
        if line.is_empty() {
            return TableError::Empty;
        }
        match line.trim_ascii_start().first() {
            Some(b'<') => TableError::Html,
            _ => TableError::NotStatistics(excerpt(line)),
        }
    }

    fn take_rows(&mut self, input: &[u8], last: bool) -> Result<usize, TableError> {
        // Where the text begins that the rows' batches lie in.
        let mut origin = 0;
        let result = self.take_rows_from(input, last, &mut origin);
        self.flush(&input[origin..]);
        result
    }

    fn take_rows_from(
        &mut self,
        input: &[u8],
        last: bool,
        origin: &mut usize,
    ) -> Result<usize, TableError> {
        let mut at = 0;
        while at < input.len() {
            if at - *origin > MAX_BATCH_BYTES {
                self.flush(&input[*origin..]);
                *origin = at;
            }
            let (item, taken) = self.splitter.next(&input[at..], last);
            if taken > MAX_LINE_BYTES || (taken == 0 && input.len() - at > MAX_LINE_BYTES) {
                return Err(TableError::LineTooLong(self.answer.lines + 1));
            }
            if taken == 0 {
                break;
            }
            self.answer.lines += 1;
            let line = self.answer.lines;
            self.answer.ends_blank = matches!(item, Item::Blank);
            if self.answer.first_line.is_empty() && !self.answer.ends_blank {
                let first = &input[at..at + taken.min(EXCERPT_BYTES)];
                let first = first.trim_ascii_end();
                self.answer.first_line.extend_from_slice(first);
            }
            if matches!(&item, Item::Row(row) if row.is_unquoted) || matches!(item, Item::Bad(_)) {
                // Such a row may have line ends in its cells.
                let ends = memchr::memchr_iter(b'\n', &input[at..at + taken]).count() as u64;
                self.answer.lines += ends.saturating_sub(1);
            }
            match item {
                Item::Row(row) => {
                    if let Some(scope) = take_row(
                        &row,
                        &mut self.field_count,
                        &self.excluded_states,
                        &mut self.failures,
                        &mut self.answer,
                        line,
                    )? {
                        let place = Place {
                            text: &input[*origin..],
                            at: at - *origin,
                            line,
                        };
                        let rows = &mut self.scopes[scope as usize];
                        rows.push(&row, place, &mut self.failures);
                        if rows.label_bytes() > MAX_LABEL_BYTES {
                            return Err(TableError::NamesTooLong(line));
                        }
                    }
                }
                Item::Comment(line) => self.answer.header |= line.starts_with(b"# pxname,"),
                Item::Bad(reason) => self.failures.add(line, || bad_quote(reason, line)),
                Item::Blank | Item::Incomplete => {}
            }
            at += taken;
        }
        Ok(at)
    }

    fn flush(&mut self, text: &[u8]) {
        for rows in &mut self.scopes {
            rows.flush(text, &mut self.failures);
        }
    }
}

/// Checks a row and says which scope it belongs to; `None` when it is not wanted.
fn take_row(
    row: &Row<'_>,
    field_count: &mut Option<usize>,
    excluded_states: &[Vec<u8>],
    failures: &mut Failures,
    answer: &mut Answer,
    line: u64,
) -> Result<Option<Scope>, TableError> {
    answer.ends_in_bad_row = false;
    if row.count > MAX_FIELDS {
        return Err(TableError::TooManyFields(line));
    }
    let expected = *field_count.get_or_insert(row.count);
    if row.count != expected || row.count < MIN_FIELDS {
        answer.ends_in_bad_row = true;
        let expected = expected.max(MIN_FIELDS);
        failures.add(line, || {
            format!("line {line}: {} fields instead of {expected}", row.count)
        });
        return Ok(None);
    }
    let scope = match row.field(ROW_TYPE) {
        Some(b"0") => Some(Scope::Frontend),
        Some(b"1") => Some(Scope::Backend),
        Some(b"2") => Some(Scope::Server),
        // A listener.
        Some(b"3") => None,
        _ => return Ok(None),
    };
    answer.good_row = true;
    let Some(scope) = scope else {
        return Ok(None);
    };
    let field = |column| row.field(column).unwrap_or_default();
    if field(PROXY_NAME).len() > MAX_NAME_BYTES || field(SERVICE_NAME).len() > MAX_NAME_BYTES {
        return Err(TableError::NameTooLong(line));
    }
    let status = field(STATUS);
    let is_excluded = |state: &Vec<u8>| state == status || state == value::bare_status(status);
    if scope == Scope::Server && excluded_states.iter().any(is_excluded) {
        return Ok(None);
    }
    Ok(Some(scope))
}

fn bad_quote(reason: BadQuote, line: u64) -> String {
    match reason {
        BadQuote::Bare => format!("line {line}: a quote where none may stand"),
        BadQuote::Unclosed => format!("line {line}: a quote that is never closed"),
    }
}

/// The beginning of an unreadable text, for the log.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT_BYTES)]).into_owned()
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
