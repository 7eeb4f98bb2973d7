//! The answer of a master process to `show proc`: itself, its workers and those of before a reload
//! (management guide, section 9.4).
//!
//! A table whose columns are found by the header, since 2.4 has one more, in sections that begin with a
//! line such as `# workers`. After a failed reload 2.4.0 and 3.2 list the worker that serves among the
//! old ones: the section alone does not say which is old.

use crate::haproxy::failures::excerpt;
use crate::haproxy::lines::Lines;
use crate::haproxy::reply::{Proof, Reply, ReplyError, Taken};
use crate::net::unsigned;

/// The command.
pub(super) const SHOW_PROC: &str = "show proc";
/// What 3.2 and later answer below level operator.
const DENIED: &[u8] = b"Permission denied";

/// Most workers of a master: each reload leaves one at most. A peer that lists far more is not HAProxy.
const MAX_WORKERS: usize = 1_000;
/// What the header's first name is.
const PID_COLUMN: &str = "#<PID>";

/// The processes of one answer. The memory is kept.
#[derive(Debug, Default)]
pub(super) struct Processes {
    lines: Lines,
    master: Option<Master>,
    workers: Vec<Worker>,
}

/// What is said of the master itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Master {
    /// The process id.
    pub(super) pid: u64,
    /// How long it has run, in seconds.
    pub(super) uptime_seconds: Option<u64>,
    /// Reloads since it was started.
    pub(super) reloads: Option<u64>,
    /// How many reloads have failed since the last good one (2.6 to 3.0), or whether the last did (3.2
    /// and later); 2.4.0 does not say.
    pub(super) failed: Option<u64>,
}

/// What is said of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Worker {
    /// The process id.
    pub(super) pid: u64,
    /// How long it has run, in seconds.
    pub(super) uptime_seconds: Option<u64>,
    /// Whether it stands in the section of old ones.
    pub(super) is_listed_old: bool,
}

/// What the rows behind a heading are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Master,
    Workers,
    OldWorkers,
    /// Programs, which are not workers, and what is not known.
    Other,
}

/// Where the columns are.
#[derive(Clone, Copy, Debug)]
struct Columns {
    reloads: Option<usize>,
    uptime: Option<usize>,
}

impl Processes {
    /// Forgets the answer, keeps the memory.
    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.master = None;
        self.workers.clear();
    }

    /// The master; there is one in each answer that is one.
    pub(super) fn master(&self) -> Option<Master> {
        self.master
    }

    /// The workers in the order of the answer, each process once.
    pub(super) fn workers(&self) -> &[Worker] {
        &self.workers
    }

    fn read(&mut self) -> Result<(), ReplyError> {
        let of_another_kind = |line| ReplyError::OfAnotherKind(SHOW_PROC, excerpt(line));
        let mut lines = self.lines.iter();
        let Some(first) = lines.next() else {
            return Ok(());
        };
        let columns = Columns::of(first).ok_or_else(|| of_another_kind(first))?;
        let mut section = Section::Master;
        for line in lines {
            if let Some(found) = Section::of(line) {
                section = found;
                continue;
            }
            let row = Row::of(line, columns);
            match (section, row) {
                (Section::Other, _) => {}
                (_, None) => return Err(of_another_kind(line)),
                (Section::Master, Some(row)) => self.master = Some(row.master()),
                (_, Some(row)) if self.workers.iter().any(|other| other.pid == row.pid) => {}
                (_, Some(_)) if self.workers.len() == MAX_WORKERS => {
                    return Err(ReplyError::TooMany(MAX_WORKERS, "workers"));
                }
                (_, Some(row)) => {
                    let worker = row.worker(section == Section::OldWorkers);
                    self.workers.push(worker);
                }
            }
        }
        Ok(())
    }
}

