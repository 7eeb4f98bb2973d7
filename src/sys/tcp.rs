//! TCP sockets: listeners with options that std does not set, and connections that are not waited for.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use libc::{sockaddr, socklen_t};

use super::result::check;
use super::sockets::{set_backlog, set_option};

/// Which clients a listener on an IPv6 address accepts (ipv6(7), IPV6_V6ONLY).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Families {
    /// Only clients of the address family of the address.
    Own,
    /// IPv4 clients too; only `[::]` can accept them.
    Both,
}

/// Binds and listens on `address`.
pub(crate) fn listen_tcp(
    address: SocketAddr,
    families: Families,
    backlog: i32,
) -> io::Result<TcpListener> {
    let socket = stream_socket(address)?;
    let fd = socket.as_raw_fd();
    set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, &1i32)?;
    if address.is_ipv6() {
        set_option(
            fd,
            libc::IPPROTO_IPV6,
            libc::IPV6_V6ONLY,
            &i32::from(families == Families::Own),
        )?;
    }
    with_raw(address, |pointer, length| {
        // SAFETY: `with_raw` passes a live socket address structure and its size.
        check(unsafe { libc::bind(fd, pointer, length) })
    })?;
    set_backlog(fd, backlog)?;
    Ok(TcpListener::from(socket))
}

/// Begins to connect to `address`, without waiting. The socket is writable once that has ended; then
/// `take_error` tells how (connect(2), EINPROGRESS).
pub(crate) fn connect_tcp(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = stream_socket(address)?;
    let fd = socket.as_raw_fd();
    let begun = with_raw(address, |pointer, length| {
        // SAFETY: `with_raw` passes a live socket address structure and its size.
        check(unsafe { libc::connect(fd, pointer, length) })
    });
    match begun {
        Ok(_) => Ok(socket),
        // A signal does not end the attempt.
        Err(e) if matches!(e.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR)) => Ok(socket),
        Err(e) => Err(e),
    }
}

/// A socket of the family of `address`, non-blocking.
fn stream_socket(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = match address {
        SocketAddr::V4(_) => libc::AF_INET,
        SocketAddr::V6(_) => libc::AF_INET6,
    };
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no pointers are passed.
    let fd = check(unsafe { libc::socket(family, kind, 0) })?;
    // SAFETY: `fd` was just opened and has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Calls `with` with the address as the kernel reads it, and with its size.
fn with_raw<T>(address: SocketAddr, with: impl FnOnce(*const sockaddr, socklen_t) -> T) -> T {
    match address {
        SocketAddr::V4(v4) => {
            let raw = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(v4.ip().octets()),
                },
                sin_zero: [0; 8],
            };
            with((&raw const raw).cast(), size_of_val(&raw) as socklen_t)
        }
        SocketAddr::V6(v6) => {
            let raw = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: v6.ip().octets(),
                },
                sin6_scope_id: v6.scope_id(),
            };
            with((&raw const raw).cast(), size_of_val(&raw) as socklen_t)
        }
    }
}
