//! What the https tests stand on: a TLS server that each test tells what to do, and what became of
//! a scrape.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::exporter::{Exporter, Problem};
use crate::support::http::PATIENCE;

/// A connection whose handshake is done.
pub(crate) type Session = StreamOwned<ServerConnection, TcpStream>;

/// A listener that treats each connection as it is told to.
pub(crate) struct Listener {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Listener {
    pub(crate) fn new(behave: impl Fn(TcpStream) + Send + 'static) -> Listener {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind a TCP socket");
        let address = listener.local_addr().expect("the address of a listener");
        let stopped = Arc::new(AtomicBool::new(false));
        let acceptor = std::thread::spawn({
            let stopped = Arc::clone(&stopped);
            move || {
                for stream in listener.incoming().flatten() {
                    if stopped.load(Ordering::SeqCst) {
                        return;
                    }
                    stream
                        .set_read_timeout(Some(PATIENCE))
                        .expect("set a read timeout");
                    behave(stream);
                }
            }
        });
        Listener {
            address,
            stopped,
            acceptor: Some(acceptor),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let woken = TcpStream::connect_timeout(&self.address, PATIENCE).is_ok();
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken) {
            // Its panic was printed when it happened, and a second one would abort.
            let _ = acceptor.join();
        }
    }
}

/// A server with the certificate and key of a file.
pub(crate) fn server(file: &Path) -> Arc<ServerConfig> {
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .expect("certificates");
    let key = PrivateKeyDer::from_pem_file(file).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("both versions")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .expect("a usable certificate");
    Arc::new(config)
}

/// The handshake, and the request after it.
pub(crate) fn accept(config: &Arc<ServerConfig>, stream: TcpStream) -> (Session, String) {
    let connection = ServerConnection::new(Arc::clone(config)).expect("a session");
    let mut session = StreamOwned::new(connection, stream);
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && session.read_exact(&mut byte).is_ok() {
        request.push(byte[0]);
    }
    (session, String::from_utf8(request).expect("a request"))
}

/// Sends an answer and says good-bye.
pub(crate) fn answer(session: &mut Session, text: &str) {
    let _ = session.write_all(text.as_bytes());
    session.conn.send_close_notify();
    let _ = session.flush();
}

/// Sends a part of an answer.
pub(crate) fn send(session: &mut Session, text: &str) {
    let _ = session.write_all(text.as_bytes());
    let _ = session.flush();
}

/// Reads until the other side leaves.
pub(crate) fn hold(mut stream: &TcpStream) {
    while let Ok(1..) = stream.read(&mut [0; 4096]) {}
}

/// One scrape: that it was up without a warning, or the words of the log behind the source's name.
pub(crate) fn outcome(exporter: Exporter, source: &str) -> Result<(), String> {
    let up = exporter.scrape().value("haproxy_up");
    let problems = exporter.finish().problems();
    match &problems[..] {
        [] if up == 1.0 => Ok(()),
        [problem] if up == 0.0 => {
            let words = problem.details[0].strip_prefix(&format!("err={source}: "));
            let words = words.unwrap_or_else(|| panic!("{problem:?}"));
            let expected = Problem::scrape_failed(&format!("{source}: {words}"));
            assert_eq!(*problem, expected);
            Err(words.to_owned())
        }
        other => panic!("up {up}, but {other:?}"),
    }
}

/// What a peer does with a connection.
pub(crate) type Behaviour = Box<dyn Fn(TcpStream) + Send>;

/// A short timeout where it must pass; a busy machine must not make it pass elsewhere.
pub(crate) fn timeout(expected: &Result<(), String>) -> &'static str {
    match expected {
        Err(words) if words.ends_with("timed out") => "--haproxy.timeout=500ms",
        _ => "--haproxy.timeout=30s",
    }
}

/// Scrapes a peer once for each case, and reports every deviation at once.
pub(crate) fn run(flags: &[&str], cases: Vec<(&str, Behaviour, Result<(), String>)>) {
    let mut report = Vec::new();
    for (name, behave, expected) in cases {
        let listener = Listener::new(behave);
        let uri = format!("https://{}/;csv", listener.address());
        let scrape_uri = format!("--haproxy.scrape-uri={uri}");
        let own = [&*scrape_uri, timeout(&expected)];
        let exporter = Exporter::start(&[&own, flags].concat());
        // A peer that holds is released only after PATIENCE; waiting for that would end otherwise.
        let result = outcome(exporter, &uri);
        if result != expected {
            report.push(format!("{name}: {result:?}\n    instead of {expected:?}"));
        }
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
}
