//! A HAProxy in which everything that the dashboards show happens, and a Prometheus that scrapes it.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use serde_json::Value;

use super::share;
use crate::certificates;
use crate::old_workers::{Client, Reloaded};
use crate::prometheus::Prometheus;
use crate::support::exporter::Exporter;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::http;

/// The listeners of [`configuration`], in the order of its `bind` lines.
const WEB: usize = 0;
const FULL: usize = 1;
const ORIGIN: usize = 2;
const MISSING: usize = 3;
const SECURE: usize = 4;
const PEERS: usize = 5;

/// Reloads of the HAProxy with a master, and what they left behind.
const OLD_WORKERS: usize = 2;

/// Everything that runs: a HAProxy with all kinds of rows, and one with a master and old workers. Fields are dropped in this order.
pub(super) struct Scene {
    prometheus: Prometheus,
    pub(super) exporter: Exporter,
    /// Keeps the only session that the frontend `full` has.
    session: TcpStream,
    haproxy: Haproxy,
    /// Watches the master below.
    pub(super) master_exporter: Exporter,
    /// Each keeps an old worker.
    _held: [Client; OLD_WORKERS],
    _reloaded: Reloaded,
}

/// A backend with a server up, one down and a spare one; a backend without servers; a frontend that
/// is full; a certificate; a peer that is not there; names and tables; and `missing.prom`, which
/// Prometheus reads like an exporter's answer.
fn configuration(place: &Place, certificate: &Path) -> String {
    format!(
        "{global}\
         peers farm\n  bind {peers}\n  server east\n  server west 127.0.0.1:1\n\
         resolvers names\n  nameserver one 127.0.0.1:1\n\
         frontend web\n  bind {web}\n  option socket-stats\n  rate-limit sessions 1000\n\
         \x20 http-request deny if {{ path /denied }}\n\
         \x20 use_backend dead if {{ path /dead }}\n  default_backend app\n\
         frontend full\n  bind {full}\n  maxconn 1\n  timeout client 1h\n  default_backend app\n\
         frontend secure\n  bind {secure} ssl crt {certificate}\n\
         frontend origin\n  bind {origin}\n\
         \x20 http-request return status 500 if {{ path /error }}\n\
         \x20 http-request return status 200 content-type text/plain string fine\n\
         frontend missing\n  bind {missing}\n\
         \x20 http-request return status 200 content-type \"text/plain; version=0.0.4\" file {file}\n\
         backend app\n  option httpchk\n  default-server check inter 100ms\n  stick-table type ip size 1k\n\
         \x20 server one {upstream} maxconn 10\n  server two 127.0.0.1:1\n  server spare {upstream} backup\n\
         backend dead\n  server gone 127.0.0.1:1 check inter 100ms\n",
        global = place
            .global()
            .replacen("global\n", "global\n  localpeer east\n", 1),
        secure = place.bind(SECURE),
        certificate = certificate.display(),
        peers = place.bind(PEERS),
        web = place.bind(WEB),
        full = place.bind(FULL),
        origin = place.bind(ORIGIN),
        missing = place.bind(MISSING),
        upstream = place.address(ORIGIN),
        file = place.path("missing.prom").display(),
    )
}

/// A scrape job with one target, all of whose series belong to the job `haproxy`.
fn target(job: &str, address: SocketAddr) -> String {
    format!(
        "  - job_name: {job}\n    scrape_interval: 2s\n    scrape_timeout: 2s\n    static_configs: [{{targets: ['{address}'], labels: {{job: haproxy}}}}]\n"
    )
}

impl Scene {
    /// Starts everything. `missing` is a text exposition of what this HAProxy, or the exporter, has not.
    pub(super) fn start(missing: &str, names: &str) -> Option<Scene> {
        let place = Place::new(6);
        let certificate = certificates::make(&place)?;
        std::fs::write(place.path("missing.prom"), missing).expect("write an exposition");
        let configuration = configuration(&place, &certificate);
        let haproxy = Haproxy::start(place, &configuration)?;
        let pid_file = haproxy.write_pid_file();
        let pid_flag = format!("--haproxy.pid-file={}", pid_file.display());
        let names_flag = format!("--haproxy.metric-names={names}");
        let exporter = Exporter::start(&[
            &haproxy.unix_flag(),
            &pid_flag,
            &names_flag,
            "--haproxy.certificates",
            "--haproxy.peers",
            "--haproxy.activity",
        ]);
        let reloaded = Reloaded::start()?;
        let held = [(); OLD_WORKERS].map(|()| {
            let client = reloaded.connect();
            reloaded.reload();
            client
        });
        let master_exporter = Exporter::start(&[
            &reloaded.haproxy.unix_flag(),
            &reloaded.master_flag(),
            &names_flag,
        ]);
        let targets = [
            target("haproxy", exporter.address()),
            target("reloaded", master_exporter.address()),
            target("missing", haproxy.address(MISSING)),
        ];
        let prometheus = Prometheus::start_with(&format!(
            "rule_files: ['{}/*.yml']\nscrape_configs:\n{}",
            share("prometheus").display(),
            targets.concat()
        ))?;
        let session = TcpStream::connect(haproxy.address(FULL)).expect("connect to HAProxy");
        Some(Scene {
            prometheus,
            exporter,
            session,
            haproxy,
            master_exporter,
            _held: held,
            _reloaded: reloaded,
        })
    }

