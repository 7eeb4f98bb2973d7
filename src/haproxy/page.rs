//! The stats page over our own HTTP/1.0 client: one GET, one response, one connection.

use super::advice::Asked;
use super::buffer::ReadBuffer;
use super::error::{Problem, SetupError, SourceError};
use super::reader::{Limits, Reader};
use super::reply::{Proof, Question};
use crate::net::address::{HostPort, HttpUri, TlsOptions};
use crate::net::deadline::Deadline;
use crate::net::error::NetError;
use crate::net::http::{self, ChunkDecoder, Ending, base64};
use crate::net::proxy::{Environment, Proxy};
use crate::net::resolve::Resolver;
use crate::net::stream::Stream;
#[cfg(feature = "tls")]
use crate::{log, net::tls};

/// An http or https URI, and how to reach it.
pub(crate) struct HttpSource {
    object: String,
    peer: HostPort,
    request: Vec<u8>,
    resolver: Resolver,
    head: Vec<u8>,
    has_proxy: bool,
    /// The URI has `;csv` (management guide, section 9.1).
    asks_for_csv: bool,
    #[cfg(feature = "tls")]
    tls: Option<tls::Client>,
}

/// A connection, with or without TLS.
enum Transport {
    Plain(Stream),
    #[cfg(feature = "tls")]
    Tls(Box<tls::Connection>),
}

impl HttpSource {
    /// A source for `uri`.
    ///
    /// # Errors
    /// If the proxy's URI or the TLS options cannot be used.
    #[cfg_attr(not(feature = "tls"), expect(unused_variables, reason = "needs TLS"))]
    pub(crate) fn new(
        uri: &HttpUri,
        tls: &TlsOptions,
        environment: Option<&Environment>,
    ) -> Result<Self, SetupError> {
        let proxy = environment
            .map_or(Ok(None), |environment| environment.proxy_for(uri))
            .map_err(SetupError::Proxy)?;
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
            has_proxy: proxy.is_some(),
            asks_for_csv: uri.path.contains(";csv"),
            #[cfg(feature = "tls")]
            tls: if uri.tls {
                Some(tls_client(uri, tls, proxy).map_err(SetupError::Tls)?)
            } else {
                None
            },
        })
    }

    /// See `Source::ask`.
    ///
    /// # Errors
    /// If the page could not be read.
    pub(crate) fn ask(
        &mut self,
        questions: &mut [Question<'_>],
        limits: Limits,
        buffer: &mut ReadBuffer,
    ) -> Result<(), SourceError> {
        let Some(question) = questions.first_mut() else {
            return Ok(());
        };
        let reader = &mut Reader::new(question.reply, buffer, limits);
        let asked = Asked::Page {
            has_proxy: self.has_proxy,
            asks_for_csv: self.asks_for_csv,
        };
        self.read_answer(reader)
            .map_err(|problem| SourceError::new(&self.object, problem, asked, false))
    }

    fn read_answer(&mut self, reader: &mut Reader<'_>) -> Result<(), Problem> {
        let deadline = reader.limits.deadline;
        let mut transport = self.connect(deadline)?;
        transport.send_all(&self.request, deadline)?;
        let body = http::read_head(
            &mut |room| transport.receive(room, deadline),
            &mut self.head,
        )?;
        let ending = http::parse(&self.head[..body]).map_err(NetError::Http)?;
        // The bytes after the head belong to the body.
        let first = self.head.split_off(body);
        let proof = match ending {
            Ending::Close => Proof::LineEnd,
            Ending::Chunks | Ending::Length(_) => Proof::Length,
        };
        match ending {
            Ending::Chunks => read_chunks(&mut transport, first, reader)?,
            Ending::Length(length) => read_plain(&mut transport, &first, Some(length), reader)?,
            Ending::Close => read_plain(&mut transport, &first, None, reader)?,
        }
        reader.finish(proof)
    }

    fn connect(&mut self, deadline: Deadline) -> Result<Transport, NetError> {
        let stream = Stream::connect(&self.peer, &mut self.resolver, deadline)?;
        #[cfg(feature = "tls")]
        if let Some(client) = &self.tls {
            return Ok(Transport::Tls(Box::new(client.connect(stream, deadline)?)));
        }
        Ok(Transport::Plain(stream))
    }
}

