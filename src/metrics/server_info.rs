//! The address and cookie of each server (`--haproxy.server-info`): labels, since they are texts. HAProxy prints
//! them to a CLI of level operator and above, and on a page with `stats show-legends` (management guide,
//! section 9.1, columns 73 and 74).

use super::{BUILTIN, EXPORTER, Table};

table! {
    /// Addresses of servers under the exporter names.
    pub(super) static UNDER_EXPORTER: u64 {
        profile: Some(EXPORTER),
        scope: "server",
        prefix: "haproxy_server_",
        labels: &["backend", "server", "address", "cookie"],
    }
    Gauge   info = 1, "Address and cookie of this server, as HAProxy has them now; always 1.";
}

table! {
    /// Addresses of servers under the builtin names.
    pub(super) static UNDER_BUILTIN: u64 {
        profile: Some(BUILTIN),
        scope: "server",
        prefix: "haproxy_server_",
        labels: &["proxy", "server", "address", "cookie"],
    }
    Gauge   info = 1, "Address and cookie of this server, as HAProxy has them now; always 1.";
}

/// The tables of `--haproxy.server-info` by profile. Their rows are made of those of servers.
pub(super) static TABLES: [&Table<u64>; 2] = [&UNDER_EXPORTER, &UNDER_BUILTIN];
