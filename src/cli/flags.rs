//! The table of flags: what `--help` prints, what the manual and the README are held to, and what each sets.

use std::path::PathBuf;

use super::values::{
    add_label, add_target, check, columns, failure_status, listen_address, log_format, log_level,
    max_response_bytes, pattern, profile, ready_fd, refused, scrape_uri, socket_mode, states,
    telemetry_path, timeout, unless_empty, with_tls,
};
use crate::commands;
use crate::config::Takes::{Optional, Switch, Value, Values};
use crate::config::{Flag, PID_FILE, SERVER_INFO, put, turn};
pub(crate) use crate::haproxy::advice::{MAX_RESPONSE_BYTES, SSL_CA_FILE};
use crate::haproxy::proxy_filter::{PROXY_EXCLUDE, PROXY_INCLUDE};
pub(super) use crate::server::listen::LISTEN_ADDRESS;

/// Names that errors mention besides the table.
pub(crate) const SCRAPE_URI: &str = "haproxy.scrape-uri";
pub(crate) const TARGET: &str = "haproxy.target";
pub(crate) const SSL_SERVER_NAME: &str = "haproxy.ssl-server-name";
pub(crate) const PROXY_FROM_ENV: &str = "http.proxy-from-env";
pub(crate) const SYSTEMD_SOCKET: &str = "web.systemd-socket";
pub(super) const METRIC_NAMES: &str = "haproxy.metric-names";
pub(super) const SSL_VERIFY: &str = "haproxy.ssl-verify";
pub(super) const LOG_LEVEL: &str = "log.level";
pub(crate) const READY_FD: &str = "ready-fd";
pub(super) const ONCE: &str = "once";
pub(super) const LABEL: &str = "label";

/// What `--once` without a name means. No target can have this name.
pub(super) const THE_ONLY_ONE: &str = "*";

/// The columns of `server` rows that have a metric, as the Go exporter lists them.
const SERVER_METRIC_FIELDS: &str =
    "2,3,4,5,6,7,8,9,13,14,15,16,17,18,21,24,30,33,35,38,39,40,41,42,43,44,49,50,58,59,60,61";

/// All flags but `--help` and `--version`, in the order of `--help`.
pub(crate) fn all() -> impl Iterator<Item = &'static Flag> {
    let flags = FIRST_FLAGS.iter().chain(commands::flags());
    flags.chain(OTHER_FLAGS)
}

/// The flags about HAProxy and what is read of it, up to those of commands.
static FIRST_FLAGS: &[Flag] = &[
    Flag::new(
        SCRAPE_URI,
        Value("URI", "http://localhost/;csv"),
        "URI to scrape HAProxy from: unix:/path, unix:@name, tcp://host:port, http://[user:password@]host[:port]/path;csv (https:// in builds with TLS) or file:/path",
        |to, text| {
            to.targets.push((String::new(), scrape_uri(text)?));
            Ok(())
        },
    ),
    Flag::new(
        TARGET,
        Values("NAME=URI", ""),
        "One of several HAProxy instances, scraped at /metrics?target=NAME; repeatable",
        add_target,
    ),
    Flag::new(
        "haproxy.timeout",
        Value("DURATION", "5s"),
        "Timeout for a whole scrape of HAProxy, e.g. 500ms or 1m30s",
        |to, text| put(&mut to.timeout, timeout(text)),
    ),
    // About 270,000 servers.
    Flag::new(
        MAX_RESPONSE_BYTES,
        Value("BYTES", "67108864"),
        "Maximum size of a reply of HAProxy; the scrape fails if a reply is larger",
        |to, text| put(&mut to.max_response_bytes, max_response_bytes(text)),
    ),
    Flag::new(
        PROXY_FROM_ENV,
        Switch(false),
        "Use the proxy in the environment (http_proxy, https_proxy, no_proxy)",
        |to, text| turn(&mut to.proxy_from_env, text),
    ),
    Flag::new(
        METRIC_NAMES,
        Value("NAMES", "exporter"),
        "Metric names: exporter (those of prometheus/haproxy_exporter) or builtin (those of HAProxy's built-in exporter); a request can choose with ?names=",
        |to, text| put(&mut to.profile, profile(text)),
    ),
    Flag::new(
        PROXY_INCLUDE,
        Values("PATTERN", ""),
        "Proxies to export (frontends, backends and their servers and listeners), by name; * and ? match; repeatable",
        |to, text| {
            to.filter.proxies.include.extend(pattern(text)?);
            Ok(())
        },
    ),
    Flag::new(
        PROXY_EXCLUDE,
        Values("PATTERN", ""),
        "Proxies to exclude (frontends, backends and their servers and listeners), by name; * and ? match; repeatable",
        |to, text| {
            to.filter.proxies.exclude.extend(pattern(text)?);
            Ok(())
        },
    ),
    Flag::new(
        "haproxy.server-metric-fields",
        Value("COLUMNS", SERVER_METRIC_FIELDS),
        "Server columns to export with metric names exporter, by column number (HAProxy management guide, 9.1), separated by commas; none if empty, all that have a metric by default",
        |to, text| put(&mut to.server_columns, columns(text)),
    ),
    Flag::new(
        "haproxy.server-exclude-states",
        Value("STATES", ""),
        "States of servers to exclude, separated by commas, e.g. MAINT,DRAIN",
        |to, text| put(&mut to.filter.excluded_states, states(text)),
    ),
    Flag::new(
        SERVER_INFO,
        Switch(false),
        "Export the address and cookie of each server as labels; needs a CLI socket with level operator, or a page with stats show-legends",
        |to, text| turn(&mut to.server_info, text),
    ),
    Flag {
        is_of_scrape_uri: true,
        ..Flag::new(
            PID_FILE,
            Value("PATH", ""),
            "HAProxy's pid file; adds its CPU time, memory and open file descriptors (from /proc)",
            |to, text| put(&mut to.pid_file, Ok(unless_empty(text).map(PathBuf::from))),
        )
    },
];

