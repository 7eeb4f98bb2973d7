//! Where replies come from: complete or not at all, before one deadline.
//!
//! A source does not interpret the bytes: each reply is passed piece by piece to the reader of its
//! command while it arrives, and at the end the proof of completeness.

use std::time::Instant;

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

/// One of the sources of replies.
pub(crate) enum Source {
    /// A CLI socket, unix or TCP.
    Socket(SocketSource),
    /// The stats page over HTTP.
    Http(Box<HttpSource>),
    /// A recorded CSV.
    File(FileSource),
}

impl Source {
    /// The source that `uri` names. HTTP uses the proxy of the environment, if that is enabled.
    ///
    /// # Errors
    /// If the proxy cannot be used, or TLS cannot be set up.
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

    /// The master process of `-W`, by the URI of its CLI (`-S`); `None` if that is not a socket.
    pub(crate) fn of_master(uri: &ScrapeUri) -> Option<Self> {
        let socket = match uri {
            ScrapeUri::Unix(name) => SocketSource::unix(name),
            ScrapeUri::Tcp(host) => SocketSource::tcp(host),
            ScrapeUri::Http(_) | ScrapeUri::File(_) => return None,
        };
        Some(Self::Socket(socket.of_master()))
    }

    /// What was sent to a CLI and received; nothing for other sources.
    pub(crate) fn spent(&self) -> Spent {
        match self {
            Self::Socket(source) => source.spent(),
            Self::Http(_) | Self::File(_) => Spent::default(),
        }
    }

    /// Whether this is a CLI, which accepts any command.
    pub(crate) fn takes_commands(&self) -> bool {
        matches!(self, Self::Socket(_))
    }

    /// The CLI, if this is one.
    pub(crate) fn socket(&mut self) -> Option<&mut SocketSource> {
        match self {
            Self::Socket(source) => Some(source),
            Self::Http(_) | Self::File(_) => None,
        }
    }

    /// Sends all commands at once and reads the replies in order. The stats page and a file contain
    /// only the reply to the first command; the others have neither reply nor failure. Why an
    /// `Extra` reply is missing is stored with its command.
    ///
    /// # Errors
    /// If a required reply could not be read, or is incomplete.
    pub(crate) fn ask(
        &mut self,
        questions: &mut [Question<'_>],
        limits: Limits,
        buffer: &mut ReadBuffer,
    ) -> Result<(), SourceError> {
        buffer.clear();
        let (began, before) = (Instant::now(), buffer.received());
        let result = match self {
            Self::Socket(source) => source.ask(questions, limits, buffer),
            Self::Http(source) => source.ask(questions, limits, buffer),
            Self::File(source) => source.ask(questions, limits, buffer),
        };
        let bytes = buffer.received() - before;
        if let Some(trace) = buffer.trace() {
            let what = match self {
                Self::Socket(_) => {
                    for one in questions.iter() {
                        trace.add(one.command, one.bytes, one.took, one.failure.is_some());
                    }
                    return result;
                }
                Self::Http(_) => "stats page",
                Self::File(_) => "file",
            };
            trace.add(what, bytes, Some(began.elapsed()), result.is_err());
        }
        result
    }
}
