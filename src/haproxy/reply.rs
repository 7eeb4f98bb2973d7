//! Commands and what reads their replies. Each command implements `Reply`; a source only passes
//! bytes.

use std::fmt;
use std::time::Duration;

use super::error::SourceError;
use super::limits::{MAX_FIELDS, MAX_LABEL_BYTES, MAX_LINE_BYTES, MAX_NAME_BYTES};

/// What proves that a reply is complete. HAProxy writes whole rows, so a truncated reply usually
/// ends at the end of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The CLI ends its reply with an empty line (management guide, section 9.3).
    EmptyLine,
    /// The transport announced the length of the body.
    Length,
    /// Only the end of the stream: at least the last row must have its line end.
    LineEnd,
}

/// Receives the reply to one command, piece by piece while it arrives.
pub(crate) trait Reply {
    /// Takes whole lines or rows from the beginning of `input`, up to and including the first empty
    /// line that ends a reply of the CLI. The rest is passed again, with more bytes after it.
    ///
    /// # Errors
    /// If a limit is exceeded: then the whole reply is rejected.
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError>;

    /// No more bytes follow after `rest`, which `push` did not take. `proof` shows whether the
    /// reply is complete.
    ///
    /// # Errors
    /// If the reply is incomplete, or belongs to another command; none of it must be used then.
    fn finish(&mut self, rest: &[u8], proof: Proof) -> Result<(), ReplyError>;

    /// Whether HAProxy rejected the command with this reply because the level of the socket is too
    /// low.
    fn is_denial(&self, _: &ReplyError) -> bool {
        false
    }
}

/// The result of `Reply::push`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Number of bytes taken from the beginning of the input.
    pub bytes: usize,
    /// Whether the last line was the empty one that ends a reply of the CLI. Only the reply can
    /// tell: a quoted field can contain an empty line too.
    pub ends: bool,
}

/// One command, and what receives its reply.
pub(crate) struct Question<'a> {
    /// The text for the CLI, without a line end; several commands can be joined with `;` for one
    /// reply.
    pub command: &'a str,
    /// Receives the reply.
    pub reply: &'a mut dyn Reply,
    /// What fails with it.
    pub need: Need,
    /// Why the reply to an `Extra` command is missing.
    pub failure: Option<SourceError>,
    /// Size of the reply in bytes.
    pub bytes: u64,
    /// How long it was awaited and read; `None` if it was not.
    pub took: Option<Duration>,
}

/// What fails if a command fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The scrape.
    All,
    /// Only what is made of this reply.
    Extra,
}

impl<'a> Question<'a> {
    /// A command that was not sent yet.
    pub(crate) fn new(command: &'a str, need: Need, reply: &'a mut dyn Reply) -> Self {
        Self {
            command,
            reply,
            need,
            failure: None,
            bytes: 0,
            took: None,
        }
    }
}

/// Why a reply is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReplyError {
    /// It is empty; over HTTP, the body is.
    Empty(Proof),
    /// The proof of completeness is missing.
    Cut(Proof),
    /// It is larger than this number of bytes.
    TooLarge(usize),
    /// It lists more than this number of things of this kind.
    TooMany(usize, &'static str),
    /// It belongs to another command; holds the command and the beginning of the reply.
    OfAnotherKind(&'static str, String),
    /// It is right and has nothing in it; holds what this means.
    Nothing(&'static str),
    /// It is not a reply to `show info`, which has a version.
    NoVersion,
    /// A master process reports that the process does not exist.
    NoSuchProcess,
    /// An HTML page.
    Html,
    /// The master of several processes (`-W -S`), which has no statistics.
    Master,
    /// Neither a header nor a single valid row; holds the first line.
    NotStatistics(String),
    /// A line outside of a CSV is longer than `MAX_LINE_BYTES`.
    LongLine,
    /// A row, counted from 1, is longer than `MAX_LINE_BYTES`.
    LineTooLong(u64),
    /// A row has more than `MAX_FIELDS` fields.
    TooManyFields(u64),
    /// A row has a name of more than `MAX_NAME_BYTES`.
    NameTooLong(u64),
    /// With this row, the names of all rows exceed `MAX_LABEL_BYTES`.
    NamesTooLong(u64),
}

impl ReplyError {
    /// Whether this is certainly not a reply to `show stat`, whatever followed.
    pub(crate) fn is_no_statistics(&self) -> bool {
        matches!(self, Self::NotStatistics(_) | Self::Html | Self::Master)
    }
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(Proof::EmptyLine) => f.write_str("closed without a reply"),
            Self::Empty(_) => f.write_str("an empty reply"),
            Self::Cut(Proof::EmptyLine) => {
                f.write_str("reply cut: the closing empty line is missing")
            }
            Self::Cut(_) => f.write_str("reply cut: it ends in the middle of a row"),
            Self::TooLarge(bytes) => write!(f, "read: the reply is larger than {bytes} bytes"),
            Self::TooMany(most, things) => write!(f, "more than {most} {things}"),
            Self::OfAnotherKind(command, line) => {
                write!(f, "not a reply to {command:?}: it begins {line:?}")
            }
            Self::Nothing(meaning) => f.write_str(meaning),
            Self::NoVersion => f.write_str("not a reply to \"show info\": it has no Version"),
            Self::NoSuchProcess => f.write_str("the master has no such process"),
            Self::Html => f.write_str("an HTML page instead of CSV"),
            Self::Master => f.write_str("this is the master socket; use a stats socket"),
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
