//! The head of an HTTP response, and how its body ends (RFC 9112, sections 4, 6 and 7).

use super::error::{HttpError, NetError};
use super::unsigned;

/// Largest head of a response.
pub(crate) const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Maximum length of the line with a chunk's size, in bytes. No known server uses extensions of
/// chunks.
const MAX_CHUNK_LINE_BYTES: usize = 4096;

/// The body is shorter than its length or lacks its last chunk.
pub(crate) const CUT_BODY: &str = "response cut: the body is shorter than announced";
/// The size or the end of a chunk is malformed.
const BAD_CHUNK: &str = "bad chunk in the response";
/// Credentials are missing or wrong.
const UNAUTHORIZED: &str = "user or password are missing or wrong (http://user:password@host/path)";
/// The head was cut.
const CUT_HEAD: &str = "response cut in its head";

/// What marks the end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The end of the connection.
    Close,
    /// This number of bytes.
    Length(u64),
    /// A chunk of size 0.
    Chunks,
}

/// Reads until the head is complete; returns where the body begins in `head`.
pub(crate) fn read_head(
    receive: &mut dyn FnMut(&mut [u8]) -> Result<usize, NetError>,
    head: &mut Vec<u8>,
) -> Result<usize, NetError> {
    head.clear();
    let mut piece = [0; 4096];
    let mut searched = 0;
    loop {
        let count = receive(&mut piece)?;
        if count == 0 {
            return Err(NetError::Http(HttpError::from(match head.is_empty() {
                true => "closed without a reply",
                false => CUT_HEAD,
            })));
        }
        head.extend_from_slice(&piece[..count]);
        // A server that does not speak HTTP might never end its first line: report that instead of
        // waiting.
        let start = &head[..head.len().min(5)];
        if start != &b"HTTP/"[..start.len()] {
            let error = status(head).err();
            return Err(NetError::Http(error.unwrap_or_else(|| CUT_HEAD.into())));
        }
        // The empty line can begin in the previous piece.
        let from = usize::saturating_sub(searched, 3);
        let end = head_end(&head[from..]).map(|end| from + end);
        if let Some(end) = end.filter(|end| *end <= MAX_HEAD_BYTES) {
            return Ok(end);
        }
        searched = head.len();
        if searched > MAX_HEAD_BYTES {
            let why = format!("the response's head is larger than {MAX_HEAD_BYTES} bytes");
            return Err(NetError::Http(why.into()));
        }
    }
}

/// Finds the end of a head: the position after its empty line.
pub fn head_end(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes).find_map(|at| match &bytes[at + 1..] {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

/// The status line of a head: its number, and its text without the line end.
///
/// # Errors
/// If it is not HTTP/1.
pub fn status(head: &[u8]) -> Result<(u16, String), HttpError> {
    let line = head
        .split(|b| *b == b'\n')
        .next()
        .unwrap_or_default()
        .trim_ascii_end();
    let text = text(line);
    let not_http = || HttpError::from(format!("not an HTTP response: it begins {text:?}"));
    let rest = line.strip_prefix(b"HTTP/1.").ok_or_else(not_http)?;
    match rest {
        [
            b'0'..=b'9',
            b' ',
            a @ b'1'..=b'9',
            b @ b'0'..=b'9',
            c @ b'0'..=b'9',
            rest @ ..,
        ] if matches!(rest.first(), None | Some(b' ')) => {
            let digit = |d: u8| u16::from(d - b'0');
            Ok((digit(*a) * 100 + digit(*b) * 10 + digit(*c), text))
        }
        _ => Err(not_http()),
    }
}

/// Checks a complete head and returns what marks the end of the body.
///
/// # Errors
/// If the response is not the whole page.
pub fn parse(head: &[u8]) -> Result<Ending, HttpError> {
    let (code, line) = status(head)?;
    let other = || HttpError::from(format!("the response is {line:?} instead of 200"));
    match code {
        // 203: a proxy changed something, such as the encoding. Other statuses do not have the
        // whole page.
        200 | 203 => {}
        300..=399 => {
            let location = headers(head).find(|(name, _)| name.eq_ignore_ascii_case(b"location"));
            return Err(match location {
                Some((_, location)) => {
                    let location = text(location);
                    let why = format!("the response is a redirect ({code}) to {location:?}");
                    format!("{why}: use that URI").into()
                }
                None => other(),
            });
        }
        401 => return Err(UNAUTHORIZED.into()),
        // Upgrade Required, HTTP Version Not Supported (RFC 9110, 15.5.22 and 15.6.6).
        426 | 505 => {
            let why = "(this exporter speaks HTTP/1.0)";
            return Err(format!("the response is {line:?} instead of 200 {why}").into());
        }
        // HAProxy replies 503 where no frontend takes the path, web servers 404.
        404 | 503 => {
            let why = "(is its path that of \"stats uri\", followed by \";csv\"?)";
            return Err(format!("the response is {line:?} instead of 200 {why}").into());
        }
        _ => return Err(other()),
    }
    body_ending(head)
}

/// What marks the end of the body after a head, for any status.
///
/// # Errors
/// If the fields contradict each other.
pub(crate) fn body_ending(head: &[u8]) -> Result<Ending, HttpError> {
    let mut length = None;
    let mut chunked = false;
    for (name, value) in headers(head) {
        if name.eq_ignore_ascii_case(b"content-length") {
            let number = content_length(value)?;
            if length.is_some_and(|before| before != number) {
                return Err("bad length of the response: two that differ".into());
            }
            length = Some(number);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(encoding(value));
            }
            chunked = true;
        } else if name.eq_ignore_ascii_case(b"content-encoding")
            && !value.eq_ignore_ascii_case(b"identity")
        {
            return Err(encoding(value));
        }
    }
    match (length, chunked) {
        (Some(_), true) => Err("bad length of the response: both a number and chunks".into()),
        (None, true) => Ok(Ending::Chunks),
        (Some(length), false) => Ok(Ending::Length(length)),
        (None, false) => Ok(Ending::Close),
    }
}

/// An encoding that the request did not accept.
fn encoding(value: &[u8]) -> HttpError {
    let what = text(value);
    format!("the response has an encoding that was not requested: {what:?}").into()
}

fn content_length(value: &[u8]) -> Result<u64, HttpError> {
    unsigned(value).ok_or_else(|| format!("bad length of the response: {:?}", text(value)).into())
}

/// Names and values of the fields of a head, without spaces around the values.
fn headers(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    head.split(|b| *b == b'\n').skip(1).filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        Some((line[..colon].trim_ascii(), line[colon + 1..].trim_ascii()))
    })
}

