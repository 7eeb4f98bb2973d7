//! https peers whose handshake is good and whose answer is not, or ends in odd ways.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::exporter::Exporter;
use crate::support::{pages, peers};
use crate::tls::certificates::{Authority, Key, LOCAL};
use crate::tls::peer::{self, Behaviour, Listener, Session, accept, answer, hold, send, server};

#[test]
#[rustfmt::skip]
fn answers() {
    let Some(authority) = Authority::new("Test CA", Key::Ec) else {
        return;
    };
    let config = server(&authority.sign("local", LOCAL));
    let behave = |act: Box<dyn Fn(&mut Session) + Send>| -> Behaviour {
        let config = Arc::clone(&config);
        Box::new(move |stream| {
            let (mut session, request) = accept(&config, stream);
            assert!(
                request.starts_with("GET /;csv HTTP/1.0\r\nHost: 127.0.0.1:"),
                "{request}"
            );
            act(&mut session);
        })
    };
    let polite = |text: String| behave(Box::new(move |session| answer(session, &text)));
    let rude = |text: String| behave(Box::new(move |session| send(session, &text)));
    let body = pages::body();
    let open = format!("HTTP/1.0 200 OK\r\n\r\n{body}");
    let length = pages::with_length(&body);
    let chunks = pages::in_chunks(&body);
    let short = |text: &str| text[..text.len() - 10].to_owned();
    let cut = "response cut: the body is shorter than announced";
    let raw = |bytes: Vec<u8>, then_hold: bool| {
        let start = length[..60].to_owned();
        behave(Box::new(move |session| {
            send(session, &start);
            let _ = session.sock.write_all(&bytes);
            if then_hold {
                hold(&session.sock);
            }
        }))
    };
    let cases: Vec<(&str, Behaviour, Result<(), &str>)> = vec![
        ("to the end, with good-bye", polite(open.clone()), Ok(())),
        (
            "to the end, without",
            rude(open.clone()),
            Err("read: response cut: the connection ended without TLS's close_notify"),
        ),
        ("a length, with good-bye", polite(length.clone()), Ok(())),
        ("a length, without", rude(length.clone()), Ok(())),
        ("chunks, with good-bye", polite(chunks.clone()), Ok(())),
        ("chunks, without", rude(chunks.clone()), Ok(())),
        ("a length too long, with good-bye", polite(short(&length)), Err(cut)),
        ("a length too long, without", rude(short(&length)), Err(cut)),
        ("no last chunk, with good-bye", polite(short(&chunks)), Err(cut)),
        ("no last chunk, without", rude(short(&chunks)), Err(cut)),
        ("half a head, with good-bye", polite(open[..12].to_owned()), Err("response cut in its head")),
        ("half a head, without", rude(open[..12].to_owned()), Err("response cut in its head")),
        ("nothing, with good-bye", polite(String::new()), Err("closed without a reply")),
        ("nothing, without", rude(String::new()), Err("closed without a reply")),
        ("half a record", raw(vec![23, 3, 3, 0, 200, 1, 2, 3], false), Err(cut)),
        ("half a record, then nothing", raw(vec![23, 3, 3, 0, 200, 1, 2, 3], true), Err("read: timed out")),
        (
            "a record that is not the peer's",
            raw([&[23, 3, 3, 0, 50][..], &[7; 50]].concat(), true),
            Err("read: cannot decrypt peer's message"),
        ),
        (
            "plain text",
            raw(b"and so on, and so on".to_vec(), true),
            Err("read: the response is not TLS (is it an http:// port?)"),
        ),
        (
            "byte by byte",
            behave(Box::new({
                let length = length.clone();
                move |session| {
                    for at in 0..length.len() {
                        send(session, &length[at..=at]);
                    }
                }
            })),
            Ok(()),
        ),
        (
            "an answer without an end",
            behave(Box::new(|session| {
                send(session, "HTTP/1.0 200 OK\r\n\r\n");
                while session.write_all(&[b'#'; 65_536]).is_ok() {}
            })),
            Err("read: the reply is larger than 100000 bytes (--haproxy.max-response-bytes)"),
        ),
        (
            "a head without an end",
            behave(Box::new(|session| {
                send(session, "HTTP/1.0 200 OK\r\n");
                while session.write_all(&b"X: y\r\n".repeat(1000)).is_ok() {}
            })),
            Err("the response's head is larger than 65536 bytes"),
        ),
        (
            "a key update",
            behave(Box::new({
                let length = length.clone();
                move |session| {
                    session.conn.refresh_traffic_keys().expect("TLS 1.3");
                    answer(session, &length);
                }
            })),
            Ok(()),
        ),
        (
            "a refusal",
            polite("HTTP/1.0 401 Unauthorized\r\n\r\n".to_owned()),
            Err("user or password are missing or wrong (http://user:password@host/path)"),
        ),
    ];
    let cases = cases
        .into_iter()
        .map(|(name, behave, expected)| (name, behave, expected.map_err(str::to_owned)));
    let flags = [&authority.flag(), "--haproxy.max-response-bytes=100000"];
    peer::run(&flags, cases.collect());
}

/// Hundreds of handshakes, good and bad, leave neither descriptors nor memory behind.
#[test]
fn nothing_stays_behind() {
    let Some(authority) = Authority::new("Test CA", Key::Ec) else {
        return;
    };
    let config = server(&authority.sign("local", LOCAL));
    let turn = AtomicBool::new(false);
    let listener = Listener::new(move |mut stream| {
        if turn.fetch_xor(true, Ordering::SeqCst) {
            let (mut session, _) = accept(&config, stream);
            answer(&mut session, &pages::with_length(&pages::body()));
        } else {
            let _ = stream.write_all(&[22; 60_000]);
            // A reset would be an error too, but another one.
            match stream.read(&mut [0; 4096]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("{error}"),
                _ => {}
            }
        }
    });
    let uri = format!("--haproxy.scrape-uri=https://{}/;csv", listener.address());
    let exporter = Exporter::start(&[&uri, &authority.flag()]);
    let scrape = |times: usize| {
        let ups: f64 = (0..times)
            .map(|_| exporter.scrape().value("haproxy_up"))
            .sum();
        assert_eq!(ups, times as f64 / 2.0);
    };
    scrape(20);
    let (descriptors, memory) = (exporter.descriptors(), exporter.proc_status("VmRSS"));
    scrape(200);
    // The last client's connection may be open still.
    peers::wait_for("an end of the descriptors", || {
        (exporter.descriptors() <= descriptors).then_some(())
    });
    let after = exporter.proc_status("VmRSS");
    assert!(after < memory + 1024, "{memory}, then {after} KiB");
}
