//! One scrape from end to end, and the counters that live as long as the exporter.

mod questions;
mod tools;

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::commands;
use crate::commands::cli_level;
use crate::commands::master::{self, watch::MasterWatch};
use crate::commands::now_and_then::NowAndThen;
use crate::commands::watch::Watch;
use crate::config::{Config, PID_FILE, SERVER_INFO};
use crate::event::Event;
use crate::haproxy::reader::Limits;
use crate::haproxy::source::Source;
use crate::haproxy::stat::{CutHeader, RowType};
use crate::log::{self, Level};
use crate::metrics::Table;
use crate::metrics::catalog::Catalog;
use crate::metrics::exporter_and_process::{
    EXPORTER, EXPORTER_BUILD, ExporterFacts, HAPROXY_PROCESS, OWN_PROCESS,
};
use crate::metrics::report::{Process, Report, State};
use crate::metrics::selection::Wanted;
use crate::metrics::snapshot::{Outcome, Sink, Snapshot};
use crate::metrics::value::Value;
use crate::net::deadline::{Abort, Deadline};
use crate::process::Facts;
use crate::version::{REVISION, RUST_VERSION};
use questions::{Answers, Scrape};
pub(crate) use tools::Tools;

/// Maximum length of a value of `show info` in a report, in bytes: names of nodes are host names.
const MAX_SHOWN_BYTES: usize = 256;

/// Scrapes HAProxy into snapshots.
pub(crate) struct Scraper {
    config: &'static Config,
    /// Whether this is the HAProxy of the scrape URI.
    is_unnamed: bool,
    catalog: &'static Catalog,
    source: Source,
    tools: Rc<RefCell<Tools>>,
    /// The header that this HAProxy cuts, if it does.
    cut_header: Option<CutHeader>,
    answers: Answers,
    /// Commands that are not sent at each scrape.
    now_and_then: Vec<NowAndThen>,
    /// The master process, if it is polled.
    master: Option<MasterWatch>,
    scrapes: u64,
    parse_failures: u64,
    /// The process that replied last; it is the one of /proc too if a scrape fails.
    answering_pid: Option<u64>,
    failed: Event,
    bad_rows: Event,
    /// What was wanted when rows were bad last.
    bad_rows_of: Wanted,
    no_row: Event,
    no_proxy: Event,
    no_addresses: Event,
    process_incomplete: Event,
}

impl Scraper {
    /// A scraper that has not scraped yet, for the target of this name; that of the scrape URI has
    /// none.
    pub(crate) fn new(
        config: &'static Config,
        catalog: &'static Catalog,
        tools: &Rc<RefCell<Tools>>,
        name: &'static str,
        source: Source,
    ) -> Self {
        let target = Some(name).filter(|name| !name.is_empty());
        // The master and the pid file concern the process of the scrape URI.
        let master = match target {
            None => config.master_socket.as_ref().and_then(Source::of_master),
            Some(_) => None,
        };
        let in_use = || commands::in_use(&config.commands);
        let event = |level, message, over| Event::new(level, message, over).of(target);
        Self {
            config,
            catalog,
            is_unnamed: target.is_none(),
            source,
            tools: Rc::clone(tools),
            cut_header: None,
            answers: Answers::new(
                target,
                in_use().filter_map(|of| Watch::new(of, target)).collect(),
            ),
            now_and_then: in_use()
                .filter_map(|of| NowAndThen::new(of, target, config.timeout))
                .collect(),
            master: master.map(|source| MasterWatch::new(source, target, config.once.is_none())),
            scrapes: 0,
            parse_failures: 0,
            answering_pid: None,
            failed: event(Level::Error, "scrape failed", "scrape succeeded again"),
            bad_rows_of: Wanted::default(),
            bad_rows: event(Level::Warn, "CSV parse failures", "all rows parsed again"),
            no_proxy: event(
                Level::Warn,
                "no proxy is exported",
                "proxies are exported again",
            ),
            no_row: event(
                Level::Warn,
                "HAProxy printed no row",
                "HAProxy prints rows again",
            ),
            no_addresses: event(
                Level::Warn,
                "addresses of servers are missing",
                "HAProxy prints addresses of servers again",
            ),
            process_incomplete: event(
                Level::Warn,
                "HAProxy process metrics are missing",
                "HAProxy process metrics are complete again",
            ),
        }
    }

