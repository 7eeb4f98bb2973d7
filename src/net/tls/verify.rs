//! Verifies certificates, and explains why one is rejected.

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

use super::der;
use super::error::{OtherNames, SetupError, TlsError, Validity, certificate_reason};
use crate::errno::reason;
use crate::masked::masked;

/// Maximum size of the file. A bundle of all public roots has 250 KB.
const MAX_CA_FILE_BYTES: u64 = 4 << 20;
/// Maximum number of names of a certificate in a log line.
const MAX_NAMES: usize = 5;

/// Roots, and why some are missing.
type Roots = (RootCertStore, Option<rustls_native_certs::Error>);

/// The roots of `ca_file`, or else those of the system (`SSL_CERT_FILE`, `SSL_CERT_DIR`).
///
/// # Errors
/// If there are none.
pub(crate) fn roots(ca_file: Option<&str>) -> Result<Roots, SetupError> {
    match ca_file {
        Some(path) => match roots_of_file(path) {
            Ok(roots) => Ok((roots, None)),
            Err(error) => Err(SetupError::CaFile(format!("{}: {error}", masked(path)))),
        },
        None => system_roots(),
    }
}

/// Certificates are counted from 1 in errors.
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
        store.add(certificate).map_err(|error| match error {
            Error::InvalidCertificate(why) => {
                format!("certificate {number}: {}", certificate_reason(&why))
            }
            other => format!("certificate {number}: {other}"),
        })?;
    }
    match store.is_empty() {
        true => Err("no certificate in it (PEM)".to_owned()),
        false => Ok(store),
    }
}

fn system_roots() -> Result<Roots, SetupError> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(found.certs);
    let missing = found.errors.into_iter().next();
    match store.is_empty() {
        true => Err(SetupError::NoRoots(missing)),
        false => Ok((store, missing)),
    }
}

/// Verifies certificates and keeps the reason for the last one that it rejected.
#[derive(Debug)]
pub(crate) struct Verifier {
    /// `None` accepts any certificate (`--no-haproxy.ssl-verify`). The handshake still checks that
    /// the peer holds its key.
    roots: Option<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
    refusal: Mutex<Option<TlsError>>,
}

impl Verifier {
    /// Trusts `roots`, or every certificate.
    pub(crate) fn new(roots: Option<RootCertStore>, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self {
            roots,
            algorithms,
            refusal: Mutex::new(None),
        }
    }

    /// Why the last certificate was rejected; returned only once.
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
        let trusted = self.check_trust(&parsed, roots, intermediates, now);
        match trusted {
            Err(error) if is_authority(&error) && is_root(end_entity, roots) => {}
            other => other?,
        }
        verify_server_name(&parsed, name)
    }

    fn check_trust(
        &self,
        certificate: &ParsedCertificate<'_>,
        roots: &RootCertStore,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        verify_server_cert_signed_by_trust_anchor(
            certificate,
            roots,
            intermediates,
            now,
            self.algorithms.all,
        )
    }

    /// Whether a certificate is not valid now, whatever its issuer, and since or until when. webpki
    /// checks the dates first.
    fn is_out_of_date(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
        let Ok(parsed) = ParsedCertificate::try_from(certificate) else {
            return false;
        };
        let error = self.check_trust(&parsed, &RootCertStore::empty(), &[], now);
        matches!(error, Err(Error::InvalidCertificate(why)) if validity_of(&why).is_some())
    }
}

/// Whether the peer's own certificate is one of the roots. `openssl req -x509` makes it one of an
/// authority, and many HAProxy instances have such a certificate. webpki rejects it as that of a
/// server, after its dates. But its key is trusted, and the handshake proves that the peer holds
/// the key. A root whose names are constrained is left to webpki.
fn is_root(certificate: &CertificateDer<'_>, roots: &RootCertStore) -> bool {
    let mut own = RootCertStore::empty();
    // webpki rejects what cannot be parsed.
    let _ = own.add(certificate.clone());
    own.roots
        .first()
        .is_some_and(|own| own.name_constraints.is_none() && roots.roots.contains(own))
}

/// Whether webpki rejected a certificate only because it is one of an authority.
fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
}

/// The dates of a certificate that has expired or is not valid yet.
fn validity_of(why: &CertificateError) -> Option<Validity> {
    match why {
        CertificateError::ExpiredContext { not_after, .. } => {
            Some(Validity::Until(not_after.as_secs()))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            Some(Validity::From(not_before.as_secs()))
        }
        _ => None,
    }
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
                let refusal = self.refusal_of(error, end_entity, intermediates, now);
                *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
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

impl Verifier {
    /// Why a certificate was rejected, with what an operator needs to fix it.
    fn refusal_of(
        &self,
        error: &Error,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> TlsError {
        use CertificateError as Why;
        let Error::InvalidCertificate(why) = error else {
            return TlsError::Other(error.clone());
        };
        if let Some(validity) = validity_of(why) {
            let bad = |certificate: &&CertificateDer<'_>| self.is_out_of_date(certificate, now);
            return match intermediates.iter().find(bad) {
                Some(issuer) if !self.is_out_of_date(end_entity, now) => {
                    TlsError::IssuerOutOfDate(subject(issuer), validity)
                }
                _ => TlsError::OutOfDate(validity),
            };
        }
        let Ok(own) = webpki::EndEntityCert::try_from(end_entity) else {
            return TlsError::Certificate(why.clone());
        };
        let issuer = || der::common_name(own.issuer());
        match why {
            // webpki rejects a self-signed authority as a server certificate.
            Why::UnknownIssuer | Why::Other(_) if own.issuer() == own.subject() => {
                TlsError::SelfSigned
            }
            Why::UnknownIssuer => TlsError::UnknownIssuer(issuer()),
            Why::BadSignature => TlsError::NotSigned(issuer()),
            Why::NotValidForNameContext {
                expected,
                presented,
            } => TlsError::WrongName(other_names(&expected.to_str(), presented)),
            why => TlsError::Certificate(why.clone()),
        }
    }
}

fn subject(certificate: &CertificateDer<'_>) -> String {
    let parsed = webpki::EndEntityCert::try_from(certificate);
    parsed.map_or_else(
        |_| String::new(),
        |parsed| der::common_name(parsed.subject()),
    )
}

/// webpki writes names as `DnsName("host")` and `IpAddress(::1)`.
fn other_names(wanted: &str, presented: &[String]) -> OtherNames {
    let name = |written: &String| {
        let inner = written.split_once('(').map_or(&**written, |(_, rest)| rest);
        let inner = inner.strip_suffix(')').unwrap_or(inner);
        // Formats an IPv6 address as usual (webpki: `0::1`).
        let address = inner.parse::<IpAddr>().map(|address| address.to_string());
        address.unwrap_or_else(|_| inner.trim_matches('"').to_owned())
    };
    OtherNames {
        wanted: wanted.to_owned(),
        first: presented.iter().take(MAX_NAMES).map(name).collect(),
        more: presented.len().saturating_sub(MAX_NAMES),
    }
}
