//! The recorded answers under `tests/fixtures`.

use std::path::{Path, PathBuf};

/// The HAProxy versions that were recorded, one per generation of the CSV.
pub(crate) const VERSIONS: [&str; 4] = ["1.5.0", "2.0.0", "2.6.12", "3.2.0"];

/// The versions whose stats page was recorded too. 2.0.0 answers HTTP/1.0 with chunks.
pub(crate) const HTTP_VERSIONS: [&str; 3] = ["1.5.0", "2.0.0", "3.2.0"];

/// Two answers of each version: at rest, and while checks are half failed (`UP 2/3`).
pub(crate) const CAPTURES: [&str; 2] = ["stat", "stat-transitions"];

/// The path of a file below `tests/fixtures`.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// The bytes of a file below `tests/fixtures`.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let path = path(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text of a file below `tests/fixtures`.
pub(crate) fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
