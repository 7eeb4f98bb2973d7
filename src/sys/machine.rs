//! Facts about the machine and the kernel: clock, limits, units.

use std::io;
use std::time::Duration;

use super::result::check;

/// Time since 1970-01-01 (UTC). `None` if the clock is before that or cannot be read.
/// `SystemTime::now` cannot be used: with a libc whose `time_t` has 32 bits (musl in Rust on 32-bit
/// machines) it panics for clocks past January 2038.
pub(crate) fn time_of_day() -> Duration {
    duration(clock_64().or_else(clock_of_libc).unwrap_or_default())
}

/// Whether the clock for durations can be read. std panics where it cannot, and a panic is logged with the
/// time.
pub(crate) fn check_clock() -> io::Result<()> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a live timespec.
    check(unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) }).map(drop)
}

fn duration((seconds, nanos): (i64, i64)) -> Duration {
    match (u64::try_from(seconds), u32::try_from(nanos)) {
        (Ok(seconds), Ok(nanos @ ..1_000_000_000)) => Duration::new(seconds, nanos),
        _ => Duration::ZERO,
    }
}

/// Reads the clock with a 64-bit system call, which 32-bit machines have since Linux 5.1
/// (`clock_gettime64`). On all other machines libc uses 64 bits.
fn clock_64() -> Option<(i64, i64)> {
    // x32 always has 64 bits. System calls added since 5.1 have the same number on all machines,
    // added to the machine's base.
    const IS_32_BIT: bool = cfg!(all(
        target_pointer_width = "32",
        not(target_arch = "x86_64")
    ));
    const NUMBER: libc::c_long = if cfg!(target_arch = "mips") {
        4403
    } else {
        403
    };
    if !IS_32_BIT {
        return None;
    }
    let mut time = [0_i64; 2];
    // SAFETY: the call writes a struct of two 64-bit numbers (__kernel_timespec) to the live `time`.
    let result = unsafe { libc::syscall(NUMBER, libc::CLOCK_REALTIME, time.as_mut_ptr()) };
    (result == 0).then_some((time[0], time[1]))
}

/// Reads the clock through libc; on 32-bit machines an error from 2038 on.
fn clock_of_libc() -> Option<(i64, i64)> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a live timespec.
    check(unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut time) }).ok()?;
    #[allow(
        clippy::useless_conversion,
        reason = "both are shorter on 32-bit machines"
    )]
    Some((time.tv_sec.into(), time.tv_nsec.into()))
}

/// A resource of which a process can use a limited amount (getrlimit(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// Open file descriptors.
    Descriptors,
    /// Bytes of address space.
    AddressSpace,
}

/// The current soft limit of this process, which prlimit(1) can change at any time. `u64::MAX` if
/// there is none.
pub(crate) fn soft_limit(of: Resource) -> io::Result<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    let resource = match of {
        Resource::Descriptors => libc::RLIMIT_NOFILE,
        Resource::AddressSpace => libc::RLIMIT_AS,
    };
    // SAFETY: `limit` is a live rlimit.
    check(unsafe { libc::getrlimit(resource, &raw mut limit) })?;
    #[allow(
        clippy::useless_conversion,
        reason = "shorter with glibc on 32-bit machines"
    )]
    Ok(match limit.rlim_cur {
        libc::RLIM_INFINITY => u64::MAX,
        number => number.into(),
    })
}

/// The soft limit of open file descriptors; `u64::MAX` if there is none.
pub(crate) fn descriptor_limit() -> u64 {
    // The default of Linux, in case the kernel does not report a limit.
    soft_limit(Resource::Descriptors).unwrap_or(1024)
}

/// How many file descriptors are open that the limit counts (proc(5)); 0 if that is unknown.
pub(crate) fn open_descriptors() -> usize {
    let limit = descriptor_limit();
    let number =
        |entry: io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    let open = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    let counted = open
        .filter_map(number)
        .filter(|number: &u64| *number < limit);
    // The one that reads the directory.
    counted.count().saturating_sub(1)
}

/// Clock ticks per second: the unit of the times in /proc/PID/stat (sysconf(3), proc(5)).
pub(crate) fn clock_ticks() -> u64 {
    // SAFETY: sysconf has no preconditions.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    let ticks = u64::try_from(ticks).ok().filter(|ticks| *ticks > 0);
    ticks.unwrap_or(100)
}

/// Bytes of a memory page: the unit of rss in /proc/PID/stat (proc(5)).
pub(crate) fn page_bytes() -> u64 {
    // SAFETY: sysconf has no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).unwrap_or(4096)
}

#[cfg(test)]
mod tests;
