//! https: TLS 1.2 and 1.3 over a connected stream, within the same deadline (rustls with ring).

pub(crate) mod der;
pub(crate) mod verify;

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::{ClientConnection, Resumption};
use rustls::crypto::{CryptoProvider, KeyProvider, ring};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::sign::SigningKey;
use rustls::{AlertDescription, ClientConfig, Error, InvalidMessage};

use crate::haproxy::page::{base64, read_head};
use crate::haproxy::source::{Options, Phase, Problem};
use crate::haproxy::uri::HttpUri;
use crate::net::deadline::Deadline;
use crate::net::http::{self, HttpError};
use crate::net::proxy::Proxy;
use crate::net::stream::Stream;
use verify::Verifier;

/// What is set up once, at the start, for every connection to one https URI.
pub(crate) struct Client {
    config: Arc<ClientConfig>,
    /// Tells why the last certificate was refused; none when certificates are not checked.
    verifier: Arc<Verifier>,
    name: ServerName<'static>,
    /// The request for a tunnel, when there is a proxy.
    tunnel: Option<Vec<u8>>,
}

/// One connection after its handshake.
pub(crate) struct Connection {
    stream: Stream,
    session: ClientConnection,
    is_cut: bool,
}

impl Client {
    /// Reads the roots and prepares the handshake; nothing is read again later.
    ///
    /// # Errors
    /// A text with the reason, when the roots or the name cannot be used.
    pub(crate) fn new(
        uri: &HttpUri,
        options: &Options,
        proxy: Option<Proxy>,
    ) -> Result<Self, String> {
        let name = server_name(uri, options.tls.server_name.as_deref())?;
        let provider = CryptoProvider {
            key_provider: &NoKeys,
            ..ring::default_provider()
        };
        let algorithms = provider.signature_verification_algorithms;
        let roots = match options.tls.insecure {
            true => None,
            false => Some(verify::roots(options.tls.ca_file.as_deref())?),
        };
        let verifier = Arc::new(Verifier::new(roots, algorithms));
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<_>)
            .with_no_client_auth();
        // A resumed session is not checked again: a certificate that has expired would go unnoticed.
        config.resumption = Resumption::disabled();
        Ok(Self {
            config: Arc::new(config),
            verifier,
            name,
            tunnel: proxy.map(|proxy| tunnel_request(uri, &proxy)),
        })
    }

    /// Asks the proxy for a tunnel, if there is one, and does the handshake.
    ///
    /// # Errors
    /// What the proxy or the peer did wrong, or that the time is over.
    pub(crate) fn connect(
        &self,
        stream: Stream,
        deadline: Deadline,
    ) -> Result<Connection, Problem> {
        let early = match &self.tunnel {
            Some(request) => open_tunnel(&stream, request, deadline)
                .map_err(|problem| Problem::Tunnel(Box::new(problem)))?,
            None => Vec::new(),
        };
        let session = ClientConnection::new(Arc::clone(&self.config), self.name.clone())
            .map_err(|error| Problem::Tls(Phase::Handshake, explain(&error)))?;
        let mut connection = Connection {
            stream,
            session,
            is_cut: false,
        };
        connection
            .handshake(&early, deadline)
            .map_err(|problem| match problem {
                Problem::Io(_, error, hint) => Problem::Io(Phase::Handshake, error, hint),
                Problem::TimedOut(_) => Problem::TimedOut(Phase::Handshake),
                Problem::Tls(_, text) => {
                    let refusal = self.verifier.refusal();
                    Problem::Tls(Phase::Handshake, refusal.unwrap_or(text))
                }
                other => other,
            })?;
        Ok(connection)
    }
}

/// There are no client certificates, and so the code that signs can stay out of the binary.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("no keys".to_owned()))
    }
}

/// The name to verify: as given, or the URI's host without an IPv6 zone or the root's dot.
fn server_name(uri: &HttpUri, given: Option<&str>) -> Result<ServerName<'static>, String> {
    let text = given.unwrap_or(&uri.address.host);
    let host = text.split('%').next().unwrap_or_default();
    ServerName::try_from(host.trim_end_matches('.').to_owned()).map_err(|_| {
        let what = if given.is_some() {
            "--haproxy.ssl-server-name"
        } else {
            "the host"
        };
        format!("{what}: {text:?} is neither a DNS name nor an IP address")
    })
}

