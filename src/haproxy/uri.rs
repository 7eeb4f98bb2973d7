//! The scrape URI: which source, and where (RFC 3986 for the parts of an http URI).

use std::error::Error;
use std::fmt::{self, Display};

use crate::net::host_port::{HostPort, HostPortError};
use crate::net::http_uri::{HttpUri, HttpUriError};
use crate::sys;

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

/// Bytes of a socket's name at most: its address has one more, for the NUL (unix(7)).
const LONGEST_UNIX_NAME: usize = sys::UNIX_PATH_BYTES - 1;

impl ScrapeUri {
    /// Parses a scrape URI.
    ///
    /// # Errors
    /// What is wrong with which part; the password is not in it.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        if let Some(bad) = text.chars().find(|c| c.is_control() || *c == ' ') {
            return Err(UriError::Character(bad));
        }
        let (scheme, rest) = text.split_once(':').ok_or(UriError::NoScheme)?;
        match scheme.to_ascii_lowercase().as_str() {
            "unix" => UnixName::parse(rest).map(Self::Unix),
            "tcp" => parse_tcp(rest).map(Self::Tcp),
            "file" => absolute_path("file", rest).map(|path| Self::File(path.to_owned())),
            "http" => parse_http(rest, false).map(Self::Http),
            "https" if cfg!(feature = "tls") => parse_http(rest, true).map(Self::Http),
            "https" => Err(UriError::NoTls),
            _ => Err(UriError::Scheme(scheme.to_owned())),
        }
    }
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

/// Why a text is not a scrape URI. A password is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UriError {
    /// A blank or control character.
    Character(char),
    /// No colon.
    NoScheme,
    /// A scheme that nothing here reads.
    Scheme(String),
    /// https, which this build has not.
    NoTls,
    /// `unix:@` and nothing behind it.
    NoAbstractName,
    /// The bytes of a socket's name, which are too many.
    UnixNameTooLong(usize),
    /// `unix://` or `file://` with what would be a host; the scheme.
    ThirdSlash(&'static str),
    /// `unix:` or `file:` without a path; the scheme.
    NoPath(&'static str),
    /// A path that does not begin with a slash; the scheme.
    PathNotAbsolute(&'static str),
    /// `tcp:` without two slashes.
    TcpWithoutSlashes,
    /// `tcp:` with a user, path, query or fragment.
    MoreThanHostAndPort,
    /// The host and the port of a `tcp:` URI.
    HostPort(HostPortError),
    /// What follows `http:` or `https:`.
    Http(HttpUriError),
}

impl Error for UriError {}

impl Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SUPPORTED: &str = "use http://, unix:, tcp:// or file:";
        match self {
            Self::Character(bad) => write!(f, "a URI may not hold {bad:?}"),
            Self::NoScheme => write!(f, "a scheme is missing ({SUPPORTED})"),
            Self::Scheme(scheme) => {
                write!(f, "scheme {scheme:?} is not supported ({SUPPORTED})")
            }
            Self::NoTls => f.write_str("https: this build has no TLS (build with `make TLS=1`)"),
            Self::NoAbstractName => f.write_str("the name of the abstract socket is missing"),
            Self::UnixNameTooLong(bytes) => write!(
                f,
                "the socket's name has {bytes} bytes; {LONGEST_UNIX_NAME} are possible"
            ),
            Self::ThirdSlash(scheme) => {
                write!(f, "{scheme}:// wants a third slash: {scheme}:///path")
            }
            Self::NoPath(scheme) => write!(f, "the path is missing ({scheme}:/path)"),
            Self::PathNotAbsolute(scheme) => {
                write!(f, "the path is not absolute ({scheme}:/path)")
            }
            Self::TcpWithoutSlashes => f.write_str("tcp wants two slashes: tcp://host:port"),
            Self::MoreThanHostAndPort => {
                f.write_str("tcp takes a host and a port only: tcp://host:port")
            }
            Self::HostPort(error) => error.fmt(f),
            Self::Http(error) => error.fmt(f),
        }
    }
}

impl UnixName {
    fn parse(rest: &str) -> Result<Self, UriError> {
        let name = rest.strip_prefix("//").unwrap_or(rest);
        if let Some(name) = name.strip_prefix('@') {
            if name.is_empty() {
                return Err(UriError::NoAbstractName);
            }
            return check_unix_length(name).map(|name| Self::Abstract(name.to_owned()));
        }
        let path = absolute_path("unix", rest)?;
        check_unix_length(path).map(|path| Self::Path(path.to_owned()))
    }
}

fn check_unix_length(name: &str) -> Result<&str, UriError> {
    if name.len() > LONGEST_UNIX_NAME {
        return Err(UriError::UnixNameTooLong(name.len()));
    }
    Ok(name)
}

fn absolute_path<'a>(scheme: &'static str, rest: &'a str) -> Result<&'a str, UriError> {
    let path = match rest.strip_prefix("//") {
        // `unix:///path`: an empty host before the path.
        Some(path) if !path.starts_with('/') => {
            return Err(UriError::ThirdSlash(scheme));
        }
        Some(path) => path,
        None => rest,
    };
    if path.trim_matches('/').is_empty() {
        return Err(UriError::NoPath(scheme));
    }
    if !path.starts_with('/') {
        return Err(UriError::PathNotAbsolute(scheme));
    }
    // One slash at the beginning, so that what is printed cannot be taken for a host.
    let more = path.bytes().take_while(|b| *b == b'/').count() - 1;
    Ok(&path[more..])
}

fn parse_http(rest: &str, tls: bool) -> Result<HttpUri, UriError> {
    HttpUri::parse(rest, tls).map_err(UriError::Http)
}

fn parse_tcp(rest: &str) -> Result<HostPort, UriError> {
    let rest = rest.strip_prefix("//");
    let rest = rest.ok_or(UriError::TcpWithoutSlashes)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#', '@']) {
        return Err(UriError::MoreThanHostAndPort);
    }
    HostPort::parse(rest, None).map_err(UriError::HostPort)
}

#[cfg(test)]
mod tests;