#[cfg(feature = "tls")]
fn tls_client(
    uri: &HttpUri,
    options: &TlsOptions,
    proxy: Option<Proxy>,
) -> Result<tls::Client, tls::SetupError> {
    let (client, missing) = tls::Client::new(uri, options, proxy)?;
    if let Some(error) = missing {
        log::warn("some root certificates are missing", &[("err", &error)]);
    }
    Ok(client)
}

/// The request. A proxy gets the whole URI (RFC 9112, 3.2.2) and its own credentials.
fn request(uri: &HttpUri, proxy: Option<&Proxy>) -> Vec<u8> {
    // A zone has a meaning only on this machine (RFC 6874, 4).
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
    fn send_all(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), NetError> {
        match self {
            Self::Plain(stream) => stream.send_all(bytes, deadline),
            #[cfg(feature = "tls")]
            Self::Tls(connection) => connection.send_all(bytes, deadline),
        }
    }

    fn receive(&mut self, room: &mut [u8], deadline: Deadline) -> Result<usize, NetError> {
        match self {
            Self::Plain(stream) => stream.receive(room, deadline),
            #[cfg(feature = "tls")]
            Self::Tls(connection) => connection.receive(room, deadline),
        }
    }

    /// Whether the end of the stream can be the end of the response. Without TLS this is unknown
    /// here, and the rows decide.
    fn check_end(&self) -> Result<(), NetError> {
        match self {
            Self::Plain(_) => Ok(()),
            #[cfg(feature = "tls")]
            Self::Tls(connection) => connection.check_end(),
        }
    }
}

/// A body that ends after `length` bytes, or with the connection.
fn read_plain(
    transport: &mut Transport,
    first: &[u8],
    length: Option<u64>,
    reader: &mut Reader<'_>,
) -> Result<(), Problem> {
    let Limits {
        deadline,
        max_bytes,
    } = reader.limits;
    if length.is_some_and(|length| length > max_bytes) {
        return Err(Problem::TooLarge(max_bytes));
    }
    let mut total = 0;
    let mut pending = first;
    loop {
        let left = length.map_or(u64::MAX, |length| length - total);
        if left == 0 {
            return Ok(());
        }
        let room = reader.room();
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(room.len());
        let count = if pending.is_empty() {
            transport.receive(&mut room[..size], deadline)?
        } else {
            let count = size.min(pending.len());
            room[..count].copy_from_slice(&pending[..count]);
            pending = &pending[count..];
            count
        };
        if count == 0 {
            return match length {
                Some(_) => Err(NetError::Http(http::CUT_BODY.into()).into()),
                None => Ok(transport.check_end()?),
            };
        }
        total += count as u64;
        reader.received(count);
        reader.take()?;
    }
}

/// A body in chunks.
fn read_chunks(
    transport: &mut Transport,
    first: Vec<u8>,
    reader: &mut Reader<'_>,
) -> Result<(), Problem> {
    let deadline = reader.limits.deadline;
    let mut decoder = ChunkDecoder::default();
    let mut raw = first;
    let mut filled = raw.len();
    loop {
        let mut at = 0;
        while at < filled && !decoder.is_done() {
            let (consumed, data) = match decoder.next(&raw[at..filled]) {
                Ok(next) => next,
                Err(error) => {
                    // A limit can be exceeded before the error here.
                    reader.take()?;
                    return Err(NetError::Http(error).into());
                }
            };
            let mut data = &raw[at..filled][data];
            while !data.is_empty() {
                let count = reader.put(data);
                data = &data[count..];
                if !data.is_empty() {
                    reader.take()?;
                }
            }
            at += consumed;
        }
        // Not after each chunk: thousands of them can arrive at once, and each time an incomplete
        // row would be read from its start.
        reader.take()?;
        if decoder.is_done() {
            return Ok(());
        }
        raw.resize(16 * 1024, 0);
        filled = transport.receive(&mut raw, deadline)?;
        if filled == 0 {
            return Err(NetError::Http(http::CUT_BODY.into()).into());
        }
    }
}

#[cfg(test)]
mod tests;
