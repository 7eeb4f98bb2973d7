//! The release binaries. They come from outside, as `make test` builds them: a test builds nothing.

use std::path::PathBuf;

use crate::support::peers;

/// The static binary for this machine, `EXPORTER_STATIC`, or `None` after saying that the test is
/// skipped.
pub(crate) fn static_binary() -> Option<PathBuf> {
    find("EXPORTER_STATIC")
}

/// The binary for aarch64, `EXPORTER_AARCH64`, or `None` after saying that the test is skipped.
pub(super) fn aarch64_binary() -> Option<PathBuf> {
    find("EXPORTER_AARCH64")
}

fn find(variable: &str) -> Option<PathBuf> {
    let Some(path) = std::env::var_os(variable).map(PathBuf::from) else {
        peers::skip(&format!("{variable} is not set (make test sets it)"));
        return None;
    };
    assert!(
        path.is_file(),
        "{variable}={} is not a file",
        path.display()
    );
    Some(path)
}
