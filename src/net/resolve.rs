//! Host names to addresses before a deadline: /etc/hosts, then DNS (RFC 1035) over UDP.
//!
//! The C library's `getaddrinfo` has no deadline, and in a static glibc binary it needs that
//! library's files at run time; an exporter in an empty chroot has neither time nor files to spare.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::errno::reason;
use crate::net::deadline::Deadline;
use crate::net::host_port::HostPort;
use crate::sys;

/// The size of hosts and resolv.conf that is read; a larger one is cut.
const MAX_CONFIG_BYTES: u64 = 1 << 20;
/// resolv.conf(5): at most 3 name servers and 6 search domains.
const MAX_NAME_SERVERS: usize = 3;
const MAX_SEARCH_DOMAINS: usize = 6;
/// The addresses that are tried, so that an answer full of dead ones ends.
const MAX_ADDRESSES: usize = 16;
/// One name server's time for an answer before the next is asked (resolv.conf(5) says 5 s, which
/// is a whole scrape).
const SERVER_TIMEOUT: Duration = Duration::from_millis(1000);
/// Once there are addresses of one kind, the time for those of the other: some servers never answer
/// for IPv6.
const OTHER_KIND_TIMEOUT: Duration = Duration::from_millis(50);
/// Rounds over all name servers (resolv.conf(5), `attempts`).
const ATTEMPTS: usize = 2;

/// Where names are looked up.
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    hosts: PathBuf,
    configuration: PathBuf,
    name_server_port: u16,
}

/// Why a name has no address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ResolveError {
    /// The deadline passed.
    TimedOut,
    /// Nobody knows the name.
    Unknown,
    /// The machine has no interface of this name.
    NoInterface(String),
    /// The name cannot be asked for (RFC 1035, 2.3.4).
    BadName,
    /// No name server answered, with the last reason.
    NoAnswer(String),
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("timed out"),
            Self::Unknown => f.write_str("no such host"),
            Self::NoInterface(name) => write!(f, "no such interface: {name:?}"),
            Self::BadName => f.write_str("not a valid host name"),
            Self::NoAnswer(why) => write!(f, "no name server answered: {why}"),
        }
    }
}

impl std::error::Error for ResolveError {}

impl Resolver {
    /// The machine's own files, or those of the chroot.
    pub(crate) fn system() -> Self {
        Self {
            hosts: PathBuf::from("/etc/hosts"),
            configuration: PathBuf::from("/etc/resolv.conf"),
            name_server_port: 53,
        }
    }

    /// All addresses of a host, at least one.
    ///
    /// # Errors
    /// When there is none before the deadline.
    pub(crate) fn resolve(
        &self,
        address: &HostPort,
        deadline: Deadline,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        if let Some(literal) = literal(&address.host) {
            return Ok(vec![with_port(literal?, address.port)]);
        }
        let mut found = from_hosts(&read_text(&self.hosts), &address.host);
        if found.is_empty() && is_localhost(&address.host) {
            // RFC 6761, 6.3: localhost is the loopback address, whatever DNS says.
            found = vec![
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::LOCALHOST),
            ];
        }
        if found.is_empty() {
            found = self.ask_dns(&address.host, deadline)?;
        }
        found.truncate(MAX_ADDRESSES);
        Ok(found
            .into_iter()
            .map(|ip| SocketAddr::new(ip, address.port))
            .collect())
    }

    fn ask_dns(&self, host: &str, deadline: Deadline) -> Result<Vec<IpAddr>, ResolveError> {
        let configuration = Configuration::parse(&read_text(&self.configuration));
        // Of the names that can be asked for; a search domain may make one too long.
        let mut last = ResolveError::BadName;
        for name in configuration.candidates(host) {
            let Some(query_name) = encode_name(&name) else {
                continue;
            };
            match self.ask_servers(&configuration.name_servers, &query_name, deadline) {
                Ok(found) if !found.is_empty() => return Ok(found),
                Err(ResolveError::TimedOut) => return Err(ResolveError::TimedOut),
                Err(error) => last = error,
                Ok(_) if last == ResolveError::BadName => last = ResolveError::Unknown,
                Ok(_) => {}
            }
        }
        Err(last)
    }

    fn ask_servers(
        &self,
        servers: &[IpAddr],
        name: &[u8],
        deadline: Deadline,
    ) -> Result<Vec<IpAddr>, ResolveError> {
        let mut last = ResolveError::NoAnswer("none is configured".to_owned());
        for server in servers.iter().cycle().take(servers.len() * ATTEMPTS) {
            match ask(
                SocketAddr::new(*server, self.name_server_port),
                name,
                deadline,
            ) {
                Ok(found) => return Ok(found),
                Err(_) if deadline.remaining().is_none() => return Err(ResolveError::TimedOut),
                Err(e) => last = ResolveError::NoAnswer(format!("{server}: {}", reason(&e))),
            }
        }
        Err(last)
    }
}

