//! `show stat domain resolvers` under the names of HAProxy's built-in exporter.

use super::command::{Command, When};
use crate::metrics::BUILTIN;
use crate::metrics::Group;
use crate::metrics::macros::table;

pub(super) static COMMAND: Command = Command {
    ask: "show stat domain resolvers",
    groups: &GROUPS,
    when: When::Itself,
    ..Command::USUAL
};

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
    Gauge   sent = "sent", "DNS queries sent to this name server.";
    Gauge   send_error = "send_error", "DNS queries that could not be sent.";
    Gauge   valid = "valid", "Valid DNS responses.";
    Gauge   update = "update", "DNS responses that changed an address.";
    Gauge   cname = "cname", "DNS responses that contain only an alias.";
    Gauge   cname_error = "cname_error", "DNS responses with an invalid alias.";
    Gauge   any_err = "any_err", "Empty DNS responses to ANY queries.";
    Gauge   nx = "nx", "DNS responses that the name does not exist.";
    Gauge   timeout = "timeout", "DNS queries without a response in time.";
    Gauge   refused = "refused", "DNS queries that were refused.";
    Gauge   other = "other", "Other DNS errors.";
    Gauge   invalid = "invalid", "Invalid DNS responses.";
    Gauge   too_big = "too_big", "DNS responses that are too large.";
    Gauge   truncated = "truncated", "Truncated DNS responses.";
    Gauge   outdated = "outdated", "DNS responses that arrived too late.";
}
