//! What a scrape found out about its HAProxy instance, in words, for `--check`.

use std::fmt::{self, Display};
use std::time::Duration;

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
        let uptime = uptime.map(|time| format!("up for {}", words(time)));
        let node = (!self.node.is_empty()).then(|| format!("node {}", self.node));
        let parts = [Some(self.release.clone()), node, uptime.ok()];
        let parts = parts.into_iter().flatten().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// A time in milliseconds, with one digit after the point, not rounded.
pub(crate) fn milliseconds(time: Duration) -> String {
    let tenths = time.as_micros() as u64 / 100;
    format!("{}.{} ms", tenths / 10, tenths % 10)
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
