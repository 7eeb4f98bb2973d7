//! What a command is, and what becomes of its answer.

use crate::config::Flag;
use crate::haproxy::reply::Reply;
use crate::metrics::Group;
use crate::metrics::catalog::Catalog;
use crate::metrics::selection::Wanted;
use crate::metrics::snapshot::Sink;

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
    /// Behind the rows, on a connection of its own.
    Alone,
    /// Behind all others, of the master process.
    OfMaster,
}

impl When {
    /// The order of asking, which is that of the exposition.
    pub(crate) const fn order(self) -> u8 {
        match self {
            Self::Itself => 0,
            Self::WithRows(_) => 1,
            Self::Alone => 2,
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
