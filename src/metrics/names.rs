//! The families of `show stat`: which column has which name under both profiles.
//!
//! A row has the kind, the name without the prefix, and the cell: its column and how it is read. Then follow
//! the scopes under the names of HAProxy's built-in exporter (promex, HAProxy 2.4 and later) and the help.
//! After each `/` follow the scopes under the names of prometheus/haproxy_exporter 0.15 and the help, where
//! `*` is replaced by the word of the scope. A column in quotes has no number: only the header tells it. Rows
//! are in the order of the exposition.
//!
//! A family exists if its column does, so an older HAProxy gets the same names as far as its replies have the
//! columns. An empty field gives no sample; HAProxy's exporter prints NaN. The help texts are our own, and
//! name the cases in which a number differs from a good guess (src/share/doc/numbers.md).

use super::{
    BUILTIN, Cell, Conversion, EXPORTER, Family, Group, Kind, RowsOf, labels, modules, server_info,
};
use crate::haproxy::columns::numbered;
use crate::haproxy::stat::RowType;
use crate::haproxy::states::{MAINTENANCE_REASONS, OUT_OF_SERVICE};

/// The groups of both profiles, in the order of the exposition.
pub(crate) static GROUPS: [&Group; 14] = [
    &group(EXPORTER, RowType::Frontend),
    &group(EXPORTER, RowType::Backend),
    &SERVERS,
    &group(EXPORTER, RowType::Server),
    &server_info::UNDER_EXPORTER.group,
    &group(BUILTIN, RowType::Frontend),
    &extra(RowType::Frontend),
    &group(BUILTIN, RowType::Backend),
    &extra(RowType::Backend),
    &group(BUILTIN, RowType::Server),
    &extra(RowType::Server),
    &server_info::UNDER_BUILTIN.group,
    &group(BUILTIN, RowType::Listener),
    &extra(RowType::Listener),
];

const fn group(profile: usize, row_type: RowType) -> Group {
    let (scope, prefix, labels): (_, _, [&[&str]; 2]) = match row_type {
        RowType::Frontend => ("frontend", "haproxy_frontend_", [&["frontend"], &["proxy"]]),
        RowType::Backend => ("backend", "haproxy_backend_", [&["backend"], &["proxy"]]),
        RowType::Server => (
            "server",
            "haproxy_server_",
            [&["backend", "server"], &["proxy", "server"]],
        ),
        RowType::Listener => (
            "listener",
            "haproxy_listener_",
            [&["frontend", "listener"], &["proxy", "listener"]],
        ),
    };
    Group {
        rows: RowsOf::Stat(row_type),
        profile: Some(profile),
        scope,
        prefix,
        labels: labels[profile],
        is_extra: false,
        families: [EXPORTER_FAMILIES, BUILTIN_FAMILIES][profile],
    }
}

/// Counts of servers under the exporter names; the builtin names have `haproxy_backend_agg_server_status`.
static SERVERS: Group = Group {
    scope: "server",
    prefix: "haproxy_",
    families: &[Family {
        kind: Kind::Gauge,
        name: "servers",
        help: ["Servers of this backend in each state.", ""],
        row_types: u8::MAX,
        cells: &SERVERS_IN_STATE,
    }],
    ..group(EXPORTER, RowType::Backend)
};

/// Counters of HAProxy's modules (`?extra-counters`).
const fn extra(row_type: RowType) -> Group {
    Group {
        is_extra: true,
        families: &modules::FAMILIES,
        ..group(BUILTIN, row_type)
    }
}

macro_rules! families {
    ($(
        $kind:ident $name:ident $cells:tt
        $($scopes:ident $help:literal)?
        $(/ $go_scopes:ident $go_help:literal $(* $go_help_end:literal)?)*;
    )*) => {
        const BUILTIN_FAMILIES: &[Family] = &[$($(Family {
            kind: Kind::$kind,
            name: stringify!($name),
            help: [$help, ""],
            row_types: row_types(stringify!($scopes)),
            cells: cells!($cells),
        },)?)*];

        const EXPORTER_FAMILIES: &[Family] = &[$($(Family {
            kind: Kind::$kind,
            name: stringify!($name),
            help: [$go_help, concat!($($go_help_end)?)],
            row_types: row_types(stringify!($go_scopes)),
            cells: cells!($cells),
        },)*)*];
    };
}

macro_rules! cells {
    ([$conversion:ident $column:ident]) => {
        &[Cell::new(
            numbered(stringify!($column)),
            Conversion::$conversion,
        )]
    };
    ([$conversion:ident $column:literal]) => {
        &[Cell::new($column, Conversion::$conversion)]
    };
    ($cells:ident) => {
        &$cells
    };
}

