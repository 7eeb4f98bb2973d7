//! Families of every profile that do not come from HAProxy's answers: about the exporter, its scrapes,
//! and the two processes as Prometheus' client libraries name them (proc(5)).

use super::{Cell, Family, Group, Kind, Reading, Scope};

keyed_families! {
    /// What the exporter says of itself and its last scrape.
    pub(crate) EXPORTER_FACTS [];
    EXPORTER {
        scope: Scope::Exporter,
        prefix: "haproxy_",
        first_label: "",
        is_extra: false,
    }
    Gauge   up "up" "Whether the last scrape of HAProxy was complete.";
    Counter exporter_scrapes_total "scrapes" "Scrapes of HAProxy since the exporter started.";
    Counter exporter_csv_parse_failures_total "parse_failures" "Rows and cells of the CSV that could not be read, since the exporter started.";
    Gauge   exporter_scrape_duration_seconds "scrape_duration" "How long the last scrape of HAProxy took, in seconds.";
}

pub(crate) static EXPORTER_BUILD: Group = Group {
    scope: Scope::ExporterBuild,
    prefix: "haproxy_",
    first_label: "version",
    is_extra: false,
    families: &[constant(
        "exporter_build_info",
        "What this exporter was built from; always 1.",
    )],
};

keyed_families! {
    /// What /proc says of a process.
    pub(crate) PROCESS_FACTS [];
    HAPROXY_PROCESS {
        scope: Scope::HaproxyProcess,
        prefix: "haproxy_process_",
        first_label: "",
        is_extra: false,
    }
    Counter cpu_seconds_total "cpu_seconds" "Processor time that the HAProxy process has used, user and system, in seconds.";
    Gauge   open_fds "open_fds" "File descriptors that the HAProxy process has open.";
    Gauge   max_fds "max_fds" "File descriptors that the HAProxy process may have open.";
    Gauge   virtual_memory_bytes "virtual_memory_bytes" "Address space that the HAProxy process has mapped, in bytes.";
    Gauge   virtual_memory_max_bytes "virtual_memory_max_bytes" "Address space that the HAProxy process may map, in bytes.";
    Gauge   resident_memory_bytes "resident_memory_bytes" "Memory of the HAProxy process that is resident, in bytes.";
    Gauge   start_time_seconds "start_time_seconds" "When the HAProxy process was started, in seconds since 1970-01-01 UTC.";
}

keyed_families! {
    /// The same of the exporter's own process.
    pub(crate) OWN_PROCESS_FACTS [];
    OWN_PROCESS {
        scope: Scope::OwnProcess,
        prefix: "process_",
        first_label: "",
        is_extra: false,
    }
    Counter cpu_seconds_total "cpu_seconds" "Processor time that the exporter has used, user and system, in seconds.";
    Gauge   open_fds "open_fds" "File descriptors that the exporter has open.";
    Gauge   max_fds "max_fds" "File descriptors that the exporter may have open.";
    Gauge   virtual_memory_bytes "virtual_memory_bytes" "Address space that the exporter has mapped, in bytes.";
    Gauge   virtual_memory_max_bytes "virtual_memory_max_bytes" "Address space that the exporter may map, in bytes.";
    Gauge   resident_memory_bytes "resident_memory_bytes" "Memory of the exporter that is resident, in bytes.";
    Gauge   start_time_seconds "start_time_seconds" "When the exporter was started, in seconds since 1970-01-01 UTC.";
}

/// A family whose rows say all in their labels.
pub(crate) const fn constant(name: &'static str, help: &'static str) -> Family {
    Family {
        kind: Kind::Gauge,
        name,
        help,
        cells: &ONE,
    }
}

const ONE: [Cell; 1] = [Cell::new(0, Reading::Integer)];
