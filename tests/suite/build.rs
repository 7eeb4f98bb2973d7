//! The scripts that build and pack, with a compiler that only records how it was called.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::supervise::write_script;
use crate::support::peers;

/// rustc: a release, a host, and a sysroot that has the sources of the standard library.
const RUSTC: &str = r#"#!/bin/sh
case "$*" in
-vV) echo "host: x86_64-unknown-linux-gnu" ;;
--version) echo "rustc ${FAKE_RELEASE:-1.95.0} (0 2026-01-01)" ;;
*sysroot) echo "$FAKE" ;;
*) echo "$FAKE/lib/rustlib/target/lib" ;;
esac
"#;

/// rustup: has one target, and says "error" of every other.
const RUSTUP: &str = r#"#!/bin/sh
case "$*" in
"target list --installed") echo x86_64-unknown-linux-musl ;;
*) echo "error: nothing to download" >&2; exit 1 ;;
esac
"#;

/// cargo: records what it was told, fails as `$FAKE_FAULT` wants, or makes a program.
const CARGO: &str = r#"#!/bin/sh
case "$*" in *-Zbuild-std=*) std=own ;; *) std=shipped ;; esac
echo "$std $HAPROXY_EXPORTER_BUILD $HAPROXY_EXPORTER_REVISION" >>"$FAKE/calls"
case "$FAKE_FAULT $std" in
"ours "*) echo 'error: could not compile `haproxy_exporter` (lib) due to 1 previous error' >&2; exit 101 ;;
"std own") echo 'error: could not compile `core` (lib) due to 1 previous error' >&2; exit 101 ;;
esac
target=$(echo "$*" | sed 's/.*--target \([^ ]*\).*/\1/')
mkdir -p "target/$target/release"
echo "a program for $target" >"target/$target/release/haproxy_exporter"
"#;

/// A copy of what the scripts read, below a directory of its own, with such a compiler first in PATH.
struct Tree {
    directory: TempDir,
}

