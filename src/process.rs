//! Seven facts about a process from /proc (proc(5)), as Prometheus' client libraries name them.

use std::fmt::{self, Display};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::reason::reason;
use crate::sys;

/// Larger than any of the files that are read here, but for /proc/stat on machines with hundreds of
/// processors, where `btime` may come late.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Holds most of them whole, so that one read fills it and one more sees the end.
const USUAL_FILE_BYTES: usize = 4096;

/// What /proc says about a process; a fact whose file cannot be read is missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
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

impl Facts {
    /// The facts in the order of `catalog::HAPROXY_PROCESS`, as sample values.
    pub fn values(&self) -> [Option<&dyn Display>; 7] {
        fn value<T: Display>(fact: &Option<T>) -> Option<&dyn Display> {
            fact.as_ref().map(|fact| fact as &dyn Display)
        }
        [
            value(&self.cpu_seconds),
            value(&self.open_fds),
            value(&self.max_fds),
            value(&self.virtual_memory_bytes),
            value(&self.virtual_memory_max_bytes),
            value(&self.resident_memory_bytes),
            value(&self.start_time_seconds),
        ]
    }
}

/// Why facts are missing: the file and the reason, and what would give them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    object: String,
    why: String,
    hint: &'static str,
}

impl Complaint {
    /// Whether the same is missing for the same reason, of whichever process: HAProxy has another
    /// id after each reload.
    pub fn is_like(&self, other: &Self) -> bool {
        let file = |complaint: &Self| complaint.object.rsplit('/').next().map(str::to_owned);
        file(self) == file(other) && self.why == other.why
    }
}

impl Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.why)?;
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
pub struct ProcRoot {
    root: PathBuf,
    ticks_per_second: u64,
    page_bytes: u64,
    /// When the machine was started; read once, since making /proc/stat costs the kernel a look at
    /// every interrupt of every processor.
    boot_time: OnceLock<u64>,
}

impl ProcRoot {
    /// The running machine's /proc.
    pub fn system() -> Self {
        Self::recorded(Path::new("/proc"), sys::clock_ticks(), sys::page_bytes())
    }

    /// A recorded tree, with the units of the machine it came from.
    pub fn recorded(root: &Path, ticks_per_second: u64, page_bytes: u64) -> Self {
        Self {
            root: root.to_owned(),
            ticks_per_second,
            page_bytes,
            boot_time: OnceLock::new(),
        }
    }

    /// The facts of the process whose id stands first in `pid_file`, and what is missing.
    pub fn of_pid_file(&self, pid_file: &Path) -> (Facts, Option<Complaint>) {
        match read(pid_file).and_then(|bytes| first_pid(&bytes)) {
            Ok(pid) => self.of(&pid.to_string()),
            Err(why) => {
                let object = format!("pid file {}", pid_file.display());
                (
                    Facts::default(),
                    Some(Complaint {
                        object,
                        why,
                        hint: "",
                    }),
                )
            }
        }
    }

    /// The facts of a process by its directory's name (`123` or `self`), and what is missing.
    pub fn of(&self, process: &str) -> (Facts, Option<Complaint>) {
        let directory = self.root.join(process);
        let mut facts = Facts::default();
        let mut complaint = None;
        let mut note = |object: PathBuf, why: String, hint| {
            complaint.get_or_insert(Complaint {
                object: object.display().to_string(),
                why,
                hint,
            });
        };
        let path = directory.join("stat");
        match read(&path).and_then(|bytes| parse_stat(&bytes)) {
            Ok(stat) => {
                if let Err(why) = self.add_stat(&stat, &mut facts) {
                    note(self.root.join("stat"), why, "");
                }
            }
            Err(why) => {
                // Without a process there is nothing else to look for.
                note(path, why, "");
                return (facts, complaint);
            }
        }
        let path = directory.join("limits");
        match read(&path).and_then(|bytes| parse_limits(&bytes)) {
            Ok((files, memory)) => {
                facts.max_fds = Some(files);
                facts.virtual_memory_max_bytes = Some(memory);
            }
            Err(why) => note(path, why, ""),
        }
        let path = directory.join("fd");
        let count = |mut entries: std::fs::ReadDir| {
            entries.try_fold(0_u64, |count, entry| entry.map(|_| count + 1))
        };
        match std::fs::read_dir(&path).and_then(count) {
            Ok(count) => facts.open_fds = Some(count.saturating_sub(own_descriptor(process))),
            Err(error) => {
                let denied = error.kind() == std::io::ErrorKind::PermissionDenied;
                note(path, reason(&error), if denied { FD_HINT } else { "" });
            }
        }
        (facts, complaint)
    }

