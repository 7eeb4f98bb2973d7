//! What the machine and the kernel say about themselves.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use super::check;

/// The soft limit of open descriptors (getrlimit(2)); `u64::MAX` when there is none.
pub(crate) fn descriptor_limit() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a live rlimit.
    match check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }) {
        Ok(_) => limit.rlim_cur,
        // The default of every Linux, for a kernel that would not say.
        Err(_) => 1024,
    }
}

/// Clock ticks a second, the unit of /proc/PID/stat's times (sysconf(3), proc(5)).
pub(crate) fn clock_ticks() -> u64 {
    // SAFETY: sysconf has no preconditions.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).unwrap_or(100)
}

/// Bytes of a memory page, the unit of /proc/PID/stat's rss (proc(5)).
pub(crate) fn page_bytes() -> u64 {
    // SAFETY: sysconf has no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).unwrap_or(4096)
}

/// Entries of a directory without `.` and `..` (getdents64(2)), read through `buffer`. std's
/// `read_dir` allocates for each entry.
pub(crate) fn count_entries(directory: &File, buffer: &mut [u8]) -> io::Result<u64> {
    /// Of a record: inode and offset, its length, its type, its name (struct linux_dirent64).
    const LENGTH_AT: usize = 16;
    const NAME_AT: usize = 19;
    let mut count = 0;
    loop {
        let (fd, pointer) = (directory.as_raw_fd(), buffer.as_mut_ptr());
        // SAFETY: pointer and length are those of one live, exclusively borrowed slice.
        let n = unsafe { libc::syscall(libc::SYS_getdents64, fd, pointer, buffer.len()) };
        let filled = usize::try_from(n).map_err(|_| io::Error::last_os_error())?;
        if filled == 0 {
            return Ok(count);
        }
        let mut records = &buffer[..filled];
        while let Some([low, high, _, name @ ..]) = records.get(LENGTH_AT..) {
            let is_name = !name.starts_with(b".\0") && !name.starts_with(b"..\0");
            count += u64::from(is_name);
            let length = usize::from(u16::from_ne_bytes([*low, *high]));
            records = records.get(length.max(NAME_AT)..).unwrap_or_default();
        }
    }
}
