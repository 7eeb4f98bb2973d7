//! Seven facts about a process from /proc (proc(5)), with the names that Prometheus' client
//! libraries use.

mod files;
mod pid_file;
pub(crate) mod users;

use std::error::Error;
use std::fmt::{self, Display};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::errno::reason;
use crate::masked::masked;
use crate::sys::{self, Resource};
use files::Stat;
use pid_file::Pids;

/// Size of the buffer in bytes. Most files fit, so that one read gets all and the next finds the
/// end.
const USUAL_FILE_BYTES: usize = 4096;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// If the clock jumps by more than this, it was set; slewing by NTP is smaller.
const CLOCK_STEP: Duration = Duration::from_millis(100);

/// Facts about a process from /proc; a fact whose file cannot be read is missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    /// User and system time (stat, fields 14 and 15).
    pub cpu_time: Option<Duration>,
    /// Entries of `fd`.
    pub open_fds: Option<u64>,
    /// Soft limit `Max open files`; `u64::MAX` is unlimited.
    pub max_fds: Option<u64>,
    /// Address space, bytes (stat, field 23).
    pub virtual_memory_bytes: Option<u64>,
    /// Soft limit `Max address space`, bytes; `u64::MAX` is unlimited.
    pub virtual_memory_max_bytes: Option<u64>,
    /// Resident memory, bytes (stat, field 24, in pages).
    pub resident_memory_bytes: Option<u64>,
    /// When it started, since the epoch (stat, field 22, plus btime of /proc/stat).
    pub start_time: Option<Duration>,
}

/// Why facts are missing: the file, the reason, and a fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MissingFacts {
    object: String,
    why: String,
    hint: &'static str,
    /// Whether the process that has answered was not found either.
    is_hidden: bool,
}

impl Error for MissingFacts {}

impl MissingFacts {
    /// The same of a process that has just answered: it is there, whatever /proc says.
    pub(crate) fn of_running(mut self) -> Self {
        if self.is_hidden {
            self.hint = HIDDEN_HINT;
        }
        self
    }

    /// The facts that are missing and why, of any process: HAProxy has another id after each
    /// reload.
    pub(crate) fn kind(&self) -> String {
        let file = self.object.rsplit('/').next().unwrap_or_default();
        format!("{file}: {}", self.why)
    }
}

impl Display for MissingFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.why)?;
        if self.hint.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.hint)
        }
    }
}

/// HAProxy changes its user at start, so its entries in /proc belong to root (proc(5), dumpable).
/// Then even its own user cannot list them.
const FD_HINT: &str = "needs root or CAP_DAC_READ_SEARCH";

/// What is wrong where HAProxy answers, but cannot be found or read: stat has mode 0444.
const HIDDEN_HINT: &str = "HAProxy runs, but is hidden: /proc is mounted with hidepid, or HAProxy has another PID namespace";

/// Where facts are read, with the units of the machine.
#[derive(Clone, Debug)]
pub(crate) struct ProcRoot {
    root: PathBuf,
    ticks_per_second: u64,
    page_bytes: u64,
    /// Time of the boot, in seconds since the epoch. It is read again only if the clock was set,
    /// because for /proc/stat the kernel sums every interrupt of every processor.
    boot_time: Option<u64>,
    /// The time of day that corresponds to `started`, as of the last reading.
    clock: Duration,
    started: Instant,
    /// Whether this is a real /proc, whose directory size can be the number of descriptors.
    is_proc: bool,
    /// Path and contents of the file that is read. They are kept, so that a scrape does not
    /// allocate them.
    path: PathBuf,
    bytes: Vec<u8>,
}

impl ProcRoot {
    /// The /proc of the running machine.
    pub(crate) fn system() -> Self {
        Self {
            is_proc: true,
            ..Self::recorded(Path::new("/proc"), sys::clock_ticks(), sys::page_bytes())
        }
    }

