//! What Prometheus itself makes of the exposition: its linter and its server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::supervise::adapted;
use crate::support::exporter::Exporter;
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::fixtures;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::http::{self, Response};
use crate::support::peers::{self, Peer};

/// A running Prometheus with one target.
pub(crate) struct Prometheus {
    peer: Peer,
    promtool: PathBuf,
    address: SocketAddr,
    _directory: TempDir,
}

impl Prometheus {
    /// Scrapes `target` as the README has it.
    fn start(target: SocketAddr) -> Option<Prometheus> {
        let target = target.to_string();
        Prometheus::start_with(&adapted("prometheus-yml", &[("localhost:9101", &target)]))
    }

    /// Starts with these sections, `scrape_configs` among them.
    pub(crate) fn start_with(job: &str) -> Option<Prometheus> {
        let [program, promtool] = peers::find_all(["prometheus", "promtool"])?;
        let directory = TempDir::new().expect("a temporary directory");
        let file = directory.path().join("prometheus.yml");
        let configuration = format!(
            "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n  evaluation_interval: 1s\n{job}"
        );
        std::fs::write(&file, configuration).expect("write a configuration");
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                directory.path().join("data").display()
            ))
            .arg("--web.listen-address=127.0.0.1:0");
        let mut peer = Peer::start(&mut command);
        let address = peer.wait_for_line("address", |line| {
            let (_, rest) = line.split_once("msg=\"Listening on\" address=")?;
            rest.split_whitespace().next()?.parse().ok()
        });
        // Before that it answers 503 to every query.
        peer.wait_for_line("readiness", |line| {
            line.contains("Server is ready to receive web requests")
                .then_some(())
        });
        Some(Prometheus {
            peer,
            promtool,
            address,
            _directory: directory,
        })
    }

    /// GET from its own server, such as the HTTP API.
    pub(crate) fn get(&self, path: &str) -> Response {
        http::request(self.address, "GET", path, &[])
    }

    /// The samples of an instant query by `name{labels}`, without the labels of the target.
    fn query(&self, query: &str) -> BTreeMap<String, f64> {
        let mut command = Command::new(&self.promtool);
        let server = format!("http://{}", self.address);
        command.args(["query", "instant", &server, query]);
        let (status, output, error) = peers::run(&mut command);
        assert!(status.success(), "{query}: {error}{}", self.peer.output());
        output.lines().filter_map(sample).collect()
    }

    /// Waits until a query's only sample is at least this.
    pub(crate) fn wait_for(&self, query: &str, least: f64) -> f64 {
        peers::wait_for(query, || {
            self.query(query)
                .into_values()
                .find(|value| *value >= least)
        })
    }
}

/// `name{a="b", instance="...", job="..."} => 1 @[123]`
fn sample(line: &str) -> Option<(String, f64)> {
    let (key, rest) = line.rsplit_once(" => ")?;
    let value = rest.split_whitespace().next()?.parse().ok()?;
    let (name, labels) = key.split_once('{')?;
    let labels = labels.strip_suffix('}')?;
    let own: Vec<&str> = labels
        .split(", ")
        .filter(|label| !label.starts_with("instance=") && !label.starts_with("job="))
        .collect();
    Some(match own[..] {
        [] => (name.to_owned(), value),
        _ => (format!("{name}{{{}}}", own.join(",")), value),
    })
}

fn farm() -> Option<Haproxy> {
    let place = Place::new(1);
    let configuration = format!(
        "{}frontend web\n  bind {}\n  default_backend app\nbackend app\n  server one 127.0.0.1:1\n  server two 127.0.0.1:1 disabled\n",
        place.global(),
        place.bind(0)
    );
    Haproxy::start(place, &configuration)
}

