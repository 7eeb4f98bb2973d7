//! Whether standard output was open when the process started.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether the process was started without a standard output. std opens /dev/null in its place before `main`
/// (std::sys, sanitize_standard_fds), which takes everything.
pub(crate) fn was_stdout_closed() -> bool {
    WAS_CLOSED.load(Relaxed)
}

/// The C library calls this before anything of std runs (System V ABI, initialization functions).
#[used]
// SAFETY: entries of this section are functions of the C calling convention; it uses nothing of std that is
// set up later.
#[unsafe(link_section = ".init_array")]
static AT_START: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: no pointers are passed.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    WAS_CLOSED.store(flags < 0, Relaxed);
}
