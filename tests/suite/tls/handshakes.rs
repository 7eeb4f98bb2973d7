//! https against peers that stall, send garbage or close in the handshake.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::server::Acceptor;
use rustls::{ServerConfig, ServerConnection};

use crate::support::exporter::Exporter;
use crate::tls::certificates::{Authority, Key, LOCAL};
use crate::tls::peer::{self, Behaviour, Listener, hold, server};

/// Keeps silent, or closes. What comes in is read, so that a close is not a reset.
fn finish(stream: &TcpStream, silently: bool) {
    if !silently {
        let _ = stream.shutdown(Shutdown::Write);
    }
    hold(stream);
}

/// The first bytes of the client.
fn hello(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 16 * 1024];
    let count = stream.read(&mut bytes).expect("a ClientHello");
    bytes.truncate(count);
    bytes
}

/// What a server answers to a ClientHello.
fn flight(config: &Arc<ServerConfig>, stream: &TcpStream) -> Vec<u8> {
    let mut connection = ServerConnection::new(Arc::clone(config)).expect("a session");
    connection.read_tls(&mut &hello(stream)[..]).expect("bytes");
    connection.process_new_packets().expect("a ClientHello");
    let mut bytes = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut bytes).expect("bytes");
    }
    bytes
}

#[test]
#[rustfmt::skip]
fn handshakes() {
    let Some(authority) = Authority::new("Test CA", Key::Ec) else {
        return;
    };
    let config = server(&authority.sign("local", LOCAL));
    let after_hello = |bytes: Vec<u8>, then_hold: bool| -> Behaviour {
        Box::new(move |mut stream: TcpStream| {
            hello(&stream);
            let _ = stream.write_all(&bytes);
            finish(&stream, then_hold);
        })
    };
    let of_flight = |config: &Arc<ServerConfig>,
                     change: fn(Vec<u8>) -> Vec<u8>,
                     then_hold: bool|
     -> Behaviour {
        let config = Arc::clone(config);
        Box::new(move |mut stream: TcpStream| {
            let bytes = change(flight(&config, &stream));
            let _ = stream.write_all(&bytes);
            finish(&stream, then_hold);
        })
    };
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    // A record holds 16 KiB at most, a handshake message here says it has 16 MiB.
    let endless = [&[22, 3, 3, 0x40, 0, 11, 0xff, 0xff, 0xff][..], &[0; 0x3ffc]].concat();
    let dripping: Behaviour = Box::new({
        let config = Arc::clone(&config);
        move |mut stream: TcpStream| {
            for byte in flight(&config, &stream) {
                if stream.write_all(&[byte]).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    });
    let cases: Vec<(&str, Behaviour, &str)> = vec![
        ("says nothing", Box::new(|stream| hold(&stream)), "timed out"),
        ("half of its flight, then nothing", of_flight(&config, half, true), "timed out"),
        ("a byte now and then", dripping, "timed out"),
        ("closes after the hello", after_hello(Vec::new(), false), "closed by the peer"),
        ("half of its flight, then closes", of_flight(&config, half, false), "closed by the peer"),
        (
            "its flight, damaged",
            of_flight(
                &config,
                |mut bytes| {
                    let last = bytes.len() - 1;
                    bytes[last] ^= 1;
                    bytes
                },
                true,
            ),
            "cannot decrypt peer's message",
        ),
        (
            "resets",
            // What was not read when it closes makes the reset.
            Box::new(|stream: TcpStream| drop(stream.peek(&mut [0]))),
            "connection reset by peer",
        ),
        (
            "plain HTTP",
            after_hello(b"HTTP/1.0 400 Bad Request\r\n\r\n".to_vec(), false),
            "the response is not TLS (is it an http:// port?)",
        ),
        (
            "noise",
            after_hello((0..=255).rev().cycle().take(5000).collect(), true),
            "the response is not TLS (is it an http:// port?)",
        ),
        (
            "a handshake record of zeros",
            after_hello([&[22, 3, 3, 0, 100][..], &[0; 100]].concat(), true),
            "received unexpected handshake message: got HelloRequest when expecting ServerHello or HelloRetryRequest",
        ),
        (
            "application data",
            after_hello([&[23, 3, 3, 0, 5][..], b"hello"].concat(), true),
            "received unexpected message: got ApplicationData when expecting Handshake",
        ),
        (
            "a record too large",
            after_hello([&[22, 3, 3, 0xff, 0xff][..], &[0; 70_000]].concat(), true),
            "received corrupt message of type MessageTooLarge",
        ),
        (
            "a message without an end",
            after_hello(endless.repeat(8), true),
            "received corrupt message of type HandshakePayloadTooLarge",
        ),
        (
            "an alert",
            after_hello(vec![21, 3, 3, 0, 2, 2, 40], false),
            "the peer refused with the alert HandshakeFailure",
        ),
        ("a good-bye", after_hello(vec![21, 3, 3, 0, 2, 1, 0], false), "closed by the peer"),
        (
            "many warnings",
            after_hello([21, 3, 3, 0, 2, 1, 90].repeat(10_000), true),
            "peer misbehaved: TooManyWarningAlertsReceived",
        ),
    ];
    let cases = cases
        .into_iter()
        .map(|(name, behave, words)| (name, behave, Err(format!("TLS handshake: {words}"))));
    peer::run(&[&authority.flag()], cases.collect());
}

/// The name in a first message, and whether it wishes for a protocol (ALPN).
type Hello = (Option<String>, bool);

/// What the first message says: a name where the host has one, and no wish for another protocol.
#[test]
fn the_hello() {
    let Some(authority) = Authority::new("Test CA", Key::Ec) else {
        return;
    };
    let seen: Arc<Mutex<Vec<Hello>>> = Arc::default();
    let listener = Listener::new({
        let seen = Arc::clone(&seen);
        move |mut stream| {
            let mut acceptor = Acceptor::default();
            let accepted = loop {
                match acceptor.read_tls(&mut stream) {
                    Ok(1..) => {}
                    other => panic!("{other:?}"),
                }
                if let Some(accepted) = acceptor.accept().ok().flatten() {
                    break accepted;
                }
            };
            let hello = accepted.client_hello();
            let name = hello.server_name().map(str::to_owned);
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push((name, hello.alpn().is_some()));
        }
    });
    let port = listener.address().port();
    let cases = [
        ("127.0.0.1", None, None),
        ("localhost", None, Some("localhost")),
        ("LocalHost.", None, Some("localhost")),
        ("127.0.0.1", Some("stats.test"), Some("stats.test")),
        ("localhost", Some("10.0.0.1"), None),
        ("localhost", Some("::1"), None),
    ];
    for (host, name, expected) in cases {
        let uri = format!("--haproxy.scrape-uri=https://{host}:{port}/");
        let mut flags = vec![uri, authority.flag()];
        flags.extend(name.map(|name| format!("--haproxy.ssl-server-name={name}")));
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        assert_eq!(Exporter::start(&flags).scrape().value("haproxy_up"), 0.0);
        let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        let expected = vec![(expected.map(str::to_owned), false)];
        let seen: Vec<_> = seen
            .into_iter()
            .map(|(name, alpn)| (name.map(|name| name.to_ascii_lowercase()), alpn))
            .collect();
        assert_eq!(seen, expected, "{host} {name:?}");
    }
}
