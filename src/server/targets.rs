//! The HAProxys that can be asked for: their names, and what the last scrape of each was like.

use std::time::{Duration, Instant};

use crate::metrics::snapshot::Outcome;

/// All of them, by number.
#[derive(Debug)]
pub(crate) struct Targets {
    /// The name for `?target=`; empty for the one that needs none.
    names: Vec<String>,
    last: Vec<Option<Last>>,
}

/// What the last scrape of a target was like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Last {
    /// Whether HAProxy answered, and how long it took.
    pub(crate) outcome: Outcome,
    /// When it was over.
    pub(crate) at: Instant,
}

/// Why a request's target is not there; the text is the answer's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TargetError {
    /// None is named, and there is none without a name.
    NotNamed(String),
    /// There is none of this name; holds it and those that there are.
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
                    "target: {name:?} is not a target (there is none with a name)"
                )
            }
            Self::Unknown(name, names) => {
                write!(f, "target: {name:?} is not a target (use {names})")
            }
        }
    }
}

impl Targets {
    /// Targets by their names, in the order of their numbers.
    pub(crate) fn new(names: Vec<String>) -> Self {
        let last = vec![None; names.len()];
        Self { names, last }
    }

    /// The number of the target of a name, or of the one without.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn find(&self, name: Option<&str>) -> Result<usize, TargetError> {
        let wanted = name.unwrap_or_default();
        if let Some(number) = self.names.iter().position(|known| known == wanted) {
            return Ok(number);
        }
        let named = self.names.iter().filter(|name| !name.is_empty());
        let names = named.map(String::as_str).collect::<Vec<_>>().join(", ");
        Err(match name {
            None | Some("") => TargetError::NotNamed(names),
            Some(name) => TargetError::Unknown(name.to_owned(), names),
        })
    }

    /// A scrape is over.
    pub(crate) fn scraped(&mut self, target: usize, outcome: Outcome, at: Instant) {
        if let Some(last) = self.last.get_mut(target) {
            *last = Some(Last { outcome, at });
        }
    }

    /// Whether the last scrape of a target failed.
    pub(crate) fn has_failed(&self, target: usize) -> bool {
        let last = self.last.get(target).copied().flatten();
        last.is_some_and(|last| !last.outcome.is_up)
    }

    /// When the last scrape of a target began.
    pub(crate) fn last_began(&self, target: usize) -> Option<Instant> {
        let last = self.last.get(target).copied().flatten()?;
        last.at.checked_sub(last.outcome.took)
    }

    /// The name and the last scrape of each.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Option<Last>)> {
        self.names
            .iter()
            .map(String::as_str)
            .zip(self.last.iter().copied())
    }
}

impl Last {
    /// How long ago it was.
    pub(crate) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.at)
    }
}

#[cfg(test)]
mod tests;
