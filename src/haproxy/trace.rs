//! What a scrape sent and received, in words, for the log at level debug.

use std::fmt::Write;
use std::time::Duration;

use crate::log::Milliseconds;

/// Maximum size in bytes: about half of a log line. Thousands of certificates need as many commands.
const MAX_BYTES: usize = 2048;

/// The commands of one scrape.
#[derive(Debug, Default)]
pub(crate) struct Trace(String);

impl Trace {
    /// Adds what was read; `took` is `None` where no reply was awaited, because an earlier one failed.
    pub(super) fn add(&mut self, what: &str, bytes: u64, took: Option<Duration>, is_failed: bool) {
        if self.0.len() > MAX_BYTES {
            return;
        }
        let between = if self.0.is_empty() { "" } else { ", " };
        let result = match took {
            _ if self.0.len() + what.len() > MAX_BYTES => "...".to_owned(),
            None => format!("{what} (no reply)"),
            Some(took) => {
                let failed = if is_failed { ", failed" } else { "" };
                format!("{what} ({bytes} bytes, {}{failed})", Milliseconds(took))
            }
        };
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{between}{result}");
    }

    /// All of them.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests;
