//! `show info`: the process, its keys under the names of HAProxy's built-in exporter, and three more
//! that it does not export.

use super::command::{Command, When};
use crate::metrics::EXPORTER;
use crate::metrics::Group;
use crate::metrics::macros::table;

pub(super) static COMMAND: Command = Command {
    ask: "show info",
    groups: &GROUPS,
    when: When::Itself,
    ..Command::USUAL
};

/// The groups, in the order of the exposition.
pub(crate) static GROUPS: [&Group; 7] = [
    &VERSION.group,
    &INFO.group,
    &PID.group,
    &PROCESS.group,
    &BUILD.group,
    &NODE.group,
    &DESCRIPTION.group,
];

/// A key; `|` separates the spellings of several versions.
pub(crate) type Key = &'static str;

table! {
    /// HAProxy's release with the Go exporter's labels.
    pub(crate) static VERSION: u64 {
        profile: Some(EXPORTER),
        scope: "global",
        labels: &["release_date", "version"],
    }
    Gauge   version_info = 1, "HAProxy's release; always 1.";
}

table! {
    /// HAProxy's release and node.
    pub(crate) static INFO: u64 {
        profile: Some(EXPORTER),
        scope: "global",
        labels: &["node", "release_date", "version"],
    }
    Gauge   info = 1, "HAProxy's release and the name of its node; always 1.";
}

table! {
    /// The process that answered.
    pub(crate) static PID: Key {
        profile: Some(EXPORTER),
        scope: "global",
        prefix: "haproxy_process_",
    }
    Gauge   pid = "Pid", "Process id of the HAProxy worker that replied.";
}

