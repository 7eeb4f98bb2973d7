//! The proxies that HAProxy has, by number: so that it can be asked for the rows of some of them.
//!
//! Up to 3.2 a HAProxy of one thread lets no traffic through while it prints an answer, but does so
//! between two connections. `show stat IID TYPES -1` (management guide, 9.3) asks for one proxy, where
//! `IID` is its number in the column `iid`. How many rows each has is known from the last scrape.

use std::ops::Range;

use super::columns::{self, Header};
use super::csv::Row;
use super::rules::Verdict;
use super::stat::RowType;

/// From this release on HAProxy lets traffic through while it prints: its scheduler no longer runs a
/// task twice in series (3.4-dev10).
pub(crate) const YIELDS_SINCE: (u32, u32) = (3, 4);
/// What a command costs HAProxy besides its rows, in rows (2.7 us each on the machine of the bench): a
/// header line and the like, and a look at each proxy until it is found. With 1,000 backends of ten
/// servers that came to twice the rows themselves; six tenths of them are allowed.
const COMMAND_ROWS: usize = 4;
const PROXIES_AS_A_ROW: usize = 60;
/// Commands in one line: HAProxy takes lines up to `tune.bufsize`, 16 KiB, and a command has 27 bytes.
const MAX_COMMANDS: usize = 400;
/// HAProxys with more proxies are asked in one question.
const MAX_PROXIES: usize = 1 << 16;

/// The proxies of the scrape at hand and the sizes of those of the last one.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    /// Rows for one connection, about; 0 if everything is asked in one question anyway.
    rows_per_question: usize,
    /// In the order in which HAProxy printed them.
    found: Vec<Proxy>,
    /// There were too many, or one without a number.
    is_unusable: bool,
    /// How many HAProxy printed, before those that are not asked for were left out.
    listed: usize,
    /// Servers and listeners of each proxy in the last good scrape, by number.
    last: Vec<(u32, usize)>,
    last_listed: usize,
}

/// A proxy, which may be a frontend, a backend or both (`listen`).
#[derive(Clone, Copy, Debug)]
struct Proxy {
    iid: u32,
    /// Of its name: after a reload another proxy may have the number.
    name_hash: u64,
    /// Bits of the types of its rows.
    types: u8,
    /// Servers and listeners.
    rows: usize,
}

const PROXY_NAME: u16 = columns::number("pxname");
const PROXY_NUMBER: u16 = columns::number("iid");

impl Proxies {
    /// From now on proxies are asked for so many rows at a time.
    pub(crate) fn set_rows_per_question(&mut self, rows: usize) {
        self.rows_per_question = rows;
    }

    /// Another scrape begins.
    pub(crate) fn clear(&mut self) {
        self.found.clear();
        self.listed = 0;
        self.is_unusable = false;
    }

    /// Whether rows of `types` are worth several questions: there are many by the last scrape, of
    /// several proxies, and not of so many that the questions cost more than they are worth.
    pub(crate) fn are_worth_several(&self, types: u8) -> bool {
        let rows: usize = self.last.iter().map(|(_, rows)| rows).sum();
        let asks_for_them = types & RowType::OWNED != 0;
        let commands = self.last.iter().filter(|(_, rows)| *rows > 0).count();
        let command_cost = COMMAND_ROWS + self.last_listed / PROXIES_AS_A_ROW;
        asks_for_them
            && self.rows_per_question > 0
            && rows > self.rows_per_question
            && commands > 1
            && commands * command_cost <= rows / 10 * 6
    }

    /// Takes note of a good row's proxy: in an answer about all, or about the first of `group`. A row
    /// that is none of `types`, or not that proxy's, is unwanted.
    pub(crate) fn judge(
        &mut self,
        verdict: Verdict,
        row: &Row<'_>,
        header: &Header,
        (types, group): (u8, &Range<usize>),
    ) -> Verdict {
        let row_type = match verdict {
            Verdict::Wanted(row_type) => row_type,
            Verdict::Excluded => RowType::Server,
            other => return other,
        };
        let field = |column| header.position(column).and_then(|at| row.field(at));
        let name = field(PROXY_NAME).unwrap_or_default();
        let is_wanted = if group.is_empty() {
            self.add(row_type, field(PROXY_NUMBER).unwrap_or_default(), name);
            types & row_type.bit() != 0
        } else {
            self.add_to(group.start, row_type, name)
        };
        match is_wanted {
            true => verdict,
            false => Verdict::Unwanted,
        }
    }

