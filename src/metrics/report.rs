//! What a scrape found out about its HAProxy instance, in words: for `--check`, the landing page and the log.

use std::fmt::{self, Display};
use std::time::Duration;

use super::snapshot::Outcome;
use crate::log::{self, Level, Milliseconds};

/// The result of one scrape.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Why it failed.
    pub(crate) failure: Option<String>,
    /// Who replied; all empty where `show info` was not read.
    pub(crate) haproxy: Process,
    /// Exported frontends, backends, servers and listeners.
    pub(crate) rows: [usize; 4],
    /// Bytes of HAProxy's replies.
    pub(crate) bytes: u64,
    /// The commands, with size and time of each reply; empty unless scrapes are logged.
    pub(crate) commands: String,
    /// What is scraped in addition to the rows, by flag or command.
    pub(crate) groups: Vec<(String, State)>,
}

/// The process that replied.
#[derive(Debug, Default)]
pub(crate) struct Process {
    /// HAProxy's release.
    pub(crate) release: String,
    /// Its node.
    pub(crate) node: String,
    /// The time since it started.
    pub(crate) uptime: Option<Duration>,
}

/// Whether a group of families could be read.
#[derive(Debug)]
pub(crate) enum State {
    /// It was.
    Works,
    /// It cannot be, and nothing is wrong: no flag asks for it.
    Absent(String),
    /// It was not; holds the reason.
    Failed(String),
}

impl State {
    /// Of an operation, by its failure.
    pub(crate) fn of(failure: Option<&str>) -> Self {
        failure.map_or(Self::Works, |why| Self::Failed(why.to_owned()))
    }
}

impl Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Works => f.write_str("works"),
            Self::Absent(why) => write!(f, "not available: {why}"),
            Self::Failed(why) => write!(f, "FAILED: {why}"),
        }
    }
}

impl Report {
    /// Logs the scrape of a target for some clients at level debug.
    pub(crate) fn log(&self, target: &str, clients: &str, outcome: Outcome) {
        if !log::enabled(Level::Debug) {
            return;
        }
        let failure = self.failure.as_deref().unwrap_or_default();
        let fields: [(&str, &dyn Display); 8] = [
            ("target", &target),
            ("clients", &clients),
            ("haproxy_up", &u8::from(outcome.is_up)),
            ("took", &Milliseconds(outcome.took)),
            ("bytes", &self.bytes),
            ("rows", &self.rows()),
            ("commands", &self.commands),
            ("err", &failure),
        ];
        // Without a name, and without a failure.
        let from = usize::from(target.is_empty());
        let to = fields.len() - usize::from(failure.is_empty());
        log::debug("scraped", &fields[from..to]);
    }

    /// The numbers of rows in words.
    pub(crate) fn rows(&self) -> String {
        let [frontends, backends, servers, listeners] = self.rows;
        format!(
            "{frontends} frontends, {backends} backends, {servers} servers, {listeners} listeners"
        )
    }
}

impl Display for Process {
    /// Release and node.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.release)?;
        match self.node.as_str() {
            "" => Ok(()),
            node => write!(f, ", node {node}"),
        }
    }
}

/// A time in words, to the second at most.
pub(crate) struct Words(pub(crate) Duration);

impl Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (large, unit, small, rest) = match seconds {
            0..60 => return write!(f, "{seconds} s"),
            60..3600 => (60, "min", 1, "s"),
            3600..86_400 => (3600, "h", 60, "min"),
            _ => (86_400, "d", 3600, "h"),
        };
        let (first, second) = (seconds / large, seconds % large / small);
        write!(f, "{first} {unit} {second} {rest}")
    }
}

#[cfg(test)]
mod tests;
