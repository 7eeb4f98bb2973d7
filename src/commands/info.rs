//! `show info`: facts about the process, its keys under the names of HAProxy's built-in exporter,
//! and more that it does not export.
//!
//! `pairs` reads the reply.

mod pairs;

use std::time::Duration;

use super::command::{Command, When};
use crate::metrics::{BUILTIN, EXPORTER};
use crate::metrics::macros::table;
use crate::metrics::snapshot::Sink;
use crate::metrics::value::Value;
use crate::net::unsigned;
use crate::process::Facts;

pub(crate) use pairs::{Info, parse};

pub(crate) static COMMAND: Command = Command {
    ask: "show info",
    groups: &[
        &VERSION.group,
        &INFO.group,
        &PID.group,
        &PROCESS.group,
        &COUNTERS.group,
        &BUILTIN_COUNTERS.group,
        &BUILD.group,
        &NODE.group,
        &DESCRIPTION.group,
    ],
    when: When::Itself,
    events: ["show info failed", "show info recovered"],
    ..Command::USUAL
};

/// A key; `|` separates the spellings of several versions.
type Key = &'static str;

table! {
    /// HAProxy's release with the Go exporter's labels.
    static VERSION: u64 {
        profile: Some(EXPORTER),
        scope: "global",
        labels: &["release_date", "version"],
    }
    Gauge   version_info = 1, "HAProxy's release; always 1.";
}

table! {
    /// HAProxy's release and node.
    static INFO: u64 {
        profile: Some(EXPORTER),
        scope: "global",
        labels: &["node", "release_date", "version"],
    }
    Gauge   info = 1, "HAProxy's release and the name of its node; always 1.";
}

table! {
    /// The process that replied.
    static PID: Key {
        profile: Some(EXPORTER),
        scope: "global",
        prefix: "haproxy_process_",
    }
    Gauge   pid = "Pid", "Process id of the HAProxy worker that replied.";
}

table! {
    /// The numeric values.
    static PROCESS: Key {
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
    Counter bytes_out_total = "TotalBytesOut", "Bytes sent.";
    Counter spliced_bytes_out_total = "TotalSplicedBytesOut|TotalSplicdedBytesOut", "Bytes sent through a kernel pipe (splicing).";
    Gauge   bytes_out_rate = "BytesOutRate", "Bytes sent in the last second.";
    Counter recv_logs_total = "CumRecvLogs", "Log messages received.";
    Gauge   nb_thread_groups = "NbThreadGroups", "Thread groups.";
    Counter maxconn_reached_total = "MaxconnReached", "Number of times the connection limit was reached.";
    Counter warnings_total = "TotalWarnings", "Warnings issued by HAProxy.";
    Counter blocked_traffic_warnings_total = "BlockedTrafficWarnings", "Warnings that something blocked traffic.";
    Gauge   current_streams = "CurrStreams", "Current streams: requests under HTTP/2 and QUIC count one by one; HAProxy 3.2 and later.";
    Counter streams_total = "CumStreams", "Streams opened; HAProxy 3.2 and later.";
    Gauge   tainted = "Tainted", "Bits of what made this process unsupported, such as expert-mode commands; 0 means nothing did; HAProxy 2.4 and later.";
    Gauge   boot_duration_seconds = "BootTime_ms", "Time from the start of the process to its first event, in seconds; HAProxy 3.0 and later.";
}

table! {
    /// Counters whose names or types in HAProxy's exporter are not what Prometheus recommends.
    static COUNTERS: Key {
        profile: Some(EXPORTER),
        scope: "global",
        prefix: "haproxy_process_",
    }
    Counter failed_resolutions_total = "FailedResolutions", "DNS resolutions that failed.";
    Counter patterns_added_total = "PatternsAdded", "ACL and map entries added.";
    Counter patterns_freed_total = "PatternsFreed", "ACL and map entries freed.";
}

table! {
    /// The same counters with the names and types of HAProxy's exporter.
    static BUILTIN_COUNTERS: Key {
        profile: Some(BUILTIN),
        scope: "global",
        prefix: "haproxy_process_",
    }
    Counter failed_resolutions = "FailedResolutions", "DNS resolutions that failed (a counter).";
    Counter total_warnings = "TotalWarnings", "Warnings issued.";
    Gauge   patterns_added_total = "PatternsAdded", "ACL and map entries added (a counter in spite of its type).";
    Gauge   patterns_freed_total = "PatternsFreed", "ACL and map entries freed (a counter in spite of its type).";
}

table! {
    /// HAProxy's version.
    static BUILD: u64 {
        scope: "global",
        prefix: "haproxy_process_",
        labels: &["version"],
    }
    Gauge   build_info = 1, "HAProxy's version; always 1.";
}

table! {
    /// The node's name.
    static NODE: u64 {
        scope: "global",
        prefix: "haproxy_process_",
        labels: &["node"],
    }
    Gauge   node = 1, "Name of HAProxy's node; always 1.";
}

table! {
    /// The configuration's description.
    static DESCRIPTION: u64 {
        scope: "global",
        prefix: "haproxy_process_",
        labels: &["desc"],
    }
    Gauge   description = 1, "Description in HAProxy's configuration; always 1.";
}

/// `0x12`, or `0`.
fn hexadecimal(text: &[u8]) -> Option<u64> {
    let digits = text.strip_prefix(b"0x").unwrap_or(text);
    // `from_str_radix` takes a sign as well.
    let is_plain = digits.iter().all(u8::is_ascii_hexdigit);
    let digits = str::from_utf8(digits).ok().filter(|_| is_plain)?;
    u64::from_str_radix(digits, 16).ok()
}

impl Info {
    /// Adds its rows to the snapshot; none if there was no reply. `facts` are those of /proc about
    /// the same process.
    pub(crate) fn put_rows(&self, facts: &Facts, into: &mut Sink<'_>) {
        if self.get("Version").is_none() {
            return;
        }
        let text = |key| self.get(key).unwrap_or_default();
        let (version, date, node) = (text("Version"), text("Release_date"), text("node"));
        into.add(&VERSION).put_constant(&[date, version]);
        into.add(&INFO).put_constant(&[node, date, version]);
        let constants = [
            (&BUILD, version),
            (&NODE, node),
            (&DESCRIPTION, text("description")),
        ];
        for (table, text) in constants {
            if !text.is_empty() {
                into.add(table).put_constant(&[text]);
            }
        }
        // These two families have the same names in /proc, which is more precise.
        let is_known = |key: &str| match key {
            "Ulimit-n" => facts.max_fds.is_some(),
            "Start_time_sec" => facts.start_time.is_some(),
            _ => false,
        };
        for table in [&PID, &COUNTERS, &BUILTIN_COUNTERS] {
            into.add(table).put(&[], |key| self.value(key));
        }
        into.add(&PROCESS).put(&[], |key| match is_known(key) {
            true => Value::Nothing,
            false => self.value(key),
        });
    }

    /// A number whose key can have several spellings.
    fn value(&self, key: &str) -> Value<'_> {
        let Some(cell) = key.split('|').find_map(|key| self.get(key)) else {
            return Value::Nothing;
        };
        match key {
            // HAProxy has sometimes printed more than 100.
            "Idle_pct" => unsigned(cell).filter(|percent| *percent <= 100).into(),
            "BootTime_ms" => unsigned(cell).map(Duration::from_millis).into(),
            "Tainted" => hexadecimal(cell).into(),
            _ => cell.into(),
        }
    }
}

#[cfg(test)]
mod tests;
