//! What HAProxy is asked besides `show stat`: the families of each command.

pub(crate) mod certificates;
pub(crate) mod info;
pub(crate) mod master;
pub(crate) mod peers;
pub(crate) mod resolvers;
pub(crate) mod stick_tables;

use crate::metrics::Group;
use crate::metrics::catalog::Catalog;

/// The groups of all commands, in the order of the exposition.
static GROUPS: [&[&Group]; 6] = [
    &info::GROUPS,
    &stick_tables::GROUPS,
    &resolvers::GROUPS,
    &peers::GROUPS,
    &certificates::GROUPS,
    &master::GROUPS,
];

/// All families, those of commands among them. Of the servers' columns under the exporter's names, only
/// those in `server_columns` count.
pub(crate) fn catalog(server_columns: &[usize]) -> Catalog {
    Catalog::new(server_columns, &GROUPS.concat())
}
