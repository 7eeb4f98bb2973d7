//! System calls that a strict profile denies, and a /proc that hides HAProxy.

use std::net::TcpStream;
use std::process::Command;
#[cfg(target_arch = "x86_64")]
use std::process::Stdio;

use tempfile::TempDir;

use crate::support::exporter::{self, Exporter, Problem};
use crate::support::haproxy::{Haproxy, Place};
use crate::support::seccomp::deny;
#[cfg(target_arch = "x86_64")]
use crate::support::seccomp::spawn_without_vdso;
use crate::support::{fixtures, http, logfmt, peers};

const WHY: &str = "(does a profile such as seccomp deny this system call?)";

fn stat_flag() -> String {
    let stat = fixtures::path("3.2.0/stat.csv");
    format!("--haproxy.scrape-uri=file:{}", stat.display())
}

/// Ends with status 1 and this line.
fn assert_says(command: &mut Command, expected: &str) {
    let (status, output, error) = peers::run(command);
    let expected = format!("haproxy_exporter: {expected} {WHY}\n");
    assert_eq!((output, error), (String::new(), expected));
    assert_eq!(status.code(), Some(1));
}

#[test]
fn calls_that_it_cannot_do_without() {
    let denied = [
        (libc::SYS_accept4, None, "private connection: accept4"),
        (libc::SYS_signalfd4, None, "signals"),
        (
            libc::SYS_socket,
            Some((0, libc::AF_UNIX)),
            "private connection",
        ),
    ];
    let errors = [
        (libc::EPERM, "permission denied"),
        (libc::EACCES, "permission denied"),
        (libc::ENOSYS, "function not implemented"),
    ];
    for (call, argument, what) in denied {
        for (errno, why) in errors {
            let mut command = exporter::command();
            command.args([&stat_flag(), "--web.listen-address=127.0.0.1:0"]);
            deny(&mut command, call, argument, errno);
            assert_says(&mut command, &format!("{what}: {why}"));
        }
    }
}

/// As on 32 bits and other machines where the clock takes a system call.
#[cfg(target_arch = "x86_64")]
#[test]
fn the_clock() {
    for flags in [
        &["--version"][..],
        &["--once", &stat_flag()],
        &[&stat_flag()],
    ] {
        let mut command = exporter::command();
        command
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        deny(&mut command, libc::SYS_clock_gettime, None, libc::EPERM);
        let child = spawn_without_vdso(&mut command).expect("start the exporter");
        let ended = child.wait_with_output().expect("wait");
        let error = String::from_utf8_lossy(&ended.stderr);
        let expected = format!("haproxy_exporter: clock_gettime: permission denied {WHY}\n");
        assert_eq!((ended.status.code(), &*error), (Some(1), &*expected));
        assert!(ended.stdout.is_empty());
    }
}

#[test]
fn without_ipv6_sockets() {
    for errno in [libc::EPERM, libc::EACCES, libc::EAFNOSUPPORT] {
        let mut command = exporter::command();
        command.args([&stat_flag(), "--web.listen-address=:0"]);
        deny(
            &mut command,
            libc::SYS_socket,
            Some((0, libc::AF_INET6)),
            errno,
        );
        let exporter = Exporter::spawn(&mut command);
        let line = exporter.wait_for_line("the start", |fields| fields.contains_key("addresses"));
        let addresses = logfmt::fields(&line)["addresses"].clone();
        let all = addresses.split(',').next().expect("an address");
        let port = all.strip_prefix("0.0.0.0:").expect("IPv4 alone");
        let address = format!("127.0.0.1:{port}").parse().expect("an address");
        let response = http::request(address, "GET", "/metrics", &[]);
        assert!(response.text().contains("\nhaproxy_up 1\n"), "{errno}");
        assert_eq!(exporter.finish().problems(), []);
    }
}

/// How many times the thread that accepts has waited.
fn pauses(exporter: &Exporter) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", exporter.pid()));
    let status = tasks.expect("read the threads").flatten().find_map(|task| {
        let status = std::fs::read_to_string(task.path().join("status")).ok()?;
        status.starts_with("Name:\tfront\n").then_some(status)
    });
    let status = status.expect("the thread");
    let count = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:\t"));
    count.expect("its pauses").parse().expect("a number")
}

/// As SELinux can deny it, for listeners over TCP only: said once, and no reason to burn the processor.
#[test]
fn clients_that_may_not_be_accepted() {
    // The private connection is accepted without the first flag.
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    let mut command = exporter::command();
    command.arg(stat_flag());
    deny(
        &mut command,
        libc::SYS_accept4,
        Some((3, flags)),
        libc::EACCES,
    );
    let exporter = Exporter::spawn(&mut command);
    let _client = TcpStream::connect(exporter.address()).expect("connect");
    exporter.wait_for_line("the reason", |fields| {
        fields
            .get("msg")
            .is_some_and(|msg| msg == "cannot accept clients")
    });
    // In a loop without pauses, the thread would never give up the processor by itself.
    let before = pauses(&exporter);
    let _another = TcpStream::connect(exporter.address()).expect("connect");
    peers::wait_for("pauses", || (pauses(&exporter) > before + 3).then_some(()));
    let expected = Problem {
        level: "error".to_owned(),
        msg: "cannot accept clients".to_owned(),
        details: vec![format!("err=accept4: permission denied {WHY}")],
    };
    assert_eq!(exporter.finish().problems(), [expected]);
}

#[test]
fn a_process_that_is_hidden() {
    let place = Place::new(0);
    let configuration = format!("{}backend app\n  server one 127.0.0.1:1\n", place.global());
    let Some(haproxy) = Haproxy::start(place, &configuration) else {
        return;
    };
    if !peers::is_root() {
        return peers::skip("only root can mount /proc");
    }
    let directory = TempDir::new().expect("a temporary directory");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path(), mode).expect("open the directory to all");
    let program = directory.path().join("exporter");
    exporter::copy_to(&program);
    let pid_file = haproxy.write_pid_file();
    let run = |namespaces: &[&str], options: &str| {
        let mut command = Command::new("unshare");
        command.args(namespaces).args(["sh", "-c"]);
        command.arg(format!(
            "mount -t proc {options} proc /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\" \"$@\""
        ));
        command.arg(&program).arg("--once").arg(haproxy.unix_flag());
        command.arg(format!("--haproxy.pid-file={}", pid_file.display()));
        peers::run(&mut command)
    };
    let object = format!("/proc/{}/stat", haproxy.peer.pid());
    let hint = "HAProxy runs, but is hidden: /proc is mounted with hidepid, or HAProxy has another PID namespace";
    let another = &["--mount", "--pid", "--fork"][..];
    let same = &["--mount"][..];
    for (namespaces, options, why) in [
        (another, "", "no such file or directory"),
        (same, "-o hidepid=2", "no such file or directory"),
        (same, "-o hidepid=1", "permission denied"),
    ] {
        let (status, output, error) = run(namespaces, options);
        assert_eq!(status.code(), Some(0), "{options}: {error}");
        assert!(output.contains("\nhaproxy_up 1\n"), "{options}");
        let expected = format!("err=\"{object}: {why} ({hint})\"");
        assert!(error.contains(&expected), "{options}: {error}");
        assert_eq!(error.lines().count(), 1, "{options}: {error}");
    }
}
