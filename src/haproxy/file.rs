//! A recorded CSV in a file.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use super::advice::Asked;
use super::buffer::ReadBuffer;
use super::reader::{Limits, Reader};
use super::reply::{Proof, Question};
use super::source::{Problem, SourceError};
use crate::errno::reason;

/// A regular file with the output of `show stat`, or of the stats page with `;csv`.
pub(crate) struct FileSource {
    path: String,
    object: String,
}

/// Why a file cannot be used.
#[derive(Debug)]
pub(crate) enum FileError {
    /// It cannot be opened or looked at.
    Open(io::Error),
    /// A read failed.
    Read(io::Error),
    /// The deadline passed.
    TimedOut,
    /// A directory, device, FIFO or socket, whose end nobody knows.
    NotRegular,
    /// Written while it was read.
    Changed,
    /// Nothing in it.
    Empty,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => write!(f, "open: {}", reason(error)),
            Self::Read(error) => write!(f, "read: {}", reason(error)),
            Self::TimedOut => f.write_str("read: timed out"),
            Self::NotRegular => f.write_str("open: not a regular file"),
            Self::Empty => f.write_str("the file is empty"),
            Self::Changed => {
                f.write_str("read: the file was changed meanwhile (write a new one and rename it)")
            }
        }
    }
}

impl std::error::Error for FileError {}

impl FileSource {
    /// The file at `path`.
    pub(crate) fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            object: format!("file {path}"),
        }
    }

    /// See `Source::ask`.
    ///
    /// # Errors
    /// When the file could not be read whole.
    pub(crate) fn ask(
        &self,
        questions: &mut [Question<'_>],
        limits: Limits,
        buffer: &mut ReadBuffer,
    ) -> Result<(), SourceError> {
        let Some(question) = questions.first_mut() else {
            return Ok(());
        };
        let reader = &mut Reader::new(question.reply, buffer, limits);
        self.read(reader)
            .map_err(|problem| SourceError::new(&self.object, problem, Asked::File))
    }

    fn read(&self, reader: &mut Reader<'_>) -> Result<(), Problem> {
        // Not to wait for a FIFO's writer.
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(&self.path)
            .map_err(FileError::Open)?;
        let before = file.metadata().map_err(FileError::Open)?;
        if !before.is_file() {
            return Err(FileError::NotRegular.into());
        }
        let is_empty = read_all(&mut file, reader)?;
        let after = file.metadata().map_err(FileError::Open)?;
        let state = |m: &Metadata| (m.size(), m.mtime(), m.mtime_nsec());
        if state(&before) != state(&after) {
            return Err(FileError::Changed.into());
        }
        if is_empty {
            return Err(FileError::Empty.into());
        }
        reader.finish(Proof::LineEnd)
    }
}

/// Returns whether there was nothing; a file of /proc does not know before.
fn read_all(file: &mut File, reader: &mut Reader<'_>) -> Result<bool, Problem> {
    let mut is_empty = true;
    loop {
        if reader.limits.deadline.remaining().is_none() {
            return Err(FileError::TimedOut.into());
        }
        match file.read(reader.room()) {
            Ok(0) => return Ok(is_empty),
            Ok(count) => {
                is_empty = false;
                reader.received(count);
                reader.take()?;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(FileError::Read(e).into()),
        }
    }
}
