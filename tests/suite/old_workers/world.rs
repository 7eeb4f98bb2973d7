//! An exporter between a worker's CLI and a master's, both of which say what a test tells them to.

use tempfile::TempDir;

use super::is_of_group;
use crate::support::exporter::{Exporter, Problem};
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::fake_master::FakeMaster;
use crate::support::fixtures;

/// Processes that cannot be, so that /proc has none of them: above what Linux allows.
pub(crate) const A: u64 = 4_200_001;
pub(crate) const B: u64 = 4_200_002;
pub(crate) const C: u64 = 4_200_003;
pub(crate) const D: u64 = 4_200_004;

/// The serving worker, the master and the exporter.
pub(crate) struct World {
    pub(crate) exporter: Exporter,
    pub(crate) master: FakeMaster,
    pub(crate) worker: Fake,
    _directory: TempDir,
}

impl World {
    pub(crate) fn new() -> World {
        World::with(&["--haproxy.timeout=30s"])
    }

    pub(crate) fn with(flags: &[&str]) -> World {
        let directory = TempDir::new().expect("a temporary directory");
        let path = |name| directory.path().join(name);
        let worker = Fake::unix(&path("worker"), Answers::default());
        let master = FakeMaster::unix(path("master"));
        let uri = format!("--haproxy.scrape-uri={}", worker.uri());
        let exporter = Exporter::start(&[&[&*uri, &*master.flag()], flags].concat());
        World {
            exporter,
            master,
            worker,
            _directory: directory,
        }
    }

    /// Which process answers for the rows, and how.
    pub(crate) fn serve(&self, info: &[u8]) {
        let stat = fixtures::bytes("2.6.12/stat.csv");
        self.worker.set(Answers::whole(&stat, info));
    }

    /// What each process says of itself to the master.
    pub(crate) fn say(&self, pid: u64, info: &[u8]) {
        self.master.say(&question(pid), info);
    }

    /// One scrape, in which the rows must be there; the group's samples, without memory, one a line.
    pub(crate) fn scrape(&self) -> Vec<String> {
        group(&self.scrape_whole())
    }

    pub(crate) fn scrape_whole(&self) -> Exposition {
        let found = self.exporter.scrape();
        assert_has_rows(&found);
        found
    }

    /// The log's problems.
    pub(crate) fn problems(self) -> Vec<Problem> {
        self.exporter.finish().problems()
    }
}

/// Whatever the master does, the statistics are there.
pub(crate) fn assert_has_rows(found: &Exposition) {
    assert_eq!(found.value("haproxy_up"), 1.0);
    let rows = found.samples.keys();
    assert!(
        rows.filter(|key| key.starts_with("haproxy_server_up"))
            .count()
            > 0
    );
}

/// The samples of the group, one a line.
pub(crate) fn group(found: &Exposition) -> Vec<String> {
    let samples = found.samples.iter();
    let samples = samples.filter(|(key, _)| is_of_group(key));
    samples
        .map(|(key, sample)| format!("{key} {}", sample.text))
        .collect()
}

/// What the master is asked about a process.
pub(crate) fn question(pid: u64) -> String {
    format!("@!{pid} show info")
}

/// What a process says of itself: that of HAProxy 2.6.12, with its lines changed.
pub(crate) fn info(pid: u64, changes: &[(&str, u64)]) -> Vec<u8> {
    let text = fixtures::text("cli/2.6.12/a06-old0-show-info.out");
    edited(&text, &[&[("Pid", pid)], changes].concat())
}

/// One that serves.
pub(crate) fn serving(pid: u64, changes: &[(&str, u64)]) -> Vec<u8> {
    info(pid, &[&[("Stopping", 0)], changes].concat())
}

/// An answer with other values for some keys, each of which must be there.
pub(crate) fn edited(text: &str, changes: &[(&str, u64)]) -> Vec<u8> {
    let mut text = text.to_owned();
    for (key, value) in changes {
        let start = format!("\n{key}: ");
        let at = text.find(&start).unwrap_or_else(|| panic!("no {key}")) + start.len();
        let length = text[at..].find('\n').expect("a line's end");
        text.replace_range(at..at + length, &value.to_string());
    }
    text.into_bytes()
}

/// `show proc` as HAProxy 2.6.12 prints it, after as many reloads as there are old workers. Each of these
/// has run for 100 s more than the next one.
pub(crate) fn processes(serving: &[u64], old: &[u64]) -> Vec<u8> {
    let count = old.len() as u64;
    let mut text = row("#<PID>", "<type>", "<reloads>", "<uptime>", "<version>");
    let reloads = format!("{count} [failed: 0]");
    text += &process(4_200_000, "master", &reloads, 100 * (count + 1));
    text += "# workers\n";
    for pid in serving {
        text += &process(*pid, "worker", "0", 5);
    }
    if !old.is_empty() {
        text += "# old workers\n";
    }
    for (number, pid) in (1..=count).rev().zip(old) {
        text += &process(*pid, "worker", &number.to_string(), 100 * number + 5);
    }
    text += "# programs\n\n";
    text.into_bytes()
}

fn process(pid: u64, kind: &str, reloads: &str, seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let uptime = format!(
        "{days}d{hours:02}h{:02}m{:02}s",
        seconds / 60 % 60,
        seconds % 60
    );
    row(&pid.to_string(), kind, reloads, &uptime, "2.6.12-1+deb12u4")
}

fn row(pid: &str, kind: &str, reloads: &str, uptime: &str, version: &str) -> String {
    format!("{pid:<15} {kind:<15} {reloads:<15} {uptime:<15} {version:<15}\n")
}
