//! When certificates end, in every profile: HAProxy's own exporter has no such families.

use super::Scope;

keyed_families! {
    /// What is known of a certificate.
    pub(crate) CERTIFICATE_FIELDS [];
    CERTIFICATE {
        scope: Scope::Certificate,
        prefix: "haproxy_ssl_certificate_",
        first_label: "filename",
        is_extra: false,
    }
    Gauge   not_after_timestamp_seconds "not_after" "When the certificate that HAProxy has loaded ends, in seconds since 1970-01-01 UTC.";
}

keyed_families! {
    /// What is known of the reading of all.
    pub(crate) CERTIFICATES_FIELDS [];
    CERTIFICATES {
        scope: Scope::Certificates,
        prefix: "haproxy_ssl_certificates_",
        first_label: "",
        is_extra: false,
    }
    Gauge   up "up" "Whether the certificates that HAProxy has loaded could be read.";
    Gauge   last_read_timestamp_seconds "last_read" "When they were read last, in seconds since 1970-01-01 UTC.";
}
