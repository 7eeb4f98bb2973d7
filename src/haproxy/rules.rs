//! Which rows count, and why a whole answer does not.

use std::fmt;

use crate::haproxy::csv::Row;
use crate::haproxy::failures::Failures;
use crate::haproxy::reply::Proof;
use crate::metrics::value;
use crate::metrics::{PROXY_NAME, ROW_TYPE, SERVICE_NAME, STATUS, Scope};

/// A row with fewer fields is no row of statistics (the Go exporter's rule: `type` is the 33rd).
const MIN_FIELDS: usize = 33;
/// HAProxy 3.2 prints about 150; far more means that the peer is no HAProxy.
pub const MAX_FIELDS: usize = 1024;
/// Longest row; HAProxy prints a row into one buffer of 16 KiB by default (`tune.bufsize`).
pub(crate) const MAX_LINE_BYTES: usize = 1 << 20;
/// Longest name of a proxy or server; HAProxy reads configuration lines of 2 KiB.
pub(crate) const MAX_NAME_BYTES: usize = 4096;
/// Label texts of all rows: with names of usual length enough for more servers than an
/// answer can hold, and a bound where a peer sends names only.
pub(crate) const MAX_LABEL_BYTES: usize = 64 << 20;

/// Why a whole answer is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableError {
    /// Not a byte came; over HTTP, none behind the head.
    Empty(Proof),
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
    /// With this row, the names of all rows pass `MAX_LABEL_BYTES`.
    NamesTooLong(u64),
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(Proof::EmptyLine) => f.write_str("closed without an answer"),
            Self::Empty(_) => f.write_str("an empty answer"),
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

impl std::error::Error for TableError {}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A row of statistics that metrics are made of.
    Wanted(Scope),
    /// A row of statistics, but a listener or a server in an excluded state.
    Unwanted,
    /// Something else, which newer HAProxys may print.
    Unknown,
    /// It has a wrong number of fields.
    Bad,
}

/// The rules for the rows of one answer.
#[derive(Debug)]
pub(crate) struct Rules {
    excluded_states: Vec<Vec<u8>>,
    /// The first row's, which all others must have.
    field_count: Option<usize>,
}

impl Rules {
    /// Server rows whose status matches one of `excluded_states` are not wanted.
    pub(crate) fn new(excluded_states: Vec<Vec<u8>>) -> Self {
        Self {
            excluded_states,
            field_count: None,
        }
    }

    /// Another answer begins.
    pub(crate) fn clear(&mut self) {
        self.field_count = None;
    }

    /// Says what a row is; a bad one goes to `failures`.
    ///
    /// # Errors
    /// When a limit is passed.
    pub(crate) fn judge(
        &mut self,
        row: &Row<'_>,
        line: u64,
        failures: &mut Failures,
    ) -> Result<Verdict, TableError> {
        if row.count > MAX_FIELDS {
            return Err(TableError::TooManyFields(line));
        }
        let expected = *self.field_count.get_or_insert(row.count);
        if row.count != expected || row.count < MIN_FIELDS {
            let expected = expected.max(MIN_FIELDS);
            failures.add(line, || {
                format!("line {line}: {} fields instead of {expected}", row.count)
            });
            return Ok(Verdict::Bad);
        }
        let scope = match row.field(ROW_TYPE) {
            Some(b"0") => Scope::Frontend,
            Some(b"1") => Scope::Backend,
            Some(b"2") => Scope::Server,
            // A listener.
            Some(b"3") => return Ok(Verdict::Unwanted),
            _ => return Ok(Verdict::Unknown),
        };
        let field = |column| row.field(column).unwrap_or_default();
        if field(PROXY_NAME).len() > MAX_NAME_BYTES || field(SERVICE_NAME).len() > MAX_NAME_BYTES {
            return Err(TableError::NameTooLong(line));
        }
        Ok(match scope {
            Scope::Server if self.is_excluded(field(STATUS)) => Verdict::Unwanted,
            _ => Verdict::Wanted(scope),
        })
    }

    fn is_excluded(&self, status: &[u8]) -> bool {
        let matches = |state: &Vec<u8>| state == status || state == value::bare_status(status);
        self.excluded_states.iter().any(matches)
    }
}
