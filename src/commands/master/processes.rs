//! The reply of a master process to `show proc`: itself, its workers and the old workers
//! (management guide, section 9.4).
//!
//! A table in sections that begin with a line such as `# workers`. Its columns are identified by
//! the header, because 2.4 has one more. After a failed reload 2.4.0 and 3.2 list the serving
//! worker among the old ones: the section alone does not tell which worker is old.

use crate::haproxy::failures::excerpt;
use crate::haproxy::lines::Lines;
use crate::haproxy::reply::{Proof, Reply, ReplyError, Taken};
use crate::net::unsigned;

/// The command.
pub(super) const SHOW_PROC: &str = "show proc";
/// The reply of 3.2 and later below level operator.
const DENIED: &[u8] = b"Permission denied";

/// Maximum number of workers of a master: each reload leaves at most one. A peer that lists far
/// more is not HAProxy.
const MAX_WORKERS: usize = 1_000;
/// The first name in the header.
const PID_COLUMN: &str = "#<PID>";

/// The processes of one reply. The memory is kept.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    lines: Lines,
    master: Option<Master>,
    workers: Vec<Worker>,
}

/// Facts about the master itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Master {
    /// The process id.
    pub(crate) pid: u64,
    /// Its uptime in seconds.
    pub(super) uptime_seconds: Option<u64>,
    /// Number of reloads since it started.
    pub(super) reloads: Option<u64>,
    /// Number of failed reloads since the last successful one (2.6 to 3.0), or whether the last
    /// failed (3.2 and later); 2.4.0 does not report it.
    pub(super) failed: Option<u64>,
}

/// Facts about a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Worker {
    /// The process id.
    pub(crate) pid: u64,
    /// Its uptime in seconds.
    pub(super) uptime_seconds: Option<u64>,
    /// Whether it is listed in the section of old workers.
    pub(crate) is_listed_old: bool,
}

/// The kind of the rows after a heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Master,
    Workers,
    OldWorkers,
    /// Programs, which are not workers, and unknown sections.
    Other,
}

/// Positions of the columns.
#[derive(Clone, Copy, Debug)]
struct Columns {
    reloads: Option<usize>,
    uptime: Option<usize>,
}

impl Processes {
    /// Discards the reply, keeps the memory.
    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.master = None;
        self.workers.clear();
    }

    /// The master; every valid reply has one.
    pub(crate) fn master(&self) -> Option<Master> {
        self.master
    }

    /// The workers in the order of the reply, each process once.
    pub(crate) fn workers(&self) -> &[Worker] {
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
        // The lines were already checked.
        self.lines.finish(rest, SHOW_PROC, |_| true)?;
        match self.master {
            Some(_) => Ok(()),
            None => {
                let first = self.lines.iter().next().unwrap_or_default();
                Err(ReplyError::OfAnotherKind(SHOW_PROC, excerpt(first)))
            }
        }
    }

    /// A master of 3.0 sends nothing in this case.
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
    /// Parses the header: `#<PID>  <type>  <reloads>  <uptime>  <version>`. Only `<relative PID>`
    /// contains a space.
    fn of(header: &[u8]) -> Option<Self> {
        let header = str::from_utf8(header).ok()?;
        let mut names = header.split_inclusive('>').map(str::trim);
        (names.next()? == PID_COLUMN).then_some(())?;
        let position = |wanted: &str| names.clone().position(|name| name == wanted);
        // The first one is already taken.
        let behind_pid = |position: usize| position + 1;
        Some(Self {
            reloads: position("<reloads>").map(behind_pid),
            uptime: position("<uptime>").map(behind_pid),
        })
    }
}

/// The fields of a row that are used.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    pid: u64,
    reloads: Option<u64>,
    failed: Option<u64>,
    uptime_seconds: Option<u64>,
}

impl Row {
    /// `None` if the first field is not a process id.
    fn of(line: &[u8], columns: Columns) -> Option<Self> {
        let mut row = Self::default();
        let mut rest = line.trim_ascii();
        let mut position = 0;
        while !rest.is_empty() {
            let cell;
            (cell, rest) = first_cell(rest);
            // It follows a number in the same field.
            if let Some(failed) = cell.strip_prefix(b"[failed:") {
                row.failed = unsigned(failed.strip_suffix(b"]")?.trim_ascii());
                continue;
            }
            if position == 0 {
                // Process ids of the kernel are positive and have at most 32 bits.
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

/// Takes a word, or the text in square brackets, such as `[was: 1]`, from the beginning.
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
