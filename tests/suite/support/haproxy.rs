//! A real HAProxy: configuration from the test, sockets on ephemeral ports, a CLI socket in a
//! temporary directory.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::http::PATIENCE;
use super::peers::{self, Peer};

/// The number of the first listening descriptor that HAProxy inherits.
const FIRST_FD: i32 = 20;

/// The programs of the releases that are tested live: Debian's 2.6, and 2.8.
pub(crate) const RELEASES: [&str; 2] = ["haproxy", "haproxy-2.8"];

/// A running HAProxy.
pub(crate) struct Haproxy {
    pub(crate) peer: Peer,
    place: Place,
    program: PathBuf,
}

/// Where a HAProxy is: what its configuration needs to know.
pub(crate) struct Place {
    directory: TempDir,
    listeners: Vec<TcpListener>,
}

impl Place {
    /// A directory that any user may enter, and so many listening sockets.
    pub(crate) fn new(listeners: usize) -> Place {
        let directory = TempDir::new().expect("a temporary directory");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(directory.path(), mode).expect("open the directory to all");
        let bind = |_| TcpListener::bind("127.0.0.1:0").expect("bind a TCP socket");
        Place {
            directory,
            listeners: (0..listeners).map(bind).collect(),
        }
    }

    /// Another directory, with the same listening sockets: two processes accept from each.
    pub(crate) fn beside(&self) -> Place {
        let share = |listener: &TcpListener| listener.try_clone().expect("a second handle");
        Place {
            listeners: self.listeners.iter().map(share).collect(),
            ..Place::new(0)
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What a `bind` line of HAProxy names for a listener.
    pub(crate) fn bind(&self, listener: usize) -> String {
        assert!(listener < self.listeners.len());
        let number = FIRST_FD + i32::try_from(listener).expect("a small number");
        format!("fd@{number}")
    }

    /// Where clients reach a listener.
    pub(crate) fn address(&self, listener: usize) -> SocketAddr {
        self.listeners[listener]
            .local_addr()
            .expect("the address of a listener")
    }

    /// A `global` section with the CLI socket, and `defaults` with short timeouts.
    pub(crate) fn global(&self) -> String {
        format!(
            "global\n  stats socket {} mode 666 level admin\n  maxconn 200\n\
             defaults\n  mode http\n  timeout connect 2s\n  timeout client 60s\n  timeout server 60s\n",
            self.path("admin.sock").display()
        )
    }
}

impl Haproxy {
    /// Starts HAProxy in the foreground and waits until its CLI answers; `None` when it is not
    /// installed.
    pub(crate) fn start(place: Place, configuration: &str) -> Option<Haproxy> {
        Haproxy::start_as(place, configuration, &["-db"])
    }

    /// The same of a release.
    pub(crate) fn start_release(
        release: &str,
        place: Place,
        configuration: &str,
    ) -> Option<Haproxy> {
        Haproxy::start_program(release, place, configuration, &["-db"])
    }

    /// The same with a mode of its own, such as `-W`.
    pub(crate) fn start_as(place: Place, configuration: &str, flags: &[&str]) -> Option<Haproxy> {
        Haproxy::start_program("haproxy", place, configuration, flags)
    }

    fn start_program(
        program: &str,
        place: Place,
        configuration: &str,
        flags: &[&str],
    ) -> Option<Haproxy> {
        let program = peers::find(program)?;
        configure(&place, configuration);
        let peer = Peer::start(&mut command(&program, &place, flags));
        let mut haproxy = Haproxy {
            peer,
            place,
            program,
        };
        haproxy.wait_until_ready();
        Some(haproxy)
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn address(&self, listener: usize) -> SocketAddr {
        self.place.address(listener)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.place.path("admin.sock")
    }

    /// The scrape URI of the CLI socket.
    pub(crate) fn unix_uri(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// The flag with that URI.
    pub(crate) fn unix_flag(&self) -> String {
        format!("--haproxy.scrape-uri={}", self.unix_uri())
    }

    /// Writes a pid file as HAProxy does in the background.
    pub(crate) fn write_pid_file(&self) -> PathBuf {
        let path = self.place.path("haproxy.pid");
        std::fs::write(&path, format!("{}\n", self.peer.pid())).expect("write a pid file");
        path
    }

    /// Runs a CLI command.
    pub(crate) fn cli(&self, command: &str) -> String {
        self.try_cli(command).expect("an answer of HAProxy's CLI")
    }

    /// The same while HAProxy reloads, and may refuse for a moment.
    pub(crate) fn try_cli(&self, command: &str) -> Option<String> {
        ask(&self.socket(), command)
    }

    /// One column of a row of `show stat`.
    pub(crate) fn cell(&self, proxy: &str, server: &str, column: usize) -> Option<String> {
        let csv = self.cli("show stat");
        let row = csv
            .lines()
            .find(|line| line.starts_with(&format!("{proxy},{server},")))?;
        row.split(',').nth(column).map(str::to_owned)
    }

    /// Waits until a server's status begins with this.
    pub(crate) fn wait_for_status(&self, proxy: &str, server: &str, status: &str) {
        peers::wait_for(&format!("status {status} of {proxy}/{server}"), || {
            self.cell(proxy, server, 17)
                .filter(|cell| cell.starts_with(status))
        });
    }

    /// Changes the configuration file for the next start or reload.
    pub(crate) fn reconfigure(&self, configuration: &str) {
        configure(&self.place, configuration);
    }

    /// Ends the process and starts it anew on the same sockets.
    pub(crate) fn restart(&mut self, flags: &[&str]) {
        self.peer.stop();
        self.peer = Peer::start(&mut command(&self.program, &self.place, flags));
        self.wait_until_ready();
    }

    /// Signals a master until it says that it heard: a signal that comes too early after a start is lost.
    pub(crate) fn reload(&self) {
        let heard = || self.peer.output().matches("Reloading HAProxy").count();
        let before = heard();
        for turn in 0.. {
            assert!(turn < 1000, "no reload: {}", self.peer.output());
            if turn % 50 == 0 {
                self.peer.signal(libc::SIGUSR2);
            }
            std::thread::sleep(Duration::from_millis(20));
            if heard() > before {
                return;
            }
        }
    }

    fn wait_until_ready(&mut self) {
        let socket = self.socket();
        let peer = &mut self.peer;
        peers::wait_for("HAProxy's CLI", || {
            assert!(!peer.has_ended(), "haproxy ended:\n{}", peer.output());
            ask(&socket, "show info").filter(|answer| answer.contains("Uptime_sec:"))
        });
    }
}

fn configure(place: &Place, configuration: &str) {
    std::fs::write(place.path("haproxy.cfg"), configuration).expect("write a configuration");
}

fn command(program: &Path, place: &Place, flags: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(flags).arg("-f").arg(place.path("haproxy.cfg"));
    let descriptors: Vec<_> = place
        .listeners
        .iter()
        .zip(FIRST_FD..)
        .map(|(listener, number)| (listener.as_fd(), number))
        .collect();
    peers::pass_descriptors(&mut command, &descriptors);
    command
}

/// One CLI command, or `None` when nobody answers.
fn ask(socket: &Path, command: &str) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("set a read timeout");
    stream.write_all(format!("{command}\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