fn tunnel_request(uri: &HttpUri, proxy: &Proxy) -> Vec<u8> {
    let target = &uri.address;
    let mut text = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    text.push_str(concat!(
        "User-Agent: haproxy_exporter/",
        env!("CARGO_PKG_VERSION"),
        "\r\n"
    ));
    if let Some(credentials) = &proxy.credentials {
        text.push_str(&format!(
            "Proxy-Authorization: Basic {}\r\n",
            base64(credentials)
        ));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// Returns what came behind the proxy's answer (RFC 9110, 9.3.6: a 2xx has no body).
fn open_tunnel(stream: &Stream, request: &[u8], deadline: Deadline) -> Result<Vec<u8>, Problem> {
    stream.send_all(request, deadline)?;
    let mut head = Vec::new();
    let end = read_head(&mut |room| stream.receive(room, deadline), &mut head)?;
    match http::status(&head).map_err(Problem::Http)? {
        (200..=299, _) => Ok(head.split_off(end)),
        (_, line) => Err(Problem::Http(HttpError::Tunnel(line))),
    }
}

impl Connection {
    /// `early` was already received.
    fn handshake(&mut self, mut early: &[u8], deadline: Deadline) -> Result<(), Problem> {
        self.flush(deadline)?;
        while !early.is_empty() {
            // Reading from a slice does not fail.
            let _ = self.session.read_tls(&mut early);
            self.process(deadline)?;
        }
        while self.session.is_handshaking() {
            if self.pull(deadline)? == 0 {
                let text = "closed by the peer".to_owned();
                return Err(Problem::Tls(Phase::Handshake, text));
            }
            self.push(deadline)?;
        }
        Ok(())
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// As for `Stream::send_all`.
    pub(crate) fn send_all(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<(), Problem> {
        while !bytes.is_empty() {
            // Takes what fits into the session's buffer.
            let taken = self.session.writer().write(bytes);
            bytes = &bytes[taken.map_err(|error| Problem::Io(Phase::Send, error, None))?..];
            self.push(deadline)?;
        }
        Ok(())
    }

    /// Receives something into `room`; 0 is the end of the stream, and then `check_end` tells
    /// of which kind.
    ///
    /// # Errors
    /// As for `Stream::receive`, and what the peer's TLS did wrong.
    pub(crate) fn receive(
        &mut self,
        room: &mut [u8],
        deadline: Deadline,
    ) -> Result<usize, Problem> {
        loop {
            match self.session.reader().read(room) {
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.is_cut = true;
                    return Ok(0);
                }
                Err(error) => return Err(Problem::Io(Phase::Read, error, None)),
            }
            self.pull(deadline)?;
            // Answers to key updates.
            self.flush(deadline)?;
        }
    }

    /// For an answer that nothing but the end of the stream ends.
    ///
    /// # Errors
    /// When the stream ended without close_notify: anybody on the way can make it end so.
    pub(crate) fn check_end(&self) -> Result<(), Problem> {
        if self.is_cut {
            let text = "answer cut: the connection ended without TLS's close_notify";
            return Err(Problem::Tls(Phase::Read, text.to_owned()));
        }
        Ok(())
    }

    /// One read from the stream; 0 is its end.
    fn pull(&mut self, deadline: Deadline) -> Result<usize, Problem> {
        let mut wire = Wire::new(&self.stream, deadline);
        let count = self.session.read_tls(&mut wire);
        let count = wire.outcome(count, Phase::Read)?;
        self.process(deadline)?;
        Ok(count)
    }

    fn process(&mut self, deadline: Deadline) -> Result<(), Problem> {
        let Err(error) = self.session.process_new_packets() else {
            return Ok(());
        };
        // The alert that tells the peer; whether it arrives does not matter here.
        let _ = self.flush(deadline);
        Err(Problem::Tls(Phase::Read, explain(&error)))
    }

    /// Flushes. A peer that closed may have said why in an alert, which tells more than a reset.
    fn push(&mut self, deadline: Deadline) -> Result<(), Problem> {
        self.flush(deadline)
            .map_err(|problem| match self.pull(deadline) {
                Err(alert @ Problem::Tls(..)) => alert,
                _ => problem,
            })
    }

    fn flush(&mut self, deadline: Deadline) -> Result<(), Problem> {
        while self.session.wants_write() {
            let mut wire = Wire::new(&self.stream, deadline);
            let sent = self.session.write_tls(&mut wire);
            wire.outcome(sent, Phase::Send)?;
        }
        Ok(())
    }
}

impl Drop for Connection {
    /// Says good-bye, without waiting for it to be sent.
    fn drop(&mut self) {
        self.session.send_close_notify();
        let _ = self.flush(Deadline::after(Duration::ZERO));
    }
}

/// The stream as rustls wants to see it. What went wrong is kept beside its `io::Error`.
struct Wire<'a> {
    stream: &'a Stream,
    deadline: Deadline,
    problem: Option<Problem>,
}

impl<'a> Wire<'a> {
    fn new(stream: &'a Stream, deadline: Deadline) -> Self {
        Self {
            stream,
            deadline,
            problem: None,
        }
    }

    fn keep<T>(&mut self, result: Result<T, Problem>) -> io::Result<T> {
        result.map_err(|problem| {
            self.problem = Some(problem);
            io::ErrorKind::Other.into()
        })
    }

    fn outcome<T>(self, result: io::Result<T>, phase: Phase) -> Result<T, Problem> {
        result.map_err(|error| self.problem.unwrap_or(Problem::Io(phase, error, None)))
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let result = self.stream.receive(room, self.deadline);
        self.keep(result)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.stream.send_all(bytes, self.deadline);
        self.keep(result.map(|()| bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The words for what a peer's TLS did wrong.
fn explain(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => verify::unusable(error),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the answer is not TLS (is it an http:// port?)".to_owned()
        }
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the peer wants a client certificate, and there is none to give".to_owned()
        }
        Error::AlertReceived(alert) => format!("the peer refused with the alert {alert:?}"),
        other => other.to_string(),
    }
}
