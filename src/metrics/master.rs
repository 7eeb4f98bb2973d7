//! A master process (`-W`) and its old workers, in every profile: HAProxy's own exporter knows neither.

use super::Scope;

keyed_families! {
    /// What is known of the master.
    pub(crate) MASTER_FACTS [];
    MASTER {
        scope: Scope::Master,
        prefix: "haproxy_master_",
        first_label: "",
        is_extra: false,
    }
    Gauge   up "up" "Whether HAProxy's master process could be asked.";
    Gauge   uptime_seconds "uptime" "How long the master process has run, in seconds.";
    Counter reloads_total "reloads" "Reloads since the master process was started, those that failed as well.";
    Gauge   last_reload_successful "last_reload_successful" "Whether the last reload was successful, or there was none yet; HAProxy 2.4.0 does not say.";
}

keyed_families! {
    /// What is known of the workers of before a reload.
    pub(crate) OLD_WORKERS_FACTS [];
    OLD_WORKERS {
        scope: Scope::OldWorkers,
        prefix: "haproxy_",
        first_label: "",
        is_extra: false,
    }
    Gauge   old_workers "count" "Workers of before a reload that still run.";
    Gauge   old_workers_unanswered "unanswered" "How many of them did not answer, or were not asked any more.";
    Gauge   old_workers_oldest_age_seconds "oldest_age" "How long the one that was started first has run, in seconds; 0 where there is none.";
    Gauge   old_workers_current_connections "current_connections" "Connections that are open on those that answered.";
    Gauge   old_workers_resident_memory_bytes "resident_memory" "Memory of all of them that is resident, in bytes.";
    Counter old_workers_requests_total "requests" "Requests that workers have received since they became old.";
    Counter old_workers_connections_total "connections" "Connections that workers have accepted or opened since they became old.";
    Counter old_workers_bytes_out_total "bytes_out" "Bytes that workers have sent since they became old.";
}
