//! What is installed for Prometheus and Grafana: alerts, recording rules, dashboards.

mod dashboard;
mod live;
mod rules;
mod runbook;
mod scene;
mod situations;
mod structure;

use std::path::{Path, PathBuf};

/// A file of `src/share`.
fn share(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/share")
        .join(name)
}

/// Its text.
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
