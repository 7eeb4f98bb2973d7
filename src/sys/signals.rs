//! Signals as something to poll for.

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::c_void;

use super::check;

/// A signal that the exporter reacts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGTERM or SIGINT: stop.
    Stop,
    /// SIGHUP: nothing to reload; said in the log.
    Hangup,
}

/// Blocks SIGTERM, SIGINT and SIGHUP in this thread and all that it will start, and returns the
/// descriptor that reads them instead (signalfd(2)). Ignores SIGPIPE.
pub(crate) fn descriptor() -> io::Result<OwnedFd> {
    // SAFETY: sigset_t is plain data, initialised by sigemptyset before any use; all pointers are
    // to live locals; SIG_IGN is a valid disposition.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        let mut set: libc::sigset_t = MaybeUninit::zeroed().assume_init();
        libc::sigemptyset(&raw mut set);
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            libc::sigaddset(&raw mut set, signal);
        }
        check(libc::pthread_sigmask(
            libc::SIG_BLOCK,
            &raw const set,
            std::ptr::null_mut(),
        ))?;
        let fd = check(libc::signalfd(
            -1,
            &raw const set,
            libc::SFD_CLOEXEC | libc::SFD_NONBLOCK,
        ))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// The next pending signal of `descriptor`, if there is one.
pub(crate) fn next(fd: BorrowedFd<'_>) -> Option<Signal> {
    let mut info = MaybeUninit::<libc::signalfd_siginfo>::zeroed();
    let size = size_of::<libc::signalfd_siginfo>();
    // SAFETY: the buffer is live and `size` long; all zeros is a valid siginfo for a short read.
    let (n, info) = unsafe {
        let n = libc::read(fd.as_raw_fd(), info.as_mut_ptr().cast::<c_void>(), size);
        (n, info.assume_init())
    };
    if n != size as isize {
        return None;
    }
    if info.ssi_signo == libc::SIGHUP as u32 {
        Some(Signal::Hangup)
    } else {
        Some(Signal::Stop)
    }
}