impl Tree {
    fn make() -> Tree {
        let directory = TempDir::new().expect("a temporary directory");
        let tree = Tree { directory };
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in ["fake", "fake/lib/rustlib/src/rust/library/std", "src/share"] {
            std::fs::create_dir_all(tree.path(name)).expect("make a directory");
        }
        let std = "fake/lib/rustlib/src/rust/library/std/Cargo.toml";
        std::fs::write(tree.path(std), "").expect("write a manifest");
        for (name, text) in [("rustc", RUSTC), ("rustup", RUSTUP), ("cargo", CARGO)] {
            write_script(&tree.path("fake").join(name), text);
        }
        std::fs::create_dir_all(tree.path("tests/tools")).expect("make a directory");
        let scripts = [
            "build",
            "completions",
            "dist",
            "foreign-libc",
            "pack",
            "skipped",
        ];
        let scripts = scripts.map(|name| format!("tests/tools/{name}.sh"));
        let others = [
            "Cargo.toml",
            "README.md",
            "LICENSE",
            "CHANGELOG.md",
            "src/share/haproxy_exporter.8",
        ];
        let others = others.map(str::to_owned);
        for name in scripts.into_iter().chain(others) {
            std::fs::copy(root.join(&name), tree.path(&name)).expect("copy a file");
        }
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .current_dir(self.path(""))
            .env("PATH", format!("{}:{path}", self.path("fake").display()))
            .env("FAKE", self.path("fake"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CEILING_DIRECTORIES", std::env::temp_dir())
            .env_remove("CARGO_TARGET_DIR");
        command
    }

    fn git(&self, arguments: &[&str]) {
        let mut command = self.command("git");
        command.args([
            "-c",
            "user.name=nobody",
            "-c",
            "user.email=nobody@localhost",
        ]);
        let (status, output, error) = peers::run(command.args(arguments));
        assert!(status.success(), "{arguments:?}: {output}{error}");
    }

    /// Builds for the target: whether that went well, and what was said.
    fn build(&self, target: &str, environment: &[(&str, &str)]) -> (bool, String) {
        // A failed assertion shows what this call did, not an earlier one.
        let _ = std::fs::remove_file(self.path("fake/calls"));
        let mut command = self.command("tests/tools/build.sh");
        command.args([target, "", "out"]);
        command.envs(environment.iter().copied());
        let (status, output, error) = peers::run(&mut command);
        assert_eq!(output, "", "all of it belongs to standard error");
        (status.success(), error)
    }

    /// How cargo was called: the standard library, the kind of build, the revision.
    fn calls(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.path("fake/calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

const NATIVE: &str = "x86_64-unknown-linux-musl";

#[test]
fn small_or_plain() {
    let tree = Tree::make();
    let (done, said) = tree.build(NATIVE, &[]);
    assert!(done, "{said}");
    assert_eq!(tree.calls(), ["own small unknown"]);

    let (done, said) = tree.build(NATIVE, &[("FAKE_FAULT", "std")]);
    assert!(done, "{said}");
    assert_eq!(tree.calls(), ["own small unknown", "shipped plain unknown"]);
    assert!(
        said.contains("the standard library cannot be built here"),
        "{said}"
    );
}

/// An error in the sources here is shown once, and not called something else.
#[test]
fn an_error_of_ours_ends_the_build() {
    let tree = Tree::make();
    let (done, said) = tree.build(NATIVE, &[("FAKE_FAULT", "ours")]);
    assert!(!done);
    assert_eq!(tree.calls(), ["own small unknown"]);
    let want = "error: could not compile `haproxy_exporter` (lib) due to 1 previous error\n";
    assert_eq!(said, want);
}

#[test]
fn what_is_needed_is_said_in_one_line() {
    let tree = Tree::make();
    let (done, said) = tree.build(NATIVE, &[("FAKE_RELEASE", "1.85.1")]);
    assert!(!done);
    let want = "build: Rust 1.91 or later is needed, this is 1.85.1 (rustup update stable)\n";
    assert_eq!(said, want);
    assert_eq!(tree.calls(), [] as [&str; 0]);
    let (done, _) = tree.build(NATIVE, &[("FAKE_RELEASE", "1.100.0")]);
    assert!(done, "1.100 is later than 1.91");

    // All but rustc and cargo.
    let path = tree.path("tools");
    std::fs::create_dir(&path).expect("make a directory");
    for tool in ["sh", "sed", "head", "make"] {
        let Some(found) = peers::find(tool) else {
            return;
        };
        std::os::unix::fs::symlink(found, path.join(tool)).expect("link a tool");
    }
    let path = path.display().to_string();
    let (done, said) = tree.build(NATIVE, &[("PATH", &path)]);
    assert!(!done);
    let want = "build: rustc or cargo is missing: install Rust from https://rustup.rs\n";
    assert_eq!(said, want);
    for goal in ["all", "install", "test", "dist"] {
        let mut make = Command::new("make");
        make.args(["--no-print-directory", goal])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("PATH", &path)
            .env_remove("MAKEFLAGS")
            .env_remove("MAKELEVEL");
        let (status, output, error) = peers::run(&mut make);
        assert!(!status.success(), "{goal}: {output}");
        assert_eq!(output, "", "{goal}");
        let text = "*** rustc is not in PATH: install Rust from https://rustup.rs; ";
        assert!(
            error.contains(text) && error.lines().count() == 1,
            "{goal}: {error}"
        );
    }
}

/// The commit, whether the sources differ from it, and nothing of a repository around them.
#[test]
fn revisions() {
    let tree = Tree::make();
    let revision = || {
        let (done, said) = tree.build(NATIVE, &[]);
        assert!(done, "{said}");
        let calls = tree.calls();
        calls[0].rsplit(' ').next().expect("a revision").to_owned()
    };
    tree.git(&["init", "-q"]);
    tree.git(&["add", "Cargo.toml", "tests"]);
    tree.git(&["commit", "-q", "-m", "first"]);
    let clean = revision();
    let is_commit = clean.len() == 12 && clean.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_commit, "{clean}");
    // Files that git does not know are no part of it.
    std::fs::write(tree.path("LICENSE"), "changed").expect("write a file");
    assert_eq!(revision(), clean);
    let changed = std::fs::read_to_string(tree.path("Cargo.toml")).expect("a manifest") + "\n";
    std::fs::write(tree.path("Cargo.toml"), changed).expect("write a file");
    assert_eq!(revision(), format!("{clean}-dirty"));

    std::fs::rename(tree.path(".git"), tree.path("fake/.git")).expect("move a directory");
    assert_eq!(revision(), "unknown");
}

#[test]
fn sources_inside_of_another_repository() {
    let outer = Tree::make();
    outer.git(&["init", "-q"]);
    outer.git(&["add", "Cargo.toml"]);
    outer.git(&["commit", "-q", "-m", "first"]);
    let inner = Tree {
        directory: TempDir::new_in(outer.path("")).expect("a directory"),
    };
    let mut copy = outer.command("sh");
    let script = format!("cp -r Cargo.toml tests fake '{}'", inner.path("").display());
    let (status, _, error) = peers::run(copy.args(["-c", &script]));
    assert!(status.success(), "{error}");
    let (done, said) = inner.build(NATIVE, &[]);
    assert!(done, "{said}");
    assert_eq!(inner.calls(), ["own small unknown"]);
}

/// A target that cannot be had is named at the end, and the others are packed all the same.
#[test]
fn one_target_does_not_stop_the_others() {
    let tree = Tree::make();
    let dist = |targets: &[&str]| {
        let mut command = tree.command("tests/tools/dist.sh");
        command.args(["1.2.3", "target/dist"]).args(targets);
        let (status, output, error) = peers::run(&mut command);
        (status.code(), output, error)
    };
    let gone = "vax-unknown-linux-musl";
    let (code, output, error) = dist(&[gone, NATIVE]);
    assert_eq!(code, Some(1));
    let packed = format!("haproxy_exporter-1.2.3-{NATIVE}.tar.gz");
    let line = format!("dist: {packed}, the program has 40 bytes\n");
    assert_eq!(output, line);
    let want = format!(
        "dist: {gone} failed:
  foreign-libc: Debian and Rust 1.71.1 have no C library for {gone}
  error: nothing to download
  build: the target {gone} cannot be had (rustup target add {gone})
dist: missing: {gone} (what was said is in target/dist/build/*.log)\n"
    );
    assert_eq!(error, want);
    let sums = std::fs::read_to_string(tree.path("target/dist/SHA256SUMS")).expect("the sums");
    assert!(sums.ends_with(&format!("  {packed}\n")), "{sums}");
    assert_eq!(sums.lines().count(), 1, "{sums}");

    let quiet = (Some(0), line, String::new());
    assert_eq!(dist(&[NATIVE]), quiet);
    let (code, output, _) = dist(&[gone]);
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert!(
        !tree.path("target/dist/SHA256SUMS").exists(),
        "sums of nothing"
    );
}

/// The last line of `make test`: why tests were skipped, the most frequent reason first, and what to install.
#[test]
fn the_line_about_skipped_tests() {
    let tree = Tree::make();
    let skipped = |reasons: &str, missing: &str| {
        std::fs::write(tree.path("skips"), reasons).expect("write a file");
        let script = format!("#!/bin/sh\n[ \"$1\" = --missing ] && echo {missing}\n");
        write_script(&tree.path("tests/tools/install-peers.sh"), &script);
        let (status, output, error) =
            peers::run(tree.command("tests/tools/skipped.sh").arg("skips"));
        assert!(status.success(), "{error}");
        output
    };
    assert_eq!(skipped("", "s6"), "");
    let reasons = "s6-svscan is not installed\nonly root can\nonly root can\n";
    let line = "skipped 3 times: only root can (2); s6-svscan is not installed (1)";
    assert_eq!(skipped(reasons, "''"), format!("{line}\n"));
    let install = "; to install what is missing: apt-get install s6 runit\n";
    assert_eq!(skipped(reasons, "s6 runit"), format!("{line}{install}"));
}
