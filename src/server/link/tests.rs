use super::*;

#[test]
fn requests_and_reports_go_both_ways() {
    let Channel {
        server,
        mut stream,
        key,
    } = open().unwrap();
    stream.set_nonblocking(false).unwrap();
    for (method, path, is_sent) in [
        ("GET", "/metrics", true),
        ("HEAD", "/", false),
        ("GET", "/x?", true),
    ] {
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\n{KEY_FIELD}: {key}\r\n\r\n"
        )
        .unwrap();
        let request = server.recv().unwrap();
        assert_eq!((request.method().as_str(), request.url()), (method, path));
        assert!(has_key(&request, &key));
        assert!(!has_key(&request, "another key"));
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
    let channel = open().unwrap();
    let name = format!("haproxy_exporter-{}", channel.key);
    let address = SocketAddr::from_abstract_name(name).unwrap();
    let error = UnixStream::connect_addr(&address).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
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
