//! Who is trusted, and the words for a certificate that is not.

use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::der::{self, Facts};
use super::{SetupError, TlsError};
use crate::errno::reason;

/// A bundle of all public roots has 250 KB.
const MAX_CA_FILE_BYTES: u64 = 4 << 20;
/// Names of a certificate that fit into a readable line.
const MAX_NAMES: usize = 5;

/// Some roots, and why others are missing.
type Roots = (RootCertStore, Option<String>);

/// The roots of `ca_file`, or else the system's (`SSL_CERT_FILE`, `SSL_CERT_DIR`).
///
/// # Errors
/// When there are none.
pub(crate) fn roots(ca_file: Option<&str>) -> Result<Roots, SetupError> {
    match ca_file {
        Some(path) => match roots_of_file(path) {
            Ok(roots) => Ok((roots, None)),
            Err(why) => Err(SetupError::CaFile(path.to_owned(), why)),
        },
        None => system_roots(),
    }
}

fn roots_of_file(path: &str) -> Result<RootCertStore, String> {
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_CA_FILE_BYTES + 1).read_to_end(&mut pem))
        .map_err(|error| reason(&error))?;
    if pem.len() as u64 > MAX_CA_FILE_BYTES {
        return Err(format!("larger than {MAX_CA_FILE_BYTES} bytes"));
    }
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let number = store.len() + 1;
        let certificate = certificate.map_err(|_| format!("certificate {number}: no PEM"))?;
        store
            .add(certificate)
            .map_err(|error| format!("certificate {number}: {}", bare(&error)))?;
    }
    if store.is_empty() {
        return Err("no certificate in it (PEM)".to_owned());
    }
    Ok(store)
}

fn system_roots() -> Result<Roots, SetupError> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(found.certs);
    let missing = found.errors.first().map(ToString::to_string);
    match store.is_empty() {
        true => Err(SetupError::NoRoots(missing)),
        false => Ok((store, missing)),
    }
}

/// Checks certificates and keeps the words for the last one that it refused.
#[derive(Debug)]
pub(crate) struct Verifier {
    /// `None` takes any certificate (`--no-haproxy.ssl-verify`); that the peer holds its key is
    /// checked still.
    roots: Option<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
    refusal: Mutex<Option<TlsError>>,
}

impl Verifier {
    /// Trusts `roots`, or anybody.
    pub(crate) fn new(roots: Option<RootCertStore>, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self {
            roots,
            algorithms,
            refusal: Mutex::new(None),
        }
    }

    /// Why the last certificate was refused; only once.
    pub(crate) fn refusal(&self) -> Option<TlsError> {
        let mut refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        refusal.take()
    }

    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let Some(roots) = &self.roots else {
            return Ok(());
        };
        let parsed = ParsedCertificate::try_from(end_entity)?;
        if is_root(end_entity, roots) {
            check_dates(end_entity, now)?;
        } else {
            verify_server_cert_signed_by_trust_anchor(
                &parsed,
                roots,
                intermediates,
                now,
                self.algorithms.all,
            )?;
        }
        verify_server_name(&parsed, name)
    }
}

/// Whether the peer's own certificate is among the roots: webpki builds no path for that, but it is
/// what a self-signed HAProxy has. Its key is the trusted one, and the handshake proves that the peer
/// holds it; a root whose names are constrained is left to webpki.
fn is_root(certificate: &CertificateDer<'_>, roots: &RootCertStore) -> bool {
    let mut own = RootCertStore::empty();
    // What cannot be parsed is webpki's to refuse.
    let _ = own.add(certificate.clone());
    own.roots
        .first()
        .is_some_and(|own| own.name_constraints.is_none() && roots.roots.contains(own))
}

fn check_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let facts = der::facts(certificate).ok_or(CertificateError::BadEncoding)?;
    if facts.not_after.is_before(now) {
        return Err(CertificateError::Expired);
    }
    if facts.not_before.is_after(now) {
        return Err(CertificateError::NotValidYet);
    }
    Ok(())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, intermediates, name, now)
            .inspect_err(|error| {
                let text = refusal(error, end_entity, intermediates, now);
                *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
            })?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Why a certificate was refused, with what an operator needs to mend it.
