//! TLS errors: of the setup, and of a peer.

use std::error::Error;
use std::fmt::{self, Display};

use rustls::{AlertDescription, CertificateError};

use crate::sys::calendar::Utc;

/// Why TLS cannot be set up.
#[derive(Debug)]
pub(crate) enum SetupError {
    /// The file with the roots, and what is wrong with it.
    CaFile(String),
    /// The system has no roots, with the reason if there is one.
    NoRoots(Option<rustls_native_certs::Error>),
    /// The name to verify, from the flag.
    ServerName(String),
    /// The host of the URI, which cannot be verified.
    Host(String),
    /// rustls rejected its configuration.
    Rustls(rustls::Error),
}

impl Error for SetupError {}

impl Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NEITHER: &str = "is neither a DNS name nor an IP address";
        match self {
            Self::CaFile(error) => f.write_str(error),
            Self::NoRoots(Some(error)) => write!(f, "no root certificates: {error}"),
            Self::NoRoots(None) => f.write_str("no root certificates on this system"),
            Self::ServerName(name) => write!(f, "{name:?} {NEITHER}"),
            Self::Host(name) => write!(f, "the host: {name:?} {NEITHER}"),
            Self::Rustls(error) => error.fmt(f),
        }
    }
}

/// An error of a TLS peer.
#[derive(Debug)]
pub(crate) enum TlsError {
    /// It closed the connection during the handshake.
    Closed,
    /// It closed the connection without close_notify; an attacker on the network can do that too.
    Cut,
    /// It does not speak TLS.
    NotTls,
    /// It requires a client certificate.
    ClientCertificate,
    /// It refused, with this alert (RFC 8446, 6).
    Alert(AlertDescription),
    /// Its certificate is self-signed.
    SelfSigned,
    /// Its certificate is signed by this issuer, which is not trusted.
    UnknownIssuer(String),
    /// Its certificate names this trusted issuer, but that issuer did not sign it.
    NotSigned(String),
    /// Its certificate is not valid now.
    OutOfDate(Validity),
    /// The certificate of this issuer is not valid now.
    IssuerOutOfDate(String, Validity),
    /// Its certificate is for other names.
    WrongName(OtherNames),
    /// Its certificate is invalid for another reason.
    Certificate(CertificateError),
    /// Any other error of rustls.
    Other(rustls::Error),
}

/// Since when or until when a certificate is valid, in seconds since 1970-01-01 UTC (RFC 5280,
/// 4.1.2.5).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Validity {
    /// It has expired.
    Until(u64),
    /// It is not valid yet.
    From(u64),
}

/// The names of a certificate that lacks the expected one.
#[derive(Debug)]
pub(crate) struct OtherNames {
    /// The expected name.
    pub wanted: String,
    /// The first names of the certificate.
    pub first: Vec<String>,
    /// The number of further names.
    pub more: usize,
}

impl TlsError {
    /// Whether the certificate would be accepted if its issuer were trusted.
    pub(crate) fn is_unknown_issuer(&self) -> bool {
        matches!(self, Self::SelfSigned | Self::UnknownIssuer(_))
    }
}

impl Error for TlsError {}

impl Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed by the peer"),
            Self::Cut => {
                f.write_str("response cut: the connection ended without TLS's close_notify")
            }
            Self::NotTls => f.write_str("the response is not TLS (is it an http:// port?)"),
            Self::ClientCertificate => {
                f.write_str("the peer wants a client certificate, and there is none to give")
            }
            Self::Alert(alert) => write!(f, "the peer refused with the alert {alert:?}"),
            Self::SelfSigned => f.write_str("the certificate is self-signed"),
            Self::UnknownIssuer(name) => {
                write!(f, "the certificate's issuer is unknown: {name:?}")
            }
            Self::NotSigned(issuer) => {
                write!(
                    f,
                    "the certificate is not signed by the {issuer:?} that is trusted"
                )
            }
            Self::OutOfDate(validity) => write!(f, "the certificate {validity}"),
            Self::IssuerOutOfDate(issuer, validity) => {
                write!(f, "the certificate of the issuer {issuer:?} {validity}")
            }
            Self::WrongName(names) => write!(f, "the certificate is not for {names}"),
            Self::Certificate(error) => {
                f.write_str("the certificate cannot be used: ")?;
                certificate_reason(error).fmt(f)
            }
            Self::Other(error) => error.fmt(f),
        }
    }
}

impl Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Until(time) => write!(f, "expired at {}Z", Utc(time)),
            Self::From(time) => write!(f, "is not valid before {}Z", Utc(time)),
        }
    }
}

impl Display for OtherNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wanted, Some((first, others))) = (&self.wanted, self.first.split_first()) else {
            return write!(f, "{:?}: it has no names", self.wanted);
        };
        write!(f, "{wanted:?} but for {first:?}")?;
        others.iter().try_for_each(|name| write!(f, ", {name:?}"))?;
        match self.more {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// The reason why a certificate is invalid. If rustls has no variant for an error of webpki, it
/// prints `Other(OtherError(...))` around it.
pub(super) fn certificate_reason(error: &CertificateError) -> &dyn Display {
    match error {
        CertificateError::Other(other) => other,
        other => other,
    }
}
