//! The package of `make deb`: installed, upgraded, removed and purged below a directory of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::completions;
use crate::support::peers;

/// The target that is amd64.
const TARGET: &str = "x86_64-unknown-linux-musl";
const DEFAULTS: &str = "etc/default/haproxy_exporter";

/// Packs the static binary, or a script in its place. `None` when dpkg-deb or make is not installed.
fn pack(version: &str, directory: &Path) -> Option<PathBuf> {
    peers::find_all(["dpkg-deb", "make"])?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = directory.with_extension("program");
    std::fs::write(&script, "#!/bin/sh\n").expect("write a program");
    let program = std::env::var_os("EXPORTER_STATIC").map_or(script, PathBuf::from);
    let mut command = Command::new(root.join("tests/tools/deb.sh"));
    command
        .arg(program)
        .args([version, TARGET])
        .arg(directory)
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .current_dir(root);
    let (status, output, error) = peers::run(&mut command);
    assert!(status.success(), "{output}{error}");
    Some(directory.join(format!("haproxy-exporter_{version}-1_amd64.deb")))
}

/// A root directory with an empty database of packages. The maintainer scripts run with the programs of
/// this machine and know the root as DPKG_ROOT.
struct Root {
    directory: TempDir,
}

impl Root {
    fn make() -> Root {
        let directory = TempDir::new().expect("a temporary directory");
        for name in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log"] {
            std::fs::create_dir_all(directory.path().join(name)).expect("make a directory");
        }
        for name in ["status", "available"] {
            let file = directory.path().join("var/lib/dpkg").join(name);
            std::fs::write(file, "").expect("write a database");
        }
        Root { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn dpkg(&self, action: &str, what: &Path) {
        let mut command = Command::new("dpkg");
        let root = format!("--root={}", self.path("").display());
        command.args([
            &root,
            "--force-not-root",
            "--force-script-chrootless",
            action,
        ]);
        // Without a terminal a question about a changed file would end it.
        let (status, output, error) = peers::run(command.arg(what));
        assert!(status.success(), "{action}: {output}{error}");
    }

    fn defaults(&self) -> String {
        std::fs::read_to_string(self.path(DEFAULTS)).expect("read the conffile")
    }

    /// What is left, but for dpkg's own files.
    fn files(&self) -> Vec<String> {
        let mut find = Command::new("find");
        find.arg(self.path(""))
            .args(["!", "-type", "d", "-printf", "%P\n"]);
        let (_, output, _) = peers::run(&mut find);
        let ours = output
            .lines()
            .filter(|name| !name.starts_with("var/lib/dpkg/"));
        let ours = ours.filter(|name| !name.starts_with("var/log/"));
        ours.map(str::to_owned).collect()
    }

    fn is_enabled(&self) -> bool {
        self.path("etc/systemd/system/multi-user.target.wants")
            .exists()
    }
}

#[test]
fn installed_upgraded_removed_purged() {
    if !peers::is_root() {
        peers::skip("only root can install packages");
        return;
    }
    let place = TempDir::new().expect("a temporary directory");
    let Some(first) = pack("0.9.0", &place.path().join("packages")) else {
        return;
    };
    let second = pack("0.9.1", &place.path().join("packages")).expect("a second package");
    let root = Root::make();
    root.dpkg("--install", &first);
    for name in [
        "usr/bin/haproxy_exporter",
        "usr/share/man/man8/haproxy_exporter.8.gz",
        "usr/share/haproxy_exporter/README.md",
        "usr/share/haproxy_exporter/doc/install.md",
        "usr/share/doc/haproxy-exporter/copyright",
        "usr/share/doc/haproxy-exporter/changelog.gz",
        "usr/share/doc/haproxy-exporter/doc/install.md",
        "lib/systemd/system/haproxy_exporter.service",
        DEFAULTS,
    ] {
        assert!(root.path(name).is_file(), "{name} is missing");
    }
    assert!(!root.is_enabled(), "a fresh installation enables nothing");
    let unit = root.path("lib/systemd/system/haproxy_exporter.service");
    let unit = std::fs::read_to_string(unit).expect("read the unit");
    assert!(
        unit.contains("\nExecStart=/usr/bin/haproxy_exporter $ARGS\n"),
        "{unit}"
    );

    let mut shell = Command::new("sh");
    let enable = "deb-systemd-helper enable haproxy_exporter.service";
    shell
        .args(["-ec", enable])
        .env("DPKG_ROOT", root.path(""))
        .env("DPKG_MAINTSCRIPT_PACKAGE", "haproxy-exporter");
    let (status, output, error) = peers::run(&mut shell);
    assert!(status.success() && root.is_enabled(), "{output}{error}");
    let mine = root.defaults() + "ARGS=--log.level=debug\n";
    std::fs::write(root.path(DEFAULTS), &mine).expect("change the conffile");
    root.dpkg("--install", &second);
    assert_eq!(root.defaults(), mine);
    assert!(root.is_enabled(), "an upgrade leaves it enabled");

    root.dpkg("--remove", Path::new("haproxy-exporter"));
    assert!(!root.path("usr/bin/haproxy_exporter").exists(), "removed");
    assert_eq!(root.defaults(), mine, "kept until it is purged");
    root.dpkg("--purge", Path::new("haproxy-exporter"));
    assert_eq!(root.files(), [] as [&str; 0]);
}

#[test]
fn the_package() {
    let place = TempDir::new().expect("a temporary directory");
    let [one, other] = ["one", "other"].map(|name| pack("0.9.0", &place.path().join(name)));
    let (Some(one), Some(other)) = (one, other) else {
        return;
    };
    let [one_read, other] = [&one, &other].map(|path| std::fs::read(path).expect("a package"));
    assert!(one_read == other, "the bytes differ");
    let mut dpkg = Command::new("dpkg-deb");
    let (_, control, _) = peers::run(dpkg.arg("--field").arg(&one));
    for line in [
        "Package: haproxy-exporter",
        "Version: 0.9.0-1",
        "Architecture: amd64",
        "Recommends: haproxy",
    ] {
        assert!(
            control.lines().any(|other| other == line),
            "{line}: {control}"
        );
    }
    for word in ["Depends", "Conflicts", "Replaces"] {
        assert!(!control.contains(&format!("\n{word}:")), "{control}");
    }
    assert!(
        control.contains(" prometheus-haproxy-exporter both use port 9101"),
        "{control}"
    );
    let mut dpkg = Command::new("dpkg-deb");
    let (_, list, _) = peers::run(dpkg.arg("--contents").arg(&one));
    let foreign = list.lines().find(|line| !line.contains(" root/root "));
    assert_eq!(foreign, None);
    assert!(!list.contains("/usr/local"), "{list}");
    for file in completions::FILES {
        let file = file.replace("site-functions", "vendor-completions");
        assert!(list.contains(&format!(" ./usr/share/{file}\n")), "{list}");
    }
    let size = one_read.len();
    peers::note(&format!("Debian package: {size} bytes"));
}

#[test]
fn processors_of_packages() {
    let place = TempDir::new().expect("a temporary directory");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join("tests/tools/deb.sh"));
    command.args(["README.md", "0.9.0", "mips-unknown-linux-musl"]);
    let (status, _, error) = peers::run(command.arg(place.path()).current_dir(root));
    assert!(!status.success());
    let want = "deb: no Debian architecture is known for mips-unknown-linux-musl\n";
    assert_eq!(error, want);
}
