//! `show table` without a name: one line per stick table, independent of its size (management
//! guide, section 9.3). With a name or a filter HAProxy would walk through the entries, so that is
//! never sent.

use super::command::{Answer, Command, Further, When};
use crate::haproxy::lines::Lines;
use crate::haproxy::reply::{Proof, Reply, ReplyError, Taken};
use crate::metrics::BUILTIN;
use crate::metrics::macros::table;
use crate::metrics::snapshot::Sink;
use crate::metrics::value::Value;

pub(super) static COMMAND: Command = Command {
    ask: "show table",
    groups: &[&STICK_TABLE.group],
    when: When::WithRows(|| Box::new(StickTables::default())),
    events: ["show table failed", "show table recovered"],
    ..Command::USUAL
};

type OfTable = for<'a> fn(&'a StickTable<'a>) -> Value<'a>;

table! {
    /// The stick tables.
    static STICK_TABLE: OfTable {
        profile: Some(BUILTIN),
        scope: "sticktable",
        prefix: "haproxy_sticktable_",
        labels: &["name", "type"],
    }
    Gauge   size = |table| table.size.into(), "Maximum number of entries of the stick table.";
    Gauge   used = |table| table.used.into(), "Current entries of the stick table.";
}

/// The stick tables of one reply.
#[derive(Debug, Default)]
struct StickTables {
    lines: Lines,
}

/// One stick table: its fields as HAProxy printed them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StickTable<'a> {
    /// The name of the table, which is that of its section.
    name: &'a [u8],
    /// The type of its keys, such as `ip`.
    key_type: &'a [u8],
    /// Maximum number of entries.
    size: &'a [u8],
    /// Current number of entries.
    used: &'a [u8],
}

impl StickTables {
    /// All tables, in the order of the reply.
    fn iter(&self) -> impl Iterator<Item = StickTable<'_>> {
        self.lines.iter().filter_map(parse)
    }
}

impl Answer for StickTables {
    fn replies(&mut self) -> (&mut dyn Reply, Option<Further<'_>>) {
        (self, None)
    }

    fn clear(&mut self) {
        self.lines.clear();
    }

    fn put_rows(&self, into: &mut Sink<'_>) {
        let mut rows = into.add(&STICK_TABLE);
        for table in self.iter() {
            rows.put(&[table.name, table.key_type], |value| value(&table));
        }
    }
}

impl Reply for StickTables {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        self.lines.push(input)
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        self.lines
            .finish(rest, COMMAND.ask, |line| parse(line).is_some())
    }
}

/// `# table: NAME, type: TYPE, size:N, used:N`; further fields of newer releases are skipped.
fn parse(line: &[u8]) -> Option<StickTable<'_>> {
    let rest = line.strip_prefix(b"# table: ")?;
    let (name, rest) = split_once(rest, b", type: ")?;
    let (key_type, rest) = split_once(rest, b", size:")?;
    let (size, rest) = split_once(rest, b", used:")?;
    let end = memchr::memchr(b',', rest).unwrap_or(rest.len());
    Some(StickTable {
        name,
        key_type,
        size,
        used: rest[..end].trim_ascii(),
    })
}

fn split_once<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(text, separator)?;
    Some((&text[..at], &text[at + separator.len()..]))
}

#[cfg(test)]
mod tests;
