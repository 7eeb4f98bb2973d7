//! One answer on its way: a snapshot, where the client stands in it, and the piece that is being sent.

use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::errno::reason;
use crate::metrics::cursor::{self, Cursor};
use crate::metrics::exposition::{BUFFER_BYTES, CONTENT_TYPE};
use crate::metrics::selection::Selection;
use crate::metrics::snapshot::Snapshot;
use crate::sys;

/// Room before the first piece of an exposition for the head of the answer, which goes out with it. The
/// head has about 140 bytes.
const HEAD_BYTES: usize = 256;
/// Pieces that a client gets before the others have their turn: more than the kernel takes at once (see
/// `listen::UNREAD_BYTES`), so that a fast reader keeps up, and still only a millisecond.
const PIECES_A_TURN: usize = 8;
/// What the kernel may hold for a client that gets the next piece: what is on its way to it, and a little
/// besides (see `listen::UNREAD_BYTES`). Over a round trip of 0.2 s a client needs a megabyte on its way for
/// 5 MB/s, and as much again while what was lost is sent anew. A fixed send buffer would bound that too, but
/// is no larger than net.core.wmem_max, 208 KiB unless told otherwise: then 13 MB take more than 10 s.
const MOST_UNSENT_BYTES: usize = 2 * 1024 * 1024;
/// After so long the kernel is asked again how much it holds; less than the way to a client for which it
/// holds as much takes.
pub(crate) const REST: Duration = Duration::from_millis(10);
/// Buffers that are kept for the next answers.
const KEPT_BUFFERS: usize = 2;

/// Buffers for pieces. A client has one only while a piece is sent in part.
#[derive(Default)]
pub(crate) struct Buffers {
    free: Vec<Box<[u8]>>,
    /// Whether there was no memory the last time.
    is_short: bool,
}

impl Buffers {
    fn take(&mut self) -> Result<Box<[u8]>, SendError> {
        match self.free.pop() {
            Some(buffer) => Ok(buffer),
            None => self.make(HEAD_BYTES + BUFFER_BYTES),
        }
    }

    fn make(&mut self, bytes: usize) -> Result<Box<[u8]>, SendError> {
        let mut buffer = Vec::new();
        // An answer is cut rather than the process ended where the address space is short.
        if buffer.try_reserve_exact(bytes).is_err() {
            let is_new = !std::mem::replace(&mut self.is_short, true);
            return Err(SendError::NoMemory { is_new });
        }
        self.is_short = false;
        buffer.resize(bytes, 0);
        Ok(buffer.into_boxed_slice())
    }

    fn give_back(&mut self, buffer: Box<[u8]>) {
        if self.free.len() < KEPT_BUFFERS {
            self.free.push(buffer);
        }
    }
}

/// How far a response has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All of it is with the kernel.
    Sent,
    /// There is more.
    Unfinished,
    /// There is more, but the kernel holds enough. It would not say when it holds less.
    Enough,
}

/// Why an answer is cut.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The client has gone.
    Io(io::Error),
    /// There is no room for a piece.
    NoMemory {
        /// Whether there was room the last time.
        is_new: bool,
    },
    /// Our own fault: the exposition is not as long as announced.
    WrongLength {
        /// All of it, in bytes.
        announced: u64,
        /// What was left of it, in bytes.
        left: u64,
        /// The bytes of its next piece.
        filled: usize,
    },
}

impl From<io::Error> for SendError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Error for SendError {}

impl Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => f.write_str(&reason(error)),
            Self::NoMemory { .. } => {
                f.write_str("out of memory: is the address space limited (ulimit -v)?")
            }
            Self::WrongLength {
                announced,
                left,
                filled,
            } => write!(
                f,
                "an exposition of {announced} bytes has {filled} where {left} are missing"
            ),
        }
    }
}

