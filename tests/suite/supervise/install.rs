//! `make install` into a directory of its own.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::binary;
use crate::completions;
use crate::support::{documents, peers};

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

/// What is installed from where, and with which mode, below a prefix.
fn wanted(prefix: &str) -> BTreeMap<String, (PathBuf, u32)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let share = root.join("src/share");
    let mut wanted = BTreeMap::new();
    for (name, mode) in files(&share) {
        let mode = if mode & 0o100 == 0 { 0o644 } else { 0o755 };
        let to = match name.as_str() {
            "haproxy_exporter.8" => format!("{prefix}/share/man/man8/{name}"),
            _ => format!("{prefix}/share/haproxy_exporter/{name}"),
        };
        wanted.insert(to, (share.join(name), mode));
    }
    for name in ["README.md", "LICENSE", "CHANGELOG.md"] {
        let to = format!("{prefix}/share/haproxy_exporter/{name}");
        wanted.insert(to, (root.join(name), 0o644));
    }
    if prefix == "usr" {
        let unit = "haproxy_exporter.service";
        let from = share.join("systemd").join(unit);
        wanted.insert(format!("usr/lib/systemd/system/{unit}"), (from, 0o644));
    }
    wanted
}

/// Everything is where it belongs, with this installation's paths in it.
#[test]
fn everything_is_installed_where_it_belongs() {
    for prefix in ["/opt/exporter", "/usr", "/usr/local"] {
        let root = TempDir::new().expect("a temporary directory");
        // A second time over the first.
        for _ in 0..2 {
            let Some(()) = install(root.path(), prefix) else {
                return;
            };
        }
        let wanted = wanted(&prefix[1..]);
        let mut modes: BTreeMap<String, u32> = wanted
            .iter()
            .map(|(name, (_, mode))| (name.clone(), *mode))
            .collect();
        modes.insert(format!("{}/bin/haproxy_exporter", &prefix[1..]), 0o755);
        for name in completions::FILES {
            modes.insert(format!("{}/share/{name}", &prefix[1..]), 0o644);
        }
        assert_eq!(files(root.path()), modes, "{prefix}");
        for (name, (from, _)) in &wanted {
            let source = std::fs::read_to_string(from).expect("read a file of the project");
            let want = source
                .replace("/usr/local/", &format!("{prefix}/"))
                .replace("](src/share/", "](");
            let copy = std::fs::read_to_string(root.path().join(name)).expect("read the copy");
            assert!(copy == want, "{name} was not installed as it is");
            let foreign = prefix != "/usr/local" && copy.contains("/usr/local");
            assert!(!foreign, "{name} names /usr/local");
        }
        check_links(
            &root
                .path()
                .join(&prefix[1..])
                .join("share/haproxy_exporter"),
        );
    }
}

/// Links between the installed documents lead to files.
fn check_links(installed: &Path) {
    let mut checked = 0;
    for name in files(installed).into_keys() {
        let path = installed.join(&name);
        if !name.ends_with(".md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("read a document");
        for link in documents::links(&text) {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains(':') {
                let to = path.parent().expect("a directory").join(file);
                assert!(to.is_file(), "{name} links to {link}");
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "{checked} links");
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
