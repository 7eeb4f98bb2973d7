//! The scrape URI: the kind of source, and its address (RFC 3986 for the parts of an http URI).

use std::fmt::{self, Display};

use crate::net::address::{AddressError, HostPort, HttpUri};
use crate::sys;

/// A value of `--haproxy.scrape-uri`.
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

/// Maximum length of a socket's name: its address has one byte more, for the NUL (unix(7)).
const LONGEST_UNIX_NAME: usize = sys::UNIX_PATH_BYTES - 1;

impl ScrapeUri {
    /// Parses a scrape URI.
    ///
    /// # Errors
    /// The invalid part and the reason; never the password.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if let Some(bad) = text.chars().find(|c| c.is_control() || *c == ' ') {
            return Err(format!("a URI may not hold {bad:?}").into());
        }
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if !is_without_scheme(text, scheme) => (scheme, rest),
            _ => return Err(missing_scheme(text).into()),
        };
        match scheme.to_ascii_lowercase().as_str() {
            "unix" => UnixName::parse(rest).map(Self::Unix),
            "tcp" => parse_tcp(rest).map(Self::Tcp),
            "file" => absolute_path("file", rest).map(|path| Self::File(path.to_owned())),
            "http" => HttpUri::parse(rest, false).map(Self::Http),
            "https" if cfg!(feature = "tls") => HttpUri::parse(rest, true).map(Self::Http),
            "https" => Err("https: this build has no TLS (build with `make TLS=1`)".into()),
            _ => Err(format!(
                "scheme {scheme:?} is not supported (use http://, unix:, tcp:// or file:)"
            )
            .into()),
        }
    }
}

/// Whether a text with a colon begins with a path, or with a host and its port, instead of a scheme.
fn is_without_scheme(text: &str, scheme: &str) -> bool {
    let rest = &text[scheme.len() + 1..];
    let digits = rest.split(['/', ';']).next().unwrap_or_default();
    let is_port = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    scheme.starts_with(['/', '@', '[']) || scheme.contains(['/', '.']) || is_port
}

/// What to write instead of a text without a scheme. What could be a password is not repeated.
fn missing_scheme(text: &str) -> String {
    let use_one = match text {
        "" => "use http://, unix:, tcp:// or file:".to_owned(),
        _ if text.rfind('@').is_some_and(|at| at > 0) => match text.starts_with(['/', '@']) {
            true => "write unix: before it".to_owned(),
            false => "write http:// before it".to_owned(),
        },
        _ if text.starts_with(['/', '@']) => format!("write unix:{text}"),
        _ if text.contains(['/', ';']) => {
            let csv = if text.contains(";csv") { "" } else { ";csv" };
            format!("write \"http://{text}{csv}\"")
        }
        _ => format!("write \"http://{text}/;csv\" for a stats page, tcp://{text} for a CLI"),
    };
    format!("a scheme is missing ({use_one})")
}

impl Display for ScrapeUri {
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

impl UnixName {
    fn parse(rest: &str) -> Result<Self, AddressError> {
        let name = rest.strip_prefix("//").unwrap_or(rest);
        if let Some(name) = name.strip_prefix('@') {
            if name.is_empty() {
                return Err("the name of the abstract socket is missing".into());
            }
            return check_unix_length(name).map(|name| Self::Abstract(name.to_owned()));
        }
        let path = absolute_path("unix", rest)?;
        check_unix_length(path).map(|path| Self::Path(path.to_owned()))
    }
}

fn check_unix_length(name: &str) -> Result<&str, AddressError> {
    if name.len() > LONGEST_UNIX_NAME {
        return Err(format!(
            "the socket's name has {} bytes; {LONGEST_UNIX_NAME} are possible",
            name.len()
        )
        .into());
    }
    Ok(name)
}

fn absolute_path<'a>(scheme: &'static str, rest: &'a str) -> Result<&'a str, AddressError> {
    let path = match rest.strip_prefix("//") {
        // `unix:///path`: an empty host before the path.
        Some(path) if !path.starts_with('/') => {
            return Err(format!("{scheme}:// wants a third slash: {scheme}:///path").into());
        }
        Some(path) => path,
        None => rest,
    };
    if path.trim_matches('/').is_empty() {
        return Err(format!("the path is missing ({scheme}:/path)").into());
    }
    if !path.starts_with('/') {
        return Err(format!("the path is not absolute ({scheme}:/path)").into());
    }
    // Exactly one slash at the beginning, so that the printed URI does not look as if it had a
    // host.
    let more = path.bytes().take_while(|b| *b == b'/').count() - 1;
    Ok(&path[more..])
}

fn parse_tcp(rest: &str) -> Result<HostPort, AddressError> {
    let rest = rest.strip_prefix("//");
    let rest = rest.ok_or("tcp wants two slashes: tcp://host:port")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#', '@']) {
        return Err("tcp takes a host and a port only: tcp://host:port".into());
    }
    HostPort::parse(rest, None)
}

#[cfg(test)]
mod tests;
