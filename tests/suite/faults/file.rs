//! `file:` URIs that name something else than a whole recorded answer.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use crate::support::csv::{answer, backend, server};
use crate::support::exporter::{self, Exporter, Problem};
use crate::support::faults::{CUT_ROW, HTML};
use crate::support::reference;

fn good_answer() -> Vec<u8> {
    answer(&[
        server("app", "s1", &[(4, "2"), (17, "UP")]),
        backend("app", &[(4, "3"), (17, "UP")]),
    ])
}

const TOO_LARGE: &str =
    "read: the reply is larger than 100000 bytes (--haproxy.max-response-bytes)";

/// Each path in place of a file: up 0 and one line; then the file is there, and the same process reads it.
#[test]
#[rustfmt::skip]
fn what_is_no_recorded_answer() {
    type Make = fn(&Path);
    let missing = "open: no such file or directory";
    let not_regular = "open: not a regular file";
    let cases: [(&str, Make, &str); 13] = [
        ("missing", |_| {}, missing),
        ("dangling", |path| link("/nonexistent/file", path), missing),
        ("loop", |path| link(path, path), "open: too many levels of symbolic links"),
        ("directory", |path| fs::create_dir(path).expect("make a directory"), not_regular),
        ("fifo", make_fifo, not_regular),
        ("zero", |path| link("/dev/zero", path), not_regular),
        ("null", |path| link("/dev/null", path), not_regular),
        ("socket", make_socket, "open: no such device or address"),
        ("empty", |path| write(path, b""), "the file is empty"),
        ("cut", |path| write(path, &good_answer()[..good_answer().len() - 40]), CUT_ROW),
        ("html", |path| write(path, b"<html></html>\n"), HTML),
        ("text", |path| write(path, b"hello\n"), "not HAProxy statistics: it begins \"hello\""),
        ("large", |path| write(path, &good_answer().repeat(1000)), TOO_LARGE),
    ];
    for (name, make, err) in cases {
        let directory = TempDir::new().expect("a temporary directory");
        let path = directory.path().join(name);
        make(&path);
        let uri = format!("file:{}", path.display());
        let exporter = Exporter::start(&[
            &format!("--haproxy.scrape-uri={uri}"),
            "--haproxy.max-response-bytes=100000",
        ]);
        exporter
            .scrape()
            .without(reference::volatile)
            .assert_equals(&reference::failed(1, 0), name);
        if path.is_dir() {
            fs::remove_dir(&path).expect("remove a directory");
        } else if path.symlink_metadata().is_ok() {
            fs::remove_file(&path).expect("remove a file");
        }
        write(&path, &good_answer());
        let healthy = reference::with_totals(reference::exposition(&good_answer(), None), 2, 0);
        exporter
            .scrape()
            .without(reference::volatile)
            .assert_equals(&healthy, &format!("healthy after {name}"));
        assert_eq!(
            exporter.finish().problems(),
            [Problem::scrape_failed(&format!(
                "file {}: {err}",
                path.display()
            ))],
            "{name}"
        );
    }
}

/// What a person saves: with the CLI's empty line or without, through a link.
#[test]
fn forms_of_a_recorded_answer() {
    let directory = TempDir::new().expect("a temporary directory");
    let (file, linked) = (
        directory.path().join("a file; with %25"),
        directory.path().join("linked"),
    );
    link(&file, &linked);
    let page = good_answer()[..good_answer().len() - 1].to_vec();
    // Here nothing but the file's end ends the answer.
    let text = String::from_utf8(good_answer()).expect("UTF-8");
    let with_empty_lines = format!("\n{}", text.replace('\n', "\n\r\n\n")).into_bytes();
    for content in [good_answer(), page, with_empty_lines] {
        write(&file, &content);
        for uri in [
            format!("file:{}", linked.display()),
            format!("file://{}", linked.display()),
        ] {
            exporter::assert_serves(&uri, &reference::exposition(&good_answer(), None));
        }
    }
}

/// Root reads everything, so the exporter runs as nobody, from a copy that nobody may execute.
#[test]
fn unreadable() {
    let directory = TempDir::new().expect("a temporary directory");
    set_mode(directory.path(), 0o755);
    let (path, binary) = (
        directory.path().join("stat.csv"),
        directory.path().join("exporter"),
    );
    write(&path, &good_answer());
    set_mode(&path, 0o000);
    exporter::copy_to(&binary);
    let mut command = Command::new(&binary);
    command
        .arg(format!("--haproxy.scrape-uri=file:{}", path.display()))
        .current_dir(directory.path());
    if fs::metadata(directory.path())
        .expect("the owner of a directory")
        .uid()
        == 0
    {
        command.uid(65534).gid(65534);
    }
    let exporter = Exporter::spawn(&mut command);
    exporter
        .scrape()
        .without(reference::volatile)
        .assert_equals(&reference::failed(1, 0), "unreadable");
    set_mode(&path, 0o444);
    assert_eq!(exporter.scrape().value("haproxy_up"), 1.0);
    assert_eq!(
        exporter.finish().problems(),
        [Problem::scrape_failed(&format!(
            "file {}: open: permission denied",
            path.display()
        ))]
    );
}

/// A file that is replaced by rename is read as one or as the other, never as a mixture.
#[test]
fn replaced_while_read() {
    let directory = TempDir::new().expect("a temporary directory");
    let (path, next) = (
        directory.path().join("stat.csv"),
        directory.path().join("next"),
    );
    let generation = |value: &str| {
        answer(
            &(0..300)
                .map(|n| server("app", &format!("s{n}"), &[(4, value)]))
                .collect::<Vec<_>>(),
        )
    };
    let generations = [generation("1"), generation("22222")];
    let wanted = generations.each_ref().map(|stat| {
        reference::exposition(stat, None).without(|family| family.starts_with("haproxy_exporter_"))
    });
    write(&path, &generations[0]);
    let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri=file:{}", path.display())]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for stat in generations
                .iter()
                .cycle()
                .take_while(|_| !done.load(Ordering::Relaxed))
            {
                write(&next, stat);
                fs::rename(&next, &path).expect("replace a file");
            }
        });
        // Also when a scrape fails: the scope waits for its thread.
        let _done = SetOnDrop(&done);
        for _ in 0..200 {
            let got = exporter.scrape().without(|family| {
                reference::volatile(family) || family.starts_with("haproxy_exporter_")
            });
            let differences = wanted.each_ref().map(|want| got.differences(want));
            assert!(differences.iter().any(Vec::is_empty), "{differences:?}");
        }
    });
    assert_eq!(exporter.finish().problems(), []);
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn make_socket(path: &Path) {
    drop(std::os::unix::net::UnixListener::bind(path).expect("bind a socket"));
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("write a file");
}

fn link(to: impl AsRef<Path>, path: &Path) {
    std::os::unix::fs::symlink(to, path).expect("make a symbolic link");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set permissions");
}

#[allow(unsafe_code)]
fn make_fifo(path: &Path) {
    let path =
        std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).expect("a path without NUL");
    // SAFETY: the path is a NUL-terminated string that outlives the call.
    let made = unsafe { libc::mkfifo(path.as_ptr(), 0o600) };
    assert_eq!(made, 0, "make a FIFO");
}
