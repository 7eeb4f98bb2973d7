//! What a scrape found out about its HAProxy instance, in words: for `--check`, the landing page and the log.

use std::fmt::{self, Display};
use std::time::Duration;

use super::snapshot::Outcome;
use crate::log::{self, Level, milliseconds};

/// The result of one scrape.
pub(crate) struct Report {
    /// Why it failed.
    pub(crate) failure: Option<String>,
    /// HAProxy's release; like the next two empty where `show info` was not read.
    pub(crate) release: String,
    /// Its node.
    pub(crate) node: String,
    /// Seconds since the process started.
    pub(crate) uptime_seconds: String,
    /// Exported frontends, backends, servers and listeners.
    pub(crate) rows: [usize; 4],
    /// Bytes of HAProxy's replies.
    pub(crate) bytes: u64,
    /// The commands, with size and time of each reply; empty unless scrapes are logged.
    pub(crate) commands: String,
    /// What is scraped in addition to the rows, by flag or command.
    pub(crate) groups: Vec<(String, State)>,
}

/// Whether a group of families could be read.
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
            ("took", &milliseconds(outcome.took)),
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

    /// HAProxy's release, node and uptime in words; empty where they are unknown.
    pub(crate) fn haproxy(&self) -> String {
        let uptime = self.uptime_seconds.parse().map(Duration::from_secs);
        let uptime = uptime.map(words).unwrap_or_default();
        let mut text = self.release.clone();
        for (what, value) in [("node ", &self.node), ("up for ", &uptime)] {
            if !value.is_empty() {
                let between = if text.is_empty() { "" } else { ", " };
                text.extend([between, what, value]);
            }
        }
        text
    }
}

/// A time in words, to the second at most.
pub(crate) fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests;
