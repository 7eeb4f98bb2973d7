//! `show table` under the names of HAProxy's built-in exporter.

use super::command::{Command, When};
use crate::haproxy::stick_tables::StickTable;
use crate::metrics::BUILTIN;
use crate::metrics::Group;
use crate::metrics::macros::table;
use crate::metrics::value::Value;

pub(super) static COMMAND: Command = Command {
    ask: "show table",
    groups: &GROUPS,
    when: When::Itself,
    ..Command::USUAL
};

/// The only group.
pub(crate) static GROUPS: [&Group; 1] = [&STICK_TABLE.group];

type OfTable = for<'a> fn(&'a StickTable<'a>) -> Value<'a>;

table! {
    /// The stick tables.
    pub(crate) static STICK_TABLE: OfTable {
        profile: Some(BUILTIN),
        scope: "sticktable",
        prefix: "haproxy_sticktable_",
        labels: &["name", "type"],
    }
    Gauge   size = |table| table.size.into(), "Maximum number of entries of the stick table.";
    Gauge   used = |table| table.used.into(), "Current entries of the stick table.";
}
