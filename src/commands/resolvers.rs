//! `show stat domain resolvers` under the names of HAProxy's built-in exporter.

use crate::metrics::BUILTIN;
use crate::metrics::Group;
use crate::metrics::macros::table;

/// The only group.
pub(crate) static GROUPS: [&Group; 1] = [&RESOLVER.group];

table! {
    /// The name servers; each value is the cell of a column.
    pub(crate) static RESOLVER: &'static str {
        profile: Some(BUILTIN),
        scope: "resolver",
        prefix: "haproxy_resolver_",
        labels: &["resolver", "nameserver"],
    }
    Gauge   sent = "sent", "DNS queries that were sent to this name server.";
    Gauge   send_error = "send_error", "DNS queries that could not be sent.";
    Gauge   valid = "valid", "Valid DNS answers.";
    Gauge   update = "update", "DNS answers that changed an address.";
    Gauge   cname = "cname", "DNS answers that are an alias only.";
    Gauge   cname_error = "cname_error", "DNS answers with an alias that is not valid.";
    Gauge   any_err = "any_err", "DNS answers to ANY queries that are empty.";
    Gauge   nx = "nx", "DNS answers that the name does not exist.";
    Gauge   timeout = "timeout", "DNS queries that were not answered in time.";
    Gauge   refused = "refused", "DNS queries that were refused.";
    Gauge   other = "other", "Other DNS errors.";
    Gauge   invalid = "invalid", "DNS answers that are not valid.";
    Gauge   too_big = "too_big", "DNS answers that are too big.";
    Gauge   truncated = "truncated", "DNS answers that were truncated.";
    Gauge   outdated = "outdated", "DNS answers that came too late.";
}
