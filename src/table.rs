//! From rows to columns: what a scrape keeps of the CSV.
//!
//! The bytes of an answer pass by once, in pieces of any size, while HAProxy is still printing.
//! Each wanted cell is checked and its value text put behind those of the rows before it, column
//! by column, since the exposition wants all samples of a metric together. The labels of a row are
//! escaped once. The CSV itself is not kept. How long the exposition will be is added up on the way.

use std::fmt;
use std::io;

use crate::catalog::{Cell, Family, PROXY_NAME, Profile, ROW_TYPE, SERVICE_NAME, STATUS, Scope};
use crate::csv::{BadQuote, Item, Row, Splitter};
use crate::exposition::{self, Writer};
use crate::names::Names;
use crate::value;

/// A row with fewer fields is no row of statistics (the Go exporter's rule: `type` is the 33rd).
const MIN_FIELDS: usize = 33;
/// HAProxy 3.2 prints about 150; far more means that the peer is no HAProxy.
pub const MAX_FIELDS: usize = 1024;
/// Longest row; HAProxy prints a row into one buffer of 16 KiB by default (`tune.bufsize`).
pub const MAX_LINE_BYTES: usize = 1 << 20;
/// Longest name of a proxy or server; HAProxy reads configuration lines of 2 KiB.
pub const MAX_NAME_BYTES: usize = 4096;
/// How much of an unreadable line or cell is quoted in the log.
const EXCERPT_BYTES: usize = 80;
/// Scrapes in a row that need less than a quarter of the memory before it is given back.
const IDLE_SCRAPES_BEFORE_SHRINK: u32 = 20;

/// What proves that an answer was not cut (DESIGN: HAProxy writes whole rows, so a cut answer
/// usually ends at a row's end).
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
    /// What the first one was.
    pub first: Option<String>,
}

impl Failures {
    fn add(&mut self, describe: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(describe);
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
    first_line: Option<Vec<u8>>,
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
        !self.scopes[Scope::Server as usize].columns.is_empty()
    }

    /// Forgets the rows, keeps the memory.
    pub fn clear(&mut self) {
        self.field_count = None;
        self.failures = Failures::default();
        self.answer = Answer::default();
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
        let cut_header = self.answer.lines == 0 && rest.starts_with(b"#");
        if proof == Proof::Length || !(self.looks_like_statistics() || cut_header) {
            self.take_rows(rest, true)?;
        } else if !rest.is_empty() {
            return Err(TableError::Cut(proof));
        }
        if !self.looks_like_statistics() {
            return Err(self.not_statistics());
        }
        if proof == Proof::EmptyLine && !self.answer.ends_blank {
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
        let Some(line) = self.answer.first_line.as_deref() else {
            return TableError::Empty;
        };
        match line.trim_ascii_start().first() {
            Some(b'<') => TableError::Html,
            _ => TableError::NotStatistics(excerpt(line)),
        }
    }

    fn take_rows(&mut self, input: &[u8], last: bool) -> Result<usize, TableError> {
        let mut at = 0;
        while at < input.len() {
            let (item, taken) = self.splitter.next(&input[at..], last);
            if taken > MAX_LINE_BYTES || (taken == 0 && input.len() - at > MAX_LINE_BYTES) {
                return Err(TableError::LineTooLong(self.answer.lines + 1));
            }
            if taken == 0 {
                break;
            }
            self.answer.lines += 1;
            self.answer.ends_blank = matches!(item, Item::Blank);
            if self.answer.first_line.is_none() && !self.answer.ends_blank {
                let line = &input[at..at + taken.min(EXCERPT_BYTES)];
                self.answer.first_line = Some(line.trim_ascii_end().to_vec());
            }
            match item {
                Item::Row(row) => take_row(
                    &row,
                    &mut self.scopes,
                    &mut self.field_count,
                    &self.excluded_states,
                    &mut self.failures,
                    &mut self.answer,
                )?,
                Item::Comment(line) => self.answer.header |= line.starts_with(b"# pxname,"),
                Item::Bad(reason) => self.failures.add(|| bad_quote(reason, self.answer.lines)),
                Item::Blank | Item::Incomplete => {}
            }
            at += taken;
        }
        Ok(at)
    }
}

fn take_row(
    row: &Row<'_>,
    scopes: &mut [Rows; 3],
    field_count: &mut Option<usize>,
    excluded_states: &[Vec<u8>],
    failures: &mut Failures,
    answer: &mut Answer,
) -> Result<(), TableError> {
    let line = answer.lines;
    if row.count > MAX_FIELDS {
        return Err(TableError::TooManyFields(line));
    }
    let expected = *field_count.get_or_insert(row.count);
    if row.count != expected || row.count < MIN_FIELDS {
        let expected = if expected < MIN_FIELDS {
            MIN_FIELDS
        } else {
            expected
        };
        failures.add(|| format!("line {line}: {} fields instead of {expected}", row.count));
        return Ok(());
    }
    answer.good_row = true;
    let scope = match row.field(ROW_TYPE) {
        Some(b"0") => Scope::Frontend,
        Some(b"1") => Scope::Backend,
        Some(b"2") => Scope::Server,
        _ => return Ok(()),
    };
    let field = |column| row.field(column).unwrap_or_default();
    if field(PROXY_NAME).len() > MAX_NAME_BYTES || field(SERVICE_NAME).len() > MAX_NAME_BYTES {
        return Err(TableError::NameTooLong(line));
    }
    let status = field(STATUS);
    let is_excluded = |state: &Vec<u8>| state == status || state == value::bare_status(status);
    if scope == Scope::Server && excluded_states.iter().any(is_excluded) {
        return Ok(());
    }
    scopes[scope as usize].push(row, line, failures);
    Ok(())
}

fn bad_quote(reason: BadQuote, line: u64) -> String {
    match reason {
        BadQuote::Bare => format!("line {line}: a quote where none may stand"),
        BadQuote::Unclosed => format!("line {line}: a quote that is never closed"),
    }
}

fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT_BYTES)]).into_owned()
}

