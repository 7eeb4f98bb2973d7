//! TCP listeners with options that std does not set.

use std::io;
use std::mem::size_of;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use libc::socklen_t;

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
    let family = if address.is_ipv6() {
        libc::AF_INET6
    } else {
        libc::AF_INET
    };
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no pointers are passed.
    let fd = check(unsafe { libc::socket(family, kind, 0) })?;
    // SAFETY: `fd` was just opened and has no other owner.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, &1i32)?;
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
                &i32::from(families == Families::Own),
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
