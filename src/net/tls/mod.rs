//! https: TLS 1.2 and 1.3 over a connected stream, within the same deadline (rustls with ring).

pub(crate) mod der;
pub(super) mod error;
pub(crate) mod verify;

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::{ClientConnection, Resumption};
use rustls::crypto::{CryptoProvider, KeyProvider, ring};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::sign::SigningKey;
use rustls::{AlertDescription, ClientConfig, Error, InvalidMessage};

use super::address::HttpUri;
use super::address::TlsOptions;
use super::deadline::Deadline;
use super::error::{NetError, Phase};
use super::http::{self, base64, read_head};
use super::proxy::Proxy;
use super::stream::Stream;
use verify::Verifier;

pub(crate) use error::{SetupError, TlsError};

/// The setup for all connections to one https URI; made once, at start.
pub(crate) struct Client {
    config: Arc<ClientConfig>,
    /// Keeps the reason why the last certificate was rejected; none if certificates are not
    /// verified.
    verifier: Arc<Verifier>,
    name: ServerName<'static>,
    /// The request for a tunnel, if a proxy is used.
    tunnel: Option<Vec<u8>>,
}

/// One connection after its handshake.
pub(crate) struct Connection {
    stream: Stream,
    session: ClientConnection,
    is_cut: bool,
}

impl Client {
    /// Reads the roots and prepares the handshake. Nothing is read again later. Also returns why
    /// some of the system's roots are missing.
    ///
    /// # Errors
    /// If the roots or the name cannot be used.
    pub(crate) fn new(
        uri: &HttpUri,
        options: &TlsOptions,
        proxy: Option<Proxy>,
    ) -> Result<(Self, Option<rustls_native_certs::Error>), SetupError> {
        let name = server_name(uri, options.server_name.as_deref())?;
        let provider = CryptoProvider {
            key_provider: &NoKeys,
            ..ring::default_provider()
        };
        let algorithms = provider.signature_verification_algorithms;
        let (roots, missing) = match options.insecure {
            true => (None, None),
            false => {
                let (roots, missing) = verify::roots(options.ca_file.as_deref())?;
                (Some(roots), missing)
            }
        };
        let verifier = Arc::new(Verifier::new(roots, algorithms));
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(SetupError::Rustls)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<_>)
            .with_no_client_auth();
        // A resumed session does not verify the certificate again, so an expired one would be
        // accepted.
        config.resumption = Resumption::disabled();
        let client = Self {
            config: Arc::new(config),
            verifier,
            name,
            tunnel: proxy.map(|proxy| tunnel_request(uri, &proxy)),
        };
        Ok((client, missing))
    }

    /// Opens a tunnel if a proxy is used, and does the handshake.
    ///
    /// # Errors
    /// An error of the proxy or the peer, or a timeout.
    pub(crate) fn connect(
        &self,
        stream: Stream,
        deadline: Deadline,
    ) -> Result<Connection, NetError> {
        let early = match &self.tunnel {
            Some(request) => open_tunnel(&stream, request, deadline)
                .map_err(|error| NetError::Tunnel(Box::new(error)))?,
            None => Vec::new(),
        };
        let session = ClientConnection::new(Arc::clone(&self.config), self.name.clone())
            .map_err(|error| NetError::Tls(Phase::Handshake, explain(error)))?;
        let mut connection = Connection {
            stream,
            session,
            is_cut: false,
        };
        connection
            .handshake(&early, deadline)
            .map_err(|problem| match problem {
                NetError::Io(_, error) => NetError::Io(Phase::Handshake, error),
                NetError::TimedOut(_) => NetError::TimedOut(Phase::Handshake),
                NetError::Tls(_, error) => {
                    let refusal = self.verifier.refusal();
                    NetError::Tls(Phase::Handshake, refusal.unwrap_or(error))
                }
                other => other,
            })?;
        Ok(connection)
    }
}

/// Client certificates are not used, so the code that signs can be left out of the binary.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("no keys".to_owned()))
    }
}

