//! The tarballs of `make dist`: what is in them, and that each program does its work.
//!
//! `EXPORTER_DIST` names the directory that `make dist` filled.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::exporter::{self, Exporter};
use crate::support::haproxy::{Haproxy, Place};
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

/// A tarball's target, how its program is run here, and what `--version` calls the target.
struct Tarball {
    target: &'static str,
    /// Empty where this machine runs it. The processors are the oldest of each kind: the ARM926 has no
    /// floating point unit and the Pentium no SSE, nor have the MIPS 24Kc of OpenWrt's routers one.
    emulator: &'static [&'static str],
    name: &'static str,
    /// Whether the kernel may put it at any address (ET_DYN, elf(5)).
    is_movable: bool,
}

const fn tarball(
    target: &'static str,
    emulator: &'static [&'static str],
    name: &'static str,
) -> Tarball {
    Tarball {
        target,
        emulator,
        name,
        is_movable: true,
    }
}

const fn at_fixed_addresses(tarball: Tarball) -> Tarball {
    Tarball {
        is_movable: false,
        ..tarball
    }
}

const TARBALLS: [Tarball; 10] = [
    tarball("x86_64-unknown-linux-musl", &[], "x86_64-linux-musl"),
    tarball("i686-unknown-linux-musl", &["qemu-i386"], "i686-linux-musl"),
    tarball(
        "i586-unknown-linux-musl",
        &["qemu-i386", "-cpu", "pentium"],
        "i586-linux-musl",
    ),
    tarball(
        "aarch64-unknown-linux-musl",
        &["qemu-aarch64", "-cpu", "cortex-a53"],
        "aarch64-linux-musl",
    ),
    tarball(
        "armv7-unknown-linux-musleabihf",
        &["qemu-arm", "-cpu", "cortex-a7"],
        "armv7-linux-musleabihf",
    ),
    tarball(
        "arm-unknown-linux-musleabi",
        &["qemu-arm", "-cpu", "arm1176"],
        "arm-linux-musleabi",
    ),
    tarball(
        "armv5te-unknown-linux-musleabi",
        &["qemu-arm", "-cpu", "arm926"],
        "armv5te-linux-musleabi",
    ),
    at_fixed_addresses(tarball(
        "mipsel-unknown-linux-musl",
        &["qemu-mipsel", "-cpu", "24Kc"],
        "mipsel-linux-musl",
    )),
    at_fixed_addresses(tarball(
        "mips-unknown-linux-musl",
        &["qemu-mips", "-cpu", "24Kc"],
        "mips-linux-musl",
    )),
    tarball(
        "riscv64gc-unknown-linux-musl",
        &["qemu-riscv64"],
        "riscv64-linux-musl",
    ),
];

/// What `make test` packs, at the least.
const ALWAYS: [&str; 3] = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "mips-unknown-linux-musl",
];

impl Tarball {
    fn of(name: &str) -> &'static Tarball {
        TARBALLS
            .iter()
            .find(|tarball| name.ends_with(&format!("-{}.tar.gz", tarball.target)))
            .unwrap_or_else(|| panic!("no way to run {name}"))
    }

    /// A command that runs the program. `None` when the emulator is not installed.
    fn command(&self, program: &Path) -> Option<Command> {
        let [qemu, arguments @ ..] = self.emulator else {
            return Some(exporter::command_of(program.as_os_str()));
        };
        let mut command = exporter::command_of(peers::find(qemu)?.as_os_str());
        command.args(arguments).arg(program);
        Some(command)
    }

    /// `e_type` of the ELF header, in the program's byte order.
    fn check_type(&self, program: &Path) {
        let bytes = std::fs::read(program).expect("read the program");
        let field = [bytes[16], bytes[17]];
        let kind = match bytes[5] {
            1 => u16::from_le_bytes(field),
            _ => u16::from_be_bytes(field),
        };
        let want = match self.is_movable {
            true => libc::ET_DYN,
            false => libc::ET_EXEC,
        };
        assert_eq!(kind, want, "{}", self.target);
    }
}

/// Each serves a recorded response as the tested binary does, and what a running HAProxy replies.
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
    let place = Place::new(0);
    let configuration = format!("{}backend app\n  server one 127.0.0.1:1\n", place.global());
    let Some(haproxy) = Haproxy::start(place, &configuration) else {
        return;
    };
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
        let tarball = Tarball::of(name);
        let target = tarball.target;
        let place = TempDir::new().expect("a temporary directory");
        unpack(&directory.join(name), place.path());
        let stem = name.strip_suffix(".tar.gz").expect("a tarball");
        let program = place.path().join(stem).join("haproxy_exporter");
        tarball.check_type(&program);
        let Some(mut command) = tarball.command(&program) else {
            return;
        };
        let again = || tarball.command(&program).expect("the same command");
        let version = run(again().arg("--version"));
        let says = format!(", target {}, features: none, build: small\n", tarball.name);
        assert!(version.ends_with(&says), "{target}: {version}");
        let exporter = Exporter::spawn(command.arg(&uri));
        for wanted in &scrapes {
            let got = exporter.scrape().without(reference::volatile);
            got.assert_equals(wanted, target);
        }
        let finished = exporter.finish();
        assert_eq!(finished.problems(), [], "{target}");
        assert_eq!(finished.status.code(), Some(0), "{target}");
        let socket = format!("--haproxy.scrape-uri={}", haproxy.unix_uri());
        let exporter = Exporter::spawn(again().arg(socket));
        let got = exporter.scrape();
        assert_eq!(
            got.value("haproxy_up"),
            1.0,
            "{target}: {:?}",
            exporter.log_lines()
        );
        let server = got.get("haproxy_server_up{backend=\"app\",server=\"one\"}");
        assert!(server.is_some(), "{target} has no server");
        assert_eq!(exporter.finish().problems(), [], "{target}");
        let size = std::fs::metadata(&program).expect("the program").len();
        peers::note(&format!("{name}: {size} bytes unpacked"));
        tried.push(target);
    }
    for wanted in ALWAYS {
        assert!(tried.contains(&wanted), "{wanted} is not in {tried:?}");
    }
}
