//! What HAProxy is asked besides `show stat`: a file for each command, with its text, its flag, its families
//! and what reads the reply. Nobody else names one.

macro_rules! commands {
    ($($name:ident),*) => {
        $(pub(crate) mod $name;)*

        /// All commands, in the order of their flags and of asking.
        static ALL: &[&Command] = &[$(&$name::COMMAND),*];
    };
}

commands! { info, stick_tables, resolvers, master, peers, certificates, activity }

pub(crate) mod command;
pub(crate) mod now_and_then;
pub(crate) mod watch;

use crate::config::Flag;
use crate::metrics::catalog::Catalog;
use command::Command;

/// The flags that turn commands on.
pub(crate) fn flags() -> impl Iterator<Item = &'static Flag> {
    ALL.iter().filter_map(|command| command.flag.as_ref())
}

/// All families, those of commands among them. Of the servers' columns under the exporter's names, only
/// those in `server_columns` count.
pub(crate) fn catalog(server_columns: &[usize]) -> Catalog {
    let mut commands = ALL.to_vec();
    commands.sort_by_key(|command| command.when.order());
    let groups: Vec<_> = commands
        .iter()
        .flat_map(|command| command.groups)
        .copied()
        .collect();
    Catalog::new(server_columns, &groups)
}

/// The commands without a flag, and those that a flag has turned `on`.
pub(crate) fn in_use(on: &[&str]) -> impl Iterator<Item = &'static Command> {
    let all = ALL.iter().copied();
    all.filter(|command| command.flag.is_none() || on.contains(&command.ask))
}
