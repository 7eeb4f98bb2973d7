//! Servers under the names of HAProxy's built-in exporter.

use super::{AGENT_RESULTS, CHECK_RESULTS, RESPONSE_CODES, SERVER_STATES};
use crate::haproxy::stat::RowType;
use crate::metrics::BUILTIN;
use crate::metrics::{Cell, Family, Group, Kind, Reading, RowsOf};

pub(super) static MAIN: Group = Group {
    rows: RowsOf::Stat(RowType::Server),
    profile: Some(BUILTIN),
    scope: "server",
    prefix: "haproxy_server_",
    labels: &["proxy", "server"],
    families: families! {
        Gauge   current_queue [Integer qcur] "Requests queued now.";
        Gauge   max_queue [Integer qmax] "Most requests that were ever queued at once.";
        Gauge   current_sessions [Integer scur] "Sessions open now.";
        Gauge   max_sessions [Integer smax] "Most sessions that were ever open at once.";
        Gauge   limit_sessions [Integer slim] "Configured limit of sessions.";
        Counter sessions_total [Integer stot] "Sessions handled.";
        Counter bytes_in_total [Integer bin] "Bytes received.";
        Counter bytes_out_total [Integer bout] "Bytes sent.";
        Counter responses_denied_total [Integer dresp] "Responses denied by rules.";
        Counter connection_errors_total [Integer econ] "Failed connections to servers.";
        Counter response_errors_total [Integer eresp] "Invalid responses of servers.";
        Counter retry_warnings_total [Integer wretr] "Connections that were tried again.";
        Counter redispatch_warnings_total [Integer wredis] "Requests moved to another server.";
        Gauge   status SERVER_STATES "1 for the present state, 0 for the others.";
        Gauge   weight [Integer weight] "Weight in load balancing now.";
        Gauge   active [Integer act] "1 for an active server, 0 for a backup.";
        Gauge   backup [Integer bck] "1 for a backup server, 0 for an active one.";
        Counter check_failures_total [Integer chkfail] "Failed health checks.";
        Counter check_up_down_total [Integer chkdown] "Times that it went from up to down.";
        Gauge   check_last_change_seconds [Integer lastchg] "Time since the last change of state, in seconds.";
        Counter downtime_seconds_total [Integer downtime] "Time spent down, in seconds.";
        Gauge   queue_limit [Integer qlimit] "Limit of requests in the queue (maxqueue).";
        Gauge   current_throttle [Integer throttle] "Percent of the weight and of maxconn that count during slowstart.";
        Counter loadbalanced_total [Integer lbtot] "Requests that load balancing gave to it.";
        Gauge   current_session_rate [Integer rate] "Sessions in the last second.";
        Gauge   max_session_rate [Integer rate_max] "Most sessions per second.";
        Gauge   check_status CHECK_RESULTS "1 for the result of the last health check, 0 for the others.";
        Gauge   check_code [CheckCode check_code] "Code of the last layer 5 to 7 health check.";
        Gauge   check_duration_seconds [Milliseconds check_duration] "Time the last health check took, in seconds.";
        Counter http_responses_total RESPONSE_CODES "HTTP responses by class of code.";
        Counter http_requests_total [HttpInteger req_tot] "HTTP requests.";
        Counter client_aborts_total [Integer cli_abrt] "Transfers aborted by the client.";
        Counter server_aborts_total [Integer srv_abrt] "Transfers aborted by the server.";
        Gauge   last_session_seconds [Integer lastsess] "Time since the last session, -1 is never, in seconds.";
        Gauge   queue_time_average_seconds [Milliseconds qtime] "Average time in the queue, last 1,024 requests, in seconds.";
        Gauge   connect_time_average_seconds [Milliseconds ctime] "Average time to connect, last 1,024 requests, in seconds.";
        Gauge   response_time_average_seconds [Milliseconds rtime] "Average time to respond, last 1,024 requests, in seconds.";
        Gauge   total_time_average_seconds [Milliseconds ttime] "Average total time, last 1,024 requests, in seconds.";
        Gauge   agent_status AGENT_RESULTS "1 for the result of the last agent check, 0 for the others.";
        Gauge   agent_code [AgentCode agent_code] "Code of the last agent check.";
        Gauge   agent_duration_seconds [AgentMilliseconds agent_duration] "Time the last agent check took, in seconds.";
        Counter failed_header_rewriting_total [Integer wrew] "Header rewrites that failed.";
        Counter connection_attempts_total [Integer connect] "Connections tried.";
        Counter connection_reuses_total [Integer reuse] "Connections reused.";
        Gauge   idle_connections_current [Integer srv_icur] "Idle connections.";
        Gauge   idle_connections_limit [Integer src_ilim] "Limit of idle connections.";
        Gauge   max_queue_time_seconds [Milliseconds qtime_max] "Longest time in the queue, in seconds.";
        Gauge   max_connect_time_seconds [Milliseconds ctime_max] "Longest time to connect, in seconds.";
        Gauge   max_response_time_seconds [Milliseconds rtime_max] "Longest time to respond, in seconds.";
        Gauge   max_total_time_seconds [Milliseconds ttime_max] "Longest total time, in seconds.";
        Counter internal_errors_total [Integer eint] "Internal errors.";
        Gauge   unsafe_idle_connections_current [Integer idle_conn_cur] "Idle connections not safe to reuse.";
        Gauge   safe_idle_connections_current [Integer safe_conn_cur] "Idle connections safe to reuse.";
        Gauge   used_connections_current [Integer used_conn_cur] "Connections in use.";
        Gauge   need_connections_current [Integer need_conn_est] "Connections estimated to be needed.";
        Gauge   uweight [Integer uweight] "Weight set by the user.";
        Gauge   private_idle_connections_current [Integer priv_idle_cur] "Private idle connections.";
        Counter req_bytes_in_total [Integer reqbin] "Request bytes received from clients.";
        Counter req_bytes_out_total [Integer reqbout] "Request bytes sent to servers.";
        Counter res_bytes_in_total [Integer resbin] "Response bytes received from servers.";
        Counter res_bytes_out_total [Integer resbout] "Response bytes sent to clients.";
    },
    ..Group::OWN
};
