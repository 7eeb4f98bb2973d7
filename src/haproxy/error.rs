//! Why a source cannot be used, or a command has no reply.

use std::borrow::Cow;
use std::fmt;

use super::reply::ReplyError;
use crate::net::address::AddressError;
use crate::net::error::NetError;
#[cfg(feature = "tls")]
use crate::net::tls;

/// Why a source cannot be used at all.
#[derive(Debug)]
pub(crate) enum SetupError {
    /// The proxy in the environment.
    Proxy(AddressError),
    /// Roots or names for TLS.
    #[cfg(feature = "tls")]
    Tls(tls::SetupError),
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proxy(error) => error.fmt(f),
            #[cfg(feature = "tls")]
            Self::Tls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SetupError {}

/// A failed command: its peer, and the reason.
#[derive(Debug)]
pub(crate) struct SourceError {
    /// The source, or the proxy in front of it.
    pub object: String,
    /// The reason.
    pub problem: Problem,
    /// The hint.
    pub advice: Option<Cow<'static, str>>,
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Problem {
    /// A network error.
    Net(NetError),
    /// The reply is larger than this number of bytes.
    TooLarge(u64),
    /// There was a reply, but an earlier one on the same connection was incomplete.
    BehindBroken,
    /// Bytes after the end of the last reply.
    TooMuch,
    /// In prompt mode, no prompt after a reply.
    NoPrompt,
    /// Why the file cannot be used.
    File(String),
    /// Not a complete reply to the command.
    Reply(ReplyError),
}

impl From<NetError> for Problem {
    fn from(error: NetError) -> Self {
        Self::Net(error)
    }
}

impl From<ReplyError> for Problem {
    fn from(error: ReplyError) -> Self {
        Self::Reply(error)
    }
}

impl SourceError {
    /// Whether the same command may succeed at once.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.problem, Problem::Net(_))
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.problem)?;
        match &self.advice {
            Some(advice) => write!(f, " ({advice})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SourceError {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(error) => error.fmt(f),
            Self::TooLarge(limit) => {
                write!(f, "read: the reply is larger than {limit} bytes")
            }
            Self::BehindBroken => f.write_str("read: the previous reply was cut"),
            Self::TooMuch => f.write_str("read: more came behind the closing empty line"),
            Self::NoPrompt => f.write_str("read: no prompt behind the reply"),
            Self::File(error) => f.write_str(error),
            Self::Reply(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
