//! The metric tables: data only. A new metric is one line here.
//!
//! Columns and their meaning: HAProxy management guide, section 9.1. Names, types and labels are
//! those of prometheus/haproxy_exporter 0.14; the help texts are our own.

pub(crate) mod copy;
pub(crate) mod duplicates;
pub(crate) mod exporter;
pub(crate) mod exposition;
pub(crate) mod snapshot;
pub(crate) mod value;

pub use exporter::GO_EXPORTER;

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
pub(crate) const PROXY_NAME: usize = 0;
/// Column of the server's or listener's name.
pub(crate) const SERVICE_NAME: usize = 1;
/// Column of the status.
pub(crate) const STATUS: usize = 17;
/// Column of the row's type.
pub(crate) const ROW_TYPE: usize = 32;

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
pub(crate) static UP: SingleFamily = single(
    Kind::Gauge,
    "haproxy_up",
    &[],
    "Whether the last scrape of HAProxy was complete.",
);
/// Scrapes of HAProxy since the exporter started.
pub(crate) static SCRAPES: SingleFamily = single(
    Kind::Counter,
    "haproxy_exporter_scrapes_total",
    &[],
    "Scrapes of HAProxy since the exporter started.",
);
/// Bad rows and cells since the exporter started.
pub(crate) static PARSE_FAILURES: SingleFamily = single(
    Kind::Counter,
    "haproxy_exporter_csv_parse_failures_total",
    &[],
    "Rows and cells of the CSV that could not be read, since the exporter started.",
);
/// How long the last scrape of HAProxy took.
pub(crate) static SCRAPE_DURATION: SingleFamily = single(
    Kind::Gauge,
    "haproxy_exporter_scrape_duration_seconds",
    &[],
    "How long the last scrape of HAProxy took, in seconds.",
);
/// What this binary was built from.
pub(crate) static BUILD_INFO: SingleFamily = single(
    Kind::Gauge,
    "haproxy_exporter_build_info",
    &["version", "revision", "rustversion"],
    "What this exporter was built from; always 1.",
);
/// HAProxy's version, with the Go exporter's labels.
pub(crate) static VERSION_INFO: SingleFamily = single(
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
pub(crate) static IDLE: SingleFamily = single(
    Kind::Gauge,
    "haproxy_process_idle_time_percent",
    &[],
    "Share of time that HAProxy spends waiting for events, 0 to 100.",
);
/// Seconds since HAProxy's process started.
pub(crate) static UPTIME: SingleFamily = single(
    Kind::Gauge,
    "haproxy_process_uptime_seconds",
    &[],
    "Seconds since the HAProxy process that answered was started.",
);
/// Process id of HAProxy.
pub(crate) static PID: SingleFamily = single(
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
pub(crate) static HAPROXY_PROCESS: [SingleFamily; 7] =
    process_families!("haproxy_process_", "the HAProxy process");
/// The exporter's own process.
pub(crate) static OWN_PROCESS: [SingleFamily; 7] = process_families!("process_", "the exporter");

/// Every family that the binary can export, with its label names, in the order of the exposition.
pub(crate) fn all() -> Vec<(Family, Vec<&'static str>)> {
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
mod tests;
