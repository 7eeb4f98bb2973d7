//! The metric tables: data only. A new metric is one line here.
//!
//! Columns and their meaning: HAProxy management guide, section 9.1. Names, types and labels are
//! those of prometheus/haproxy_exporter 0.14; the help texts are our own.

/// Type of a family in the text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever grows, until HAProxy restarts.
    Counter,
    /// Goes up and down.
    Gauge,
}

impl Kind {
    /// The word of a `# TYPE` line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// How a CSV cell becomes a sample value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A whole number, copied.
    Integer,
    /// Whole milliseconds, exported in seconds.
    Milliseconds,
    /// A status text, exported as 1 (takes traffic) or 0.
    Status,
}

/// What a row of the CSV is about (column 32, `type`); listeners (3) have no metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Type 0.
    Frontend,
    /// Type 1.
    Backend,
    /// Type 2.
    Server,
}

impl Scope {
    /// All scopes, in the order of the exposition and of the `type` column.
    pub const ALL: [Self; 3] = [Self::Frontend, Self::Backend, Self::Server];

    /// The labels that name a row of this scope, with the columns they come from.
    pub const fn labels(self) -> &'static [(&'static str, usize)] {
        match self {
            Self::Frontend => &[("frontend", PROXY_NAME)],
            Self::Backend => &[("backend", PROXY_NAME)],
            Self::Server => &[("backend", PROXY_NAME), ("server", SERVICE_NAME)],
        }
    }
}

/// Column of the proxy's name.
pub const PROXY_NAME: usize = 0;
/// Column of the server's or listener's name.
pub const SERVICE_NAME: usize = 1;
/// Column of the status.
pub const STATUS: usize = 17;
/// Column of the row's type.
pub const ROW_TYPE: usize = 32;

/// Name, type and help of a family.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// The metric name.
    pub name: &'static str,
    /// Counter or gauge.
    pub kind: Kind,
    /// What it counts, in one sentence.
    pub help: &'static str,
}

/// One column of the CSV that feeds a family.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Position of the column, from 0.
    pub column: usize,
    /// How the cell is read.
    pub value: Value,
    /// A label that tells this column from the others of the family.
    pub label: Option<(&'static str, &'static str)>,
}

/// A family with a sample for each row of a scope and each of its cells.
#[derive(Clone, Copy, Debug)]
pub struct RowFamily {
    /// Name, type and help.
    pub family: Family,
    /// The columns, in the order of their samples.
    pub cells: &'static [Cell],
}

/// A family that has labels of its own, or none.
#[derive(Clone, Copy, Debug)]
pub struct SingleFamily {
    /// Name, type and help.
    pub family: Family,
    /// Names of the labels.
    pub labels: &'static [&'static str],
}

/// A naming of the CSV's columns: the families of each scope, in the order of the exposition.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    scopes: [&'static [RowFamily]; 3],
}

impl Profile {
    /// The families of a scope.
    pub const fn families(&self, scope: Scope) -> &'static [RowFamily] {
        self.scopes[scope as usize]
    }
}

/// The names of prometheus/haproxy_exporter.
pub static GO_EXPORTER: Profile = Profile {
    scopes: [FRONTEND_FAMILIES, BACKEND_FAMILIES, SERVER_FAMILIES],
};

const fn row_family(
    kind: Kind,
    name: &'static str,
    cells: &'static [Cell],
    help: &'static str,
) -> RowFamily {
    RowFamily {
        family: Family { name, kind, help },
        cells,
    }
}

const fn counter(name: &'static str, cells: &'static [Cell], help: &'static str) -> RowFamily {
    row_family(Kind::Counter, name, cells, help)
}

const fn gauge(name: &'static str, cells: &'static [Cell], help: &'static str) -> RowFamily {
    row_family(Kind::Gauge, name, cells, help)
}

const fn int(column: usize) -> Cell {
    Cell {
        column,
        value: Value::Integer,
        label: None,
    }
}

const fn millis(column: usize) -> Cell {
    Cell {
        column,
        value: Value::Milliseconds,
        label: None,
    }
}

const fn status(column: usize) -> Cell {
    Cell {
        column,
        value: Value::Status,
        label: None,
    }
}

