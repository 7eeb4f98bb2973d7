//! Non-blocking output on standard error.
//!
//! Other processes share the open file of standard error, so its flags must not change. A pipe or a
//! terminal is reopened as non-blocking, and the new file replaces descriptor 2. Reopening can fail
//! (another user's terminal, no /proc). Then `poll` tells whether there is room. In a pipe that
//! means room for a whole line unless another process writes first; in a terminal it means room for
//! a few bytes.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::sys;

/// Bytes that a ready terminal accepts in one write, even if each line end becomes two bytes. The
/// kernel counts the room of a pty in units of 256 bytes. It reports a serial line as ready if
/// fewer than 256 of its 4096 bytes wait.
const TERMINAL_PIECE_BYTES: usize = 64;

static OUTPUT: Mutex<Option<Output>> = Mutex::new(None);

/// Writes a line, which ends with a line end. Returns whether it was written; its last bytes can
/// follow with the next line.
pub(super) fn write(line: &[u8]) -> bool {
    lock().get_or_insert_with(Output::open).put(line)
}

/// Number of lines lost since the last call.
pub(super) fn take_lost() -> u64 {
    let mut output = lock();
    output.as_mut().map_or(0, |it| std::mem::take(&mut it.lost))
}

/// Counts lines that were lost.
pub(super) fn add_lost(lines: u64) {
    if let Some(output) = lock().as_mut() {
        output.lost += lines;
    }
}

fn lock() -> MutexGuard<'static, Option<Output>> {
    OUTPUT.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Output {
    kind: Kind,
    /// The rest of a line that was written in part. It is written before the next line.
    rest: Vec<u8>,
    lost: u64,
}

/// The kind of standard error, which decides how it is written without blocking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A file, or a pipe or terminal that was reopened as non-blocking.
    NeverWaits,
    /// A socket: each send call is non-blocking.
    Socket,
    /// A pipe that cannot be reopened.
    SharedPipe,
    /// A terminal that cannot be reopened.
    SharedTerminal,
}

impl Output {
    fn open() -> Self {
        Self {
            kind: prepare().unwrap_or(Kind::SharedPipe),
            rest: Vec::new(),
            lost: 0,
        }
    }

    fn put(&mut self, line: &[u8]) -> bool {
        let count = write_some(self.kind, &self.rest);
        self.rest.drain(..count);
        if !self.rest.is_empty() {
            return false;
        }
        let count = write_some(self.kind, line);
        if count > 0 {
            self.rest.extend_from_slice(&line[count..]);
        }
        count > 0
    }
}

/// Finds the kind of descriptor 2 and replaces it with a reopened file if needed.
fn prepare() -> io::Result<Kind> {
    let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let kind = stderr.metadata()?.file_type();
    if kind.is_socket() {
        return Ok(Kind::Socket);
    }
    let is_terminal = stderr.is_terminal();
    // Only pipes and terminals are reopened: a reopened file would be written from its beginning.
    if !is_terminal && !kind.is_fifo() {
        return Ok(Kind::NeverWaits);
    }
    let own = reopen("/proc/self/fd/2").or_else(|error| match is_terminal {
        true => controlling_terminal(&stderr),
        false => Err(error),
    });
    match own.and_then(|own| sys::replace(io::stderr().as_fd(), own.into())) {
        Ok(()) => Ok(Kind::NeverWaits),
        Err(_) if is_terminal => Ok(Kind::SharedTerminal),
        Err(_) => Ok(Kind::SharedPipe),
    }
}

/// Opens a terminal without making it the controlling terminal (O_NOCTTY).
fn reopen(path: &str) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
}

/// A user that su(1) changed to cannot open the terminal by its name, but always /dev/tty.
fn controlling_terminal(stderr: &File) -> io::Result<File> {
    let own = reopen("/dev/tty")?;
    match sys::terminal_number(own.as_fd())? == sys::terminal_number(stderr.as_fd())? {
        true => Ok(own),
        false => Err(io::Error::other("another terminal")),
    }
}

/// Writes until there is no more room or an error occurs. Returns the number of bytes written.
fn write_some(kind: Kind, bytes: &[u8]) -> usize {
    let mut count = 0;
    while count < bytes.len() {
        match write_once(kind, &bytes[count..]) {
            Ok(written @ 1..) => count += written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // An error of standard error cannot be reported on standard error.
            Ok(0) | Err(_) => break,
        }
    }
    count
}

fn write_once(kind: Kind, bytes: &[u8]) -> io::Result<usize> {
    let mut stderr = io::stderr().lock();
    let piece = match kind {
        Kind::Socket => return sys::send(stderr.as_fd(), bytes),
        Kind::NeverWaits => return stderr.write(bytes),
        Kind::SharedPipe => bytes,
        Kind::SharedTerminal => &bytes[..bytes.len().min(TERMINAL_PIECE_BYTES)],
    };
    let mut ready = [sys::poll_fd(stderr.as_raw_fd(), sys::WRITABLE)];
    match sys::poll(&mut ready, Some(Duration::ZERO))? {
        0 => Ok(0),
        _ => stderr.write(piece),
    }
}
