//! https through a proxy that the environment names: CONNECT, and what a proxy can answer to it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::support::exporter::{self, Exporter};
use crate::support::http::PATIENCE;
use crate::support::pages;
use crate::tls::certificates::{Authority, Key, LOCAL, Wish};
use crate::tls::peer::{self, Listener, accept, answer, server, timeout};

/// A host that is only reached through a proxy; its name cannot be looked up (RFC 6761).
const FAR: &str = "stats.test:8404";

/// How a proxy answers.
#[derive(Clone)]
enum Reply {
    /// A tunnel, after this answer.
    Tunnel(&'static str),
    /// Just this, and then the end.
    Text(Vec<u8>),
    /// This, and then nothing.
    Hold(&'static str),
}

/// A proxy whose tunnels all lead to one place.
struct Proxy {
    listener: Listener,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn new(reply: Reply, to: SocketAddr) -> Proxy {
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let listener = Listener::new({
            let requests = Arc::clone(&requests);
            move |mut stream| {
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                    request.push(byte[0]);
                }
                let mut requests = requests.lock().unwrap_or_else(PoisonError::into_inner);
                requests.push(String::from_utf8_lossy(&request).into_owned());
                drop(requests);
                match &reply {
                    Reply::Text(text) => {
                        let _ = stream.write_all(text);
                    }
                    Reply::Hold(text) => {
                        let _ = stream.write_all(text.as_bytes());
                        while let Ok(1..) = stream.read(&mut [0; 4096]) {}
                    }
                    Reply::Tunnel(text) => {
                        let _ = stream.write_all(text.as_bytes());
                        tunnel(&stream, to);
                    }
                }
            }
        });
        Proxy { listener, requests }
    }

    fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.clone()
    }
}

fn tunnel(near: &TcpStream, to: SocketAddr) {
    let far = TcpStream::connect_timeout(&to, PATIENCE).expect("connect to the origin");
    let copy = |mut from: &TcpStream, mut to: &TcpStream| {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    };
    std::thread::scope(|scope| {
        scope.spawn(|| copy(&far, near));
        copy(near, &far);
    });
}

/// A stats page for [`FAR`].
fn origin(authority: &Authority) -> Listener {
    let wish = Wish {
        names: "DNS:stats.test,IP:192.0.2.1,IP:2001:db8::1",
        ..LOCAL
    };
    let config = server(&authority.sign("far", wish));
    Listener::new(move |stream| {
        let (mut session, request) = accept(&config, stream);
        let is_whole = request.starts_with("GET /;csv HTTP/1.0\r\nHost: ");
        // Nothing of the proxy's may come through the tunnel.
        if is_whole && !request.contains("Proxy-Authorization") {
            answer(&mut session, &pages::with_length(&pages::body()));
        }
    })
}

/// One scrape through a proxy of this URI: that it was up, or the words of the log without the
/// source.
fn scrape(host: &str, https_proxy: &str, flags: &[&str]) -> Result<(), String> {
    let uri = format!("https://{host}/;csv");
    let mut command = exporter::command();
    command.args([
        &format!("--haproxy.scrape-uri={uri}"),
        "--http.proxy-from-env",
    ]);
    command.args(flags).env("https_proxy", https_proxy);
    let address = https_proxy.rsplit(['@', '/']).next().expect("an address");
    peer::outcome(
        Exporter::spawn(&mut command),
        &format!("{uri} through proxy {address}"),
    )
}