const fn code(column: usize, class: &'static str) -> Cell {
    Cell {
        column,
        value: Value::Integer,
        label: Some(("code", class)),
    }
}

static RESPONSE_CODES: &[Cell] = &[
    code(39, "1xx"),
    code(40, "2xx"),
    code(41, "3xx"),
    code(42, "4xx"),
    code(43, "5xx"),
    code(44, "other"),
];

static FRONTEND_FAMILIES: &[RowFamily] = &[
    gauge(
        "haproxy_frontend_current_sessions",
        &[int(4)],
        "Sessions open on this frontend now.",
    ),
    gauge(
        "haproxy_frontend_max_sessions",
        &[int(5)],
        "Most sessions that were ever open on this frontend at once.",
    ),
    gauge(
        "haproxy_frontend_limit_sessions",
        &[int(6)],
        "Configured limit of sessions on this frontend.",
    ),
    counter(
        "haproxy_frontend_sessions_total",
        &[int(7)],
        "Sessions that this frontend has handled.",
    ),
    counter(
        "haproxy_frontend_bytes_in_total",
        &[int(8)],
        "Bytes received in requests by this frontend.",
    ),
    counter(
        "haproxy_frontend_bytes_out_total",
        &[int(9)],
        "Bytes sent in responses by this frontend.",
    ),
    counter(
        "haproxy_frontend_requests_denied_total",
        &[int(10)],
        "Requests that this frontend refused by a rule.",
    ),
    counter(
        "haproxy_frontend_request_errors_total",
        &[int(12)],
        "Requests with an error: bad ones, and clients that gave up or timed out before the end.",
    ),
    gauge(
        "haproxy_frontend_current_session_rate",
        &[int(33)],
        "Sessions that this frontend opened in the last second.",
    ),
    gauge(
        "haproxy_frontend_limit_session_rate",
        &[int(34)],
        "Configured limit of new sessions a second on this frontend.",
    ),
    gauge(
        "haproxy_frontend_max_session_rate",
        &[int(35)],
        "Most sessions that this frontend ever opened in one second.",
    ),
    counter(
        "haproxy_frontend_http_responses_total",
        RESPONSE_CODES,
        "HTTP responses of this frontend by class of status code.",
    ),
    counter(
        "haproxy_frontend_http_requests_total",
        &[int(48)],
        "HTTP requests that this frontend has received.",
    ),
    counter(
        "haproxy_frontend_compressor_bytes_in_total",
        &[int(51)],
        "Bytes of HTTP responses that went into the compressor.",
    ),
    counter(
        "haproxy_frontend_compressor_bytes_out_total",
        &[int(52)],
        "Bytes of HTTP responses that came out of the compressor.",
    ),
    counter(
        "haproxy_frontend_compressor_bytes_bypassed_total",
        &[int(53)],
        "Bytes of HTTP responses that went round the compressor.",
    ),
    counter(
        "haproxy_frontend_http_responses_compressed_total",
        &[int(54)],
        "HTTP responses that were compressed.",
    ),
    counter(
        "haproxy_frontend_connections_total",
        &[int(79)],
        "Connections that this frontend has accepted.",
    ),
];