    /// Scrapes what is `wanted` once, within the configured timeout, and `within` a time and until it
    /// is aborted. A failure is logged and exported as `haproxy_up 0`. Returns whether it was cut and has to be
    /// repeated: then there is nothing in `into`, and nothing is logged.
    pub(crate) fn scrape(
        &mut self,
        wanted: &Wanted,
        within: Option<(Duration, Option<Abort>)>,
        into: &mut Snapshot,
    ) -> bool {
        let start = Instant::now();
        let (time, abort) = within.unwrap_or((self.config.timeout, None));
        let timeout = self.config.timeout.min(time);
        self.scrapes += 1;
        let tools = Rc::clone(&self.tools);
        let tools = &mut *tools.borrow_mut();
        tools.buffer.begin(log::enabled(Level::Debug));
        let mut limits = Limits {
            deadline: Deadline::after(timeout).or_at(abort),
            max_bytes: self.config.max_response_bytes,
        };
        let needs_pid = self.needs_pid(wanted);
        tools.reader.swap_cut_header(&mut self.cut_header);
        let result = self.answers.ask(&mut Scrape {
            source: &mut self.source,
            limits,
            buffer: &mut tools.buffer,
            wanted,
            catalog: self.catalog,
            needs_pid,
            reader: &mut tools.reader,
            batcher: &mut tools.batcher,
            into,
        });
        tools.reader.swap_cut_header(&mut self.cut_header);
        let is_up = result.is_ok();
        if is_up {
            self.report_rows(tools, wanted, start, into);
            self.add_now_and_then(tools, wanted, limits, into);
        } else {
            limits.deadline = limits.deadline.without_rows();
            into.clear();
            self.answers.clear();
            tools.reader.clear();
        }
        if !limits.deadline.is_repeated() {
            self.failed.report(result.err());
        }
        self.add_master(tools, wanted, limits, into);
        if limits.deadline.is_repeated() {
            into.clear();
            let took = start.elapsed();
            into.outcome = Outcome { is_up, took };
            return true;
        }
        let facts = self.add_processes(tools, into);
        let mut sink = Sink {
            catalog: self.catalog,
            snapshot: into,
        };
        self.answers.info.put_rows(&facts, &mut sink);
        for watch in &self.answers.watches {
            watch.put_rows(&mut sink);
        }
        let took = start.elapsed();
        self.add_exporter(is_up, took, into);
        into.outcome = Outcome { is_up, took };
        into.wanted = *wanted;
        into.shrink();
        false
    }

    /// What the last scrape, which filled `from`, has found out, in words.
    pub(crate) fn report(&mut self, from: &Snapshot) -> Report {
        let failure = self.failed.reason().map(str::to_owned);
        let info = |key| {
            let value = self.answers.info.get(key).unwrap_or_default();
            String::from_utf8_lossy(&value[..value.len().min(MAX_SHOWN_BYTES)]).into_owned()
        };
        let mut groups = Vec::new();
        // Where the scrape failed, these were not read.
        if failure.is_none() {
            self.answers.add_states(&self.source, &mut groups);
            for other in &self.now_and_then {
                groups.push(other.state());
            }
            if self.config.server_info {
                let state = State::of(self.no_addresses.text().as_deref());
                groups.push((format!("--{SERVER_INFO}"), state));
            }
        }
        if let Some(master) = &self.master {
            groups.push(master.state());
        }
        if self.is_unnamed && self.config.pid_file.is_some() {
            let state = State::of(self.process_incomplete.reason());
            groups.push((format!("--{PID_FILE}"), state));
        }
        let uptime = self.answers.info.number("Uptime_sec");
        let buffer = &mut self.tools.borrow_mut().buffer;
        Report {
            failure,
            haproxy: Process {
                release: info("Version"),
                node: info("node"),
                uptime: uptime.map(Duration::from_secs),
            },
            rows: RowType::ALL.map(|row_type| from.stat_rows(row_type).count()),
            bytes: buffer.received(),
            commands: buffer.take_trace(),
            groups,
        }
    }

    /// Releases the replies of the last scrape: those of thousands of instances are not kept.
    pub(crate) fn forget(&mut self) {
        self.answers.info.forget();
    }

    /// What is wrong with the rows of the last scrape.
    pub(crate) fn problems(&self) -> Vec<String> {
        let events = [&self.bad_rows, &self.no_row, &self.no_proxy];
        let reasons = events.into_iter().filter_map(Event::reason);
        reasons.map(str::to_owned).collect()
    }

    /// The level of the CLI, or why it is unknown; `None` where there is no CLI.
    pub(crate) fn cli_level(&mut self) -> Option<String> {
        if !self.source.takes_commands() {
            return None;
        }
        let limits = Limits {
            deadline: Deadline::after(self.config.timeout),
            max_bytes: self.config.max_response_bytes,
        };
        let level = cli_level::of(
            &mut self.source,
            limits,
            &mut self.tools.borrow_mut().buffer,
        );
        Some(level.unwrap_or_else(|error| format!("unknown: {error}")))
    }

    /// Whether anything else than the rows that is `wanted` depends on their process.
    fn needs_pid(&self, wanted: &Wanted) -> bool {
        let has = |groups: &[&_]| {
            let mut groups = groups.iter();
            groups.any(|group| wanted.has_group(self.catalog, group))
        };
        self.now_and_then
            .iter()
            .any(|other| other.command.is_wanted(wanted, self.catalog))
            || self.master.is_some() && master::COMMAND.is_wanted(wanted, self.catalog)
            || self.is_unnamed && self.config.pid_file.is_some() && has(&[&HAPROXY_PROCESS.group])
    }

