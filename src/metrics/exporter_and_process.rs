//! Families of every profile that do not come from HAProxy's replies: about the exporter, its
//! scrapes, and the two processes with the names that Prometheus' client libraries use (proc(5)).

use std::time::Duration;

use super::Group;
use super::value::Value;
use crate::process::Facts;

/// The groups that come first.
pub(crate) static EXPORTER_GROUPS: [&Group; 2] = [&EXPORTER.group, &EXPORTER_BUILD.group];
/// The groups that come after those about HAProxy's process.
pub(crate) static PROCESS_GROUPS: [&Group; 2] = [&HAPROXY_PROCESS.group, &OWN_PROCESS.group];

/// Facts about the exporter and its last scrape.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ExporterFacts {
    /// Whether the last scrape succeeded.
    pub(crate) is_up: bool,
    /// Scrapes since the exporter started.
    pub(crate) scrapes: u64,
    /// Rows and fields that could not be parsed since the exporter started.
    pub(crate) parse_failures: u64,
    /// Duration of the last scrape.
    pub(crate) took: Duration,
}

type OfExporter = fn(&ExporterFacts) -> Value<'_>;
type OfProcess = fn(&Facts) -> Value<'_>;

table! {
    /// One row.
    pub(crate) static EXPORTER: OfExporter {}
    Gauge   up = |facts| facts.is_up.into(), "Whether the last scrape of HAProxy was complete.";
    Counter exporter_scrapes_total = |facts| facts.scrapes.into(), "Scrapes of HAProxy since the exporter started.";
    Counter exporter_csv_parse_failures_total = |facts| facts.parse_failures.into(), "CSV rows and fields that could not be parsed, since the exporter started.";
    Gauge   exporter_scrape_duration_seconds = |facts| facts.took.into(), "Duration of the last scrape of HAProxy, in seconds.";
}

table! {
    /// One row whose labels contain everything.
    pub(crate) static EXPORTER_BUILD: u64 {
        labels: &["version", "revision", "rustversion"],
    }
    Gauge   exporter_build_info = 1, "Version, revision and compiler of this exporter; always 1.";
}

table! {
    /// Facts from /proc about HAProxy's process; one row.
    pub(crate) static HAPROXY_PROCESS: OfProcess {
        scope: "global",
        prefix: "haproxy_process_",
    }
    Counter cpu_seconds_total = |facts| facts.cpu_time.into(), "CPU time used by the HAProxy process, user and system, in seconds.";
    Gauge   open_fds = |facts| facts.open_fds.into(), "Open file descriptors of the HAProxy process.";
    Gauge   max_fds = |facts| facts.max_fds.into(), "Limit of open file descriptors of the HAProxy process.";
    Gauge   virtual_memory_bytes = |facts| facts.virtual_memory_bytes.into(), "Address space of the HAProxy process, in bytes.";
    Gauge   virtual_memory_max_bytes = |facts| facts.virtual_memory_max_bytes.into(), "Limit of the address space of the HAProxy process, in bytes.";
    Gauge   resident_memory_bytes = |facts| facts.resident_memory_bytes.into(), "Resident memory of the HAProxy process, in bytes.";
    Gauge   start_time_seconds = |facts| facts.start_time.into(), "Start time of the HAProxy process, in seconds since 1970-01-01 UTC.";
}

table! {
    /// Facts from /proc about the exporter's process; one row.
    pub(crate) static OWN_PROCESS: OfProcess {
        prefix: "process_",
    }
    Counter cpu_seconds_total = |facts| facts.cpu_time.into(), "CPU time used by the exporter, user and system, in seconds.";
    Gauge   open_fds = |facts| facts.open_fds.into(), "Open file descriptors of the exporter.";
    Gauge   max_fds = |facts| facts.max_fds.into(), "Limit of open file descriptors of the exporter.";
    Gauge   virtual_memory_bytes = |facts| facts.virtual_memory_bytes.into(), "Address space of the exporter, in bytes.";
    Gauge   virtual_memory_max_bytes = |facts| facts.virtual_memory_max_bytes.into(), "Limit of the address space of the exporter, in bytes.";
    Gauge   resident_memory_bytes = |facts| facts.resident_memory_bytes.into(), "Resident memory of the exporter, in bytes.";
    Gauge   start_time_seconds = |facts| facts.start_time.into(), "Start time of the exporter, in seconds since 1970-01-01 UTC.";
}

#[cfg(test)]
mod tests;
