//! One answer on its way: a snapshot, where the client stands in it, and the piece that is being sent.

use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::body::{self, Body, BodyError};
use super::encoding::Encoding;
use crate::errno::reason;
use crate::metrics::exposition::{BUFFER_BYTES, CONTENT_TYPE};
use crate::metrics::gzip::Common;
use crate::metrics::selection::Selection;
use crate::metrics::snapshot::Snapshot;
use crate::sys;

/// Room before the first piece of an exposition for the head of the answer, which goes out with it. The
/// head has at most 220 bytes, and the size of a chunk 7.
const HEAD_BYTES: usize = 256;
/// Size of the buffer for a piece.
const PIECE_BYTES: usize = HEAD_BYTES + BUFFER_BYTES + body::END_BYTES;
/// Pieces that a client gets before the others have their turn: more than the kernel takes at once (see
/// `listen::UNREAD_BYTES`), so that a fast reader keeps up, and still only a millisecond.
const PIECES_A_TURN: usize = 8;
/// The same for a compressed response: a piece is made of 2 MB of text, which takes half a millisecond.
const COMPRESSED_PIECES_A_TURN: usize = 2;
/// What the kernel may hold for a client that gets the next piece: what is on its way to it, and a little
/// besides (see `listen::UNREAD_BYTES`). Over a round trip of 0.2 s a client needs a megabyte on its way for
/// 5 MB/s, and as much again while lost data is sent again. A fixed send buffer would bound that too, but
/// is no larger than net.core.wmem_max, 208 KiB unless told otherwise: then 13 MB take more than 10 s.
const MOST_UNSENT_BYTES: usize = 2 * 1024 * 1024;
/// After so long the send queue is read again; less than the way to a client for which it
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
    /// What compressed responses have in common.
    common: Common,
}

impl Buffers {
    fn take(&mut self) -> Result<Box<[u8]>, SendError> {
        match self.free.pop() {
            Some(buffer) => Ok(buffer),
            None => self.make(PIECE_BYTES),
        }
    }

    fn make(&mut self, bytes: usize) -> Result<Box<[u8]>, SendError> {
        let mut buffer = Vec::new();
        // An answer is cut rather than the process ended where the address space is short.
        if buffer.try_reserve_exact(bytes).is_err() {
            return Err(self.no_memory());
        }
        buffer.resize(bytes, 0);
        Ok(buffer.into_boxed_slice())
    }

    fn no_memory(&mut self) -> SendError {
        let is_new = !std::mem::replace(&mut self.is_short, true);
        SendError::NoMemory { is_new }
    }

    fn give_back(&mut self, buffer: Box<[u8]>) {
        if self.free.len() < KEPT_BUFFERS && buffer.len() == PIECE_BYTES {
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
    /// Our own fault: a line of the exposition finds no room in a piece.
    NoRoom,
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
            Self::NoRoom => f.write_str("a line of the exposition finds no room in a piece"),
        }
    }
}

/// How a response is to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// Without its body: to a HEAD request.
    pub(crate) is_head: bool,
    /// Whether the connection stays open after it.
    pub(crate) keep_alive: bool,
    pub(crate) encoding: Encoding,
    /// The status of a response with a failed scrape.
    pub(crate) failure_status: Status,
}

/// The status of a response with metrics, as its first line has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status(&'static str);

impl Status {
    /// What can be chosen for a failed scrape.
    const ALL: [(&str, Self); 2] = [
        ("200", Self("200 OK")),
        ("503", Self("503 Service Unavailable")),
    ];
    /// The status of a complete scrape.
    pub(crate) const OK: Self = Self::ALL[0].1;

    /// Parses the number of a status that can be chosen.
    pub(crate) fn parse(number: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(known, status)| (known == number).then_some(status))
    }
}

/// An answer that is being sent.
pub(crate) struct Response {
    /// What the body is made of; `None` for the rest of a text, which is one piece.
    source: Option<(Arc<Snapshot>, Selection)>,
    body: Body,
    /// The head, until it is in a piece.
    head: Option<Head>,
    /// Whether the connection stays open after it.
    pub keep_alive: bool,
    /// When it began.
    pub began: Instant,
    /// Until then nothing is sent.
    pub rests_until: Option<Instant>,
    /// A piece that is sent in part, and what is still to be sent of it.
    piece: Option<(Box<[u8]>, Range<usize>)>,
}

/// What the head says of the body.
#[derive(Clone, Copy)]
struct Head {
    /// `None` for chunks.
    length: Option<u64>,
    encoding: Encoding,
    status: Status,
}

