//! System calls for sockets of any kind.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use libc::{c_int, c_void, socklen_t};

use super::result::check;

/// The kind of socket of a listener's clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListenerKind {
    /// AF_UNIX.
    Unix,
    /// AF_INET or AF_INET6.
    Tcp,
}

/// Accepts a connection, non-blocking and close-on-exec.
pub(crate) fn accept(listener: RawFd) -> io::Result<OwnedFd> {
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: null pointers mean that the peer's address is not wanted.
    let fd = check(unsafe {
        libc::accept4(listener, std::ptr::null_mut(), std::ptr::null_mut(), flags)
    })?;
    // SAFETY: the kernel just gave us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Makes a socket non-blocking, for all processes that share it.
pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    let mut on: c_int = 1;
    // SAFETY: FIONBIO reads one int from the live `on`.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONBIO, &raw mut on) }).map(drop)
}

/// Receives into `buffer` without waiting; 0 is the end of the stream.
pub(crate) fn receive(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let pointer = buffer.as_mut_ptr().cast::<c_void>();
    // SAFETY: pointer and length are those of one live, exclusively borrowed slice.
    let n = unsafe { libc::recv(fd.as_raw_fd(), pointer, buffer.len(), libc::MSG_DONTWAIT) };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// Sends from `buffer` without waiting and without SIGPIPE.
pub(crate) fn send(fd: BorrowedFd<'_>, buffer: &[u8]) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: pointer and length are those of one live slice, which the kernel only reads.
    let n = unsafe {
        libc::send(
            fd.as_raw_fd(),
            buffer.as_ptr().cast::<c_void>(),
            buffer.len(),
            flags,
        )
    };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// Bytes of a stream socket that can be read (unix(7), tcp(7): SIOCINQ).
pub(crate) fn queued_bytes(fd: BorrowedFd<'_>) -> io::Result<usize> {
    let mut count: c_int = 0;
    // SAFETY: FIONREAD, which is SIOCINQ, writes one int to the live `count`.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONREAD, &raw mut count) })?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Bytes in the send queue of a stream socket that its peer has not received yet (tcp(7), unix(7):
/// SIOCOUTQ).
pub(crate) fn unsent_bytes(fd: BorrowedFd<'_>) -> io::Result<usize> {
    let mut count: c_int = 0;
    // SAFETY: TIOCOUTQ, which is SIOCOUTQ, writes one int to the live `count`.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) })?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// The pending error of a socket, such as that of a connection that could not be made, which this clears
/// (socket(7), SO_ERROR).
pub(crate) fn take_error(fd: BorrowedFd<'_>) -> io::Result<()> {
    match get_option(fd, libc::SO_ERROR)? {
        0 => Ok(()),
        number => Err(io::Error::from_raw_os_error(number)),
    }
}

/// Whether a socket has a pending error, such as a reset, which this clears (socket(7), SO_ERROR).
pub(crate) fn has_error(fd: BorrowedFd<'_>) -> bool {
    !matches!(get_option(fd, libc::SO_ERROR), Ok(0))
}

/// Shuts a socket down in the given direction. On a listening unix socket this wakes `accept`.
pub(crate) fn shutdown(fd: RawFd, how: std::net::Shutdown) -> io::Result<()> {
    let how = match how {
        std::net::Shutdown::Read => libc::SHUT_RD,
        std::net::Shutdown::Write => libc::SHUT_WR,
        std::net::Shutdown::Both => libc::SHUT_RDWR,
    };
    // SAFETY: no pointers are passed; a wrong descriptor is an error, not a fault.
    check(unsafe { libc::shutdown(fd, how) }).map(drop)
}

/// Makes close(2) send a reset and discard unsent data (socket(7), SO_LINGER). Has no effect on a
/// unix socket.
pub(crate) fn reset_at_close(fd: RawFd) -> io::Result<()> {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    set_option(fd, libc::SOL_SOCKET, libc::SO_LINGER, &linger)
}

/// Starts to listen with a backlog. On a listening socket this only changes the backlog
/// (listen(2)).
pub(crate) fn set_backlog(fd: RawFd, backlog: i32) -> io::Result<()> {
    // SAFETY: no pointers are passed; a wrong descriptor is an error, not a fault.
    check(unsafe { libc::listen(fd, backlog) }).map(drop)
}

/// The kind of a listener (socket(7), SO_DOMAIN, SO_ACCEPTCONN). Fails for a descriptor that is not
/// a listening stream socket.
pub(crate) fn listener_kind(fd: BorrowedFd<'_>) -> io::Result<ListenerKind> {
    let unfit = |why: &'static str| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    if get_option(fd, libc::SO_ACCEPTCONN)? == 0 {
        return unfit("not a listening socket");
    }
    if get_option(fd, libc::SO_TYPE)? != libc::SOCK_STREAM {
        return unfit("not a stream socket");
    }
    match get_option(fd, libc::SO_DOMAIN)? {
        libc::AF_UNIX => Ok(ListenerKind::Unix),
        libc::AF_INET | libc::AF_INET6 => Ok(ListenerKind::Tcp),
        _ => unfit("neither a unix nor a TCP socket"),
    }
}

/// Turns TCP_NODELAY on; accepted sockets inherit it. Does nothing for a unix socket.
pub(crate) fn set_no_delay(fd: BorrowedFd<'_>) {
    let _ = set_option(fd.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_NODELAY, &1i32);
}

/// Fixes the size of the send buffer, which would grow otherwise. Linux doubles the number to
/// account for its own overhead (socket(7), SO_SNDBUF).
pub(crate) fn set_send_buffer(fd: BorrowedFd<'_>, bytes: c_int) -> io::Result<()> {
    set_option(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_SNDBUF, &bytes)
}

/// Limits the unsent bytes of a TCP socket; bytes in transit do not count (tcp(7),
/// TCP_NOTSENT_LOWAT).
pub(crate) fn set_most_not_sent(fd: BorrowedFd<'_>, bytes: c_int) -> io::Result<()> {
    let (level, option) = (libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT);
    set_option(fd.as_raw_fd(), level, option, &bytes)
}

/// Limits how long a TCP peer can leave sent bytes unacknowledged, or its window closed, in whole
/// milliseconds (tcp(7), TCP_USER_TIMEOUT).
pub(crate) fn set_user_timeout(fd: BorrowedFd<'_>, time: Duration) -> io::Result<()> {
    let millis = c_int::try_from(time.as_millis()).unwrap_or(c_int::MAX);
    let (level, option) = (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT);
    set_option(fd.as_raw_fd(), level, option, &millis)
}

pub(super) fn set_option<T>(fd: RawFd, level: c_int, option: c_int, value: &T) -> io::Result<()> {
    // SAFETY: `value` is a live T and the length is its size; the kernel only reads it.
    check(unsafe {
        libc::setsockopt(
            fd,
            level,
            option,
            std::ptr::from_ref(value).cast::<c_void>(),
            size_of::<T>() as socklen_t,
        )
    })
    .map(drop)
}

fn get_option(fd: BorrowedFd<'_>, option: c_int) -> io::Result<c_int> {
    let mut value: c_int = 0;
    let mut length = size_of::<c_int>() as socklen_t;
    let pointer = (&raw mut value).cast::<c_void>();
    // SAFETY: `value` and `length` are live, and `length` is the size of `value`.
    check(unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            pointer,
            &raw mut length,
        )
    })?;
    Ok(value)
}

/// The number of the network interface of this name (if_nametoindex(3)).
pub(crate) fn interface_number(name: &str) -> Option<u32> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: `name` is a live text that ends in a NUL.
    let number = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (number > 0).then_some(number)
}
