//! The commands that are sent to HAProxy in addition to `show stat`: one file for each, with its
//! text, its flag, its families and the parser of its reply. No other module names a command.

macro_rules! commands {
    ($($name:ident),*) => {
        $(pub(crate) mod $name;)*

        /// All commands, in the order of their flags and of sending.
        static ALL: &[&Command] = &[$(&$name::COMMAND),*];
    };
}

commands! { info, stick_tables, resolvers, master, peers, certificates, activity }

pub(crate) mod cli_level;
pub(crate) mod command;
pub(crate) mod now_and_then;
pub(crate) mod watch;

use crate::config::Flag;
use crate::metrics::catalog::Catalog;
use command::Command;

/// The flags that enable commands.
pub(crate) fn flags() -> impl Iterator<Item = &'static Flag> {
    ALL.iter().filter_map(|command| command.flag.as_ref())
}

/// The flags that have turned these commands on.
pub(crate) fn flags_of(on: &[&str]) -> impl Iterator<Item = &'static Flag> {
    let on = ALL.iter().filter(|command| on.contains(&command.ask));
    on.filter_map(|command| command.flag.as_ref())
}

/// All families, including those of commands. Of the server columns under the exporter names, only
/// those in `server_columns` are exported.
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

/// The commands without a flag, and those in `on`.
pub(crate) fn in_use(on: &[&str]) -> impl Iterator<Item = &'static Command> {
    let all = ALL.iter().copied();
    all.filter(|command| command.flag.is_none() || on.contains(&command.ask))
}

#[cfg(test)]
mod tests;
