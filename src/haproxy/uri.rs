//! The scrape URI: which source, and where (RFC 3986 for the parts of an http URI).

use std::fmt;

use crate::metrics::value;

/// What `--haproxy.scrape-uri` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScrapeUri {
    /// `unix:/path` or `unix:@name`.
    Unix(UnixName),
    /// `tcp://host:port`.
    Tcp(HostPort),
    /// `http://...`, or `https://...` with `tls` set.
    Http(HttpUri),
    /// `file:/path`.
    File(String),
}

/// Name of a unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnixName {
    /// A file.
    Path(String),
    /// A name in the abstract namespace, without the NUL (unix(7)).
    Abstract(String),
}

/// A host, without brackets, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an IP address.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
}

/// Parts of an http URI.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpUri {
    /// https.
    pub tls: bool,
    /// Percent-decoded `user:password`.
    pub credentials: Option<Vec<u8>>,
    /// Where to connect.
    pub address: HostPort,
    /// The host and port as written, for the `Host` header.
    pub authority: String,
    /// Path and query, beginning with a slash.
    pub path: String,
}

impl fmt::Debug for HttpUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the exporter can read from, for errors.
const SUPPORTED: &str = "use http://, unix:, tcp:// or file:";

impl ScrapeUri {
    /// Parses a scrape URI.
    ///
    /// # Errors
    /// A text that names the reason; it never holds the URI's password.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(bad) = text.chars().find(|c| c.is_control() || *c == ' ') {
            return Err(format!("a URI may not hold {bad:?}"));
        }
        let (scheme, rest) = text
            .split_once(':')
            .ok_or_else(|| format!("a scheme is missing ({SUPPORTED})"))?;
        match scheme.to_ascii_lowercase().as_str() {
            "unix" => UnixName::parse(rest).map(Self::Unix),
            "tcp" => parse_tcp(rest).map(Self::Tcp),
            "file" => absolute_path("file", rest).map(|path| Self::File(path.to_owned())),
            "http" => HttpUri::parse(rest, false).map(Self::Http),
            "https" if cfg!(feature = "tls") => HttpUri::parse(rest, true).map(Self::Http),
            "https" => Err("https: this build has no TLS (build with `make TLS=1`)".to_owned()),
            _ => Err(format!("scheme {scheme:?} is not supported ({SUPPORTED})")),
        }
    }
}

impl fmt::Display for ScrapeUri {
    /// The URI with its password masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(UnixName::Path(path)) => write!(f, "unix:{path}"),
            Self::Unix(UnixName::Abstract(name)) => write!(f, "unix:@{name}"),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Http(http) => http.fmt(f),
            Self::File(path) => write!(f, "file:{path}"),
        }
    }
}

impl fmt::Display for HttpUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        let masked = if self.credentials.is_some() {
            "***@"
        } else {
            ""
        };
        write!(f, "{scheme}://{masked}{}{}", self.authority, self.path)
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl UnixName {
    fn parse(rest: &str) -> Result<Self, String> {
        let name = rest.strip_prefix("//").unwrap_or(rest);
        if let Some(name) = name.strip_prefix('@') {
            if name.is_empty() {
                return Err("the name of the abstract socket is missing".to_owned());
            }
            return check_unix_length(name).map(|name| Self::Abstract(name.to_owned()));
        }
        let path = absolute_path("unix", rest)?;
        check_unix_length(path).map(|path| Self::Path(path.to_owned()))
    }
}

fn check_unix_length(name: &str) -> Result<&str, String> {
    let longest = crate::sys::UNIX_PATH_BYTES - 1;
    if name.len() > longest {
        return Err(format!(
            "the socket's name has {} bytes; {longest} are possible",
            name.len()
        ));
    }
    Ok(name)
}

