//! One kind of trouble that may last: said in the log when it begins, when its reason changes, once an
//! hour while it lasts, and when it is over, but not at every scrape.

use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::log::{self, Level};

/// How often trouble that lasts is said again.
const REMINDER: Duration = Duration::from_secs(3600);

/// A kind of trouble, and whether it is there.
#[derive(Debug)]
pub(crate) struct Event {
    level: Level,
    /// What the log says while it lasts.
    message: &'static str,
    /// What the log says when it is over.
    over: &'static str,
    /// Which HAProxy it is about, where there are several.
    target: Option<String>,
    present: Option<Present>,
}

/// Trouble that is there.
#[derive(Debug)]
struct Present {
    reason: String,
    /// How often it happened since it began.
    times: u64,
    said: Instant,
}

impl Event {
    /// Trouble that is not there yet.
    pub(crate) const fn new(level: Level, message: &'static str, over: &'static str) -> Self {
        Self {
            level,
            message,
            over,
            target: None,
            present: None,
        }
    }

    /// Names the HAProxy that it is about.
    pub(crate) fn of(mut self, target: Option<&str>) -> Self {
        self.target = target.map(str::to_owned);
        self
    }

    /// It happened, once more or for the first time. `reason` tells whether it is the same trouble as
    /// before; `fields` are what the log says of it.
    pub(crate) fn happens(&mut self, now: Instant, reason: &str, fields: &[(&str, &dyn Display)]) {
        match self.count(now, reason) {
            Said::Nothing => {}
            Said::New => log::line(self.level, self.message, &[&self.about(), fields].concat()),
            Said::Again(times) => {
                let times: (&str, &dyn Display) = ("times", &times);
                let all = [&self.about()[..], &[times], fields].concat();
                log::line(self.level, self.message, &all);
            }
        }
    }

    /// How something ended that fails with this trouble.
    pub(crate) fn report(&mut self, failure: Option<impl Display>) {
        match failure {
            None => self.is_over(),
            Some(error) => {
                let text = error.to_string();
                self.happens(Instant::now(), &text, &[("err", &text)]);
            }
        }
    }

    /// It did not happen.
    pub(crate) fn is_over(&mut self) {
        if let Some(times) = self.end() {
            let times: (&str, &dyn Display) = ("times", &times);
            log::info(self.over, &[&self.about()[..], &[times]].concat());
        }
    }

    /// The field that names the target, if there is one.
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

    /// How often it happened, if it did before.
    fn end(&mut self) -> Option<u64> {
        self.present.take().map(|present| present.times)
    }
}

/// What is said when it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    /// That it began, or has another reason now.
    New,
    /// That it lasts; how often it happened.
    Again(u64),
}

#[cfg(test)]
mod tests;