    /// A row of the answer about all proxies.
    fn add(&mut self, row_type: RowType, iid: &[u8], name: &[u8]) {
        if self.rows_per_question == 0 || self.is_unusable {
            return;
        }
        let Some(iid) = number(iid) else {
            self.is_unusable = true;
            return;
        };
        // Rows of one proxy follow each other.
        if self.found.last().is_none_or(|last| last.iid != iid) {
            if self.found.len() == MAX_PROXIES {
                self.is_unusable = true;
                return;
            }
            self.found.push(Proxy {
                iid,
                name_hash: hash(name),
                types: 0,
                rows: 0,
            });
        }
        if let Some(proxy) = self.found.last_mut() {
            proxy.add(row_type);
        }
    }

    /// A row of the answer about the proxy at `at`. Returns whether it is still that proxy's.
    fn add_to(&mut self, at: usize, row_type: RowType, name: &[u8]) -> bool {
        match self.found.get_mut(at) {
            Some(proxy) if proxy.name_hash == hash(name) => {
                proxy.add(row_type);
                true
            }
            _ => false,
        }
    }

    /// Leaves out those that cannot have rows of `types`.
    pub(crate) fn keep_with(&mut self, types: u8) {
        let owners = RowType::owners(types);
        self.listed = self.found.len();
        self.found.retain(|proxy| proxy.types & owners != 0);
    }

    /// The proxies from `start` on whose rows are asked for on one connection; none behind the last.
    pub(crate) fn group(&self, start: usize) -> Range<usize> {
        let mut rows = 0;
        let mut end = start;
        while let Some(proxy) = self.found.get(end).filter(|_| end - start < MAX_COMMANDS) {
            let expected = self.expected_rows(proxy.iid);
            rows += expected;
            // One without rows costs next to nothing.
            if end > start && expected > 0 && rows > self.rows_per_question {
                break;
            }
            end += 1;
        }
        start..end
    }

    /// The commands for a group, as one line of the CLI.
    pub(crate) fn write_commands(&self, group: Range<usize>, types: u8, to: &mut String) {
        use std::fmt::Write;
        to.clear();
        for proxy in &self.found[group] {
            if !to.is_empty() {
                to.push(';');
            }
            // Writing to a String cannot fail.
            let _ = write!(to, "show stat {} {types} -1", proxy.iid);
        }
    }

    /// A scrape failed: the sizes are unknown, and the next asks at once.
    pub(crate) fn forget(&mut self) {
        self.last.clear();
    }

    /// A scrape with servers or listeners is over.
    pub(crate) fn remember(&mut self) {
        self.last.clear();
        if !self.is_unusable {
            let sizes = self.found.iter().map(|proxy| (proxy.iid, proxy.rows));
            self.last.extend(sizes);
            self.last.sort_unstable();
            self.last_listed = self.listed.max(self.found.len());
        }
    }

    /// A proxy that is new may have many.
    fn expected_rows(&self, iid: u32) -> usize {
        match self.last.binary_search_by_key(&iid, |(iid, _)| *iid) {
            Ok(at) => self.last[at].1,
            Err(_) => self.rows_per_question,
        }
    }
}

impl Proxy {
    fn add(&mut self, row_type: RowType) {
        self.types |= row_type.bit();
        if row_type.bit() & RowType::OWNED != 0 {
            self.rows += 1;
        }
    }
}

/// At most nine digits, which a u32 holds.
fn number(text: &[u8]) -> Option<u32> {
    let is_number = (1..=9).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    let digits = text.iter().map(|byte| u32::from(byte - b'0'));
    is_number.then(|| digits.fold(0, |number, digit| number * 10 + digit))
}

/// FNV-1a, of 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests;
