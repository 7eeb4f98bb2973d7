//! A real HAProxy with as many servers as wanted and no traffic.

use std::fmt::Write;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Running};

/// Servers of one backend.
const SERVERS_A_BACKEND: usize = 100;
/// HAProxy reads a configuration of 100,000 servers in a few seconds.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// HAProxy, its socket, and where its built-in exporter listens.
pub(crate) struct Haproxy {
    pub(crate) process: Running,
    pub(crate) socket: PathBuf,
    pub(crate) built_in: SocketAddr,
    _directory: tempfile::TempDir,
}

impl Haproxy {
    /// Starts HAProxy with `servers` servers and waits until it answers.
    pub(crate) fn start(servers: usize) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let socket = directory.path().join("stats.sock");
        let built_in = free_address()?;
        let file = directory.path().join("haproxy.cfg");
        std::fs::write(&file, configuration(servers, &socket, built_in))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let process = Running::start(
            Command::new("/usr/sbin/haproxy")
                .arg("-db")
                .arg("-f")
                .arg(&file),
        )?;
        process::wait_for("HAProxy", START_TIMEOUT, || {
            UnixStream::connect(&socket).ok()
        })?;
        Ok(Self {
            process,
            socket,
            built_in,
            _directory: directory,
        })
    }
}

/// An address that was free a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr, String> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0));
    listener
        .and_then(|listener| listener.local_addr())
        .map_err(|error| error.to_string())
}

fn configuration(servers: usize, socket: &Path, built_in: SocketAddr) -> String {
    let mut text = format!(
        "global\n    stats socket {} level admin\n    stats timeout 2m\n\
         defaults\n    mode http\n    timeout connect 5s\n    timeout client 2m\n    timeout server 2m\n\
         frontend exporter\n    bind {built_in}\n    \
         http-request use-service prometheus-exporter if {{ path /metrics }}\n",
        socket.display()
    );
    for server in 0..servers {
        let (backend, position) = (server / SERVERS_A_BACKEND, server % SERVERS_A_BACKEND);
        // Writing to a String cannot fail.
        if position == 0 {
            let _ = writeln!(text, "backend backend-{backend:04}");
        }
        let _ = writeln!(text, "    server server-{position:03} 127.0.0.1:1");
    }
    text
}