/// The name to verify: the given one, or the host of the URI without an IPv6 zone or a trailing
/// dot.
fn server_name(uri: &HttpUri, given: Option<&str>) -> Result<ServerName<'static>, SetupError> {
    let text = given.unwrap_or(&uri.address.host);
    let host = text.split('%').next().unwrap_or_default();
    ServerName::try_from(host.trim_end_matches('.').to_owned()).map_err(|_| {
        let text = text.to_owned();
        match given {
            Some(_) => SetupError::ServerName(text),
            None => SetupError::Host(text),
        }
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

/// Returns the bytes after the proxy's response (RFC 9110, 9.3.6: a 2xx has no body).
fn open_tunnel(stream: &Stream, request: &[u8], deadline: Deadline) -> Result<Vec<u8>, NetError> {
    stream.send_all(request, deadline)?;
    let mut head = Vec::new();
    let end = read_head(&mut |room| stream.receive(room, deadline), &mut head)?;
    match http::status(&head)? {
        (200..=299, _) => Ok(head.split_off(end)),
        (_, line) => Err(NetError::Http(
            format!("the proxy refused the tunnel: {line:?}").into(),
        )),
    }
}

impl Connection {
    /// `early` was already received.
    fn handshake(&mut self, mut early: &[u8], deadline: Deadline) -> Result<(), NetError> {
        self.flush(deadline)?;
        while !early.is_empty() {
            // Reading from a slice does not fail.
            let _ = self.session.read_tls(&mut early);
            self.process(deadline)?;
        }
        while self.session.is_handshaking() {
            if self.pull(deadline)? == 0 {
                return Err(NetError::Tls(Phase::Handshake, TlsError::Closed));
            }
            self.push(deadline)?;
        }
        Ok(())
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// As for `Stream::send_all`.
    pub(crate) fn send_all(
        &mut self,
        mut bytes: &[u8],
        deadline: Deadline,
    ) -> Result<(), NetError> {
        while !bytes.is_empty() {
            // Writes what fits into the buffer of the session.
            let taken = self.session.writer().write(bytes);
            bytes = &bytes[taken.map_err(|error| NetError::Io(Phase::Send, error))?..];
            self.push(deadline)?;
        }
        Ok(())
    }

    /// Receives bytes into `room`; 0 is the end of the stream, whose kind `check_end` reports.
    ///
    /// # Errors
    /// Those of `Stream::receive`, and TLS errors of the peer.
    pub(crate) fn receive(
        &mut self,
        room: &mut [u8],
        deadline: Deadline,
    ) -> Result<usize, NetError> {
        loop {
            match self.session.reader().read(room) {
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.is_cut = true;
                    return Ok(0);
                }
                Err(error) => return Err(NetError::Io(Phase::Read, error)),
            }
            self.pull(deadline)?;
            // Replies to key updates.
            self.flush(deadline)?;
        }
    }

    /// For a response that only the end of the stream terminates.
    ///
    /// # Errors
    /// If the stream ended without close_notify: an attacker on the network could have ended it.
    pub(crate) fn check_end(&self) -> Result<(), NetError> {
        if self.is_cut {
            return Err(NetError::Tls(Phase::Read, TlsError::Cut));
        }
        Ok(())
    }

    /// One read from the stream; 0 is its end.
    fn pull(&mut self, deadline: Deadline) -> Result<usize, NetError> {
        let mut wire = Wire::new(&self.stream, deadline);
        let count = self.session.read_tls(&mut wire);
        let count = wire.outcome(count, Phase::Read)?;
        self.process(deadline)?;
        Ok(count)
    }

    fn process(&mut self, deadline: Deadline) -> Result<(), NetError> {
        let Err(error) = self.session.process_new_packets() else {
            return Ok(());
        };
        // Sends the alert to the peer; whether it arrives does not matter.
        let _ = self.flush(deadline);
        Err(NetError::Tls(Phase::Read, explain(error)))
    }

    /// Flushes. If the peer has closed, it may have sent an alert with the reason, which tells more
    /// than a reset.
    fn push(&mut self, deadline: Deadline) -> Result<(), NetError> {
        self.flush(deadline)
            .map_err(|problem| match self.pull(deadline) {
                Err(alert @ NetError::Tls(..)) => alert,
                _ => problem,
            })
    }

    fn flush(&mut self, deadline: Deadline) -> Result<(), NetError> {
        while self.session.wants_write() {
            let mut wire = Wire::new(&self.stream, deadline);
            let sent = self.session.write_tls(&mut wire);
            wire.outcome(sent, Phase::Send)?;
        }
        Ok(())
    }
}

impl Drop for Connection {
    /// Sends close_notify, without waiting until it is sent.
    fn drop(&mut self) {
        self.session.send_close_notify();
        let _ = self.flush(Deadline::after(Duration::ZERO));
    }
}

/// The stream with the interface that rustls needs. The original error is kept, because rustls sees
/// only an `io::Error`.
struct Wire<'a> {
    stream: &'a Stream,
    deadline: Deadline,
    problem: Option<NetError>,
}

impl<'a> Wire<'a> {
    fn new(stream: &'a Stream, deadline: Deadline) -> Self {
        Self {
            stream,
            deadline,
            problem: None,
        }
    }

    fn keep<T>(&mut self, result: Result<T, NetError>) -> io::Result<T> {
        result.map_err(|problem| {
            self.problem = Some(problem);
            io::ErrorKind::Other.into()
        })
    }

    fn outcome<T>(self, result: io::Result<T>, phase: Phase) -> Result<T, NetError> {
        result.map_err(|error| self.problem.unwrap_or(NetError::Io(phase, error)))
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

/// The error of the peer that an error of rustls stands for.
fn explain(error: Error) -> TlsError {
    match error {
        Error::InvalidCertificate(error) => TlsError::Certificate(error),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => TlsError::NotTls,
        Error::AlertReceived(AlertDescription::CertificateRequired) => TlsError::ClientCertificate,
        Error::AlertReceived(alert) => TlsError::Alert(alert),
        other => TlsError::Other(other),
    }
}
