//! The public listeners: TCP, unix sockets, and sockets that systemd passes.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::errno::{is_absent, reason};
use crate::net::address::{AddressError, HostPort, split_host_port};
use crate::net::deadline::Deadline;
use crate::net::resolve::Resolver;
use crate::net::unsigned;
use crate::sys::{self, Families, InheritedFd, ListenerKind, UnixAddress};

/// Connections that wait in the kernel while the I/O thread is busy; the kernel limits it to
/// somaxconn.
const BACKLOG: i32 = 4096;
/// The flag of the addresses.
pub(crate) const LISTEN_ADDRESS: &str = "web.listen-address";
/// Timeout for looking up the host of a listen address at start.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout for finding out whether a server accepts on an existing socket file.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes that the kernel buffers for a client, besides those in transit, which `response` limits.
/// 64 clients that read nothing cost 20 MB. On a unix socket nothing is in transit, and Linux
/// doubles the number (socket(7), SO_SNDBUF).
const UNREAD_BYTES: i32 = 256 * 1024;
/// A TCP client that acknowledges nothing, or has no room, for this long is disconnected (tcp(7),
/// TCP_USER_TIMEOUT). This also limits how long the kernel keeps bytes of closed connections.
const USER_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum number of sockets that systemd can pass.
const MAX_INHERITED: u16 = 64;

/// A value of `--web.listen-address`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// `:port`: every interface, IPv4 and IPv6.
    Any(u16),
    /// `host:port`.
    Host(String, u16),
    /// `unix:/path`.
    Unix(PathBuf),
}

impl ListenAddress {
    /// Parses an address; with port 0 the kernel chooses one.
    ///
    /// # Errors
    /// The invalid part.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let longest = sys::UNIX_PATH_BYTES - 1;
            return match path {
                path if !path.starts_with('/') => {
                    Err("the path is not absolute (unix:/path)".into())
                }
                path if path.len() > longest => {
                    Err(format!("the path is longer than {longest} bytes").into())
                }
                path => Ok(Self::Unix(PathBuf::from(path))),
            };
        }
        let (host, port) = split_host_port(text)?;
        let port = port.ok_or("the port is missing (:port or host:port)")?;
        let number = unsigned(port.as_bytes()).and_then(|port| u16::try_from(port).ok());
        let port =
            number.ok_or_else(|| format!("port must be a number from 0 to 65535, not {port:?}"))?;
        Ok(if host.is_empty() {
            Self::Any(port)
        } else {
            Self::Host(host.to_owned(), port)
        })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any(port) => write!(f, ":{port}"),
            Self::Host(host, port) => HostPort {
                host: host.clone(),
                port: *port,
            }
            .fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A bound listener: non-blocking; TCP listeners have TCP_NODELAY.
#[derive(Debug)]
pub(crate) struct Listener {
    /// The listening descriptor.
    pub fd: OwnedFd,
    /// The address it is bound to.
    pub name: String,
    kind: ListenerKind,
    /// Others may have it, who passed it on.
    is_inherited: bool,
    /// A socket file that the exporter created.
    _file: Option<SocketFile>,
}

/// A socket file. It is removed with its listener, at a clean stop and at a failed start, unless
/// another file has replaced it.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).ok() == Some(self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Listener {
    /// Accepts a connection: non-blocking, close-on-exec, with a limit on the bytes that the kernel
    /// buffers. TCP connections inherit the limit from their listener, unix sockets do not.
    pub(crate) fn accept(&self) -> io::Result<OwnedFd> {
        // Who shares an inherited socket can have set it to blocking.
        if self.is_inherited {
            sys::set_nonblocking(self.fd.as_fd())?;
        }
        let client = sys::accept(self.fd.as_raw_fd())?;
        if self.kind == ListenerKind::Unix {
            let _ = sys::set_send_buffer(client.as_fd(), UNREAD_BYTES);
        }
        Ok(client)
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|m| (m.dev(), m.ino()))
}

/// Binds every address.
///
/// # Errors
/// The first address that cannot be bound, and the reason.
pub(crate) fn bind_all(addresses: &[ListenAddress], mode: u32) -> Result<Vec<Listener>, String> {
    let mut listeners: Vec<Listener> = Vec::new();
    for address in addresses {
        let bound = bind(address, mode);
        let fail = |error| {
            let setting = nonlocal_setting(address, &error);
            format!("--{LISTEN_ADDRESS}={address}: {}{setting}", reason(&error))
        };
        listeners.extend(bound.map_err(fail)?);
    }
    Ok(listeners)
}

/// For an absent address, the setting that lets a program listen on an address that another machine has at
/// present, such as keepalived's (ip(7), ip_nonlocal_bind). A host name is mostly one of IPv4.
fn nonlocal_setting(address: &ListenAddress, error: &io::Error) -> String {
    let family = match address {
        _ if error.kind() != io::ErrorKind::AddrNotAvailable => return String::new(),
        ListenAddress::Host(host, _) if host.parse::<Ipv6Addr>().is_ok() => "ipv6",
        _ => "ipv4",
    };
    format!(" (for a floating address: sysctl net.{family}.ip_nonlocal_bind=1)")
}

fn bind(address: &ListenAddress, mode: u32) -> io::Result<Vec<Listener>> {
    match address {
        ListenAddress::Any(port) => bind_any(*port, &listen_tcp),
        ListenAddress::Unix(path) => bind_unix(path, mode).map(|listener| vec![listener]),
        ListenAddress::Host(host, port) => {
            let host = HostPort {
                host: host.clone(),
                port: *port,
            };
            let found = Resolver::system().resolve(&host, Deadline::after(RESOLVE_TIMEOUT));
            bind_host(&found?, &listen_tcp)
        }
    }
}

