//! A command to one HAProxy instance: whether it can be sent, its reply, and its log messages.

use super::command::{Answer, Command, Release, Status, When};
use crate::event::Event;
use crate::haproxy::error::SourceError;
use crate::haproxy::failures::Failures;
use crate::haproxy::reply::{Need, Question};
use crate::haproxy::source::Source;
use crate::log::Level;
use crate::metrics::catalog::Catalog;
use crate::metrics::report::State;
use crate::metrics::selection::Wanted;
use crate::metrics::snapshot::Sink;

/// Why the stats page and a file cannot be used.
pub(crate) const NO_CLI: &str = "needs a CLI socket as scrape URI (unix:/path or tcp://host:port)";

/// A command that is sent with `show stat`.
pub(crate) struct Watch {
    command: &'static Command,
    answer: Box<dyn Answer>,
    failed: Event,
    /// Whether it is sent in this scrape.
    is_asked: bool,
    /// Whether it was read in this scrape, if it was sent.
    is_up: Option<bool>,
}

impl Watch {
    /// `None` for a command that is not sent with `show stat`.
    pub(crate) fn new(command: &'static Command, target: Option<&'static str>) -> Option<Self> {
        let When::WithRows(answer) = command.when else {
            return None;
        };
        Some(Self {
            command,
            answer: answer(),
            failed: failed(command, target),
            is_asked: false,
            is_up: None,
        })
    }

    /// Decides whether it is sent. If a flag enabled it and the source has no CLI, that is logged.
    pub(crate) fn prepare(&mut self, wanted: &Wanted, catalog: &Catalog, source: &Source) {
        let is_wanted = self.command.is_wanted(wanted, catalog);
        self.is_asked = is_wanted && source.takes_commands();
        if is_wanted && !self.is_asked && self.command.flag.is_some() {
            self.failed.report(Some(NO_CLI));
        }
    }

    /// Its text for this release, if it is sent: the release must not interpret it as another command.
    pub(crate) fn text(&self, release: Option<Release>) -> Option<&'static str> {
        let is_known = |since| release.is_some_and(|release| release >= since);
        match self.command {
            _ if !self.is_asked => None,
            command if command.since.is_none_or(is_known) => Some(command.ask),
            command => command
                .older
                .filter(|(_, since)| is_known(*since))
                .map(|(text, _)| text),
        }
    }

    /// Whether its text is another one for another release.
    pub(crate) fn is_new(&self, before: Option<Release>, now: Option<Release>) -> bool {
        self.text(now).is_some() && self.text(now) != self.text(before)
    }

    /// Whether the release must be known before it can be sent.
    pub(crate) fn needs_release(&self) -> bool {
        self.is_asked && self.command.since.is_some()
    }

    /// Discards the reply.
    pub(crate) fn clear(&mut self) {
        self.answer.clear();
        self.is_up = None;
    }

    /// The command with its reply, and the further one, if they are sent to this release.
    pub(crate) fn questions(&mut self, release: Option<Release>) -> Vec<Question<'_>> {
        let Some(text) = self.text(release) else {
            return Vec::new();
        };
        let (reply, further) = self.answer.replies();
        let further = further.map(|(text, reply)| Question::new(text, Need::Extra, reply));
        let first = Question::new(text, Need::Extra, reply);
        [first].into_iter().chain(further).collect()
    }

    /// They were sent; if the first failed, only its own rows are missing. If the further one failed, its
    /// reply counts as empty.
    pub(crate) fn is_answered(&mut self, failure: Option<SourceError>) {
        if failure.is_some() {
            self.answer.clear();
        }
        self.is_up = Some(failure.is_none());
        self.failed.report(failure);
    }

    /// See `Answer::needs_further`.
    pub(crate) fn needs_further(&mut self) -> bool {
        self.answer.needs_further()
    }

    /// See `Answer::count_bad_rows`.
    pub(crate) fn count_bad_rows(&self, failures: &mut Failures) {
        self.answer.count_bad_rows(failures);
    }

    /// Whether it could be read in the last scrape, by name.
    pub(crate) fn state(&self, release: Option<Release>) -> (String, State) {
        let state = match self.command.since {
            Some(since) if self.text(release).is_none() => {
                let (major, minor) = self.command.older.map_or(since, |(_, since)| since);
                State::Absent(format!("it needs HAProxy {major}.{minor}"))
            }
            _ => State::of(self.failed.reason()),
        };
        (self.command.name(), state)
    }

    /// Whether a flag has turned it on.
    pub(crate) fn has_flag(&self) -> bool {
        self.command.flag.is_some()
    }

    /// Adds its rows to the snapshot.
    pub(crate) fn put_rows(&self, into: &mut Sink<'_>) {
        self.answer.put_rows(into);
        if let (Some(table), Some(is_up)) = (self.command.status, self.is_up) {
            let status = Status {
                is_up,
                ..Status::default()
            };
            into.add(table).put(&[], |value| value(&status));
        }
    }
}

/// What is logged when a command fails.
pub(crate) fn failed(command: &Command, target: Option<&'static str>) -> Event {
    let [message, over] = command.events;
    Event::new(Level::Warn, message, over).of(target)
}

#[cfg(test)]
mod tests;
