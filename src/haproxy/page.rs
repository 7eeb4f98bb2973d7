//! The stats page over our own HTTP/1.0 client: one GET, one answer, one connection.

use super::source::{Fetch, InfoFetched, Options, Problem, SourceError};
use crate::haproxy::rules::Proof;
use crate::haproxy::uri::{HostPort, HttpUri};
use crate::net::deadline::Deadline;
use crate::net::http::{self, ChunkDecoder, Ending, HttpError, MAX_HEAD_BYTES};
use crate::net::proxy::Proxy;
use crate::net::resolve::Resolver;
use crate::net::stream::Stream;

/// An http or https URI, and the way there.
pub(crate) struct HttpSource {
    object: String,
    peer: HostPort,
    request: Vec<u8>,
    resolver: Resolver,
    head: Vec<u8>,
    #[cfg(feature = "tls")]
    tls: Option<crate::net::tls::Client>,
}

/// A connection, with or without TLS.
enum Transport {
    Plain(Stream),
    #[cfg(feature = "tls")]
    Tls(Box<crate::net::tls::Connection>),
}

impl HttpSource {
    /// A source for `uri`.
    ///
    /// # Errors
    /// A text with the reason, when the proxy's URI or the TLS options cannot be used.
    pub(crate) fn new(uri: &HttpUri, options: &Options) -> Result<Self, String> {
        let proxy = options
            .proxy
            .as_ref()
            .map_or(Ok(None), |environment| environment.proxy_for(uri))
            .map_err(|reason| format!("--http.proxy-from-env: {reason}"))?;
        let object = match &proxy {
            Some(proxy) => format!("{uri} through proxy {}", proxy.address),
            None => uri.to_string(),
        };
        let peer = proxy
            .as_ref()
            .map_or(&uri.address, |proxy| &proxy.address)
            .clone();
        Ok(Self {
            object,
            peer,
            request: request(uri, proxy.as_ref().filter(|_| !uri.tls)),
            resolver: Resolver::system(),
            head: Vec::new(),
            #[cfg(feature = "tls")]
            tls: if uri.tls {
                Some(crate::net::tls::Client::new(uri, options, proxy)?)
            } else {
                None
            },
        })
    }

    /// The name in errors.
    pub(crate) fn object(&self) -> &str {
        &self.object
    }

    /// See `Source::fetch`.
    ///
    /// # Errors
    /// When the statistics could not be read.
    pub(crate) fn fetch(&mut self, fetch: &mut Fetch<'_>) -> Result<InfoFetched, SourceError> {
        match self.read_answer(fetch) {
            Ok(()) => Ok(None),
            Err(problem) => Err(SourceError {
                object: self.object.clone(),
                problem,
            }),
        }
    }

    fn read_answer(&mut self, fetch: &mut Fetch<'_>) -> Result<(), Problem> {
        let mut transport = self.connect(fetch.deadline)?;
        transport.send_all(&self.request, fetch.deadline)?;
        let body = read_head(
            &mut |room| transport.receive(room, fetch.deadline),
            &mut self.head,
        )?;
        let ending = http::parse(&self.head[..body]).map_err(Problem::Http)?;
        // What was read behind the head belongs to the body.
        let first = self.head.split_off(body);
        let proof = match ending {
            Ending::Close => Proof::LineEnd,
            Ending::Chunks | Ending::Length(_) => Proof::Length,
        };
        match ending {
            Ending::Chunks => read_chunks(&mut transport, first, fetch)?,
            Ending::Length(length) => read_plain(&mut transport, &first, Some(length), fetch)?,
            Ending::Close => read_plain(&mut transport, &first, None, fetch)?,
        }
        fetch.end(proof)
    }

    fn connect(&self, deadline: Deadline) -> Result<Transport, Problem> {
        let (stream, _) = Stream::connect(&self.peer, &self.resolver, deadline)?;
        #[cfg(feature = "tls")]
        if let Some(client) = &self.tls {
            return Ok(Transport::Tls(Box::new(client.connect(stream, deadline)?)));
        }
        Ok(Transport::Plain(stream))
    }
}

