//! Sockets that a supervisor passes.

use super::*;

#[test]
fn descriptors_that_are_handed_over() {
    let (directory, path, address) = place();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp_address = tcp.local_addr().unwrap();
    let shared = tcp.try_clone().unwrap();
    let tcp = pass(tcp).unwrap();
    assert_eq!(tcp.name, tcp_address.to_string());
    // Another process that has it as well makes it blocking.
    shared.set_nonblocking(false).unwrap();
    assert_eq!(tcp.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let mut client = TcpStream::connect(tcp_address).unwrap();
    client.write_all(b"x").unwrap();
    let accepted = tcp.accept().unwrap();
    assert!(SockRef::from(&accepted).tcp_nodelay().unwrap());

    let unix = pass(UnixListener::bind(&path).unwrap()).unwrap();
    assert_eq!(unix.name, address);
    assert_eq!(unix.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let _client = UnixStream::connect(&path).unwrap();
    let accepted = UnixStream::from(unix.accept().unwrap());
    let blocked = (&accepted).read(&mut [0]).unwrap_err();
    assert_eq!(blocked.kind(), io::ErrorKind::WouldBlock);
    drop(unix);
    assert!(path.exists(), "the file is systemd's");

    let connected = UnixStream::pair().unwrap().0;
    let file = std::fs::File::create(directory.path().join("file")).unwrap();
    let packets = socket2::Socket::new(
        socket2::Domain::UNIX,
        socket2::Type::from(libc::SOCK_SEQPACKET),
        None,
    )
    .unwrap();
    let name = directory.path().join("packets");
    packets
        .bind(&socket2::SockAddr::unix(name).unwrap())
        .unwrap();
    packets.listen(1).unwrap();
    let unfit = [
        (
            "not a listening socket",
            pass(UdpSocket::bind("127.0.0.1:0").unwrap()),
        ),
        ("not a listening socket", pass(connected)),
        ("not a stream socket", pass(packets)),
        ("Socket operation on non-socket (os error 88)", pass(file)),
    ];
    for (expected, result) in unfit {
        assert_eq!(result.unwrap_err(), expected);
    }
}

#[test]
fn variables_of_systemd() {
    let own = std::process::id().to_string();
    let other = (std::process::id() + 1).to_string();
    let not_set = "LISTEN_PID and LISTEN_FDS are not set";
    let no_socket = "systemd passed no socket to this process";
    for (pid, count, expected) in [
        (None, None, not_set),
        (Some(&*own), None, not_set),
        (None, Some("1"), not_set),
        (Some("x"), Some("1"), not_set),
        (Some(&own), Some("-1"), not_set),
        (Some(&own), Some("0"), no_socket),
        (Some(&other), Some("1"), no_socket),
    ] {
        let variable = |name: &str| {
            let value = match name {
                "LISTEN_PID" => pid,
                "LISTEN_FDS" => count,
                other => panic!("{other}"),
            };
            value.map(str::to_owned)
        };
        let error = inherited(variable).unwrap_err().to_string();
        assert_eq!(error, expected, "{pid:?} {count:?}");
    }
}
