//! Rows and cells of an answer that could not be read.

use std::fmt;

/// How much of an unreadable line or cell is kept, to be quoted in the log.
pub(crate) const EXCERPT_BYTES: usize = 80;

/// Rows and cells that could not be read, of one scrape.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// How many.
    pub(crate) count: u64,
    /// What the first one in the answer was.
    pub(crate) first: Option<BadRow>,
}

impl Failures {
    /// Adds one. Those of one line come in their order, but lines may come in any order.
    pub(crate) fn add(&mut self, bad: BadRow) {
        self.count += 1;
        if self
            .first
            .as_ref()
            .is_none_or(|first| bad.line < first.line)
        {
            self.first = Some(bad);
        }
    }
}

/// A row or cell that cannot be what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadRow {
    /// The row's line in the answer, from 1.
    pub(crate) line: u64,
    /// Why it is bad.
    pub(crate) why: Why,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// A quote inside a field that does not begin with one.
    BareQuote,
    /// A quote without its end.
    UnclosedQuote,
    /// Another number of fields than the header's.
    FieldCount { found: usize, expected: usize },
    /// The cell `type` is empty or not a number; holds the beginning of it.
    Type(String),
    /// The proxy has no name.
    NoProxyName,
    /// The server has no name; holds its backend's.
    NoServerName(String),
    /// A frontend or backend row that is called something else.
    Misnamed {
        expected: &'static str,
        found: String,
    },
    /// A row before this one has the same names.
    Second(String),
    /// A cell that is not a number; `position` counts from 0.
    Cell {
        position: u16,
        column: &'static str,
        text: String,
    },
}

impl BadRow {
    /// A row whose names a row before has.
    #[cold]
    pub(crate) fn second(line: u64, names: &[&[u8]]) -> Self {
        let names: Vec<String> = names.iter().map(|name| excerpt(name)).collect();
        let why = Why::Second(names.join("/"));
        Self { line, why }
    }

    /// A cell that is not a number.
    #[cold]
    pub(crate) fn cell(line: u64, position: u16, column: &'static str, cell: &[u8]) -> Self {
        let text = excerpt(cell);
        let why = Why::Cell {
            position,
            column,
            text,
        };
        Self { line, why }
    }
}

impl BadRow {
    /// What kind of fault it is: the same for rows that are bad in the same way.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.why {
            Why::BareQuote | Why::UnclosedQuote => "quote",
            Why::FieldCount { .. } => "fields",
            Why::Type(_) => "type",
            Why::NoProxyName | Why::NoServerName(_) | Why::Misnamed { .. } => "name",
            Why::Second(_) => "second",
            Why::Cell { column, .. } => column,
        }
    }
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        match &self.why {
            Why::BareQuote => f.write_str(": a quote where none may stand"),
            Why::UnclosedQuote => f.write_str(": a quote that is never closed"),
            Why::FieldCount { found, expected } => {
                write!(f, ": {found} fields instead of {expected}")
            }
            Why::Type(text) => write!(f, ": the type {text:?} is not a number"),
            Why::NoProxyName => f.write_str(": the proxy has no name"),
            Why::NoServerName(backend) => write!(f, ": a server of {backend:?} has no name"),
            Why::Misnamed { expected, found } => {
                write!(
                    f,
                    ": a row that should be called {expected} is called {found:?}"
                )
            }
            Why::Second(names) => write!(f, ": a second row for {names:?}"),
            Why::Cell {
                position,
                column,
                text,
            } => write!(f, ", field {position} ({column}): {text:?} is not a number"),
        }
    }
}

/// The beginning of an unreadable text, for the log.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT_BYTES)]).into_owned()
}
