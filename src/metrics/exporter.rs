//! The names of prometheus/haproxy_exporter 0.15, one line each, and what only this profile has besides.
//! The help texts are our own.

use super::EXPORTER;
use super::{Cell, Family, Group, Kind, RESPONSE_CODES, Reading, RowsOf};
use crate::haproxy::stat::RowType;

/// The groups of `show stat`, in the order of the exposition.
pub(crate) static GROUPS: [&Group; 3] = [&FRONTEND, &BACKEND, &SERVER];

static FRONTEND: Group = Group {
    rows: RowsOf::Stat(RowType::Frontend),
    profile: Some(EXPORTER),
    scope: "frontend",
    prefix: "haproxy_frontend_",
    labels: &["frontend"],
    families: families! {
        Gauge   current_sessions [Integer scur] "Sessions open on this frontend now.";
        Gauge   max_sessions [Integer smax] "Most sessions that were ever open on this frontend at once.";
        Gauge   limit_sessions [Integer slim] "Configured limit of sessions on this frontend.";
        Counter sessions_total [Integer stot] "Sessions that this frontend has handled.";
        Counter bytes_in_total [Integer bin] "Bytes received in requests by this frontend.";
        Counter bytes_out_total [Integer bout] "Bytes sent in responses by this frontend.";
        Counter requests_denied_total [Integer dreq] "Requests that this frontend refused by a rule.";
        Counter request_errors_total [Integer ereq] "Requests with an error: bad ones, and clients that gave up or timed out before the end.";
        Gauge   current_session_rate [Integer rate] "Sessions that this frontend opened in the last second.";
        Gauge   limit_session_rate [Integer rate_lim] "Configured limit of new sessions a second on this frontend.";
        Gauge   max_session_rate [Integer rate_max] "Most sessions that this frontend ever opened in one second.";
        Counter http_responses_total RESPONSE_CODES "HTTP responses of this frontend by class of status code.";
        Counter http_requests_total [Integer req_tot] "HTTP requests that this frontend has received.";
        Counter compressor_bytes_in_total [Integer comp_in] "Bytes of HTTP responses that went into the compressor.";
        Counter compressor_bytes_out_total [Integer comp_out] "Bytes of HTTP responses that came out of the compressor.";
        Counter compressor_bytes_bypassed_total [Integer comp_byp] "Bytes of HTTP responses that bypassed the compressor.";
        Counter http_responses_compressed_total [Integer comp_rsp] "HTTP responses that were compressed.";
        Counter connections_total [Integer conn_tot] "Connections that this frontend has accepted.";
    },
    ..Group::OWN
};

static BACKEND: Group = Group {
    rows: RowsOf::Stat(RowType::Backend),
    profile: Some(EXPORTER),
    scope: "backend",
    prefix: "haproxy_backend_",
    labels: &["backend"],
    families: families! {
        Gauge   current_queue [Integer qcur] "Requests waiting in the queue of this backend now.";
        Gauge   max_queue [Integer qmax] "Most requests that ever waited in the queue of this backend at once.";
        Gauge   current_sessions [Integer scur] "Sessions open on this backend now.";
        Gauge   max_sessions [Integer smax] "Most sessions that were ever open on this backend at once.";
        Gauge   limit_sessions [Integer slim] "Configured limit of sessions on this backend.";
        Counter sessions_total [Integer stot] "Sessions that this backend has handled.";
        Counter bytes_in_total [Integer bin] "Bytes received in requests by this backend.";
        Counter bytes_out_total [Integer bout] "Bytes sent in responses by this backend.";
        Counter connection_errors_total [Integer econ] "Attempts to connect to a server of this backend that failed.";
        Counter response_errors_total [Integer eresp] "Responses that failed: cut, invalid, or not taken by the client.";
        Counter retry_warnings_total [Integer wretr] "Connection attempts that were repeated on the same server.";
        Counter redispatch_warnings_total [Integer wredis] "Requests that were sent to another server than the one chosen first.";
        Gauge   up [TakesTraffic status] "Whether this backend can take traffic: 1 for UP, OPEN, DRAIN and no check, else 0.";
        Gauge   weight [Integer weight] "Sum of the weights of the active servers of this backend.";
        Gauge   current_server [Integer act] "Servers of this backend that are active now.";
        Counter server_selected_total [Integer lbtot] "Times that a server was chosen by load balancing.";
        Gauge   current_session_rate [Integer rate] "Sessions that this backend opened in the last second.";
        Gauge   max_session_rate [Integer rate_max] "Most sessions that this backend ever opened in one second.";
        Counter http_responses_total RESPONSE_CODES "HTTP responses of this backend by class of status code.";
        Counter client_aborts_total [Integer cli_abrt] "Transfers that the client broke off.";
        Counter server_aborts_total [Integer srv_abrt] "Transfers that the server broke off.";
        Counter compressor_bytes_in_total [Integer comp_in] "Bytes of HTTP responses that went into the compressor.";
        Counter compressor_bytes_out_total [Integer comp_out] "Bytes of HTTP responses that came out of the compressor.";
        Counter compressor_bytes_bypassed_total [Integer comp_byp] "Bytes of HTTP responses that bypassed the compressor.";
        Counter http_responses_compressed_total [Integer comp_rsp] "HTTP responses that were compressed.";
        Gauge   http_queue_time_average_seconds [Milliseconds qtime] "Average time in the queue over the last 1,024 successful requests, in seconds.";
        Gauge   http_connect_time_average_seconds [Milliseconds ctime] "Average time to connect over the last 1,024 successful requests, in seconds.";
        Gauge   http_response_time_average_seconds [Milliseconds rtime] "Average time to the response over the last 1,024 successful requests, in seconds.";
        Gauge   http_total_time_average_seconds [Milliseconds ttime] "Average time of a whole session over the last 1,024 successful ones, in seconds.";
    },
    ..Group::OWN
};

