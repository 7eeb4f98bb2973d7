//! How much HAProxy writes between two looks at its other connections, which is how long those wait: the
//! bytes of all its writes between two calls of epoll_wait, as strace sees them.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::client::Client;
use crate::haproxy::{Haproxy, Shape};
use crate::peers;
use crate::process;
use crate::table::Grid;

/// Servers and backends.
const SHAPES: [(usize, usize); 3] = [(10_000, 1), (10_000, 10), (10_000, 1_000)];
const SCRAPES: usize = 5;
/// What a unix socket holds with `net.core.wmem_default` 212992, and a last piece.
const MOST_BYTES: u64 = 234_000;

/// Measures and prints a table.
pub(crate) fn report() -> Result<(), String> {
    if !(process::exists("haproxy") && process::exists("strace")) {
        return Err("polls need Debian's packages haproxy and strace".to_owned());
    }
    let file = "/proc/sys/net/core/wmem_default";
    let default = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let mut grid = Grid::new(&["servers in backends", "most bytes between two polls"]);
    let mut most = 0;
    for (servers, backends) in SHAPES {
        let bytes = measure(servers, backends)?;
        grid.row(&[format!("{servers} in {backends}"), bytes.to_string()]);
        most = most.max(bytes);
    }
    println!(
        "\nunix socket, net.core.wmem_default {}\n{grid}",
        default.trim()
    );
    let verdict = if most <= MOST_BYTES {
        "holds"
    } else {
        "MISSED"
    };
    println!("budget  bytes between two polls: {most} (at most {MOST_BYTES}): {verdict}");
    Ok(())
}

fn measure(servers: usize, backends: usize) -> Result<u64, String> {
    let haproxy = Haproxy::start(&Shape {
        servers,
        backends,
        threads: Some(1),
    })?;
    let exporter = peers::ours(&peers::exporter_binary()?, &haproxy, &[])?;
    let mut client = Client::new();
    client.scrape(exporter.address, exporter.proof)?;
    let file = haproxy.directory().join("calls");
    let mut strace = Command::new("strace")
        .args(["-f", "-s", "0", "-e"])
        .arg("trace=write,writev,sendto,sendmsg,epoll_wait,epoll_pwait,epoll_pwait2")
        .arg("-o")
        .arg(&file)
        .args(["-p", &haproxy.process.id().to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("strace: {error}"))?;
    let scraped = process::wait_for("strace", Duration::from_secs(5), || {
        haproxy.process.is_traced().then_some(())
    })
    .and_then(|()| {
        (0..SCRAPES).try_for_each(|_| client.scrape(exporter.address, exporter.proof).map(drop))
    });
    // Interrupted, strace detaches.
    let _ = Command::new("kill")
        .args(["-INT", &strace.id().to_string()])
        .status();
    let _ = strace.wait();
    scraped?;
    let calls = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    Ok(most_between_polls(&calls))
}

/// `PID sendto(9, ""..., 12345, ...) = 12345`, and `epoll_wait` in between.
fn most_between_polls(calls: &str) -> u64 {
    let (mut most, mut since) = (0, 0);
    for line in calls.lines() {
        if line.contains(" epoll_") {
            since = 0;
        } else if let Some((_, result)) = line.rsplit_once(" = ") {
            since += result.trim().parse::<u64>().unwrap_or(0);
            most = most.max(since);
        }
    }
    most
}
