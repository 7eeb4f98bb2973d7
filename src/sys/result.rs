//! The result of a system call.

use std::io;

use libc::c_int;

/// The error of a call that failed is in `errno`.
pub(super) fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
