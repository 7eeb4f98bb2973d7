//! What the kernel keeps for clients, and how little address space the exporter needs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use crate::hostile::readers::GET;
use crate::hostile::threads::NO_THREAD;
use crate::hostile::tools::{Bare, connect_with_small_buffer, limit, many_servers};
use crate::hostile::{Honest, alone};
use crate::lifecycle::binaries::static_binary;
use crate::support::exporter::{Exporter, command_of};
use crate::support::namespace::enter_new_network;
use crate::support::{exposition, peers};

const CLIENTS: usize = 150;
const MIB: u64 = 1024 * 1024;

/// Bytes that the kernel holds for TCP in this network namespace, on both sides of connections.
fn kernel_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/net/sockstat").expect("read sockstat");
    let line = text
        .lines()
        .find(|line| line.starts_with("TCP:"))
        .expect("TCP");
    let pages = line.split(" mem ").nth(1).expect("mem").trim();
    pages.parse::<u64>().expect("a number") * 4096
}

/// Takes an answer, asks again and reads nothing more. `None` where no slot is left.
fn take_one_and_ask_again(address: SocketAddr) -> Option<TcpStream> {
    // What waits on this side is not the exporter's affair.
    let mut stream = connect_with_small_buffer(address);
    let wait = Some(Duration::from_secs(3));
    stream.set_read_timeout(wait).expect("set a read timeout");
    stream.write_all(GET).ok()?;
    let mut piece = vec![0; 1 << 16];
    let mut left = usize::MAX;
    while left > 0 {
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        if left == usize::MAX {
            let head = String::from_utf8_lossy(&piece[..count.min(512)]).into_owned();
            let (head, _) = head.split_once("\r\n\r\n").expect("a head");
            let length = head.split("Content-Length: ").nth(1).expect("a length");
            let length = length.split("\r\n").next().expect("a length");
            left = head.len() + 4 + length.parse::<usize>().expect("a number");
        }
        left -= count;
    }
    stream.write_all(GET).ok()?;
    Some(stream)
}

/// Nobody's answer stays in the kernel for long, and never much of it.
#[test]
fn unread_answers_do_not_pile_up() {
    let _alone = alone();
    if !peers::is_root() {
        peers::skip("only root can make network namespaces");
        return;
    }
    if !enter_new_network() {
        return;
    }
    let status = std::process::Command::new("ip")
        .args(["link", "set", "lo", "up"])
        .status();
    if !status.is_ok_and(|status| status.success()) {
        peers::skip("ip (iproute2) cannot set up the loopback device");
        return;
    }
    let exporter = Exporter::start(&[
        &format!("--haproxy.scrape-uri={}", many_servers()),
        "--haproxy.server-metric-fields=2,3,4,5,6,7,8,9,17,18,33,35",
    ]);
    let honest = Honest::new(exporter.address());
    let before = kernel_bytes();
    let clients: Vec<TcpStream> = std::thread::scope(|scope| {
        let clients =
            (0..CLIENTS).map(|_| scope.spawn(|| take_one_and_ask_again(exporter.address())));
        let clients: Vec<_> = clients.collect();
        let clients = clients
            .into_iter()
            .map(|client| client.join().expect("a client"));
        clients.flatten().collect()
    });
    assert!(clients.len() > 50, "{} clients", clients.len());
    let held = kernel_bytes();
    // Slots are given away only after 10 s; then everybody is served again.
    honest.scrape().expect("a scrape behind them");
    assert_eq!(exporter.finish().status.code(), Some(0));
    drop(clients);
    let after = peers::wait_for("the kernel to forget", || {
        Some(kernel_bytes()).filter(|bytes| *bytes < before + 5 * MIB)
    });
    let mb = |bytes: u64| bytes as f64 / 1e6;
    peers::note(&format!(
        "kernel memory for TCP: {:.1} MB before, {:.1} MB with unread answers, {:.1} MB after",
        mb(before),
        mb(held),
        mb(after)
    ));
    assert!(held < 40_000_000, "{held} bytes");
}

/// What is logged at start where the limit is 1 MiB.
const LITTLE_SPACE: &str = " level=warn msg=\"little address space\" \
                            err=\"the limit is 1048576 bytes (ulimit -v), 4194304 serve 10 servers\"";

/// It serves in the address space that it has, or says why it does not start.
#[test]
#[allow(unsafe_code)]
fn little_address_space() {
    let Some(binary) = static_binary() else {
        return;
    };
    for (kib, serves) in [(8192, true), (4096, true), (1024, false)] {
        let directory = TempDir::new().expect("a temporary directory");
        let mut command = command_of(binary.as_os_str());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // SAFETY: prlimit64 is a system call without locks or memory of its own.
        unsafe { command.pre_exec(move || limit(0, libc::RLIMIT_AS, kib * 1024)) };
        let mut exporter = Bare::spawn(&mut command, directory.path()).expect("start the exporter");
        if !serves {
            let status = exporter.wait_for_start().expect("an end");
            let mut text = String::new();
            let stderr = exporter.child().stderr.as_mut().expect("standard error");
            stderr.read_to_string(&mut text).expect("a text");
            let (warning, end) = text.split_once('\n').expect("two lines");
            assert_eq!((status.code(), end), (Some(1), NO_THREAD), "{kib} KiB");
            assert!(warning.ends_with(LITTLE_SPACE), "{warning}");
            continue;
        }
        assert_eq!(exporter.wait_for_start(), None, "{kib} KiB");
        for _ in 0..20 {
            let body = exporter.get().expect("a scrape");
            exposition::read(&body).expect("a valid exposition");
        }
        assert_eq!(exporter.stop().code(), Some(0), "{kib} KiB");
        let mut text = String::new();
        let stderr = exporter.child().stderr.as_mut().expect("standard error");
        stderr.read_to_string(&mut text).expect("a text");
        assert!(!text.contains("level=warn"), "{kib} KiB: {text}");
    }
}
