//! The unit file: what systemd thinks of it, and that the binary takes its flags.

use std::process::Command;

use tempfile::TempDir;

use super::{adapted, binary, snippet};
use crate::support::{exporter, peers};

#[test]
fn the_unit_is_good() {
    let Some(analyze) = peers::find("systemd-analyze") else {
        return;
    };
    let directory = TempDir::new().expect("a temporary directory");
    let unit = directory.path().join("haproxy_exporter.service");
    let text = adapted(
        "systemd-unit",
        &[("/usr/local/bin/haproxy_exporter", &binary())],
    );
    std::fs::write(&unit, text).expect("write a unit");
    let (status, output, error) = peers::run(Command::new(analyze).arg("verify").arg(&unit));
    let said = format!("{output}{error}");
    let about_it: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("haproxy_exporter"))
        .collect();
    assert!(about_it.is_empty() && status.success(), "{said}");
}

#[test]
fn its_flags_are_accepted() {
    let text = snippet("systemd-unit");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="))
        .expect("an ExecStart line");
    let mut words = line.split_whitespace();
    assert_eq!(words.next(), Some("/usr/local/bin/haproxy_exporter"));
    let mut command = exporter::command();
    command.args(words).arg("--list-metrics");
    let (status, _, error) = peers::run(&mut command);
    assert!(status.success() && error.is_empty(), "{line}: {error}");
    assert!(text.contains("\nType=notify\n"));
}
