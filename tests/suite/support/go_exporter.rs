//! Debian's prometheus-haproxy-exporter: the exporter that ours must equal.

use std::net::SocketAddr;
use std::process::Command;

use super::exporter::Exporter;
use super::exposition::{self, Exposition};
use super::fixtures;
use super::fixtures::is_from_show_info;
use super::http::{self, Response};
use super::peers::{self, Peer};

/// The Debian package and program.
pub(crate) const PROGRAM: &str = "prometheus-haproxy-exporter";

/// Families of the Go runtime and its HTTP library.
const GO_ONLY: [&str; 2] = ["go_", "promhttp_"];

/// Families that only ours has.
const OURS_ONLY: [&str; 5] = [
    "haproxy_info",
    "haproxy_exporter_scrape_duration_seconds",
    "haproxy_process_idle_time_percent",
    "haproxy_process_pid",
    "haproxy_process_uptime_seconds",
];

/// A running Go exporter.
pub(crate) struct GoExporter {
    pub(crate) peer: Peer,
    address: SocketAddr,
}

impl GoExporter {
    /// Starts it on an ephemeral port and waits until it listens; `None` when it is not installed.
    pub(crate) fn start(flags: &[&str]) -> Option<GoExporter> {
        let program = peers::find(PROGRAM)?;
        let mut command = Command::new(program);
        command
            .args(flags)
            .arg("--web.listen-address=127.0.0.1:0")
            .env_remove("http_proxy")
            .env_remove("HTTP_PROXY");
        let mut peer = Peer::start(&mut command);
        let address = peer.wait_for_line("address", |line| {
            let (_, rest) = line.split_once("msg=\"Listening on\" address=")?;
            rest.split_whitespace().next()?.parse().ok()
        });
        Some(GoExporter { peer, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        http::request(self.address, "GET", path, &[])
    }

    /// One scrape, without what belongs to Go's own libraries.
    pub(crate) fn scrape(&self) -> Exposition {
        self.scrape_with(&[])
    }

    /// The same with headers.
    pub(crate) fn scrape_with(&self, headers: &[(&str, &str)]) -> Exposition {
        let response = http::request(self.address, "GET", "/metrics", headers);
        assert_eq!(response.status, 200, "{}", response.text());
        let is_ours = |line: &&str| {
            let name = line
                .strip_prefix("# HELP ")
                .or_else(|| line.strip_prefix("# TYPE "))
                .unwrap_or(line);
            !GO_ONLY.iter().any(|prefix| name.starts_with(prefix))
        };
        let text: String = response
            .text()
            .split_inclusive('\n')
            .filter(is_ours)
            .collect();
        exposition::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error} in\n{text}"))
    }
}

/// Both exporters side by side on the same flags.
pub(crate) struct Pair {
    pub(crate) ours: Exporter,
    pub(crate) go: GoExporter,
}

impl Pair {
    /// Starts both; `None` when the Go exporter is not installed.
    pub(crate) fn start(flags: &[&str]) -> Option<Pair> {
        Some(Pair {
            go: GoExporter::start(flags)?,
            ours: Exporter::start(flags),
        })
    }

    /// One scrape of each, as far as they can be compared: ours, the Go exporter's.
    pub(crate) fn scrape(&self) -> (Exposition, Exposition) {
        let (ours, go) = (comparable(self.ours.scrape()), comparable(self.go.scrape()));
        // Some of these the Go exporter has with a pid file.
        let missing = |family: &str| is_from_show_info(family) && !go.families.contains_key(family);
        (ours.without(missing), go)
    }
}

/// Without what the Go exporter does not have, and what cannot be equal: facts about the two
/// exporters themselves, and what changes between two looks at the same HAProxy process.
pub(crate) fn comparable(exposition: Exposition) -> Exposition {
    let volatile = [
        "haproxy_exporter_build_info",
        "haproxy_process_cpu_seconds_total",
        "haproxy_process_open_fds",
        "haproxy_process_resident_memory_bytes",
        "haproxy_process_virtual_memory_bytes",
    ];
    let facts = fixtures::facts();
    exposition.without(|family| {
        family.starts_with("process_")
            || OURS_ONLY.contains(&family)
            || facts.iter().any(|fact| fact["name"] == family)
            || volatile.contains(&family)
    })
}

/// Whether any family's name starts with this.
pub(crate) fn has_family(exposition: &Exposition, prefix: &str) -> bool {
    exposition
        .families
        .keys()
        .any(|name| name.starts_with(prefix))
}
