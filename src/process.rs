//! Seven facts about a process from /proc (proc(5)), as Prometheus' client libraries name them.

mod files;
mod pid_file;

use std::error::Error;
use std::fmt::{self, Display};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::errno::reason;
use crate::sys::{self, Resource};
use files::Stat;
use pid_file::Pids;

/// Larger than any of the files that are read here, but for /proc/stat on machines with hundreds of
/// processors, where `btime` may come late.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Holds most of them whole, so that one read fills it and one more sees the end; and the entries of
/// 170 descriptors.
const USUAL_FILE_BYTES: usize = 4096;

/// The clock was set when it jumps by more than this; NTP's steps are larger.
const CLOCK_STEP: Duration = Duration::from_millis(100);

/// What /proc says about a process; a fact whose file cannot be read is missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    /// User and system time, seconds (stat, fields 14 and 15).
    pub cpu_seconds: Option<f64>,
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
    /// Seconds since the epoch (stat, field 22, plus btime of /proc/stat).
    pub start_time_seconds: Option<f64>,
}

/// Why facts are missing: the file and the reason, and what would give them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    object: String,
    problem: Problem,
    hint: &'static str,
}

/// Why a file gives no facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    /// A system call failed, by its errno.
    System(i32),
    /// The process ended while its file was read.
    Ended,
    /// A pid file that is a device, FIFO or socket.
    NotRegular,
    /// A pid file without a word.
    Empty,
    /// A pid file that begins with something else.
    NoPid,
    /// Not what proc(5) says.
    Format,
    /// The kernel's statistics do not say when it was started.
    NoBootTime,
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::System(error.raw_os_error().unwrap_or(libc::EIO))
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System(number) => {
                return f.write_str(&reason(&io::Error::from_raw_os_error(*number)));
            }
            Self::Ended => "no such process",
            Self::NotRegular => "not a regular file",
            Self::Empty => "is empty",
            Self::NoPid => "does not begin with a process id",
            Self::Format => "not in the format of proc(5)",
            Self::NoBootTime => "has no btime",
        })
    }
}

impl Error for Complaint {}

impl Complaint {
    /// What is missing and why, of whichever process: HAProxy has another id after each reload.
    pub(crate) fn kind(&self) -> String {
        let file = self.object.rsplit('/').next().unwrap_or_default();
        format!("{file}: {}", self.problem)
    }
}

impl Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.problem)?;
        if self.hint.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.hint)
        }
    }
}

/// HAProxy changes its user at start, which makes its entries in /proc root's (proc(5), dumpable):
/// not even its own user may list them then.
const FD_HINT: &str = "needs root or CAP_DAC_READ_SEARCH";

/// Where facts are read, with the machine's units.
#[derive(Clone, Debug)]
pub(crate) struct ProcRoot {
    root: PathBuf,
    ticks_per_second: u64,
    page_bytes: u64,
    /// When the machine was started, seconds since the epoch. Read again only when the clock was set,
    /// since making /proc/stat costs the kernel a look at every interrupt of every processor.
    boot_time: Option<u64>,
    /// The time of day when `started` was now, as of the last reading.
    clock: Duration,
    started: Instant,
    /// Whether this is a /proc, which may tell the number of descriptors.
    is_proc: bool,
    /// The file that is read, and what is in it: kept, so that a scrape allocates nothing for them.
    path: PathBuf,
    bytes: Vec<u8>,
}

impl ProcRoot {
    /// The running machine's /proc.
    pub(crate) fn system() -> Self {
        Self {
            is_proc: true,
            ..Self::recorded(Path::new("/proc"), sys::clock_ticks(), sys::page_bytes())
        }
    }

    /// A recorded tree, with the units of the machine it came from.
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

    /// The facts of the process that `pid_file` means, and what is missing: see `meant`.
    pub(crate) fn of_pid_file(
        &mut self,
        pid_file: &Path,
        answering: Option<u64>,
    ) -> (Facts, Option<Complaint>) {
        match pid_file::read(pid_file, &mut self.bytes) {
            Ok(listed) => {
                let (process, stat) = self.meant(&listed, answering);
                self.facts(&process, stat)
            }
            Err(problem) => {
                let complaint = Complaint {
                    object: format!("pid file {}", pid_file.display()),
                    problem,
                    hint: "",
                };
                (Facts::default(), Some(complaint))
            }
        }
    }

    /// Which process is meant: the one that answered, if it is in the file, or a child of one that is,
    /// such as a worker of the master that wrote the file (`-W`). Else it is the first. Its stat, which
    /// names the parent, has most of the facts too: it is read once.
    fn meant(
        &mut self,
        listed: &Pids,
        answering: Option<u64>,
    ) -> (String, Result<Stat, Complaint>) {
        if let Some(pid) = answering {
            let process = pid.to_string();
            let stat = self.stat(&process);
            let parent = stat.as_ref().ok().map(|stat| stat.parent);
            if listed.all.contains(&pid) || parent.is_some_and(|pid| listed.all.contains(&pid)) {
                return (process, stat);
            }
        }
        let process = listed.first.to_string();
        let stat = self.stat(&process);
        (process, stat)
    }

    /// Resident memory of a process in bytes, if `parent` has started it: the id may be one of another
    /// machine or PID namespace, and mean something else here.
    pub(crate) fn resident_memory_of_child(&mut self, pid: u64, parent: u64) -> Option<u64> {
        let stat = self.stat(&pid.to_string()).ok();
        let stat = stat.filter(|stat| stat.parent == parent)?;
        Some(stat.resident_pages.saturating_mul(self.page_bytes))
    }

