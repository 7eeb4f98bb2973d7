//! Contents of the files of /proc (proc(5)).

use std::fs::File;
use std::io::{self, Read};

/// Limit of a file in bytes. It is larger than any file that is read here, except /proc/stat on
/// machines with hundreds of processors, where `btime` can be far behind the beginning.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Contents other than proc(5) describes.
const FORMAT: &str = "not in the format of proc(5)";

/// The fields of /proc/PID/stat that are used.
pub(super) struct Stat {
    /// Field 4, a process id.
    pub parent: u64,
    /// Fields 14 and 15: in user and in kernel mode.
    pub cpu_ticks: u64,
    /// Field 22, since the boot.
    pub start_ticks: u64,
    /// Field 23.
    pub virtual_bytes: u64,
    /// Field 24.
    pub resident_pages: u64,
}

/// Parses /proc/PID/stat. The second field, the command's name in brackets, can contain spaces and
/// brackets: the last closing bracket ends it.
pub(super) fn stat(bytes: &[u8]) -> io::Result<Stat> {
    let bad = || io::Error::other(FORMAT);
    let end = memchr::memrchr(b')', bytes).ok_or_else(bad)?;
    let text = std::str::from_utf8(&bytes[end + 1..]).map_err(|_| bad())?;
    // The first field after the name is number 3 of proc(5).
    let field = |number: usize| {
        text.split_ascii_whitespace()
            .nth(number - 3)
            .ok_or_else(bad)
    };
    let unsigned = |number: usize| field(number)?.parse::<u64>().map_err(|_| bad());
    let pages: i64 = field(24)?.parse().map_err(|_| bad())?;
    Ok(Stat {
        parent: unsigned(4)?,
        cpu_ticks: unsigned(14)?.saturating_add(unsigned(15)?),
        start_ticks: unsigned(22)?,
        virtual_bytes: unsigned(23)?,
        resident_pages: u64::try_from(pages).unwrap_or(0),
    })
}

/// /proc/PID/limits: the soft limits of open files and address space; `unlimited` is `u64::MAX`, as in the Go exporter.
pub(super) fn limits(bytes: &[u8]) -> io::Result<(u64, u64)> {
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
        .ok_or_else(|| io::Error::other(FORMAT))
}

/// /proc/stat: the time of the boot, in seconds since the epoch.
pub(super) fn boot_time(bytes: &[u8]) -> io::Result<u64> {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().find_map(|line| line.strip_prefix("btime "));
    line.and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| io::Error::other("has no btime"))
}

/// Reads a file into `bytes`.
pub(super) fn fill(file: File, bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.clear();
    match file.take(MAX_FILE_BYTES).read_to_end(bytes) {
        Ok(_) => Ok(()),
        // The process ended between open and read (proc(5)).
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {
            Err(io::Error::other("no such process"))
        }
        Err(error) => Err(error),
    }
}
