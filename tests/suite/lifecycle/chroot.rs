//! The static binary where there is nothing else, and the one for another machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::binaries::{aarch64_binary, static_binary};
use crate::support::exporter::{self, Exporter};
use crate::support::exposition::Exposition;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::{peers, reference};

/// A HAProxy with its socket in a directory of its own, and the stats page on TCP.
struct Jail {
    haproxy: Haproxy,
    root: PathBuf,
}

impl Jail {
    fn prepare() -> Option<Jail> {
        let place = Place::new(1);
        let root = place.path("jail");
        std::fs::create_dir(&root).expect("make a directory");
        let configuration = format!(
            "{}frontend stats\n  bind {}\n  stats enable\n  stats uri /\nbackend app\n  server one 127.0.0.1:1\n\
             global\n  stats socket {}/haproxy.sock mode 666\n",
            place.global(),
            place.bind(0),
            root.display()
        );
        let haproxy = Haproxy::start(place, &configuration)?;
        Some(Jail { haproxy, root })
    }

    /// Starts the binary inside as nobody, then takes it away.
    fn start(&self, binary: &Path, uri: &str) -> Option<Exporter> {
        if !peers::is_root() {
            peers::skip("only root can change the root directory");
            return None;
        }
        let inside = self.root.join("exporter");
        exporter::copy_program(binary.as_os_str(), &inside);
        let mut command = Command::new(peers::find("chroot")?);
        command.arg("--userspec=65534:65534").arg(&self.root);
        command
            .arg("/exporter")
            .arg(format!("--haproxy.scrape-uri={uri}"));
        let exporter = Exporter::spawn(&mut command);
        std::fs::remove_file(&inside).expect("remove the binary");
        Some(exporter)
    }

    fn entries(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.root).expect("read the directory");
        entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    }
}

#[test]
fn nothing_but_the_socket() {
    let Some(binary) = static_binary() else {
        return;
    };
    let Some(jail) = Jail::prepare() else { return };
    let Some(exporter) = jail.start(&binary, "unix:/haproxy.sock") else {
        return;
    };
    assert_eq!(jail.entries(), ["haproxy.sock"]);
    for _ in 0..3 {
        let got = exporter.scrape();
        assert_eq!(got.value("haproxy_up"), 1.0, "{:?}", exporter.log_lines());
        assert!(
            got.get("haproxy_server_up{backend=\"app\",server=\"one\"}")
                .is_some()
        );
    }
    assert_eq!(exporter.finish().problems(), []);
}

#[test]
fn names_of_etc_hosts() {
    let Some(binary) = static_binary() else {
        return;
    };
    let Some(jail) = Jail::prepare() else { return };
    std::fs::create_dir(jail.root.join("etc")).expect("make a directory");
    std::fs::write(
        jail.root.join("etc/hosts"),
        "# comment\n127.0.0.1\tlocalhost other\n127.0.0.1 lb.example lb # trailing\n",
    )
    .expect("write a hosts file");
    let port = jail.haproxy.address(0).port();
    for name in ["localhost", "lb.example", "lb"] {
        let Some(exporter) = jail.start(&binary, &format!("http://{name}:{port}/;csv")) else {
            return;
        };
        let got = exporter.scrape();
        assert_eq!(
            got.value("haproxy_up"),
            1.0,
            "{name}: {:?}",
            exporter.log_lines()
        );
    }
}

#[test]
fn aarch64() {
    let Some(qemu) = peers::find("qemu-aarch64") else {
        return;
    };
    let Some(binary) = aarch64_binary() else {
        return;
    };
    let Some(jail) = Jail::prepare() else { return };
    let flag = format!(
        "--haproxy.scrape-uri=unix:{}/haproxy.sock",
        jail.root.display()
    );
    let native = Exporter::start(&[&flag]);
    let foreign = Exporter::spawn(Command::new(qemu).arg(&binary).arg(&flag));
    // Each scrape is itself a connection that HAProxy counts.
    let moves =
        |family: &str| reference::volatile(family) || family.starts_with("haproxy_process_");
    let mut last = Vec::new();
    let equal = peers::wait_for_or_give_up(|| {
        let [native, foreign] = [&native, &foreign].map(|exporter| exporter.scrape());
        assert_eq!(foreign.value("haproxy_up"), 1.0);
        let names = |exposition: &Exposition| -> Vec<String> {
            exposition.families.keys().cloned().collect()
        };
        assert_eq!(names(&foreign), names(&native));
        let [native, foreign] = [native, foreign].map(|exposition| exposition.without(moves));
        last = foreign.differences(&native);
        last.is_empty().then_some(())
    });
    assert!(equal.is_some(), "{last:?}");
    assert_eq!(foreign.finish().status.code(), Some(0));
}

/// The budget of the binary for this machine; that of the other one is told.
#[test]
fn sizes() {
    if let Some(binary) = aarch64_binary() {
        peers::note(&format!("aarch64 binary: {} bytes", size(&binary)));
    }
    let Some(binary) = static_binary() else {
        return;
    };
    peers::note(&format!("static binary: {} bytes", size(&binary)));
    assert!(size(&binary) <= 700 << 10, "over the budget of 700 KiB");
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).expect("the binary").len()
}
