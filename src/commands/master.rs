//! A master process (`-W`) and its old workers, in every profile: HAProxy's built-in exporter knows
//! neither.

mod processes;
mod question;
mod traffic;
pub(crate) mod watch;

pub(crate) use processes::Processes;

use super::command::{Command, When};
use traffic::Traffic;
use crate::config::{Flag, Takes, put};
use crate::haproxy::uri::ScrapeUri;
use crate::metrics::macros::table;
use crate::metrics::value::Value;

pub(crate) static COMMAND: Command = Command {
    ask: processes::SHOW_PROC,
    flag: Some(Flag {
        is_of_scrape_uri: true,
        ..Flag::new(
        "haproxy.master-socket",
        Takes::Value("URI", ""),
        "URI of HAProxy's master socket (haproxy -W -S); adds metrics about reloads and old workers; unix:/path, unix:@name or tcp://host:port",
        |to, text| put(&mut to.master_socket, socket(text)),
    )}),
    groups: &[&MASTER.group, &OLD_WORKERS.group],
    when: When::OfMaster,
    events: ["show proc failed", "show proc recovered"],
    ..Command::USUAL
};

/// The URI of the master socket, if one is given.
fn socket(text: &str) -> Result<Option<ScrapeUri>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match ScrapeUri::parse(text)? {
        uri @ (ScrapeUri::Unix(_) | ScrapeUri::Tcp(_)) => Ok(Some(uri)),
        ScrapeUri::Http(_) | ScrapeUri::File(_) => {
            Err("must be a CLI socket: unix:/path, unix:@name or tcp://host:port".to_owned())
        }
    }
}

/// Facts about the master process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Master {
    /// Whether it replied.
    pub(crate) is_up: bool,
    /// Its uptime in seconds.
    pub(crate) uptime: Option<u64>,
    /// Number of reloads since it started.
    pub(crate) reloads: Option<u64>,
    /// Whether the last reload succeeded.
    pub(crate) last_reload_successful: Option<bool>,
}

/// Facts about the old workers, left over from earlier reloads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OldWorkers {
    /// Their number.
    pub(crate) count: u64,
    /// The number of unresponsive ones.
    pub(crate) unanswered: u64,
    /// The age of the oldest.
    pub(crate) oldest_age_seconds: u64,
    /// Current connections of those that replied.
    pub(crate) connections: u64,
    /// `None` if /proc lacks one of them.
    pub(crate) memory_bytes: Option<u64>,
    /// Their traffic since they became old, added up over scrapes; `None` for a single scrape.
    pub(crate) done: Option<Traffic>,
}

type OfMaster = fn(&Master) -> Value<'_>;
type OfOldWorkers = fn(&OldWorkers) -> Value<'_>;

table! {
    /// One row.
    static MASTER: OfMaster {
        prefix: "haproxy_master_",
    }
    Gauge   up = |master| master.is_up.into(), "1 if the master process replied to the last scrape, else 0.";
    Gauge   uptime_seconds = |master| master.uptime.into(), "Uptime of the master process, in seconds.";
    Counter reloads_total = |master| master.reloads.into(), "Reloads since the master process was started, including failed ones.";
    Gauge   last_reload_successful = |master| master.last_reload_successful.into(), "1 if the last reload succeeded or there was none, else 0; HAProxy 2.4.0 does not report it.";
}

table! {
    /// One row.
    static OLD_WORKERS: OfOldWorkers {}
    Gauge   old_workers = |old| old.count.into(), "Old workers from earlier reloads that still run.";
    Gauge   old_workers_unanswered = |old| old.unanswered.into(), "Unresponsive old workers: they did not reply, or are no longer queried.";
    Gauge   old_workers_oldest_age_seconds = |old| old.oldest_age_seconds.into(), "Age of the oldest old worker, in seconds; 0 if there is none.";
    Gauge   old_workers_current_connections = |old| old.connections.into(), "Current connections of the old workers that replied.";
    Gauge   old_workers_resident_memory_bytes = |old| old.memory_bytes.into(), "Resident memory of all old workers, in bytes.";
    Counter old_workers_requests_total = |old| old.done.map(|done| done.requests).into(), "Requests that old workers received after they became old.";
    Counter old_workers_connections_total = |old| old.done.map(|done| done.connections).into(), "Connections that old workers accepted or opened after they became old.";
    Counter old_workers_bytes_out_total = |old| old.done.map(|done| done.bytes_out).into(), "Bytes that old workers sent after they became old.";
}
