//! Why a start or a run ended, each with its flag.
//!
//! The text of an error contains its cause, so only the text is printed.

use std::error::Error;
use std::fmt::{self, Display};
use std::io;

use crate::cli::UsageError;
use crate::cli::flags::{ONCE, PROXY_FROM_ENV, READY_FD, SYSTEMD_SOCKET};
#[cfg(feature = "tls")]
use crate::cli::flags::{SCRAPE_URI, SSL_CA_FILE, SSL_SERVER_NAME};
use crate::errno::reason;
use crate::haproxy::source::SetupError;
use crate::server::link::LinkError;
use crate::server::listen::{BindError, InheritError};
use crate::server::supervisor::ReadyError;

/// Why the command ended, or did not start.
#[derive(Debug)]
pub(crate) enum StartError {
    /// The command line is invalid.
    Usage(UsageError),
    /// The scrape URI, or that of a target, is invalid.
    Source(SetupError),
    /// `--once` with several HAProxy instances.
    NotOne,
    /// `--ready-fd`.
    Ready(ReadyError),
    /// `--web.systemd-socket`.
    Inherited(InheritError),
    /// `--web.listen-address`.
    Listen(BindError),
    /// The soft limit of open descriptors, and the number that the exporter needs.
    Descriptors(u64, u64),
    /// Signals cannot be received.
    Signals(io::Error),
    /// The connection from the I/O thread to the main loop cannot be made.
    PrivateConnection(LinkError),
    /// No thread for the I/O or for `tiny_http`.
    Thread(io::Error),
    /// Standard output cannot be written.
    Output(io::Error),
    /// The main loop has ended.
    Stopped(io::Error),
}

impl StartError {
    /// Whether the command line caused it.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_) | Self::Source(_) | Self::NotOne)
    }
}

impl Error for StartError {}

impl Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => error.fmt(f),
            Self::Source(error) => f.write_str(&setup(error)),
            Self::NotOne => write!(f, "--{ONCE}: scrapes one HAProxy; more are given"),
            Self::Ready(error) => write!(f, "--{READY_FD}={error}"),
            Self::Inherited(error) => write!(f, "--{SYSTEMD_SOCKET}: {error}"),
            Self::Listen(error) => error.fmt(f),
            Self::Descriptors(limit, needed) => {
                write!(f, "no descriptors: limit is {limit}, {needed} are needed")
            }
            Self::Signals(error) => write!(f, "signals: {}", reason(error)),
            Self::PrivateConnection(error) => write!(f, "private connection: {error}"),
            Self::Thread(error) => write!(
                f,
                "cannot start a thread: is there a memory or process limit? ({})",
                reason(error)
            ),
            Self::Output(error) => write!(f, "standard output: {}", reason(error)),
            Self::Stopped(error) => write!(f, "the server stopped: {}", reason(error)),
        }
    }
}

/// A source that cannot be used, with its flag.
fn setup(error: &SetupError) -> String {
    match error {
        SetupError::Proxy(_) => format!("--{PROXY_FROM_ENV}: {error}"),
        #[cfg(feature = "tls")]
        SetupError::Tls(tls) => tls_setup(tls),
    }
}

#[cfg(feature = "tls")]
fn tls_setup(error: &crate::net::tls::SetupError) -> String {
    use crate::net::tls::SetupError as Error;
    match error {
        Error::CaFile(..) => format!("--{SSL_CA_FILE}: {error}"),
        Error::ServerName(_) => format!("--{SSL_SERVER_NAME}: {error}"),
        Error::NoRoots(_) => {
            format!("--{SCRAPE_URI}: {error} (--{SSL_CA_FILE} or SSL_CERT_FILE can name some)")
        }
        Error::Host(_) | Error::Rustls(_) => format!("--{SCRAPE_URI}: {error}"),
    }
}

#[cfg(test)]
mod tests;
