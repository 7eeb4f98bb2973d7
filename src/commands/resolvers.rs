//! `show stat domain resolvers`: a CSV with one row per name server of a `resolvers` section
//! (management guide, section 9.3; HAProxy 2.5 and later).

use super::command::{Answer, Command, When};
use crate::haproxy::lines::Lines;
use crate::haproxy::reply::{Proof, Reply, ReplyError, Taken};
use crate::metrics::BUILTIN;
use crate::metrics::macros::table;
use crate::metrics::snapshot::Sink;

pub(super) static COMMAND: Command = Command {
    ask: "show stat domain resolvers",
    // HAProxy before 2.3 interprets it as `show stat`; 2.3 and 2.4 do not know the word.
    since: Some((2, 5)),
    groups: &[&RESOLVER.group],
    when: When::WithRows(|| Box::new(Resolvers::default())),
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

/// The name servers of one reply.
#[derive(Debug, Default)]
struct Resolvers {
    lines: Lines,
}

/// One name server.
#[derive(Clone, Copy, Debug)]
struct NameServer<'a> {
    header: &'a [u8],
    row: &'a [u8],
}

impl Resolvers {
    /// All name servers, in the order of the reply.
    fn iter(&self) -> impl Iterator<Item = NameServer<'_>> {
        let mut lines = self.lines.iter();
        let header = lines.next().unwrap_or_default();
        let header = header.strip_prefix(b"# ").unwrap_or(header);
        lines.map(move |row| NameServer { header, row })
    }
}

impl Answer for Resolvers {
    fn clear(&mut self) {
        self.lines.clear();
    }

    fn put_rows(&self, into: &mut Sink<'_>) {
        let mut rows = into.add(&RESOLVER);
        for server in self.iter() {
            let label = |column| server.cell(column).unwrap_or_default();
            let labels = [label("pid"), label("id")];
            rows.put(&labels, |column| server.cell(column).into());
        }
    }
}

impl<'a> NameServer<'a> {
    /// The field of a column, if the reply has it.
    fn cell(&self, column: &str) -> Option<&'a [u8]> {
        let mut names = self.header.split(|byte| *byte == b',');
        let position = names.position(|name| name == column.as_bytes())?;
        self.row.split(|byte| *byte == b',').nth(position)
    }
}

impl Reply for Resolvers {
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

#[cfg(test)]
mod tests;
