//! One command on its own connection, as a master process requires it, and how it ended.

use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::error::{Problem, SourceError};
use crate::haproxy::reader::Limits;
use crate::haproxy::reply::{Need, Question, Reply, ReplyError};
use crate::haproxy::source::Source;
use crate::net::error::{NetError, Phase};

/// Sends one command on its own connection. Returns the size of the reply in bytes, or the error.
pub(super) fn ask(
    source: &mut Source,
    command: &str,
    reply: &mut dyn Reply,
    limits: Limits,
    buffer: &mut ReadBuffer,
) -> (u64, Result<(), SourceError>) {
    let mut question = [Question::new(command, Need::All, reply)];
    let result = source.ask(&mut question, limits, buffer);
    (question[0].bytes, result)
}

/// How a command without a reply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// HAProxy still processes it.
    Abandoned,
    /// The connection was closed before the reply was complete.
    Closed,
    /// The master socket refused or reset the connection.
    OfMaster,
    /// The master does not know the process.
    NoSuchProcess,
    /// Anything else.
    Other,
}

/// How the command with this error ended.
pub(super) fn ending(error: &SourceError) -> Ending {
    match &error.problem {
        Problem::Net(NetError::TimedOut(Phase::Read)) => Ending::Abandoned,
        Problem::Net(NetError::Io(..)) => Ending::OfMaster,
        Problem::Reply(ReplyError::Empty(_) | ReplyError::Cut(_)) => Ending::Closed,
        Problem::Reply(ReplyError::NoSuchProcess) => Ending::NoSuchProcess,
        _ => Ending::Other,
    }
}
