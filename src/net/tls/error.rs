//! Why TLS cannot be set up, and what a peer did wrong.

use std::error::Error;
use std::fmt::{self, Display};
use std::io;

use rustls::{AlertDescription, CertificateError};

use super::verify::MAX_CA_FILE_BYTES;
use crate::errno::reason;
use crate::sys::calendar::Utc;

/// Why TLS cannot be set up.
#[derive(Debug)]
pub(crate) enum SetupError {
    /// The file with the roots, and what is wrong with it.
    CaFile(String, CaFileError),
    /// The system has no roots, with the reason if there is one.
    NoRoots(Option<rustls_native_certs::Error>),
    /// The name to verify that was given.
    ServerName(String),
    /// The URI's host, which would be verified.
    Host(String),
    /// rustls refuses its configuration.
    Rustls(rustls::Error),
}

/// Why a file gives no roots. Certificates are counted from 1.
#[derive(Debug)]
pub(crate) enum CaFileError {
    /// It cannot be opened or read.
    Io(io::Error),
    /// It has more than `MAX_CA_FILE_BYTES`.
    TooLarge,
    /// The certificate of this number is not written as PEM.
    NotPem(usize),
    /// The certificate of this number cannot be a root.
    Certificate(usize, rustls::Error),
    /// Nothing in it begins as a certificate does.
    NoCertificate,
}

impl Error for SetupError {}

impl Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NEITHER: &str = "is neither a DNS name nor an IP address";
        match self {
            Self::CaFile(path, error) => write!(f, "{path}: {error}"),
            Self::NoRoots(Some(error)) => write!(f, "no root certificates: {error}"),
            Self::NoRoots(None) => f.write_str("no root certificates on this system"),
            Self::ServerName(name) => write!(f, "{name:?} {NEITHER}"),
            Self::Host(name) => write!(f, "the host: {name:?} {NEITHER}"),
            Self::Rustls(error) => error.fmt(f),
        }
    }
}

impl Error for CaFileError {}

impl Display for CaFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => f.write_str(&reason(error)),
            Self::TooLarge => write!(f, "larger than {MAX_CA_FILE_BYTES} bytes"),
            Self::NotPem(number) => write!(f, "certificate {number}: no PEM"),
            Self::Certificate(number, error) => {
                write!(f, "certificate {number}: ")?;
                match error {
                    rustls::Error::InvalidCertificate(error) => certificate_reason(error).fmt(f),
                    other => other.fmt(f),
                }
            }
            Self::NoCertificate => f.write_str("no certificate in it (PEM)"),
        }
    }
}

/// What a TLS peer did wrong.
#[derive(Debug)]
pub(crate) enum TlsError {
    /// It closed during the handshake.
    Closed,
    /// It closed without close_notify: anybody on the way can do so.
    Cut,
    /// What it sent is not TLS.
    NotTls,
    /// It wants a client certificate.
    ClientCertificate,
    /// It refused, with this alert (RFC 8446, 6).
    Alert(AlertDescription),
    /// Its certificate vouches for itself.
    SelfSigned,
    /// Its certificate is signed by this issuer, whom nobody here knows.
    UnknownIssuer(String),
    /// Its certificate names this issuer, who is trusted, and is not signed by that one.
    NotSigned(String),
    /// Its certificate is not valid now.
    OutOfDate(Validity),
    /// The certificate of this issuer is not valid now.
    IssuerOutOfDate(String, Validity),
    /// Its certificate is for other names.
    WrongName(OtherNames),
    /// Its certificate is wrong in another way.
    Certificate(CertificateError),
    /// Anything else that rustls says.
    Other(rustls::Error),
}

/// When a certificate is valid, in seconds since 1970-01-01 UTC (RFC 5280, 4.1.2.5).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Validity {
    /// It has ended.
    Until(u64),
    /// It has not begun.
    From(u64),
}

/// The names of a certificate that has not the one that is wanted.
#[derive(Debug)]
pub(crate) struct OtherNames {
    /// The one that is wanted.
    pub wanted: String,
    /// The first of those that it has.
    pub first: Vec<String>,
    /// How many more it has.
    pub more: usize,
}

impl TlsError {
    /// Whether the certificate would do if its issuer were trusted.
    pub(crate) fn is_unknown_issuer(&self) -> bool {
        matches!(self, Self::SelfSigned | Self::UnknownIssuer(_))
    }
}

impl Error for TlsError {}

impl Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed by the peer"),
            Self::Cut => f.write_str("answer cut: the connection ended without TLS's close_notify"),
            Self::NotTls => f.write_str("the answer is not TLS (is it an http:// port?)"),
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

/// What is wrong with a certificate. Where rustls has no variant for an error of webpki's, it prints
/// `Other(OtherError(...))` around it.
fn certificate_reason(error: &CertificateError) -> &dyn Display {
    match error {
        CertificateError::Other(other) => other,
        other => other,
    }
}
