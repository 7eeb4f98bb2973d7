//! Why a source cannot be used, or a question has no answer.

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
    /// The environment's proxy.
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

/// A failed question: asked of whom, and why.
#[derive(Debug)]
pub(crate) struct SourceError {
    /// The source, or the proxy before it.
    pub object: String,
    /// The reason.
    pub problem: Problem,
    /// What may help.
    pub advice: Option<Cow<'static, str>>,
}

/// Why a question failed.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The network gave nothing.
    Net(NetError),
    /// The answer has more bytes than are allowed.
    TooLarge(u64),
    /// The answer came, but an earlier one on the same connection broke off.
    BehindBroken,
    /// Bytes came behind the last answer's end.
    TooMuch,
    /// Why the file cannot be used.
    File(String),
    /// What came is not a whole answer to the question.
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
                write!(f, "read: the answer is larger than {limit} bytes")
            }
            Self::BehindBroken => f.write_str("read: the answer before it broke off"),
            Self::TooMuch => f.write_str("read: more came behind the closing empty line"),
            Self::File(error) => f.write_str(error),
            Self::Reply(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