/// An IP address, if it is one; with a zone, the number or name of an interface (`fe80::1%eth0`).
fn literal(host: &str) -> Option<Result<SocketAddr, ResolveError>> {
    let Some((ip, zone)) = host.split_once('%') else {
        return host.parse().ok().map(|ip| Ok(SocketAddr::new(ip, 0)));
    };
    let ip: Ipv6Addr = ip.parse().ok()?;
    let number = zone.parse().ok().or_else(|| sys::interface_number(zone));
    let number = number.ok_or_else(|| ResolveError::NoInterface(zone.to_owned()));
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

/// A missing or unreadable file is an empty one, as for the C library.
fn read_text(path: &Path) -> String {
    let mut bytes = Vec::new();
    // A FIFO without a writer must not hold the scrape up.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path);
    let read = file.and_then(|file| file.take(MAX_CONFIG_BYTES).read_to_end(&mut bytes));
    if read.is_err() {
        bytes.clear();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// hosts(5): an address and its names a line, `#` begins a comment.
fn from_hosts(text: &str, host: &str) -> Vec<IpAddr> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let mut found = Vec::new();
    for line in text.lines() {
        let mut words = line
            .split('#')
            .next()
            .unwrap_or_default()
            .split_ascii_whitespace();
        let Some(Ok(address)) = words.next().map(str::parse) else {
            continue;
        };
        if words.any(|name| name.eq_ignore_ascii_case(host)) && !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

/// What resolv.conf(5) says.
#[derive(Debug, PartialEq, Eq)]
struct Configuration {
    name_servers: Vec<IpAddr>,
    search: Vec<String>,
    dots: usize,
}

impl Configuration {
    fn parse(text: &str) -> Self {
        let mut parsed = Self {
            name_servers: Vec::new(),
            search: Vec::new(),
            dots: 1,
        };
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => {
                    parsed
                        .name_servers
                        .extend(words.next().and_then(|word| word.parse::<IpAddr>().ok()));
                }
                // `search .`, which systemd-resolved writes, names no domain.
                Some("search" | "domain") => {
                    parsed.search = words
                        .map(|domain| domain.trim_end_matches('.').to_owned())
                        .filter(|domain| !domain.is_empty())
                        .collect();
                }
                Some("options") => {
                    let dots = words
                        .filter_map(|word| word.strip_prefix("ndots:")?.parse().ok())
                        .next_back();
                    parsed.dots = dots.unwrap_or(parsed.dots).min(15);
                }
                _ => {}
            }
        }
        parsed.name_servers.truncate(MAX_NAME_SERVERS);
        parsed.search.truncate(MAX_SEARCH_DOMAINS);
        if parsed.name_servers.is_empty() {
            parsed.name_servers.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        parsed
    }

    /// The names to ask for, in order: with enough dots as it is first, else in the search domains.
    fn candidates(&self, host: &str) -> Vec<String> {
        if let Some(absolute) = host.strip_suffix('.') {
            return vec![absolute.to_owned()];
        }
        let searched = self.search.iter().map(|domain| format!("{host}.{domain}"));
        let itself = std::iter::once(host.to_owned());
        if host.matches('.').count() >= self.dots {
            itself.chain(searched).collect()
        } else {
            searched.chain(itself).collect()
        }
    }
}

/// RFC 1035, 3.1: labels of 1 to 63 bytes, 255 in all.
fn encode_name(name: &str) -> Option<Vec<u8>> {
    let mut encoded = Vec::with_capacity(name.len() + 2);
    for label in name.split('.') {
        if label.is_empty() || label.len() > 63 || !label.is_ascii() {
            return None;
        }
        encoded.push(label.len() as u8);
        encoded.extend_from_slice(label.as_bytes());
    }
    encoded.push(0);
    (encoded.len() <= 255).then_some(encoded)
}

const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;

/// Asks one server for IPv4 and IPv6 addresses at the same time; IPv4 ones come first.
fn ask(server: SocketAddr, name: &[u8], deadline: Deadline) -> io::Result<Vec<IpAddr>> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // The kernel picks a random port, and drops what other addresses send.
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    let deadline = deadline.or_after(SERVER_TIMEOUT);
    let mut waiting = vec![(TYPE_A, random_id(0)), (TYPE_AAAA, random_id(1))];
    for (kind, id) in &waiting {
        socket.send(&query(*id, name, *kind))?;
    }
    let mut found: Vec<IpAddr> = Vec::new();
    let mut failure = None;
    let mut packet = [0; 4096];
    while !waiting.is_empty() {
        let deadline = match found.is_empty() {
            true => deadline,
            false => deadline.or_after(OTHER_KIND_TIMEOUT),
        };
        let received = match receive(&socket, &mut packet, deadline) {
            Ok(length) => &packet[..length],
            Err(error) => {
                failure = Some(error);
                break;
            }
        };
        waiting.retain(
            |(kind, id)| match parse_answer(received, *id, name, *kind) {
                Ok(None) => true,
                Ok(Some(addresses)) => {
                    found.extend(addresses);
                    false
                }
                Err(error) => {
                    failure = Some(error);
                    false
                }
            },
        );
    }
    // Servers that fail for one kind of address, or never answer for it, are common.
    match failure {
        Some(error) if found.is_empty() => Err(error),
        _ => {
            found.sort_by_key(IpAddr::is_ipv6);
            Ok(found)
        }
    }
}

fn receive(socket: &UdpSocket, packet: &mut [u8], deadline: Deadline) -> io::Result<usize> {
    loop {
        let left = deadline.remaining().ok_or(io::ErrorKind::TimedOut)?;
        socket.set_read_timeout(Some(left))?;
        match socket.recv(packet) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// A number that an attacker off the path cannot guess, from std's randomly keyed hasher.
fn random_id(salt: u8) -> u16 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(salt) as u16
}

fn query(id: u16, name: &[u8], kind: u16) -> Vec<u8> {
    let mut packet = Vec::with_capacity(18 + name.len());
    packet.extend_from_slice(&id.to_be_bytes());
    // Recursion desired; one question.
    packet.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    packet.extend_from_slice(name);
    packet.extend_from_slice(&kind.to_be_bytes());
    packet.extend_from_slice(&[0, 1]);
    packet
}

/// The addresses in an answer to our question (RFC 1035, 4.1); `None` when the packet is none.
/// Aliases need no care: a recursive server puts the addresses they lead to behind them.
fn parse_answer(packet: &[u8], id: u16, name: &[u8], kind: u16) -> io::Result<Option<Vec<IpAddr>>> {
    let question = &query(id, name, kind)[12..];
    let is_ours = packet.len() >= 12 + question.len()
        && packet[..2] == id.to_be_bytes()
        && packet[2] & 0x80 != 0
        && packet[12..12 + question.len()].eq_ignore_ascii_case(question);
    if !is_ours {
        return Ok(None);
    }
    match packet[3] & 0x0f {
        0 => {}
        // The name does not exist.
        3 => return Ok(Some(Vec::new())),
        code => return Err(io::Error::other(format!("it answered with code {code}"))),
    }
    let count = u16::from_be_bytes([packet[6], packet[7]]);
    let mut found = Vec::new();
    let mut rest = &packet[12 + question.len()..];
    // A record that is cut (a truncated answer) ends the list: those before it are good.
    for _ in 0..count {
        let Some((record_kind, data, after)) = next_record(rest) else {
            break;
        };
        rest = after;
        if record_kind != kind {
            continue;
        }
        if let Ok(octets) = <[u8; 4]>::try_from(data) {
            found.push(IpAddr::from(octets));
        } else if let Ok(octets) = <[u8; 16]>::try_from(data) {
            found.push(IpAddr::from(octets));
        }
    }
    let is_truncated = packet[2] & 0x02 != 0;
    if is_truncated && found.is_empty() {
        return Err(io::Error::other("its answer does not fit into a packet"));
    }
    Ok(Some(found))
}

/// Type and data of the first record, and what follows it.
fn next_record(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let rest = skip_name(bytes)?;
    let (fixed, rest) = rest.split_at_checked(10)?;
    let length = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
    let (data, rest) = rest.split_at_checked(length)?;
    Some((u16::from_be_bytes([fixed[0], fixed[1]]), data, rest))
}

fn skip_name(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let (length, rest) = bytes.split_first()?;
        match length {
            0 => return Some(rest),
            // A pointer to an earlier name ends this one.
            0xc0..=0xff => return rest.get(1..),
            1..=63 => bytes = rest.get(usize::from(*length)..)?,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests;
