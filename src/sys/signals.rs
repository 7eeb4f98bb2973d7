//! Signals that can be polled for.

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::{c_int, c_void};

use super::result::check;

/// A signal that the exporter reacts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGTERM, SIGINT, SIGPWR (the power fails) or SIGXCPU (the limit of CPU time): stop.
    Stop,
    /// SIGHUP.
    Hangup,
    /// SIGUSR1.
    User1,
    /// SIGUSR2.
    User2,
    /// SIGALRM.
    Alarm,
    /// SIGIO, SIGPROF, SIGVTALRM.
    Other,
}

/// The signals that are read. Signals without a meaning for the exporter are included, because
/// their default action would terminate it.
const READ: [(c_int, Signal); 11] = [
    (libc::SIGTERM, Signal::Stop),
    (libc::SIGINT, Signal::Stop),
    (libc::SIGHUP, Signal::Hangup),
    (libc::SIGUSR1, Signal::User1),
    (libc::SIGUSR2, Signal::User2),
    (libc::SIGALRM, Signal::Alarm),
    (libc::SIGPWR, Signal::Stop),
    (libc::SIGXCPU, Signal::Stop),
    (libc::SIGIO, Signal::Other),
    (libc::SIGPROF, Signal::Other),
    (libc::SIGVTALRM, Signal::Other),
];

/// Blocks the signals of the list in this thread and in all threads that it starts. Returns the
/// descriptor from which they are read instead (signalfd(2)). Ignores SIGPIPE, and SIGXFSZ, which comes of
/// a log file at its size limit: then the write fails, and the line counts as lost.
pub(crate) fn descriptor() -> io::Result<OwnedFd> {
    // SAFETY: sigset_t is plain data, initialised by sigemptyset before any use; all pointers are
    // to live locals; SIG_IGN is a valid disposition.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        let mut set: libc::sigset_t = MaybeUninit::zeroed().assume_init();
        libc::sigemptyset(&raw mut set);
        for (number, _) in READ {
            libc::sigaddset(&raw mut set, number);
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
    let read = |(number, _): &&(c_int, Signal)| u32::try_from(*number) == Ok(info.ssi_signo);
    READ.iter().find(read).map(|(_, signal)| *signal)
}
