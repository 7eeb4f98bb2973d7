//! Network namespaces of the test's own: each thread has one, and so have the processes that it starts
//! (network_namespaces(7)).
#![allow(unsafe_code)]

use std::io;

use super::peers;

/// Puts the calling thread into a new network namespace. `false` after saying that the test is skipped.
pub(crate) fn enter_new_network() -> bool {
    // SAFETY: no pointers are passed; of this process only the calling thread is affected.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } == 0 {
        return true;
    }
    let error = io::Error::last_os_error();
    peers::skip(&format!("cannot make a network namespace: {error}"));
    false
}

/// Makes the calling thread, and nobody else, another user for good.
pub(crate) fn become_user(id: u32) -> io::Result<()> {
    // SAFETY: no pointers are passed. libc's own function would change all threads (setresuid(2)).
    match unsafe { libc::syscall(libc::SYS_setresuid, id, id, id) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