    /// A recorded tree, with the units of its machine.
    pub(crate) fn recorded(root: &Path, ticks_per_second: u64, page_bytes: u64) -> Self {
        Self {
            root: root.to_owned(),
            ticks_per_second,
            page_bytes,
            boot_time: None,
            clock: Duration::ZERO,
            started: Instant::now(),
            is_proc: false,
            path: PathBuf::new(),
            bytes: Vec::with_capacity(USUAL_FILE_BYTES),
        }
    }

    /// The facts of the process that `pid_file` identifies, and what is missing: see `meant`.
    pub(crate) fn of_pid_file(
        &mut self,
        pid_file: &Path,
        answering: Option<u64>,
    ) -> (Facts, Option<MissingFacts>) {
        match pid_file::read(pid_file, &mut self.bytes) {
            Ok(listed) => {
                let (process, stat) = self.meant(&listed, answering);
                self.facts(&process, stat)
            }
            Err(error) => {
                let missing = MissingFacts {
                    object: format!("pid file {}", masked(&pid_file.to_string_lossy())),
                    why: reason(&error),
                    hint: "",
                    is_hidden: false,
                };
                (Facts::default(), Some(missing))
            }
        }
    }

    /// Chooses the process. It is the one that replied, if it is in the file or a child of a
    /// process in the file, such as a worker of the master that wrote the file (`-W`). Otherwise it
    /// is the first in the file. Its stat contains the parent and most of the facts; it is read
    /// once.
    fn meant(
        &mut self,
        listed: &Pids,
        answering: Option<u64>,
    ) -> (String, Result<Stat, MissingFacts>) {
        let answered = answering.map(|pid| (pid, self.stat(&pid.to_string())));
        let is_hidden = matches!(answered, Some((_, Err(_))));
        let hidden = |missing| MissingFacts {
            is_hidden,
            ..missing
        };
        if let Some((pid, stat)) = answered {
            let parent = stat.as_ref().ok().map(|stat| stat.parent);
            if listed.all.contains(&pid) || parent.is_some_and(|pid| listed.all.contains(&pid)) {
                return (pid.to_string(), stat.map_err(hidden));
            }
        }
        let process = listed.first.to_string();
        let stat = self.stat(&process);
        (process, stat.map_err(hidden))
    }

    /// Resident memory of a process in bytes, if `parent` started it. The id can come from another
    /// machine or PID namespace, where it belongs to another process.
    pub(crate) fn resident_memory_of_child(&mut self, pid: u64, parent: u64) -> Option<u64> {
        let stat = self.stat(&pid.to_string()).ok();
        let stat = stat.filter(|stat| stat.parent == parent)?;
        Some(stat.resident_pages.saturating_mul(self.page_bytes))
    }

    /// The facts of a process by the name of its directory (`123` or `self`), and what is missing.
    pub(crate) fn of(&mut self, process: &str) -> (Facts, Option<MissingFacts>) {
        let stat = self.stat(process);
        self.facts(process, stat)
    }

    fn facts(
        &mut self,
        process: &str,
        stat: Result<Stat, MissingFacts>,
    ) -> (Facts, Option<MissingFacts>) {
        let mut facts = Facts::default();
        match stat {
            Ok(stat) => self.add_stat(&stat, &mut facts),
            // Without a process there is nothing else to read.
            Err(missing) => return (facts, Some(missing)),
        }
        let results = [
            self.add_start_time(&mut facts),
            self.add_limits(process, &mut facts),
            self.add_descriptors(process, &mut facts),
        ];
        (facts, results.into_iter().find_map(Result::err))
    }

    fn stat(&mut self, process: &str) -> Result<Stat, MissingFacts> {
        let stat = self.read(&[process, "stat"]).and_then(files::stat);
        stat.map_err(|error| self.missing(&error))
    }

