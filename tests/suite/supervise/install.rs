//! `make install` into a directory of its own.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::binary;
use crate::support::peers;

/// Installs the tested binary and `src/share` below `root`. `None` when make is not installed.
pub(super) fn install(root: &Path, prefix: &str) -> Option<()> {
    let make = peers::find("make")?;
    let mut command = Command::new(make);
    command
        .args(["--silent", "install-built"])
        .arg(format!("BINARY={}", binary()))
        .arg(format!("DESTDIR={}", root.display()))
        .arg(format!("PREFIX={prefix}"))
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    // Of a `make test` around this one.
    command.env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    let (status, output, error) = peers::run(&mut command);
    assert!(status.success(), "make install-built: {output}{error}");
    Some(())
}

/// The files below a directory, with their modes.
fn files(root: &Path) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).expect("read a directory") {
            let path = entry.expect("an entry").path();
            let data = std::fs::symlink_metadata(&path).expect("its metadata");
            if data.is_dir() {
                directories.push(path);
                continue;
            }
            let name = path.strip_prefix(root).expect("a path below the root");
            let mode = data.permissions().mode() & 0o7777;
            found.insert(name.display().to_string(), mode);
        }
    }
    found
}

#[test]
fn everything_is_installed_where_it_belongs() {
    let root = TempDir::new().expect("a temporary directory");
    // A second time over the first.
    for _ in 0..2 {
        let Some(()) = install(root.path(), "/opt/exporter") else {
            return;
        };
    }
    let mut want = BTreeMap::from([
        ("opt/exporter/bin/haproxy_exporter".to_owned(), 0o755),
        (
            "opt/exporter/share/man/man8/haproxy_exporter.8".to_owned(),
            0o644,
        ),
    ]);
    let share = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/share");
    let sources = files(&share);
    for (name, mode) in &sources {
        let mode = if mode & 0o100 == 0 { 0o644 } else { 0o755 };
        if name != "haproxy_exporter.8" {
            let name = format!("opt/exporter/share/haproxy_exporter/{name}");
            want.insert(name, mode);
        }
    }
    assert_eq!(files(root.path()), want);
    for name in sources.keys().filter(|name| *name != "haproxy_exporter.8") {
        let source = std::fs::read_to_string(share.join(name)).expect("read a file of src/share");
        let to = root.path().join("opt/exporter/share/haproxy_exporter");
        let copy = std::fs::read_to_string(to.join(name)).expect("read an installed file");
        let want = source.replace("/usr/local/bin/", "/opt/exporter/bin/");
        assert!(copy == want, "{name} was not installed as it is");
    }
}

/// What supervisors execute can be executed, and nothing else.
#[test]
fn scripts_can_be_executed() {
    let share = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/share");
    for (name, mode) in files(&share) {
        let text = std::fs::read_to_string(share.join(&name)).expect("read a file of src/share");
        assert_eq!(mode & 0o111 != 0, text.starts_with("#!"), "{name}");
    }
}