/// An answer that is being sent.
pub(crate) struct Response {
    snapshot: Arc<Snapshot>,
    selection: Selection,
    cursor: Cursor,
    /// Bytes of the exposition that are not in a piece yet.
    left: u64,
    /// Whether the head is in a piece already.
    head_is_written: bool,
    length: u64,
    /// Whether the connection stays open after it.
    pub keep_alive: bool,
    /// When it began.
    pub began: Instant,
    /// Until then nothing is sent.
    pub rests_until: Option<Instant>,
    /// A piece that is sent in part, and what is still to be sent of it.
    piece: Option<(Box<[u8]>, std::ops::Range<usize>)>,
}

impl Response {
    /// An answer with what `selection` wants of `snapshot`, or with its head alone.
    pub(crate) fn new(
        snapshot: Arc<Snapshot>,
        selection: Selection,
        (is_head, keep_alive): (bool, bool),
        now: Instant,
    ) -> Self {
        let length = cursor::exposition_bytes(&snapshot, &selection);
        Self {
            snapshot,
            selection,
            cursor: Cursor::default(),
            left: if is_head { 0 } else { length },
            head_is_written: false,
            length,
            keep_alive,
            began: now,
            rests_until: None,
            piece: None,
        }
    }

    /// Whether it is sent from this snapshot.
    pub(crate) fn reads(&self, snapshot: &Arc<Snapshot>) -> bool {
        Arc::ptr_eq(&self.snapshot, snapshot)
    }

    /// Sends as much as the kernel takes and the others can wait for.
    ///
    /// # Errors
    /// The answer is cut then.
    pub(crate) fn send(
        &mut self,
        to: BorrowedFd<'_>,
        buffers: &mut Buffers,
    ) -> Result<Progress, SendError> {
        for _ in 0..PIECES_A_TURN {
            if sys::unsent_bytes(to).is_ok_and(|bytes| bytes >= MOST_UNSENT_BYTES) {
                return Ok(Progress::Enough);
            }
            let (buffer, mut unsent) = match self.piece.take() {
                Some(piece) => piece,
                None => self.next_piece(buffers)?,
            };
            match sys::send(to, &buffer[unsent.clone()]) {
                Ok(count) => unsent.start += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    buffers.give_back(buffer);
                    return Err(error.into());
                }
            }
            if !unsent.is_empty() {
                self.piece = Some((buffer, unsent));
                return Ok(Progress::Unfinished);
            }
            buffers.give_back(buffer);
            if self.left == 0 {
                return Ok(Progress::Sent);
            }
        }
        Ok(Progress::Unfinished)
    }

    fn next_piece(
        &mut self,
        buffers: &mut Buffers,
    ) -> Result<(Box<[u8]>, std::ops::Range<usize>), SendError> {
        let mut buffer = buffers.take()?;
        let mut start = HEAD_BYTES;
        if !self.head_is_written {
            self.head_is_written = true;
            start = put_head(&mut buffer[..HEAD_BYTES], self.length, self.keep_alive)?;
        }
        if self.left == 0 {
            return Ok((buffer, start..HEAD_BYTES));
        }
        let to = &mut buffer[HEAD_BYTES..];
        let filled = self.cursor.fill(&self.snapshot, &self.selection, to);
        // A client that is told a wrong length would wait for more, or take the next answer for it.
        self.left = match self.left.checked_sub(filled as u64) {
            Some(left) if filled > 0 => left,
            _ => {
                return Err(SendError::WrongLength {
                    announced: self.length,
                    left: self.left,
                    filled,
                });
            }
        };
        Ok((buffer, start..HEAD_BYTES + filled))
    }
}

/// Puts the head at the end of `room`; returns where it begins.
fn put_head(room: &mut [u8], length: u64, keep_alive: bool) -> io::Result<usize> {
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let mut rest = &mut room[..];
    write!(
        rest,
        "HTTP/1.1 200 OK\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {length}\r\n\
         Connection: {connection}\r\n\r\n"
    )?;
    let unused = rest.len();
    let used = room.len() - unused;
    room.copy_within(..used, unused);
    Ok(unused)
}

#[cfg(test)]
mod tests;
