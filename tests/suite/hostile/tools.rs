//! Exporters to attack, and the system calls that attackers need.

use std::fmt::Write as _;
use std::io::{self, BufRead};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

use crate::hostile::get_over;
use crate::support::children::{self, Group};
use crate::support::exporter::Exporter;
use crate::support::fixtures;
use crate::support::http::{self, PATIENCE, Response};

/// One answer on a connection that may stay open. `bodiless` is for HEAD.
pub(crate) fn read_response(stream: &mut impl BufRead, bodiless: bool) -> Result<Response, String> {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        match stream.read_until(b'\n', &mut answer) {
            Ok(0) => return Err(format!("the end after {} bytes of a head", answer.len())),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    let head = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    let length = head.split("\r\ncontent-length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    if head.contains("\r\ntransfer-encoding: chunked\r\n") && !bodiless {
        read_chunks(stream, &mut answer)?;
        return http::parse(&answer, false);
    }
    let length: usize = length.ok_or_else(|| format!("no Content-Length in {head:?}"))?;
    if !bodiless {
        let head = answer.len();
        answer.resize(head + length, 0);
        let body = stream.read_exact(&mut answer[head..]);
        body.map_err(|error| format!("{error} in a body of {length} bytes"))?;
    }
    http::parse(&answer, bodiless)
}

/// Reads chunks up to the last, as they come.
fn read_chunks(stream: &mut impl BufRead, answer: &mut Vec<u8>) -> Result<(), String> {
    loop {
        let start = answer.len();
        let line = stream.read_until(b'\n', answer);
        let line = line.map_err(|error| format!("{error} before a chunk"))?;
        let size = std::str::from_utf8(&answer[start..]).unwrap_or_default();
        let size = usize::from_str_radix(size.trim_end(), 16);
        let size = size.map_err(|_| format!("no size in {line} bytes before a chunk"))?;
        let start = answer.len();
        answer.resize(start + size + 2, 0);
        let chunk = stream.read_exact(&mut answer[start..]);
        chunk.map_err(|error| format!("{error} in a chunk of {size} bytes"))?;
        if size == 0 {
            return Ok(());
        }
    }
}

/// An exporter of the recorded answer: about 70 KB.
pub(crate) fn small() -> Exporter {
    let path = fixtures::path("3.2.0/stat.csv");
    Exporter::start(&[&format!("--haproxy.scrape-uri=file:{}", path.display())])
}

/// The URI of an answer with many servers, made once: 8,000 give 20 MB of metrics.
pub(crate) fn many_servers() -> &'static str {
    static URI: OnceLock<String> = OnceLock::new();
    // Outlives the process as statics do; the name is the same in each run.
    URI.get_or_init(|| servers(8_000, Path::new(env!("CARGO_TARGET_TMPDIR"))))
}

/// The URI of an answer with so many servers, as a file in `directory`.
pub(crate) fn servers(count: usize, directory: &Path) -> String {
    let recorded = fixtures::text("3.2.0/stat.csv");
    let header = recorded.lines().next().expect("a header");
    let server = recorded
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>())
        .find(|cells| cells.get(32) == Some(&"2"))
        .expect("a server");
    let rest = server[2..].join(",");
    let mut csv = format!("{header}\n");
    for number in 0..count {
        writeln!(csv, "backend{:02},server{number:05},{rest}", number / 200)
            .expect("writing to a String");
    }
    csv.push('\n');
    let path = directory.join(format!("{count}-servers.csv"));
    std::fs::write(&path, csv).expect("write the answer");
    format!("file:{}", path.display())
}

/// Sends a signal.
#[allow(unsafe_code)]
pub(crate) fn signal(pid: u32, signal: i32) {
    let pid = libc::pid_t::try_from(pid).expect("a process id");
    // SAFETY: kill has no memory effects; the process is a child that was not reaped yet.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0, "signal {signal}");
}

/// Limits a resource of a process; 0 is the calling one.
#[allow(unsafe_code)]
pub(crate) fn limit(pid: u32, resource: libc::__rlimit_resource_t, most: u64) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    let limit = libc::rlimit64 {
        rlim_cur: most,
        rlim_max: most,
    };
    // SAFETY: `limit` is a live rlimit64; the old limit is not wanted.
    match unsafe { libc::prlimit64(pid, resource, &raw const limit, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Lets this process open as many descriptors as it is allowed to: it plays thousands of clients.
#[allow(unsafe_code)]
pub(crate) fn open_many_descriptors() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a live rlimit.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
    }
}

/// Makes the connection end with a reset when it is closed.
pub(crate) fn reset_at_close(stream: &TcpStream) {
    let linger = SockRef::from(stream).set_linger(Some(Duration::ZERO));
    linger.expect("set SO_LINGER");
}

/// A connection for which the kernel takes little of what this side does not read.
pub(crate) fn connect_with_small_buffer(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
    // Before the connection: a window never shrinks.
    socket.set_recv_buffer_size(4096).expect("set SO_RCVBUF");
    socket.connect(&address.into()).expect("connect");
    socket.into()
}

/// What the kernel holds for the other side of each IPv4 connection of a local port, in the network of the
/// calling thread: state and bytes, the fourth column of /proc/net/tcp and the first number of the fifth
/// (proc(5)).
pub(crate) fn unsent(port: u16) -> Vec<(String, u64)> {
    let table = std::fs::read_to_string("/proc/thread-self/net/tcp").expect("read the table");
    let local = format!(":{port:04X}");
    let connections = table.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (address, _, state) = (words.next()?, words.next()?, words.next()?);
        let bytes = words.next()?.split_once(':')?.0;
        let bytes = || u64::from_str_radix(bytes, 16).expect("a number");
        address
            .ends_with(&local)
            .then(|| (state.to_owned(), bytes()))
    });
    connections.collect()
}

/// An exporter on a unix socket: for a test that keeps standard error to itself, or that does not
/// know whether it will start.
pub(crate) struct Bare {
    child: Child,
    socket: PathBuf,
    _group: Group,
}

impl Bare {
    /// Starts a command made by the test, which listens in `directory` and serves what a file holds.
    pub(crate) fn spawn(command: &mut Command, directory: &Path) -> io::Result<Bare> {
        let stat = directory.join("stat.csv");
        std::fs::copy(fixtures::path("3.2.0/stat.csv"), &stat)?;
        let socket = directory.join("metrics");
        command
            .arg(format!("--haproxy.scrape-uri=file:{}", stat.display()))
            .arg(format!("--web.listen-address=unix:{}", socket.display()));
        let (child, group) = children::spawn(command)?;
        Ok(Bare {
            child,
            socket,
            _group: group,
        })
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until it listens, or until it has ended.
    pub(crate) fn wait_for_start(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("wait for the exporter") {
                return Some(status);
            }
            if UnixStream::connect(&self.socket).is_ok() {
                return None;
            }
            assert!(Instant::now() < deadline, "neither started nor ended");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The metrics, or what went wrong.
    pub(crate) fn get(&self) -> Result<Vec<u8>, String> {
        let mut stream = self.connect().map_err(|error| error.to_string())?;
        get_over(&mut stream)
    }

    pub(crate) fn connect(&self) -> io::Result<UnixStream> {
        let stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Its end, if it comes by itself.
    pub(crate) fn end_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            let status = self.child.try_wait().expect("wait for the exporter");
            if status.is_some() || Instant::now() > deadline {
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// SIGTERM, and its end.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        signal(self.child.id(), libc::SIGTERM);
        self.end_within(PATIENCE).expect("an end after SIGTERM")
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It may have ended, and been reaped, before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
