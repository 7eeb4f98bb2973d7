//! The release binaries: given by the environment, else built.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::{exporter, peers};

/// `EXPORTER_STATIC`, or a build for x86_64 with musl.
pub(super) fn static_binary() -> Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || find("EXPORTER_STATIC", "x86_64-unknown-linux-musl");
    BUILT.get_or_init(find).clone()
}

/// `EXPORTER_AARCH64`, or a build for aarch64 with musl.
pub(super) fn aarch64_binary() -> Option<PathBuf> {
    find("EXPORTER_AARCH64", "aarch64-unknown-linux-musl")
}

fn find(variable: &str, target: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable).map(PathBuf::from) {
        assert!(path.is_file(), "{variable}={} is no file", path.display());
        return Some(path);
    }
    // CARGO_TARGET_DIR/debug/haproxy_exporter
    let tested = exporter::command().get_program().to_owned();
    let directory = Path::new(&tested)
        .ancestors()
        .nth(2)
        .expect("the target directory");
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command
        .args([
            "build",
            "--quiet",
            "--release",
            "--target",
            target,
            "--target-dir",
        ])
        .arg(directory)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.output().expect("start cargo");
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        peers::skip(&format!(
            "{variable} is not set and cargo cannot build for {target}: {why}"
        ));
        return None;
    }
    Some(directory.join(target).join("release/haproxy_exporter"))
}
