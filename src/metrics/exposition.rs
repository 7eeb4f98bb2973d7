//! Prometheus' text format 0.0.4: headers, labels, escapes, and the one fixed response buffer.

use std::io::{self, Write};

use crate::metrics::copy;
use crate::metrics::value::MAX_VALUE_BYTES;
use crate::metrics::{Family, SingleFamily};

/// `Content-Type` of the format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The response buffer: large enough that a write costs little beside its bytes, small enough to
/// stay in the processor's cache on its way to the socket.
pub const BUFFER_BYTES: usize = 64 * 1024;

/// Metric names and the labels of usual names are no longer.
pub(crate) const SHORT_TEXT: usize = 64;

/// One sample line, in three texts. They may have more behind what counts: where there is a block's
/// length of it, copying is cheaper.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The name and the column's own label; ends in the brace or a comma.
    pub prefix: &'a [u8],
    /// How much of it counts.
    pub prefix_bytes: usize,
    /// The row's labels; end in the blank before the value.
    pub labels: &'a [u8],
    /// How much of them counts.
    pub label_bytes: usize,
    /// The value.
    pub value: &'a [u8],
    /// How much of it counts.
    pub value_bytes: usize,
}

/// Writes sample lines into a fixed buffer and passes it on whenever it is full.
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    used: usize,
    out: &'a mut dyn Write,
}

impl<'a> Writer<'a> {
    /// A writer to `out` through `buffer`, which must hold the longest line (two escaped names of
    /// `rules::MAX_NAME_BYTES`, see `BUFFER_BYTES`).
    pub fn new(buffer: &'a mut [u8], out: &'a mut dyn Write) -> Self {
        Self {
            buffer,
            used: 0,
            out,
        }
    }

    /// Puts text that is already in the format.
    ///
    /// # Errors
    /// Those of the output, as for all methods here.
    pub fn text(&mut self, text: &[u8]) -> io::Result<()> {
        for piece in text.chunks(self.buffer.len()) {
            self.room(piece.len())?;
            self.put(piece);
        }
        Ok(())
    }

    /// Puts the HELP and TYPE lines of a family.
    pub fn header(&mut self, family: &Family) -> io::Result<()> {
        header_parts(family)
            .iter()
            .try_for_each(|part| self.text(part.as_bytes()))
    }

    /// Puts one sample line.
    #[inline]
    pub fn sample(&mut self, line: Line<'_>) -> io::Result<()> {
        let before = line.prefix_bytes + line.label_bytes;
        let length = before + line.value_bytes + 1;
        self.room(length)?;
        let to = &mut self.buffer[self.used..];
        copy::padded::<SHORT_TEXT>(to, line.prefix, line.prefix_bytes);
        let labels = &mut to[line.prefix_bytes..];
        copy::padded::<SHORT_TEXT>(labels, line.labels, line.label_bytes);
        let value = &mut to[before..];
        copy::padded::<MAX_VALUE_BYTES>(value, line.value, line.value_bytes);
        value[line.value_bytes] = b'\n';
        self.used += length;
        Ok(())
    }

    /// Passes on what the buffer still holds.
    pub fn flush(&mut self) -> io::Result<()> {
        let used = std::mem::take(&mut self.used);
        self.out.write_all(&self.buffer[..used])
    }

    #[inline]
    fn room(&mut self, bytes: usize) -> io::Result<()> {
        if self.buffer.len() - self.used < bytes {
            self.make_room(bytes)?;
        }
        Ok(())
    }

    #[cold]
    fn make_room(&mut self, bytes: usize) -> io::Result<()> {
        self.flush()?;
        if self.buffer.len() < bytes {
            return Err(io::Error::other(
                "a sample line is longer than the response buffer",
            ));
        }
        Ok(())
    }

    #[inline]
    fn put(&mut self, text: &[u8]) {
        self.buffer[self.used..self.used + text.len()].copy_from_slice(text);
        self.used += text.len();
    }
}

fn header_parts(family: &Family) -> [&str; 9] {
    let (name, word) = (family.name, family.kind.word());
    [
        "# HELP ",
        name,
        " ",
        family.help,
        "\n# TYPE ",
        name,
        " ",
        word,
        "\n",
    ]
}

/// Bytes of a family's HELP and TYPE lines.
pub(crate) fn header_bytes(family: &Family) -> u64 {
    header_parts(family)
        .iter()
        .map(|part| part.len() as u64)
        .sum()
}

/// What stands before a row's labels: the name, a brace and the column's own label.
pub(crate) fn line_prefix(name: &str, label: Option<(&str, &str)>) -> Vec<u8> {
    let mut prefix = format!("{name}{{").into_bytes();
    if let Some((label, value)) = label {
        push_label(&mut prefix, false, label, value.as_bytes());
        prefix.push(b',');
    }
    prefix
}

/// Appends `name="value"` with the escapes of the format, and a comma before it where one is needed.
pub(crate) fn push_label(to: &mut Vec<u8>, comma: bool, name: &str, value: &[u8]) {
    if comma {
        to.push(b',');
    }
    to.extend_from_slice(name.as_bytes());
    to.extend_from_slice(b"=\"");
    push_escaped(to, value);
    to.push(b'"');
}

/// Appends a label value: backslash, quote and line feed escaped, U+FFFD for bytes that are no UTF-8.
pub(crate) fn push_escaped(to: &mut Vec<u8>, value: &[u8]) {
    // Names are plain ASCII nearly always: one look at each byte, without a branch, and one copy.
    let is_plain = |b: &u8| b.is_ascii() & (*b != b'"') & (*b != b'\\') & (*b != b'\n');
    if value.iter().fold(true, |all, b| all & is_plain(b)) {
        to.extend_from_slice(value);
        return;
    }
    for chunk in value.utf8_chunks() {
        for byte in chunk.valid().bytes() {
            match byte {
                b'\\' => to.extend_from_slice(b"\\\\"),
                b'"' => to.extend_from_slice(b"\\\""),
                b'\n' => to.extend_from_slice(b"\\n"),
                byte => to.push(byte),
            }
        }
        if !chunk.invalid().is_empty() {
            to.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

/// Appends a family with one sample.
pub fn push_single(
    to: &mut Vec<u8>,
    family: &SingleFamily,
    labels: &[&[u8]],
    value: impl std::fmt::Display,
) {
    for part in header_parts(&family.family) {
        to.extend_from_slice(part.as_bytes());
    }
    to.extend_from_slice(family.family.name.as_bytes());
    if !labels.is_empty() {
        to.push(b'{');
        for (position, (name, text)) in family.labels.iter().zip(labels).enumerate() {
            push_label(to, position > 0, name, text);
        }
        to.push(b'}');
    }
    // Writing to a Vec cannot fail.
    let _ = writeln!(to, " {value}");
}

#[cfg(test)]
mod tests;
