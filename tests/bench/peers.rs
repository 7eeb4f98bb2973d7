//! The exporters that are compared: ours, Debian's, and the one inside HAProxy.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::haproxy::{Haproxy, free_address};
use crate::process::{self, Running};

const START_TIMEOUT: Duration = Duration::from_secs(20);
/// A scrape of 100,000 servers must not time out.
const SCRAPE_TIMEOUT: &str = "100s";

/// The name of HAProxy's own exporter in the tables.
pub(crate) const BUILT_IN: &str = "HAProxy's built-in";

/// An exporter that answers.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    /// A line that shows an answer to be good.
    pub(crate) proof: &'static str,
    /// Its own process; `None` inside HAProxy.
    pub(crate) process: Option<Running>,
}

/// The line of the two exporters that have it, which shows that the scrape went well.
const UP: &str = "haproxy_up 1\n";

/// The binary that `EXPORTER` names, else the release build for musl.
pub(crate) fn exporter_binary() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os("EXPORTER") {
        return Ok(PathBuf::from(named));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let built = target.join("x86_64-unknown-linux-musl/release/haproxy_exporter");
    let found = [root.join("haproxy_exporter"), built]
        .into_iter()
        .find(|path| path.is_file());
    found.ok_or_else(|| "no binary: set EXPORTER, or build for musl first".to_owned())
}

/// Ours, with more flags.
pub(crate) fn ours(binary: &Path, haproxy: &Haproxy, flags: &[&str]) -> Result<Peer, String> {
    let mut command = Command::new(binary);
    command.args(flags);
    start("this exporter", command, haproxy)
}

/// Ours, over TCP.
pub(crate) fn over_tcp(binary: &Path, haproxy: &Haproxy) -> Result<Peer, String> {
    let uri = format!("tcp://{}", haproxy.cli);
    start_uri("the same, over TCP", Command::new(binary), &uri)
}

/// The same under the names of HAProxy's own exporter.
pub(crate) fn builtin_names(binary: &Path, haproxy: &Haproxy) -> Result<Peer, String> {
    let flags = ["--haproxy.metric-names=builtin"];
    Ok(Peer {
        name: "the same, builtin names",
        ..ours(binary, haproxy, &flags)?
    })
}

/// Debian's, which is the Go exporter.
pub(crate) fn go(haproxy: &Haproxy) -> Result<Peer, String> {
    start(
        "Go exporter",
        Command::new("prometheus-haproxy-exporter"),
        haproxy,
    )
}

/// The Go exporter, which asks whoever listens on a socket.
pub(crate) fn go_of(socket: &Path) -> Result<Peer, String> {
    start_of(
        "Go exporter",
        Command::new("prometheus-haproxy-exporter"),
        socket,
    )
}

/// Ours, which asks whoever listens on a socket.
pub(crate) fn ours_of(binary: &Path, socket: &Path) -> Result<Peer, String> {
    start_of("this exporter", Command::new(binary), socket)
}

fn start(name: &'static str, command: Command, haproxy: &Haproxy) -> Result<Peer, String> {
    start_of(name, command, &haproxy.socket)
}

fn start_of(name: &'static str, command: Command, socket: &Path) -> Result<Peer, String> {
    start_uri(name, command, &format!("unix:{}", socket.display()))
}

fn start_uri(name: &'static str, mut command: Command, uri: &str) -> Result<Peer, String> {
    let address = free_address()?;
    let process = Running::start(command.args([
        format!("--web.listen-address={address}"),
        format!("--haproxy.scrape-uri={uri}"),
        format!("--haproxy.timeout={SCRAPE_TIMEOUT}"),
    ]))?;
    process::wait_for(name, START_TIMEOUT, || {
        std::net::TcpStream::connect(address).ok()
    })?;
    Ok(Peer {
        name,
        address,
        proof: UP,
        process: Some(process),
    })
}

/// The one inside HAProxy.
pub(crate) fn built_in(haproxy: &Haproxy) -> Peer {
    Peer {
        name: BUILT_IN,
        address: haproxy.built_in,
        proof: "haproxy_process_nbthread",
        process: None,
    }
}