impl Response {
    /// An answer with what `selection` wants of `snapshot`, or with its head alone.
    pub(crate) fn new(
        snapshot: Arc<Snapshot>,
        selection: Selection,
        manner: Manner,
        now: Instant,
    ) -> Self {
        let status = match snapshot.outcome.is_up {
            true => Status::OK,
            false => manner.failure_status,
        };
        let encoding = match manner.encoding {
            // What a plain response would say: the length of a compressed one is not known. An error is
            // short, and a person who looks for its reason may not decode it.
            Encoding::Gzip if manner.is_head || status != Status::OK => Encoding::Identity,
            encoding => encoding,
        };
        let body = Body::new(&snapshot, &selection, encoding);
        let length = match &body {
            Body::Plain { length, .. } => Some(*length),
            _ => None,
        };
        Self {
            source: Some((snapshot, selection)),
            body: if manner.is_head { Body::Over } else { body },
            head: Some(Head {
                length,
                encoding,
                status,
            }),
            keep_alive: manner.keep_alive,
            began: now,
            rests_until: None,
            piece: None,
        }
    }

    /// The rest of a text that the kernel did not take at once.
    pub(crate) fn rest_of_text(rest: &[u8], keep_alive: bool, now: Instant) -> Self {
        Self {
            source: None,
            body: Body::Over,
            head: None,
            keep_alive,
            began: now,
            rests_until: None,
            piece: Some((rest.into(), 0..rest.len())),
        }
    }

    /// Size in bytes of the rest of a text; 0 for other responses.
    pub(crate) fn text_bytes(&self) -> usize {
        let piece = self.piece.as_ref().filter(|_| self.source.is_none());
        piece.map_or(0, |(bytes, _)| bytes.len())
    }

    /// Whether it is sent from this snapshot.
    pub(crate) fn reads(&self, snapshot: &Arc<Snapshot>) -> bool {
        let source = self.source.as_ref();
        source.is_some_and(|(own, _)| Arc::ptr_eq(own, snapshot))
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
        let pieces = match self.body.is_chunked() {
            true => COMPRESSED_PIECES_A_TURN,
            false => PIECES_A_TURN,
        };
        for _ in 0..pieces {
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
            if self.body.is_over() {
                return Ok(Progress::Sent);
            }
        }
        Ok(Progress::Unfinished)
    }

    fn next_piece(
        &mut self,
        buffers: &mut Buffers,
    ) -> Result<(Box<[u8]>, Range<usize>), SendError> {
        let mut buffer = buffers.take()?;
        let made = self.put_piece(&mut buffer, buffers);
        match made {
            Ok(piece) => {
                buffers.is_short = false;
                Ok((buffer, piece))
            }
            Err(error) => {
                buffers.give_back(buffer);
                Err(error)
            }
        }
    }

    /// Puts the next piece into `buffer`; returns where it is.
    fn put_piece(
        &mut self,
        buffer: &mut [u8],
        buffers: &mut Buffers,
    ) -> Result<Range<usize>, SendError> {
        let (room, to) = buffer.split_at_mut(HEAD_BYTES);
        let Some((snapshot, selection)) = &self.source else {
            return Ok(0..0);
        };
        let response = (&**snapshot, selection);
        let filled = self
            .body
            .fill(response, &mut buffers.common, &mut to[..BUFFER_BYTES])
            .map_err(|error| match error {
                BodyError::NoMemory => buffers.no_memory(),
                BodyError::NoRoom => SendError::NoRoom,
                BodyError::WrongLength {
                    announced,
                    left,
                    filled,
                } => SendError::WrongLength {
                    announced,
                    left,
                    filled,
                },
            })?;
        let mut end = HEAD_BYTES + filled;
        let mut chunk = None;
        if self.body.is_chunked() {
            chunk = Some(filled);
            end += body::put_chunk_end(&mut to[filled..], self.body.is_over());
        }
        let start = put_before(room, self.head.take(), self.keep_alive, chunk)?;
        Ok(start..end)
    }
}

/// Puts the head and the size of a chunk at the end of `room`, where there are such; returns where they begin.
fn put_before(
    room: &mut [u8],
    head: Option<Head>,
    keep_alive: bool,
    chunk: Option<usize>,
) -> io::Result<usize> {
    let mut rest = &mut room[..];
    if let Some(head) = head {
        let connection = if keep_alive { "keep-alive" } else { "close" };
        let Status(status) = head.status;
        write!(
            rest,
            "HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\n"
        )?;
        if head.encoding == Encoding::Gzip {
            rest.write_all(b"Content-Encoding: gzip\r\n")?;
        }
        if head.encoding != Encoding::Fixed {
            rest.write_all(b"Vary: Accept-Encoding\r\n")?;
        }
        match head.length {
            Some(length) => write!(rest, "Content-Length: {length}\r\n")?,
            None => rest.write_all(b"Transfer-Encoding: chunked\r\n")?,
        }
        write!(rest, "Connection: {connection}\r\n\r\n")?;
    }
    if let Some(bytes) = chunk {
        write!(rest, "{bytes:x}\r\n")?;
    }
    let unused = rest.len();
    let used = room.len() - unused;
    room.copy_within(..used, unused);
    Ok(unused)
}

#[cfg(test)]
mod tests;
