//! A host and a port, as URIs and addresses write them (RFC 3986, 3.2.2 and 3.2.3).

use std::error::Error;
use std::fmt::{self, Display};

use super::unsigned;

/// A host, without brackets, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an IP address.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
}

impl Display for HostPort {
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
    /// What is missing or wrong.
    pub fn parse(text: &str, default: Option<u16>) -> Result<Self, HostPortError> {
        let (host, port) = split_host_port(text)?;
        let port = match (port, default) {
            (None | Some(""), Some(default)) => default,
            (Some(port), _) => parse_port(port)?,
            (None, None) => return Err(HostPortError::NoPort),
        };
        if host.is_empty() {
            return Err(HostPortError::NoHost);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

/// Why a text is not a host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPortError {
    /// Nothing before the port.
    NoHost,
    /// No port, and none that is usual.
    NoPort,
    /// A port that is not one.
    Port(String),
    /// A bracket that nothing closes.
    OpenBracket,
    /// What stands in brackets.
    NotIpv6(String),
    /// What stands behind the brackets instead of a port.
    BehindBracket(String),
    /// An IPv6 address without brackets.
    Ipv6WithoutBrackets,
    /// More colons than a host and a port have. What they separate may hold a password.
    MoreColons,
}

impl Error for HostPortError {}

impl Display for HostPortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => f.write_str("the host is missing"),
            Self::NoPort => f.write_str("the port is missing (host:port)"),
            Self::Port(text) => write!(f, "port must be a number from 1 to 65535, not {text:?}"),
            Self::OpenBracket => f.write_str("the closing bracket is missing"),
            Self::NotIpv6(host) => write!(f, "{host:?} in brackets is not an IPv6 address"),
            Self::BehindBracket(rest) => write!(f, "{rest:?} behind the bracket is not a port"),
            Self::Ipv6WithoutBrackets => {
                f.write_str("an IPv6 address must be in brackets: [::1]:port")
            }
            Self::MoreColons => f.write_str("there is more than one colon: write host:port"),
        }
    }
}

fn parse_port(text: &str) -> Result<u16, HostPortError> {
    let port = unsigned(text.as_bytes()).and_then(|number| u16::try_from(number).ok());
    port.filter(|port| *port > 0)
        .ok_or_else(|| HostPortError::Port(text.to_owned()))
}

/// Splits at the colon before the port; an IPv6 address must be in brackets.
///
/// # Errors
/// What is wrong with the brackets or colons.
pub(crate) fn split_host_port(text: &str) -> Result<(&str, Option<&str>), HostPortError> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(HostPortError::OpenBracket)?;
        let address = host.split('%').next().unwrap_or_default();
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(HostPortError::NotIpv6(host.to_owned()));
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(HostPortError::BehindBracket(after.to_owned())),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, port)) if port.contains(':') => Err(match is_like_ipv6(text) {
            true => HostPortError::Ipv6WithoutBrackets,
            false => HostPortError::MoreColons,
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
