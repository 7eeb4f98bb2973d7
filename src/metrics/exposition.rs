//! Prometheus' text format 0.0.4: headers, labels, escapes, lines.

use super::copy;
use super::labels::LABELS;
use super::snapshot::LABELS_END;
use super::value::MAX_VALUE_BYTES;
use super::{Cell, Family, Group};

/// `Content-Type` of the format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Size of a response buffer. It is large enough that a write costs little more than its bytes, and
/// small enough to stay in the CPU cache on its way to the socket. It holds the longest line: three
/// texts of `MAX_NAME_BYTES`, each up to three times as long after escaping.
pub(crate) const BUFFER_BYTES: usize = 64 * 1024;

/// Maximum length of metric names and of usual labels.
const SHORT_TEXT: usize = 64;
/// Maximum length of the labels of a cell.
const SHORT_LABEL: usize = 32;
/// Maximum length of the text before a row's labels: prefix and name of a family, and the name of
/// the first label.
const MAX_BEFORE_BYTES: usize = 128;

/// The parts that all sample lines of one cell have in common.
#[derive(Clone)]
pub(crate) struct CellLine {
    /// `name{label="`, followed by zeros, so that it can be copied in one block.
    before: [u8; MAX_BEFORE_BYTES],
    before_bytes: usize,
    /// `,label="value"} `, which replaces the end of a row's labels; empty for a cell without a
    /// label.
    behind: [u8; SHORT_LABEL],
    behind_bytes: usize,
}

impl CellLine {
    /// The texts around the labels and values of a cell's samples.
    pub(crate) fn new(group: &Group, family: &Family, cell: &Cell) -> Self {
        let mut line = Self {
            before: [0; MAX_BEFORE_BYTES],
            before_bytes: 0,
            behind: [0; SHORT_LABEL],
            behind_bytes: 0,
        };
        let before = [group.prefix, family.name];
        let open = match group.labels.first() {
            None => [" ", "", ""],
            Some(label) => ["{", label, "=\""],
        };
        for text in before.into_iter().chain(open) {
            put(&mut line.before, &mut line.before_bytes, text);
        }
        let (label, value) = LABELS[usize::from(cell.label)];
        if !label.is_empty() {
            for text in [",", label, "=\"", value, "\"} "] {
                put(&mut line.behind, &mut line.behind_bytes, text);
            }
        }
        line
    }

    /// The text before the labels.
    pub(super) fn before(&self) -> &[u8] {
        &self.before[..self.before_bytes]
    }

    /// The text after the quote of a row's last label.
    pub(super) fn behind(&self) -> &[u8] {
        match self.behind_bytes {
            0 => &LABELS_END[1..],
            bytes => &self.behind[..bytes],
        }
    }

    /// Number of bytes of a row's labels that are replaced.
    fn replaced_bytes(&self) -> usize {
        // The quote stays.
        if self.behind_bytes > 0 {
            LABELS_END.len() - 1
        } else {
            0
        }
    }

    /// Size in bytes of this many lines, whose labels and values have these sizes in total.
    pub(crate) fn bytes(&self, samples: u64, label_bytes: u64, value_bytes: u64) -> u64 {
        let each = self.before_bytes + self.behind_bytes + 1;
        let replaced = self.replaced_bytes() as u64;
        samples * each as u64 + label_bytes + value_bytes - samples * replaced
    }

    /// Writes a line at `used`; returns whether it fit. If the labels and the value have enough
    /// bytes after them for a whole block, copying is cheaper.
    #[inline(always)]
    pub(crate) fn put(
        &self,
        to: &mut [u8],
        used: &mut usize,
        (labels, label_bytes): (&[u8], usize),
        (value, value_bytes): (&[u8], usize),
    ) -> bool {
        let label_bytes = label_bytes - self.replaced_bytes();
        let length = self.before_bytes + label_bytes + self.behind_bytes + value_bytes + 1;
        let to = &mut to[*used..];
        if to.len() < length {
            return false;
        }
        copy::padded::<SHORT_TEXT>(to, &self.before, self.before_bytes);
        let to = &mut to[self.before_bytes..];
        copy::padded::<SHORT_TEXT>(to, labels, label_bytes);
        let mut to = &mut to[label_bytes..];
        if self.behind_bytes > 0 {
            copy::padded::<SHORT_LABEL>(to, &self.behind, self.behind_bytes);
            to = &mut to[self.behind_bytes..];
        }
        copy::padded::<MAX_VALUE_BYTES>(to, value, value_bytes);
        to[value_bytes] = b'\n';
        *used += length;
        true
    }
}

/// A test checks the table of names, so that everything fits.
fn put(to: &mut [u8], used: &mut usize, text: &str) {
    if copy::short(&mut to[*used..], text.as_bytes()) {
        *used += text.len();
    }
}

pub(super) fn header_parts(group: &Group, family: &Family) -> [&'static str; 13] {
    let (prefix, name, word) = (group.prefix, family.name, family.kind.word());
    let [help, scope, help_end] = family.help(group);
    [
        "# HELP ",
        prefix,
        name,
        " ",
        help,
        scope,
        help_end,
        "\n# TYPE ",
        prefix,
        name,
        " ",
        word,
        "\n",
    ]
}

/// Size of the HELP and TYPE lines of a family in bytes.
pub(crate) fn header_bytes(group: &Group, family: &Family) -> usize {
    header_parts(group, family)
        .iter()
        .map(|part| part.len())
        .sum()
}

/// Writes the HELP and TYPE lines of a family at `used`; returns whether they fit.
pub(crate) fn put_header(to: &mut [u8], used: &mut usize, group: &Group, family: &Family) -> bool {
    if to.len() - *used < header_bytes(group, family) {
        return false;
    }
    for part in header_parts(group, family) {
        put(to, used, part);
    }
    true
}

/// Appends a label value: backslash, quote and line feed are escaped, U+FFFD replaces bytes that
/// are not UTF-8.
pub(crate) fn push_escaped(to: &mut Vec<u8>, value: &[u8]) {
    // Names are nearly always plain ASCII: one check per byte, without a branch, and one copy.
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

#[cfg(test)]
mod tests;
