//! Backends under the names of HAProxy's built-in exporter.

use super::{BACKEND_STATES, RESPONSE_CODES, SERVERS_IN_STATE, SERVERS_WITH_RESULT};
use crate::haproxy::stat::RowType;
use crate::metrics::BUILTIN;
use crate::metrics::{Cell, Family, Group, Kind, Reading, RowsOf};

pub(super) static MAIN: Group = Group {
    rows: RowsOf::Stat(RowType::Backend),
    profile: Some(BUILTIN),
    scope: "backend",
    prefix: "haproxy_backend_",
    labels: &["proxy"],
    families: families! {
        Gauge   current_queue [Integer qcur] "Requests queued now.";
        Gauge   max_queue [Integer qmax] "Most requests that were ever queued at once.";
        Gauge   current_sessions [Integer scur] "Sessions open now.";
        Gauge   max_sessions [Integer smax] "Most sessions that were ever open at once.";
        Gauge   limit_sessions [Integer slim] "Configured limit of sessions.";
        Counter sessions_total [Integer stot] "Sessions handled.";
        Counter bytes_in_total [Integer bin] "Bytes received.";
        Counter bytes_out_total [Integer bout] "Bytes sent.";
        Counter requests_denied_total [Integer dreq] "Requests denied by rules.";
        Counter responses_denied_total [Integer dresp] "Responses denied by rules.";
        Counter connection_errors_total [Integer econ] "Failed connections to servers.";
        Counter response_errors_total [Integer eresp] "Invalid responses of servers.";
        Counter retry_warnings_total [Integer wretr] "Connections that were tried again.";
        Counter redispatch_warnings_total [Integer wredis] "Requests moved to another server.";
        Gauge   status BACKEND_STATES "1 for the present state, 0 for the others.";
        Gauge   weight [Integer weight] "Weight in load balancing now.";
        Gauge   active_servers [Integer act] "Active servers that are up.";
        Gauge   backup_servers [Integer bck] "Backup servers that are up.";
        Counter check_up_down_total [Integer chkdown] "Times that it went from up to down.";
        Gauge   check_last_change_seconds [Integer lastchg] "Time since the last change of state, in seconds.";
        Counter downtime_seconds_total [Integer downtime] "Time spent down, in seconds.";
        Counter loadbalanced_total [Integer lbtot] "Requests that load balancing gave to it.";
        Gauge   current_session_rate [Integer rate] "Sessions in the last second.";
        Gauge   max_session_rate [Integer rate_max] "Most sessions per second.";
        Counter http_responses_total RESPONSE_CODES "HTTP responses by class of code.";
        Counter http_requests_total [HttpInteger req_tot] "HTTP requests.";
        Counter client_aborts_total [Integer cli_abrt] "Transfers aborted by the client.";
        Counter server_aborts_total [Integer srv_abrt] "Transfers aborted by the server.";
        Counter http_comp_bytes_in_total [HttpInteger comp_in] "Bytes given to the compressor.";
        Counter http_comp_bytes_out_total [HttpInteger comp_out] "Bytes the compressor produced.";
        Counter http_comp_bytes_bypassed_total [HttpInteger comp_byp] "Bytes that bypassed the compressor.";
        Counter http_comp_responses_total [HttpInteger comp_rsp] "Compressed responses.";
        Gauge   last_session_seconds [Integer lastsess] "Time since the last session, -1 is never, in seconds.";
        Gauge   queue_time_average_seconds [Milliseconds qtime] "Average time in the queue, last 1,024 requests, in seconds.";
        Gauge   connect_time_average_seconds [Milliseconds ctime] "Average time to connect, last 1,024 requests, in seconds.";
        Gauge   response_time_average_seconds [Milliseconds rtime] "Average time to respond, last 1,024 requests, in seconds.";
        Gauge   total_time_average_seconds [Milliseconds ttime] "Average total time, last 1,024 requests, in seconds.";
        Counter failed_header_rewriting_total [Integer wrew] "Header rewrites that failed.";
        Counter connection_attempts_total [Integer connect] "Connections tried.";
        Counter connection_reuses_total [Integer reuse] "Connections reused.";
        Counter http_cache_lookups_total [HttpInteger cache_lookups] "Cache lookups.";
        Counter http_cache_hits_total [HttpInteger cache_hits] "Cache hits.";
        Gauge   max_queue_time_seconds [Milliseconds qtime_max] "Longest time in the queue, in seconds.";
        Gauge   max_connect_time_seconds [Milliseconds ctime_max] "Longest time to connect, in seconds.";
        Gauge   max_response_time_seconds [Milliseconds rtime_max] "Longest time to respond, in seconds.";
        Gauge   max_total_time_seconds [Milliseconds ttime_max] "Longest total time, in seconds.";
        Counter internal_errors_total [Integer eint] "Internal errors.";
        Gauge   uweight [Integer uweight] "Weight set by the user.";
        Gauge   agg_server_check_status SERVERS_IN_STATE "Servers in each state (old name of agg_server_status).";
        Gauge   agg_server_status SERVERS_IN_STATE "Servers in each state.";
        Gauge   agg_check_status SERVERS_WITH_RESULT "Servers with each check result.";
        Counter req_bytes_in_total [Integer reqbin] "Request bytes received from clients.";
        Counter req_bytes_out_total [Integer reqbout] "Request bytes sent to servers.";
        Counter res_bytes_in_total [Integer resbin] "Response bytes received from servers.";
        Counter res_bytes_out_total [Integer resbout] "Response bytes sent to clients.";
        Counter http_cache_hint_hits_total [HttpInteger cache_hint_hits] "Early hints answered from the cache.";
    },
    ..Group::OWN
};
