//! A recorded CSV in a file.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use super::advice::Asked;
use super::buffer::ReadBuffer;
use super::error::{Problem, SourceError};
use super::reader::{Limits, Reader};
use super::reply::{Proof, Question};
use crate::errno::reason;

/// A regular file with the output of `show stat`, or of the stats page with `;csv`.
pub(crate) struct FileSource {
    path: String,
    object: String,
}

/// The error for a file that was written while it was read.
const CHANGED: &str = "read: the file was changed meanwhile (write a new one and rename it)";

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
    /// If the file could not be read completely.
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
            .map_err(|problem| SourceError::new(&self.object, problem, Asked::File, false))
    }

    fn read(&self, reader: &mut Reader<'_>) -> Result<(), Problem> {
        let open = |error| Problem::File(format!("open: {}", reason(&error)));
        // Opening must not wait for the writer of a FIFO.
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(&self.path)
            .map_err(open)?;
        let before = file.metadata().map_err(open)?;
        if !before.is_file() {
            return Err(Problem::File("open: not a regular file".to_owned()));
        }
        let is_empty = read_all(&mut file, reader)?;
        let after = file.metadata().map_err(open)?;
        let state = |m: &Metadata| (m.size(), m.mtime(), m.mtime_nsec());
        if state(&before) != state(&after) {
            return Err(Problem::File(CHANGED.to_owned()));
        }
        if is_empty {
            return Err(Problem::File("the file is empty".to_owned()));
        }
        reader.finish(Proof::LineEnd)
    }
}

/// Returns whether it was empty; the size of a file of /proc is not known before.
fn read_all(file: &mut File, reader: &mut Reader<'_>) -> Result<bool, Problem> {
    let mut is_empty = true;
    loop {
        if reader.limits.deadline.remaining().is_none() {
            return Err(Problem::File("read: timed out".to_owned()));
        }
        match file.read(reader.room()) {
            Ok(0) => return Ok(is_empty),
            Ok(count) => {
                is_empty = false;
                reader.received(count);
                reader.take()?;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Problem::File(format!("read: {}", reason(&e)))),
        }
    }
}