static BACKEND_FAMILIES: &[RowFamily] = &[
    gauge(
        "haproxy_backend_current_queue",
        &[int(2)],
        "Requests waiting in the queue of this backend now.",
    ),
    gauge(
        "haproxy_backend_max_queue",
        &[int(3)],
        "Most requests that ever waited in the queue of this backend at once.",
    ),
    gauge(
        "haproxy_backend_current_sessions",
        &[int(4)],
        "Sessions open on this backend now.",
    ),
    gauge(
        "haproxy_backend_max_sessions",
        &[int(5)],
        "Most sessions that were ever open on this backend at once.",
    ),
    gauge(
        "haproxy_backend_limit_sessions",
        &[int(6)],
        "Configured limit of sessions on this backend.",
    ),
    counter(
        "haproxy_backend_sessions_total",
        &[int(7)],
        "Sessions that this backend has handled.",
    ),
    counter(
        "haproxy_backend_bytes_in_total",
        &[int(8)],
        "Bytes received in requests by this backend.",
    ),
    counter(
        "haproxy_backend_bytes_out_total",
        &[int(9)],
        "Bytes sent in responses by this backend.",
    ),
    counter(
        "haproxy_backend_connection_errors_total",
        &[int(13)],
        "Attempts to connect to a server of this backend that failed.",
    ),
    counter(
        "haproxy_backend_response_errors_total",
        &[int(14)],
        "Responses that failed: cut, invalid, or not taken by the client.",
    ),
    counter(
        "haproxy_backend_retry_warnings_total",
        &[int(15)],
        "Connection attempts that were repeated on the same server.",
    ),
    counter(
        "haproxy_backend_redispatch_warnings_total",
        &[int(16)],
        "Requests that were sent to another server than the one chosen first.",
    ),
    gauge(
        "haproxy_backend_up",
        &[status(17)],
        "Whether this backend can take traffic: 1 for UP, OPEN, DRAIN and no check, else 0.",
    ),
    gauge(
        "haproxy_backend_weight",
        &[int(18)],
        "Sum of the weights of the active servers of this backend.",
    ),
    gauge(
        "haproxy_backend_current_server",
        &[int(19)],
        "Servers of this backend that are active now.",
    ),
    counter(
        "haproxy_backend_server_selected_total",
        &[int(30)],
        "Times that a server was chosen by load balancing.",
    ),
    gauge(
        "haproxy_backend_current_session_rate",
        &[int(33)],
        "Sessions that this backend opened in the last second.",
    ),
    gauge(
        "haproxy_backend_max_session_rate",
        &[int(35)],
        "Most sessions that this backend ever opened in one second.",
    ),
    counter(
        "haproxy_backend_http_responses_total",
        RESPONSE_CODES,
        "HTTP responses of this backend by class of status code.",
    ),
    counter(
        "haproxy_backend_client_aborts_total",
        &[int(49)],
        "Transfers that the client broke off.",
    ),
    counter(
        "haproxy_backend_server_aborts_total",
        &[int(50)],
        "Transfers that the server broke off.",
    ),
    counter(
        "haproxy_backend_compressor_bytes_in_total",
        &[int(51)],
        "Bytes of HTTP responses that went into the compressor.",
    ),
    counter(
        "haproxy_backend_compressor_bytes_out_total",
        &[int(52)],
        "Bytes of HTTP responses that came out of the compressor.",
    ),
    counter(
        "haproxy_backend_compressor_bytes_bypassed_total",
        &[int(53)],
        "Bytes of HTTP responses that went round the compressor.",
    ),
    counter(
        "haproxy_backend_http_responses_compressed_total",
        &[int(54)],
        "HTTP responses that were compressed.",
    ),
    gauge(
        "haproxy_backend_http_queue_time_average_seconds",
        &[millis(58)],
        "Average time in the queue over the last 1,024 successful requests, in seconds.",
    ),
    gauge(
        "haproxy_backend_http_connect_time_average_seconds",
        &[millis(59)],
        "Average time to connect over the last 1,024 successful requests, in seconds.",
    ),
    gauge(
        "haproxy_backend_http_response_time_average_seconds",
        &[millis(60)],
        "Average time to the response over the last 1,024 successful requests, in seconds.",
    ),
    gauge(
        "haproxy_backend_http_total_time_average_seconds",
        &[millis(61)],
        "Average time of a whole session over the last 1,024 successful ones, in seconds.",
    ),
];

