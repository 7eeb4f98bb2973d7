//! The file with the ids of HAProxy's processes (`pidfile`, `-p`): one per line, the master or the
//! first process first.

use std::fs::{Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::files::fill;

/// Maximum number of processes that HAProxy has run as (`nbproc`).
const MAX_PIDS: usize = 64;

/// The ids in a pid file.
pub(super) struct Pids {
    pub first: u64,
    /// The ids from the first on, up to a word that is not an id.
    pub all: Vec<u64>,
}

/// Reads a pid file into `bytes`. The path can be anything; a FIFO without a writer must not block
/// the scrape.
pub(super) fn read(path: &Path, bytes: &mut Vec<u8>) -> io::Result<Pids> {
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let file = file?;
    // Reading a directory fails with an error of its own.
    let is_readable = |metadata: Metadata| metadata.is_file() || metadata.is_dir();
    if !file.metadata().is_ok_and(is_readable) {
        return Err(io::Error::other("not a regular file"));
    }
    fill(file, bytes)?;
    let first = words(bytes).next();
    let first = first.ok_or_else(|| io::Error::other("is empty"))?;
    Ok(Pids {
        first: pid(first).ok_or_else(|| io::Error::other("does not begin with a process id"))?,
        all: words(bytes).map_while(pid).take(MAX_PIDS).collect(),
    })
}

fn words(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = bytes.split(u8::is_ascii_whitespace);
    words.filter(|word| !word.is_empty())
}

fn pid(word: &[u8]) -> Option<u64> {
    let pid: u32 = str::from_utf8(word).ok()?.parse().ok()?;
    (pid > 0).then_some(u64::from(pid))
}
