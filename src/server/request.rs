//! Parses a request head from untrusted bytes (RFC 9112, sections 2 to 5).

use std::time::Duration;

use super::encoding::Accepted;
use crate::net::http::head_end;

/// Maximum size of a head in bytes. Prometheus sends about 300.
pub const MAX_HEAD_BYTES: usize = 8 * 1024;

/// A valid request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// HEAD instead of GET.
    pub is_head: bool,
    /// The path without the query; printable ASCII that begins with a slash.
    pub path: String,
    /// The query, without the question mark; printable ASCII.
    pub query: String,
    /// Whether the client keeps the connection open for another request.
    pub keep_alive: bool,
    /// Whether the client prefers a compressed response, and understands one whose length is not known
    /// before it (HTTP/1.1).
    pub takes_gzip: bool,
    /// `X-Prometheus-Scrape-Timeout-Seconds`.
    pub announced: Option<Duration>,
}

/// Result of parsing the bytes that a connection has received so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The head is not complete, and no error was found so far.
    Incomplete,
    /// A request, and the number of bytes it occupies.
    Request(Request, usize),
    /// A request to refuse.
    Refused(Refusal),
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It violates RFC 9112.
    Malformed,
    /// A method other than GET and HEAD.
    Method,
    /// The head was not complete in time.
    Timeout,
    /// A request with a body.
    Body,
    /// An `Expect` header.
    Expect,
    /// The head is larger than `MAX_HEAD_BYTES`.
    TooLarge,
    /// A protocol version other than HTTP/1.
    Version,
}

impl Refusal {
    /// Status code and reason phrase.
    pub const fn status(self) -> &'static str {
        match self {
            Self::Malformed => "400 Bad Request",
            Self::Method => "405 Method Not Allowed",
            Self::Timeout => "408 Request Timeout",
            Self::Body => "413 Content Too Large",
            Self::Expect => "417 Expectation Failed",
            Self::TooLarge => "431 Request Header Fields Too Large",
            Self::Version => "505 HTTP Version Not Supported",
        }
    }
}

/// Parses the bytes that a connection has received so far.
pub fn parse(bytes: &[u8]) -> Parsed {
    // Empty lines before a request are to be ignored (RFC 9112, 2.2).
    let start = bytes
        .iter()
        .position(|b| !matches!(b, b'\r' | b'\n'))
        .unwrap_or(bytes.len());
    let text = &bytes[start..];
    // The first byte shows that it is not HTTP (a TLS hello, for example), which might never end a
    // line.
    if text.first().is_some_and(|first| !is_token_byte(*first)) {
        return Parsed::Refused(Refusal::Malformed);
    }
    let Some(length) = head_end(text) else {
        return match bytes.len() >= MAX_HEAD_BYTES {
            true => Parsed::Refused(Refusal::TooLarge),
            false => Parsed::Incomplete,
        };
    };
    if start + length > MAX_HEAD_BYTES {
        return Parsed::Refused(Refusal::TooLarge);
    }
    match parse_head(&text[..length]) {
        Ok(request) => Parsed::Request(request, start + length),
        Err(refusal) => Parsed::Refused(refusal),
    }
}

fn parse_head(head: &[u8]) -> Result<Request, Refusal> {
    let mut lines = head
        .split(|b| *b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let (is_head, (path, query), minor_version) = request_line(lines.next().unwrap_or_default())?;
    let mut hosts = 0;
    let mut length = None;
    let mut accepted = Accepted::default();
    let mut request = Request {
        is_head,
        path,
        query,
        keep_alive: minor_version > 0,
        takes_gzip: false,
        announced: None,
    };
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = field(line)?;
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("Host") {
            hosts += 1;
        } else if is("Content-Length") {
            let number = body_length(value)?;
            if length.is_some_and(|before| before != number) {
                return Err(Refusal::Malformed);
            }
            length = Some(number);
        } else if is("Transfer-Encoding") {
            return Err(Refusal::Body);
        } else if is("Expect") {
            return Err(Refusal::Expect);
        } else if is("Upgrade") {
            // Refused instead of ignored: a scraper does not request another protocol.
            return Err(Refusal::Malformed);
        } else if is("Connection") {
            request.keep_alive = keeps_alive(value, request.keep_alive);
        } else if is("Accept-Encoding") {
            accepted.add(value);
        } else if is("X-Prometheus-Scrape-Timeout-Seconds") {
            request.announced = seconds(value);
        }
    }
    // RFC 9112, 3.2: HTTP/1.1 requires exactly one Host field.
    if hosts > 1 || (hosts == 0 && minor_version > 0) {
        return Err(Refusal::Malformed);
    }
    if length.is_some_and(|length| length > 0) {
        return Err(Refusal::Body);
    }
    request.takes_gzip = minor_version > 0 && accepted.prefers_gzip();
    Ok(request)
}

/// Method, path with query, and minor version.
fn request_line(line: &[u8]) -> Result<(bool, (String, String), u8), Refusal> {
    let mut words = line.split(|b| *b == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Refusal::Malformed);
    };
    if !method.iter().all(|b| is_token_byte(*b)) {
        return Err(Refusal::Malformed);
    }
    let minor_version = match version {
        b"HTTP/1.0" => 0,
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1'..=b'9'] => 1,
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            return Err(Refusal::Version);
        }
        _ => return Err(Refusal::Malformed),
    };
    let is_head = match method {
        b"GET" => false,
        b"HEAD" => true,
        _ => return Err(Refusal::Method),
    };
    Ok((is_head, path(target)?, minor_version))
}

/// Path and query of `/path?query` or of `http://host/path?query` (RFC 9112, 3.2).
fn path(target: &[u8]) -> Result<(String, String), Refusal> {
    if !target.iter().all(u8::is_ascii_graphic) {
        return Err(Refusal::Malformed);
    }
    // All of it is ASCII.
    let target = std::str::from_utf8(target).map_err(|_| Refusal::Malformed)?;
    let target = match target.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("http://") => {
            let rest = &target[7..];
            rest.find(['/', '?']).map_or("/", |at| &rest[at..])
        }
        _ => target,
    };
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = match path.as_bytes().first() {
        Some(b'/') => path,
        None => "/",
        Some(_) => return Err(Refusal::Malformed),
    };
    Ok((path.to_owned(), query.to_owned()))
}

/// Name and value of a field line. A space before the colon or at the beginning of the line is an
/// error (RFC 9112, 5.1 and 5.2), and so is a control character.
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let colon = memchr::memchr(b':', line).ok_or(Refusal::Malformed)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let good_name = !name.is_empty() && name.iter().all(|b| is_token_byte(*b));
    let good_value = !value.iter().any(|b| b.is_ascii_control() && *b != b'\t');
    if good_name && good_value {
        Ok((name, value.trim_ascii()))
    } else {
        Err(Refusal::Malformed)
    }
}

fn body_length(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::Malformed);
    }
    // A length that does not fit into 64 bits announces a body too.
    Ok(std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(u64::MAX))
}

fn keeps_alive(value: &[u8], default: bool) -> bool {
    let mut keep = default;
    for word in value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
        if word.eq_ignore_ascii_case(b"close") {
            return false;
        }
        keep |= word.eq_ignore_ascii_case(b"keep-alive");
    }
    keep
}

/// A number of seconds above zero; any other value is ignored.
fn seconds(value: &[u8]) -> Option<Duration> {
    let number: f64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    Duration::try_from_secs_f64(number)
        .ok()
        .filter(|time| !time.is_zero())
}

/// A token of RFC 9110, 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
