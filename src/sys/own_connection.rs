//! A unix listener that nobody but this process is connected to.

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use libc::{c_int, sa_family_t, sockaddr, sockaddr_un, socklen_t};

use super::check;

/// Binds a unix stream socket to an abstract name that the kernel chooses and that nobody else has
/// (unix(7), autobind). It does not listen yet: whoever connects is refused.
pub(crate) fn bind_to_new_name() -> io::Result<OwnedFd> {
    let socket = stream_socket(0)?;
    let address = empty_address();
    let length = size_of::<sa_family_t>() as socklen_t;
    let pointer = (&raw const address).cast::<sockaddr>();
    // SAFETY: `address` is a live sockaddr_un and `length` is within its size.
    check(unsafe { libc::bind(socket.as_raw_fd(), pointer, length) })?;
    Ok(socket)
}

/// Connects to a unix listener of this process by the name that it is bound to, without waiting:
/// fails with `WouldBlock` when the listener's queue is full.
pub(crate) fn connect_at_once(listener: BorrowedFd<'_>) -> io::Result<UnixStream> {
    let socket = stream_socket(libc::SOCK_NONBLOCK)?;
    let mut address = empty_address();
    let mut length = size_of::<sockaddr_un>() as socklen_t;
    let pointer = (&raw mut address).cast::<sockaddr>();
    // SAFETY: `address` and `length` are live, and `length` is the size of `address`.
    check(unsafe { libc::getsockname(listener.as_raw_fd(), pointer, &raw mut length) })?;
    // SAFETY: the kernel has written the first `length` bytes of the live `address`.
    check(unsafe { libc::connect(socket.as_raw_fd(), pointer, length) })?;
    Ok(UnixStream::from(socket))
}

fn stream_socket(flags: c_int) -> io::Result<OwnedFd> {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | flags;
    // SAFETY: no pointers are passed.
    let fd = check(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })?;
    // SAFETY: `fd` was just opened and is owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn empty_address() -> sockaddr_un {
    // SAFETY: sockaddr_un is plain data, for which all zeros is a valid value.
    let mut address: sockaddr_un = unsafe { MaybeUninit::zeroed().assume_init() };
    address.sun_family = libc::AF_UNIX as sa_family_t;
    address
}
