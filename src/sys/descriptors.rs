//! System calls for file descriptors of any kind.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use libc::c_uint;

use super::result::check;

/// Replaces the open file of `descriptor` with that of `by`. The number stays, and so does
/// inheritance (dup2(2)).
pub(crate) fn replace(descriptor: BorrowedFd<'_>, by: OwnedFd) -> io::Result<()> {
    // SAFETY: no pointers are passed; both are open, and the owner of `descriptor` keeps an open
    // descriptor of that number.
    check(unsafe { libc::dup2(by.as_raw_fd(), descriptor.as_raw_fd()) }).map(drop)
}

/// The device number of a terminal, also if it was opened as /dev/tty (TIOCGDEV).
pub(crate) fn terminal_number(terminal: BorrowedFd<'_>) -> io::Result<u32> {
    /// The number in asm-generic; MIPS and PowerPC encode read and write differently.
    const TIOCGDEV: c_uint = if cfg!(any(
        target_arch = "mips",
        target_arch = "mips64",
        target_arch = "powerpc",
        target_arch = "powerpc64"
    )) {
        0x4004_5432
    } else {
        0x8004_5432
    };
    let mut number: c_uint = 0;
    // SAFETY: TIOCGDEV writes one unsigned int to the live `number`.
    check(unsafe { libc::ioctl(terminal.as_raw_fd(), TIOCGDEV as _, &raw mut number) })?;
    Ok(number)
}
