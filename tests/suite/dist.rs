//! The tarballs of `make dist`: what is in them, and that each program does its work.
//!
//! `EXPORTER_DIST` names the directory that `make dist` filled.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::exporter::{self, Exporter};
use crate::support::{documents, fixtures, peers, reference};

/// Runs a command to its end; it must succeed.
fn run(command: &mut Command) -> String {
    let (status, output, error) = peers::run(command);
    assert!(status.success(), "{command:?}: {output}{error}");
    output
}

/// Packs a script in the program's place, and says where the tarball is.
fn pack(directory: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::create_dir_all(directory).expect("make a directory");
    let program = directory.join("program");
    std::fs::write(&program, "#!/bin/sh\n").expect("write a program");
    // Whatever the umask is, it can be executed by all who unpack it.
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).expect("its mode");
    let mut command = Command::new(root.join("tests/tools/pack.sh"));
    command
        .args([&program, Path::new("exporter-test"), directory])
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .current_dir(root);
    run(&mut command);
    directory.join("exporter-test.tar.gz")
}

/// Unpacks a tarball.
fn unpack(tarball: &Path, to: &Path) {
    let mut command = Command::new("tar");
    run(command.arg("-xzf").arg(tarball).arg("-C").arg(to));
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let directory = TempDir::new().expect("a temporary directory");
    let [first, second] = ["first", "second"]
        .map(|name| std::fs::read(pack(&directory.path().join(name))).expect("read a tarball"));
    assert!(first == second, "the bytes differ");
    // RFC 1952, 2.3: no name, no time.
    assert_eq!(first[3..8], [0; 5]);
}

#[test]
fn a_tarball_has_what_an_operator_needs() {
    let directory = TempDir::new().expect("a temporary directory");
    let tarball = pack(directory.path());
    let list = run(Command::new("tar").arg("-tvzf").arg(&tarball));
    let mut names = Vec::new();
    for line in list.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [mode, owner, _, date, time, name] = words[..] else {
            panic!("{line}")
        };
        assert_eq!((owner, date), ("0/0", "2023-11-14"), "{line}");
        assert!(time.starts_with("22:13"), "{line}");
        let executable = mode.starts_with("-rwxr-xr-x");
        let plain = mode.starts_with("-rw-r--r--") || mode.starts_with("drwxr-xr-x");
        assert!(executable || plain, "{line}");
        names.push((
            name.trim_start_matches("exporter-test/").to_owned(),
            executable,
        ));
    }
    for (name, executable) in [
        ("haproxy_exporter", true),
        ("README.md", false),
        ("LICENSE", false),
        ("CHANGELOG.md", false),
        ("share/haproxy_exporter.8", false),
        ("share/systemd/haproxy_exporter.service", false),
        ("share/s6/haproxy_exporter/log/run", true),
        ("share/procd/haproxy_exporter", true),
    ] {
        assert!(
            names.contains(&(name.to_owned(), executable)),
            "{name}\n{list}"
        );
    }
    unpack(&tarball, directory.path());
    let packed = directory.path().join("exporter-test");
    let readme = std::fs::read_to_string(packed.join("README.md")).expect("read README.md");
    let links: Vec<&str> = documents::links(&readme);
    let local: Vec<&&str> = links.iter().filter(|link| link.contains(".md")).collect();
    assert!(local.len() > 20, "{links:?}");
    for link in local {
        let file = link.split('#').next().expect("a file");
        assert!(
            packed.join(file).is_file(),
            "README.md leads to {link}\n{list}"
        );
    }
}

/// What runs the programs of other processors. The emulated mipsel has no floating point unit, as
/// the routers have none that run OpenWrt.
const EMULATORS: [(&str, &[&str]); 6] = [
    ("x86_64-unknown-linux-musl", &[]),
    ("i686-unknown-linux-musl", &["qemu-i386"]),
    ("aarch64-unknown-linux-musl", &["qemu-aarch64"]),
    (
        "armv7-unknown-linux-musleabihf",
        &["qemu-arm", "-cpu", "cortex-a7"],
    ),
    (
        "arm-unknown-linux-musleabi",
        &["qemu-arm", "-cpu", "arm1176"],
    ),
    (
        "mipsel-unknown-linux-musl",
        &["qemu-mipsel", "-cpu", "24Kc"],
    ),
];

/// What `make test` packs, at the least.
const ALWAYS: [&str; 3] = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "mipsel-unknown-linux-musl",
];

/// Each serves a recorded answer as the tested binary does.
#[test]
fn every_program_does_its_work() {
    let Some(directory) = std::env::var_os("EXPORTER_DIST").map(PathBuf::from) else {
        peers::skip("EXPORTER_DIST is not set");
        return;
    };
    run(Command::new("sha256sum")
        .args(["-c", "--strict", "SHA256SUMS"])
        .current_dir(&directory));
    let sums = std::fs::read_to_string(directory.join("SHA256SUMS")).expect("read SHA256SUMS");
    let uri = format!(
        "--haproxy.scrape-uri=file:{}",
        fixtures::path("3.2.0/stat.csv").display()
    );
    let native = Exporter::start(&[&uri]);
    let mut scrapes = Vec::new();
    for _ in 0..3 {
        scrapes.push(native.scrape().without(reference::volatile));
    }
    let mut tried = Vec::new();
    for name in sums
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
    {
        let Some((target, emulator)) = EMULATORS
            .into_iter()
            .find(|(target, _)| name.contains(target))
        else {
            panic!("no way to run {name}")
        };
        let place = TempDir::new().expect("a temporary directory");
        unpack(&directory.join(name), place.path());
        let stem = name.strip_suffix(".tar.gz").expect("a tarball");
        let program = place.path().join(stem).join("haproxy_exporter");
        let mut command = match emulator {
            [] => exporter::command_of(program.as_os_str()),
            [qemu, arguments @ ..] => {
                let Some(qemu) = peers::find(qemu) else {
                    return;
                };
                let mut command = exporter::command_of(qemu.as_os_str());
                command.args(arguments).arg(&program);
                command
            }
        };
        let exporter = Exporter::spawn(command.arg(&uri));
        for wanted in &scrapes {
            let got = exporter.scrape().without(reference::volatile);
            got.assert_equals(wanted, target);
        }
        let finished = exporter.finish();
        assert_eq!(finished.problems(), [], "{target}");
        assert_eq!(finished.status.code(), Some(0), "{target}");
        let size = std::fs::metadata(&program).expect("the program").len();
        peers::note(&format!("{name}: {size} bytes unpacked"));
        tried.push(target);
    }
    for wanted in ALWAYS {
        assert!(tried.contains(&wanted), "{wanted} is not in {tried:?}");
    }
}
