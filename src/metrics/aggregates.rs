//! Counts the servers of a backend while their rows pass by: how many are in each state, and how
//! many have each check result.
//!
//! The row of a backend can come before or after those of its servers, so the counts are found by
//! the name of the proxy.

use super::Conversion;
use super::catalog::StoredColumn;
use super::name_index::NameIndex;
use super::snapshot::{Rows, range};
use super::value::{self, Value};
use crate::haproxy::buffer;
use crate::haproxy::states::{self, CHECK_RESULTS, SERVER_STATES};

/// Counts of one proxy: all servers, those in each state, those with each check result.
type Counts = [u32; 1 + SERVER_STATES.len() + CHECK_RESULTS.len()];

/// Positions of the counts of states and of check results.
const STATES: usize = 1;
const RESULTS: usize = STATES + SERVER_STATES.len();

/// The counts of all proxies of one scrape.
#[derive(Debug, Default)]
pub(crate) struct Aggregates {
    is_wanted: bool,
    /// Whether check results are counted: under the exporter names only states are wanted.
    counts_results: bool,
    names: Vec<u8>,
    name_ends: Vec<u32>,
    found: NameIndex,
    counts: Vec<Counts>,
    /// The proxy of the last row, because the rows of one proxy follow each other.
    last: usize,
    /// The proxy of each backend row, in the order of the rows.
    backends: Vec<u32>,
}

impl Aggregates {
    /// Sets what is counted: that of these conversions.
    pub(crate) fn set_wanted(&mut self, wanted: impl Iterator<Item = Conversion>) {
        (self.is_wanted, self.counts_results) = (false, false);
        for conversion in wanted {
            self.is_wanted |= conversion.is_aggregate();
            self.counts_results |= conversion == Conversion::ServersWithResult;
        }
    }

    /// Forgets all proxies, keeps the memory.
    pub(crate) fn clear(&mut self) {
        // The others have as many entries.
        if buffer::is_too_large(&self.counts) {
            *self = Self {
                is_wanted: self.is_wanted,
                counts_results: self.counts_results,
                ..Self::default()
            };
        }
        self.names.clear();
        self.name_ends.clear();
        self.found.clear();
        self.counts.clear();
        self.backends.clear();
    }

    /// Size of the proxies' names in bytes.
    pub(crate) fn name_bytes(&self) -> usize {
        self.names.len()
    }

    /// Counts a server.
    pub(crate) fn server(&mut self, proxy: &[u8], status: &[u8], check: &[u8]) {
        if !self.is_wanted {
            return;
        }
        let proxy = self.proxy(proxy);
        let counts = &mut self.counts[proxy];
        counts[0] += 1;
        let state = usize::from(states::server_state(status));
        if state < SERVER_STATES.len() {
            counts[STATES + state] += 1;
        }
        if !self.counts_results {
            return;
        }
        let result = usize::from(states::check_result(check));
        if result < CHECK_RESULTS.len() {
            counts[RESULTS + result] += 1;
        }
    }

    /// The next row of backends belongs to this proxy.
    pub(crate) fn backend(&mut self, proxy: &[u8]) {
        if self.is_wanted {
            let proxy = self.proxy(proxy);
            self.backends.push(proxy as u32);
        }
    }

    /// Appends the counts to the columns of the backends' rows; a backend without servers has none.
    pub(crate) fn finish(&mut self, stored: &[StoredColumn], wanted: &[bool], rows: &mut Rows) {
        if !self.is_wanted || self.backends.len() != rows.count() {
            return;
        }
        rows.make_columns(stored.len().min(wanted.len()));
        for ((stored, wanted), slot) in stored.iter().zip(wanted).zip(0..) {
            let at = match stored.conversion {
                Conversion::ServersInState => STATES,
                Conversion::ServersWithResult => RESULTS,
                _ => continue,
            };
            if !wanted {
                continue;
            }
            for (row, proxy) in self.backends.iter().enumerate() {
                let label_bytes = rows.labels_of(row).1;
                let counts = &self.counts[*proxy as usize];
                let mut text = [0; value::MAX_VALUE_BYTES];
                let value = match counts[0] {
                    0 => Value::Nothing,
                    _ => Value::from(u64::from(counts[at + stored.state()])),
                };
                let length = value.write(&mut text);
                rows.columns[slot].push(&text[..length], label_bytes);
            }
        }
    }

    fn proxy(&mut self, name: &[u8]) -> usize {
        if !self.counts.is_empty() && self.names[range(&self.name_ends, self.last)] == *name {
            return self.last;
        }
        let (names, ends) = (&self.names, &self.name_ends);
        let earlier = self.found.insert(name, |at| &names[range(ends, at)]);
        self.last = earlier.unwrap_or_else(|| {
            self.names.extend_from_slice(name);
            self.name_ends.push(self.names.len() as u32);
            self.counts.push([0; RESULTS + CHECK_RESULTS.len()]);
            self.counts.len() - 1
        });
        self.last
    }
}

#[cfg(test)]
mod tests;
