//! What a command is, and what becomes of its answer.

use std::fmt::{self, Display};
use std::time::Duration;

use crate::config::Flag;
use crate::haproxy::error::SourceError;
use crate::haproxy::reply::Reply;
use crate::metrics::catalog::Catalog;
use crate::metrics::selection::Wanted;
use crate::metrics::snapshot::Sink;
use crate::metrics::value::Value;
use crate::metrics::{Group, Table};

/// The first two numbers of a release.
pub(crate) type Release = (u32, u32);

/// A command that HAProxy is asked besides `show stat`.
pub(crate) struct Command {
    /// As the CLI wants it.
    pub(crate) ask: &'static str,
    /// The first release that knows it, where older ones take it for another one.
    pub(crate) since: Option<Release>,
    /// What turns it on; `None` where it is asked whenever its families are wanted.
    pub(crate) flag: Option<Flag>,
    /// Its families, in the order of the exposition.
    pub(crate) groups: &'static [&'static Group],
    /// When it is asked.
    pub(crate) when: When,
    /// What the log says when it fails, and when that is over; `None` are the words with the command's name.
    pub(crate) events: Option<[&'static str; 2]>,
}

/// When a command is asked.
#[derive(Clone, Copy)]
pub(crate) enum When {
    /// By the scrape itself, which needs the answer for more than the families.
    Itself,
    /// With the rows, on their connection. Holds what makes room for an answer.
    WithRows(fn() -> Box<dyn Answer>),
    /// Behind the rows, on a connection of its own, and not at each scrape: what came is shown in between.
    NowAndThen {
        /// How often.
        every: Duration,
        /// Makes room for an answer.
        answer: fn() -> Box<dyn Periodic>,
        /// Whether it could be read, and when.
        status: &'static Table<OfStatus>,
    },
    /// Behind all others, of the master process.
    OfMaster,
}

impl When {
    /// The order of asking, which is that of the exposition.
    pub(crate) const fn order(self) -> u8 {
        match self {
            Self::Itself => 0,
            Self::WithRows(_) => 1,
            Self::NowAndThen { .. } => 2,
            Self::OfMaster => 3,
        }
    }
}

impl Command {
    /// A command for the usual case: of any release, without a flag, asked by the scrape itself.
    pub(crate) const USUAL: Self = Self {
        ask: "",
        since: None,
        flag: None,
        groups: &[],
        when: When::Itself,
        events: None,
    };

    /// Whether any of its families is wanted.
    pub(crate) fn is_wanted(&self, wanted: &Wanted, catalog: &Catalog) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| wanted.has_group(catalog, group))
    }
}

/// Receives the answer to a command and keeps it until rows are made of it. The memory is kept from
/// scrape to scrape.
pub(crate) trait Answer: Reply {
    /// Forgets the answer.
    fn clear(&mut self);

    /// Puts its rows into the snapshot.
    fn put_rows(&self, into: &mut Sink<'_>);
}

/// Asks one question on a connection of its own.
pub(crate) type Ask<'a> = dyn FnMut(&str, &mut dyn Reply) -> Result<(), ReadError> + 'a;

/// Why nothing was read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// Something was not answered.
    Failed(SourceError),
    /// Some connections led to another process than others.
    Mixed,
}

impl Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Mixed => f.write_str("the replies are of several processes at this address"),
        }
    }
}

/// What is read now and then, and kept in between.
pub(crate) trait Periodic {
    /// Forgets what came.
    fn clear(&mut self);

    /// Asks whatever it takes.
    ///
    /// # Errors
    /// When any of it was not answered, or by several processes.
    fn read(&mut self, ask: &mut Ask<'_>) -> Result<(), ReadError>;

    /// Puts its rows into the snapshot.
    fn put_rows(&self, into: &mut Sink<'_>);
}

/// How the last reading went.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Status {
    /// Whether there was an answer.
    pub(crate) is_up: bool,
    /// When there was one last, in seconds since 1970-01-01 UTC.
    pub(crate) read_at: Option<u64>,
}

/// A value of a `Status`.
pub(crate) type OfStatus = fn(&Status) -> Value<'_>;