    fn add_stat(&self, stat: &Stat, facts: &mut Facts) -> Result<(), String> {
        let seconds = |ticks: u64| ticks as f64 / self.ticks_per_second as f64;
        facts.cpu_seconds = Some(seconds(stat.cpu_ticks));
        facts.virtual_memory_bytes = Some(stat.virtual_bytes);
        facts.resident_memory_bytes = Some(stat.resident_pages.saturating_mul(self.page_bytes));
        let boot = match self.boot_time.get() {
            Some(time) => *time,
            None => {
                let time = parse_boot_time(&read(&self.root.join("stat"))?)?;
                *self.boot_time.get_or_init(|| time)
            }
        };
        facts.start_time_seconds = Some(boot as f64 + seconds(stat.start_ticks));
        Ok(())
    }
}

/// Counting `/proc/self/fd` opens one descriptor more.
fn own_descriptor(process: &str) -> u64 {
    u64::from(process == "self")
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(USUAL_FILE_BYTES);
    // A pid file may be anything; a FIFO without a writer must not hold the scrape up.
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map_err(|error| reason(&error))?;
    // Reading a directory is an error of its own.
    let is_readable = |metadata: std::fs::Metadata| metadata.is_file() || metadata.is_dir();
    if !file.metadata().is_ok_and(is_readable) {
        return Err("not a regular file".to_owned());
    }
    match file.take(MAX_FILE_BYTES).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        // The process ended between open and read (proc(5)).
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {
            Err("no such process".to_owned())
        }
        Err(error) => Err(reason(&error)),
    }
}

/// HAProxy writes one pid a line, the master's or first process's first.
fn first_pid(bytes: &[u8]) -> Result<u32, String> {
    let word = bytes
        .split(u8::is_ascii_whitespace)
        .find(|word| !word.is_empty());
    let word = word.ok_or("is empty")?;
    let pid = std::str::from_utf8(word)
        .ok()
        .and_then(|text| text.parse().ok());
    pid.filter(|pid| *pid > 0)
        .ok_or_else(|| "does not begin with a process id".to_owned())
}

/// The fields of /proc/PID/stat that are used.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    cpu_ticks: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

/// The second field, the command's name in brackets, may hold blanks and brackets itself: the last
/// closing bracket ends it.
fn parse_stat(bytes: &[u8]) -> Result<Stat, String> {
    let bad = || "not in the format of proc(5)".to_owned();
    let end = memchr::memrchr(b')', bytes).ok_or_else(bad)?;
    let text = std::str::from_utf8(&bytes[end + 1..]).map_err(|_| bad())?;
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    // The first field behind the name is number 3 of proc(5).
    let field = |number: usize| {
        fields
            .get(number - 3)
            .and_then(|text| text.parse::<i64>().ok())
            .ok_or_else(bad)
    };
    let unsigned = |number: usize| {
        fields
            .get(number - 3)
            .and_then(|text| text.parse::<u64>().ok())
            .ok_or_else(bad)
    };
    Ok(Stat {
        cpu_ticks: unsigned(14)?.saturating_add(unsigned(15)?),
        start_ticks: unsigned(22)?,
        virtual_bytes: unsigned(23)?,
        resident_pages: u64::try_from(field(24)?).unwrap_or(0),
    })
}

/// The soft limits of open files and address space; `unlimited` is `u64::MAX`, as in the Go exporter.
fn parse_limits(bytes: &[u8]) -> Result<(u64, u64), String> {
    let text = String::from_utf8_lossy(bytes);
    let limit = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        match line.split_ascii_whitespace().next()? {
            "unlimited" => Some(u64::MAX),
            number => number.parse().ok(),
        }
    };
    limit("Max open files")
        .zip(limit("Max address space"))
        .ok_or_else(|| "not in the format of proc(5)".to_owned())
}

fn parse_boot_time(bytes: &[u8]) -> Result<u64, String> {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().find_map(|line| line.strip_prefix("btime "));
    line.and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| "has no btime".to_owned())
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
