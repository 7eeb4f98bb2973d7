//! Why a query is rejected.

use std::fmt;

use crate::haproxy::failures::excerpt;

/// Names of metrics that a message lists.
const LISTED_NAMES: usize = 3;

/// Why a query is invalid; the text names the parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SelectionError {
    /// The parameter needs a value.
    NoValue(&'static str),
    /// The parameter does not accept this value.
    UnknownValue(&'static str, String, String),
    /// A parameter that is a known one misspelt; holds the right spelling.
    Misspelt(&'static str, &'static str),
    /// None of the metrics is known; holds their names.
    UnknownMetrics(Vec<String>),
    /// A second equals sign.
    BadValue(String),
    /// A percent sign without two digits, or not UTF-8: in the value of a parameter, or in its
    /// name.
    BadEncoding(Option<String>),
}

impl std::error::Error for SelectionError {}

impl SelectionError {
    /// Whether the operator should know: another instance or an empty page could be stored instead.
    pub(crate) fn is_reported(&self) -> bool {
        matches!(self, Self::Misspelt(..) | Self::UnknownMetrics(_))
    }
}

impl fmt::Display for SelectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoValue(key) => write!(f, "{key}: the value is missing ({key}=VALUE)"),
            Self::UnknownValue(key, value, use_one) => {
                write!(f, "{key}: {value:?} is not a known value (use {use_one})")
            }
            Self::Misspelt(key, right) => write!(f, "{key}: unknown parameter (use {right})"),
            Self::UnknownMetrics(names) => {
                write!(f, "metrics: no metric is called {}", quoted(names))
            }
            Self::BadValue(key) => write!(f, "{key}: the value holds an equals sign"),
            Self::BadEncoding(Some(key)) => {
                write!(f, "{key}: the value is not percent-encoded UTF-8")
            }
            Self::BadEncoding(None) => f.write_str("the query is not percent-encoded UTF-8"),
        }
    }
}

/// Names of a client for a message: the first ones, cut and escaped.
pub(crate) fn quoted(names: &[String]) -> String {
    let shown = names.iter().take(LISTED_NAMES);
    let shown = shown.map(|name| format!("{:?}", excerpt(name.as_bytes())));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
