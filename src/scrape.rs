//! One scrape from end to end, and the counters that live as long as the exporter.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::cli;
use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::info::{Info, SHOW_INFO};
use crate::haproxy::reader::Limits;
use crate::haproxy::reply::{Need, Question};
use crate::haproxy::source::{Source, SourceError};
use crate::haproxy::stat::{SHOW_STAT, SHOW_STAT_WITHOUT_SERVERS, Table};
use crate::log;
use crate::metrics::exposition::{self, Writer};
use crate::metrics::{self, SingleFamily, value};
use crate::net::deadline::Deadline;
use crate::process::{Complaint, Facts, ProcRoot};

/// The revision that the build was told (`HAPROXY_EXPORTER_REVISION`, set by tests/tools/build.sh).
const REVISION: &str = match option_env!("HAPROXY_EXPORTER_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};
/// The compiler's version, as the same script asks it.
const RUST_VERSION: &str = match option_env!("HAPROXY_EXPORTER_RUSTC") {
    Some(version) => version,
    None => "unknown",
};

/// Scrapes HAProxy and keeps what the last scrape brought until the next.
pub(crate) struct Scraper {
    source: Source,
    table: Table,
    timeout: Duration,
    max_bytes: u64,
    read_buffer: ReadBuffer,
    response_buffer: Box<[u8]>,
    info: Info,
    /// The families with one sample each, ready to send; they come before the rows.
    singles: Vec<u8>,
    up: bool,
    scrapes: u64,
    parse_failures: u64,
    process: ProcRoot,
    pid_file: Option<PathBuf>,
    complaint: Option<Complaint>,
}

/// What the scraper must know besides its source and table.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The longest a scrape may take.
    pub timeout: Duration,
    /// The most bytes an answer may have.
    pub max_bytes: u64,
    /// HAProxy's pid file.
    pub pid_file: Option<PathBuf>,
    /// Where /proc is.
    pub process: ProcRoot,
}

impl Scraper {
    /// A scraper that has not scraped yet.
    pub(crate) fn new(source: Source, table: Table, settings: Settings) -> Self {
        Self {
            source,
            table,
            timeout: settings.timeout,
            max_bytes: settings.max_bytes,
            read_buffer: ReadBuffer::default(),
            response_buffer: vec![0; exposition::BUFFER_BYTES].into_boxed_slice(),
            info: Info::default(),
            singles: Vec::new(),
            up: false,
            scrapes: 0,
            parse_failures: 0,
            process: settings.process,
            pid_file: settings.pid_file,
            complaint: None,
        }
    }

    /// Scrapes once, within the configured timeout and within `announced`, the time that the
    /// client has, less a tenth for the answer's way. A failure is logged and shows as `haproxy_up 0`.
    pub(crate) fn scrape(&mut self, announced: Option<Duration>) {
        let start = Instant::now();
        let timeout = announced.map_or(self.timeout, |time| self.timeout.min(time / 10 * 9));
        self.scrapes += 1;
        let result = self.fetch(Deadline::after(timeout));
        self.up = result.is_ok();
        if let Err(error) = result {
            log::error("scrape failed", &[("err", &cli::with_remedy(&error))]);
            self.table.clear();
            self.info.clear();
        }
        let failures = self.table.failures();
        self.parse_failures += failures.count;
        if let Some(first) = &failures.first {
            log::warn(
                "bad rows or cells",
                &[("count", &failures.count), ("first", first)],
            );
        }
        self.table.shrink();
        self.write_singles(start.elapsed());
    }

    /// Bytes that `write` will write.
    pub(crate) fn exposition_bytes(&self) -> u64 {
        self.singles.len() as u64 + self.table.exposition_bytes()
    }

    /// Writes `head` and the exposition of the last scrape, in pieces of the response buffer's size.
    ///
    /// # Errors
    /// Those of `out`.
    pub(crate) fn write(&mut self, head: &[u8], out: &mut dyn Write) -> io::Result<()> {
        let mut writer = Writer::new(&mut self.response_buffer, out);
        writer.text(head)?;
        writer.text(&self.singles)?;
        self.table.write(&mut writer)?;
        writer.flush()
    }

    fn fetch(&mut self, deadline: Deadline) -> Result<(), SourceError> {
        self.table.clear();
        self.info.clear();
        let show_stat = match self.table.wants_servers() {
            true => SHOW_STAT,
            false => SHOW_STAT_WITHOUT_SERVERS,
        };
        // What can be done without comes last: the rows stand, whatever becomes of it.
        let mut questions = [
            Question::new(show_stat, Need::All, &mut self.table),
            Question::new(SHOW_INFO, Need::Extra, &mut self.info),
        ];
        let limits = Limits {
            deadline,
            max_bytes: self.max_bytes,
        };
        self.source
            .ask(&mut questions, limits, &mut self.read_buffer)?;
        let [_, info] = questions;
        if let Some(error) = info.failure {
            log::warn("show info failed", &[("err", &cli::with_remedy(&error))]);
            self.info.clear();
        }
        Ok(())
    }

    fn write_singles(&mut self, took: Duration) {
        self.singles.clear();
        let to = &mut self.singles;
        exposition::push_single(to, &metrics::UP, &[], u8::from(self.up));
        exposition::push_single(to, &metrics::SCRAPES, &[], self.scrapes);
        exposition::push_single(to, &metrics::PARSE_FAILURES, &[], self.parse_failures);
        exposition::push_single(to, &metrics::SCRAPE_DURATION, &[], took.as_secs_f64());
        let build = [env!("CARGO_PKG_VERSION"), REVISION, RUST_VERSION].map(str::as_bytes);
        exposition::push_single(to, &metrics::BUILD_INFO, &build, 1);
        push_info(to, &self.info);
        if let Some(pid_file) = &self.pid_file {
            let (facts, complaint) = self.process.of_pid_file(pid_file);
            push_facts(to, &metrics::HAPROXY_PROCESS, &facts);
            let known = match (&complaint, &self.complaint) {
                (Some(new), Some(old)) => new.is_like(old),
                (new, old) => new.is_none() && old.is_none(),
            };
            if !known {
                match &complaint {
                    Some(error) => {
                        log::warn("HAProxy process metrics are missing", &[("err", error)])
                    }
                    None => log::info("HAProxy process metrics are complete again", &[]),
                }
                self.complaint = complaint;
            }
        }
        push_facts(to, &metrics::OWN_PROCESS, &self.process.of("self").0);
    }
}

/// An answer that was not understood has been cleared; the file and HTTP sources have none.
fn push_info(to: &mut Vec<u8>, info: &Info) {
    let Some(version) = info.get("Version") else {
        return;
    };
    let release_date = info.get("Release_date").unwrap_or_default();
    let node = info.get("node").unwrap_or_default();
    exposition::push_single(to, &metrics::VERSION_INFO, &[release_date, version], 1);
    exposition::push_single(to, &metrics::INFO, &[node, release_date, version], 1);
    let number = |key| info.get(key).and_then(value::unsigned);
    let numbers = [
        (
            &metrics::IDLE,
            number("Idle_pct").filter(|percent| *percent <= 100),
        ),
        (&metrics::UPTIME, number("Uptime_sec")),
        (&metrics::PID, number("Pid")),
    ];
    for (family, value) in numbers {
        if let Some(value) = value {
            exposition::push_single(to, family, &[], value);
        }
    }
}

fn push_facts(to: &mut Vec<u8>, families: &[SingleFamily; 7], facts: &Facts) {
    for (family, value) in families.iter().zip(facts.values()) {
        if let Some(value) = value {
            exposition::push_single(to, family, &[], value);
        }
    }
}
