//! One kind of trouble that comes and goes: said in the log when it begins, changes and ends.

use crate::log;

/// What was said last.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    last: Option<String>,
}

impl Trouble {
    /// The answer to a command failed for a reason, or did not.
    pub(super) fn report(&mut self, command: &str, reason: Option<String>) {
        if reason == self.last {
            return;
        }
        match &reason {
            Some(reason) => log::warn(&format!("{command} failed"), &[("err", reason)]),
            None => log::info(&format!("{command} is answered again"), &[]),
        }
        self.last = reason;
    }
}
