//! A host and a port, as URIs and addresses write them (RFC 3986, 3.2.2 and 3.2.3).

use std::fmt;

use super::unsigned;

/// A host, without brackets, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an IP address.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
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
    let port = unsigned(text.as_bytes()).and_then(|number| u16::try_from(number).ok());
    port.filter(|port| *port > 0)
        .ok_or_else(|| format!("port must be a number from 1 to 65535, not {text:?}"))
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
            return Err(format!("{host:?} in brackets is not an IPv6 address"));
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(format!("{after:?} behind the bracket is not a port")),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, port)) if port.contains(':') => Err(match is_like_ipv6(text) {
            true => "an IPv6 address must be in brackets: [::1]:port".to_owned(),
            false => "there is more than one colon: write host:port".to_owned(),
        }),
        Some((host, port)) => Ok((host, Some(port))),
    }
}

/// Whether somebody may have meant an IPv6 address, with a port or a zone behind it or not: without
/// `::` it has eight groups, or six and an IPv4 address (RFC 4291, 2.2).
fn is_like_ipv6(text: &str) -> bool {
    let address = text.split('%').next().unwrap_or_default();
    let colons = address.matches(':').count();
    let is_long_enough = address.contains("::") || colons >= 7 - usize::from(address.contains('.'));
    is_long_enough && (address.chars()).all(|c| c.is_ascii_hexdigit() || c == ':' || c == '.')
}

#[cfg(test)]
mod tests;
