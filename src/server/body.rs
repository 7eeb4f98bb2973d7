//! The body of a response, piece by piece: the exposition as it is, or compressed.

use super::encoding::Encoding;
use crate::metrics::cursor::{self, Cursor};
use crate::metrics::gzip::{Common, Gzip};
use crate::metrics::selection::Selection;
use crate::metrics::snapshot::Snapshot;

/// What a chunk ends in, and the last of all (RFC 9112, 7.1).
const CHUNK_END: &[u8] = b"\r\n";
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
/// Room behind a piece for these.
pub(super) const END_BYTES: usize = CHUNK_END.len() + LAST_CHUNK.len();

/// What is still to come of a body.
pub(super) enum Body {
    /// The text.
    Plain {
        cursor: Cursor,
        /// Bytes that are not in a piece yet, and all of them.
        left: u64,
        length: u64,
    },
    /// The compressed text, in chunks: its length is not known before. Begun with the first piece.
    Gzip(Option<Box<Gzip>>),
    /// Nothing.
    Over,
}

/// Why there is no next piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// There is no memory for it.
    NoMemory,
    /// The text is not as long as announced.
    WrongLength {
        announced: u64,
        left: u64,
        filled: usize,
    },
    /// A line finds no room in a piece.
    NoRoom,
}

impl Body {
    /// All of what `selection` wants of `snapshot`.
    pub(super) fn new(snapshot: &Snapshot, selection: &Selection, encoding: Encoding) -> Self {
        match encoding {
            Encoding::Gzip => Self::Gzip(None),
            Encoding::Fixed | Encoding::Identity => {
                let length = cursor::exposition_bytes(snapshot, selection);
                Self::Plain {
                    cursor: Cursor::default(),
                    left: length,
                    length,
                }
            }
        }
    }

    /// Whether there is nothing to come.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Plain { left, .. } => *left == 0,
            Self::Gzip(gzip) => gzip.as_ref().is_some_and(|gzip| gzip.is_over()),
            Self::Over => true,
        }
    }

    /// Whether it comes in chunks.
    pub(super) fn is_chunked(&self) -> bool {
        matches!(self, Self::Gzip(_))
    }

    /// Puts the next piece into `to`, which must have `BUFFER_BYTES`, and returns its bytes.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn fill(
        &mut self,
        (snapshot, selection): (&Snapshot, &Selection),
        common: &mut Common,
        to: &mut [u8],
    ) -> Result<usize, BodyError> {
        match self {
            Self::Plain {
                cursor,
                left,
                length,
            } => {
                let filled = match *left {
                    0 => 0,
                    _ => cursor.fill(snapshot, selection, to),
                };
                // A client with a wrong length would wait for more, or read the next response as a part of this.
                *left = match left.checked_sub(filled as u64) {
                    Some(rest) if filled > 0 || rest == 0 => rest,
                    _ => {
                        return Err(BodyError::WrongLength {
                            announced: *length,
                            left: *left,
                            filled,
                        });
                    }
                };
                Ok(filled)
            }
            Self::Gzip(gzip) => {
                let gzip = match gzip {
                    Some(gzip) => gzip,
                    None => {
                        let made = Gzip::new(snapshot, selection, common);
                        gzip.insert(Box::new(made.map_err(|_| BodyError::NoMemory)?))
                    }
                };
                match gzip.fill(snapshot, selection, common, to) {
                    0 if !gzip.is_over() => Err(BodyError::NoRoom),
                    filled => Ok(filled),
                }
            }
            Self::Over => Ok(0),
        }
    }
}

/// Puts the end of a chunk, and of the last one, to the beginning of `to`; returns its bytes.
pub(super) fn put_chunk_end(to: &mut [u8], is_last: bool) -> usize {
    let last = if is_last { LAST_CHUNK } else { b"" };
    let both = CHUNK_END.iter().chain(last);
    to.iter_mut()
        .zip(both)
        .map(|(to, from)| *to = *from)
        .count()
}
