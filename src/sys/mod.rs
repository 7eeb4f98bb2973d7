//! All `unsafe` code of the crate: system calls that std does not offer, and the calendar of the
//! clock.
//!
//! Each function wraps one call and returns `io::Error` from `errno`. Decisions are made by the
//! callers.
#![allow(unsafe_code)]

pub(crate) mod calendar;
mod descriptors;
mod inherited;
mod machine;
mod result;
pub(crate) mod signals;
mod sockets;
mod stdout;
mod tcp;
mod threads;
mod unix;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use libc::c_int;

pub(crate) use descriptors::{replace, terminal_number};
pub(crate) use inherited::InheritedFd;
pub(crate) use machine::{
    Resource, check_clock, clock_ticks, descriptor_limit, open_descriptors, page_bytes, soft_limit,
    time_of_day,
};
use result::check;
pub(crate) use sockets::{
    ListenerKind, accept, has_error, interface_number, listener_kind, queued_bytes, receive,
    reset_at_close, send, set_backlog, set_most_not_sent, set_no_delay, set_nonblocking,
    set_send_buffer, set_user_timeout, shutdown, take_error, unsent_bytes,
};
pub(crate) use stdout::was_stdout_closed;
pub(crate) use tcp::{Families, connect_tcp, listen_tcp};
pub(crate) use threads::set_default_stack_bytes;
pub(crate) use unix::{UNIX_PATH_BYTES, UnixAddress, bind_to_new_name, connect_unix, listen_unix};

/// One entry of a `poll` set; `fd` -1 is ignored by the kernel (poll(2)).
pub(crate) type PollFd = libc::pollfd;

/// Event: data to read.
pub(crate) const READABLE: i16 = libc::POLLIN;
/// Event: room to write.
pub(crate) const WRITABLE: i16 = libc::POLLOUT;
/// Waiting for the peer to shut down its sending direction or to close (poll(2), POLLRDHUP).
pub(crate) const HALF_CLOSED: i16 = libc::POLLRDHUP;
/// Both directions are shut down, or the connection is broken; always reported (poll(2), POLLHUP).
pub(crate) const HUNG_UP: i16 = libc::POLLHUP;

/// A poll entry for `fd`.
pub(crate) fn poll_fd(fd: RawFd, events: i16) -> PollFd {
    PollFd {
        fd,
        events,
        revents: 0,
    }
}

/// Waits until one of `fds` is ready; `None` waits forever. Returns the number of ready entries, or
/// 0 after the timeout. A signal (EINTR) also returns 0, so that callers check their clock again.
/// The timeout is rounded up to a whole millisecond, so that a wait never ends before its deadline.
pub(crate) fn poll(fds: &mut [PollFd], timeout: Option<Duration>) -> io::Result<usize> {
    let millis = match timeout {
        None => -1,
        Some(t) => c_int::try_from(t.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX),
    };
    // SAFETY: the pointer and the length are those of one live, exclusively borrowed slice.
    let ready = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, millis) };
    match check(ready) {
        Ok(n) => Ok(n as usize),
        Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(0),
        Err(e) => Err(e),
    }
}

/// Waits until the peer of a stream socket has said that nothing more will come, or is gone, but not for
/// bytes (poll(2), POLLRDHUP, POLLHUP). Returns whether that is so; a signal ends the wait early.
pub(crate) fn ends_within(fd: BorrowedFd<'_>, time: Duration) -> io::Result<bool> {
    let mut entry = poll_fd(fd.as_raw_fd(), libc::POLLRDHUP);
    let timeout = libc::timespec {
        tv_sec: time.as_secs() as _,
        tv_nsec: time.subsec_nanos() as _,
    };
    // SAFETY: entry and timeout are live, the count is that of the entry; a null mask changes no signals.
    let ready = unsafe { libc::ppoll(&raw mut entry, 1, &raw const timeout, std::ptr::null()) };
    match check(ready) {
        Ok(n) => Ok(n > 0),
        Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(false),
        Err(e) => Err(e),
    }
}
