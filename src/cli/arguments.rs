//! `@FILE`: arguments from a file, one a line.

use std::collections::VecDeque;
use std::error::Error;
use std::ffi::OsString;
use std::fmt::{self, Display};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use crate::errno::reason;
use crate::sys;

/// A file of arguments is written by hand; one that is larger, or endless, is a mistake.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Files in all, so that one which names itself ends with an error.
const MAX_FILES: usize = 32;
/// The longest pause of whoever writes arguments to a FIFO.
const WRITER_TIMEOUT: Duration = Duration::from_secs(10);

/// Puts the lines of each `@FILE` in its place. Empty lines and those that begin with `#` are
/// skipped, CR LF is accepted, a file may name others; behind `--` nothing is replaced.
///
/// # Errors
/// The file and the reason.
pub(crate) fn expand(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Vec<OsString>, FileError> {
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
            return Err(FileError::TooMany);
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

fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let fail = |problem| FileError::Unfit(path.display().to_string(), problem);
    let io = |error| fail(FileProblem::Io(error));
    // A FIFO without a writer is not waited for.
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NONBLOCK);
    let mut file = options.open(path).map_err(io)?;
    let is_fifo = file.metadata().is_ok_and(|it| it.file_type().is_fifo());
    let bytes = read_all(&mut file).map_err(io)?;
    if is_fifo && bytes.is_empty() {
        return Err(fail(FileProblem::NoWriter));
    }
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(fail(FileProblem::TooLarge));
    }
    if bytes.contains(&0) {
        return Err(fail(FileProblem::Nul));
    }
    Ok(bytes)
}

/// Why argument files cannot be used.
#[derive(Debug)]
pub enum FileError {
    /// There are too many of them.
    TooMany,
    /// One of this path cannot be used.
    Unfit(String, FileProblem),
}

/// Why an argument file cannot be used.
#[derive(Debug)]
pub enum FileProblem {
    /// A system call failed.
    Io(io::Error),
    /// A FIFO that nobody writes to.
    NoWriter,
    /// More than `MAX_FILE_BYTES`.
    TooLarge,
    /// Not text.
    Nul,
}

impl Error for FileError {}

impl Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Unfit(path, problem) = self else {
            return write!(
                f,
                "more than {MAX_FILES} argument files (does one name itself?)"
            );
        };
        write!(f, "argument file {path}: ")?;
        match problem {
            FileProblem::Io(error) => f.write_str(&reason(error)),
            FileProblem::NoWriter => f.write_str("a FIFO that nobody writes to"),
            FileProblem::TooLarge => write!(f, "larger than {MAX_FILE_BYTES} bytes"),
            FileProblem::Nul => f.write_str("holds a NUL byte"),
        }
    }
}

/// Reads to the end, or somewhat more than is allowed. The writer of a FIFO (`@<(...)` in a shell) may
/// need a while, but not for ever.
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
