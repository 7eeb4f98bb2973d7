//! What a command is, and what its reply is used for.

use std::fmt::{self, Display};
use std::time::Duration;

use crate::config::Flag;
use crate::haproxy::error::SourceError;
use crate::haproxy::failures::Failures;
use crate::haproxy::reply::Reply;
use crate::metrics::catalog::Catalog;
use crate::metrics::selection::Wanted;
use crate::metrics::snapshot::Sink;
use crate::metrics::value::Value;
use crate::metrics::{Group, Table};

/// The first two numbers of a release.
pub(crate) type Release = (u32, u32);

/// A command that is sent to HAProxy in addition to `show stat`.
pub(crate) struct Command {
    /// The text of the command.
    pub(crate) ask: &'static str,
    /// The first release that knows it, if older ones interpret it as another command.
    pub(crate) since: Option<Release>,
    /// The text of the command for older releases, and the first of them.
    pub(crate) older: Option<(&'static str, Release)>,
    /// The flag that enables it; `None` if it is sent whenever its families are wanted.
    pub(crate) flag: Option<Flag>,
    /// Its families, in the order of the exposition.
    pub(crate) groups: &'static [&'static Group],
    /// When it is sent.
    pub(crate) when: When,
    /// Whether it succeeds: a group with one row.
    pub(crate) status: Option<&'static Table<OfStatus>>,
    /// Log messages when it fails and when it succeeds again.
    pub(crate) events: [&'static str; 2],
}

/// When a command is sent.
#[derive(Clone, Copy)]
pub(crate) enum When {
    /// The scrape sends it itself, because it needs the reply for more than the families.
    Itself,
    /// With `show stat`, on the same connection. Holds the constructor of its reply.
    WithRows(fn() -> Box<dyn Answer>),
    /// After `show stat`, on its own connection, and not at each scrape: between readings the last
    /// reply is exported.
    NowAndThen {
        /// Interval of reading.
        every: Duration,
        /// Constructor of its reply.
        answer: fn() -> Box<dyn Periodic>,
        /// Log messages when it lacks something, and when it no longer does.
        missing: [&'static str; 2],
    },
    /// After all others, to the master process.
    OfMaster,
}

impl When {
    /// The order of sending, which is that of the exposition.
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
    /// A command for the usual case: any release, no flag, sent by the scrape itself.
    pub(crate) const USUAL: Self = Self {
        ask: "",
        since: None,
        older: None,
        flag: None,
        groups: &[],
        when: When::Itself,
        status: None,
        events: [""; 2],
    };

    /// What an operator calls it: its flag, else the command.
    pub(crate) fn name(&self) -> String {
        let flag = self.flag.as_ref();
        flag.map_or_else(|| self.ask.to_owned(), |flag| format!("--{}", flag.name))
    }

    /// Whether any of its families is wanted.
    pub(crate) fn is_wanted(&self, wanted: &Wanted, catalog: &Catalog) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| wanted.has_group(catalog, group))
    }
}

/// Keeps the reply to a command until rows are made of it. The memory is kept from scrape to scrape.
pub(crate) trait Answer {
    /// What receives the reply, and the reply to a further command that its rows need in this scrape.
    fn replies(&mut self) -> (&mut dyn Reply, Option<Further<'_>>);

    /// Discards the replies.
    fn clear(&mut self);

    /// Whether its rows need a further command that was not sent: all commands must be sent again, on one
    /// connection.
    fn needs_further(&mut self) -> bool {
        false
    }

    /// Counts the rows that cannot be exported.
    fn count_bad_rows(&self, _: &mut Failures) {}

    /// Adds its rows to the snapshot.
    fn put_rows(&self, into: &mut Sink<'_>);
}

/// A further command, and what receives its reply.
pub(crate) type Further<'a> = (&'static str, &'a mut dyn Reply);

/// Sends one command on its own connection.
pub(crate) type Ask<'a> = dyn FnMut(&str, &mut dyn Reply) -> Result<(), ReadError> + 'a;

/// Why a reading failed.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// A command failed.
    Failed(SourceError),
    /// The connections led to different processes.
    Mixed,
    /// What is kept of all targets would have more than this number of bytes.
    TooMuch(usize),
}

impl ReadError {
    /// Whether the same reading may succeed at once.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Failed(error) => error.is_passing(),
            Self::Mixed => true,
            Self::TooMuch(_) => false,
        }
    }
}

impl Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::TooMuch(most) => {
                write!(f, "the replies of all targets are larger than {most} bytes")
            }
            Self::Mixed => f.write_str("the replies are of several processes at this address"),
        }
    }
}

/// A reply that is read at intervals and kept in between.
pub(crate) trait Periodic {
    /// Size in bytes of what was read.
    fn kept_bytes(&self) -> usize;

    /// Sends all commands of the reading.
    ///
    /// # Errors
    /// If a command failed, or several processes replied.
    fn read(&mut self, ask: &mut Ask<'_>) -> Result<(), ReadError>;

    /// What is missing in it.
    fn missing(&self) -> Option<Missing>;

    /// Adds its rows to the snapshot.
    fn put_rows(&self, into: &mut Sink<'_>);
}

/// What a reading lacks.
pub(crate) struct Missing {
    /// How much, as far as it is known.
    pub(crate) count: usize,
    /// What it is, and why.
    pub(crate) why: String,
    /// Whether another reading may have it at once.
    pub(crate) is_passing: bool,
}

/// The result of the last reading.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Status {
    /// Whether it succeeded.
    pub(crate) is_up: bool,
    /// When the last successful one was, in seconds since 1970-01-01 UTC.
    pub(crate) read_at: Option<u64>,
    /// How much it lacks.
    pub(crate) missing: Option<u64>,
}

/// A value of a `Status`.
pub(crate) type OfStatus = fn(&Status) -> Value<'_>;
