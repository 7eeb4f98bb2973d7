//! What an http or https URI names (RFC 3986; RFC 9110, 4.2).

use std::fmt;

use super::host_port::HostPort;

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