impl Reply for Processes {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        self.lines.push(input)
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        self.read()?;
        // What a line must be has been seen.
        self.lines.finish(rest, SHOW_PROC, |_| true)?;
        match self.master {
            Some(_) => Ok(()),
            None => {
                let first = self.lines.iter().next().unwrap_or_default();
                Err(ReplyError::OfAnotherKind(SHOW_PROC, excerpt(first)))
            }
        }
    }

    /// Of a master of 3.0 nothing comes then.
    fn is_denial(&self, error: &ReplyError) -> bool {
        match error {
            ReplyError::OfAnotherKind(_, line) => line.as_bytes() == DENIED,
            error => matches!(error, ReplyError::Empty(_)),
        }
    }
}

impl Section {
    /// The section that a heading begins.
    fn of(line: &[u8]) -> Option<Self> {
        let heading = line.strip_prefix(b"# ")?;
        Some(match heading.trim_ascii_end() {
            b"workers" => Self::Workers,
            b"old workers" => Self::OldWorkers,
            _ => Self::Other,
        })
    }
}

impl Columns {
    /// Reads the header: `#<PID>  <type>  <reloads>  <uptime>  <version>`. Only `<relative PID>` holds
    /// a blank.
    fn of(header: &[u8]) -> Option<Self> {
        let header = str::from_utf8(header).ok()?;
        let mut names = header.split_inclusive('>').map(str::trim);
        (names.next()? == PID_COLUMN).then_some(())?;
        let position = |wanted: &str| names.clone().position(|name| name == wanted);
        // The first was taken.
        let behind_pid = |position: usize| position + 1;
        Some(Self {
            reloads: position("<reloads>").map(behind_pid),
            uptime: position("<uptime>").map(behind_pid),
        })
    }
}

/// A row's cells that are of use.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    pid: u64,
    reloads: Option<u64>,
    failed: Option<u64>,
    uptime_seconds: Option<u64>,
}

impl Row {
    /// `None` where the first cell is not a process id.
    fn of(line: &[u8], columns: Columns) -> Option<Self> {
        let mut row = Self::default();
        let mut rest = line.trim_ascii();
        let mut position = 0;
        while !rest.is_empty() {
            let cell;
            (cell, rest) = first_cell(rest);
            // Stands behind a number, in the same cell.
            if let Some(failed) = cell.strip_prefix(b"[failed:") {
                row.failed = unsigned(failed.strip_suffix(b"]")?.trim_ascii());
                continue;
            }
            if position == 0 {
                // The kernel's ids are positive and of 32 bits at most.
                let pid: u32 = unsigned(cell)?.try_into().ok()?;
                row.pid = u64::from(pid);
            } else if columns.reloads == Some(position) {
                row.reloads = unsigned(cell);
            } else if columns.uptime == Some(position) {
                row.uptime_seconds = seconds(cell);
            }
            position += 1;
        }
        (row.pid > 0).then_some(row)
    }

    fn master(self) -> Master {
        Master {
            pid: self.pid,
            uptime_seconds: self.uptime_seconds,
            reloads: self.reloads,
            failed: self.failed,
        }
    }

    fn worker(self, is_listed_old: bool) -> Worker {
        Worker {
            pid: self.pid,
            uptime_seconds: self.uptime_seconds,
            is_listed_old,
        }
    }
}

/// Takes a word, or what stands in square brackets, such as `[was: 1]`, off the beginning.
fn first_cell(text: &[u8]) -> (&[u8], &[u8]) {
    let end = match text.first() {
        Some(b'[') => memchr::memchr(b']', text).map(|at| at + 1),
        _ => text.iter().position(u8::is_ascii_whitespace),
    };
    let (cell, rest) = text.split_at(end.unwrap_or(text.len()));
    (cell, rest.trim_ascii_start())
}

/// The seconds of `1d02h03m04s`.
fn seconds(text: &[u8]) -> Option<u64> {
    let mut sum: u64 = 0;
    let mut rest = text;
    for (unit, length) in [(b'd', 86_400), (b'h', 3_600), (b'm', 60), (b's', 1)] {
        let end = memchr::memchr(unit, rest).filter(|end| *end > 0)?;
        let number = unsigned(&rest[..end])?;
        sum = sum.checked_add(number.checked_mul(length)?)?;
        rest = &rest[end + 1..];
    }
    rest.is_empty().then_some(sum)
}

#[cfg(test)]
mod tests;
