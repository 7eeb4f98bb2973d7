//! What helps when something failed.

use std::fmt::{self, Display};

use crate::haproxy::source::{Remedy, SetupError, SourceError};

/// The error, and behind it the setting that can help.
pub(crate) fn with_remedy(error: &SourceError) -> impl Display {
    WithRemedy(error)
}

struct WithRemedy<'a>(&'a SourceError);

impl Display for WithRemedy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        let remedy = match self.0.remedy() {
            None => return Ok(()),
            Some(Remedy::AllowLargerAnswers) => "--haproxy.max-response-bytes",
            Some(Remedy::RaiseLevel) => "the CLI socket needs level operator",
            #[cfg(feature = "tls")]
            Some(Remedy::TrustIssuer) => "--haproxy.ssl-ca-file can trust it",
        };
        write!(f, " ({remedy})")
    }
}

/// A source that cannot be used, with the flag that it is about.
pub(crate) fn setup(error: &SetupError) -> String {
    match error {
        SetupError::Proxy(_) => format!("--http.proxy-from-env: {error}"),
        #[cfg(feature = "tls")]
        SetupError::Tls(tls) => tls_setup(tls),
    }
}

#[cfg(feature = "tls")]
fn tls_setup(error: &crate::net::tls::SetupError) -> String {
    use crate::net::tls::SetupError as Error;
    match error {
        Error::CaFile(..) => format!("--haproxy.ssl-ca-file: {error}"),
        Error::ServerName(_) => format!("--haproxy.ssl-server-name: {error}"),
        Error::NoRoots(_) => format!(
            "--haproxy.scrape-uri: {error} (--haproxy.ssl-ca-file or SSL_CERT_FILE can name some)"
        ),
        Error::Host(_) | Error::Rustls(_) => format!("--haproxy.scrape-uri: {error}"),
    }
}
