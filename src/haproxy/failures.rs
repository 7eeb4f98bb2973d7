//! What could not be read of an answer, and how it is shown.

/// How much of an unreadable line or cell is quoted in the log.
pub(crate) const EXCERPT_BYTES: usize = 80;

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

/// The beginning of an unreadable text, for the log.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT_BYTES)]).into_owned()
}