    /// The facts of a process by its directory's name (`123` or `self`), and what is missing.
    pub(crate) fn of(&mut self, process: &str) -> (Facts, Option<Complaint>) {
        let stat = self.stat(process);
        self.facts(process, stat)
    }

    fn facts(
        &mut self,
        process: &str,
        stat: Result<Stat, Complaint>,
    ) -> (Facts, Option<Complaint>) {
        let mut facts = Facts::default();
        match stat {
            Ok(stat) => self.add_stat(&stat, &mut facts),
            // Without a process there is nothing else to look for.
            Err(complaint) => return (facts, Some(complaint)),
        }
        let results = [
            self.add_start_time(&mut facts),
            self.add_limits(process, &mut facts),
            self.add_descriptors(process, &mut facts),
        ];
        (facts, results.into_iter().find_map(Result::err))
    }

    fn stat(&mut self, process: &str) -> Result<Stat, Complaint> {
        let stat = self.read(&[process, "stat"]).and_then(files::stat);
        stat.map_err(|problem| self.complaint(problem))
    }

    fn add_stat(&self, stat: &Stat, facts: &mut Facts) {
        facts.cpu_seconds = Some(self.seconds(stat.cpu_ticks));
        facts.virtual_memory_bytes = Some(stat.virtual_bytes);
        facts.resident_memory_bytes = Some(stat.resident_pages.saturating_mul(self.page_bytes));
        facts.start_time_seconds = Some(self.seconds(stat.start_ticks));
    }

    /// Adds the time of the boot to the start since the boot.
    fn add_start_time(&mut self, facts: &mut Facts) -> Result<(), Complaint> {
        let since_boot = facts.start_time_seconds.take();
        let clock = sys::time_of_day().saturating_sub(self.started.elapsed());
        let boot = match self.boot_time {
            Some(time) if clock.abs_diff(self.clock) < CLOCK_STEP => time,
            _ => {
                let time = self.read(&["stat"]).and_then(files::boot_time);
                time.map_err(|problem| self.complaint(problem))?
            }
        };
        (self.boot_time, self.clock) = (Some(boot), clock);
        facts.start_time_seconds = since_boot.map(|time| boot as f64 + time);
        Ok(())
    }

    fn add_limits(&mut self, process: &str, facts: &mut Facts) -> Result<(), Complaint> {
        let (files, memory) = match self.own_limits(process) {
            Some(limits) => limits,
            None => {
                let limits = self.read(&[process, "limits"]).and_then(files::limits);
                limits.map_err(|problem| self.complaint(problem))?
            }
        };
        facts.max_fds = Some(files);
        facts.virtual_memory_max_bytes = Some(memory);
        Ok(())
    }

    /// A system call knows them as of now, and costs less than making the file.
    fn own_limits(&self, process: &str) -> Option<(u64, u64)> {
        let limit = |resource| sys::soft_limit(resource).ok();
        (self.is_proc && process == "self").then_some(())?;
        limit(Resource::Descriptors).zip(limit(Resource::AddressSpace))
    }

    fn add_descriptors(&mut self, process: &str, facts: &mut Facts) -> Result<(), Complaint> {
        self.set_path(&[process, "fd"]);
        // From Linux 6.2 on the directory's size is their number, and anybody may look at it.
        if self.is_proc
            && let Ok(metadata) = std::fs::metadata(&self.path)
            && metadata.len() > 0
        {
            facts.open_fds = Some(metadata.len());
            return Ok(());
        }
        self.bytes.resize(USUAL_FILE_BYTES, 0);
        let mut options = OpenOptions::new();
        let directory = options
            .read(true)
            .custom_flags(libc::O_DIRECTORY)
            .open(&self.path);
        let count = directory.and_then(|opened| sys::count_entries(&opened, &mut self.bytes));
        let count = count.map_err(|error| {
            let denied = error.kind() == io::ErrorKind::PermissionDenied;
            Complaint {
                hint: if denied { FD_HINT } else { "" },
                ..self.complaint(error.into())
            }
        })?;
        // Counting one's own opens one more.
        facts.open_fds = Some(count.saturating_sub(u64::from(process == "self")));
        Ok(())
    }

    fn seconds(&self, ticks: u64) -> f64 {
        ticks as f64 / self.ticks_per_second as f64
    }

    /// What is wrong with the file that was read last.
    fn complaint(&self, problem: Problem) -> Complaint {
        Complaint {
            object: self.path.display().to_string(),
            problem,
            hint: "",
        }
    }

    fn set_path(&mut self, parts: &[&str]) {
        self.path.clone_from(&self.root);
        self.path.extend(parts);
    }

    fn read(&mut self, parts: &[&str]) -> Result<&[u8], Problem> {
        self.set_path(parts);
        let file = File::open(&self.path)?;
        fill(file, &mut self.bytes)?;
        Ok(&self.bytes)
    }
}

fn fill(file: File, bytes: &mut Vec<u8>) -> Result<(), Problem> {
    bytes.clear();
    match file.take(MAX_FILE_BYTES).read_to_end(bytes) {
        Ok(_) => Ok(()),
        // The process ended between open and read (proc(5)).
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Err(Problem::Ended),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