fn absolute_path<'a>(scheme: &str, rest: &'a str) -> Result<&'a str, String> {
    let path = match rest.strip_prefix("//") {
        // `unix:///path`: an empty host before the path.
        Some(path) if !path.starts_with('/') => {
            return Err(format!("{scheme}:// wants a third slash: {scheme}:///path"));
        }
        Some(path) => path,
        None => rest,
    };
    if path.trim_matches('/').is_empty() {
        return Err(format!("the path is missing ({scheme}:/path)"));
    }
    if !path.starts_with('/') {
        return Err(format!("the path is not absolute ({scheme}:/path)"));
    }
    // One slash at the beginning, so that what is printed cannot be taken for a host.
    let more = path.bytes().take_while(|b| *b == b'/').count() - 1;
    Ok(&path[more..])
}

fn parse_tcp(rest: &str) -> Result<HostPort, String> {
    let rest = rest
        .strip_prefix("//")
        .ok_or("tcp wants two slashes: tcp://host:port")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#', '@']) {
        return Err("tcp takes a host and a port only: tcp://host:port".to_owned());
    }
    HostPort::parse(rest, None)
}

impl HostPort {
    /// Parses `host:port` or `[v6]:port`; without a port `default` is taken.
    ///
    /// # Errors
    /// A text that names the reason.
    pub fn parse(text: &str, default: Option<u16>) -> Result<Self, String> {
        let (host, port) = split_host_port(text)?;
        let port = match (port, default) {
            (None | Some(""), Some(default)) => default,
            (Some(port), _) => parse_port(port)?,
            (None, None) => return Err("the port is missing (host:port)".to_owned()),
        };
        if host.is_empty() {
            return Err("the host is missing".to_owned());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    let port = value::unsigned(text.as_bytes()).and_then(|number| u16::try_from(number).ok());
    port.filter(|port| *port > 0)
        .ok_or_else(|| format!("port {text:?} is no number from 1 to 65535"))
}

/// Splits at the colon before the port; an IPv6 address must be in brackets.
///
/// # Errors
/// A text that names the reason.
pub(crate) fn split_host_port(text: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest
            .split_once(']')
            .ok_or("the closing bracket is missing")?;
        let address = host.split('%').next().unwrap_or_default();
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(format!("{host:?} in brackets is no IPv6 address"));
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(format!("{after:?} behind the bracket is no port")),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, port)) if port.contains(':') => {
            Err("an IPv6 address must be in brackets: [::1]:port".to_owned())
        }
        Some((host, port)) => Ok((host, Some(port))),
    }
}

impl HttpUri {
    /// Parses what follows `http:` or `https:`. A missing path is `/`; a fragment is dropped.
    ///
    /// # Errors
    /// A text that names the reason, without the password.
    pub fn parse(rest: &str, tls: bool) -> Result<Self, String> {
        let rest = rest
            .strip_prefix("//")
            .ok_or("two slashes are missing: http://host/path")?;
        let path_start = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_start);
        // Before anything of it is quoted: it may be the rest of a password.
        if path.contains('@') {
            return Err("a / ? or # in the user or password, or an @ in the path, \
                        must be percent-encoded"
                .to_owned());
        }
        let path = path.split('#').next().unwrap_or_default();
        if !path.is_ascii() {
            return Err("the path holds characters that must be percent-encoded".to_owned());
        }
        let (credentials, authority) = match authority.rsplit_once('@') {
            Some((user, authority)) => (Some(percent_decode(user)?), authority),
            None => (None, authority),
        };
        let mut address = HostPort::parse(authority, Some(if tls { 443 } else { 80 }))?;
        // A zone's percent sign is encoded (RFC 6874, 2).
        let zone = address.host.split_once("%25");
        if let Some((ip, zone)) = zone.filter(|(_, zone)| !zone.is_empty()) {
            address.host = format!("{ip}%{zone}");
        }
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        let authority = authority.strip_suffix(':').unwrap_or(authority).to_owned();
        Ok(Self {
            tls,
            credentials,
            address,
            authority,
            path,
        })
    }
}

/// Decodes `%41`; the user part without a colon stands for an empty password.
fn percent_decode(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err("a percent sign in the user or password lacks its two digits".to_owned());
        };
        bytes.push((high * 16 + low) as u8);
    }
    if !text.contains(':') {
        bytes.push(b':');
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
