//! The address of a peer: a host and a port (RFC 3986, 3.2.2 and 3.2.3), or an http or https URI
//! (RFC 9110, 4.2), and how its certificate is verified.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Display};

use super::unsigned;

/// Why an address is invalid. The texts contain no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError(Cow<'static, str>);

impl Error for AddressError {}

impl Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T: Into<Cow<'static, str>>> From<T> for AddressError {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl From<AddressError> for String {
    fn from(error: AddressError) -> Self {
        error.0.into_owned()
    }
}

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
    /// Parses `host:port` or `[v6]:port`. If the port is missing, it is `default`.
    ///
    /// # Errors
    /// What is missing or invalid.
    pub fn parse(text: &str, default: Option<u16>) -> Result<Self, AddressError> {
        let (host, port) = split_host_port(text)?;
        let port = match (port, default) {
            (None | Some(""), Some(default)) => default,
            (Some(port), _) => parse_port(port)?,
            (None, None) => return Err("the port is missing (host:port)".into()),
        };
        if host.is_empty() {
            return Err("the host is missing".into());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

fn parse_port(text: &str) -> Result<u16, AddressError> {
    let port = unsigned(text.as_bytes()).and_then(|number| u16::try_from(number).ok());
    port.filter(|port| *port > 0)
        .ok_or_else(|| format!("port must be a number from 1 to 65535, not {text:?}").into())
}

/// Splits at the colon before the port; an IPv6 address must be in brackets.
///
/// # Errors
/// Invalid brackets or colons.
pub(crate) fn split_host_port(text: &str) -> Result<(&str, Option<&str>), AddressError> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest
            .split_once(']')
            .ok_or("the closing bracket is missing")?;
        let address = host.split('%').next().unwrap_or_default();
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(format!("{host:?} in brackets is not an IPv6 address").into());
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(format!("{after:?} behind the bracket is not a port").into()),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, port)) if port.contains(':') => Err(match is_like_ipv6(text) {
            true => "an IPv6 address must be in brackets: [::1]:port",
            // The parts between the colons could be a password.
            false => "there is more than one colon: write host:port",
        }
        .into()),
        Some((host, port)) => Ok((host, Some(port))),
    }
}

/// Whether the text resembles an IPv6 address, with or without a port or a zone. Without `::` such
/// an address has eight groups, or six and an IPv4 address (RFC 4291, 2.2).
fn is_like_ipv6(text: &str) -> bool {
    let address = text.split('%').next().unwrap_or_default();
    let colons = address.matches(':').count();
    let is_long_enough = address.contains("::") || colons >= 7 - usize::from(address.contains('.'));
    is_long_enough && (address.chars()).all(|c| c.is_ascii_hexdigit() || c == ':' || c == '.')
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
        Display::fmt(self, f)
    }
}

impl Display for HttpUri {
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

impl HttpUri {
    /// Parses the part after `http:` or `https:`. A missing path is `/`; a fragment is dropped.
    ///
    /// # Errors
    /// The invalid part and the reason; never the password.
    pub fn parse(rest: &str, tls: bool) -> Result<Self, AddressError> {
        let rest = rest
            .strip_prefix("//")
            .ok_or("two slashes are missing: http://host/path")?;
        let path_start = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_start);
        // Must come before any of it is quoted: it could be the rest of a password.
        if path.contains('@') {
            return Err(
                "a / ? or # in the user or password, or an @ in the path, must be percent-encoded"
                    .into(),
            );
        }
        let path = path.split('#').next().unwrap_or_default();
        if !path.is_ascii() {
            return Err("the path holds characters that must be percent-encoded".into());
        }
        let (credentials, authority) = match authority.rsplit_once('@') {
            Some((user, authority)) => (Some(percent_decode(user)?), authority),
            None => (None, authority),
        };
        let mut address = HostPort::parse(authority, Some(if tls { 443 } else { 80 }))?;
        // The percent sign of a zone is encoded (RFC 6874, 2).
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

/// Decodes `%41`. A user part without a colon means an empty password.
fn percent_decode(text: &str) -> Result<Vec<u8>, AddressError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err("a percent sign in the user or password lacks its two digits".into());
        };
        bytes.push((high * 16 + low) as u8);
    }
    if !text.contains(':') {
        bytes.push(b':');
    }
    Ok(bytes)
}

/// How certificates are verified. It has an effect only with the feature `tls`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Certificates are not verified at all.
    pub insecure: bool,
    /// Only the roots of this PEM file are trusted.
    pub ca_file: Option<String>,
    /// This name is verified and sent instead of the URI's host.
    pub server_name: Option<String>,
}

#[cfg(test)]
mod tests;