    /// Adds the rows of commands that are sent at intervals, if they are wanted.
    fn add_now_and_then(
        &mut self,
        tools: &mut Tools,
        wanted: &Wanted,
        limits: Limits,
        into: &mut Snapshot,
    ) {
        let mut sink = Sink {
            catalog: self.catalog,
            snapshot: into,
        };
        let answering = self.answers.info.number("Pid");
        for other in &mut self.now_and_then {
            if other.command.is_wanted(wanted, self.catalog) {
                let buffer = &mut tools.buffer;
                other.add(&mut self.source, answering, limits, buffer, &mut sink);
            }
        }
    }

    /// Adds the rows of the master process and of old workers, if they are polled and wanted.
    fn add_master(
        &mut self,
        tools: &mut Tools,
        wanted: &Wanted,
        limits: Limits,
        into: &mut Snapshot,
    ) {
        let Some(master) = &mut self.master else {
            return;
        };
        let info = &self.answers.info;
        master.saw_current(info, self.answers.spent_at_info, self.source.spent());
        let is_wanted = master::COMMAND.is_wanted(wanted, self.catalog);
        if is_wanted && !limits.deadline.is_repeated() {
            let mut sink = Sink {
                catalog: self.catalog,
                snapshot: into,
            };
            let buffer = &mut tools.buffer;
            master.add(info, limits, buffer, &mut tools.process, &mut sink);
        }
    }

    /// Adds the facts of /proc about HAProxy's process, if its pid file is known, and about ours.
    /// Returns those about HAProxy's.
    fn add_processes(&mut self, tools: &mut Tools, into: &mut Snapshot) -> Facts {
        let mut haproxy = Facts::default();
        let pid = self.answers.info.number("Pid");
        self.answering_pid = pid.or(self.answering_pid);
        if let Some(pid_file) = &self.config.pid_file
            && self.is_unnamed
        {
            let missing;
            (haproxy, missing) = tools.process.of_pid_file(pid_file, self.answering_pid);
            add_facts(self.catalog, &HAPROXY_PROCESS, &haproxy, into);
            match missing {
                Some(error) => {
                    let error = match pid {
                        Some(_) => error.of_running(),
                        None => error,
                    };
                    let now = Instant::now();
                    let fields: [(&str, &dyn Display); 1] = [("err", &error)];
                    self.process_incomplete.happens(now, &error.kind(), &fields);
                }
                None => self.process_incomplete.is_over(),
            }
        }
        let (own, _) = tools.process.of("self");
        add_facts(self.catalog, &OWN_PROCESS, &own, into);
        haproxy
    }

    /// Counts what could not be parsed, and logs it. A request that wants less reads fewer rows, so
    /// it does not end a problem that others have found.
    fn report_rows(&mut self, tools: &Tools, wanted: &Wanted, now: Instant, into: &Snapshot) {
        let failures = tools.reader.failures();
        self.parse_failures += failures.count;
        match &failures.first {
            Some(first) => {
                let fields: [(&str, &dyn Display); 2] =
                    [("count", &failures.count), ("first", first)];
                self.bad_rows.happens(now, first.kind(), &fields);
                self.bad_rows_of = *wanted;
            }
            None if wanted.includes(&self.bad_rows_of, self.catalog) => self.bad_rows.is_over(),
            None => {}
        }
        match tools.batcher.server_info.is_missing() {
            Some(true) => {
                let why = "HAProxy prints them to a CLI of level operator and above, and on a page with stats show-legends";
                self.no_addresses.happens(now, why, &[("err", &why)]);
            }
            Some(false) => self.no_addresses.is_over(),
            None => {}
        }
        // A reply with only a header is not a failure, but hardly ever intended. Each proxy has a
        // frontend or a backend; servers and listeners are optional.
        let has = |row_type| wanted.has(self.catalog, row_type);
        if !(has(RowType::Frontend) && has(RowType::Backend)) {
            return;
        }
        match tools.reader.has_no_row() {
            true => {
                let why =
                    "it has no proxies, is stopping, or its stats scope or bind-process hides them";
                self.no_row.happens(now, why, &[("err", &why)]);
            }
            false => self.no_row.is_over(),
        }
        let has_rows = RowType::ALL
            .iter()
            .any(|of| into.stat_rows(*of).count() > 0);
        let no_proxy = tools.reader.unwanted().filter(|_| !has_rows);
        let filter = &self.config.filter.proxies;
        self.no_proxy
            .report(no_proxy.map(|name| filter.why_none(name)));
    }

    /// Adds the families about the exporter and this scrape.
    fn add_exporter(&self, is_up: bool, took: Duration, into: &mut Snapshot) {
        let facts = ExporterFacts {
            is_up,
            scrapes: self.scrapes,
            parse_failures: self.parse_failures,
            took,
        };
        into.add(self.catalog, &EXPORTER)
            .put(&[], |value| value(&facts));
        let build = [env!("CARGO_PKG_VERSION"), REVISION, RUST_VERSION].map(str::as_bytes);
        into.add(self.catalog, &EXPORTER_BUILD).put_constant(&build);
    }
}

/// Adds the row of a process.
fn add_facts(
    catalog: &Catalog,
    table: &'static Table<fn(&Facts) -> Value<'_>>,
    facts: &Facts,
    into: &mut Snapshot,
) {
    into.add(catalog, table).put(&[], |value| value(facts));
}