#[test]
#[rustfmt::skip]
fn tunnels() {
    let Some(authority) = Authority::new("Test CA", Key::Ec) else {
        return;
    };
    let origin = origin(&authority);
    let agent = concat!("User-Agent: haproxy_exporter/", env!("CARGO_PKG_VERSION"));
    let established = "HTTP/1.1 200 Connection established\r\n\r\n";
    let cases = [
        (FAR, "", established, ""),
        (FAR, "user:s%3Acret@", established, "Proxy-Authorization: Basic dXNlcjpzOmNyZXQ=\r\n"),
        (FAR, "user@", "HTTP/1.0 200\n\n", "Proxy-Authorization: Basic dXNlcjo=\r\n"),
        // The fields about a body mean nothing here (RFC 9110, 9.3.6).
        (FAR, "", "HTTP/1.1 299 x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ""),
        ("192.0.2.1:8404", "", established, ""),
        ("[2001:db8::1]:8404", "", established, ""),
    ];
    for (host, credentials, reply, field) in cases {
        let proxy = Proxy::new(Reply::Tunnel(reply), origin.address());
        let https_proxy = format!("http://{credentials}{}", proxy.address());
        assert_eq!(
            scrape(host, &https_proxy, &[&authority.flag()]),
            Ok(()),
            "{host} {reply:?}"
        );
        let request = format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n{agent}\r\n{field}\r\n");
        assert_eq!(proxy.requests(), [request]);
    }
    // The default port is named, and the certificate is checked for the far end.
    let proxy = Proxy::new(Reply::Tunnel(established), origin.address());
    let https_proxy = proxy.address().to_string();
    let wrong = "TLS handshake: the certificate is not for \"else.test\" but for \"stats.test\", \"192.0.2.1\", \"2001:db8::1\"";
    let result = scrape("else.test", &https_proxy, &[&authority.flag()]);
    assert_eq!(result, Err(wrong.to_owned()));
    assert!(
        proxy.requests()[0]
            .starts_with("CONNECT else.test:443 HTTP/1.1\r\nHost: else.test:443\r\n")
    );
}

#[test]
#[rustfmt::skip]
fn refusals() {
    let Some(authority) = Authority::new("Test CA", Key::Ec) else {
        return;
    };
    let origin = origin(&authority);
    let text = |text: &str| Reply::Text(text.into());
    let refused = |line: &str| format!("proxy tunnel: the proxy refused the tunnel: {line:?}");
    let cases = [
        (
            text("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 5\r\n\r\nsorry"),
            refused("HTTP/1.1 407 Proxy Authentication Required"),
        ),
        (text("HTTP/1.1 403 Forbidden\r\n\r\n"), refused("HTTP/1.1 403 Forbidden")),
        (text("HTTP/1.0 502\r\n\r\n"), refused("HTTP/1.0 502")),
        (text("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"), refused("HTTP/1.1 302 Found")),
        (text(""), "proxy tunnel: closed without a reply".to_owned()),
        (text("HTTP/1.1 200 OK\r\nX:"), "proxy tunnel: response cut in its head".to_owned()),
        (text("SSH-2.0-x\r\n"), "proxy tunnel: not an HTTP response: it begins \"SSH-2.0-x\"".to_owned()),
        (
            Reply::Text([&b"HTTP/1.1 200 OK\r\n"[..], &b"X: y\r\n".repeat(20_000)].concat()),
            "proxy tunnel: the response's head is larger than 65536 bytes".to_owned(),
        ),
        (Reply::Hold(""), "proxy tunnel: read: timed out".to_owned()),
        (Reply::Hold("HTTP/1.1 200 OK\r\n"), "proxy tunnel: read: timed out".to_owned()),
        (Reply::Hold("HTTP/1.1 200 OK\r\n\r\n"), "TLS handshake: timed out".to_owned()),
        (
            Reply::Hold("HTTP/1.1 200 OK\r\n\r\nhello"),
            "TLS handshake: the response is not TLS (is it an http:// port?)".to_owned(),
        ),
    ];
    let mut report = Vec::new();
    for (reply, expected) in cases {
        let proxy = Proxy::new(reply, origin.address());
        let https_proxy = format!("http://user:secret@{}", proxy.address());
        let timeout = timeout(&Err(expected.clone()));
        let flags = [&*authority.flag(), timeout];
        let result = scrape(FAR, &https_proxy, &flags);
        if result != Err(expected.clone()) {
            report.push(format!("{result:?}\n    instead of {expected:?}"));
        }
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
}

#[test]
fn hosts_without_a_proxy() {
    let Some(authority) = Authority::new("Test CA", Key::Ec) else {
        return;
    };
    let config = server(&authority.sign("local", LOCAL));
    let origin = Listener::new(move |stream| {
        let (mut session, _) = accept(&config, stream);
        answer(&mut session, &pages::with_length(&pages::body()));
        std::thread::sleep(Duration::from_millis(1));
    });
    let proxy = Proxy::new(Reply::Text(Vec::new()), origin.address());
    let port = origin.address().port();
    for host in ["127.0.0.1", "localhost"] {
        let host = format!("{host}:{port}");
        let result = scrape(&host, &proxy.address().to_string(), &[&authority.flag()]);
        assert_eq!(result, Ok(()), "{host}");
    }
    assert_eq!(proxy.requests(), [""; 0]);
}
