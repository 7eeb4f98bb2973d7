//! The families of `show stat`: which column has which name under both profiles.
//!
//! A row has the kind, the name behind the prefix, and the cell: its column and how it is read. Then the
//! scopes under the names of HAProxy's built-in exporter ("promex", HAProxy 2.4 and later) and the help;
//! behind each `/` the scopes under the names of prometheus/haproxy_exporter 0.15 and the help, where `*`
//! stands for the scope's word. The help texts are our own. Rows are in the order of the exposition.
//!
//! Families are there by column presence, so that an older HAProxy gets the same names as far as its
//! answers have the columns. An empty cell gives no sample, where HAProxy's exporter prints NaN.

use super::{BUILTIN, Cell, EXPORTER, Family, Group, Kind, Reading, RowsOf, labels};
use crate::haproxy::columns::{COLUMNS, MODULES, number};
use crate::haproxy::stat::RowType;

/// The groups of both profiles, in the order of the exposition.
pub(crate) static GROUPS: [&Group; 11] = [
    &group(EXPORTER, RowType::Frontend),
    &group(EXPORTER, RowType::Backend),
    &group(EXPORTER, RowType::Server),
    &group(BUILTIN, RowType::Frontend),
    &extra(RowType::Frontend),
    &group(BUILTIN, RowType::Backend),
    &extra(RowType::Backend),
    &group(BUILTIN, RowType::Server),
    &extra(RowType::Server),
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

/// Counters of HAProxy's modules (`?extra-counters`).
const fn extra(row_type: RowType) -> Group {
    Group {
        is_extra: true,
        families: &MODULE_FAMILIES,
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
    ([$reading:ident $column:ident]) => {
        &[Cell::new(number(stringify!($column)), Reading::$reading)]
    };
    ($cells:ident) => {
        &$cells
    };
}

families! {
    Gauge   current_queue [Integer qcur] BS "Requests queued now."
        / BS "Requests waiting in the queue of this " * " now.";
    Gauge   max_queue [Integer qmax] BS "Most requests that were ever queued at once."
        / BS "Most requests that ever waited in the queue of this " * " at once.";
    Gauge   current_sessions [Integer scur] FBSL "Sessions open now."
        / FBS "Sessions open on this " * " now.";
    Gauge   max_sessions [Integer smax] FBSL "Most sessions that were ever open at once."
        / FBS "Most sessions that were ever open on this " * " at once.";
    Gauge   limit_sessions [Integer slim] FBSL "Configured limit of sessions."
        / FBS "Configured limit of sessions on this " * ".";
    Counter sessions_total [Integer stot] FBSL "Sessions handled."
        / FBS "Sessions that this " * " has handled.";
    Counter bytes_in_total [Integer bin] FBSL "Bytes received."
        / FBS "Bytes received in requests by this " * ".";
    Counter bytes_out_total [Integer bout] FBSL "Bytes sent."
        / FBS "Bytes sent in responses by this " * ".";
    Counter requests_denied_total [Integer dreq] FBL "Requests denied by rules."
        / F "Requests that this frontend refused by a rule.";
    Counter responses_denied_total [Integer dresp] FBSL "Responses denied by rules.";
    Counter request_errors_total [Integer ereq] FL "Invalid requests."
        / F "Requests with an error: bad ones, and clients that gave up or timed out before the end.";
    Counter connection_errors_total [Integer econ] BS "Failed connections to servers."
        / B "Attempts to connect to a server of this backend that failed."
        / S "Attempts to connect to this server that failed.";
    Counter response_errors_total [Integer eresp] BS "Invalid responses of servers."
        / BS "Responses that failed: cut, invalid, or not taken by the client.";
    Counter retry_warnings_total [Integer wretr] BS "Connections that were tried again."
        / BS "Connection attempts that were repeated on the same server.";
    Counter redispatch_warnings_total [Integer wredis] BS "Requests moved to another server."
        / BS "Requests that were sent to another server than the one chosen first.";
    Gauge   status FRONTEND_STATES F "1 for the present state, 0 for the others.";
    Gauge   status BACKEND_STATES B "1 for the present state, 0 for the others.";
    Gauge   status SERVER_STATES S "1 for the present state, 0 for the others.";
    Gauge   status LISTENER_STATES L "1 for the present state, 0 for the others.";
    Gauge   up [TakesTraffic status] / BS "Whether this " * " can take traffic: 1 for UP, OPEN, DRAIN and no check, else 0.";
    Gauge   weight [Integer weight] BS "Weight in load balancing now."
        / B "Sum of the weights of the active servers of this backend."
        / S "Weight of this server in load balancing.";
    Gauge   current_server [Integer act] / B "Servers of this backend that are active now.";
    Gauge   active_servers [Integer act] B "Active servers that are up.";
    Gauge   active [Integer act] S "1 for an active server, 0 for a backup.";
    Gauge   backup_servers [Integer bck] B "Backup servers that are up.";
    Gauge   backup [Integer bck] S "1 for a backup server, 0 for an active one.";
    Counter check_failures_total [Integer chkfail] S "Failed health checks."
        / S "Health checks of this server that failed while it was up.";
    Counter check_up_down_total [Integer chkdown] BS "Times that it went from up to down.";
    Gauge   check_last_change_seconds [Integer lastchg] BS "Time since the last change of state, in seconds.";
    Counter downtime_seconds_total [Integer downtime] BS "Time spent down, in seconds."
        / S "Seconds that this server has been down, all in all.";
    Gauge   queue_limit [Integer qlimit] S "Limit of requests in the queue (maxqueue).";
    Gauge   current_throttle [Integer throttle] S "Percent of the weight and of maxconn that count during slowstart.";
    Counter server_selected_total [Integer lbtot]
        / B "Times that a server was chosen by load balancing."
        / S "Times that load balancing chose this server.";
    Counter loadbalanced_total [Integer lbtot] BS "Requests that load balancing gave to it.";
    Gauge   current_session_rate [Integer rate] FBS "Sessions in the last second."
        / FBS "Sessions that this " * " opened in the last second.";
    Gauge   limit_session_rate [Integer rate_lim] F "Limit of sessions per second."
        / F "Configured limit of new sessions a second on this frontend.";
    Gauge   max_session_rate [Integer rate_max] FBS "Most sessions per second."
        / FBS "Most sessions that this " * " ever opened in one second.";
    Gauge   check_status CHECK_RESULTS S "1 for the result of the last health check, 0 for the others.";
    Gauge   check_code [CheckCode check_code] S "Code of the last layer 5 to 7 health check.";
    Gauge   check_duration_seconds [Milliseconds check_duration] S "Time the last health check took, in seconds."
        / S "How long the last finished health check took, in seconds.";
    Counter http_responses_total RESPONSE_CODES / FBS "HTTP responses of this " * " by class of status code.";
    Counter http_responses_total HTTP_RESPONSE_CODES FBS "HTTP responses by class of code.";
    Counter http_requests_total [Integer req_tot] / F "HTTP requests that this frontend has received.";
    Gauge   http_requests_rate_max [HttpInteger req_rate_max] F "Most HTTP requests per second.";
    Counter http_requests_total [HttpInteger req_tot] FBS "HTTP requests.";
    Counter client_aborts_total [Integer cli_abrt] BS "Transfers aborted by the client."
        / BS "Transfers that the client broke off.";
    Counter server_aborts_total [Integer srv_abrt] BS "Transfers aborted by the server."
        / BS "Transfers that the server broke off.";
    Counter compressor_bytes_in_total [Integer comp_in] / FB "Bytes of HTTP responses that went into the compressor.";
    Counter http_comp_bytes_in_total [HttpInteger comp_in] FB "Bytes given to the compressor.";
    Counter compressor_bytes_out_total [Integer comp_out] / FB "Bytes of HTTP responses that came out of the compressor.";
    Counter http_comp_bytes_out_total [HttpInteger comp_out] FB "Bytes the compressor produced.";
    Counter compressor_bytes_bypassed_total [Integer comp_byp] / FB "Bytes of HTTP responses that bypassed the compressor.";
    Counter http_comp_bytes_bypassed_total [HttpInteger comp_byp] FB "Bytes that bypassed the compressor.";
    Counter http_responses_compressed_total [Integer comp_rsp] / FB "HTTP responses that were compressed.";
    Counter http_comp_responses_total [HttpInteger comp_rsp] FB "Compressed responses.";
    Gauge   http_queue_time_average_seconds [Milliseconds qtime] / BS "Average time in the queue over the last 1,024 successful requests, in seconds.";
    Gauge   http_connect_time_average_seconds [Milliseconds ctime] / BS "Average time to connect over the last 1,024 successful requests, in seconds.";
    Gauge   http_response_time_average_seconds [Milliseconds rtime] / BS "Average time to the response over the last 1,024 successful requests, in seconds.";
    Gauge   http_total_time_average_seconds [Milliseconds ttime] / BS "Average time of a whole session over the last 1,024 successful ones, in seconds.";
    Gauge   connections_rate_max [Integer conn_rate_max] F "Most connections per second.";
    Counter connections_total [Integer conn_tot] FL "Connections accepted."
        / F "Connections that this frontend has accepted.";
    Counter intercepted_requests_total [HttpInteger intercepted] F "Requests HAProxy answered itself.";
    Counter denied_connections_total [Integer dcon] FL "Connections refused by rules.";
    Counter denied_sessions_total [Integer dses] FL "Sessions refused by rules.";
    Gauge   last_session_seconds [Integer lastsess] BS "Time since the last session, -1 is never, in seconds.";
    Gauge   queue_time_average_seconds [Milliseconds qtime] BS "Average time in the queue, last 1,024 requests, in seconds.";
    Gauge   connect_time_average_seconds [Milliseconds ctime] BS "Average time to connect, last 1,024 requests, in seconds.";
    Gauge   response_time_average_seconds [Milliseconds rtime] BS "Average time to respond, last 1,024 requests, in seconds.";
    Gauge   total_time_average_seconds [Milliseconds ttime] BS "Average total time, last 1,024 requests, in seconds.";
    Gauge   agent_status AGENT_RESULTS S "1 for the result of the last agent check, 0 for the others.";
    Gauge   agent_code [AgentCode agent_code] S "Code of the last agent check.";
    Gauge   agent_duration_seconds [AgentMilliseconds agent_duration] S "Time the last agent check took, in seconds.";
    Counter failed_header_rewriting_total [Integer wrew] FBSL "Header rewrites that failed.";
    Counter connection_attempts_total [Integer connect] BS "Connections tried.";
    Counter connection_reuses_total [Integer reuse] BS "Connections reused.";
    Counter http_cache_lookups_total [HttpInteger cache_lookups] FB "Cache lookups.";
    Counter http_cache_hits_total [HttpInteger cache_hits] FB "Cache hits.";
    Gauge   idle_connections_current [Integer srv_icur] S "Idle connections.";
    Gauge   idle_connections_limit [Integer src_ilim] S "Limit of idle connections.";
    Gauge   max_queue_time_seconds [Milliseconds qtime_max] BS "Longest time in the queue, in seconds.";
    Gauge   max_connect_time_seconds [Milliseconds ctime_max] BS "Longest time to connect, in seconds.";
    Gauge   max_response_time_seconds [Milliseconds rtime_max] BS "Longest time to respond, in seconds.";
    Gauge   max_total_time_seconds [Milliseconds ttime_max] BS "Longest total time, in seconds.";
    Counter internal_errors_total [Integer eint] FBSL "Internal errors.";
    Gauge   unsafe_idle_connections_current [Integer idle_conn_cur] S "Idle connections not safe to reuse.";
    Gauge   safe_idle_connections_current [Integer safe_conn_cur] S "Idle connections safe to reuse.";
    Gauge   used_connections_current [Integer used_conn_cur] S "Connections in use.";
    Gauge   need_connections_current [Integer need_conn_est] S "Connections estimated to be needed.";
    Gauge   uweight [Integer uweight] BS "Weight set by the user.";
    Gauge   agg_server_check_status SERVERS_IN_STATE B "Servers in each state (old name of agg_server_status).";
    Gauge   agg_server_status SERVERS_IN_STATE B "Servers in each state.";
    Gauge   agg_check_status SERVERS_WITH_RESULT B "Servers with each check result.";
    Gauge   private_idle_connections_current [Integer priv_idle_cur] S "Private idle connections.";
    Counter req_bytes_in_total [Integer reqbin] FBSL "Request bytes received from clients.";
    Counter req_bytes_out_total [Integer reqbout] FBSL "Request bytes sent to servers.";
    Counter res_bytes_in_total [Integer resbin] FBSL "Response bytes received from servers.";
    Counter res_bytes_out_total [Integer resbout] FBSL "Response bytes sent to clients.";
    Counter http_cache_hint_hits_total [HttpInteger cache_hint_hits] FB "Early hints answered from the cache.";
}

/// HTTP responses by class of status code.
static RESPONSE_CODES: [Cell; 6] = codes(Reading::Integer);
/// From 3.0 on, proxies that are not in http mode have a zero in `hrsp_other` as well.
static HTTP_RESPONSE_CODES: [Cell; 6] = codes(Reading::HttpInteger);
static FRONTEND_STATES: [Cell; 2] = states("status", Reading::FrontendState, labels::SERVER_STATE);
static BACKEND_STATES: [Cell; 2] = states("status", Reading::BackendState, labels::SERVER_STATE);
static LISTENER_STATES: [Cell; 3] =
    states("status", Reading::ListenerState, labels::LISTENER_STATE);
static SERVER_STATES: [Cell; 5] = states("status", Reading::ServerState, labels::SERVER_STATE);
static CHECK_RESULTS: [Cell; 16] =
    states("check_status", Reading::CheckResult, labels::CHECK_RESULT);
static AGENT_RESULTS: [Cell; 16] =
    states("agent_status", Reading::CheckResult, labels::CHECK_RESULT);
static SERVERS_IN_STATE: [Cell; 5] =
    states("status", Reading::ServersInState, labels::SERVER_STATE);
static SERVERS_WITH_RESULT: [Cell; 16] = states(
    "check_status",
    Reading::ServersWithResult,
    labels::CHECK_RESULT,
);

/// A cell for each class of status code; `last` is how the last one is read.
const fn codes(last: Reading) -> [Cell; 6] {
    let columns = [
        "hrsp_1xx",
        "hrsp_2xx",
        "hrsp_3xx",
        "hrsp_4xx",
        "hrsp_5xx",
        "hrsp_other",
    ];
    let mut cells = [Cell::new(0, Reading::Integer); 6];
    let mut at = 0;
    while at < cells.len() {
        cells[at].column = number(columns[at]);
        cells[at].label = labels::CODES + at as u8;
        at += 1;
    }
    cells[5].reading = last;
    cells
}

/// A cell for each state.
const fn states<const N: usize>(column: &str, reading: Reading, label: u8) -> [Cell; N] {
    let mut cells = [Cell::new(number(column), reading); N];
    let mut at = 0;
    while at < N {
        cells[at].state = at as u8;
        cells[at].label = label + at as u8;
        at += 1;
    }
    cells
}

/// The bits of the row types that a word like `FBSL` stands for.
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

/// The number of columns of all modules.
const MODULE_COLUMNS: usize = MODULES[MODULES.len() - 1].1.end - MODULES[0].1.start;

static MODULE_CELLS: [Cell; MODULE_COLUMNS] = {
    let mut cells = [Cell::new(0, Reading::Integer); MODULE_COLUMNS];
    let mut module = 0;
    while module < MODULES.len() {
        let mut column = MODULES[module].1.start;
        while column < MODULES[module].1.end {
            let cell = &mut cells[column - MODULES[0].1.start];
            cell.column = column as u16;
            cell.label = labels::MODULE + module as u8;
            column += 1;
        }
        module += 1;
    }
    cells
};

/// Each column under its own name, with the module as a label. All are of type counter, also those that
/// go up and down, as HAProxy's exporter has them. Servers and listeners have the first module only, ssl.
static MODULE_FAMILIES: [Family; MODULE_COLUMNS] = {
    let none = Family {
        kind: Kind::Counter,
        name: "",
        help: [
            "A counter of one of HAProxy's modules, the column of this name in its statistics.",
            "",
        ],
        row_types: 0,
        cells: &[],
    };
    let mut families = [none; MODULE_COLUMNS];
    let mut at = 0;
    while at < MODULE_COLUMNS {
        let column = MODULES[0].1.start + at;
        families[at].name = COLUMNS[column];
        families[at].row_types = match column < MODULES[0].1.end {
            true => row_types("FBSL"),
            false => row_types("FB"),
        };
        families[at].cells = std::slice::from_ref(&MODULE_CELLS[at]);
        at += 1;
    }
    families
};
