//! `show stat domain resolvers`: a CSV with one row per name server of a `resolvers` section
//! (management guide, section 9.3; HAProxy 2.3 and later).

use super::command::{Answer, Command, Further, When};
use crate::haproxy::failures::{BadRow, Failures, Why};
use crate::haproxy::lines::Lines;
use crate::haproxy::reply::{Proof, Reply, ReplyError, Taken};
use crate::metrics::BUILTIN;
use crate::metrics::macros::table;
use crate::metrics::snapshot::Sink;

pub(super) static COMMAND: Command = Command {
    ask: "show stat domain resolvers",
    // HAProxy before 2.3 interprets it as `show stat`; 2.3 and 2.4 have another word.
    since: Some((2, 5)),
    older: Some(("show stat domain dns", (2, 3))),
    groups: &[&RESOLVER.group],
    when: When::WithRows(|| Box::new(Resolvers::default())),
    events: ["show stat domain resolvers failed", "show stat domain resolvers recovered"],
    ..Command::USUAL
};

table! {
    /// The name servers; each value is the field of a column.
    static RESOLVER: &'static str {
        profile: Some(BUILTIN),
        scope: "resolver",
        prefix: "haproxy_resolver_",
        labels: &["resolver", "nameserver"],
    }
    Gauge   sent = "sent", "DNS queries sent to this name server.";
    Gauge   send_error = "send_error", "DNS queries that could not be sent.";
    Gauge   valid = "valid", "Valid DNS responses.";
    Gauge   update = "update", "DNS responses that changed an address.";
    Gauge   cname = "cname", "DNS responses that contain only an alias.";
    Gauge   cname_error = "cname_error", "DNS responses with an invalid alias.";
    Gauge   any_err = "any_err", "Empty DNS responses to ANY queries.";
    Gauge   nx = "nx", "DNS responses that the name does not exist.";
    Gauge   timeout = "timeout", "DNS queries without a response in time.";
    Gauge   refused = "refused", "DNS queries that were refused.";
    Gauge   other = "other", "Other DNS errors.";
    Gauge   invalid = "invalid", "Invalid DNS responses.";
    Gauge   too_big = "too_big", "DNS responses that are too large.";
    Gauge   truncated = "truncated", "Truncated DNS responses.";
    Gauge   outdated = "outdated", "DNS responses that arrived too late.";
}

/// The command that has names of name servers when the rows have lost them: `clear counters all` does that.
const NAMES: &str = "show resolvers";

/// The name servers of one reply.
#[derive(Debug, Default)]
struct Resolvers {
    rows: Rows,
    names: Names,
    /// The rows have lost names: `NAMES` is sent too.
    lacks_names: bool,
    /// Whether it was.
    has_asked: bool,
}

/// The rows.
#[derive(Debug, Default)]
struct Rows {
    lines: Lines,
}

/// The names of the name servers, in the order of the rows.
#[derive(Debug, Default)]
struct Names {
    lines: Lines,
}

/// One name server.
#[derive(Clone, Copy, Debug)]
struct NameServer<'a> {
    header: &'a [u8],
    row: &'a [u8],
}

/// The names of a section and of one of its name servers.
type Name<'a> = [&'a [u8]; 2];

impl Rows {
    /// All name servers, in the order of the reply.
    fn iter(&self) -> impl Iterator<Item = NameServer<'_>> {
        let mut lines = self.lines.iter();
        let header = lines.next().unwrap_or_default();
        let header = header.strip_prefix(b"# ").unwrap_or(header);
        lines.map(move |row| NameServer { header, row })
    }
}

impl Names {
    fn iter(&self) -> impl Iterator<Item = Name<'_>> {
        let mut section: &[u8] = b"";
        self.lines.iter().filter_map(move |line| {
            if let Some(name) = line.strip_prefix(SECTION) {
                section = name;
                return None;
            }
            Some([section, line.strip_prefix(SERVER)?.strip_suffix(b":")?])
        })
    }
}

/// How lines of `show resolvers` begin: of a section, of a name server, of its values.
const SECTION: &[u8] = b"Resolvers section ";
const SERVER: &[u8] = b" nameserver ";
const VALUE: &[u8] = b"  ";

impl Resolvers {
    /// Calls `take` for each name server, with its names if they are known.
    fn for_each(&self, mut take: impl FnMut(NameServer<'_>, Option<Name<'_>>)) {
        // Both commands list the sections and their name servers in the same order. What was added or removed
        // in between would shift the names.
        let rows = || self.rows.iter().map(NameServer::name);
        let is_same = |(row, name): (Name<'_>, Name<'_>)| {
            let mut parts = row.iter().zip(name);
            parts.all(|(part, of_name)| part.is_empty() || *part == of_name)
        };
        let fits = rows().count() == self.names.iter().count()
            && rows().zip(self.names.iter()).all(is_same);
        let mut names = self.names.iter();
        for row in self.rows.iter() {
            let other = names.next().filter(|name| fits && is_name(*name));
            let own = Some(row.name()).filter(|name| is_name(*name));
            take(row, own.or(other));
        }
    }
}

fn is_name(name: Name<'_>) -> bool {
    name.iter().all(|part| !part.is_empty())
}

impl Answer for Resolvers {
    fn replies(&mut self) -> (&mut dyn Reply, Option<Further<'_>>) {
        self.has_asked = self.lacks_names;
        let names: &mut dyn Reply = &mut self.names;
        let further = self.lacks_names.then_some((NAMES, names));
        (&mut self.rows, further)
    }

    fn clear(&mut self) {
        self.rows.lines.clear();
        self.names.lines.clear();
    }

    fn needs_further(&mut self) -> bool {
        let mut rows = self.rows.iter();
        self.lacks_names = rows.any(|row| !is_name(row.name()));
        self.lacks_names && !self.has_asked
    }

    fn count_bad_rows(&self, failures: &mut Failures) {
        let mut line = 1;
        self.for_each(|_, name| {
            line += 1;
            if name.is_none() {
                let why = Why::NoNameServer(COMMAND.ask);
                failures.add(BadRow { line, why });
            }
        });
    }

    fn put_rows(&self, into: &mut Sink<'_>) {
        let mut rows = into.add(&RESOLVER);
        self.for_each(|server, name| {
            if let Some(name) = name {
                rows.put(&name, |column| server.cell(column).into());
            }
        });
    }
}

impl<'a> NameServer<'a> {
    /// The names of its section and its own, which can be empty.
    fn name(self) -> Name<'a> {
        ["pid", "id"].map(|column| self.cell(column).unwrap_or_default())
    }

    /// The field of a column, if the reply has it.
    fn cell(&self, column: &str) -> Option<&'a [u8]> {
        let mut names = self.header.split(|byte| *byte == b',');
        let position = names.position(|name| name == column.as_bytes())?;
        self.row.split(|byte| *byte == b',').nth(position)
    }
}

impl Reply for Rows {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        self.lines.push(input)
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        // A reply without a header belongs to another command. Without resolvers there is only the
        // header.
        let first = self.lines.iter().next().unwrap_or_default();
        let is_right = first.starts_with(b"# id,pid,");
        self.lines.finish(rest, COMMAND.ask, |_| is_right)
    }
}

impl Reply for Names {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        self.lines.push(input)
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        self.lines.finish(rest, NAMES, |line| {
            let mut beginnings = [SECTION, SERVER, VALUE].into_iter();
            beginnings.any(|beginning| line.starts_with(beginning))
        })
    }
}

#[cfg(test)]
mod tests;