    /// One request of each kind.
    pub(super) fn traffic(&self) {
        for path in ["/", "/error", "/dead", "/denied"] {
            http::request(self.haproxy.address(WEB), "GET", path, &[]);
        }
    }

    /// Ends HAProxy and starts it anew once Prometheus has seen it run; then waits for the checks.
    pub(super) fn restart(&mut self) {
        let instance = self.exporter.address();
        let uptime = format!("haproxy_process_uptime_seconds{{instance=\"{instance}\"}}");
        self.prometheus.wait_for(&uptime, 2.0);
        self.haproxy.restart(&["-db"]);
        self.haproxy.write_pid_file();
        self.session = TcpStream::connect(self.haproxy.address(FULL)).expect("connect to HAProxy");
        self.haproxy.wait_for_status("app", "two", "DOWN");
        self.haproxy.wait_for_status("dead", "gone", "DOWN");
    }

    /// The frontends and backends that HAProxy has.
    pub(super) fn proxies(&self) -> Vec<String> {
        let csv = self.haproxy.cli("show stat -1 3 -1");
        let rows = csv.lines().filter(|line| !line.starts_with('#'));
        let names = rows.filter_map(|row| row.split(',').next());
        names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// The series that answer an instant query.
    pub(super) fn query(&self, query: &str) -> Vec<Value> {
        let data = self.api(&format!("query?query={}", encoded(query)));
        assert_eq!(data["resultType"], "vector", "{query}");
        data["result"].as_array().cloned().unwrap_or_default()
    }

    /// The series of the last minute, as a graph asks for them, each with its last value.
    pub(super) fn query_range(&self, query: &str) -> Vec<Value> {
        // Its own clock: the time at which it answers.
        let now = self.api("query?query=time()")["result"][0].as_f64();
        let now = now.expect("a time");
        let times = format!("start={}&end={now}&step=1", now - 60.0);
        let data = self.api(&format!("query_range?{times}&query={}", encoded(query)));
        assert_eq!(data["resultType"], "matrix", "{query}");
        let mut result = data["result"].as_array().cloned().unwrap_or_default();
        for series in &mut result {
            let values = series["values"].as_array().expect("a list of values");
            series["value"] = values.last().cloned().unwrap_or_default();
        }
        result
    }

    /// The values of a label in what a selector chooses.
    pub(super) fn label_values(&self, selector: &str, label: &str) -> Vec<String> {
        let path = format!("label/{label}/values?match[]={}", encoded(selector));
        let values = self.api(&path);
        let values = values.as_array().expect("a list of values").iter();
        values
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect()
    }

    /// The alerting and recording rules with what became of them.
    pub(super) fn rules(&self) -> Vec<Value> {
        let data = self.api("rules");
        let groups = data["groups"].as_array().expect("groups of rules").iter();
        let rules = groups.filter_map(|group| group["rules"].as_array());
        rules.flatten().cloned().collect()
    }

    /// The alerts that wait or fire, by name, proxy and server: `HaproxyServerDown app/two`.
    pub(super) fn active_alerts(&self) -> BTreeSet<String> {
        let data = self.api("alerts");
        let alerts = data["alerts"].as_array().expect("a list of alerts").iter();
        let name = |alert: &Value| {
            let labels = &alert["labels"];
            let label = |name: &str| labels[name].as_str().unwrap_or_default().to_owned();
            let proxy = label("frontend") + &label("backend") + &label("proxy");
            let server = label("server");
            let slash = if server.is_empty() { "" } else { "/" };
            format!("{} {proxy}{slash}{server}", label("alertname"))
        };
        alerts.map(name).collect()
    }

    fn api(&self, path: &str) -> Value {
        let response = self.prometheus.get(&format!("/api/v1/{path}"));
        let answer: Value = serde_json::from_slice(&response.body).expect("JSON from Prometheus");
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }
}

/// Percent-encoded for a query string.
fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    let code = |byte: u8| match plain(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(code).collect()
}
