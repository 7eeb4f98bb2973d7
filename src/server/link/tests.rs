use super::*;
use std::io::Read;

#[test]
fn requests_and_reports_go_both_ways() {
    let Channel { server, mut stream } = open().unwrap();
    stream.set_nonblocking(false).unwrap();
    for (method, path, is_sent) in [
        ("GET", "/metrics", true),
        ("HEAD", "/", false),
        ("GET", "/x?", true),
    ] {
        write!(stream, "{method} {path} HTTP/1.1\r\n\r\n").unwrap();
        let request = server.recv().unwrap();
        assert_eq!((request.method().as_str(), request.url()), (method, path));
        report(request, is_sent).unwrap();
        let mut bytes = Vec::new();
        let read = loop {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            bytes.push(byte[0]);
            if let Some(is_sent) = read_report(&bytes).unwrap() {
                break is_sent;
            }
        };
        assert_eq!(read, is_sent);
    }
}

#[test]
fn nobody_else_gets_in() {
    let (listener, mut stream) = listener_with_own_connection().unwrap();
    let address = listener.local_addr().unwrap();
    assert!(address.as_pathname().is_none(), "{address:?}");
    let error = UnixStream::connect_addr(&address).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    // Ours is accepted, and nothing else ever is.
    stream.write_all(b"x").unwrap();
    let mut got = [0];
    listener.accept().unwrap().0.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"x");
    listener.accept().unwrap_err();
}

/// A connection of somebody else takes the only room, which shows.
#[test]
fn who_comes_first_is_noticed() {
    let listener = own_connection::bind_to_new_name().unwrap();
    let refused = own_connection::connect_at_once(listener.as_fd()).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    sys::set_backlog(listener.as_raw_fd(), 0).unwrap();
    let first = own_connection::connect_at_once(listener.as_fd()).unwrap();
    let error = own_connection::connect_at_once(listener.as_fd()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    drop(first);
    let error = own_connection::connect_at_once(listener.as_fd()).unwrap_err();
    assert_eq!(
        error.kind(),
        io::ErrorKind::WouldBlock,
        "also if it has left"
    );
}

#[test]
fn what_is_no_report() {
    let own_answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
    for bytes in [
        own_answer,
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 204 Sent\r\n\r\nH",
        "x",
    ] {
        let error = read_report(bytes.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "not a report", "{bytes}");
    }
}
