//! Reads the address and cookie of servers from their rows, while these pass by.

use super::Table;
use super::catalog::Catalog;
use super::selection::Wanted;
use super::server_info::TABLES;
use super::snapshot::Snapshot;
use crate::haproxy::columns::Header;
use crate::haproxy::csv::Row;

/// Longest address or cookie: the path of a unix socket has 108 bytes, and browsers take cookies of 4,096 bytes
/// with everything in them. Longer ones are left out, since a line with all labels must fit into a buffer.
pub(super) const MAX_TEXT_BYTES: usize = 256;

/// What is read of the rows of servers.
#[derive(Debug, Default)]
pub(crate) struct ServerInfo {
    /// Whether `--haproxy.server-info` is given.
    pub(crate) is_on: bool,
    /// The tables that are wanted, and the numbers of their rows.
    wanted: Vec<(&'static Table<u64>, usize)>,
    /// The positions of both cells in the reply at hand.
    positions: [Option<usize>; 2],
    /// Servers of this scrape, and those of them that have an address or a cookie.
    servers: u64,
    known: u64,
}

impl ServerInfo {
    /// The tables that are wanted.
    fn wanted_tables(
        &self,
        wanted: &Wanted,
        catalog: &Catalog,
    ) -> impl Iterator<Item = &'static Table<u64>> {
        let tables = TABLES.iter().filter(|_| self.is_on).copied();
        tables.filter(|table| wanted.has_group(catalog, &table.group))
    }

    /// Whether the rows of servers are needed for it.
    pub(crate) fn is_wanted(&self, wanted: &Wanted, catalog: &Catalog) -> bool {
        self.wanted_tables(wanted, catalog).next().is_some()
    }

    /// Begins a scrape.
    pub(super) fn begin(&mut self, wanted: &Wanted, catalog: &Catalog) {
        let tables = self.wanted_tables(wanted, catalog);
        let numbered = tables.map(|table| (table, catalog.rows_of(&table.group)));
        self.wanted = numbered.collect();
        (self.servers, self.known) = (0, 0);
    }

    /// Finds the cells; returns how many fields a row must have for them.
    pub(super) fn find(&mut self, header: &Header) -> usize {
        let names = ["addr", "cookie"].map(|name| header.position(name));
        self.positions = if self.wanted.is_empty() {
            [None; 2]
        } else {
            names
        };
        let last = self.positions.into_iter().flatten().max();
        last.map_or(0, |last| last + 1)
    }

    /// Adds a server by its names. One without address and cookie has no sample.
    pub(super) fn push(&mut self, names: &[&[u8]], row: &Row<'_>, snapshot: &mut Snapshot) {
        if self.wanted.is_empty() {
            return;
        }
        self.servers += 1;
        let text = |at: Option<usize>| {
            let text = at.and_then(|at| row.field(at)).unwrap_or_default();
            if text.len() > MAX_TEXT_BYTES {
                b""
            } else {
                text
            }
        };
        let [address, cookie] = self.positions.map(text);
        if address.is_empty() && cookie.is_empty() {
            return;
        }
        self.known += 1;
        for (table, number) in &self.wanted {
            let mut rows = snapshot.add_at(*number, table);
            rows.put_constant(&[names[0], names[1], address, cookie]);
        }
    }

    /// Bytes of the labels that were added.
    pub(super) fn label_bytes(&self, snapshot: &Snapshot) -> usize {
        let rows = self.wanted.iter();
        let rows = rows.filter_map(|(_, number)| snapshot.rows(*number));
        rows.map(|rows| rows.labels.len()).sum()
    }

    /// Whether HAProxy printed neither of any server; `None` if no server was read.
    pub(crate) fn is_missing(&self) -> Option<bool> {
        (self.servers > 0).then_some(self.known == 0)
    }
}