families! {
    Gauge   current_queue [Integer qcur] BS "Current requests in the queue; a backend does not count those in the queues of its servers."
        / B "Current requests in the queue of this backend; requests bound to a server wait in the queue of that server."
        / S "Current requests in the queue of this server.";
    Gauge   max_queue [Integer qmax] BS "Maximum number of requests observed in the queue."
        / BS "Maximum number of requests observed in the queue of this " * ".";
    Gauge   current_sessions [Integer scur] FBSL "Current sessions; an HTTP/2 connection counts once."
        / F "Current sessions of this frontend; an HTTP/2 connection counts once."
        / BS "Current sessions of this " * ".";
    Gauge   max_sessions [Integer smax] FBSL "Maximum number of concurrent sessions observed."
        / FBS "Maximum number of concurrent sessions observed on this " * ".";
    Gauge   limit_sessions [Integer slim] FBSL "Configured limit of concurrent sessions."
        / FBS "Configured limit of concurrent sessions of this " * ".";
    Counter sessions_total [Integer stot] FBSL "Sessions opened."
        / FBS "Sessions opened on this " * ".";
    Counter bytes_in_total [Integer bin] FBSL "Request bytes, as HAProxy counts them; not the bytes on the wire."
        / FBS "Request bytes of this " * ", as HAProxy counts them; not the bytes on the wire.";
    Counter bytes_out_total [Integer bout] FBSL "Response bytes, as HAProxy counts them; not the bytes on the wire."
        / FBS "Response bytes of this " * ", as HAProxy counts them; not the bytes on the wire.";
    Counter requests_denied_total [Integer dreq] FBL "Requests denied by a rule."
        / F "Requests that a rule of this frontend denied.";
    Counter responses_denied_total [Integer dresp] FBSL "Responses denied by a rule.";
    Counter request_errors_total [Integer ereq] FL "Requests that failed: invalid, aborted or timed out; connections closed without a byte count too."
        / F "Requests that failed: invalid, aborted or timed out; connections closed without a byte count too.";
    Counter connection_errors_total [Integer econ] BS "Failed attempts to connect to a server; 0 for a dead server with redispatch or retry-on."
        / B "Failed attempts to connect to a server of this backend."
        / S "Failed attempts to connect to this server; 0 for a dead server with redispatch or retry-on.";
    Counter response_errors_total [Integer eresp] BS "Responses that failed: truncated, invalid, or rejected by the client."
        / BS "Responses that failed: truncated, invalid, or rejected by the client.";
    Counter retry_warnings_total [Integer wretr] BS "Repeated attempts to connect to the same server."
        / BS "Repeated attempts to connect to the same server.";
    Counter redispatch_warnings_total [Integer wredis] BS "Requests sent to another server than the one chosen first."
        / BS "Requests sent to another server than the one chosen first.";
    Gauge   status FRONTEND_STATES F "1 for the current state, 0 for the other states.";
    Gauge   status BACKEND_STATES B "1 for the current state, 0 for the other states; a backend without servers is UP.";
    Gauge   status SERVER_STATES S "1 for the current state, 0 for the other states.";
    Gauge   status LISTENER_STATES L "1 for the current state, 0 for the other states.";
    Gauge   up [TakesTraffic status] / BS "Whether this " * " can take traffic: 1 for UP, OPEN, DRAIN and no check, else 0.";
    Gauge   maintenance MAINTENANCE S "1 for a server in MAINT, with the reason: admin, tracked (the server that it tracks), resolution (its name has no address)."
        / S "1 for a server in MAINT, with the reason: admin, tracked (the server that it tracks), resolution (its name has no address).";
    Gauge   draining DRAINING S "1 for a server in DRAIN or NOLB, with the reason: admin, agent, check (http-check disable-on-404)."
        / S "1 for a server in DRAIN or NOLB, with the reason: admin, agent, check (http-check disable-on-404).";
    Gauge   published [Published status] B "0 after unpublish backend (HAProxy 3.4), else 1; HAProxy 3.3 and later."
        / B "0 after unpublish backend (HAProxy 3.4), else 1; HAProxy 3.3 and later.";
    Gauge   weight [Integer weight] BS "Current weight in load balancing; of a backend the total weight."
        / B "Total weight of the active servers of this backend."
        / S "Current weight of this server in load balancing.";
    Gauge   current_server [Integer act] / B "Active servers of this backend that are up.";
    Gauge   active_servers [Integer act] B "Active servers that are up.";
    Gauge   active [Integer act] S "1 for an active server, 0 for a backup.";
    Gauge   backup_servers [Integer bck] B "Backup servers that are up.";
    Gauge   backup [Integer bck] S "1 for a backup server, 0 for an active one.";
    Gauge   backup [Flag bck] / S "1 for a backup server; active servers have no sample.";
    Counter check_failures_total [Integer chkfail] S "Health checks that failed while the server was up."
        / S "Health checks that failed while this server was up.";
    Counter check_up_down_total [Integer chkdown] BS "Transitions from UP to DOWN.";
    Gauge   check_last_change_seconds [Integer lastchg] BS "Time since the last change of the state, in seconds.";
    Counter downtime_seconds_total [Integer downtime] BS "Total downtime, in seconds; HAProxy 2.6 subtracts a maintenance when it ends."
        / S "Total downtime, in seconds; HAProxy 2.6 subtracts a maintenance when it ends.";
    Gauge   queue_limit [Integer qlimit] S "Limit of requests in the queue (maxqueue).";
    Gauge   current_throttle [Integer throttle] S "Share of weight and maxconn in use during slowstart, in percent.";
    Counter server_selected_total [Integer lbtot]
        / B "Selections of a server by load balancing."
        / S "Selections of this server by load balancing.";
    Counter loadbalanced_total [Integer lbtot] BS "Requests assigned by load balancing.";
    Gauge   current_session_rate [Integer rate] FBS "Sessions opened in the last second."
        / FBS "Sessions opened on this " * " in the last second.";
    Gauge   limit_session_rate [Integer rate_lim] F "Configured limit of sessions per second."
        / F "Configured limit of sessions per second on this frontend.";
    Gauge   max_session_rate [Integer rate_max] FBS "Maximum number of sessions opened per second observed."
        / FBS "Maximum number of sessions opened per second observed on this " * ".";
    Gauge   check_status CHECK_RESULTS S "1 for the result of the last health check, 0 for the other results.";
    Gauge   check_code [CheckCode check_code] S "Status code of the last health check on layer 5 to 7.";
    Gauge   check_duration_seconds [Milliseconds check_duration] S "Duration of the last finished health check, in seconds."
        / S "Duration of the last finished health check, in seconds.";
    Counter http_responses_total RESPONSE_CODES / F "HTTP responses sent to clients by class of status code; code other includes silent-drop and reject."
        / B "HTTP responses sent to clients by class of status code."
        / S "HTTP responses of this server by class of status code, before rules change the status.";
    Counter http_responses_total HTTP_RESPONSE_CODES FBS "HTTP responses by class of status code; code other includes silent-drop and reject.";
    Counter http_requests_total [Integer req_tot] / F "HTTP requests received, including those of monitor-uri.";
    Gauge   http_requests_rate_max [HttpInteger req_rate_max] F "Maximum number of HTTP requests per second observed.";
    Counter http_requests_total [HttpInteger req_tot] FBS "HTTP requests received, including those of monitor-uri.";
    Counter http_requests_by_version_total REQUESTS_BY_VERSION F "HTTP requests received by version of HTTP; HAProxy 2.8 and later."
        / F "HTTP requests received by version of HTTP; HAProxy 2.8 and later.";
    Counter sessions_by_version_total SESSIONS_BY_VERSION F "Sessions opened by version of HTTP; HAProxy 2.8 and later."
        / F "Sessions opened by version of HTTP; HAProxy 2.8 and later.";
    Counter client_aborts_total [Integer cli_abrt] BS "Transfers aborted by the client; requests in a queue only with option abortonclose."
        / BS "Transfers aborted by the client; requests in a queue only with option abortonclose.";
    Counter server_aborts_total [Integer srv_abrt] BS "Transfers aborted by the server."
        / BS "Transfers aborted by the server.";
    Counter compressor_bytes_in_total [Integer comp_in] / FB "Bytes of HTTP responses before compression.";
    Counter http_comp_bytes_in_total [HttpInteger comp_in] FB "Bytes of HTTP responses before compression.";
    Counter compressor_bytes_out_total [Integer comp_out] / FB "Bytes of HTTP responses after compression.";
    Counter http_comp_bytes_out_total [HttpInteger comp_out] FB "Bytes of HTTP responses after compression.";
    Counter compressor_bytes_bypassed_total [Integer comp_byp] / FB "Bytes of HTTP responses that bypassed compression.";
    Counter http_comp_bytes_bypassed_total [HttpInteger comp_byp] FB "Bytes of HTTP responses that bypassed compression.";
    Counter http_responses_compressed_total [Integer comp_rsp] / FB "HTTP responses that were compressed.";
    Counter http_comp_responses_total [HttpInteger comp_rsp] FB "HTTP responses that were compressed.";
    Gauge   http_queue_time_average_seconds [Milliseconds qtime] / BS "Average time in the queue of the last 1,024 successful requests, in seconds.";
    Gauge   http_connect_time_average_seconds [Milliseconds ctime] / BS "Average time to connect of the last 1,024 successful requests, in seconds.";
    Gauge   http_response_time_average_seconds [Milliseconds rtime] / BS "Average time to the response of the last 1,024 successful requests, in seconds; cache hits count.";
    Gauge   http_total_time_average_seconds [Milliseconds ttime] / BS "Average total time of the last 1,024 successful sessions, in seconds.";
    Gauge   connections_rate_max [Integer conn_rate_max] F "Maximum number of connections per second observed.";
    Counter connections_total [Integer conn_tot] FL "Connections accepted."
        / F "Connections accepted by this frontend.";
    Counter intercepted_requests_total [HttpInteger intercepted] F "Requests that HAProxy served itself.";
    Counter denied_connections_total [Integer dcon] FL "Connections denied by a rule.";
    Counter denied_sessions_total [Integer dses] FL "Sessions denied by a rule.";
    Gauge   last_session_seconds [Integer lastsess] BS "Time since the last session, in seconds; -1 if there was none.";
    Gauge   queue_time_average_seconds [Milliseconds qtime] BS "Average time in the queue of the last 1,024 requests, in seconds.";
    Gauge   connect_time_average_seconds [Milliseconds ctime] BS "Average time to connect of the last 1,024 requests, in seconds.";
    Gauge   response_time_average_seconds [Milliseconds rtime] BS "Average time to the response of the last 1,024 requests, in seconds; cache hits count.";
    Gauge   total_time_average_seconds [Milliseconds ttime] BS "Average total time of the last 1,024 requests, in seconds.";
    Gauge   agent_status AGENT_RESULTS S "1 for the result of the last agent check, 0 for the other results.";
    Gauge   agent_code [AgentCode agent_code] S "Status code of the last agent check.";
    Gauge   agent_duration_seconds [AgentMilliseconds agent_duration] S "Duration of the last finished agent check, in seconds.";
    Counter failed_header_rewriting_total [Integer wrew] FBSL "Header rewrites that failed.";
    Counter connection_attempts_total [Integer connect] BS "Attempts to connect to a server.";
    Counter connection_reuses_total [Integer reuse] BS "Requests sent on a reused connection.";
    Counter http_cache_lookups_total [HttpInteger cache_lookups] FB "Cache lookups.";
    Counter http_cache_hits_total [HttpInteger cache_hits] FB "Cache hits.";
    Gauge   idle_connections_current [Integer srv_icur] S "Current idle connections.";
    Gauge   idle_connections_limit [Integer src_ilim] S "Limit of idle connections.";
    Gauge   max_queue_time_seconds [Milliseconds qtime_max] BS "Maximum time in the queue observed, in seconds; a connect timeout before a redispatch counts here.";
    Gauge   max_connect_time_seconds [Milliseconds ctime_max] BS "Maximum time to connect observed, in seconds.";
    Gauge   max_response_time_seconds [Milliseconds rtime_max] BS "Maximum time to the response observed, in seconds.";
    Gauge   max_total_time_seconds [Milliseconds ttime_max] BS "Maximum total time observed, in seconds.";
    Counter internal_errors_total [Integer eint] FBSL "Internal errors.";
    Gauge   unsafe_idle_connections_current [Integer idle_conn_cur] S "Current idle connections that are not safe to reuse.";
    Gauge   safe_idle_connections_current [Integer safe_conn_cur] S "Current idle connections that are safe to reuse.";
    Gauge   used_connections_current [Integer used_conn_cur] S "Current connections in use.";
    Gauge   need_connections_current [Integer need_conn_est] S "Estimated number of connections needed.";
    Gauge   uweight [Integer uweight] BS "Configured weight, without slowstart.";
    Gauge   agg_server_check_status SERVERS_IN_STATE B "Number of servers by state (old name of agg_server_status).";
    Gauge   agg_server_status SERVERS_IN_STATE B "Number of servers by state.";
    Gauge   agg_check_status SERVERS_WITH_RESULT B "Number of servers by result of their health check.";
    Gauge   private_idle_connections_current [Integer priv_idle_cur] S "Current idle connections that belong to one client.";
    Counter req_bytes_in_total [Integer reqbin] FBSL "Request bytes received from clients.";
    Counter req_bytes_out_total [Integer reqbout] FBSL "Request bytes sent to servers.";
    Counter res_bytes_in_total [Integer resbin] FBSL "Response bytes received from servers.";
    Counter res_bytes_out_total [Integer resbout] FBSL "Response bytes sent to clients.";
    Counter http_cache_hint_hits_total [HttpInteger "cache_hint_hits"] FB "Requests for which the cache sent a 103 Early Hints response.";
}

