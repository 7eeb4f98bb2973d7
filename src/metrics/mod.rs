//! What is exported: profiles as data, the snapshot of a scrape, and the text that is made of both.
//! Knows no socket.
//!
//! A **profile** is a naming: groups of families, whose cells name a column of the rows that they are
//! about and how it is read. It is data only: a new metric is one line. A **snapshot** keeps each
//! column that some profile reads once, as the text of its sample values, however many families show
//! it. A **selection** is what one request wants of a profile, a **cursor** where its answer stands.

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
pub(crate) mod intake;
pub(crate) mod labels;
mod modules;
pub(crate) mod name_index;
pub(crate) mod names;
pub(crate) mod selection;
pub(crate) mod snapshot;
pub(crate) mod value;

pub(crate) use crate::haproxy::stat::RowType;

/// The names of the profiles in flags and query parameters, by number.
pub(crate) const PROFILES: [&str; 2] = ["exporter", "builtin"];
/// The number of the profile with the names of prometheus/haproxy_exporter, the default.
pub(crate) const EXPORTER: usize = 0;
/// The number of the one with the names of HAProxy's own exporter.
pub(crate) const BUILTIN: usize = 1;

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

/// Whose rows the families of a group are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowsOf {
    /// Rows of this type in `show stat`, which groups of both profiles share.
    Stat(RowType),
    /// The group has rows of its own.
    Group,
}

/// How a cell becomes what a column keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
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
    /// See `haproxy::status`; only the cell of this reason has a sample.
    OutOfService,
    /// A flag, of which only 1 has a sample.
    Flag,
    /// A backend's status, exported as 0 (not published) or 1; where a column of HAProxy 3.3 is there.
    Published,
    /// How many servers of a backend are in the cell's state; no cell of its own.
    ServersInState,
    /// How many servers of a backend have the cell's check result; no cell of its own.
    ServersWithResult,
}

impl Conversion {
    /// Whether the column keeps a byte a row: the number of a state.
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

    /// Whether a state that is not the cell's gives no sample, and not a 0.
    pub(crate) const fn is_sparse(self) -> bool {
        matches!(self, Self::OutOfService | Self::Flag)
    }

    /// Whether the column is counted over a backend's servers.
    pub(crate) const fn is_aggregate(self) -> bool {
        matches!(self, Self::ServersInState | Self::ServersWithResult)
    }
}

/// What a sample's value is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Which of `haproxy::columns::COLUMNS`.
    pub(crate) column: u16,
    /// How it is read.
    pub(crate) conversion: Conversion,
    /// The state that this sample is about, where the conversion gives one.
    pub(crate) state: u8,
    /// A label that tells this sample from the others of the family: see `labels`.
    pub(crate) label: u8,
}

/// A family: its samples come from the rows of its group, one a row and cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family {
    /// Counter or gauge.
    pub(crate) kind: Kind,
    /// The metric name behind the group's prefix.
    pub(crate) name: &'static str,
    /// What it says, in one sentence; where it names the scope, what stands before and behind that.
    pub(crate) help: [&'static str; 2],
    /// The bits of the types that have it, of rows of `show stat`.
    pub(crate) row_types: u8,
    /// In the order of their samples.
    pub(crate) cells: &'static [Cell],
}

/// Families of the same rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    /// Whose rows.
    pub(crate) rows: RowsOf,
    /// The number of the only profile that it is in; `None` where it is in all.
    pub(crate) profile: Option<usize>,
    /// The word of `?scope=` that asks for it. It is empty for what HAProxy's exporter does not have:
    /// that answers to `?metrics=` only.
    pub(crate) scope: &'static str,
    /// What all names begin with.
    pub(crate) prefix: &'static str,
    /// The names of a row's labels.
    pub(crate) labels: &'static [&'static str],
    /// Whether it is there only when asked for (`?extra-counters`).
    pub(crate) is_extra: bool,
    /// In the order of the exposition, and of groups of other rows as well.
    pub(crate) families: &'static [Family],
}

/// A group with rows of its own, and what the value of each of its families is made of.
#[derive(Debug)]
pub(crate) struct Table<V: 'static> {
    /// The families.
    pub(crate) group: Group,
    /// For each family a function of the row, or whatever tells where the row has its value.
    pub(crate) values: &'static [V],
}

impl Family {
    /// The help of this family in a group, in pieces.
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

    /// A group with rows of its own, in all profiles.
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
    /// A cell without a label of its own.
    pub(crate) const fn new(column: u16, conversion: Conversion) -> Self {
        Self {
            column,
            conversion,
            state: 0,
            label: labels::NONE,
        }
    }
}

/// The cell of each family of a group with rows of its own, whose place in the group tells the column.
pub(crate) static OWN_CELL: [Cell; 1] = [Cell::new(0, Conversion::Integer)];

#[cfg(test)]
mod tests;
