//! A problem that can last. It is logged when it begins, when its reason changes, once per hour
//! while it lasts, and when it ends, but not at every scrape. One that comes and goes, or whose reason
//! is another each time, is logged ten times a minute at most.

use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::log::{self, Level};

/// Interval at which a lasting problem is logged again.
const REMINDER: Duration = Duration::from_secs(3600);

/// Lines of one problem in `WINDOW`. A peer or a client can make it change at every scrape.
const MOST_LINES: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60);

/// A kind of problem, and whether it lasts now.
#[derive(Debug)]
pub(crate) struct Event {
    level: Level,
    /// Log message while it lasts.
    message: &'static str,
    /// Log message when it ends.
    over: &'static str,
    /// The HAProxy instance concerned, if there are several.
    target: Option<&'static str>,
    /// What is known since it occurred first: thousands of targets have none of it.
    past: Option<Box<Past>>,
}

/// A problem that has occurred.
#[derive(Debug, Default)]
struct Past {
    present: Option<Present>,
    lines: Lines,
}

/// The lines of the current window.
#[derive(Debug, Default)]
struct Lines {
    began: Option<Instant>,
    written: u32,
    withheld: u64,
}

impl Lines {
    /// Whether `wanted` leads to a line now, and how many it stands for that were withheld before: once the
    /// window is over one line is due that says how many, and how things are.
    fn next(&mut self, now: Instant, wanted: bool) -> Option<u64> {
        let is_over = |began| now.saturating_duration_since(began) >= WINDOW;
        let is_due = wanted || self.withheld > 0;
        if self.began.is_none_or(is_over) && is_due {
            let withheld = self.withheld;
            *self = Self {
                began: Some(now),
                written: 1,
                withheld: 0,
            };
            return Some(withheld);
        }
        if !wanted {
            return None;
        }
        let may = self.written < MOST_LINES;
        self.written += u32::from(may);
        self.withheld += u64::from(!may);
        may.then_some(0)
    }
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
    pub(crate) fn new(level: Level, message: &'static str, over: &'static str) -> Self {
        Self {
            level,
            message,
            over,
            target: None,
            past: None,
        }
    }

    /// Sets the HAProxy instance concerned.
    pub(crate) fn of(mut self, target: Option<&'static str>) -> Self {
        self.target = target;
        self
    }

    /// Records an occurrence. `reason` decides whether it is the same problem as before; `fields`
    /// are logged with it.
    pub(crate) fn happens(&mut self, now: Instant, reason: &str, fields: &[(&str, &dyn Display)]) {
        let past = self.past.get_or_insert_default();
        let said = past.count(now, reason);
        let Some(withheld) = past.lines.next(now, said != Said::Nothing) else {
            return;
        };
        let times = past.present.as_ref().map_or(0, |present| present.times);
        let times = (said != Said::New).then_some(("times", &times as &dyn Display));
        let withheld = shown(&withheld);
        let own = times.into_iter().chain(withheld);
        let all: Vec<_> = (self.about().into_iter().chain(own))
            .chain(fields.iter().copied())
            .collect();
        log::line(self.level, self.message, &all);
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
        let Some(past) = &mut self.past else {
            return;
        };
        let ended = past.end();
        let Some(withheld) = past.lines.next(Instant::now(), ended.is_some()) else {
            return;
        };
        let times = ended.as_ref().map(|times| ("times", times as &dyn Display));
        let own = times.into_iter().chain(shown(&withheld));
        let all: Vec<_> = self.about().into_iter().chain(own).collect();
        log::info(self.over, &all);
    }

    /// Why it lasts, if it does.
    pub(crate) fn reason(&self) -> Option<&str> {
        let present = self.past.as_ref()?.present.as_ref()?;
        Some(&present.reason)
    }

    /// What lasts, and why, if it does.
    pub(crate) fn text(&self) -> Option<String> {
        let reason = self.reason()?;
        Some(format!("{}: {reason}", self.message))
    }

    /// The log field that names the target, if there is one.
    fn about(&self) -> Vec<(&str, &dyn Display)> {
        let target = self.target.as_ref();
        target
            .map(|name| ("target", name as &dyn Display))
            .into_iter()
            .collect()
    }
}

impl Past {
    /// Number of occurrences, if it occurred before.
    fn end(&mut self) -> Option<u64> {
        self.present.take().map(|present| present.times)
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
        Said::Again
    }
}

/// The field of the lines that were withheld, if there were any.
fn shown(withheld: &u64) -> Option<(&'static str, &dyn Display)> {
    (*withheld > 0).then_some(("lines_withheld", withheld as &dyn Display))
}

/// What is logged about an occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    /// The problem began, or its reason changed.
    New,
    /// The problem lasts.
    Again,
}

#[cfg(test)]
mod tests;
