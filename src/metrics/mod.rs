//! What is exported: metric names as data, the snapshot of a scrape, and the text that is made of
//! both. It does not use sockets.
//!
//! A **profile** is a metric naming scheme: groups of families, whose cells name a column of their
//! rows and its conversion. It is only data: a new metric is one line. A **snapshot** keeps each
//! column that some profile needs once, as the texts of its sample values, however many families
//! export it. A **selection** is what one request wants of a profile. A **cursor** is the position
//! of its response.

#[macro_use]
pub(crate) mod macros;

pub(crate) mod aggregates;
pub(crate) mod catalog;
pub(crate) mod column;
pub(crate) mod copy;
pub(crate) mod cursor;
pub(crate) mod exporter_and_process;
pub(crate) mod exposition;
pub(crate) mod gzip;
pub(crate) mod labels;
pub(crate) mod listeners;
mod modules;
pub(crate) mod name_index;
pub(crate) mod names;
pub(crate) mod report;
pub(crate) mod selection;
mod server_info;
pub(crate) mod server_rows;
pub(crate) mod snapshot;
pub(crate) mod value;
pub(crate) mod writer;

pub(crate) use crate::haproxy::stat::RowType;

/// The names of the profiles in flags and query parameters, by number.
pub(crate) const PROFILES: [&str; 2] = ["exporter", "builtin"];
/// The number of the profile with the names of prometheus/haproxy_exporter: the default.
pub(crate) const EXPORTER: usize = 0;
/// The number of the profile with the names of HAProxy's built-in exporter.
pub(crate) const BUILTIN: usize = 1;

/// Type of a family in the text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only increases, until HAProxy restarts.
    Counter,
    /// Can increase and decrease.
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

/// The rows of which the families of a group are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowsOf {
    /// Rows of this type in `show stat`, which groups of both profiles share.
    Stat(RowType),
    /// Rows that only this group has.
    Group,
}

/// How a field is converted into what a column keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// A whole number, copied.
    Integer,
    /// A whole number, only for rows in http mode: those whose field `hrsp_1xx` is not empty.
    HttpInteger,
    /// Whole milliseconds, exported in seconds.
    Milliseconds,
    /// Whole milliseconds, exported in seconds, once the agent check has a result.
    AgentMilliseconds,
    /// A whole number; 0 if it is empty and `check_status` is not.
    CheckCode,
    /// A whole number; 0 if it is empty and `agent_status` is not.
    AgentCode,
    /// A status text, exported as 1 (takes traffic) or 0.
    TakesTraffic,
    /// A status text, kept as the number of its state; so are the following ones.
    FrontendState,
    /// See `haproxy::states`.
    BackendState,
    /// See `haproxy::states`.
    ListenerState,
    /// See `haproxy::states`.
    ServerState,
    /// See `haproxy::states`.
    CheckResult,
    /// See `haproxy::states`; only the cell of this reason has a sample.
    OutOfService,
    /// A flag, of which only 1 has a sample.
    Flag,
    /// A backend's status, exported as 0 (not published) or 1; where a column of HAProxy 3.3 is there.
    Published,
    /// Number of servers of a backend in the cell's state; it has no field of its own.
    ServersInState,
    /// Number of servers of a backend with the cell's check result; it has no field of its own.
    ServersWithResult,
}

impl Conversion {
    /// Whether the column keeps one byte per row: the number of a state.
    pub(crate) const fn is_state(self) -> bool {
        matches!(
            self,
            Self::FrontendState
                | Self::BackendState
                | Self::ListenerState
                | Self::ServerState
                | Self::CheckResult
                | Self::OutOfService
                | Self::Flag
        )
    }

    /// Whether another state than the cell's gives no sample instead of a 0.
    pub(crate) const fn is_sparse(self) -> bool {
        matches!(self, Self::OutOfService | Self::Flag)
    }

    /// Whether the column is counted over a backend's servers.
    pub(crate) const fn is_aggregate(self) -> bool {
        matches!(self, Self::ServersInState | Self::ServersWithResult)
    }
}

/// The recipe of a sample's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Name of the column.
    pub(crate) column: &'static str,
    /// How the field is converted.
    pub(crate) conversion: Conversion,
    /// The state of this sample, if the conversion gives one.
    pub(crate) state: u8,
    /// The label that distinguishes this sample from the others of the family: see `labels`.
    pub(crate) label: u8,
}

/// A family: its samples come from the rows of its group, one per row and cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family {
    /// Counter or gauge.
    pub(crate) kind: Kind,
    /// The metric name after the group's prefix.
    pub(crate) name: &'static str,
    /// The help text, in one sentence. If it names the scope, the texts before and after it.
    pub(crate) help: [&'static str; 2],
    /// Bits of the types of rows of `show stat` that have this family.
    pub(crate) row_types: u8,
    /// In the order of their samples.
    pub(crate) cells: &'static [Cell],
}

/// Families of the same rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    /// The rows of the group.
    pub(crate) rows: RowsOf,
    /// The number of the only profile that has it; `None` if all have it.
    pub(crate) profile: Option<usize>,
    /// The word of `?scope=` that selects it. It is empty for families that HAProxy's exporter
    /// lacks: only `?metrics=` filters them.
    pub(crate) scope: &'static str,
    /// The prefix of all names.
    pub(crate) prefix: &'static str,
    /// The names of a row's labels.
    pub(crate) labels: &'static [&'static str],
    /// Whether it is exported only on request (`?extra-counters`).
    pub(crate) is_extra: bool,
    /// In the order of the exposition, in which groups of other rows can come in between.
    pub(crate) families: &'static [Family],
}

/// A group with its own rows, and the recipe of the value of each of its families.
#[derive(Debug)]
pub(crate) struct Table<V: 'static> {
    /// The families.
    pub(crate) group: Group,
    /// For each family a function of the row, or whatever identifies the value in the row.
    pub(crate) values: &'static [V],
}

impl Family {
    /// The help text of this family in a group, in pieces.
    pub(crate) fn help(&self, group: &Group) -> [&'static str; 3] {
        let [first, last] = self.help;
        let scope = if last.is_empty() { "" } else { group.scope };
        [first, scope, last]
    }
}

impl Group {
    /// Its families in the order of the exposition, with their numbers.
    pub(crate) fn families(&self) -> impl Iterator<Item = (usize, &'static Family)> {
        let bit = match self.rows {
            RowsOf::Stat(row_type) => row_type.bit(),
            RowsOf::Group => u8::MAX,
        };
        let all = self.families.iter().enumerate();
        all.filter(move |(_, family)| family.row_types & bit != 0)
    }

    /// A group with its own rows, in all profiles.
    pub(crate) const OWN: Self = Self {
        rows: RowsOf::Group,
        profile: None,
        scope: "",
        prefix: "haproxy_",
        labels: &[],
        is_extra: false,
        families: &[],
    };
}

impl Cell {
    /// A cell without a distinguishing label.
    pub(crate) const fn new(column: &'static str, conversion: Conversion) -> Self {
        Self {
            column,
            conversion,
            state: 0,
            label: labels::NONE,
        }
    }
}

/// The cell of each family of a group with its own rows; the position in the group is the column.
pub(crate) static OWN_CELL: [Cell; 1] = [Cell::new("", Conversion::Integer)];

#[cfg(test)]
mod tests;
