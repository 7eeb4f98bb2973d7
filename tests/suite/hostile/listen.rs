//! Where the exporter listens, and where it must not.

use std::fs::Permissions;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use tempfile::TempDir;

use crate::hostile::get_over;
use crate::support::exporter::{Exporter, command};
use crate::support::{exposition, fixtures, http, logfmt};

fn exporter(flags: &[&str]) -> Exporter {
    let path = fixtures::path("1.5.0/stat.csv");
    let mut command = command();
    command
        .arg(format!("--haproxy.scrape-uri=file:{}", path.display()))
        .args(flags);
    Exporter::spawn(&mut command)
}

fn on_unix(path: &Path) -> Exporter {
    exporter(&[&format!("--web.listen-address=unix:{}", path.display())])
}

fn assert_serves_tcp(address: SocketAddr) {
    let response = http::request(address, "GET", "/metrics", &[]);
    assert_eq!(response.status, 200, "{address}");
    exposition::read(&response.body).expect("a valid exposition");
}

fn assert_serves_unix(path: &Path) {
    let mut stream = UnixStream::connect(path).expect("connect");
    let body = get_over(&mut stream).expect("a scrape over a unix socket");
    exposition::read(&body).expect("a valid exposition");
}

/// Runs an exporter that cannot start, and returns what it says.
fn refusal(addresses: &[&str]) -> String {
    let mut command = command();
    for address in addresses {
        command.arg(format!("--web.listen-address={address}"));
    }
    let output = command.output().expect("run the exporter");
    let text = String::from_utf8(output.stderr).expect("a line of UTF-8");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(output.stdout.is_empty(), "something on standard output");
    text
}

fn has_ipv6() -> bool {
    TcpListener::bind("[::1]:0").is_ok()
}

#[test]
fn several_addresses() {
    let directory = TempDir::new().expect("a temporary directory");
    let paths = ["a", "b"].map(|name| directory.path().join(name));
    let flags = paths
        .each_ref()
        .map(|path| format!("--web.listen-address=unix:{}", path.display()));
    let exporter = exporter(&[
        &flags[0],
        "--web.listen-address=127.0.0.1:0",
        &flags[1],
        "--web.listen-address=127.0.0.2:0",
    ]);
    exporter.scrape();
    let lines = exporter.log_lines();
    let fields = lines.iter().map(|line| logfmt::fields(line));
    let addresses: Vec<String> = fields
        .filter(|fields| fields["msg"] == "starting haproxy_exporter")
        .flat_map(|fields| {
            fields["addresses"]
                .split(',')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    // The runner asks for one more.
    assert_eq!(addresses.len(), 5, "{addresses:?}");
    for address in &addresses {
        match address.strip_prefix("unix:") {
            Some(path) => assert_serves_unix(path.as_ref()),
            None => assert_serves_tcp(address.parse().expect("an address")),
        }
    }
    assert_eq!(exporter.finish().status.code(), Some(0));
    assert!(paths.iter().all(|path| !path.exists()), "files are left");
}

#[test]
fn ipv6() {
    if !has_ipv6() {
        eprintln!("this machine has no IPv6");
        return;
    }
    let exporter = exporter(&["--web.listen-address=[::1]:0"]);
    assert!(exporter.address().is_ipv6());
    assert_serves_tcp(exporter.address());
}

#[test]
fn every_interface() {
    let addresses: &[&str] = match has_ipv6() {
        true => &[":0", "[::]:0"],
        false => &[":0"],
    };
    for address in addresses {
        let exporter = exporter(&[&format!("--web.listen-address={address}")]);
        let port = exporter.address().port();
        assert_serves_tcp(SocketAddr::from(([127, 0, 0, 1], port)));
        if has_ipv6() {
            assert_serves_tcp(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port)));
        }
    }
}

#[test]
fn an_ipv4_address_in_ipv6() {
    let exporter = exporter(&["--web.listen-address=[::ffff:127.0.0.1]:0"]);
    assert_serves_tcp(exporter.address());
}

#[test]
fn an_address_in_use_is_said_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = taken.local_addr().expect("an address").to_string();
    assert_eq!(
        refusal(&[&address]),
        format!("haproxy_exporter: --web.listen-address={address}: address already in use\n")
    );
    // What was bound before it is taken back.
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("socket");
    let text = refusal(&[&format!("unix:{}", path.display()), &address]);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!path.exists(), "a socket file is left");
}

#[test]
fn modes_of_a_unix_listener() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("socket");
    let listen = format!("--web.listen-address=unix:{}", path.display());
    for (flag, mode) in [
        ("--web.socket-mode=0660", 0o660),
        ("--web.socket-mode=0600", 0o600),
        ("--web.socket-mode=0777", 0o777),
        ("--log.level=info", 0o660),
    ] {
        let exporter = exporter(&[&listen, flag]);
        let metadata = std::fs::symlink_metadata(&path).expect("a socket file");
        assert_eq!(metadata.mode() & 0o777, mode, "{flag}");
        assert_serves_unix(&path);
        assert_eq!(exporter.finish().status.code(), Some(0));
        assert!(!path.exists(), "the file is removed at a stop");
    }
}

#[test]
fn a_stale_socket_file_is_replaced_and_a_live_one_is_not() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("socket");
    let listen = format!("unix:{}", path.display());
    let in_use = format!(
        "haproxy_exporter: --web.listen-address={listen}: another process is listening there\n"
    );
    let live = UnixListener::bind(&path).expect("bind");
    assert_eq!(refusal(&[&listen]), in_use);
    assert!(UnixStream::connect(&path).is_ok(), "it is still there");
    // std leaves the file, as a killed process does.
    drop(live);
    assert!(path.exists(), "a stale file");
    let exporter = on_unix(&path);
    assert_serves_unix(&path);
    assert_eq!(refusal(&[&listen]), in_use);
    assert_serves_unix(&path);
    drop(exporter);
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("file");
    std::fs::write(&path, "precious").expect("write a file");
    let listen = format!("unix:{}", path.display());
    assert_eq!(
        refusal(&[&listen]),
        format!("haproxy_exporter: --web.listen-address={listen}: exists and is not a socket\n")
    );
    assert_eq!(std::fs::read(&path).expect("read it"), b"precious");
    let missing = format!("unix:{}/none/socket", directory.path().display());
    assert_eq!(
        refusal(&[&missing]),
        format!("haproxy_exporter: --web.listen-address={missing}: no such file or directory\n")
    );
}

#[test]
fn another_ones_socket_file_is_not_removed() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("socket");
    let exporter = on_unix(&path);
    std::fs::remove_file(&path).expect("remove the file");
    let successor = UnixListener::bind(&path).expect("bind");
    assert_eq!(exporter.finish().status.code(), Some(0));
    assert!(UnixStream::connect(&path).is_ok(), "the successor's file");
    drop(successor);
}

/// A directory that may not be written to any more costs the file's removal, not the clean stop.
#[test]
fn a_file_that_cannot_be_removed_does_not_matter() {
    let directory = TempDir::new().expect("a temporary directory");
    let inner = directory.path().join("inner");
    std::fs::create_dir(&inner).expect("make a directory");
    let path = inner.join("socket");
    let exporter = on_unix(&path);
    std::fs::set_permissions(&inner, Permissions::from_mode(0o500)).expect("set permissions");
    assert_serves_unix(&path);
    let status = exporter.finish().status;
    std::fs::set_permissions(&inner, Permissions::from_mode(0o700)).expect("set permissions");
    assert_eq!(status.code(), Some(0));
}
