//! `--haproxy.master-socket`: the master process and the workers that a reload left behind, on a real
//! HAProxy and on masters that answer badly.

mod counting;
mod endings;
mod questions;
mod reloads;
mod traps;
mod versions;
pub(crate) mod world;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use crate::support::exporter::Exporter;
use crate::support::exposition::Exposition;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::http::PATIENCE;
use crate::support::peers;

const UP: &str = "haproxy_master_up";
const RELOADS: &str = "haproxy_master_reloads_total";
const LAST_RELOAD: &str = "haproxy_master_last_reload_successful";
const OLD: &str = "haproxy_old_workers";
const UNANSWERED: &str = "haproxy_old_workers_unanswered";
const CONNECTIONS: &str = "haproxy_old_workers_current_connections";
const MEMORY: &str = "haproxy_old_workers_resident_memory_bytes";
/// What they have done since they became old: requests, connections, bytes.
const TOTALS: [&str; 3] = [
    "haproxy_old_workers_requests_total",
    "haproxy_old_workers_connections_total",
    "haproxy_old_workers_bytes_out_total",
];

/// The values of [`TOTALS`].
fn totals(found: &Exposition) -> [f64; 3] {
    TOTALS.map(|name| found.value(name))
}

/// Whether a family is one of this group.
fn is_of_group(family: &str) -> bool {
    family.starts_with("haproxy_master_") || family.starts_with("haproxy_old_workers")
}

/// What every client gets.
const BODY: &str = "hello";

/// A HAProxy in master-worker mode, of one thread so that it has counted what a client has received.
pub(crate) struct Reloaded {
    pub(crate) haproxy: Haproxy,
    configuration: String,
}

impl Reloaded {
    /// `None` where HAProxy is not installed.
    pub(crate) fn start() -> Option<Reloaded> {
        let place = Place::new(0);
        // Idle connections stay as well, for one request more. Name servers would be the machine's.
        let configuration = format!(
            "{}resolvers default\n  nameserver none 127.0.0.1:1\nfrontend reloaded\n  bind unix@{} mode 666\n  option idle-close-on-response\n  \
             http-request return status 200 content-type text/plain string {BODY}\n",
            place.global().replace("global\n", "global\n  nbthread 1\n"),
            place.path("web.sock").display()
        );
        let master = place.path("master.sock").display().to_string();
        let haproxy = Haproxy::start_as(place, &configuration, &["-W", "-S", &master])?;
        let reloaded = Reloaded {
            haproxy,
            configuration,
        };
        // The worker may answer before its master does.
        reloaded.workers();
        Some(reloaded)
    }

    fn master_socket(&self) -> PathBuf {
        self.haproxy.place().path("master.sock")
    }

    /// The flag with that socket.
    pub(crate) fn master_flag(&self) -> String {
        format!(
            "--haproxy.master-socket=unix:{}",
            self.master_socket().display()
        )
    }

    /// An exporter of it that has time.
    fn exporter(&self) -> Exporter {
        self.exporter_with("30s")
    }

    fn exporter_with(&self, timeout: &str) -> Exporter {
        let master = self.master_flag();
        let timeout = format!("--haproxy.timeout={timeout}");
        Exporter::start(&[&self.haproxy.unix_flag(), &master, &timeout])
    }

    /// Reloads with the configuration that it was started with, and waits until the master shows it.
    pub(crate) fn reload(&self) {
        let (serving, _) = self.workers();
        self.haproxy.reload();
        peers::wait_for("a new worker", || {
            let (now, old) = self.try_workers()?;
            let is_new = now.len() == 1 && now != serving;
            (is_new && serving.iter().all(|pid| old.contains(pid))).then_some(())
        });
    }

    /// Reloads with a configuration that HAProxy does not take.
    fn fail_to_reload(&self) {
        let broken = format!("{}nonsense\n", self.configuration);
        self.haproxy.reconfigure(&broken);
        self.haproxy.reload();
    }

    /// The serving workers and the old ones, in the order that the master lists them.
    fn workers(&self) -> (Vec<u32>, Vec<u32>) {
        peers::wait_for("an answer of the master", || self.try_workers())
    }

    fn try_workers(&self) -> Option<(Vec<u32>, Vec<u32>)> {
        let answer = ask(&self.master_socket(), "show proc")?;
        let (serving, old) = match answer.split_once("# old workers\n") {
            Some((serving, old)) => (serving, old),
            None => (&*answer, ""),
        };
        let of_lines = |text: &str| {
            let lines = text.lines().filter(|line| line.contains(" worker "));
            let pids = lines.map(|line| line.split(' ').next().expect("a PID").parse());
            pids.collect::<Result<Vec<u32>, _>>().expect("a PID")
        };
        Some((of_lines(serving), of_lines(old)))
    }

    /// A client that keeps its connection.
    pub(crate) fn connect(&self) -> Client {
        let path = self.haproxy.place().path("web.sock");
        let stream = UnixStream::connect(path).expect("connect to HAProxy");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("set a read timeout");
        let mut client = Client { stream };
        client.request();
        client
    }
}

pub(crate) struct Client {
    stream: UnixStream,
}

impl Client {
    /// One request; returns the length of the answer.
    fn request(&mut self) -> f64 {
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        self.stream.write_all(request).expect("send a request");
        let mut answer = Vec::new();
        while !answer.ends_with(BODY.as_bytes()) {
            let mut piece = [0; 1024];
            let length = self.stream.read(&mut piece).expect("read an answer");
            assert_ne!(length, 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&piece[..length]);
        }
        answer.len() as f64
    }
}

/// One question to a master; `None` where nobody answers, as during a reload.
fn ask(socket: &std::path::Path, command: &str) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("set a read timeout");
    stream.write_all(format!("{command}\n").as_bytes()).ok()?;
    // Without it the master would not close.
    stream.shutdown(std::net::Shutdown::Write).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.ends_with("\n\n").then_some(answer)
}

/// Scrapes until a sample has this value.
fn scrape_until(exporter: &Exporter, name: &str, value: f64) -> Exposition {
    peers::wait_for(&format!("{name} {value}"), || {
        let found = exporter.scrape();
        (found.get(name) == Some(value)).then_some(found)
    })
}
