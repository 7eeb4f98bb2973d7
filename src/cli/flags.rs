//! The table of flags: what `--help` prints and the README's table is held to.

/// One flag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    /// Name without the dashes.
    pub name: &'static str,
    /// What the flag takes.
    pub takes: Takes,
    /// What it is for.
    pub help: &'static str,
}

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing: on, or off as `--no-NAME`. Holds the default.
    Switch(bool),
    /// A value; holds its name and its default.
    Value(&'static str, &'static str),
}

use Takes::{Switch, Value};

/// The columns of `server` rows that have a metric, as the Go exporter lists them.
pub(crate) const SERVER_METRIC_FIELDS: &str =
    "2,3,4,5,6,7,8,9,13,14,15,16,17,18,21,24,30,33,35,38,39,40,41,42,43,44,49,50,58,59,60,61";

/// Default of `--haproxy.rows-per-question`.
pub(crate) const ROWS_PER_QUESTION: &str = "200";

/// Default of `--haproxy.max-response-bytes`: about 270,000 servers.
pub(crate) const MAX_RESPONSE_BYTES: &str = "67108864";

const fn flag(name: &'static str, takes: Takes, help: &'static str) -> Flag {
    Flag { name, takes, help }
}

/// All flags but `--help` and `--version`, in the order of `--help`.
pub(crate) const FLAGS: &[Flag] = &[
    flag(
        "haproxy.scrape-uri",
        Value("URI", "http://localhost/;csv"),
        "Where HAProxy's statistics are: unix:/path, unix:@name, tcp://host:port, http://[user:password@]host[:port]/path;csv (https:// in builds with TLS) or file:/path",
    ),
    flag(
        "haproxy.target",
        Value("NAME=URI", ""),
        "One of several HAProxys, scraped at /metrics?target=NAME; repeatable",
    ),
    flag(
        "haproxy.timeout",
        Value("DURATION", "5s"),
        "Time for one whole scrape of HAProxy, such as 500ms or 1m30s",
    ),
    flag(
        "haproxy.pid-file",
        Value("PATH", ""),
        "HAProxy's pid file: adds its processor time, memory and open descriptors (from /proc)",
    ),
    flag(
        "haproxy.metric-names",
        Value("NAMES", "exporter"),
        "Names of the metrics: exporter (those of prometheus/haproxy_exporter) or builtin (those of HAProxy's own exporter); a request can ask for the others with ?names=",
    ),
    flag(
        "haproxy.proxy-include",
        Value("PATTERN", ""),
        "Frontends, backends and what belongs to them are exported only if the proxy's name matches (* and ?); repeatable",
    ),
    flag(
        "haproxy.proxy-exclude",
        Value("PATTERN", ""),
        "They are left out if the proxy's name matches; repeatable",
    ),
    flag(
        "haproxy.server-metric-fields",
        Value("COLUMNS", SERVER_METRIC_FIELDS),
        "Columns of servers to export under the exporter names, by number (HAProxy management guide, 9.1), separated by commas; none if empty",
    ),
    flag(
        "haproxy.server-exclude-states",
        Value("STATES", ""),
        "Servers in these states are left out, separated by commas, such as MAINT,DRAIN",
    ),
    flag(
        "haproxy.rows-per-question",
        Value("ROWS", ROWS_PER_QUESTION),
        "HAProxy before 3.4 lets no traffic through while it prints: about so many servers are asked for at a time; 0 asks for all at once",
    ),
    flag(
        "haproxy.master-socket",
        Value("URI", ""),
        "The CLI of HAProxy's master process (haproxy -W -S): adds reloads and the workers of before them; unix:/path, unix:@name or tcp://host:port",
    ),
    flag(
        "haproxy.peers",
        Switch(false),
        "Watch the peers of stick tables (show peers); needs a CLI socket",
    ),
    flag(
        "haproxy.certificates",
        Switch(false),
        "Watch when the loaded certificates end; needs a CLI socket, of level operator before HAProxy 3.2",
    ),
    flag(
        "haproxy.max-response-bytes",
        Value("BYTES", MAX_RESPONSE_BYTES),
        "Largest answer of HAProxy; a larger one fails the scrape",
    ),
    flag(
        "haproxy.ssl-verify",
        Switch(true),
        "Check the certificate of an https scrape URI",
    ),
    flag(
        "haproxy.ssl-ca-file",
        Value("PEM", ""),
        "Trust only the roots in this file for https (builds with TLS)",
    ),
    flag(
        "haproxy.ssl-server-name",
        Value("NAME", ""),
        "Check for this name instead of the URI's host (builds with TLS)",
    ),
    flag(
        "http.proxy-from-env",
        Switch(false),
        "Use the proxy of http_proxy, https_proxy and no_proxy",
    ),
    flag(
        "web.listen-address",
        Value("ADDRESS", ":9101"),
        "Where to serve metrics: :port, host:port, [v6]:port or unix:/path; repeatable",
    ),
    flag(
        "web.telemetry-path",
        Value("PATH", "/metrics"),
        "Path of the metrics",
    ),
    flag(
        "web.systemd-socket",
        Switch(false),
        "Serve on the sockets that systemd passes (LISTEN_FDS) instead",
    ),
    flag(
        "web.socket-mode",
        Value("OCTAL", "0660"),
        "Permissions of unix:/path listeners",
    ),
    flag(
        "web.config.file",
        Value("PATH", ""),
        "Refused: TLS and passwords belong in front (see README)",
    ),
    flag(
        "ready-fd",
        Value("N", ""),
        "Write a newline to this descriptor when ready (s6's notification-fd)",
    ),
    flag(
        "log.level",
        Value("LEVEL", "info"),
        "Least severity to log: debug, info, warn or error",
    ),
    flag(
        "log.format",
        Value("FORMAT", "logfmt"),
        "Shape of log lines: logfmt or json",
    ),
    flag(
        "once",
        Switch(false),
        "Scrape once, print the metrics and exit: 0 when HAProxy answered, else 1",
    ),
    flag(
        "list-metrics",
        Switch(false),
        "Print every metric (name, type, labels, help) and exit",
    ),
];

/// The flag of a name as it was given; `false` for a `--no-` form of a switch.
pub(crate) fn find(name: &str) -> Option<(&'static Flag, bool)> {
    let named = |name: &str| FLAGS.iter().find(|flag| flag.name == name);
    named(name).map(|flag| (flag, true)).or_else(|| {
        let flag = named(name.strip_prefix("no-")?)?;
        matches!(flag.takes, Switch(_)).then_some((flag, false))
    })
}

/// The text of `--help`.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "usage: haproxy_exporter [<flags>]\n\n\
         Reads HAProxy's statistics at each request and serves them to Prometheus.\n\n\
         Flags:\n",
    );
    let fixed = [
        ("-h, --help".to_owned(), "Print this help"),
        ("    --version".to_owned(), "Print the version"),
    ];
    let listed = FLAGS.iter().map(|flag| (usage(flag), flag.help));
    for (usage, help) in fixed.into_iter().chain(listed) {
        text.push_str(&format!("  {usage}\n        {help}\n"));
    }
    text.push_str("\n@FILE stands for the arguments in FILE, one a line.\n");
    text
}

fn usage(flag: &Flag) -> String {
    match flag.takes {
        Switch(true) => format!("    --[no-]{} (on)", flag.name),
        Switch(false) => format!("    --[no-]{}", flag.name),
        Value(_, default) if !default.is_empty() => format!("    --{}={default:?}", flag.name),
        Value(placeholder, _) => format!("    --{}={placeholder}", flag.name),
    }
}
