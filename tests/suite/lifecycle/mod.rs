//! From start to stop: readiness, inherited sockets, exit codes, and what a long life costs.

pub(crate) mod binaries;
mod chroot;
mod process;
mod reload;
mod steady;

use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::exporter::{self, Exporter};
use crate::support::http::PATIENCE;
use crate::support::peers;

/// A scrape URI that needs nobody.
const NOBODY: &str = "--haproxy.scrape-uri=unix:/nonexistent";
/// The user and group `nobody`.
const UNPRIVILEGED: u32 = 65534;

fn open_directory() -> TempDir {
    let directory = TempDir::new().expect("a temporary directory");
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755))
        .expect("open the directory to all");
    directory
}

/// The binary as another user, who may not reach the build directory.
fn unprivileged(directory: &Path) -> Option<Command> {
    if !peers::is_root() {
        peers::skip("only root can start programs as another user");
        return None;
    }
    let copy = directory.join("exporter");
    exporter::copy_to(&copy);
    let mut command = Command::new(copy);
    command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
    Some(command)
}

#[test]
fn ready_fd() {
    use std::io::Read;
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let mut command = exporter::command();
    command.args([NOBODY, "--ready-fd=7"]);
    peers::pass_descriptors(&mut command, &[(writer.as_fd(), 7)]);
    let exporter = Exporter::spawn(&mut command);
    drop(writer);
    let mut said = String::new();
    // It ends only when the exporter, which lives on, has closed its end.
    reader
        .read_to_string(&mut said)
        .expect("read from the pipe");
    assert_eq!(said, "\n");
    assert_eq!(exporter.get("/-/healthy").status, 200);
}

/// A number that the supervisor did not open is refused before anything of ours has it.
#[test]
fn ready_fd_that_is_not_open() {
    let mut command = exporter::command();
    command.args([NOBODY, "--ready-fd=999", "--web.listen-address=127.0.0.1:0"]);
    let (status, _, error) = peers::run(&mut command);
    let expected = "haproxy_exporter: --ready-fd=999: bad file descriptor \
                    (is it the number in s6's notification-fd?)\n";
    assert_eq!((status.code(), error.as_str()), (Some(1), expected));
}

/// One of systemd's sockets would have two owners.
#[test]
fn ready_fd_that_is_a_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind a TCP socket");
    let mut command = exporter::command();
    command.args([NOBODY, "--ready-fd=7", "--web.listen-address=127.0.0.1:0"]);
    peers::pass_descriptors(&mut command, &[(listener.as_fd(), 7)]);
    let error = fails(&mut command, 1);
    let expected = "haproxy_exporter: --ready-fd=7: is a listening socket\n";
    assert_eq!(error, expected);
}

/// A manager that is busy for a moment is told all the same.
#[test]
fn notify_socket_with_a_full_queue() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("notify");
    let manager = UnixDatagram::bind(&path).expect("bind a datagram socket");
    let other = UnixDatagram::unbound().expect("a datagram socket");
    other.set_nonblocking(true).expect("set non-blocking");
    let mut sent = 0;
    while other.send_to(b"STATUS=busy", &path).is_ok() {
        sent += 1;
    }
    let exporter = Exporter::spawn(exporter::command().arg(NOBODY).env("NOTIFY_SOCKET", &path));
    manager
        .set_read_timeout(Some(PATIENCE))
        .expect("set a read timeout");
    let mut message = [0; 64];
    for _ in 0..sent {
        manager.recv(&mut message).expect("a message of the others");
    }
    let length = manager.recv(&mut message).expect("the exporter's");
    assert_eq!(&message[..length], b"READY=1");
    assert_eq!(exporter.get("/-/healthy").status, 200);
}

/// A manager that cannot be told is a warning, and the exporter serves.
#[test]
fn notify_socket_that_is_not_there() {
    let exporter = Exporter::spawn(
        exporter::command()
            .arg(NOBODY)
            .env("NOTIFY_SOCKET", "/nonexistent/notify"),
    );
    assert_eq!(exporter.get("/-/healthy").status, 200);
    let wanted = "NOTIFY_SOCKET=/nonexistent/notify: no such file or directory";
    exporter.wait_for_line("the warning", |fields| {
        fields.get("err").is_some_and(|err| err == wanted)
    });
}

#[test]
fn notify_socket() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("notify");
    let name = format!("haproxy-exporter-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("an abstract name");
    let by_path = UnixDatagram::bind(&path).expect("bind a datagram socket");
    let by_name = UnixDatagram::bind_addr(&address).expect("bind an abstract socket");
    for (socket, variable) in [
        (by_path, path.display().to_string()),
        (by_name, format!("@{name}")),
    ] {
        socket
            .set_read_timeout(Some(PATIENCE))
            .expect("set a read timeout");
        let exporter = Exporter::spawn(
            exporter::command()
                .arg(NOBODY)
                .env("NOTIFY_SOCKET", &variable),
        );
        let mut message = [0; 64];
        let length = socket.recv(&mut message).expect("a message");
        assert_eq!(&message[..length], b"READY=1", "{variable}");
        assert_eq!(exporter.get("/-/healthy").status, 200);
    }
}

