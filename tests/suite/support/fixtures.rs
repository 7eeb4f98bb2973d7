//! The recorded answers under `tests/fixtures`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Builtin names that are others under the exporter names, where counters end in `_total`; `None` for one that
/// is there under another name anyway.
pub(crate) const RENAMED: [(&str, Option<&str>); 4] = [
    (
        "haproxy_process_failed_resolutions",
        Some("haproxy_process_failed_resolutions_total"),
    ),
    ("haproxy_process_total_warnings", None),
    (
        "haproxy_process_patterns_added_total",
        Some("haproxy_process_patterns_added_total"),
    ),
    (
        "haproxy_process_patterns_freed_total",
        Some("haproxy_process_patterns_freed_total"),
    ),
];

/// The HAProxy versions that were recorded, one per generation of the CSV.
pub(crate) const VERSIONS: [&str; 4] = ["1.5.0", "2.0.0", "2.6.12", "3.2.0"];

/// The versions whose stats page was recorded too. 2.0.0 answers HTTP/1.0 with chunks.
pub(crate) const HTTP_VERSIONS: [&str; 3] = ["1.5.0", "2.0.0", "3.2.0"];

/// Two answers of each version: at rest, and while checks are half failed (`UP 2/3`).
pub(crate) const CAPTURES: [&str; 2] = ["stat", "stat-transitions"];

/// The path of a file below `tests/fixtures`, also for the fuzz targets' crate in `tests/fuzz`.
pub(crate) fn path(name: &str) -> PathBuf {
    let mut roots = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let fixtures = roots.find_map(|root| {
        let fixtures = root.join("tests/fixtures");
        fixtures.is_dir().then_some(fixtures)
    });
    fixtures.expect("tests/fixtures").join(name)
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

/// The contract of HAProxy's own names, `builtin.tsv`: its cells by column name, without the names that
/// HAProxy had before 2.4 only.
pub(crate) fn builtin() -> &'static [BTreeMap<String, String>] {
    static ROWS: LazyLock<Vec<BTreeMap<String, String>>> = LazyLock::new(|| {
        let rows = table("builtin.tsv").into_iter();
        rows.filter(|row| row["until"].is_empty()).collect()
    });
    &ROWS
}

/// The families that neither contract has, `facts.tsv`: its cells by column name. `names` says whether both
/// sets of names have the family; `label` is one with the same value in every sample.
pub(crate) fn facts() -> Vec<BTreeMap<String, String>> {
    table("facts.tsv")
}

/// The cells of a table by column name, row by row.
fn table(name: &str) -> Vec<BTreeMap<String, String>> {
    let table = text(name);
    let mut lines = table.lines();
    let names: Vec<&str> = lines.next().expect("a header").split('\t').collect();
    let row = |line: &str| {
        let cells = names.iter().zip(line.split('\t'));
        let cells = cells.map(|(name, cell)| ((*name).to_owned(), cell.to_owned()));
        cells.collect()
    };
    lines.map(row).collect()
}

/// Whether a family is made of `show info` under a name of HAProxy's own exporter.
pub(crate) fn is_from_show_info(family: &str) -> bool {
    let is_it = |row: &BTreeMap<String, String>| row["scope"] == "process" && row["name"] == family;
    let is_renamed = RENAMED.iter().any(|(_, renamed)| *renamed == Some(family));
    is_renamed || facts().iter().any(is_it) || builtin().iter().any(is_it)
}
