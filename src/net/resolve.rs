//! Looks up host names before a deadline.
//!
//! The lookup of the C library, which std uses, has no deadline. So it runs in a thread of its own,
//! and a scrape waits for it only until its deadline. If a lookup still runs, the next scrape waits
//! for the same lookup, so there is never more than one. Addresses and `localhost` need no lookup.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread;

use super::address::HostPort;
use super::deadline::Deadline;
use crate::errno::reason;
use crate::sys;

/// Maximum number of addresses that are tried, so that a reply full of dead addresses ends.
const MAX_ADDRESSES: usize = 16;
/// Stack size in bytes. The lookup of musl keeps two replies of 4.8 KB and some tables on its
/// stack, glibc's a little more.
const STACK_BYTES: usize = 128 * 1024;
/// Error texts of the C libraries, without what differs between them, and our error.
const UNKNOWN: [&str; 4] = [
    "Name does not resolve",
    "Name has no usable address",
    "Name or service not known",
    "No address associated with hostname",
];
const NO_NAME_SERVER: [&str; 2] = ["Temporary failure in name resolution", "Try again"];

/// Looks up host names, one at a time.
pub(crate) struct Resolver {
    lookup: Lookup,
    /// A lookup that outlived the deadline of a scrape.
    running: Option<Receiver<Answer>>,
}

/// Blocks until the addresses of a name are known, or that it has none.
type Lookup = fn(&str, u16) -> Answer;
type Answer = io::Result<Vec<SocketAddr>>;

impl Resolver {
    /// Looks up like the C library: /etc/hosts, then DNS.
    pub(crate) fn system() -> Self {
        Self::new(|host, port| Ok((host, port).to_socket_addrs()?.collect()))
    }

    fn new(lookup: Lookup) -> Self {
        Self {
            lookup,
            running: None,
        }
    }

    /// All addresses of a host, at least one. Must always be called for the same host: a lookup
    /// that takes longer than one scrape serves the next one.
    ///
    /// # Errors
    /// If there is no address before the deadline.
    pub(crate) fn resolve(
        &mut self,
        address: &HostPort,
        deadline: Deadline,
    ) -> io::Result<Vec<SocketAddr>> {
        if let Some(literal) = literal(&address.host) {
            return Ok(vec![with_port(literal?, address.port)]);
        }
        if is_localhost(&address.host) {
            // RFC 6761, 6.3: localhost is always the loopback address.
            let both = [
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::LOCALHOST),
            ];
            return Ok(both.map(|ip| SocketAddr::new(ip, address.port)).to_vec());
        }
        let lookup = match self.running.take() {
            Some(running) if running.try_recv().is_err_and(|e| e == TryRecvError::Empty) => running,
            // The result of a lookup that has ended in the meantime can be outdated.
            _ => start(self.lookup, address)?,
        };
        while let Some(left) = deadline.next_look() {
            match lookup.recv_timeout(left) {
                Ok(answer) => return addresses(answer),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::other("the lookup's thread has ended"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        self.running = Some(lookup);
        Err(timed_out())
    }
}

/// The name does not exist.
pub(super) fn unknown() -> io::Error {
    io::Error::other("no such host")
}

fn timed_out() -> io::Error {
    io::ErrorKind::TimedOut.into()
}

/// Starts a thread that ends with the result, whether or not the scrape still waits for it.
fn start(lookup: Lookup, address: &HostPort) -> io::Result<Receiver<Answer>> {
    let (sender, receiver) = sync_channel(1);
    let HostPort { host, port } = address.clone();
    thread::Builder::new()
        .name("lookup".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || sender.send(lookup(&host, port)))
        .map_err(|error| io::Error::other(format!("cannot start a thread: {}", reason(&error))))?;
    Ok(receiver)
}

fn addresses(answer: Answer) -> io::Result<Vec<SocketAddr>> {
    let mut found = answer.map_err(explain)?;
    found.truncate(MAX_ADDRESSES);
    match found.is_empty() {
        true => Err(unknown()),
        false => Ok(found),
    }
}

/// std passes the error of getaddrinfo(3) on only as the text of the C library.
fn explain(error: io::Error) -> io::Error {
    let text = error.to_string();
    let says = |texts: &[&str]| texts.iter().any(|known| text.ends_with(known));
    if says(&UNKNOWN) {
        unknown()
    } else if says(&NO_NAME_SERVER) {
        io::Error::other("no name server replied")
    } else {
        error
    }
}

/// Parses an IP address; its zone is the number or name of an interface (`fe80::1%eth0`).
fn literal(host: &str) -> Option<io::Result<SocketAddr>> {
    let Some((ip, zone)) = host.split_once('%') else {
        return host.parse().ok().map(|ip| Ok(SocketAddr::new(ip, 0)));
    };
    let ip: Ipv6Addr = ip.parse().ok()?;
    let number = zone.parse().ok().or_else(|| sys::interface_number(zone));
    let number = number.ok_or_else(|| io::Error::other(format!("no such interface: {zone:?}")));
    Some(number.map(|zone| SocketAddrV6::new(ip, 0, 0, zone).into()))
}

fn with_port(mut address: SocketAddr, port: u16) -> SocketAddr {
    address.set_port(port);
    address
}

fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests;
