//! The metrics of CSV rows under the names of prometheus/haproxy_exporter, one line each.

use super::{Cell, Family, Kind, Profile, RowFamily, Value};

/// The names of prometheus/haproxy_exporter.
pub static GO_EXPORTER: Profile = Profile {
    scopes: [FRONTEND_FAMILIES, BACKEND_FAMILIES, SERVER_FAMILIES],
};

/// A table of families: kind, name, cells (with the numbers of their columns), help.
macro_rules! families {
    ($($kind:ident $name:ident $cells:tt $help:literal;)*) => {
        &[$(RowFamily {
            family: Family { name: stringify!($name), kind: Kind::$kind, help: $help },
            cells: &$cells,
        }),*]
    };
}

static FRONTEND_FAMILIES: &[RowFamily] = families! {
    Gauge   haproxy_frontend_current_sessions [int(4)] "Sessions open on this frontend now.";
    Gauge   haproxy_frontend_max_sessions [int(5)] "Most sessions that were ever open on this frontend at once.";
    Gauge   haproxy_frontend_limit_sessions [int(6)] "Configured limit of sessions on this frontend.";
    Counter haproxy_frontend_sessions_total [int(7)] "Sessions that this frontend has handled.";
    Counter haproxy_frontend_bytes_in_total [int(8)] "Bytes received in requests by this frontend.";
    Counter haproxy_frontend_bytes_out_total [int(9)] "Bytes sent in responses by this frontend.";
    Counter haproxy_frontend_requests_denied_total [int(10)] "Requests that this frontend refused by a rule.";
    Counter haproxy_frontend_request_errors_total [int(12)] "Requests with an error: bad ones, and clients that gave up or timed out before the end.";
    Gauge   haproxy_frontend_current_session_rate [int(33)] "Sessions that this frontend opened in the last second.";
    Gauge   haproxy_frontend_limit_session_rate [int(34)] "Configured limit of new sessions a second on this frontend.";
    Gauge   haproxy_frontend_max_session_rate [int(35)] "Most sessions that this frontend ever opened in one second.";
    Counter haproxy_frontend_http_responses_total RESPONSE_CODES "HTTP responses of this frontend by class of status code.";
    Counter haproxy_frontend_http_requests_total [int(48)] "HTTP requests that this frontend has received.";
    Counter haproxy_frontend_compressor_bytes_in_total [int(51)] "Bytes of HTTP responses that went into the compressor.";
    Counter haproxy_frontend_compressor_bytes_out_total [int(52)] "Bytes of HTTP responses that came out of the compressor.";
    Counter haproxy_frontend_compressor_bytes_bypassed_total [int(53)] "Bytes of HTTP responses that went round the compressor.";
    Counter haproxy_frontend_http_responses_compressed_total [int(54)] "HTTP responses that were compressed.";
    Counter haproxy_frontend_connections_total [int(79)] "Connections that this frontend has accepted.";
};

static BACKEND_FAMILIES: &[RowFamily] = families! {
    Gauge   haproxy_backend_current_queue [int(2)] "Requests waiting in the queue of this backend now.";
    Gauge   haproxy_backend_max_queue [int(3)] "Most requests that ever waited in the queue of this backend at once.";
    Gauge   haproxy_backend_current_sessions [int(4)] "Sessions open on this backend now.";
    Gauge   haproxy_backend_max_sessions [int(5)] "Most sessions that were ever open on this backend at once.";
    Gauge   haproxy_backend_limit_sessions [int(6)] "Configured limit of sessions on this backend.";
    Counter haproxy_backend_sessions_total [int(7)] "Sessions that this backend has handled.";
    Counter haproxy_backend_bytes_in_total [int(8)] "Bytes received in requests by this backend.";
    Counter haproxy_backend_bytes_out_total [int(9)] "Bytes sent in responses by this backend.";
    Counter haproxy_backend_connection_errors_total [int(13)] "Attempts to connect to a server of this backend that failed.";
    Counter haproxy_backend_response_errors_total [int(14)] "Responses that failed: cut, invalid, or not taken by the client.";
    Counter haproxy_backend_retry_warnings_total [int(15)] "Connection attempts that were repeated on the same server.";
    Counter haproxy_backend_redispatch_warnings_total [int(16)] "Requests that were sent to another server than the one chosen first.";
    Gauge   haproxy_backend_up [status(17)] "Whether this backend can take traffic: 1 for UP, OPEN, DRAIN and no check, else 0.";
    Gauge   haproxy_backend_weight [int(18)] "Sum of the weights of the active servers of this backend.";
    Gauge   haproxy_backend_current_server [int(19)] "Servers of this backend that are active now.";
    Counter haproxy_backend_server_selected_total [int(30)] "Times that a server was chosen by load balancing.";
    Gauge   haproxy_backend_current_session_rate [int(33)] "Sessions that this backend opened in the last second.";
    Gauge   haproxy_backend_max_session_rate [int(35)] "Most sessions that this backend ever opened in one second.";
    Counter haproxy_backend_http_responses_total RESPONSE_CODES "HTTP responses of this backend by class of status code.";
    Counter haproxy_backend_client_aborts_total [int(49)] "Transfers that the client broke off.";
    Counter haproxy_backend_server_aborts_total [int(50)] "Transfers that the server broke off.";
    Counter haproxy_backend_compressor_bytes_in_total [int(51)] "Bytes of HTTP responses that went into the compressor.";
    Counter haproxy_backend_compressor_bytes_out_total [int(52)] "Bytes of HTTP responses that came out of the compressor.";
    Counter haproxy_backend_compressor_bytes_bypassed_total [int(53)] "Bytes of HTTP responses that went round the compressor.";
    Counter haproxy_backend_http_responses_compressed_total [int(54)] "HTTP responses that were compressed.";
    Gauge   haproxy_backend_http_queue_time_average_seconds [millis(58)] "Average time in the queue over the last 1,024 successful requests, in seconds.";
    Gauge   haproxy_backend_http_connect_time_average_seconds [millis(59)] "Average time to connect over the last 1,024 successful requests, in seconds.";
    Gauge   haproxy_backend_http_response_time_average_seconds [millis(60)] "Average time to the response over the last 1,024 successful requests, in seconds.";
    Gauge   haproxy_backend_http_total_time_average_seconds [millis(61)] "Average time of a whole session over the last 1,024 successful ones, in seconds.";
};

