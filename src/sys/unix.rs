//! Unix stream sockets: operations that std does not offer or cannot bound.

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use libc::{sa_family_t, sockaddr, sockaddr_un, socklen_t};

use super::result::check;
use super::sockets::{set_backlog, set_option};

/// Size of `sun_path` in bytes (unix(7)).
pub(crate) const UNIX_PATH_BYTES: usize = 108;

/// The address of a unix socket (unix(7)); names are without their NULs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnixAddress<'a> {
    /// A file.
    Path(&'a [u8]),
    /// A name in the abstract namespace, without padding.
    Abstract(&'a [u8]),
    /// A name in the abstract namespace, padded with NULs to the 108 bytes of `sun_path`, as
    /// HAProxy's `abns@` binds it.
    PaddedAbstract(&'a [u8]),
}

/// Connects a unix stream socket, with a timeout. `connect` of std cannot bound the wait for a full
/// backlog (EAGAIN when the timeout ends).
pub(crate) fn connect_unix(to: UnixAddress<'_>, timeout: Duration) -> io::Result<UnixStream> {
    let (address, length) = socket_address(to)?;
    let socket = stream_socket()?;
    let fd = socket.as_raw_fd();
    set_send_timeout(fd, timeout)?;
    loop {
        // SAFETY: `address` is a live sockaddr_un and `length` is within its size.
        let result =
            check(unsafe { libc::connect(fd, (&raw const address).cast::<sockaddr>(), length) });
        match result {
            Ok(_) => return Ok(UnixStream::from(socket)),
            // A unix connect that a signal interrupted has not begun, so it can be repeated.
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        }
    }
}

/// Binds a unix stream socket to an abstract name that the kernel chooses and that no other socket
/// has (unix(7), autobind). It does not listen yet, so connections are refused.
pub(crate) fn bind_to_new_name() -> io::Result<UnixListener> {
    let socket = stream_socket()?;
    let address = empty_address();
    let length = size_of::<sa_family_t>() as socklen_t;
    let pointer = (&raw const address).cast::<sockaddr>();
    // SAFETY: `address` is a live sockaddr_un and `length` is within its size.
    check(unsafe { libc::bind(socket.as_raw_fd(), pointer, length) })?;
    Ok(UnixListener::from(socket))
}

fn stream_socket() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers are passed.
    let fd = check(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })?;
    // SAFETY: `fd` was just opened and has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn empty_address() -> sockaddr_un {
    // SAFETY: sockaddr_un is plain data, for which all zeros is a valid value.
    let mut address: sockaddr_un = unsafe { MaybeUninit::zeroed().assume_init() };
    address.sun_family = libc::AF_UNIX as sa_family_t;
    address
}

fn socket_address(of: UnixAddress<'_>) -> io::Result<(sockaddr_un, socklen_t)> {
    let (name, start) = match of {
        UnixAddress::Path(name) => (name, 0),
        UnixAddress::Abstract(name) | UnixAddress::PaddedAbstract(name) => (name, 1),
    };
    if name.len() + 1 > UNIX_PATH_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "name longer than 107 bytes",
        ));
    }
    let mut address = empty_address();
    for (to, from) in address.sun_path[start..].iter_mut().zip(name) {
        *to = *from as libc::c_char;
    }
    let header = size_of::<sockaddr_un>() - UNIX_PATH_BYTES;
    let used = match of {
        UnixAddress::PaddedAbstract(_) => UNIX_PATH_BYTES,
        UnixAddress::Path(_) | UnixAddress::Abstract(_) => name.len() + 1,
    };
    Ok((address, (header + used) as socklen_t))
}

fn set_send_timeout(fd: RawFd, timeout: Duration) -> io::Result<()> {
    let micros = timeout.as_micros().max(1);
    let value = libc::timeval {
        tv_sec: (micros / 1_000_000) as _,
        tv_usec: (micros % 1_000_000) as _,
    };
    set_option(fd, libc::SOL_SOCKET, libc::SO_SNDTIMEO, &value)
}

/// Held by the thread that has changed the umask of the process.
static UMASK: Mutex<()> = Mutex::new(());

/// Binds a unix listener whose file has `mode` from its first moment on: the umask is narrowed
/// around the bind. The umask is that of all threads; those of `tiny_http`, which run by then, make
/// no files.
pub(crate) fn listen_unix(
    path: &std::path::Path,
    mode: u32,
    backlog: i32,
) -> io::Result<UnixListener> {
    let listener = {
        // Two threads that bind would take another's umask for the one before. One that panicked left no umask.
        let _alone = UMASK.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: umask has no preconditions.
        let before = unsafe { libc::umask(!mode & 0o777) };
        let listener = UnixListener::bind(path);
        // SAFETY: as above.
        unsafe { libc::umask(before) };
        listener?
    };
    listener.set_nonblocking(true)?;
    set_backlog(listener.as_raw_fd(), backlog)?;
    Ok(listener)
}