/// HTTP responses by class of status code.
static RESPONSE_CODES: [Cell; 6] = codes(Conversion::Integer);
/// Since 3.0, proxies that are not in http mode have a zero in `hrsp_other` too.
static HTTP_RESPONSE_CODES: [Cell; 6] = codes(Conversion::HttpInteger);
static FRONTEND_STATES: [Cell; 2] =
    states("status", Conversion::FrontendState, labels::SERVER_STATE);
static BACKEND_STATES: [Cell; 2] = states("status", Conversion::BackendState, labels::SERVER_STATE);
static LISTENER_STATES: [Cell; 3] =
    states("status", Conversion::ListenerState, labels::LISTENER_STATE);
static SERVER_STATES: [Cell; 5] = states("status", Conversion::ServerState, labels::SERVER_STATE);
static CHECK_RESULTS: [Cell; 16] = states(
    "check_status",
    Conversion::CheckResult,
    labels::CHECK_RESULT,
);
static AGENT_RESULTS: [Cell; 16] = states(
    "agent_status",
    Conversion::CheckResult,
    labels::CHECK_RESULT,
);
static MAINTENANCE: [Cell; MAINTENANCE_REASONS] = out_of_service(0);
static DRAINING: [Cell; OUT_OF_SERVICE.len() - MAINTENANCE_REASONS] =
    out_of_service(MAINTENANCE_REASONS);