/// Binds and listens; tests replace it to fail as other machines do.
type Listen<'a> = &'a dyn Fn(SocketAddr, Families) -> io::Result<TcpListener>;

fn listen_tcp(address: SocketAddr, families: Families) -> io::Result<TcpListener> {
    sys::listen_tcp(address, families, BACKLOG)
}

/// All interfaces: one socket for both families, or only IPv4 on a machine without IPv6.
fn bind_any(port: u16, listen: Listen<'_>) -> io::Result<Vec<Listener>> {
    let all = |ip| [SocketAddr::new(ip, port)];
    match bind_host(&all(IpAddr::V6(Ipv6Addr::UNSPECIFIED)), listen) {
        Err(error) if is_absent(&error) => {
            bind_host(&all(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), listen)
        }
        other => other,
    }
}

/// Binds all addresses of a host. An address that this machine lacks is skipped if another one
/// exists: /etc/hosts has an IPv6 address for `localhost` even on machines without IPv6. Where the port is
/// denied, all fail.
fn bind_host(addresses: &[SocketAddr], listen: Listen<'_>) -> io::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    let mut absent = None;
    for address in addresses {
        // `[::]` accepts IPv4 too, as in Go; `[::ffff:10.0.0.1]` is an IPv4 address.
        let address = match address.ip().to_canonical() {
            ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
            IpAddr::V6(_) => *address,
        };
        let families = match address.ip().is_unspecified() {
            true => Families::Both,
            false => Families::Own,
        };
        match listen(address, families) {
            Ok(listener) => listeners.push(tcp_listener(listener)),
            Err(e) if is_absent(&e) => absent = Some(e),
            Err(e) => return Err(e),
        }
    }
    match absent {
        Some(e) if listeners.is_empty() => Err(e),
        _ => Ok(listeners),
    }
}

fn tcp_listener(listener: TcpListener) -> Listener {
    let name = listener
        .local_addr()
        .map_or_else(|_| "?".to_owned(), |address| address.to_string());
    // Accepted sockets inherit these options. If the kernel rejects one, the exporter serves
    // without it.
    sys::set_no_delay(listener.as_fd());
    let _ = sys::set_most_not_sent(listener.as_fd(), UNREAD_BYTES);
    let _ = sys::set_user_timeout(listener.as_fd(), USER_TIMEOUT);
    Listener {
        fd: listener.into(),
        name,
        kind: ListenerKind::Tcp,
        is_inherited: false,
        _file: None,
    }
}

fn unix_listener(listener: UnixListener, path: &Path, file: Option<SocketFile>) -> Listener {
    Listener {
        fd: listener.into(),
        name: format!("unix:{}", path.display()),
        kind: ListenerKind::Unix,
        is_inherited: false,
        _file: file,
    }
}

/// Replaces a stale socket file, on which no server accepts. Anything else at that path is left
/// alone.
fn bind_unix(path: &Path, mode: u32) -> io::Result<Listener> {
    let taken = || io::Error::other("another process is listening there");
    match std::fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(io::Error::other("exists and is not a socket"));
        }
        Ok(_) => {
            match sys::connect_unix(
                UnixAddress::Path(path.as_os_str().as_bytes()),
                PROBE_TIMEOUT,
            ) {
                Ok(_) => return Err(taken()),
                // A server is alive, with a full backlog.
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    return Err(taken());
                }
                Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => {
                    std::fs::remove_file(path)
                        .map_err(|e| io::Error::other(format!("stale socket: {}", reason(&e))))?;
                }
                Err(e) => return Err(e),
            }
        }
    }
    let listener = sys::listen_unix(path, mode, BACKLOG)?;
    let file = identity(path).ok().map(|identity| SocketFile {
        path: path.to_owned(),
        identity,
    });
    Ok(unix_listener(listener, path, file))
}

/// Takes the sockets that systemd passes (sd_listen_fds(3)); `variable` reads the environment.
///
/// # Errors
/// If none was passed, or one cannot be used.
pub(crate) fn inherited(variable: impl Fn(&str) -> Option<String>) -> io::Result<Vec<Listener>> {
    let number = |name: &str| variable(name).and_then(|text| text.parse::<u32>().ok());
    let count = match (number("LISTEN_PID"), number("LISTEN_FDS")) {
        (Some(pid), Some(count)) if pid == std::process::id() => count,
        (Some(_), Some(_)) => 0,
        _ => return Err(io::Error::other("LISTEN_PID and LISTEN_FDS are not set")),
    };
    if count == 0 {
        return Err(io::Error::other("systemd passed no socket to this process"));
    }
    let count = u16::try_from(count).map_or(MAX_INHERITED, |count| count.min(MAX_INHERITED));
    InheritedFd::from_systemd(count)
        .map(|fd| {
            let number = fd.to_string();
            fd.take().and_then(take_over).map_err(|error| {
                io::Error::other(format!("descriptor {number}: {}", reason(&error)))
            })
        })
        .collect()
}

fn take_over(fd: OwnedFd) -> io::Result<Listener> {
    let inherited = |listener| Listener {
        is_inherited: true,
        ..listener
    };
    if sys::listener_kind(fd.as_fd())? == ListenerKind::Unix {
        let listener = UnixListener::from(fd);
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        // The file belongs to systemd and is not removed.
        let path = address.as_pathname().unwrap_or(Path::new("?"));
        return Ok(inherited(unix_listener(listener, path, None)));
    }
    let listener = TcpListener::from(fd);
    listener.set_nonblocking(true)?;
    sys::set_backlog(listener.as_raw_fd(), BACKLOG)?;
    Ok(inherited(tcp_listener(listener)))
}

#[cfg(test)]
mod tests;
