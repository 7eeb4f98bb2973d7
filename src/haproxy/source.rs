//! Where the answers come from, complete or not at all, before one deadline.
//!
//! A source knows nothing of what it carries: each answer goes to the reply of its question, piece
//! by piece while it arrives, and at the end with what proves it complete.

use std::borrow::Cow;
use std::fmt;

use super::advice::{self, Asked};
use super::buffer::ReadBuffer;
use super::file::{FileError, FileSource};
use super::page::HttpSource;
use super::reader::Limits;
use super::reply::{Question, ReplyError};
use super::socket::{SocketSource, Spent};
use super::uri::ScrapeUri;
use crate::net::address::{AddressError, TlsOptions};
use crate::net::error::NetError;
use crate::net::proxy;
#[cfg(feature = "tls")]
use crate::net::tls;

/// One of the places that answers come from.
pub(crate) enum Source {
    /// A CLI socket, unix or TCP.
    Socket(SocketSource),
    /// The stats page over HTTP.
    Http(Box<HttpSource>),
    /// A recorded CSV.
    File(FileSource),
}

impl Source {
    /// The source that `uri` names. HTTP goes through the proxy of the environment, if it is to be used.
    ///
    /// # Errors
    /// When the environment's proxy cannot be used, or TLS not be set up.
    pub(crate) fn new(
        uri: &ScrapeUri,
        tls: &TlsOptions,
        proxy: Option<&proxy::Environment>,
    ) -> Result<Self, SetupError> {
        Ok(match uri {
            ScrapeUri::Unix(name) => Self::Socket(SocketSource::unix(name)),
            ScrapeUri::Tcp(host) => Self::Socket(SocketSource::tcp(host)),
            ScrapeUri::Http(http) => Self::Http(Box::new(HttpSource::new(http, tls, proxy)?)),
            ScrapeUri::File(path) => Self::File(FileSource::new(path)),
        })
    }

    /// The master process of `-W`, by the URI of its CLI (`-S`); `None` where that is not a socket.
    pub(crate) fn of_master(uri: &ScrapeUri) -> Option<Self> {
        let socket = match uri {
            ScrapeUri::Unix(name) => SocketSource::unix(name),
            ScrapeUri::Tcp(host) => SocketSource::tcp(host),
            ScrapeUri::Http(_) | ScrapeUri::File(_) => return None,
        };
        Some(Self::Socket(socket.of_master()))
    }

    /// What was asked of a CLI; nothing where there is none.
    pub(crate) fn spent(&self) -> Spent {
        match self {
            Self::Socket(source) => source.spent(),
            Self::Http(_) | Self::File(_) => Spent::default(),
        }
    }

    /// Whether there is a CLI, which takes any command.
    pub(crate) fn takes_commands(&self) -> bool {
        matches!(self, Self::Socket(_))
    }

    /// Asks all questions at once and reads the answers in their order. The stats page and a file
    /// hold the answer to the first question only; the others stay without answer and without
    /// failure. Why an `Extra` answer is missing stands in its question.
    ///
    /// # Errors
    /// When an answer that is needed could not be read, or is not complete.
    pub(crate) fn ask(
        &mut self,
        questions: &mut [Question<'_>],
        limits: Limits,
        buffer: &mut ReadBuffer,
    ) -> Result<(), SourceError> {
        buffer.clear();
        match self {
            Self::Socket(source) => source.ask(questions, limits, buffer),
            Self::Http(source) => source.ask(questions, limits, buffer),
            Self::File(source) => source.ask(questions, limits, buffer),
        }
    }
}

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
    /// The file cannot be used.
    File(FileError),
    /// What came is not a whole answer to the question.
    Reply(ReplyError),
}

impl SourceError {
    /// Why `object` gave no answer.
    pub(super) fn new(object: &str, problem: Problem, asked: Asked<'_>) -> Self {
        Self {
            object: object.to_owned(),
            advice: advice::advice(&problem, asked),
            problem,
        }
    }
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

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        Self::File(error)
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
            Self::File(error) => error.fmt(f),
            Self::Reply(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
