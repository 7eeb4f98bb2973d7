use std::cell::RefCell;
use std::fs::Permissions;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use socket2::SockRef;

use super::*;

#[test]
fn addresses() {
    let any = |port| Ok(ListenAddress::Any(port));
    let host = |host: &str, port| Ok(ListenAddress::Host(host.to_owned(), port));
    let unix = |path: &str| Ok(ListenAddress::Unix(PathBuf::from(path)));
    let bad_port = |port: &str| {
        Err(format!(
            "port must be a number from 0 to 65535, not {port:?}"
        ))
    };
    let relative = || Err("the path is not absolute (unix:/path)".to_owned());
    // With the NUL behind it one of 107 bytes fits (unix(7)).
    let longest = format!("/{}", "x".repeat(106));
    let cases = [
        (":9101", any(9101), ":9101"),
        (":0", any(0), ":0"),
        (
            "127.0.0.1:65535",
            host("127.0.0.1", 65535),
            "127.0.0.1:65535",
        ),
        ("[::1]:9101", host("::1", 9101), "[::1]:9101"),
        ("localhost:1", host("localhost", 1), "localhost:1"),
        (":65536", bad_port("65536"), ""),
        (":", bad_port(""), ""),
        (":+1", bad_port("+1"), ""),
        (
            "localhost",
            Err("the port is missing (:port or host:port)".to_owned()),
            "",
        ),
        ("unix:/run/x", unix("/run/x"), "unix:/run/x"),
        ("unix:///run/x", unix("/run/x"), "unix:/run/x"),
        ("unix:", relative(), ""),
        ("unix:x", relative(), ""),
        ("unix://x", relative(), ""),
        (
            &format!("unix:{longest}"),
            unix(&longest),
            &format!("unix:{longest}"),
        ),
        (
            &format!("unix:{longest}x"),
            Err("the path is longer than 107 bytes".to_owned()),
            "",
        ),
    ];
    for (text, expected, shown) in cases {
        let found = ListenAddress::parse(text).map_err(|error| error.to_string());
        assert_eq!(found, expected, "{text}");
        let name = found.map(|address| address.to_string());
        assert_eq!(name.unwrap_or_default(), shown, "{text}");
    }
}