table! {
    /// The numbers.
    pub(crate) static PROCESS: Key {
        scope: "global",
        prefix: "haproxy_process_",
    }
    Gauge   nbthread = "Nbthread", "Threads of the process.";
    Gauge   nbproc = "Nbproc", "Worker processes (always 1 in recent versions).";
    Gauge   relative_process_id = "Process_num", "Number of this worker process, from 1.";
    Gauge   uptime_seconds = "Uptime_sec", "Time since the worker started, in seconds.";
    Gauge   start_time_seconds = "Start_time_sec", "Start time of the worker, in seconds since 1970-01-01 UTC.";
    Gauge   max_memory_bytes = "Memmax_bytes", "Memory limit of -m, in bytes; 0 means none.";
    Gauge   pool_allocated_bytes = "PoolAlloc_bytes", "Memory allocated for pools, in bytes.";
    Gauge   pool_used_bytes = "PoolUsed_bytes", "Pool memory in use, in bytes.";
    Counter pool_failures_total = "PoolFailed", "Pool allocations that failed.";
    Gauge   max_fds = "Ulimit-n", "Limit of open file descriptors.";
    Gauge   max_sockets = "Maxsock", "Limit of sockets.";
    Gauge   max_connections = "Maxconn", "Current limit of concurrent connections (maxconn).";
    Gauge   hard_max_connections = "Hard_maxconn", "Limit of concurrent connections at start.";
    Gauge   current_connections = "CurrConns", "Current connections.";
    Counter connections_total = "CumConns", "Connections accepted.";
    Counter requests_total = "CumReq", "Requests processed.";
    Gauge   max_ssl_connections = "MaxSslConns", "Limit of TLS endpoints; 0 means none.";
    Gauge   current_ssl_connections = "CurrSslConns", "Current TLS endpoints, on clients and servers.";
    Counter ssl_connections_total = "CumSslConns", "TLS endpoints opened, on clients and servers.";
    Gauge   max_pipes = "Maxpipes", "Limit of pipes for splicing.";
    Counter pipes_used_total = "PipesUsed", "Current pipes in use (a gauge in spite of its name and type).";
    Counter pipes_free_total = "PipesFree", "Current idle pipes (a gauge in spite of its name and type).";
    Gauge   current_connection_rate = "ConnRate", "Connections in the last second.";
    Gauge   limit_connection_rate = "ConnRateLimit", "Limit of connections per second.";
    Gauge   max_connection_rate = "MaxConnRate", "Maximum number of connections per second observed.";
    Gauge   current_session_rate = "SessRate", "Sessions opened in the last second.";
    Gauge   limit_session_rate = "SessRateLimit", "Configured limit of sessions per second.";
    Gauge   max_session_rate = "MaxSessRate", "Maximum number of sessions opened per second observed.";
    Gauge   current_ssl_rate = "SslRate", "TLS connections in the last second.";
    Gauge   limit_ssl_rate = "SslRateLimit", "Limit of TLS connections per second.";
    Gauge   max_ssl_rate = "MaxSslRate", "Maximum number of TLS connections per second observed.";
    Gauge   current_frontend_ssl_key_rate = "SslFrontendKeyRate", "TLS keys computed on frontends in the last second.";
    Gauge   max_frontend_ssl_key_rate = "SslFrontendMaxKeyRate", "Maximum number of TLS keys per second observed on frontends.";
    Gauge   frontend_ssl_reuse = "SslFrontendSessionReuse_pct", "TLS connections of frontends that resumed a session, in percent.";
    Gauge   current_backend_ssl_key_rate = "SslBackendKeyRate", "TLS keys computed on backends in the last second.";
    Gauge   max_backend_ssl_key_rate = "SslBackendMaxKeyRate", "Maximum number of TLS keys per second observed on backends.";
    Counter ssl_cache_lookups_total = "SslCacheLookups", "TLS session cache lookups.";
    Counter ssl_cache_misses_total = "SslCacheMisses", "TLS session cache misses.";
    Counter http_comp_bytes_in_total = "CompressBpsIn", "Bytes of HTTP responses before compression.";
    Counter http_comp_bytes_out_total = "CompressBpsOut", "Bytes of HTTP responses after compression.";
    Gauge   limit_http_comp = "CompressBpsRateLim", "Limit of compressed bytes per second.";
    Gauge   current_zlib_memory = "ZlibMemUsage", "Current memory of zlib, in bytes.";
    Gauge   max_zlib_memory = "MaxZlibMemUsage", "Limit of the memory of zlib, in bytes.";
    Gauge   current_tasks = "Tasks", "Current tasks.";
    Gauge   current_run_queue = "Run_queue", "Current tasks that are ready to run.";
    Gauge   idle_time_percent = "Idle_pct", "Idle time of the last second, in percent, averaged over all threads.";
    Gauge   stopping = "Stopping", "1 while the process is stopping, else 0.";
    Gauge   jobs = "Jobs", "Current jobs: connections and listeners.";
    Gauge   unstoppable_jobs = "Unstoppable Jobs", "Current jobs that cannot be stopped.";
    Gauge   listeners = "Listeners", "Active listeners.";
    Gauge   active_peers = "ActivePeers", "Peers with a verified connection.";
    Gauge   connected_peers = "ConnectedPeers", "Peers with a connection, verified or not.";
    Counter dropped_logs_total = "DroppedLogs", "Log lines dropped.";
    Gauge   busy_polling_enabled = "BusyPolling", "1 if HAProxy polls without sleeping (busy-polling), else 0.";
    Counter failed_resolutions = "FailedResolutions", "DNS resolutions that failed (a counter).";
    Counter bytes_out_total = "TotalBytesOut", "Bytes sent.";
    Counter spliced_bytes_out_total = "TotalSplicedBytesOut|TotalSplicdedBytesOut", "Bytes sent through a kernel pipe (splicing).";
    Gauge   bytes_out_rate = "BytesOutRate", "Bytes sent in the last second.";
    Counter recv_logs_total = "CumRecvLogs", "Log messages received.";
    Counter total_warnings = "TotalWarnings", "Warnings issued.";
    Gauge   patterns_added_total = "PatternsAdded", "ACL and map entries added.";
    Gauge   patterns_freed_total = "PatternsFreed", "ACL and map entries freed.";
    Gauge   nb_thread_groups = "NbThreadGroups", "Thread groups.";
    Counter maxconn_reached_total = "MaxconnReached", "Number of times the connection limit was reached.";
    Counter warnings_total = "TotalWarnings", "Warnings issued by HAProxy.";
    Counter blocked_traffic_warnings_total = "BlockedTrafficWarnings", "Warnings that something blocked traffic.";
}

table! {
    /// HAProxy's version.
    pub(crate) static BUILD: u64 {
        scope: "global",
        prefix: "haproxy_process_",
        labels: &["version"],
    }
    Gauge   build_info = 1, "HAProxy's version; always 1.";
}

table! {
    /// The node's name.
    pub(crate) static NODE: u64 {
        scope: "global",
        prefix: "haproxy_process_",
        labels: &["node"],
    }
    Gauge   node = 1, "Name of HAProxy's node; always 1.";
}

table! {
    /// The configuration's description.
    pub(crate) static DESCRIPTION: u64 {
        scope: "global",
        prefix: "haproxy_process_",
        labels: &["desc"],
    }
    Gauge   description = 1, "Description in HAProxy's configuration; always 1.";
}
