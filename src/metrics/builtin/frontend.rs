//! Frontends under the names of HAProxy's built-in exporter.

use super::{FRONTEND_STATES, RESPONSE_CODES};
use crate::haproxy::stat::RowType;
use crate::metrics::BUILTIN;
use crate::metrics::{Cell, Family, Group, Kind, Reading, RowsOf};

pub(super) static MAIN: Group = Group {
    rows: RowsOf::Stat(RowType::Frontend),
    profile: Some(BUILTIN),
    scope: "frontend",
    prefix: "haproxy_frontend_",
    labels: &["proxy"],
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
        Gauge   status FRONTEND_STATES "1 for the present state, 0 for the others.";
        Gauge   current_session_rate [Integer rate] "Sessions in the last second.";
        Gauge   limit_session_rate [Integer rate_lim] "Limit of sessions per second.";
        Gauge   max_session_rate [Integer rate_max] "Most sessions per second.";
        Counter http_responses_total RESPONSE_CODES "HTTP responses by class of code.";
        Gauge   http_requests_rate_max [HttpInteger req_rate_max] "Most HTTP requests per second.";
        Counter http_requests_total [HttpInteger req_tot] "HTTP requests.";
        Counter http_comp_bytes_in_total [HttpInteger comp_in] "Bytes given to the compressor.";
        Counter http_comp_bytes_out_total [HttpInteger comp_out] "Bytes the compressor produced.";
        Counter http_comp_bytes_bypassed_total [HttpInteger comp_byp] "Bytes that bypassed the compressor.";
        Counter http_comp_responses_total [HttpInteger comp_rsp] "Compressed responses.";
        Gauge   connections_rate_max [Integer conn_rate_max] "Most connections per second.";
        Counter connections_total [Integer conn_tot] "Connections accepted.";
        Counter intercepted_requests_total [HttpInteger intercepted] "Requests HAProxy answered itself.";
        Counter denied_connections_total [Integer dcon] "Connections refused by rules.";
        Counter denied_sessions_total [Integer dses] "Sessions refused by rules.";
        Counter failed_header_rewriting_total [Integer wrew] "Header rewrites that failed.";
        Counter http_cache_lookups_total [HttpInteger cache_lookups] "Cache lookups.";
        Counter http_cache_hits_total [HttpInteger cache_hits] "Cache hits.";
        Counter internal_errors_total [Integer eint] "Internal errors.";
        Counter req_bytes_in_total [Integer reqbin] "Request bytes received from clients.";
        Counter req_bytes_out_total [Integer reqbout] "Request bytes sent to servers.";
        Counter res_bytes_in_total [Integer resbin] "Response bytes received from servers.";
        Counter res_bytes_out_total [Integer resbout] "Response bytes sent to clients.";
        Counter http_cache_hint_hits_total [HttpInteger cache_hint_hits] "Early hints answered from the cache.";
    },
    ..Group::OWN
};
