//! What is exported: profiles as data, the snapshot of a scrape, and the text that is made of both.
//! Knows no socket.
//!
//! A **profile** is a naming: groups of families, whose cells name a column of the rows of one
//! **scope** and how it is read. It is data only: a new metric is one line. A **snapshot** keeps each
//! column that some profile reads once, as the text of its sample values, however many families show
//! it. A **selection** is what one request wants of a profile, a **cursor** where its answer stands.

#[macro_use]
mod macros;

pub(crate) mod aggregates;
pub(crate) mod builtin;
pub(crate) mod catalog;
pub(crate) mod certificates;
pub(crate) mod column;
pub(crate) mod copy;
pub(crate) mod cursor;
pub(crate) mod duplicates;
pub(crate) mod exporter;
pub(crate) mod exposition;
pub(crate) mod intake;
pub(crate) mod labels;
pub(crate) mod master;
pub(crate) mod own;
pub(crate) mod peers;
pub(crate) mod selection;
pub(crate) mod snapshot;
pub(crate) mod value;

use crate::haproxy::columns::{COLUMNS, number};

/// Type of a family in the text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only ever grows, until HAProxy restarts.
    Counter,
    /// Goes up and down.
    Gauge,
}

impl Kind {
    /// The word of a `# TYPE` line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// What rows are about. Each scope has rows of its own in a snapshot, with labels and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The exporter and its last scrape; one row.
    Exporter,
    /// What the exporter was built from; one row.
    ExporterBuild,
    /// HAProxy's release with the Go exporter's labels; one row, as all of `show info`.
    Version,
    /// HAProxy's release and node.
    Info,
    /// The numbers of `show info`.
    Process,
    /// HAProxy's version.
    ProcessBuild,
    /// The node's name.
    ProcessNode,
    /// The configuration's description.
    ProcessDescription,
    /// What /proc says of HAProxy's process; one row.
    HaproxyProcess,
    /// What /proc says of the exporter's process; one row.
    OwnProcess,
    /// `show stat`, rows of type 0.
    Frontend,
    /// Rows of type 1.
    Backend,
    /// Rows of type 2.
    Server,
    /// Rows of type 3.
    Listener,
    /// `show table`.
    StickTable,
    /// `show stat domain resolvers`.
    Resolver,
    /// `show peers`: the remote ones.
    Peer,
    /// Certificates that HAProxy has loaded.
    Certificate,
    /// How they were read; one row.
    Certificates,
    /// The master process; one row.
    Master,
    /// The workers of before a reload; one row.
    OldWorkers,
}

impl Scope {
    /// All scopes.
    pub(crate) const ALL: [Self; 21] = [
        Self::Exporter,
        Self::ExporterBuild,
        Self::Version,
        Self::Info,
        Self::Process,
        Self::ProcessBuild,
        Self::ProcessNode,
        Self::ProcessDescription,
        Self::HaproxyProcess,
        Self::OwnProcess,
        Self::Frontend,
        Self::Backend,
        Self::Server,
        Self::Listener,
        Self::StickTable,
        Self::Resolver,
        Self::Peer,
        Self::Certificate,
        Self::Certificates,
        Self::Master,
        Self::OldWorkers,
    ];

    /// The names of the columns that rows of this scope may have.
    pub(crate) const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Exporter => own::EXPORTER_FACTS,
            Self::Process => builtin::PROCESS_KEYS,
            Self::HaproxyProcess => own::PROCESS_FACTS,
            Self::OwnProcess => own::OWN_PROCESS_FACTS,
            Self::Frontend | Self::Backend | Self::Server | Self::Listener => &COLUMNS,
            Self::StickTable => builtin::TABLE_FIELDS,
            Self::Resolver => builtin::RESOLVER_COLUMNS,
            Self::Peer => peers::PEER_FIELDS,
            Self::Certificate => certificates::CERTIFICATE_FIELDS,
            Self::Certificates => certificates::CERTIFICATES_FIELDS,
            Self::Master => master::MASTER_FACTS,
            Self::OldWorkers => master::OLD_WORKERS_FACTS,
            // Rows that say all in their labels have the value 1.
            _ => &["1"],
        }
    }

    /// The labels of a row behind its first, whose name is the group's.
    pub(crate) const fn more_labels(self) -> &'static [&'static str] {
        match self {
            Self::ExporterBuild => &["revision", "rustversion"],
            Self::Version => &["version"],
            Self::Info => &["release_date", "version"],
            Self::Server => &["server"],
            Self::Listener => &["listener"],
            Self::StickTable => &["type"],
            Self::Resolver => &["nameserver"],
            Self::Peer => &["peer"],
            _ => &[],
        }
    }
}

