//! What is asked, and what the answer is given to. Each command has a small room of its own that
//! implements `Reply`; a source only carries bytes.

use std::fmt;

use super::info::InfoError;
use super::lines::LinesError;
use super::rules::TableError;
use super::source::SourceError;

/// What proves that an answer was not cut. HAProxy writes whole rows, so a cut answer usually ends
/// at a row's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The CLI closes its answer with an empty line (management guide, section 9.3).
    EmptyLine,
    /// The transport said how long the body is.
    Length,
    /// Nothing but the end of the stream: at least the last row must have its line end.
    LineEnd,
}

/// Receives the answer to one command, piece by piece while it arrives.
pub(crate) trait Reply {
    /// Takes whole lines or rows off the beginning of `input`, up to and including the first empty
    /// line that ends an answer of the CLI. What is not taken comes again, with more behind it.
    ///
    /// # Errors
    /// When a limit is passed: then the whole answer is refused.
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError>;

    /// No more bytes will come than `rest`, which `push` did not take. `proof` is what must show
    /// that nothing is missing.
    ///
    /// # Errors
    /// When the answer is cut, or is not one to this command; nothing of it may be used then.
    fn finish(&mut self, rest: &[u8], proof: Proof) -> Result<(), ReplyError>;
}

/// What `Reply::push` took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Bytes off the beginning of the input.
    pub bytes: usize,
    /// Whether the last line taken was the empty one that ends an answer of the CLI. Only the
    /// reply can tell: a quoted cell may hold an empty line as well.
    pub ends: bool,
}

/// One command and where its answer goes.
pub(crate) struct Question<'a> {
    /// As the CLI wants it, without a line end; several may be joined with `;` for one reply.
    pub command: &'a str,
    /// Receives the answer.
    pub reply: &'a mut dyn Reply,
    /// What a failure costs.
    pub need: Need,
    /// Why an `Extra` answer is missing.
    pub failure: Option<SourceError>,
    /// Bytes of the answer.
    pub bytes: u64,
}

/// What the failure of a question costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The scrape.
    All,
    /// Only what is made of this answer.
    Extra,
}

impl<'a> Question<'a> {
    /// A question that was not asked yet.
    pub(crate) fn new(command: &'a str, need: Need, reply: &'a mut dyn Reply) -> Self {
        Self {
            command,
            reply,
            need,
            failure: None,
            bytes: 0,
        }
    }
}

/// Why an answer is refused, in the words of its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReplyError {
    /// The answer to `show stat`.
    Stat(TableError),
    /// The answer to `show info`.
    Info(InfoError),
    /// The answer to a command whose lines are kept.
    Lines(LinesError),
}

impl ReplyError {
    /// Whether what came is no answer to this command at all, however it went on.
    pub(crate) fn is_of_another_kind(&self) -> bool {
        matches!(
            self,
            Self::Stat(TableError::NotStatistics(_) | TableError::Html | TableError::Master)
        )
    }
}

impl ReplyError {
    /// Whether an HTML page came.
    pub(crate) fn is_html(&self) -> bool {
        matches!(self, Self::Stat(TableError::Html))
    }
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stat(error) => error.fmt(f),
            Self::Info(error) => error.fmt(f),
            Self::Lines(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReplyError {}

impl From<TableError> for ReplyError {
    fn from(error: TableError) -> Self {
        Self::Stat(error)
    }
}

impl From<InfoError> for ReplyError {
    fn from(error: InfoError) -> Self {
        Self::Info(error)
    }
}

impl From<LinesError> for ReplyError {
    fn from(error: LinesError) -> Self {
        Self::Lines(error)
    }
}