/// The rule files are named as the README has it.
#[test]
fn the_rules_are_loaded() {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/src/share/prometheus/*.yml");
    let place = ("/etc/prometheus/haproxy/*.yml", rules);
    let Some(prometheus) = Prometheus::start_with(&adapted("prometheus-rules-yml", &[place]))
    else {
        return;
    };
    let loaded = prometheus.get("/api/v1/rules");
    for rule in ["HaproxyScrapeFailing", "haproxy_exporter_total_scrapes"] {
        let name = format!("\"name\":\"{rule}\"");
        assert!(loaded.text().contains(&name), "{}", loaded.text());
    }
}

/// The linter has nothing to say; the Go exporter's names, which ours are, give it no reason.
#[test]
fn lint() {
    let Some(promtool) = peers::find("promtool") else {
        return;
    };
    let file = fixtures::path("3.2.0/stat.csv");
    let from_file = format!("--haproxy.scrape-uri=file:{}", file.display());
    let Some(haproxy) = farm() else { return };
    let pid_file = haproxy.write_pid_file();
    let pid_flag = format!("--haproxy.pid-file={}", pid_file.display());
    for flags in [vec![from_file], vec![haproxy.unix_flag(), pid_flag]] {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let exporter = Exporter::start(&flags);
        let answer = exporter.get("/metrics");
        assert_eq!(answer.status, 200);
        let mut command = Command::new(&promtool);
        command.args(["check", "metrics"]);
        let (_, output, error) = peers::run_with_input(&mut command, &answer.body);
        let lines = output.lines().chain(error.lines());
        let others: Vec<&str> = lines.filter(|line| !is_haproxys_choice(line)).collect();
        assert_eq!(others, [""; 0], "{flags:?}");
    }
}

/// Whether the linter complains of a name that HAProxy's own exporter gives.
fn is_haproxys_choice(complaint: &str) -> bool {
    let name = complaint.split(' ').next().unwrap_or_default();
    fixtures::is_from_show_info(name)
}

/// The job of who comes from HAProxy's built-in exporter, as the README has it.
#[test]
fn scraped_under_the_builtin_names() {
    let Some(haproxy) = farm() else { return };
    let exporter = Exporter::start(&[&haproxy.unix_flag()]);
    let target = exporter.address().to_string();
    let job = adapted("prometheus-builtin-yml", &[("localhost:9101", &target)]);
    let Some(prometheus) = Prometheus::start_with(&job) else {
        return;
    };
    prometheus.wait_for("haproxy_up", 1.0);
    let states = prometheus.query("sum by (state) (haproxy_server_status)");
    assert_eq!(states.len(), 5, "{states:?}");
    assert!(prometheus.query("haproxy_server_up").is_empty());
    // The other set is there for who asks without parameters.
    let shown = exporter.scrape();
    assert!(shown.families.contains_key("haproxy_server_up"));
    assert!(!shown.families.contains_key("haproxy_server_status"));
}

#[test]
fn scraped_by_prometheus() {
    let Some(haproxy) = farm() else { return };
    let pid_file = haproxy.write_pid_file();
    let pid_flag = format!("--haproxy.pid-file={}", pid_file.display());
    let exporter = Exporter::start(&[&haproxy.unix_flag(), &pid_flag]);
    let Some(prometheus) = Prometheus::start(exporter.address()) else {
        return;
    };
    const SCRAPES: &str = "haproxy_exporter_scrapes_total";
    prometheus.wait_for("up", 1.0);
    prometheus.wait_for("haproxy_up", 1.0);
    let first = prometheus.wait_for(SCRAPES, 2.0);

    // Scrapes over and over come on the same connection.
    let before = connections(exporter.address());
    prometheus.wait_for(SCRAPES, first + 3.0);
    let after = connections(exporter.address());
    assert_eq!(before.len(), 1, "{before:?}");
    assert_eq!(before, after);

    let own = exporter.scrape();
    let kept = prometheus.query("{job=\"haproxy\"}");
    let count = own.samples.len() as f64;
    let scraped = |name: &str| prometheus.query(name).into_values().next();
    assert_eq!(scraped("scrape_samples_scraped"), Some(count));
    assert_eq!(
        scraped("scrape_samples_post_metric_relabeling"),
        Some(count)
    );
    for (key, sample) in &own.samples {
        let value = kept
            .get(key)
            .unwrap_or_else(|| panic!("Prometheus lost {key}"));
        // The statistics of an idle HAProxy stand still, but for its down time.
        let rows = ["haproxy_frontend_", "haproxy_backend_", "haproxy_server_"];
        let moves = sample.family == "haproxy_server_downtime_seconds_total";
        if rows.iter().any(|prefix| key.starts_with(prefix)) && !moves {
            assert_eq!(*value, sample.number, "{key}");
        }
    }
    assert_eq!(exporter.finish().problems(), []);
}

/// A HAProxy that never answers costs `haproxy_up`, not the scrape: the answer comes before
/// Prometheus gives up.
#[test]
fn its_scrape_timeout_is_kept() {
    let directory = TempDir::new().expect("a temporary directory");
    let silent = Answers {
        stat: vec![Act::Hold],
        info: vec![Act::Hold],
    };
    let fake = Fake::unix(&directory.path().join("s"), silent);
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let exporter = Exporter::start(&[&uri, "--haproxy.timeout=60s"]);
    let Some(prometheus) = Prometheus::start(exporter.address()) else {
        return;
    };
    prometheus.wait_for("up", 1.0);
    assert_eq!(prometheus.wait_for("haproxy_up", 0.0), 0.0);
}

/// The remote addresses of the connections to a listener, from /proc/net/tcp.
fn connections(address: SocketAddr) -> Vec<String> {
    const ESTABLISHED: &str = "01";
    let table = std::fs::read_to_string("/proc/net/tcp").expect("/proc/net/tcp");
    let local = format!("0100007F:{:04X}", address.port());
    let remote = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_ours = fields.get(1) == Some(&local.as_str()) && fields.get(3) == Some(&ESTABLISHED);
        is_ours.then(|| fields[2].to_owned())
    };
    table.lines().filter_map(remote).collect()
}