/// How a cell becomes what a column keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// A whole number, copied.
    Integer,
    /// The same, for rows in http mode only: those whose cell `hrsp_1xx` is not empty.
    HttpInteger,
    /// Whole milliseconds, exported in seconds.
    Milliseconds,
    /// The same, once the agent check has a result.
    AgentMilliseconds,
    /// A whole number; 0 where it is empty and `check_status` is not.
    CheckCode,
    /// The same with `agent_status`.
    AgentCode,
    /// A status text, exported as 1 (takes traffic) or 0.
    TakesTraffic,
    /// A status text, of which the number of the state is kept; so are the next ones.
    FrontendState,
    /// See `haproxy::status`.
    BackendState,
    /// See `haproxy::status`.
    ListenerState,
    /// See `haproxy::status`.
    ServerState,
    /// See `haproxy::status`.
    CheckResult,
    /// How many servers of a backend are in the cell's state; no cell of its own.
    ServersInState,
    /// How many servers of a backend have the cell's check result; no cell of its own.
    ServersWithResult,
}

impl Reading {
    /// Whether the column keeps a byte a row: the number of a state.
    pub(crate) const fn is_state(self) -> bool {
        matches!(
            self,
            Self::FrontendState
                | Self::BackendState
                | Self::ListenerState
                | Self::ServerState
                | Self::CheckResult
        )
    }

    /// Whether the column is counted over a backend's servers.
    pub(crate) const fn is_aggregate(self) -> bool {
        matches!(self, Self::ServersInState | Self::ServersWithResult)
    }
}

/// What a sample's value is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Which of the scope's columns; see `Scope::columns`.
    pub(crate) column: u16,
    /// How it is read.
    pub(crate) reading: Reading,
    /// The state that this sample is about, where the reading gives one.
    pub(crate) state: u8,
    /// A label that tells this sample from the others of the family: see `labels`.
    pub(crate) label: u8,
}

/// A family: its samples come from the rows of its group's scope, one a row and cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family {
    /// Counter or gauge.
    pub(crate) kind: Kind,
    /// The metric name behind the group's prefix.
    pub(crate) name: &'static str,
    /// What it says, in one sentence.
    pub(crate) help: &'static str,
    /// In the order of their samples.
    pub(crate) cells: &'static [Cell],
}

/// Families of the rows of one scope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    /// Whose rows.
    pub(crate) scope: Scope,
    /// What all names begin with.
    pub(crate) prefix: &'static str,
    /// The name of the first label; empty where rows have none.
    pub(crate) first_label: &'static str,
    /// Whether it is there only when asked for (`?extra-counters`).
    pub(crate) is_extra: bool,
    /// In the order of the exposition.
    pub(crate) families: &'static [Family],
}

/// A naming of all that is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    /// Its name in flags and query parameters.
    pub(crate) name: &'static str,
    /// In the order of the exposition.
    pub(crate) groups: &'static [&'static Group],
}

impl Cell {
    /// A cell without a label of its own.
    pub(crate) const fn new(column: u16, reading: Reading) -> Self {
        Self {
            column,
            reading,
            state: 0,
            label: labels::NONE,
        }
    }
}

/// HTTP responses by class of status code, in all scopes of both profiles.
pub(crate) static RESPONSE_CODES: [Cell; 6] = {
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
    cells
};

#[cfg(test)]
mod tests;
