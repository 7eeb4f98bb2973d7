use super::*;
use crate::sys;
use std::io::Write;
use std::os::fd::AsRawFd;
use tempfile::TempDir;

/// Names and bytes.
type Files<'a> = &'a [(&'a str, &'a [u8])];

/// Expands arguments with files of these texts in a directory that `@D` stands for.
fn expanded(files: Files<'_>, texts: &[&str]) -> Result<Vec<String>, String> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().display().to_string();
    for (name, bytes) in files {
        let text = String::from_utf8_lossy(bytes).replace("@D", &format!("@{path}"));
        let bytes = if bytes.contains(&0xff) {
            bytes
        } else {
            text.as_bytes()
        };
        std::fs::write(directory.path().join(name), bytes).unwrap();
    }
    let texts = texts
        .iter()
        .map(|text| text.replace("@D", &format!("@{path}")));
    let words = arguments::expand(texts.map(OsString::from));
    let show = |word: OsString| word.into_vec().escape_ascii().to_string();
    words
        .map(|words| words.into_iter().map(show).collect())
        .map_err(|error| error.to_string().replace(&path, "D"))
}

#[test]
fn argument_files() {
    let cases: [(Files<'_>, &[&str], &[&str]); 11] = [
        (&[], &["a", "--b=@c"], &["a", "--b=@c"]),
        (
            &[("f", b"--a=1\n--b\nx y\n")],
            &["0", "@D/f", "9"],
            &["0", "--a=1", "--b", "x y", "9"],
        ),
        (&[("f", b"")], &["@D/f", "a"], &["a"]),
        (
            &[("f", b"# no\n\n#--a\n--b #c\n #d")],
            &["@D/f"],
            &["--b #c", " #d"],
        ),
        (
            &[("f", b"a\r\n\r\nb\r\n# c\r\nd\r")],
            &["@D/f"],
            &["a", "b", "d"],
        ),
        (&[("f", b"\xff\n")], &["@D/f"], &["\\xff"]),
        (
            &[("f", b"a\n@D/g\nd"), ("g", b"b\nc\n")],
            &["@D/f", "e"],
            &["a", "b", "c", "d", "e"],
        ),
        (&[("f", b"a\n")], &["@D/f", "@D/f"], &["a", "a"]),
        (&[("f", b"--\n@x\n")], &["@D/f", "@y"], &["--", "@x", "@y"]),
        (&[], &["a", "--", "@x"], &["a", "--", "@x"]),
        (
            &[("f", b"\"a\" 'b'\\\n")],
            &["@D/f"],
            &["\\\"a\\\" \\'b\\'\\\\"],
        ),
    ];
    for (files, texts, expected) in cases {
        let found = expanded(files, texts).unwrap();
        assert_eq!(found, expected, "{texts:?}");
    }
}

#[test]
fn argument_files_that_cannot_be_used() {
    let large = b"#".repeat((1 << 20) + 1);
    #[rustfmt::skip]
    let cases: [(Files<'_>, &str, &str); 7] = [
        (&[], "@D/none", "argument file D/none: no such file or directory"),
        (&[], "@", "argument file : no such file or directory"),
        (&[], "@D", "argument file D: is a directory"),
        (&[("f", b"@D/none\n")], "@D/f", "argument file D/none: no such file or directory"),
        (&[("f", b"@D/f\n")], "@D/f", "more than 32 argument files (does one name itself?)"),
        (&[("f", b"a\0b\n")], "@D/f", "argument file D/f: holds a NUL byte"),
        (&[("f", &large)], "@D/f", "argument file D/f: larger than 1048576 bytes"),
    ];
    for (files, text, expected) in cases {
        assert_eq!(expanded(files, &[text]), Err(expected.to_owned()));
    }
    assert_eq!(expanded(&[("f", &large[1..])], &["@D/f"]), Ok(Vec::new()));
}

fn fifo(directory: &TempDir) -> (PathBuf, OsString) {
    let path = directory.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let argument = OsString::from(format!("@{}", path.display()));
    (path, argument)
}

#[test]
fn a_fifo_without_a_writer_is_not_waited_for() {
    let directory = TempDir::new().unwrap();
    let (path, argument) = fifo(&directory);
    let expected = format!(
        "argument file {}: a FIFO that nobody writes to",
        path.display()
    );
    assert_eq!(
        arguments::expand([argument]).unwrap_err().to_string(),
        expected
    );
}

/// As a shell's `@<(...)` does: the writer is there, and writes when it has something.
#[test]
fn a_fifo_is_read_to_its_writers_end() {
    let directory = TempDir::new().unwrap();
    let (path, argument) = fifo(&directory);
    // Opening it for both waits for nobody, and keeps what is written.
    let mut options = std::fs::File::options();
    let mut writer = options.read(true).write(true).open(path).unwrap();
    writer.write_all(b"a\n").unwrap();
    let reading = std::thread::spawn(move || arguments::expand([argument]));
    // Once that has been read, the reader has it open.
    let mut unread = [sys::poll_fd(writer.as_raw_fd(), sys::READABLE)];
    while sys::poll(&mut unread, Some(Duration::ZERO)).unwrap() > 0 {
        std::thread::yield_now();
    }
    writer.write_all(b"b\n").unwrap();
    drop(writer);
    assert_eq!(reading.join().unwrap().unwrap(), ["a", "b"]);
}

#[test]
fn flags_from_a_file() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("arguments");
    std::fs::write(
        &path,
        "# ours\r\n--log.level=warn\r\n--haproxy.timeout\n2s\n",
    )
    .unwrap();
    let argument = format!("@{}", path.display());
    let config = config(&[&argument, "--log.format=json"]).unwrap();
    assert_eq!(config.timeout, Duration::from_secs(2));
    assert_eq!(
        (config.log_level, config.log_format),
        (Level::Warn, Format::Json)
    );
}
