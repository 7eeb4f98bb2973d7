//! Where the answers come from, complete or not at all, before one deadline.
//!
//! A source knows nothing of what it carries: each answer goes to the reply of its question, piece
//! by piece while it arrives, and at the end with what proves it complete.

use super::buffer::ReadBuffer;
use super::error::{SetupError, SourceError};
use super::file::FileSource;
use super::page::HttpSource;
use super::reader::Limits;
use super::reply::Question;
use super::socket::{SocketSource, Spent};
use super::uri::ScrapeUri;
use crate::net::address::TlsOptions;
use crate::net::proxy;

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