/// The request; a proxy gets the whole URI (RFC 9112, 3.2.2) and its own credentials.
fn request(uri: &HttpUri, proxy: Option<&Proxy>) -> Vec<u8> {
    // A zone is nobody else's business (RFC 6874, 4).
    let authority = match (uri.authority.split_once('%'), uri.authority.split_once(']')) {
        (Some((ip, _)), Some((_, port))) => &format!("{ip}]{port}"),
        _ => &uri.authority,
    };
    let target = match proxy {
        Some(_) => format!("http://{authority}{}", uri.path),
        None => uri.path.clone(),
    };
    let mut text = format!("GET {target} HTTP/1.0\r\nHost: {authority}\r\n");
    text.push_str(concat!(
        "User-Agent: haproxy_exporter/",
        env!("CARGO_PKG_VERSION"),
        "\r\n"
    ));
    if let Some(credentials) = &uri.credentials {
        text.push_str(&format!("Authorization: Basic {}\r\n", base64(credentials)));
    }
    if let Some(credentials) = proxy.and_then(|proxy| proxy.credentials.as_ref()) {
        text.push_str(&format!(
            "Proxy-Authorization: Basic {}\r\n",
            base64(credentials)
        ));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

impl Transport {
    fn send_all(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), Problem> {
        match self {
            Self::Plain(stream) => stream.send_all(bytes, deadline),
            #[cfg(feature = "tls")]
            Self::Tls(connection) => connection.send_all(bytes, deadline),
        }
    }

    fn receive(&mut self, room: &mut [u8], deadline: Deadline) -> Result<usize, Problem> {
        match self {
            Self::Plain(stream) => stream.receive(room, deadline),
            #[cfg(feature = "tls")]
            Self::Tls(connection) => connection.receive(room, deadline),
        }
    }

    /// Whether the end of the stream may be the end of the answer. Without TLS there is no telling
    /// here; the rows are looked at.
    fn check_end(&self) -> Result<(), Problem> {
        match self {
            Self::Plain(_) => Ok(()),
            #[cfg(feature = "tls")]
            Self::Tls(connection) => connection.check_end(),
        }
    }
}

/// Reads until the head is whole; returns where the body begins in `head`.
pub(crate) fn read_head(
    receive: &mut dyn FnMut(&mut [u8]) -> Result<usize, Problem>,
    head: &mut Vec<u8>,
) -> Result<usize, Problem> {
    head.clear();
    let mut piece = [0; 4096];
    let mut searched = 0;
    loop {
        let count = receive(&mut piece)?;
        if count == 0 {
            let error = if head.is_empty() {
                HttpError::NoAnswer
            } else {
                HttpError::CutHead
            };
            return Err(Problem::Http(error));
        }
        head.extend_from_slice(&piece[..count]);
        // Something else than HTTP may never end its first line; say so instead of waiting.
        let start = &head[..head.len().min(5)];
        if start != &b"HTTP/"[..start.len()] {
            let error = http::status(head).err().unwrap_or(HttpError::CutHead);
            return Err(Problem::Http(error));
        }
        // The empty line may have begun in the piece before.
        let from = usize::saturating_sub(searched, 3);
        let end = http::head_end(&head[from..]).map(|end| from + end);
        if let Some(end) = end.filter(|end| *end <= MAX_HEAD_BYTES) {
            return Ok(end);
        }
        searched = head.len();
        if searched > MAX_HEAD_BYTES {
            return Err(Problem::Http(HttpError::HeadTooLong));
        }
    }
}

/// A body that ends after `length` bytes, or with the connection.
fn read_plain(
    transport: &mut Transport,
    first: &[u8],
    length: Option<u64>,
    fetch: &mut Fetch<'_>,
) -> Result<(), Problem> {
    if length.is_some_and(|length| length > fetch.max_bytes) {
        return Err(Problem::TooLarge(fetch.max_bytes));
    }
    let mut total = 0;
    let mut pending = first;
    loop {
        let left = length.map_or(u64::MAX, |length| length - total);
        if left == 0 {
            return Ok(());
        }
        let room = fetch.buffer.room();
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(room.len());
        let count = if pending.is_empty() {
            transport.receive(&mut room[..size], fetch.deadline)?
        } else {
            let count = size.min(pending.len());
            room[..count].copy_from_slice(&pending[..count]);
            pending = &pending[count..];
            count
        };
        if count == 0 {
            return match length {
                Some(_) => Err(Problem::Http(HttpError::CutBody)),
                None => transport.check_end(),
            };
        }
        total += count as u64;
        fetch.take_rows(count, total)?;
    }
}

/// A body in chunks.
fn read_chunks(
    transport: &mut Transport,
    first: Vec<u8>,
    fetch: &mut Fetch<'_>,
) -> Result<(), Problem> {
    let mut decoder = ChunkDecoder::default();
    let mut raw = first;
    let mut filled = raw.len();
    let mut total = 0;
    loop {
        let mut at = 0;
        while at < filled && !decoder.is_done() {
            let (consumed, data) = decoder.next(&raw[at..filled]).map_err(Problem::Http)?;
            let mut data = &raw[at..filled][data];
            while !data.is_empty() {
                let count = fetch.buffer.put(data);
                total += count as u64;
                data = &data[count..];
                // Also before what follows is found wrong.
                if !data.is_empty() || total > fetch.max_bytes {
                    fetch.take_rows(0, total)?;
                }
            }
            at += consumed;
        }
        // Not once a chunk: thousands of them may come at once, and each time a row that is not
        // whole is looked at from its start.
        fetch.take_rows(0, total)?;
        if decoder.is_done() {
            return Ok(());
        }
        raw.resize(16 * 1024, 0);
        filled = transport.receive(&mut raw, fetch.deadline)?;
        if filled == 0 {
            return Err(Problem::Http(HttpError::CutBody));
        }
    }
}

/// RFC 4648, section 4.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            if position <= group.len() {
                text.push(char::from(
                    ALPHABET[(bits >> (18 - 6 * position) & 63) as usize],
                ));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
