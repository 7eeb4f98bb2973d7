//! What is asked, and what the answer is given to. Each command has a small room of its own that
//! implements `Reply`; a source only carries bytes.

use std::fmt;

use super::error::SourceError;
use super::limits::{MAX_FIELDS, MAX_LABEL_BYTES, MAX_LINE_BYTES, MAX_NAME_BYTES};

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

    /// Whether HAProxy refuses the command with this: the socket's level is too low for it.
    fn is_denial(&self, _: &ReplyError) -> bool {
        false
    }
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

/// Why an answer is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReplyError {
    /// Not a byte came; over HTTP, none behind the head.
    Empty(Proof),
    /// The proof of completeness is missing.
    Cut(Proof),
    /// It has more than so many bytes.
    TooLarge(usize),
    /// It names more than so many things of this kind.
    TooMany(usize, &'static str),
    /// It is not one to the command; holds the command and the beginning of what came.
    OfAnotherKind(&'static str, String),
    /// It is not one to `show info`, which has a version.
    NoVersion,
    /// A master process says that the process that was asked is not there.
    NoSuchProcess,
    /// An HTML page.
    Html,
    /// The master of several processes (`-W -S`), which has no statistics.
    Master,
    /// Neither a header nor a single good row; holds the first line.
    NotStatistics(String),
    /// A line, of no CSV, is longer than `MAX_LINE_BYTES`.
    LongLine,
    /// A row, counted from 1, is longer than `MAX_LINE_BYTES`.
    LineTooLong(u64),
    /// A row has more than `MAX_FIELDS` fields.
    TooManyFields(u64),
    /// A row has a name of more than `MAX_NAME_BYTES`.
    NameTooLong(u64),
    /// With this row, the names of all rows pass `MAX_LABEL_BYTES`.
    NamesTooLong(u64),
}

impl ReplyError {
    /// Whether what came is no answer to `show stat` at all, however it went on.
    pub(crate) fn is_no_statistics(&self) -> bool {
        matches!(self, Self::NotStatistics(_) | Self::Html | Self::Master)
    }
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(Proof::EmptyLine) => f.write_str("closed without an answer"),
            Self::Empty(_) => f.write_str("an empty answer"),
            Self::Cut(Proof::EmptyLine) => {
                f.write_str("answer cut: the closing empty line is missing")
            }
            Self::Cut(_) => f.write_str("answer cut: it ends in the middle of a row"),
            Self::TooLarge(bytes) => write!(f, "read: the answer is larger than {bytes} bytes"),
            Self::TooMany(most, things) => write!(f, "more than {most} {things}"),
            Self::OfAnotherKind(command, line) => {
                write!(f, "not an answer to {command:?}: it begins {line:?}")
            }
            Self::NoVersion => f.write_str("not an answer to \"show info\": it has no Version"),
            Self::NoSuchProcess => f.write_str("the master has no such process"),
            Self::Html => f.write_str("an HTML page instead of CSV"),
            Self::Master => f.write_str("this is the master's CLI; use a stats socket"),
            Self::NotStatistics(line) => write!(f, "not HAProxy statistics: it begins {line:?}"),
            Self::LongLine => write!(f, "read: a line is longer than {MAX_LINE_BYTES} bytes"),
            Self::LineTooLong(line) => {
                write!(f, "line {line} is longer than {MAX_LINE_BYTES} bytes")
            }
            Self::TooManyFields(line) => write!(f, "line {line} has more than {MAX_FIELDS} fields"),
            Self::NamesTooLong(line) => write!(
                f,
                "the names up to line {line} are longer than {MAX_LABEL_BYTES} bytes"
            ),
            Self::NameTooLong(line) => {
                write!(
                    f,
                    "line {line} has a name longer than {MAX_NAME_BYTES} bytes"
                )
            }
        }
    }
}

impl std::error::Error for ReplyError {}
