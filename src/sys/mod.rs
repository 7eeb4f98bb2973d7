//! Every `unsafe` line of the crate: the few system calls that std does not offer.
//!
//! Each function wraps one call and returns `io::Error` from `errno`; policy stays with the callers.
#![allow(unsafe_code)]

pub(crate) mod signals;

use std::fs::File;
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use libc::{c_int, c_void, sockaddr_un, socklen_t};

/// Bytes that `sun_path` holds (unix(7)).
pub(crate) const UNIX_PATH_BYTES: usize = 108;

/// One entry of a `poll` set; `fd` -1 is ignored by the kernel (poll(2)).
pub(crate) type PollFd = libc::pollfd;

/// Waiting for something to read.
pub(crate) const READABLE: i16 = libc::POLLIN;
/// Waiting for room to write.
pub(crate) const WRITABLE: i16 = libc::POLLOUT;

/// A poll entry for `fd`.
pub(crate) fn poll_fd(fd: RawFd, events: i16) -> PollFd {
    PollFd {
        fd,
        events,
        revents: 0,
    }
}

/// Waits until one of `fds` is ready; `None` waits for ever. Returns the number of ready entries,
/// 0 after the timeout. A signal (EINTR) also returns 0, so that callers look at their clock again.
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

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Connects a unix stream socket and gives up after `timeout`.
///
/// `name` is a path, or an abstract name without its leading NUL. With `padded` the address has
/// all 108 bytes of `sun_path`, which is how HAProxy's `abns@` binds.
/// A full backlog waits (EAGAIN when the timeout ends), which std's `connect` cannot bound.
pub(crate) fn connect_unix(
    name: &[u8],
    is_abstract: bool,
    padded: bool,
    timeout: Duration,
) -> io::Result<UnixStream> {
    let (address, length) = unix_address(name, is_abstract, padded)?;
    // SAFETY: no pointers are passed.
    let fd =
        check(unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: `fd` was just opened and is owned by nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    set_send_timeout(fd, timeout)?;
    loop {
        // SAFETY: `address` is a live sockaddr_un and `length` is within its size.
        let result = check(unsafe {
            libc::connect(fd, (&raw const address).cast::<libc::sockaddr>(), length)
        });
        match result {
            Ok(_) => return Ok(UnixStream::from(socket)),
            // A unix connect interrupted by a signal has not begun: it may be tried again.
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        }
    }
}

fn unix_address(
    name: &[u8],
    is_abstract: bool,
    padded: bool,
) -> io::Result<(sockaddr_un, socklen_t)> {
    let start = usize::from(is_abstract);
    if name.len() + 1 > UNIX_PATH_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "name longer than 107 bytes",
        ));
    }
    // SAFETY: sockaddr_un is plain data, for which all zeros is a valid value.
    let mut address: sockaddr_un = unsafe { MaybeUninit::zeroed().assume_init() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    for (to, from) in address.sun_path[start..].iter_mut().zip(name) {
        *to = *from as libc::c_char;
    }
    let header = size_of::<sockaddr_un>() - UNIX_PATH_BYTES;
    let used = if padded {
        UNIX_PATH_BYTES
    } else {
        name.len() + 1
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

fn set_option<T>(fd: RawFd, level: c_int, option: c_int, value: &T) -> io::Result<()> {
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

/// Binds and listens on `address`. For `[::]` the socket also takes IPv4 when `dual_stack` is set
/// (ipv6(7), IPV6_V6ONLY). Accepted sockets inherit TCP_NODELAY.
pub(crate) fn listen_tcp(
    address: SocketAddr,
    dual_stack: bool,
    backlog: i32,
) -> io::Result<TcpListener> {
    let family = if address.is_ipv6() {
        libc::AF_INET6
    } else {
        libc::AF_INET
    };
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no pointers are passed.
    let fd = check(unsafe { libc::socket(family, kind, 0) })?;
    // SAFETY: `fd` was just opened and is owned by nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, &1i32)?;
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, &1i32)?;
    match address {
        SocketAddr::V4(v4) => {
            let raw = libc::sockaddr_in {
                sin_family: family as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(v4.ip().octets()),
                },
                sin_zero: [0; 8],
            };
            bind(fd, &raw)?;
        }
        SocketAddr::V6(v6) => {
            set_option(
                fd,
                libc::IPPROTO_IPV6,
                libc::IPV6_V6ONLY,
                &i32::from(!dual_stack),
            )?;
            let raw = libc::sockaddr_in6 {
                sin6_family: family as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: v6.ip().octets(),
                },
                sin6_scope_id: v6.scope_id(),
            };
            bind(fd, &raw)?;
        }
    }
    set_backlog(fd, backlog)?;
    Ok(TcpListener::from(socket))
}

fn bind<T>(fd: RawFd, address: &T) -> io::Result<()> {
    let pointer = std::ptr::from_ref(address).cast::<libc::sockaddr>();
    // SAFETY: `address` is a live socket address structure and the length is its size.
    check(unsafe { libc::bind(fd, pointer, size_of::<T>() as socklen_t) }).map(drop)
}