static SERVER_FAMILIES: &[RowFamily] = &[
    gauge(
        "haproxy_server_current_queue",
        &[int(2)],
        "Requests waiting in the queue of this server now.",
    ),
    gauge(
        "haproxy_server_max_queue",
        &[int(3)],
        "Most requests that ever waited in the queue of this server at once.",
    ),
    gauge(
        "haproxy_server_current_sessions",
        &[int(4)],
        "Sessions open on this server now.",
    ),
    gauge(
        "haproxy_server_max_sessions",
        &[int(5)],
        "Most sessions that were ever open on this server at once.",
    ),
    gauge(
        "haproxy_server_limit_sessions",
        &[int(6)],
        "Configured limit of sessions on this server.",
    ),
    counter(
        "haproxy_server_sessions_total",
        &[int(7)],
        "Sessions that this server has handled.",
    ),
    counter(
        "haproxy_server_bytes_in_total",
        &[int(8)],
        "Bytes received in requests by this server.",
    ),
    counter(
        "haproxy_server_bytes_out_total",
        &[int(9)],
        "Bytes sent in responses by this server.",
    ),
    counter(
        "haproxy_server_connection_errors_total",
        &[int(13)],
        "Attempts to connect to this server that failed.",
    ),
    counter(
        "haproxy_server_response_errors_total",
        &[int(14)],
        "Responses that failed: cut, invalid, or not taken by the client.",
    ),
    counter(
        "haproxy_server_retry_warnings_total",
        &[int(15)],
        "Connection attempts that were repeated on the same server.",
    ),
    counter(
        "haproxy_server_redispatch_warnings_total",
        &[int(16)],
        "Requests that were sent to another server than the one chosen first.",
    ),
    gauge(
        "haproxy_server_up",
        &[status(17)],
        "Whether this server can take traffic: 1 for UP, OPEN, DRAIN and no check, else 0.",
    ),
    gauge(
        "haproxy_server_weight",
        &[int(18)],
        "Weight of this server in load balancing.",
    ),
    counter(
        "haproxy_server_check_failures_total",
        &[int(21)],
        "Health checks of this server that failed while it was up.",
    ),
    counter(
        "haproxy_server_downtime_seconds_total",
        &[int(24)],
        "Seconds that this server has been down, all in all.",
    ),
    counter(
        "haproxy_server_server_selected_total",
        &[int(30)],
        "Times that load balancing chose this server.",
    ),
    gauge(
        "haproxy_server_current_session_rate",
        &[int(33)],
        "Sessions that this server opened in the last second.",
    ),
    gauge(
        "haproxy_server_max_session_rate",
        &[int(35)],
        "Most sessions that this server ever opened in one second.",
    ),
    gauge(
        "haproxy_server_check_duration_seconds",
        &[millis(38)],
        "How long the last finished health check took, in seconds.",
    ),
    counter(
        "haproxy_server_http_responses_total",
        RESPONSE_CODES,
        "HTTP responses of this server by class of status code.",
    ),
    counter(
        "haproxy_server_client_aborts_total",
        &[int(49)],
        "Transfers that the client broke off.",
    ),
    counter(
        "haproxy_server_server_aborts_total",
        &[int(50)],
        "Transfers that the server broke off.",
    ),
    gauge(
        "haproxy_server_http_queue_time_average_seconds",
        &[millis(58)],
        "Average time in the queue over the last 1,024 successful requests, in seconds.",
    ),
    gauge(
        "haproxy_server_http_connect_time_average_seconds",
        &[millis(59)],
        "Average time to connect over the last 1,024 successful requests, in seconds.",
    ),
    gauge(
        "haproxy_server_http_response_time_average_seconds",
        &[millis(60)],
        "Average time to the response over the last 1,024 successful requests, in seconds.",
    ),
    gauge(
        "haproxy_server_http_total_time_average_seconds",
        &[millis(61)],
        "Average time of a whole session over the last 1,024 successful ones, in seconds.",
    ),
];
const fn single(
    kind: Kind,
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> SingleFamily {
    SingleFamily {
        family: Family { name, kind, help },
        labels,
    }
}

/// Whether the last scrape of HAProxy gave a complete answer.
pub static UP: SingleFamily = single(
    Kind::Gauge,
    "haproxy_up",
    &[],
    "Whether the last scrape of HAProxy was complete.",
);
/// Scrapes of HAProxy since the exporter started.
pub static SCRAPES: SingleFamily = single(
    Kind::Counter,
    "haproxy_exporter_scrapes_total",
    &[],
    "Scrapes of HAProxy since the exporter started.",
);
/// Bad rows and cells since the exporter started.
pub static PARSE_FAILURES: SingleFamily = single(
    Kind::Counter,
    "haproxy_exporter_csv_parse_failures_total",
    &[],
    "Rows and cells of the CSV that could not be read, since the exporter started.",
);
/// How long the last scrape of HAProxy took.
pub static SCRAPE_DURATION: SingleFamily = single(
    Kind::Gauge,
    "haproxy_exporter_scrape_duration_seconds",
    &[],
    "How long the last scrape of HAProxy took, in seconds.",
);
/// What this binary was built from.
pub static BUILD_INFO: SingleFamily = single(
    Kind::Gauge,
    "haproxy_exporter_build_info",
    &["version", "revision", "rustversion"],
    "What this exporter was built from; always 1.",
);
/// HAProxy's version, with the Go exporter's labels.
pub static VERSION_INFO: SingleFamily = single(
    Kind::Gauge,
    "haproxy_version_info",
    &["release_date", "version"],
    "HAProxy's release; always 1.",
);
/// HAProxy's version and node name.
pub static INFO: SingleFamily = single(
    Kind::Gauge,
    "haproxy_info",
    &["node", "release_date", "version"],
    "HAProxy's release and the name of its node; always 1.",
);
/// Idle share of HAProxy's process.
pub static IDLE: SingleFamily = single(
    Kind::Gauge,
    "haproxy_process_idle_time_percent",
    &[],
    "Share of time that HAProxy spends waiting for events, 0 to 100.",
);
/// Seconds since HAProxy's process started.
pub static UPTIME: SingleFamily = single(
    Kind::Gauge,
    "haproxy_process_uptime_seconds",
    &[],
    "Seconds since the HAProxy process that answered was started.",
);
/// Process id of HAProxy.
pub static PID: SingleFamily = single(
    Kind::Gauge,
    "haproxy_process_pid",
    &[],
    "Process id of the HAProxy that answered.",
);

/// The seven facts about a process, in the order of `process::Facts::values` (proc(5)).
macro_rules! process_families {
    ($prefix:literal, $whose:literal) => {
        [
            single(
                Kind::Counter,
                concat!($prefix, "cpu_seconds_total"),
                &[],
                concat!(
                    "Processor time that ",
                    $whose,
                    " has used, user and system, in seconds."
                ),
            ),
            single(
                Kind::Gauge,
                concat!($prefix, "open_fds"),
                &[],
                concat!("File descriptors that ", $whose, " has open."),
            ),
            single(
                Kind::Gauge,
                concat!($prefix, "max_fds"),
                &[],
                concat!("File descriptors that ", $whose, " may have open."),
            ),
            single(
                Kind::Gauge,
                concat!($prefix, "virtual_memory_bytes"),
                &[],
                concat!("Address space that ", $whose, " has mapped, in bytes."),
            ),
            single(
                Kind::Gauge,
                concat!($prefix, "virtual_memory_max_bytes"),
                &[],
                concat!("Address space that ", $whose, " may map, in bytes."),
            ),
            single(
                Kind::Gauge,
                concat!($prefix, "resident_memory_bytes"),
                &[],
                concat!("Memory of ", $whose, " that is resident, in bytes."),
            ),
            single(
                Kind::Gauge,
                concat!($prefix, "start_time_seconds"),
                &[],
                concat!(
                    "When ",
                    $whose,
                    " was started, in seconds since 1970-01-01 UTC."
                ),
            ),
        ]
    };
}

/// The process of the pid file.
pub static HAPROXY_PROCESS: [SingleFamily; 7] =
    process_families!("haproxy_process_", "the HAProxy process");
/// The exporter's own process.
pub static OWN_PROCESS: [SingleFamily; 7] = process_families!("process_", "the exporter");

/// Every family that the binary can export, with its label names, in the order of the exposition.
pub fn all() -> Vec<(Family, Vec<&'static str>)> {
    let singles = [
        &UP,
        &SCRAPES,
        &PARSE_FAILURES,
        &SCRAPE_DURATION,
        &BUILD_INFO,
    ]
    .into_iter()
    .chain([&VERSION_INFO, &INFO, &IDLE, &UPTIME, &PID])
    .chain(&HAPROXY_PROCESS)
    .chain(&OWN_PROCESS)
    .map(|single| (single.family, single.labels.to_vec()));
    let rows = Scope::ALL.into_iter().flat_map(|scope| {
        GO_EXPORTER.families(scope).iter().map(move |row| {
            let own = row
                .cells
                .iter()
                .filter_map(|cell| cell.label)
                .map(|(name, _)| name)
                .take(1);
            (
                row.family,
                own.chain(scope.labels().iter().map(|(name, _)| *name))
                    .collect(),
            )
        })
    });
    singles.chain(rows).collect()
}

#[cfg(test)]
#[path = "catalog_tests.rs"]
mod tests;