static REQUESTS_BY_VERSION: [Cell; 4] = by_version(["h1req", "h2req", "h3req", "req_other"]);
static SESSIONS_BY_VERSION: [Cell; 4] = by_version(["h1sess", "h2sess", "h3sess", "sess_other"]);
static SERVERS_IN_STATE: [Cell; 5] =
    states("status", Conversion::ServersInState, labels::SERVER_STATE);
static SERVERS_WITH_RESULT: [Cell; 16] = states(
    "check_status",
    Conversion::ServersWithResult,
    labels::CHECK_RESULT,
);

/// A cell for each class of status code; `last` is the conversion of the last one.
const fn codes(last: Conversion) -> [Cell; 6] {
    let columns = [
        "hrsp_1xx",
        "hrsp_2xx",
        "hrsp_3xx",
        "hrsp_4xx",
        "hrsp_5xx",
        "hrsp_other",
    ];
    let mut cells = [Cell::new("", Conversion::Integer); 6];
    let mut at = 0;
    while at < cells.len() {
        cells[at].column = numbered(columns[at]);
        cells[at].label = labels::CODES + at as u8;
        at += 1;
    }
    cells[5].conversion = last;
    cells
}

/// A cell for each state.
const fn states<const N: usize>(
    column: &'static str,
    conversion: Conversion,
    label: u8,
) -> [Cell; N] {
    let mut cells = [Cell::new(numbered(column), conversion); N];
    let mut at = 0;
    while at < N {
        cells[at].state = at as u8;
        cells[at].label = label + at as u8;
        at += 1;
    }
    cells
}

/// A cell for each reason from number `first` on.
const fn out_of_service<const N: usize>(first: usize) -> [Cell; N] {
    let mut cells = states(
        "status",
        Conversion::OutOfService,
        labels::REASON + first as u8,
    );
    let mut at = 0;
    while at < N {
        cells[at].state = (first + at) as u8;
        at += 1;
    }
    cells
}

/// A cell for each version of HTTP.
const fn by_version(columns: [&'static str; 4]) -> [Cell; 4] {
    let mut cells = [Cell::new("", Conversion::Integer); 4];
    let mut at = 0;
    while at < cells.len() {
        cells[at].column = numbered(columns[at]);
        cells[at].label = labels::VERSION + at as u8;
        at += 1;
    }
    cells
}

/// The bits of the row types in a word like `FBSL`.
const fn row_types(word: &str) -> u8 {
    let letters = word.as_bytes();
    let mut bits = 0;
    let mut at = 0;
    while at < letters.len() {
        bits |= match letters[at] {
            b'F' => RowType::Frontend.bit(),
            b'B' => RowType::Backend.bit(),
            b'S' => RowType::Server.bit(),
            b'L' => RowType::Listener.bit(),
            _ => panic!("F, B, S or L"),
        };
        at += 1;
    }
    bits
}