static SERVER: Group = Group {
    rows: RowsOf::Stat(RowType::Server),
    profile: Some(EXPORTER),
    scope: "server",
    prefix: "haproxy_server_",
    labels: &["backend", "server"],
    families: families! {
        Gauge   current_queue [Integer qcur] "Requests waiting in the queue of this server now.";
        Gauge   max_queue [Integer qmax] "Most requests that ever waited in the queue of this server at once.";
        Gauge   current_sessions [Integer scur] "Sessions open on this server now.";
        Gauge   max_sessions [Integer smax] "Most sessions that were ever open on this server at once.";
        Gauge   limit_sessions [Integer slim] "Configured limit of sessions on this server.";
        Counter sessions_total [Integer stot] "Sessions that this server has handled.";
        Counter bytes_in_total [Integer bin] "Bytes received in requests by this server.";
        Counter bytes_out_total [Integer bout] "Bytes sent in responses by this server.";
        Counter connection_errors_total [Integer econ] "Attempts to connect to this server that failed.";
        Counter response_errors_total [Integer eresp] "Responses that failed: cut, invalid, or not taken by the client.";
        Counter retry_warnings_total [Integer wretr] "Connection attempts that were repeated on the same server.";
        Counter redispatch_warnings_total [Integer wredis] "Requests that were sent to another server than the one chosen first.";
        Gauge   up [TakesTraffic status] "Whether this server can take traffic: 1 for UP, OPEN, DRAIN and no check, else 0.";
        Gauge   weight [Integer weight] "Weight of this server in load balancing.";
        Counter check_failures_total [Integer chkfail] "Health checks of this server that failed while it was up.";
        Counter downtime_seconds_total [Integer downtime] "Seconds that this server has been down, all in all.";
        Counter server_selected_total [Integer lbtot] "Times that load balancing chose this server.";
        Gauge   current_session_rate [Integer rate] "Sessions that this server opened in the last second.";
        Gauge   max_session_rate [Integer rate_max] "Most sessions that this server ever opened in one second.";
        Gauge   check_duration_seconds [Milliseconds check_duration] "How long the last finished health check took, in seconds.";
        Counter http_responses_total RESPONSE_CODES "HTTP responses of this server by class of status code.";
        Counter client_aborts_total [Integer cli_abrt] "Transfers that the client broke off.";
        Counter server_aborts_total [Integer srv_abrt] "Transfers that the server broke off.";
        Gauge   http_queue_time_average_seconds [Milliseconds qtime] "Average time in the queue over the last 1,024 successful requests, in seconds.";
        Gauge   http_connect_time_average_seconds [Milliseconds ctime] "Average time to connect over the last 1,024 successful requests, in seconds.";
        Gauge   http_response_time_average_seconds [Milliseconds rtime] "Average time to the response over the last 1,024 successful requests, in seconds.";
        Gauge   http_total_time_average_seconds [Milliseconds ttime] "Average time of a whole session over the last 1,024 successful ones, in seconds.";
    },
    ..Group::OWN
};