/// (Re)starts listening with a backlog; on a listening socket it only changes the length (listen(2)).
pub(crate) fn set_backlog(fd: RawFd, backlog: i32) -> io::Result<()> {
    // SAFETY: no pointers are passed; a wrong descriptor is an error, not a fault.
    check(unsafe { libc::listen(fd, backlog) }).map(drop)
}

/// Binds a unix listener whose file has `mode` from its first moment on: the umask is narrowed
/// around the bind, which is safe only while the process has one thread (at start).
pub(crate) fn listen_unix(
    path: &std::path::Path,
    mode: u32,
    backlog: i32,
) -> io::Result<UnixListener> {
    // SAFETY: umask has no preconditions.
    let before = unsafe { libc::umask(!mode & 0o777) };
    let listener = UnixListener::bind(path);
    // SAFETY: as above.
    unsafe { libc::umask(before) };
    let listener = listener?;
    listener.set_nonblocking(true)?;
    set_backlog(listener.as_raw_fd(), backlog)?;
    Ok(listener)
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

/// Bytes of a stream socket that its peer has not taken yet (tcp(7), unix(7): SIOCOUTQ).
pub(crate) fn unsent_bytes(fd: BorrowedFd<'_>) -> io::Result<usize> {
    let mut count: c_int = 0;
    // SAFETY: TIOCOUTQ, which is SIOCOUTQ, writes one int to the live `count`.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) })?;
    Ok(usize::try_from(count).unwrap_or(0))
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

/// Lets a connection end with a reset when it is closed; the kernel forgets what it still holds for
/// the peer (socket(7), SO_LINGER). Does nothing to a unix socket.
pub(crate) fn reset_at_close(fd: RawFd) -> io::Result<()> {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    set_option(fd, libc::SOL_SOCKET, libc::SO_LINGER, &linger)
}

/// The number of the network interface of this name (if_nametoindex(3)).
pub(crate) fn interface_number(name: &str) -> Option<u32> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: `name` is a live text that ends in a NUL.
    let number = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (number > 0).then_some(number)
}

/// The soft limit of open descriptors (getrlimit(2)); `u64::MAX` when there is none.
pub(crate) fn descriptor_limit() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a live rlimit.
    match check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }) {
        Ok(_) => limit.rlim_cur,
        // The default of every Linux, for a kernel that would not say.
        Err(_) => 1024,
    }
}

/// Clock ticks a second, the unit of /proc/PID/stat's times (sysconf(3), proc(5)).
pub(crate) fn clock_ticks() -> u64 {
    // SAFETY: sysconf has no preconditions.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).unwrap_or(100)
}

/// Bytes of a memory page, the unit of /proc/PID/stat's rss (proc(5)).
pub(crate) fn page_bytes() -> u64 {
    // SAFETY: sysconf has no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).unwrap_or(4096)
}

/// Takes over a descriptor that a supervisor handed to this process by number, and marks it
/// close-on-exec. Fails when nothing is open there. The caller vouches that the number was given
/// to it (`--ready-fd`, `LISTEN_FDS`) and is taken once.
pub(crate) fn inherited_fd(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_SETFD passes no pointers; a wrong descriptor is an error, not a fault.
    check(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    // SAFETY: the descriptor is open, and by this function's contract nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The address family of a listening socket and whether it is a listening stream at all
/// (socket(7), SO_DOMAIN, SO_ACCEPTCONN): `true` is a unix socket.
pub(crate) fn is_unix_listener(fd: BorrowedFd<'_>) -> io::Result<bool> {
    if get_option(fd, libc::SO_ACCEPTCONN)? == 0 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a listening socket",
        ));
    }
    Ok(get_option(fd, libc::SO_DOMAIN)? == libc::AF_UNIX)
}

/// Turns TCP_NODELAY on, which accepted sockets inherit; nothing to do for a unix socket.
pub(crate) fn set_no_delay(fd: BorrowedFd<'_>) {
    let _ = set_option(fd.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_NODELAY, &1i32);
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

/// Entries of a directory without `.` and `..` (getdents64(2)), read through `buffer`. std's
/// `read_dir` allocates for each entry.
pub(crate) fn count_entries(directory: &File, buffer: &mut [u8]) -> io::Result<u64> {
    /// Of a record: inode and offset, its length, its type, its name (struct linux_dirent64).
    const LENGTH_AT: usize = 16;
    const NAME_AT: usize = 19;
    let mut count = 0;
    loop {
        let (fd, pointer) = (directory.as_raw_fd(), buffer.as_mut_ptr());
        // SAFETY: pointer and length are those of one live, exclusively borrowed slice.
        let n = unsafe { libc::syscall(libc::SYS_getdents64, fd, pointer, buffer.len()) };
        let filled = usize::try_from(n).map_err(|_| io::Error::last_os_error())?;
        if filled == 0 {
            return Ok(count);
        }
        let mut records = &buffer[..filled];
        while let Some([low, high, _, name @ ..]) = records.get(LENGTH_AT..) {
            let is_name = !name.starts_with(b".\0") && !name.starts_with(b"..\0");
            count += u64::from(is_name);
            let length = usize::from(u16::from_ne_bytes([*low, *high]));
            records = records.get(length.max(NAME_AT)..).unwrap_or_default();
        }
    }
}
