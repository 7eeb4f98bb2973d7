//! `alerts.md`, where each alert has its heading, and `inhibit.yml`, which Alertmanager reads.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{read, share};
use crate::support::http;
use crate::support::peers::{self, Peer};

/// The names of the alerts, in their order.
fn alerts() -> Vec<String> {
    let text = read(&share("prometheus/alerts.yml"));
    let names = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    names.map(str::to_owned).collect()
}

/// Every alert has a heading, with what it means, what it costs, and three commands; and no heading is
/// without its alert.
#[test]
fn every_alert_has_its_section() {
    let text = read(&share("doc/alerts.md"));
    let sections: Vec<&str> = text.split("\n## ").skip(1).collect();
    let headings: Vec<&str> = sections
        .iter()
        .map(|s| s.lines().next().unwrap_or_default())
        .collect();
    assert_eq!(headings, alerts());
    for section in sections {
        for part in ["\n**Meaning:** ", "\n**Impact:** "] {
            assert!(section.contains(part), "no {part:?} in {section}");
        }
        let commands = section.split("```sh\n").nth(1).expect("commands");
        let commands = commands.split("```").next().unwrap_or_default();
        assert_eq!(commands.lines().count(), 3, "{section}");
    }
}

/// An operator who looks for a quoted log line finds it: a line that `alerts.yml` quotes, or for which `alerts.md`
/// searches the exporter's log, stands in the program.
#[test]
fn quoted_log_lines_are_those_of_the_program() {
    let alerts = read(&share("prometheus/alerts.yml"));
    let quoted = alerts
        .split("exporter''s log line \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let runbook = read(&share("doc/alerts.md"));
    let searched = runbook
        .split("journalctl -u haproxy_exporter | grep '")
        .skip(1)
        .filter_map(|rest| rest.split('\'').next());
    let mut sources = String::new();
    all_below(&share("").join("../"), &mut sources);
    let mut count = 0;
    for line in quoted.chain(searched) {
        assert!(
            sources.contains(&format!("\"{line}\"")),
            "no log line {line:?}"
        );
        count += 1;
    }
    assert!(count >= 2, "{count} log lines");
}

/// The text of all Rust files of a folder.
fn all_below(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("read a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all_below(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&read(&path));
        }
    }
}

/// Every alert points to its heading in the document as `make install` puts it, and the line that the
/// file gives for another place changes them all.
#[test]
fn every_alert_points_to_its_section() {
    let file = share("prometheus/alerts.yml");
    let text = read(&file);
    let links = |text: &str| -> Vec<String> {
        let links = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("runbook_url: "));
        links.map(str::to_owned).collect()
    };
    let wanted = |base: &str| -> Vec<String> {
        let link = |name: &String| format!("{base}#{}", name.to_lowercase());
        alerts().iter().map(link).collect()
    };
    let installed = "/usr/local/share/haproxy_exporter/doc/alerts.md";
    assert_eq!(links(&text), wanted(installed));

    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::copy(&file, directory.path().join("alerts.yml")).expect("copy the alerts");
    let line = text
        .lines()
        .find_map(|line| line.trim_start_matches(['#', ' ']).strip_prefix("sed "));
    let command = format!("sed {}", line.expect("the line to change the links with"));
    let status = Command::new("sh")
        .args(["-c", &command])
        .current_dir(directory.path())
        .status();
    assert!(status.expect("run sed").success(), "{command}");
    let changed = read(&directory.path().join("alerts.yml"));
    assert_eq!(
        links(&changed),
        wanted("https://wiki.example.com/haproxy-alerts")
    );
}

/// Alertmanager takes the rules, and an outage with all that follows from it is one message.
#[test]
fn alertmanager_sends_one_alert_for_an_outage() {
    let programs = peers::find_all(["prometheus-alertmanager", "amtool"]);
    let Some([program, amtool]) = programs else {
        return;
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let configuration = directory.path().join("alertmanager.yml");
    let rules = read(&share("alertmanager/inhibit.yml"));
    let text = format!("route: {{receiver: nobody}}\nreceivers: [{{name: nobody}}]\n{rules}");
    std::fs::write(&configuration, text).expect("write a configuration");
    let mut command = Command::new(program);
    command
        .arg(format!("--config.file={}", configuration.display()))
        .arg(format!("--storage.path={}", directory.path().display()))
        .args([
            "--web.listen-address=127.0.0.1:0",
            "--cluster.listen-address=",
        ]);
    let mut peer = Peer::start(&mut command);
    let address: SocketAddr = peer.wait_for_line("address", |line| {
        let (_, rest) = line.split_once("msg=\"Listening on\" address=")?;
        rest.split_whitespace().next()?.parse().ok()
    });
    for alert in [
        "alertname=HaproxyBackendDown instance=lb1 backend=web severity=critical",
        "alertname=HaproxyServerDown instance=lb1 backend=web server=s1 severity=warning",
        "alertname=HaproxyBackendErrors instance=lb1 backend=web severity=critical",
        "alertname=HaproxyServerDown instance=lb1 backend=api server=s1 severity=warning",
        "alertname=HaproxyServerDown instance=lb2 proxy=web server=s1 severity=warning",
        "alertname=HaproxyBackendDown instance=lb2 proxy=web severity=critical",
        "alertname=HaproxyScrapeFailing instance=lb3 severity=critical",
        "alertname=HaproxyBackendDown instance=lb3 backend=web severity=critical",
        "alertname=HaproxyMasterUnreadable instance=lb3 severity=warning",
    ] {
        let mut add = Command::new(&amtool);
        add.arg(format!("--alertmanager.url=http://{address}"));
        add.args(["alert", "add", "job=haproxy"])
            .args(alert.split(' '));
        let (status, output, error) = peers::run(&mut add);
        assert!(status.success(), "{alert}: {output}{error}");
    }
    let mut shown = BTreeSet::new();
    let wanted = BTreeSet::from([
        "HaproxyBackendDown lb1".to_owned(),
        "HaproxyServerDown lb1".to_owned(),
        "HaproxyBackendDown lb2".to_owned(),
        "HaproxyScrapeFailing lb3".to_owned(),
    ]);
    let same = peers::wait_for_or_give_up(|| {
        let response = http::request(address, "GET", "/api/v2/alerts?inhibited=false", &[]);
        let answer: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
        let name = |alert: &serde_json::Value| {
            let label = |name: &str| {
                alert["labels"][name]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            format!("{} {}", label("alertname"), label("instance"))
        };
        shown = answer.as_array()?.iter().map(name).collect();
        (shown == wanted).then_some(())
    });
    assert!(same.is_some(), "{shown:#?}");
}