/// What a machine says to an address, if it does not have it.
type Machine = fn(SocketAddr) -> Option<i32>;
/// The listeners there are, or the error.
type Bound<'a> = Result<&'a [&'a str], i32>;

/// What is listened on at a machine for an address or several, in this order; or the error.
fn bound(addresses: &[&str], machine: Machine) -> Result<Vec<String>, Option<i32>> {
    let listening = RefCell::new(Vec::new());
    let listen = |address: SocketAddr, families: Families| {
        if let Some(error) = machine(address) {
            return Err(io::Error::from_raw_os_error(error));
        }
        let both = match families {
            Families::Both => " both",
            Families::Own => "",
        };
        listening.borrow_mut().push(format!("{address}{both}"));
        TcpListener::bind("127.0.0.1:0")
    };
    let parsed: Result<Vec<SocketAddr>, _> = addresses.iter().map(|one| one.parse()).collect();
    let result = match parsed {
        Ok(addresses) => bind_host(&addresses, &listen),
        Err(_) => bind_any(addresses[0][1..].parse().unwrap(), &listen),
    };
    let count = result.map_err(|error| error.raw_os_error())?.len();
    let listening = listening.into_inner();
    assert_eq!(listening.len(), count);
    Ok(listening)
}

/// A machine without IPv6 listens on IPv4, one without IPv4 on IPv6; and what neither has is an error.
#[test]
fn families_and_addresses_that_a_machine_lacks() {
    let whole: Machine = |_| None;
    let no_ipv6: Machine = |address| address.is_ipv6().then_some(libc::EAFNOSUPPORT);
    let ipv6_is_off: Machine = |address| address.is_ipv6().then_some(libc::EADDRNOTAVAIL);
    let ipv6_is_denied: Machine = |address| address.is_ipv6().then_some(libc::EPERM);
    let is_denied: Machine = |_| Some(libc::EACCES);
    let no_ipv4: Machine = |address| address.is_ipv4().then_some(libc::EAFNOSUPPORT);
    let in_use: Machine = |_| Some(libc::EADDRINUSE);
    let ipv6_in_use: Machine = |address| address.is_ipv6().then_some(libc::EADDRINUSE);
    let is_elsewhere: Machine =
        |address| (address.ip().to_string() == "192.0.2.1").then_some(libc::EADDRNOTAVAIL);
    let localhost = &["127.0.0.1:7", "[::1]:7"][..];
    let cases: [(&str, &[&str], Machine, Bound<'_>); 21] = [
        ("every interface", &[":7"], whole, Ok(&["[::]:7 both"])),
        (
            "every interface, no IPv6",
            &[":7"],
            no_ipv6,
            Ok(&["0.0.0.0:7 both"]),
        ),
        (
            "every interface, IPv6 denied by a profile",
            &[":7"],
            ipv6_is_denied,
            Ok(&["0.0.0.0:7 both"]),
        ),
        (
            "every interface, the port is denied",
            &[":7"],
            is_denied,
            Err(libc::EACCES),
        ),
        (
            "every interface, IPv6 off",
            &[":7"],
            ipv6_is_off,
            Ok(&["0.0.0.0:7 both"]),
        ),
        (
            "every interface, no IPv4",
            &[":7"],
            no_ipv4,
            Ok(&["[::]:7 both"]),
        ),
        (
            "every interface, in use",
            &[":7"],
            in_use,
            Err(libc::EADDRINUSE),
        ),
        // Not IPv4 alone: half of the clients would reach another process.
        (
            "every interface, IPv6 in use",
            &[":7"],
            ipv6_in_use,
            Err(libc::EADDRINUSE),
        ),
        (
            "all of IPv4",
            &["0.0.0.0:7"],
            whole,
            Ok(&["0.0.0.0:7 both"]),
        ),
        ("all of IPv6", &["[::]:7"], whole, Ok(&["[::]:7 both"])),
        (
            "IPv4 in IPv6",
            &["[::ffff:10.0.0.1]:7"],
            no_ipv6,
            Ok(&["10.0.0.1:7"]),
        ),
        ("one of IPv6", &["[::1]:7"], whole, Ok(&["[::1]:7"])),
        (
            "one of IPv6, no IPv6",
            &["[::1]:7"],
            no_ipv6,
            Err(libc::EAFNOSUPPORT),
        ),
        ("both", localhost, whole, Ok(localhost)),
        ("both, no IPv6", localhost, no_ipv6, Ok(&["127.0.0.1:7"])),
        (
            "both, IPv6 off",
            localhost,
            ipv6_is_off,
            Ok(&["127.0.0.1:7"]),
        ),
        ("both, no IPv4", localhost, no_ipv4, Ok(&["[::1]:7"])),
        (
            "both, one in use",
            localhost,
            ipv6_in_use,
            Err(libc::EADDRINUSE),
        ),
        (
            "absent first",
            &["192.0.2.1:7", "10.0.0.1:7"],
            is_elsewhere,
            Ok(&["10.0.0.1:7"]),
        ),
        (
            "absent last",
            &["10.0.0.1:7", "192.0.2.1:7"],
            is_elsewhere,
            Ok(&["10.0.0.1:7"]),
        ),
        (
            "absent",
            &["192.0.2.1:7"],
            is_elsewhere,
            Err(libc::EADDRNOTAVAIL),
        ),
    ];
    for (name, addresses, machine, expected) in cases {
        let expected = expected.map(|list| list.iter().map(|one| (*one).to_owned()).collect());
        assert_eq!(bound(addresses, machine), expected.map_err(Some), "{name}");
    }
}

/// Binds one address; the text of the error.
fn bind_one(address: &str, mode: u32) -> Result<Vec<Listener>, String> {
    let address = ListenAddress::parse(address).unwrap();
    bind_all(&[address], mode).map_err(|error| error.to_string())
}

#[test]
fn the_machine_that_this_runs_on() {
    let listeners = bind_one("127.0.0.1:0", 0o660).unwrap();
    let address: SocketAddr = listeners[0].name.parse().unwrap();
    let _client = TcpStream::connect(address).unwrap();
    // Without this every piece of an answer would wait for what the client says to the one before.
    let accepted = listeners[0].accept().unwrap();
    assert!(SockRef::from(&accepted).tcp_nodelay().unwrap());
    let again = bind_one(&listeners[0].name, 0o660);
    let expected = format!("--web.listen-address={address}: address already in use");
    assert_eq!(again.unwrap_err(), expected);
    // Reserved for documents (RFC 5737): nobody has it.
    let absent = bind_one("192.0.2.1:0", 0o660);
    let expected = "--web.listen-address=192.0.2.1:0: no such address on this machine \
                    (for a floating address: sysctl net.ipv4.ip_nonlocal_bind=1)";
    assert_eq!(absent.unwrap_err(), expected);
    // This machine may lack IPv6.
    let address = ListenAddress::parse("[2001:db8::1]:9101").unwrap();
    let absent = io::Error::from_raw_os_error(libc::EADDRNOTAVAIL);
    let expected = " (for a floating address: sysctl net.ipv6.ip_nonlocal_bind=1)";
    assert_eq!(nonlocal_setting(&address, &absent), expected);
    let none = listeners[0].accept().unwrap_err();
    assert_eq!(none.kind(), io::ErrorKind::WouldBlock);
}

/// A directory, and a listen address in it.
fn place() -> (tempfile::TempDir, PathBuf, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let address = format!("unix:{}", path.display());
    (directory, path, address)
}

#[test]
fn a_socket_file_has_its_mode_and_is_removed() {
    for mode in [0o600, 0o660, 0o666, 0o777] {
        let (_directory, path, address) = place();
        let listeners = bind_one(&address, mode).unwrap();
        assert_eq!(listeners[0].name, address);
        let found = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{mode:o}");
        drop(listeners);
        assert!(!path.exists());
    }
}

#[test]
fn what_is_at_the_place_of_a_socket() {
    enum Before {
        Nothing,
        Stale,
        Live,
        LiveAndFull,
        File,
        Directory,
        LinkToNothing,
        LinkToStale,
    }
    use Before::*;
    let taken = Some("another process is listening there");
    let not_socket = Some("exists and is not a socket");
    for (name, before, expected) in [
        ("nothing", Nothing, None),
        ("stale", Stale, None),
        ("live", Live, taken),
        ("live, its queue full", LiveAndFull, taken),
        ("a file", File, not_socket),
        ("a directory", Directory, not_socket),
        ("a link to nothing", LinkToNothing, not_socket),
        ("a link to a stale one", LinkToStale, not_socket),
    ] {
        let (directory, path, address) = place();
        let other = directory.path().join("other");
        let mut kept = Vec::new();
        let mut clients = Vec::new();
        match before {
            Nothing => {}
            Stale => drop(UnixListener::bind(&path).unwrap()),
            Live => kept.push(UnixListener::bind(&path).unwrap()),
            LiveAndFull => {
                let listener = UnixListener::bind(&path).unwrap();
                sys::set_backlog(listener.as_raw_fd(), 0).unwrap();
                clients.push(UnixStream::connect(&path).unwrap());
                kept.push(listener);
            }
            File => std::fs::write(&path, "precious").unwrap(),
            Directory => std::fs::create_dir(&path).unwrap(),
            LinkToNothing => std::os::unix::fs::symlink(&other, &path).unwrap(),
            LinkToStale => {
                drop(UnixListener::bind(&other).unwrap());
                std::os::unix::fs::symlink(&other, &path).unwrap();
            }
        }
        let earlier = identity(&path).ok();
        let result = bind_one(&address, 0o660);
        let why = expected.map(|why| format!("--web.listen-address={address}: {why}"));
        assert_eq!(result.as_ref().err(), why.as_ref(), "{name}");
        match result {
            Ok(_) => assert!(UnixStream::connect(&path).is_ok(), "{name}"),
            // What is not ours is as it was.
            Err(_) => assert_eq!(identity(&path).ok(), earlier, "{name}"),
        }
    }
}

#[test]
fn a_socket_file_that_another_has_made_since_stays() {
    let (_directory, path, address) = place();
    let listeners = bind_one(&address, 0o660).unwrap();
    std::fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    drop(listeners);
    assert!(path.exists());
}

#[test]
fn a_directory_that_is_not_there() {
    let (directory, _path, _) = place();
    let address = format!("unix:{}/none/socket", directory.path().display());
    let expected = format!("--web.listen-address={address}: no such file or directory");
    assert_eq!(bind_one(&address, 0o660).unwrap_err(), expected);
}

/// The listeners of before one that fails are gone, their files as well.
#[test]
fn a_start_that_fails_leaves_nothing() {
    let (directory, path, address) = place();
    let file = directory.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let bad = format!("unix:{}", file.display());
    let addresses = [&*address, &bad].map(|one| ListenAddress::parse(one).unwrap());
    let error = bind_all(&addresses, 0o660).unwrap_err();
    let expected = format!("--web.listen-address={bad}: exists and is not a socket");
    assert_eq!(error.to_string(), expected);
    assert!(!path.exists());
}

/// What the kernel keeps for a client that reads nothing does not depend on the machine's settings; a unix
/// socket has that from nobody but us.
#[test]
fn a_unix_client_that_reads_nothing_costs_a_bounded_buffer() {
    let (_directory, path, address) = place();
    let listeners = bind_one(&address, 0o660).unwrap();
    let _client = UnixStream::connect(&path).unwrap();
    let accepted = listeners[0].accept().unwrap();
    let (asked, untouched) = UnixStream::pair().unwrap();
    let size = |socket: SockRef<'_>| socket.send_buffer_size().unwrap();
    // The kernel bounds it by net.core.wmem_max, and doubles it.
    SockRef::from(&asked)
        .set_send_buffer_size(UNREAD_BYTES as usize)
        .unwrap();
    let expected = size(SockRef::from(&asked));
    assert_ne!(
        expected,
        size(SockRef::from(&untouched)),
        "cannot be told apart"
    );
    assert_eq!(size(SockRef::from(&accepted)), expected);
    // It is full then, and the exporter does not wait.
    let mut near = UnixStream::from(accepted);
    let mut sent = 0;
    let error = loop {
        match near.write(&[0; 4096]) {
            Ok(count) => sent += count,
            Err(error) => break error,
        }
        assert!(sent <= 2 * UNREAD_BYTES as usize, "{sent} bytes");
    };
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
}

/// Hands a descriptor over as systemd would; the listener, or the error's text.
fn pass(fd: impl Into<OwnedFd>) -> Result<Listener, String> {
    take_over(fd.into()).map_err(|error| error.to_string())
}

mod inherited_sockets;
