//! What an http or https URI names (RFC 3986; RFC 9110, 4.2).

use std::error::Error;
use std::fmt::{self, Display};

use super::host_port::{HostPort, HostPortError};

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
    /// Parses what follows `http:` or `https:`. A missing path is `/`; a fragment is dropped.
    ///
    /// # Errors
    /// What is wrong with which part; the password is not in it.
    pub fn parse(rest: &str, tls: bool) -> Result<Self, HttpUriError> {
        let rest = rest.strip_prefix("//").ok_or(HttpUriError::NoSlashes)?;
        let path_start = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_start);
        // Before anything of it is quoted: it may be the rest of a password.
        if path.contains('@') {
            return Err(HttpUriError::NotEncoded);
        }
        let path = path.split('#').next().unwrap_or_default();
        if !path.is_ascii() {
            return Err(HttpUriError::PathNotAscii);
        }
        let (credentials, authority) = match authority.rsplit_once('@') {
            Some((user, authority)) => (Some(percent_decode(user)?), authority),
            None => (None, authority),
        };
        let address = HostPort::parse(authority, Some(if tls { 443 } else { 80 }));
        let mut address = address.map_err(HttpUriError::HostPort)?;
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

/// Why a text is not what follows `http:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpUriError {
    /// It does not begin with `//`.
    NoSlashes,
    /// An `@` behind the first `/`, `?` or `#`. What stands before it may be a password.
    NotEncoded,
    /// A path that is not ASCII.
    PathNotAscii,
    /// A percent sign before the `@` without its two digits.
    Percent,
    /// The host and the port.
    HostPort(HostPortError),
}

impl Error for HttpUriError {}

impl Display for HttpUriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSlashes => "two slashes are missing: http://host/path",
            Self::NotEncoded => {
                "a / ? or # in the user or password, or an @ in the path, must be percent-encoded"
            }
            Self::PathNotAscii => "the path holds characters that must be percent-encoded",
            Self::Percent => "a percent sign in the user or password lacks its two digits",
            Self::HostPort(error) => return error.fmt(f),
        })
    }
}

/// Decodes `%41`; the user part without a colon stands for an empty password.
fn percent_decode(text: &str) -> Result<Vec<u8>, HttpUriError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(HttpUriError::Percent);
        };
        bytes.push((high * 16 + low) as u8);
    }
    if !text.contains(':') {
        bytes.push(b':');
    }
    Ok(bytes)
}