/// Text of the peer for an error message: shortened, with unprintable bytes replaced.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}

/// Decodes the chunks of a body, from pieces of any size.
#[derive(Debug, Default)]
pub struct ChunkDecoder {
    state: ChunkState,
    line_bytes: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ChunkState {
    /// In the line with the size; `None` before the first digit.
    #[default]
    SizeStart,
    Size(u64),
    /// After the size, in an extension or before the line feed.
    Extension(u64),
    /// In the data, with this number of bytes left.
    Data(u64),
    /// At the line end after the data, and between its two bytes. Both are checked, so that a size
    /// that is wrong by one is detected.
    DataEnd,
    DataLineFeed,
    /// In the lines after the last chunk; whether the current line is empty so far.
    Trailer(bool),
    Done,
}

impl ChunkDecoder {
    /// Whether the last chunk was seen.
    pub fn is_done(&self) -> bool {
        self.state == ChunkState::Done
    }

    /// Splits `raw` into the bytes consumed and the data among them. Returns the number of bytes
    /// consumed, and the range of them that is data. Must be called until everything is consumed or
    /// the decoder is done.
    ///
    /// # Errors
    /// If the chunks are malformed.
    pub fn next(&mut self, raw: &[u8]) -> Result<(usize, std::ops::Range<usize>), HttpError> {
        for (at, byte) in raw.iter().enumerate() {
            if let ChunkState::Data(left) = self.state {
                let here = usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(raw.len() - at);
                let left = left - here as u64;
                self.state = if left == 0 {
                    ChunkState::DataEnd
                } else {
                    ChunkState::Data(left)
                };
                return Ok((at + here, at..at + here));
            }
            if self.is_done() {
                return Ok((at, at..at));
            }
            self.step(*byte)?;
        }
        Ok((raw.len(), raw.len()..raw.len()))
    }

    fn step(&mut self, byte: u8) -> Result<(), HttpError> {
        self.line_bytes += 1;
        if self.line_bytes > MAX_CHUNK_LINE_BYTES {
            return Err(BAD_CHUNK.into());
        }
        let digit = char::from(byte).to_digit(16).map(u64::from);
        self.state = match (self.state, byte, digit) {
            (ChunkState::SizeStart, _, Some(digit)) => ChunkState::Size(digit),
            (ChunkState::Size(size), _, Some(digit)) if size < 1 << 59 => {
                ChunkState::Size(size * 16 + digit)
            }
            (ChunkState::Size(size) | ChunkState::Extension(size), b'\n', _) => {
                self.line_bytes = 0;
                if size == 0 {
                    ChunkState::Trailer(true)
                } else {
                    ChunkState::Data(size)
                }
            }
            (ChunkState::Size(size), b';' | b'\r' | b' ' | b'\t', _) => ChunkState::Extension(size),
            (ChunkState::Extension(size), _, _) => ChunkState::Extension(size),
            (ChunkState::DataEnd, b'\r', _) => ChunkState::DataLineFeed,
            (ChunkState::DataLineFeed, b'\n', _) => {
                self.line_bytes = 0;
                ChunkState::SizeStart
            }
            (ChunkState::Trailer(true), b'\n', _) => ChunkState::Done,
            (ChunkState::Trailer(false), b'\n', _) => ChunkState::Trailer(true),
            (ChunkState::Trailer(empty), b'\r', _) => ChunkState::Trailer(empty),
            (ChunkState::Trailer(_), _, _) => ChunkState::Trailer(false),
            _ => return Err(BAD_CHUNK.into()),
        };
        Ok(())
    }
}

/// Base64 (RFC 4648, section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            if position <= group.len() {
                text.push(char::from(
                    ALPHABET[(bits >> (18 - 6 * position) & 63) as usize],
                ));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
