//! Network errors: the phase, and what happened.

use std::borrow::Cow;
use std::fmt;
use std::io;

#[cfg(feature = "tls")]
use super::tls::error::TlsError;
use crate::errno::reason;

/// Why an HTTP response cannot be used. Text of the peer in it is shortened and quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError(Cow<'static, str>);

impl<T: Into<Cow<'static, str>>> From<T> for HttpError {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HttpError {}

/// The phase of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Looking up the addresses of the host.
    Resolve,
    /// Connecting.
    Connect,
    /// The TLS handshake.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "needs TLS"))]
    Handshake,
    /// Sending the command or request.
    Send,
    /// Reading the response.
    Read,
}

impl Phase {
    const fn word(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Handshake => "TLS handshake",
            Self::Send => "send",
            Self::Read => "read",
        }
    }
}

/// A connection that failed. Its text names the phase; the caller knows the peer.
#[derive(Debug)]
pub(crate) enum NetError {
    /// A system call failed.
    Io(Phase, io::Error),
    /// The deadline passed.
    TimedOut(Phase),
    /// The host has no address.
    Unresolved(io::Error),
    /// The HTTP response cannot be used.
    Http(HttpError),
    /// The TLS peer violated the protocol, or is not trusted.
    #[cfg(feature = "tls")]
    Tls(Phase, TlsError),
    /// The proxy did not open a tunnel.
    #[cfg(feature = "tls")]
    Tunnel(Box<NetError>),
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(phase, error) => write!(f, "{}: {}", phase.word(), reason(error)),
            Self::TimedOut(phase) => write!(f, "{}: timed out", phase.word()),
            Self::Unresolved(error) => {
                write!(f, "{}: {}", Phase::Resolve.word(), reason(error))
            }
            Self::Http(error) => error.fmt(f),
            #[cfg(feature = "tls")]
            Self::Tls(phase, error) => write!(f, "{}: {error}", phase.word()),
            #[cfg(feature = "tls")]
            Self::Tunnel(error) => write!(f, "proxy tunnel: {error}"),
        }
    }
}

impl std::error::Error for NetError {}

impl From<HttpError> for NetError {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

#[cfg(test)]
mod tests;
