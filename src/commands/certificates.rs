//! When certificates end, in every profile: HAProxy's own exporter has no such families.

use super::command::{Command, When};
use crate::config::Flag;
use crate::config::Takes::Switch;
use crate::metrics::Group;
use crate::metrics::macros::table;
use crate::metrics::value::Value;

const ASK: &str = "show ssl sni";

pub(super) static COMMAND: Command = Command {
    ask: ASK,
    flag: Some(Flag::new(
        "haproxy.certificates",
        Switch(false),
        "Export when the loaded certificates expire; needs a CLI socket (level operator before HAProxy 3.2)",
        |to, text| to.turn_command(ASK, text),
    )),
    groups: &GROUPS,
    when: When::Alone,
    ..Command::USUAL
};

/// The groups, in the order of the exposition.
pub(crate) static GROUPS: [&Group; 2] = [&CERTIFICATE.group, &CERTIFICATES.group];

/// How all were read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// Whether they could be.
    pub(crate) is_up: bool,
    /// When they were read last, in seconds since 1970-01-01 UTC.
    pub(crate) read_at: Option<u64>,
}

type OfEnd = fn(&i64) -> Value<'_>;
type OfReading = fn(&Reading) -> Value<'_>;

table! {
    /// Each certificate, by the second since 1970-01-01 UTC at which it ends.
    pub(crate) static CERTIFICATE: OfEnd {
        prefix: "haproxy_ssl_certificate_",
        labels: &["filename"],
    }
    Gauge   not_after_timestamp_seconds = |end| Value::Signed(*end), "Time when a certificate that HAProxy has loaded expires, in seconds since 1970-01-01 UTC.";
}

table! {
    /// One row.
    pub(crate) static CERTIFICATES: OfReading {
        prefix: "haproxy_ssl_certificates_",
    }
    Gauge   up = |reading| reading.is_up.into(), "1 if the certificates that HAProxy has loaded could be read, else 0.";
    Gauge   last_read_timestamp_seconds = |reading| reading.read_at.into(), "Time when the certificates were last read, in seconds since 1970-01-01 UTC.";
}
