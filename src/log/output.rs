//! Standard error, written so that no thread ever waits for whoever should read it.
//!
//! Other processes share what is open there, so its flags are left alone. A pipe or a terminal is
//! opened anew without blocking, and this opening takes the place of descriptor 2. Where that cannot
//! be (another user's, or no /proc), `poll` says whether there is room: in a pipe that is room for a
//! whole line, unless another process is faster; in a terminal it is room for a few bytes.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::sys;

/// A terminal that is ready takes more than this at once, also when a line end becomes two bytes:
/// the kernel counts a pty's room in pieces of 256 bytes, and says that a serial line is ready when
/// fewer than 256 of its 4096 wait.
const TERMINAL_PIECE_BYTES: usize = 64;

static OUTPUT: Mutex<Option<Output>> = Mutex::new(None);

/// Writes a line that has its line end. Returns whether it was written; its last bytes may follow
/// with the next one.
pub(super) fn write(line: &[u8]) -> bool {
    lock().get_or_insert_with(Output::open).put(line)
}

/// How many lines were lost since the last call.
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
    /// The end of a line that was begun: the next one does not cut it.
    rest: Vec<u8>,
    lost: u64,
}

/// What standard error is, and so how it is written without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A file, or our own opening of a pipe or terminal.
    NeverWaits,
    /// A socket: each call says that it does not wait.
    Socket,
    /// A pipe that cannot be opened anew.
    SharedPipe,
    /// A terminal that cannot be opened anew.
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

/// Finds out what descriptor 2 is, and puts an opening of our own in its place if that is needed.
fn prepare() -> io::Result<Kind> {
    let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let kind = stderr.metadata()?.file_type();
    if kind.is_socket() {
        return Ok(Kind::Socket);
    }
    let is_terminal = stderr.is_terminal();
    // Only these: a file would be written from its beginning.
    if !is_terminal && !kind.is_fifo() {
        return Ok(Kind::NeverWaits);
    }
    let own = open_anew("/proc/self/fd/2").or_else(|error| match is_terminal {
        true => controlling_terminal(&stderr),
        false => Err(error),
    });
    match own.and_then(|own| sys::replace(io::stderr().as_fd(), own.into())) {
        Ok(()) => Ok(Kind::NeverWaits),
        Err(_) if is_terminal => Ok(Kind::SharedTerminal),
        Err(_) => Ok(Kind::SharedPipe),
    }
}

/// Without becoming the owner of a terminal (O_NOCTTY).
fn open_anew(path: &str) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
}

/// A user that the shell was changed to may not open its terminal, but always the process's own one.
fn controlling_terminal(stderr: &File) -> io::Result<File> {
    let own = open_anew("/dev/tty")?;
    match sys::terminal_number(own.as_fd())? == sys::terminal_number(stderr.as_fd())? {
        true => Ok(own),
        false => Err(io::Error::other("another terminal")),
    }
}

/// Writes until there is no room, or nothing can be written. Returns the bytes that were written.
fn write_some(kind: Kind, bytes: &[u8]) -> usize {
    let mut count = 0;
    while count < bytes.len() {
        match write_once(kind, &bytes[count..]) {
            Ok(written @ 1..) => count += written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What is wrong with standard error cannot be said there.
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