static SERVER_FAMILIES: &[RowFamily] = families! {
    Gauge   haproxy_server_current_queue [int(2)] "Requests waiting in the queue of this server now.";
    Gauge   haproxy_server_max_queue [int(3)] "Most requests that ever waited in the queue of this server at once.";
    Gauge   haproxy_server_current_sessions [int(4)] "Sessions open on this server now.";
    Gauge   haproxy_server_max_sessions [int(5)] "Most sessions that were ever open on this server at once.";
    Gauge   haproxy_server_limit_sessions [int(6)] "Configured limit of sessions on this server.";
    Counter haproxy_server_sessions_total [int(7)] "Sessions that this server has handled.";
    Counter haproxy_server_bytes_in_total [int(8)] "Bytes received in requests by this server.";
    Counter haproxy_server_bytes_out_total [int(9)] "Bytes sent in responses by this server.";
    Counter haproxy_server_connection_errors_total [int(13)] "Attempts to connect to this server that failed.";
    Counter haproxy_server_response_errors_total [int(14)] "Responses that failed: cut, invalid, or not taken by the client.";
    Counter haproxy_server_retry_warnings_total [int(15)] "Connection attempts that were repeated on the same server.";
    Counter haproxy_server_redispatch_warnings_total [int(16)] "Requests that were sent to another server than the one chosen first.";
    Gauge   haproxy_server_up [status(17)] "Whether this server can take traffic: 1 for UP, OPEN, DRAIN and no check, else 0.";
    Gauge   haproxy_server_weight [int(18)] "Weight of this server in load balancing.";
    Counter haproxy_server_check_failures_total [int(21)] "Health checks of this server that failed while it was up.";
    Counter haproxy_server_downtime_seconds_total [int(24)] "Seconds that this server has been down, all in all.";
    Counter haproxy_server_server_selected_total [int(30)] "Times that load balancing chose this server.";
    Gauge   haproxy_server_current_session_rate [int(33)] "Sessions that this server opened in the last second.";
    Gauge   haproxy_server_max_session_rate [int(35)] "Most sessions that this server ever opened in one second.";
    Gauge   haproxy_server_check_duration_seconds [millis(38)] "How long the last finished health check took, in seconds.";
    Counter haproxy_server_http_responses_total RESPONSE_CODES "HTTP responses of this server by class of status code.";
    Counter haproxy_server_client_aborts_total [int(49)] "Transfers that the client broke off.";
    Counter haproxy_server_server_aborts_total [int(50)] "Transfers that the server broke off.";
    Gauge   haproxy_server_http_queue_time_average_seconds [millis(58)] "Average time in the queue over the last 1,024 successful requests, in seconds.";
    Gauge   haproxy_server_http_connect_time_average_seconds [millis(59)] "Average time to connect over the last 1,024 successful requests, in seconds.";
    Gauge   haproxy_server_http_response_time_average_seconds [millis(60)] "Average time to the response over the last 1,024 successful requests, in seconds.";
    Gauge   haproxy_server_http_total_time_average_seconds [millis(61)] "Average time of a whole session over the last 1,024 successful ones, in seconds.";
};

const RESPONSE_CODES: [Cell; 6] = [
    code(39, "1xx"),
    code(40, "2xx"),
    code(41, "3xx"),
    code(42, "4xx"),
    code(43, "5xx"),
    code(44, "other"),
];

const fn int(column: usize) -> Cell {
    cell(column, Value::Integer, None)
}

const fn millis(column: usize) -> Cell {
    cell(column, Value::Milliseconds, None)
}

const fn status(column: usize) -> Cell {
    cell(column, Value::Status, None)
}

const fn code(column: usize, class: &'static str) -> Cell {
    cell(column, Value::Integer, Some(("code", class)))
}

const fn cell(column: usize, value: Value, label: Option<(&'static str, &'static str)>) -> Cell {
    Cell {
        column,
        value,
        label,
    }
}