/// Those behind the ones of commands.
static OTHER_FLAGS: &[Flag] = &[
    Flag::new(
        SSL_VERIFY,
        Switch(true),
        "Verify the certificate of an https scrape URI",
        |to, text| {
            let mut is_verified = true;
            turn(&mut is_verified, text)?;
            to.tls.insecure = !is_verified;
            Ok(())
        },
    ),
    Flag::new(
        SSL_CA_FILE,
        Value("PEM", ""),
        "Trust only the roots in this file for https (builds with TLS)",
        |to, text| put(&mut to.tls.ca_file, with_tls(text)),
    ),
    Flag::new(
        SSL_SERVER_NAME,
        Value("NAME", ""),
        "Verify this name instead of the URI's host (builds with TLS)",
        |to, text| put(&mut to.tls.server_name, with_tls(text)),
    ),
    Flag::new(
        LISTEN_ADDRESS,
        Values("ADDRESS", ":9101"),
        "Address to serve metrics on: :port, host:port, [v6]:port or unix:/path; repeatable",
        |to, text| {
            to.listen.push(listen_address(text)?);
            Ok(())
        },
    ),
    Flag::new(
        "web.telemetry-path",
        Value("PATH", "/metrics"),
        "Path of the metrics",
        |to, text| put(&mut to.telemetry_path, telemetry_path(text)),
    ),
    Flag::new(
        "web.compression",
        Switch(true),
        "Compress metrics for clients that accept it (gzip)",
        |to, text| turn(&mut to.compression, text),
    ),
    Flag::new(
        "web.failure-status",
        Value("STATUS", "200"),
        "Status of responses with a failed scrape (haproxy_up 0): 200, or 503 so that up is 0 in Prometheus",
        |to, text| put(&mut to.failure_status, failure_status(text)),
    ),
    Flag::new(
        SYSTEMD_SOCKET,
        Switch(false),
        "Serve on sockets passed by systemd (LISTEN_FDS) instead of --web.listen-address",
        |to, text| turn(&mut to.systemd_socket, text),
    ),
    Flag::new(
        "web.socket-mode",
        Value("OCTAL", "0660"),
        "Permissions of unix:/path listeners",
        |to, text| put(&mut to.socket_mode, socket_mode(text)),
    ),
    Flag::new(
        "web.config.file",
        Value("PATH", ""),
        "Not supported: put a TLS-terminating proxy in front of the exporter (see security.md)",
        |_, text| refused(text),
    ),
    Flag::new(
        READY_FD,
        Value("N", ""),
        "Write a newline to this descriptor when ready (s6's notification-fd)",
        |to, text| put(&mut to.ready_fd, ready_fd(text)),
    ),
    Flag::new(
        LOG_LEVEL,
        Value("LEVEL", "info"),
        "Minimum severity to log: debug, info, warn or error",
        |to, text| put(&mut to.log_level, log_level(text)),
    ),
    Flag::new(
        "log.format",
        Value("FORMAT", "logfmt"),
        "Log format: logfmt or json",
        |to, text| put(&mut to.log_format, log_format(text)),
    ),
    Flag::new(
        ONCE,
        Optional("NAME", THE_ONLY_ONE),
        "Scrape once, print the metrics and exit: 0 if the scrape succeeded, else 1; of several HAProxy instances the one of this name",
        |to, text| put(&mut to.once, Ok(unless_empty(text))),
    ),
    Flag::new(
        LABEL,
        Values("NAME=VALUE", ""),
        "Label to add to each metric of --once, so that files of several instances can be read together; repeatable",
        add_label,
    ),
    Flag::new(
        "check",
        Optional("flags", "scrape"),
        "Check everything with one scrape, explain the result and exit: 0 if all works, else 1; with =flags only the flags, without a network or a socket",
        |to, text| put(&mut to.check, check(text)),
    ),
    Flag::new(
        "list-metrics",
        Switch(false),
        "Print every metric (name, type, labels, help) and exit",
        |to, text| turn(&mut to.list_metrics, text),
    ),
];

/// The flag of a name as it was given; `false` for a `--no-` form of a switch.
pub(crate) fn find(name: &str) -> Option<(&'static Flag, bool)> {
    let named = |name: &str| all().find(|flag| flag.name == name);
    named(name).map(|flag| (flag, true)).or_else(|| {
        let flag = named(name.strip_prefix("no-")?)?;
        matches!(flag.takes, Switch(_)).then_some((flag, false))
    })
}