#[test]
fn socket_activation() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("metrics.sock");
    let tcp = TcpListener::bind("127.0.0.1:0").expect("bind a TCP socket");
    let unix = UnixListener::bind(&path).expect("bind a unix socket");
    let mut command = Command::new("sh");
    command
        .args(["-c", "LISTEN_PID=$$ LISTEN_FDS=2 exec \"$@\"", "sh"])
        .arg(exporter::command().get_program())
        .args([NOBODY, "--web.systemd-socket"]);
    peers::pass_descriptors(&mut command, &[(tcp.as_fd(), 3), (unix.as_fd(), 4)]);
    let exporter = Exporter::spawn(&mut command);
    assert_eq!(Some(exporter.address()), tcp.local_addr().ok());
    drop((tcp, unix));
    assert_eq!(exporter.scrape().value("haproxy_up"), 0.0);
    let answer = peers::get_unix(&path, "/metrics").expect("an answer on the unix socket");
    assert_eq!(answer.status, 200);
    assert_eq!(exporter.finish().status.code(), Some(0));
    assert!(path.exists(), "systemd's socket is not ours to remove");
}

#[test]
fn socket_activation_without_sockets() {
    let flags = [NOBODY, "--web.systemd-socket"];
    let absent = fails(exporter::command().args(flags), 1);
    assert!(
        absent.contains("LISTEN_PID and LISTEN_FDS are not set"),
        "{absent}"
    );
    let mut command = exporter::command();
    command
        .args(flags)
        .env("LISTEN_PID", "1")
        .env("LISTEN_FDS", "1");
    let others = fails(&mut command, 1);
    assert!(
        others.contains("systemd passed no socket to this process"),
        "{others}"
    );
}

/// Runs to the end: the status as given, nothing on standard output, the last line on standard error.
fn fails(command: &mut Command, code: i32) -> String {
    let (status, output, error) = peers::run(command);
    assert_eq!(
        (status.code(), output.as_str()),
        (Some(code), ""),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("haproxy_exporter: "), "{error}");
    error
}

fn cannot_listen(mut command: Command, address: &str, why: &str) {
    let flags = [NOBODY, &format!("--web.listen-address={address}")];
    let error = fails(command.args(flags), 1);
    let expected = format!("haproxy_exporter: --web.listen-address={address}: {why}\n");
    assert_eq!(error, expected);
}

#[test]
fn an_address_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind a TCP socket");
    let address = taken.local_addr().expect("its address");
    cannot_listen(
        exporter::command(),
        &address.to_string(),
        "address already in use",
    );
}

#[test]
fn a_missing_directory() {
    let address = "unix:/nonexistent/m.sock";
    cannot_listen(exporter::command(), address, "no such file or directory");
}

#[test]
fn no_permission() {
    let directory = open_directory();
    let Some(command) = unprivileged(directory.path()) else {
        return;
    };
    let address = format!("unix:{}", directory.path().join("m.sock").display());
    cannot_listen(command, &address, "permission denied");
}

#[test]
fn a_wrong_command_line() {
    for (flags, wrong) in [
        (&["--nonsense"][..], "--nonsense"),
        (&["--haproxy.timeout"], "--haproxy.timeout"),
        (&["--haproxy.scrape-uri=gopher://x"], "--haproxy.scrape-uri"),
        (&["stray"], "stray"),
        (&["-x"], "-x"),
    ] {
        let error = fails(exporter::command().args(flags), 2);
        assert!(error.contains(wrong), "{error}");
    }
}

/// Old unit files have them: a supervisor must see that they do not work.
#[test]
fn one_dash() {
    let two_dashes = |flag: &str| format!("unknown flag -{flag}: write --{flag}, with two dashes");
    let unknown = "unknown flag -haproxy.uri (try --help)".to_owned();
    for (flags, why) in [
        (
            &["-haproxy.scrape-uri=unix:/x"][..],
            two_dashes("haproxy.scrape-uri"),
        ),
        (
            &["-haproxy.scrape-uri", "unix:/x"],
            two_dashes("haproxy.scrape-uri"),
        ),
        (&[NOBODY, "-once"], two_dashes("once")),
        (&["-haproxy.uri=unix:/x"], unknown),
    ] {
        let error = fails(exporter::command().args(flags), 2);
        assert_eq!(error, format!("haproxy_exporter: {why}\n"), "{flags:?}");
    }
}
