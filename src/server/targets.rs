//! The HAProxy instances that can be scraped: their names, and the result of the last scrape of
//! each.

use std::time::Instant;

use crate::metrics::report::{Process, Report};
use crate::metrics::snapshot::Outcome;

/// What the target without a name is called.
pub(crate) const UNNAMED: &str = "default";

/// All targets, by number.
#[derive(Debug)]
pub(crate) struct Targets {
    /// The names for `?target=`; empty for the target of the scrape URI.
    names: Vec<String>,
    last: Vec<Option<Last>>,
}

/// The last scrape of a target, and what earlier ones found out.
#[derive(Debug)]
pub(crate) struct Last {
    /// Whether it succeeded, and how long it took.
    pub(crate) outcome: Outcome,
    /// When it ended.
    pub(crate) at: Instant,
    /// It in words.
    pub(crate) report: Report,
    /// When the first scrape with the same outcome ended, with no other one after it.
    pub(crate) since: Instant,
    /// The last failure, and when it was.
    pub(crate) failure: Option<(String, Instant)>,
    /// The process that replied last, and when that was.
    pub(crate) haproxy: (Process, Instant),
}

/// Why a request has no target; the text is the body of the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TargetError {
    /// The request names none, and there is none without a name.
    NotNamed(String),
    /// An unknown name; holds it and the known names.
    Unknown(String, String),
}

impl std::error::Error for TargetError {}

impl std::fmt::Display for TargetError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotNamed(names) => {
                write!(f, "target: the value is missing (use target={names})")
            }
            Self::Unknown(name, names) if names.is_empty() => {
                write!(
                    f,
                    "target: {name:?} is not a known target (there is none with a name)"
                )
            }
            Self::Unknown(name, names) => {
                write!(f, "target: {name:?} is not a known target (use {names})")
            }
        }
    }
}

impl Targets {
    /// Targets by their names, in the order of their numbers.
    pub(crate) fn new(names: Vec<String>) -> Self {
        let last = names.iter().map(|_| None).collect();
        Self { names, last }
    }

    /// The number of the target of a name, or of the one without a name.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn find(&self, name: Option<&str>) -> Result<usize, TargetError> {
        let number = |wanted: &str| self.names.iter().position(|known| known == wanted);
        let wanted = name.unwrap_or_default();
        // The landing page calls the target without a name so.
        let unnamed = || (wanted == UNNAMED).then(|| number("")).flatten();
        if let Some(number) = number(wanted).or_else(unnamed) {
            return Ok(number);
        }
        let named = self.names.iter().filter(|name| !name.is_empty());
        let names = named.map(String::as_str).collect::<Vec<_>>().join(", ");
        Err(match name {
            None | Some("") => TargetError::NotNamed(names),
            Some(name) => TargetError::Unknown(name.to_owned(), names),
        })
    }

    /// The name of a target; empty for the one without a name.
    pub(crate) fn name(&self, target: usize) -> &str {
        self.names.get(target).map_or("", String::as_str)
    }

    /// Records a scrape that has ended.
    pub(crate) fn scraped(
        &mut self,
        target: usize,
        (outcome, mut report): (Outcome, Report),
        at: Instant,
    ) {
        let Some(last) = self.last.get_mut(target) else {
            return;
        };
        let last = last.get_or_insert_with(|| Last {
            outcome,
            at,
            since: at,
            report: Report::default(),
            failure: None,
            haproxy: (Process::default(), at),
        });
        if last.outcome.is_up != outcome.is_up {
            last.since = at;
        }
        (last.outcome, last.at) = (outcome, at);
        if let Some(why) = report.failure.take() {
            last.failure = Some((why, at));
        }
        // Not every scrape reads `show info`.
        if !report.haproxy.release.is_empty() {
            last.haproxy = (std::mem::take(&mut report.haproxy), at);
        }
        last.report = report;
    }

    /// When the last scrape of a target began.
    pub(crate) fn last_began(&self, target: usize) -> Option<Instant> {
        let last = self.last.get(target)?.as_ref()?;
        last.at.checked_sub(last.outcome.took)
    }

    /// Name and last scrape of each target.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Option<&Last>)> {
        let names = self.names.iter().map(String::as_str);
        names.zip(self.last.iter().map(Option::as_ref))
    }
}

#[cfg(test)]
mod tests;
