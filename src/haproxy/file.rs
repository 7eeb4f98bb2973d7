//! A recorded CSV in a file.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use super::source::{Fetch, InfoFetched, Phase, Problem, SourceError};
use crate::haproxy::rules::Proof;

/// A regular file with the output of `show stat`, or of the stats page with `;csv`.
pub(crate) struct FileSource {
    path: String,
    object: String,
}

/// Why a file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileError {
    /// A directory, device, FIFO or socket, whose end nobody knows.
    NotRegular,
    /// Written while it was read.
    Changed,
    /// Nothing in it.
    Empty,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRegular => "open: not a regular file",
            Self::Empty => "the file is empty",
            Self::Changed => "read: the file was changed meanwhile (write a new one and rename it)",
        })
    }
}

impl FileSource {
    /// The file at `path`.
    pub(crate) fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            object: format!("file {path}"),
        }
    }

    /// The name in errors.
    pub(crate) fn object(&self) -> &str {
        &self.object
    }

    /// See `Source::fetch`.
    ///
    /// # Errors
    /// When the file could not be read whole.
    pub(crate) fn fetch(&self, fetch: &mut Fetch<'_>) -> Result<InfoFetched, SourceError> {
        match self.read(fetch) {
            Ok(()) => Ok(None),
            Err(problem) => Err(SourceError {
                object: self.object.clone(),
                problem,
            }),
        }
    }

    fn read(&self, fetch: &mut Fetch<'_>) -> Result<(), Problem> {
        let open_problem = |error| Problem::Io(Phase::Open, error, None);
        // Not to wait for a FIFO's writer.
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(&self.path)
            .map_err(open_problem)?;
        let before = file.metadata().map_err(open_problem)?;
        if !before.is_file() {
            return Err(Problem::File(FileError::NotRegular));
        }
        let count = read_rows(&mut file, fetch)?;
        let after = file.metadata().map_err(open_problem)?;
        let state = |m: &Metadata| (m.size(), m.mtime(), m.mtime_nsec());
        if state(&before) != state(&after) {
            return Err(Problem::File(FileError::Changed));
        }
        if count == 0 {
            return Err(Problem::File(FileError::Empty));
        }
        fetch.end(Proof::LineEnd)
    }
}

/// Returns how many bytes there were; a file of /proc does not know before.
fn read_rows(file: &mut File, fetch: &mut Fetch<'_>) -> Result<u64, Problem> {
    let mut total = 0;
    loop {
        if fetch.deadline.remaining().is_none() {
            return Err(Problem::TimedOut(Phase::Read));
        }
        match file.read(fetch.buffer.room()) {
            Ok(0) => return Ok(total),
            Ok(count) => {
                total += count as u64;
                fetch.take_rows(count, total)?;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Problem::Io(Phase::Read, e, None)),
        }
    }
}
