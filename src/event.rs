//! A problem that can last. It is logged when it begins, when its reason changes, once per hour
//! while it lasts, and when it ends, but not at every scrape.

use std::borrow::Cow;
use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::log::{self, Level};

/// Interval at which a lasting problem is logged again.
const REMINDER: Duration = Duration::from_secs(3600);

/// A kind of problem, and whether it lasts now.
#[derive(Debug)]
pub(crate) struct Event {
    level: Level,
    /// Log message while it lasts.
    message: Cow<'static, str>,
    /// Log message when it ends.
    over: Cow<'static, str>,
    /// The HAProxy instance concerned, if there are several.
    target: Option<String>,
    present: Option<Present>,
}

/// A problem that lasts now.
#[derive(Debug)]
struct Present {
    reason: String,
    /// Number of occurrences since it began.
    times: u64,
    said: Instant,
}

impl Event {
    /// A problem that has not occurred yet.
    pub(crate) fn new(
        level: Level,
        message: impl Into<Cow<'static, str>>,
        over: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            level,
            message: message.into(),
            over: over.into(),
            target: None,
            present: None,
        }
    }

    /// Sets the HAProxy instance concerned.
    pub(crate) fn of(mut self, target: Option<&str>) -> Self {
        self.target = target.map(str::to_owned);
        self
    }

    /// Records an occurrence. `reason` decides whether it is the same problem as before; `fields`
    /// are logged with it.
    pub(crate) fn happens(&mut self, now: Instant, reason: &str, fields: &[(&str, &dyn Display)]) {
        match self.count(now, reason) {
            Said::Nothing => {}
            Said::New => log::line(self.level, &self.message, &[&self.about(), fields].concat()),
            Said::Again(times) => {
                let times: (&str, &dyn Display) = ("times", &times);
                let all = [&self.about()[..], &[times], fields].concat();
                log::line(self.level, &self.message, &all);
            }
        }
    }

    /// Records the outcome of an operation that fails with this problem.
    pub(crate) fn report(&mut self, failure: Option<impl Display>) {
        match failure {
            None => self.is_over(),
            Some(error) => {
                let text = error.to_string();
                self.happens(Instant::now(), &text, &[("err", &text)]);
            }
        }
    }

    /// Records that it did not occur, so a lasting problem ends.
    pub(crate) fn is_over(&mut self) {
        if let Some(times) = self.end() {
            let times: (&str, &dyn Display) = ("times", &times);
            log::info(&self.over, &[&self.about()[..], &[times]].concat());
        }
    }

    /// Why it lasts, if it does.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.present.as_ref().map(|present| present.reason.as_str())
    }

    /// The log field that names the target, if there is one.
    fn about(&self) -> Vec<(&str, &dyn Display)> {
        let target = self.target.as_ref();
        target
            .map(|name| ("target", name as &dyn Display))
            .into_iter()
            .collect()
    }

    fn count(&mut self, now: Instant, reason: &str) -> Said {
        let present = self.present.get_or_insert_with(|| Present {
            reason: String::new(),
            times: 0,
            said: now,
        });
        present.times += 1;
        let is_new = present.times == 1 || present.reason != reason;
        if !is_new && now.saturating_duration_since(present.said) < REMINDER {
            return Said::Nothing;
        }
        present.said = now;
        if is_new {
            reason.clone_into(&mut present.reason);
            return Said::New;
        }
        Said::Again(present.times)
    }

    /// Number of occurrences, if it occurred before.
    fn end(&mut self) -> Option<u64> {
        self.present.take().map(|present| present.times)
    }
}

/// What is logged about an occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    /// The problem began, or its reason changed.
    New,
    /// The problem lasts; the number of occurrences.
    Again(u64),
}

#[cfg(test)]
mod tests;
