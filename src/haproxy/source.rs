//! How to get the complete bytes of an answer, before one deadline.
//!
//! A source hands the statistics on piece by piece while they arrive and says at the end what
//! proves them complete. It knows nothing of CSV or metrics.

use std::fmt;
use std::io;

use super::buffer::ReadBuffer;
use super::socket::SocketSource;
use super::{file, page};
use crate::errno::reason;
use crate::haproxy::rules::{Proof, TableError};
use crate::haproxy::uri::ScrapeUri;
use crate::net::deadline::Deadline;
use crate::net::http::HttpError;
use crate::net::proxy;

/// One of the places that statistics come from.
pub(crate) enum Source {
    /// A CLI socket, unix or TCP.
    Socket(SocketSource),
    /// The stats page over HTTP.
    Http(Box<page::HttpSource>),
    /// A recorded CSV.
    File(file::FileSource),
}

/// What one fetch may use, and where it puts what it reads.
pub(crate) struct Fetch<'a> {
    /// The end of the scrape's time.
    pub deadline: Deadline,
    /// Most bytes of one answer.
    pub max_bytes: u64,
    /// Receives the bytes; what the rows did not take at the end is still in it.
    pub buffer: &'a mut ReadBuffer,
    /// Takes whole rows off the beginning and returns their bytes. With a proof, what is given is
    /// all there is, and must be complete.
    pub rows: &'a mut TakeRows<'a>,
    /// Receives the answer to `show info`, where the source has one.
    pub info: &'a mut Vec<u8>,
}

/// Takes bytes of the statistics; see `Fetch::rows`.
pub(crate) type TakeRows<'a> = dyn FnMut(&[u8], Option<Proof>) -> Result<usize, TableError> + 'a;

/// Whether `show info` was answered; `None` where the source cannot ask.
pub(crate) type InfoFetched = Option<Result<(), SourceError>>;

impl Source {
    /// The source that `uri` names. HTTP goes through the proxy that `environment` asks for, if any.
    ///
    /// # Errors
    /// A text with the reason, when the environment's proxy cannot be used, or TLS not be set up.
    pub(crate) fn new(uri: &ScrapeUri, options: &Options) -> Result<Self, String> {
        Ok(match uri {
            ScrapeUri::Unix(name) => Self::Socket(SocketSource::unix(name, options.wants_servers)),
            ScrapeUri::Tcp(host) => Self::Socket(SocketSource::tcp(host, options.wants_servers)),
            ScrapeUri::Http(http) => Self::Http(Box::new(page::HttpSource::new(http, options)?)),
            ScrapeUri::File(path) => Self::File(file::FileSource::new(path)),
        })
    }

    /// Asks for the statistics, and for `show info` where there is such a thing.
    ///
    /// # Errors
    /// When the statistics could not be read, or are not complete.
    pub(crate) fn fetch(&mut self, fetch: &mut Fetch<'_>) -> Result<InfoFetched, SourceError> {
        match self {
            Self::Socket(source) => source.fetch(fetch),
            Self::Http(source) => source.fetch(fetch),
            Self::File(source) => source.fetch(fetch),
        }
    }

    /// The name of the source in errors.
    pub(crate) fn object(&self) -> &str {
        match self {
            Self::Socket(source) => source.object(),
            Self::Http(source) => source.object(),
            Self::File(source) => source.object(),
        }
    }
}

/// What a source must know besides its URI.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Whether server rows are wanted at all.
    pub wants_servers: bool,
    /// The environment's proxy settings, when `--http.proxy-from-env` is given.
    pub proxy: Option<proxy::Environment>,
    /// How https peers are checked.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "needs TLS"))]
    pub tls: TlsOptions,
}

/// How https peers are checked (feature `tls`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// No check at all (`--no-haproxy.ssl-verify`).
    pub insecure: bool,
    /// Only the roots of this PEM file (`--haproxy.ssl-ca-file`).
    pub ca_file: Option<String>,
    /// Verify and send this name instead of the URI's host (`--haproxy.ssl-server-name`).
    pub server_name: Option<String>,
}

/// What a fetch was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Looking the host's addresses up.
    Resolve,
    /// Connecting.
    Connect,
    /// The TLS handshake.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "needs TLS"))]
    Handshake,
    /// Sending the command or request.
    Send,
    /// Reading the answer.
    Read,
    /// Opening the file.
    Open,
}

impl Phase {
    const fn word(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Handshake => "TLS handshake",
            Self::Send => "send",
            Self::Read => "read",
            Self::Open => "open",
        }
    }
}

/// A failed fetch: of what, and why.
#[derive(Debug)]
pub(crate) struct SourceError {
    /// The source, or the proxy before it.
    pub object: String,
    /// The reason.
    pub problem: Problem,
}

/// Why a fetch failed.
#[derive(Debug)]
pub(crate) enum Problem {
    /// A system call failed; the hint says what to look at.
    Io(Phase, io::Error, Option<&'static str>),
    /// The deadline passed.
    TimedOut(Phase),
    /// The host has no address, with the reason.
    Unresolved(String),
    /// The statistics have more bytes than are allowed.
    TooLarge(u64),
    /// The answer to `show info` has.
    InfoTooLarge(u64),
    /// The HTTP answer is no good.
    Http(HttpError),
    /// The file is no good.
    File(file::FileError),
    /// The TLS peer is no good.
    #[cfg(feature = "tls")]
    Tls(Phase, String),
    /// The proxy gave no tunnel.
    #[cfg(feature = "tls")]
    Tunnel(Box<Problem>),
    /// The rows are no good.
    Table(TableError),
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(phase, error, hint) => {
                write!(f, "{}: {}", phase.word(), reason(error))?;
                hint.map_or(Ok(()), |hint| write!(f, " ({hint})"))
            }
            Self::TimedOut(phase) => write!(f, "{}: timed out", phase.word()),
            Self::Unresolved(why) => write!(f, "{}: {why}", Phase::Resolve.word()),
            Self::TooLarge(limit) => write!(
                f,
                "read: the answer is larger than {limit} bytes (--haproxy.max-response-bytes)"
            ),
            Self::InfoTooLarge(limit) => {
                write!(f, "read: the answer is larger than {limit} bytes")
            }
            Self::Http(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
            #[cfg(feature = "tls")]
            Self::Tls(phase, error) => write!(f, "{}: {error}", phase.word()),
            #[cfg(feature = "tls")]
            Self::Tunnel(problem) => write!(f, "proxy tunnel: {problem}"),
            Self::Table(error) => error.fmt(f),
        }
    }
}
