//! A real HAProxy with as many servers as wanted, which get no traffic.

use std::ffi::OsString;
use std::fmt::Write;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Running};

/// Servers of one backend, where nothing else is wanted.
const SERVERS_A_BACKEND: usize = 100;
/// HAProxy reads a configuration of 100,000 servers in a few seconds.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// HAProxy, its socket, and where its built-in exporter listens.
pub(crate) struct Haproxy {
    pub(crate) process: Running,
    pub(crate) socket: PathBuf,
    pub(crate) built_in: SocketAddr,
    /// Where it answers requests by itself.
    pub(crate) traffic: SocketAddr,
    /// Its socket over TCP.
    pub(crate) cli: SocketAddr,
    directory: tempfile::TempDir,
}

/// How large it is.
pub(crate) struct Shape {
    pub(crate) servers: usize,
    pub(crate) backends: usize,
    /// As many as HAProxy likes if not given.
    pub(crate) threads: Option<usize>,
}

impl Shape {
    /// Servers in backends of a usual size.
    pub(crate) fn of(servers: usize) -> Self {
        Self {
            servers,
            backends: servers.div_ceil(SERVERS_A_BACKEND),
            threads: None,
        }
    }
}

impl Haproxy {
    /// Starts HAProxy and waits until it answers.
    pub(crate) fn start(shape: &Shape) -> Result<Self, String> {
        Self::start_with(shape, |_| Ok(String::new()), |_| vec!["-db".to_owned()])
    }

    /// The same with `more` behind the configuration and other arguments, both made for its directory.
    pub(crate) fn start_with(
        shape: &Shape,
        more: impl Fn(&Path) -> Result<String, String>,
        arguments: impl Fn(&Path) -> Vec<String>,
    ) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let socket = directory.path().join("stats.sock");
        let (built_in, traffic, cli) = (free_address()?, free_address()?, free_address()?);
        let file = directory.path().join("haproxy.cfg");
        let mut text = configuration(shape, &socket, [built_in, traffic, cli]);
        text.push_str(&more(directory.path())?);
        std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        let process = Running::start(
            Command::new(program())
                .args(arguments(directory.path()))
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
            traffic,
            cli,
            directory,
        })
    }

    /// Where its files are.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// Debian's HAProxy, unless `HAPROXY` names another one.
fn program() -> OsString {
    std::env::var_os("HAPROXY").unwrap_or_else(|| "/usr/sbin/haproxy".into())
}

/// An address that was free a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr, String> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0));
    listener
        .and_then(|listener| listener.local_addr())
        .map_err(|error| error.to_string())
}

fn configuration(
    shape: &Shape,
    socket: &Path,
    [built_in, traffic, cli]: [SocketAddr; 3],
) -> String {
    let threads = shape
        .threads
        .map_or(String::new(), |threads| format!("    nbthread {threads}\n"));
    let mut text = format!(
        "global\n    stats socket {} level admin\n    stats socket {cli} level admin\n    stats timeout 2m\n{threads}\
         defaults\n    mode http\n    timeout connect 5s\n    timeout client 2m\n    timeout server 2m\n\
         frontend traffic\n    bind {traffic}\n    http-request return status 200\n\
         frontend exporter\n    bind {built_in}\n    \
         http-request use-service prometheus-exporter if {{ path /metrics }}\n",
        socket.display()
    );
    let in_one = shape.servers.div_ceil(shape.backends.max(1)).max(1);
    for server in 0..shape.servers {
        let (backend, position) = (server / in_one, server % in_one);
        // Writing to a String cannot fail.
        if position == 0 {
            let _ = writeln!(text, "backend backend-{backend:04}");
        }
        let _ = writeln!(text, "    server server-{position:03} 127.0.0.1:1");
    }
    text
}
