//! `@FILE`: arguments from a file, one per line.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use crate::errno::reason;
use crate::masked::masked;
use crate::sys;

/// Maximum size of a file of arguments. People write such files, so one that is larger or endless
/// is a mistake.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Maximum number of files in total, so that a file that names itself ends with an error.
const MAX_FILES: usize = 32;
/// Maximum pause of a program that writes arguments to a FIFO.
const WRITER_TIMEOUT: Duration = Duration::from_secs(10);

/// Replaces each `@FILE` with the lines of the file. Empty lines and lines that begin with `#` are
/// skipped, CR LF is accepted, and a file can name other files. After `--` nothing is replaced.
///
/// # Errors
/// The file and the reason.
pub(crate) fn expand(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Vec<OsString>, String> {
    let mut waiting: VecDeque<OsString> = arguments.into_iter().collect();
    let mut expanded = Vec::new();
    let mut files = 0;
    while let Some(argument) = waiting.pop_front() {
        let Some(path) = argument.as_bytes().strip_prefix(b"@") else {
            let is_end = argument == "--";
            expanded.push(argument);
            if is_end {
                expanded.extend(waiting.drain(..));
            }
            continue;
        };
        files += 1;
        if files > MAX_FILES {
            return Err(format!(
                "more than {MAX_FILES} argument files (does one name itself?)"
            ));
        }
        let path = OsString::from_vec(path.to_vec());
        let lines = lines(&read(Path::new(&path))?);
        for line in lines.into_iter().rev() {
            waiting.push_front(line);
        }
    }
    Ok(expanded)
}

/// The arguments in a file's bytes.
pub fn lines(bytes: &[u8]) -> Vec<OsString> {
    bytes
        .split(|b| *b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .map(|line| OsString::from_vec(line.to_vec()))
        .collect()
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    // The path can be a URI that lacks its beginning.
    let shown = path.display().to_string();
    let fail = |why: &str| format!("argument file {}: {why}", masked(&shown));
    let io = |error| fail(&reason(&error));
    // Opening must not wait for a writer of a FIFO.
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NONBLOCK);
    let mut file = options.open(path).map_err(io)?;
    let is_fifo = file.metadata().is_ok_and(|it| it.file_type().is_fifo());
    let bytes = read_all(&mut file).map_err(io)?;
    if is_fifo && bytes.is_empty() {
        return Err(fail("a FIFO that nobody writes to"));
    }
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(fail(&format!("larger than {MAX_FILE_BYTES} bytes")));
    }
    if bytes.contains(&0) {
        return Err(fail("holds a NUL byte"));
    }
    Ok(bytes)
}

/// Reads to the end, or a little more than the limit. The writer of a FIFO (`@<(...)` in a shell)
/// can take some time, but not forever.
fn read_all(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let left = MAX_FILE_BYTES + 1 - bytes.len() as u64;
        match file.take(left).read_to_end(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut ready = [sys::poll_fd(file.as_raw_fd(), sys::READABLE)];
                if sys::poll(&mut ready, Some(WRITER_TIMEOUT))? == 0 {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) => return Err(error),
            Ok(_) => return Ok(bytes),
        }
    }
}
