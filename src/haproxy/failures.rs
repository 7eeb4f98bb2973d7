//! Rows and fields of a reply that could not be parsed.

use std::fmt;

/// Number of bytes of an invalid line or field that are kept for the log.
pub(crate) const EXCERPT_BYTES: usize = 80;

/// Rows and fields of one scrape that could not be parsed.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// Their number.
    pub(crate) count: u64,
    /// The first one in the reply.
    pub(crate) first: Option<BadRow>,
}

impl Failures {
    /// Adds one. Failures of one line arrive in order, lines in any order.
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

/// An invalid row or field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadRow {
    /// Line of the row in the reply, from 1.
    pub(crate) line: u64,
    /// The reason.
    pub(crate) why: Why,
}

/// Why a row is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// A quote inside a field that does not begin with one.
    BareQuote,
    /// A quote without its end.
    UnclosedQuote,
    /// Another number of fields than the header.
    FieldCount { found: usize, expected: usize },
    /// The field `type` is empty or not a number; holds its beginning.
    Type(String),
    /// The proxy has no name.
    NoProxyName,
    /// A name server has no name; holds the command whose reply it is in.
    NoNameServer(&'static str),
    /// The server has no name; holds the name of its backend.
    NoServerName(String),
    /// A frontend or backend row with another name than FRONTEND or BACKEND.
    Misnamed {
        expected: &'static str,
        found: String,
    },
    /// An earlier row has the same names.
    Second(String),
    /// A field that is not a number; `position` counts from 0.
    Field {
        position: u16,
        column: &'static str,
        text: String,
    },
}

impl BadRow {
    /// A row with the names of an earlier row.
    #[cold]
    pub(crate) fn second(line: u64, names: &[&[u8]]) -> Self {
        let names: Vec<String> = names.iter().map(|name| excerpt(name)).collect();
        let why = Why::Second(names.join("/"));
        Self { line, why }
    }

    /// A field that is not a number.
    #[cold]
    pub(crate) fn field(line: u64, position: u16, column: &'static str, field: &[u8]) -> Self {
        let text = excerpt(field);
        let why = Why::Field {
            position,
            column,
            text,
        };
        Self { line, why }
    }
}

impl BadRow {
    /// The kind of the failure; rows that are invalid in the same way have the same kind.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.why {
            Why::BareQuote | Why::UnclosedQuote => "quote",
            Why::FieldCount { .. } => "fields",
            Why::Type(_) => "type",
            Why::NoProxyName
            | Why::NoNameServer(_)
            | Why::NoServerName(_)
            | Why::Misnamed { .. } => "name",
            Why::Second(_) => "second",
            Why::Field { column, .. } => column,
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
            Why::NoNameServer(command) => {
                write!(f, " of {command:?}: a name server without a name")
            }
            Why::NoProxyName => f.write_str(": the proxy has no name"),
            Why::NoServerName(backend) => write!(f, ": a server of {backend:?} has no name"),
            Why::Misnamed { expected, found } => {
                write!(
                    f,
                    ": a row that should be called {expected} is called {found:?}"
                )
            }
            Why::Second(names) => write!(f, ": a second row for {names:?}"),
            Why::Field {
                position,
                column,
                text,
            } => write!(f, ", field {position} ({column}): {text:?} is not a number"),
        }
    }
}

/// The beginning of an invalid text, for the log.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT_BYTES)]).into_owned()
}