/// The rows of one scope.
#[derive(Debug)]
struct Rows {
    scope: Scope,
    /// The label texts of all rows, one after the other, each `name="value",...} `.
    labels: Vec<u8>,
    /// Where the label text of each row ends.
    label_ends: Vec<u32>,
    names: Names,
    columns: Vec<Column>,
}

/// One metric's samples.
#[derive(Debug)]
struct Column {
    cell: Cell,
    /// The family, with the length of its HELP and TYPE lines.
    family: Family,
    /// Whether a column before this one belongs to the same family.
    continues: bool,
    /// What stands before the labels: `name{`, with the column's own label.
    prefix: Vec<u8>,
    /// For each row a byte with the value's length (0: no sample) and the value.
    values: Vec<u8>,
    /// Bytes of all sample lines.
    line_bytes: u64,
}

impl Rows {
    fn new(scope: Scope, profile: &Profile, wanted: impl Fn(&Cell) -> bool) -> Self {
        let mut columns: Vec<Column> = Vec::new();
        for row in profile.families(scope) {
            for cell in row.cells.iter().filter(|cell| wanted(cell)) {
                let continues = columns
                    .last()
                    .is_some_and(|c| c.family.name == row.family.name);
                columns.push(Column {
                    cell: *cell,
                    family: row.family,
                    continues,
                    prefix: exposition::line_prefix(row.family.name, cell.label),
                    values: Vec::new(),
                    line_bytes: 0,
                });
            }
        }
        Self {
            scope,
            labels: Vec::new(),
            label_ends: Vec::new(),
            names: Names::default(),
            columns,
        }
    }

    fn clear(&mut self) {
        self.labels.clear();
        self.label_ends.clear();
        self.names.clear();
        for column in &mut self.columns {
            column.values.clear();
            column.line_bytes = 0;
        }
    }

