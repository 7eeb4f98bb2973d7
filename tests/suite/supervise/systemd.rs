//! The unit file: what systemd thinks of it, and that the binary takes what it gives it.

use std::process::Command;

use tempfile::TempDir;

use super::{binary, install, installed, replaced};
use crate::support::{exporter, peers};

const UNIT: &str = "systemd/haproxy_exporter.service";

/// The unit as it is installed. `None` when make is not installed.
fn unit() -> Option<String> {
    let root = TempDir::new().expect("a temporary directory");
    install::install(root.path(), "/usr/local")?;
    Some(installed(root.path(), UNIT))
}

#[test]
fn the_unit_is_good() {
    let Some(analyze) = peers::find("systemd-analyze") else {
        return;
    };
    let Some(text) = unit() else { return };
    let directory = TempDir::new().expect("a temporary directory");
    let unit = directory.path().join("haproxy_exporter.service");
    let program = ("/usr/local/bin/haproxy_exporter", &*binary());
    std::fs::write(&unit, replaced(UNIT, text, &[program])).expect("write a unit");
    let (status, output, error) = peers::run(Command::new(analyze).arg("verify").arg(&unit));
    let said = format!("{output}{error}");
    let about_it: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("haproxy_exporter"))
        .collect();
    assert!(about_it.is_empty() && status.success(), "{said}");
}

/// Later files go over earlier ones, and all of them over `Environment=` (systemd.exec(5)): so the
/// file of Debian's package stays in force until there is one of our own.
#[test]
fn its_flags_are_accepted() {
    let Some(text) = unit() else { return };
    let values = |key: &str| -> Vec<&str> {
        let lines = text.lines();
        lines.filter_map(|line| line.strip_prefix(key)).collect()
    };
    assert_eq!(values("Type="), ["notify"]);
    assert_eq!(
        values("ExecStart="),
        ["/usr/local/bin/haproxy_exporter $ARGS"]
    );
    let files = [
        "-/etc/default/prometheus-haproxy-exporter",
        "-/etc/default/haproxy_exporter",
    ];
    assert_eq!(values("EnvironmentFile="), files);
    let [variable] = values("Environment=")[..] else {
        panic!("not one variable:\n{text}")
    };
    let arguments = variable.strip_prefix("ARGS=").expect("ARGS");
    let mut command = exporter::command();
    command
        .args(arguments.split_whitespace())
        .arg("--list-metrics");
    let (status, _, error) = peers::run(&mut command);
    assert!(status.success() && error.is_empty(), "{variable}: {error}");
}