fn refusal(
    error: &Error,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    now: UnixTime,
) -> TlsError {
    use CertificateError as Why;
    let Error::InvalidCertificate(why) = error else {
        return TlsError::Other(error.to_string());
    };
    let own = der::facts(end_entity);
    let is_self_signed = own
        .as_ref()
        .is_some_and(|facts| facts.issuer == facts.subject);
    TlsError::Other(match (why, own) {
        (Why::Expired | Why::ExpiredContext { .. }, Some(own)) => {
            dated(&own, intermediates, |facts| {
                let bad = facts.not_after.is_before(now);
                bad.then(|| format!("expired at {}", facts.not_after))
            })
        }
        (Why::NotValidYet | Why::NotValidYetContext { .. }, Some(own)) => {
            dated(&own, intermediates, |facts| {
                let bad = facts.not_before.is_after(now);
                bad.then(|| format!("is not valid before {}", facts.not_before))
            })
        }
        (
            Why::NotValidForNameContext {
                expected,
                presented,
            },
            _,
        ) => wrong_name(&expected.to_str(), presented),
        // webpki says of a self-signed authority that it is none of a server.
        (Why::UnknownIssuer | Why::Other(_), Some(_)) if is_self_signed => {
            return TlsError::SelfSigned;
        }
        (Why::UnknownIssuer, Some(own)) => {
            return TlsError::UnknownIssuer(der::common_name(own.issuer));
        }
        (Why::BadSignature, Some(own)) => format!(
            "the certificate is not signed by the {:?} that is trusted",
            der::common_name(own.issuer)
        ),
        (why, _) => unusable(why),
    })
}

/// Of the certificates that came, the first which `bad` has words for.
fn dated(
    own: &Facts<'_>,
    intermediates: &[CertificateDer<'_>],
    bad: impl Fn(&Facts<'_>) -> Option<String>,
) -> String {
    if let Some(words) = bad(own) {
        return format!("the certificate {words}");
    }
    let issuer = intermediates.iter().find_map(|certificate| {
        let facts = der::facts(certificate)?;
        let words = bad(&facts)?;
        let name = der::common_name(facts.subject);
        Some(format!("the certificate of the issuer {name:?} {words}"))
    });
    issuer.unwrap_or_else(|| "a certificate is out of date".to_owned())
}

/// webpki writes names as `DnsName("host")` and `IpAddress(::1)`.
fn wrong_name(expected: &str, presented: &[String]) -> String {
    if presented.is_empty() {
        return format!("the certificate is not for {expected:?}: it has no names");
    }
    let names: Vec<String> = presented
        .iter()
        .take(MAX_NAMES)
        .map(|name| {
            let inner = name.split_once('(').map_or(&**name, |(_, rest)| rest);
            let inner = inner.strip_suffix(')').unwrap_or(inner);
            // An IPv6 address is not written as everybody else does (`0::1`).
            let address = inner.parse::<IpAddr>().map(|address| address.to_string());
            format!(
                "{:?}",
                address.as_deref().unwrap_or(inner.trim_matches('"'))
            )
        })
        .collect();
    let more = match presented.len().saturating_sub(MAX_NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "the certificate is not for {expected:?} but for {}{more}",
        names.join(", ")
    )
}

/// The words for everything that is wrong with a certificate besides trust, time and name.
pub(crate) fn unusable(error: &CertificateError) -> String {
    match error {
        CertificateError::Other(other) => format!("the certificate cannot be used: {other}"),
        other => format!("the certificate cannot be used: {other}"),
    }
}

/// The certificate's problem alone.
fn bare(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => other.to_string(),
        Error::InvalidCertificate(error) => error.to_string(),
        other => other.to_string(),
    }
}
