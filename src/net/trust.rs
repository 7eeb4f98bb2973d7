//! How https peers are checked.

/// What the user says about certificates. Needs the feature `tls` to have an effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Certificates are not checked at all.
    pub insecure: bool,
    /// Only the roots of this PEM file are trusted.
    pub ca_file: Option<String>,
    /// This name is verified and sent instead of the URI's host.
    pub server_name: Option<String>,
}