    fn add_stat(&self, stat: &Stat, facts: &mut Facts) {
        facts.cpu_time = Some(self.time(stat.cpu_ticks));
        facts.virtual_memory_bytes = Some(stat.virtual_bytes);
        facts.resident_memory_bytes = Some(stat.resident_pages.saturating_mul(self.page_bytes));
        facts.start_time = Some(self.time(stat.start_ticks));
    }

    /// Adds the time of the boot to a start time that counts from the boot.
    fn add_start_time(&mut self, facts: &mut Facts) -> Result<(), MissingFacts> {
        let since_boot = facts.start_time.take();
        let clock = sys::time_of_day().saturating_sub(self.started.elapsed());
        let boot = match self.boot_time {
            Some(time) if clock.abs_diff(self.clock) < CLOCK_STEP => time,
            _ => {
                let time = self.read(&["stat"]).and_then(files::boot_time);
                time.map_err(|error| self.missing(&error))?
            }
        };
        (self.boot_time, self.clock) = (Some(boot), clock);
        facts.start_time = since_boot.map(|time| time.saturating_add(Duration::from_secs(boot)));
        Ok(())
    }

    fn add_limits(&mut self, process: &str, facts: &mut Facts) -> Result<(), MissingFacts> {
        let (files, memory) = match self.own_limits(process) {
            Some(limits) => limits,
            None => {
                let limits = self.read(&[process, "limits"]).and_then(files::limits);
                limits.map_err(|error| self.missing(&error))?
            }
        };
        facts.max_fds = Some(files);
        facts.virtual_memory_max_bytes = Some(memory);
        Ok(())
    }

    /// The limits of this process from a system call: current, and cheaper than the file.
    fn own_limits(&self, process: &str) -> Option<(u64, u64)> {
        let limit = |resource| sys::soft_limit(resource).ok();
        (self.is_proc && process == "self").then_some(())?;
        limit(Resource::Descriptors).zip(limit(Resource::AddressSpace))
    }

    fn add_descriptors(&mut self, process: &str, facts: &mut Facts) -> Result<(), MissingFacts> {
        self.set_path(&[process, "fd"]);
        // Since Linux 6.2 the size of the directory is the number of descriptors, and every user
        // can read it.
        if self.is_proc
            && let Ok(metadata) = std::fs::metadata(&self.path)
            && metadata.len() > 0
        {
            facts.open_fds = Some(metadata.len());
            return Ok(());
        }
        let entries = std::fs::read_dir(&self.path);
        let count = entries.and_then(|mut entries| {
            entries.try_fold(0_u64, |count, entry| entry.map(|_| count + 1))
        });
        let count = count.map_err(|error| {
            let denied = error.kind() == io::ErrorKind::PermissionDenied;
            MissingFacts {
                hint: if denied { FD_HINT } else { "" },
                ..self.missing(&error)
            }
        })?;
        // Counting the own descriptors opens one more.
        facts.open_fds = Some(count.saturating_sub(u64::from(process == "self")));
        Ok(())
    }

    fn time(&self, ticks: u64) -> Duration {
        let rest = ticks % self.ticks_per_second;
        let nanos = rest * NANOS_PER_SECOND / self.ticks_per_second;
        Duration::new(ticks / self.ticks_per_second, nanos as u32)
    }

    /// The error of the file that was read last.
    fn missing(&self, error: &io::Error) -> MissingFacts {
        MissingFacts {
            object: self.path.display().to_string(),
            why: reason(error),
            hint: "",
            is_hidden: false,
        }
    }

    fn set_path(&mut self, parts: &[&str]) {
        self.path.clone_from(&self.root);
        self.path.extend(parts);
    }

    fn read(&mut self, parts: &[&str]) -> io::Result<&[u8]> {
        self.set_path(parts);
        let file = File::open(&self.path)?;
        files::fill(file, &mut self.bytes)?;
        Ok(&self.bytes)
    }
}

#[cfg(test)]
mod tests;
