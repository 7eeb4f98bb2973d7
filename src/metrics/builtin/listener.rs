//! Listeners under the names of HAProxy's built-in exporter.

use super::LISTENER_STATES;
use crate::haproxy::stat::RowType;
use crate::metrics::BUILTIN;
use crate::metrics::{Cell, Family, Group, Kind, Reading, RowsOf};

pub(super) static MAIN: Group = Group {
    rows: RowsOf::Stat(RowType::Listener),
    profile: Some(BUILTIN),
    scope: "listener",
    prefix: "haproxy_listener_",
    labels: &["proxy", "listener"],
    families: families! {
        Gauge   current_sessions [Integer scur] "Sessions open now.";
        Gauge   max_sessions [Integer smax] "Most sessions that were ever open at once.";
        Gauge   limit_sessions [Integer slim] "Configured limit of sessions.";
        Counter sessions_total [Integer stot] "Sessions handled.";
        Counter bytes_in_total [Integer bin] "Bytes received.";
        Counter bytes_out_total [Integer bout] "Bytes sent.";
        Counter requests_denied_total [Integer dreq] "Requests denied by rules.";
        Counter responses_denied_total [Integer dresp] "Responses denied by rules.";
        Counter request_errors_total [Integer ereq] "Invalid requests.";
        Gauge   status LISTENER_STATES "1 for the present state, 0 for the others.";
        Counter connections_total [Integer conn_tot] "Connections accepted.";
        Counter denied_connections_total [Integer dcon] "Connections refused by rules.";
        Counter denied_sessions_total [Integer dses] "Sessions refused by rules.";
        Counter failed_header_rewriting_total [Integer wrew] "Header rewrites that failed.";
        Counter internal_errors_total [Integer eint] "Internal errors.";
        Counter req_bytes_in_total [Integer reqbin] "Request bytes received from clients.";
        Counter req_bytes_out_total [Integer reqbout] "Request bytes sent to servers.";
        Counter res_bytes_in_total [Integer resbin] "Response bytes received from servers.";
        Counter res_bytes_out_total [Integer resbout] "Response bytes sent to clients.";
    },
    ..Group::OWN
};