    fn push(&mut self, row: &Row<'_>, line: u64, failures: &mut Failures) {
        let start = self.labels.len();
        for (position, (name, column)) in self.scope.labels().iter().enumerate() {
            let value = row.field(*column).unwrap_or_default();
            exposition::push_label(&mut self.labels, position > 0, name, value);
        }
        self.labels.extend_from_slice(b"} ");
        let text = |at: usize, ends: &[u32], labels: &[u8]| {
            let start = if at == 0 { 0 } else { ends[at - 1] as usize };
            start..(ends[at] as usize).min(labels.len())
        };
        let (labels, ends) = (&self.labels, &self.label_ends);
        let is_new = self
            .names
            .insert(&labels[start..], |at| &labels[text(at, ends, labels)]);
        if !is_new {
            failures.add(|| {
                let labels = String::from_utf8_lossy(&labels[start..labels.len() - 2]);
                format!("line {line}: a second row for {labels}")
            });
            self.labels.truncate(start);
            return;
        }
        let label_bytes = self.labels.len() - start;
        // Fits: an answer has 1 GiB at most (cli), and escaped names are three times as long at worst.
        self.label_ends.push(self.labels.len() as u32);
        for column in &mut self.columns {
            column.push(row, label_bytes, line, failures);
        }
    }

    fn exposition_bytes(&self) -> u64 {
        let mut total = 0;
        let mut has_header = false;
        for column in &self.columns {
            has_header &= column.continues;
            if column.line_bytes > 0 {
                if !has_header {
                    total += exposition::header_bytes(&column.family);
                    has_header = true;
                }
                total += column.line_bytes;
            }
        }
        total
    }

    fn write(&self, to: &mut Writer<'_>) -> io::Result<()> {
        let mut has_header = false;
        for column in &self.columns {
            has_header &= column.continues;
            if column.line_bytes == 0 {
                continue;
            }
            if !has_header {
                to.header(&column.family)?;
                has_header = true;
            }
            column.write(&self.labels, &self.label_ends, to)?;
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.memory().all(|(used, capacity)| used >= capacity / 4)
    }

    fn shrink(&mut self) {
        let give_back = |memory: &mut Vec<u8>| memory.shrink_to(memory.len() * 2);
        give_back(&mut self.labels);
        self.columns
            .iter_mut()
            .for_each(|column| give_back(&mut column.values));
        self.label_ends.shrink_to(self.label_ends.len() * 2);
        self.names.shrink();
    }

    /// Used and reserved bytes of each buffer, small ones left out: they cost next to nothing.
    fn memory(&self) -> impl Iterator<Item = (usize, usize)> {
        const WORTH_GIVING_BACK_BYTES: usize = 64 * 1024;
        let columns = self
            .columns
            .iter()
            .map(|c| (c.values.len(), c.values.capacity()));
        columns
            .chain([(self.labels.len(), self.labels.capacity())])
            .filter(|(_, capacity)| *capacity > WORTH_GIVING_BACK_BYTES)
    }
}

impl Column {
    fn push(&mut self, row: &Row<'_>, label_bytes: usize, line: u64, failures: &mut Failures) {
        // A column that this HAProxy does not print has no samples.
        let cell = row.field(self.cell.column).unwrap_or_default();
        match value::push(self.cell.value, cell, &mut self.values) {
            Some(0) => {}
            Some(length) => {
                self.line_bytes += (self.prefix.len() + label_bytes + length + 1) as u64;
            }
            None => {
                self.values.push(0);
                failures.add(|| {
                    let (column, name) = (self.cell.column, self.family.name);
                    format!(
                        "line {line}, field {column} ({name}): {:?} is no number",
                        excerpt(cell)
                    )
                });
            }
        }
    }

    fn write(&self, labels: &[u8], label_ends: &[u32], to: &mut Writer<'_>) -> io::Result<()> {
        let mut rest = self.values.as_slice();
        let mut start = 0;
        for end in label_ends {
            let end = *end as usize;
            let Some((length, after)) = rest.split_first() else {
                break;
            };
            let (value, after) = after.split_at(usize::from(*length));
            rest = after;
            if !value.is_empty() {
                to.sample(&self.prefix, &labels[start..end], value)?;
            }
            start = end;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
