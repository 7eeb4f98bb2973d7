//! Log lines on standard error: logfmt or JSON, one `write` per line.
//!
//! Two rules. Text from a peer is never logged raw: control characters are escaped. If nobody reads
//! standard error, lines can be lost, but the exporter never blocks.

mod output;

use std::fmt::{self, Display, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use crate::sys;
use crate::sys::calendar::Utc;

/// Severity of a line; lines below the configured level are not written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Each scrape; clients that were refused, cut off, or could not be accepted.
    Debug,
    /// Start, stop, and changes.
    #[default]
    Info,
    /// A part of the response is missing.
    Warn,
    /// A scrape or a start failed.
    Error,
}

/// Format of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `ts=... level=info msg="..."`
    #[default]
    Logfmt,
    /// One JSON object per line.
    Json,
}

/// Maximum length of a line in bytes. A pipe accepts a write of this size completely or not at all
/// (POSIX, PIPE_BUF).
const MAX_LINE_BYTES: usize = 4096;

static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);
static JSON: AtomicBool = AtomicBool::new(false);

/// Sets level and format of the whole process.
pub(crate) fn configure(level: Level, format: Format) {
    LEVEL.store(level as u8, Ordering::Relaxed);
    JSON.store(format == Format::Json, Ordering::Relaxed);
}

/// Writes no more lines.
pub(crate) fn silence() {
    LEVEL.store(u8::MAX, Ordering::Relaxed);
}

/// Whether a line of this level would be written.
pub(crate) fn enabled(level: Level) -> bool {
    level as u8 >= LEVEL.load(Ordering::Relaxed)
}

/// Writes one line with its fields.
pub(crate) fn line(level: Level, message: &str, fields: &[(&str, &dyn Display)]) {
    if !enabled(level) {
        return;
    }
    let format = if JSON.load(Ordering::Relaxed) {
        Format::Json
    } else {
        Format::Logfmt
    };
    let lost = output::take_lost();
    let mut text = render(format, level, sys::time_of_day(), message, fields, lost);
    text.push('\n');
    if !output::write(text.as_bytes()) {
        output::add_lost(lost + 1);
    }
}

/// Writes a text that is not a log line, such as the reason of a failed start.
pub(crate) fn plain(text: &str) {
    output::write(format!("{text}\n").as_bytes());
}

/// `line` at level error.
pub(crate) fn error(message: &str, fields: &[(&str, &dyn Display)]) {
    line(Level::Error, message, fields);
}

/// `line` at level warn.
pub(crate) fn warn(message: &str, fields: &[(&str, &dyn Display)]) {
    line(Level::Warn, message, fields);
}

/// `line` at level info.
pub(crate) fn info(message: &str, fields: &[(&str, &dyn Display)]) {
    line(Level::Info, message, fields);
}

/// `line` at level debug.
pub(crate) fn debug(message: &str, fields: &[(&str, &dyn Display)]) {
    line(Level::Debug, message, fields);
}

fn render(
    format: Format,
    level: Level,
    since_1970: Duration,
    message: &str,
    fields: &[(&str, &dyn Display)],
    lost: u64,
) -> String {
    let level = match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    let mut text = String::with_capacity(256);
    if format == Format::Json {
        text.push('{');
    }
    field(&mut text, format, "ts", &timestamp(since_1970));
    field(&mut text, format, "level", level);
    field(&mut text, format, "msg", message);
    if lost > 0 {
        field(&mut text, format, "lines_lost", &lost.to_string());
    }
    for (number, (key, value)) in fields.iter().enumerate() {
        // 8 bytes of each field are reserved for quotes and separators, and 8 bytes for the end of
        // the line.
        let keys = fields[number..].iter().map(|(key, _)| key.len() + 8);
        let room = MAX_LINE_BYTES.saturating_sub(text.len() + keys.sum::<usize>() + 8);
        field(&mut text, format, key, shorten(&value.to_string(), room));
    }
    if format == Format::Json {
        text.push('}');
    }
    text
}

/// The longest prefix of `value` whose escaped form fits into `room` bytes.
fn shorten(value: &str, room: usize) -> &str {
    // An escaped character takes at most 6 bytes (\u001f), and at least as many as it has itself.
    let mut used = 0;
    for (at, c) in value.char_indices() {
        used += if needs_escape(c) { 6 } else { c.len_utf8() };
        if used > room {
            return &value[..at];
        }
    }
    value
}

fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '"' | '\\' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn field(text: &mut String, format: Format, key: &str, value: &str) {
    match format {
        Format::Json => {
            if !text.ends_with('{') {
                text.push(',');
            }
            quote(text, key);
            text.push(':');
            quote(text, value);
        }
        Format::Logfmt => {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(key);
            text.push('=');
            let plain = !value.is_empty()
                && value
                    .chars()
                    .all(|c| !needs_escape(c) && c != ' ' && c != '=');
            if plain {
                text.push_str(value)
            } else {
                quote(text, value)
            }
        }
    }
}

/// A JSON string, which readers of logfmt accept in quotes too (RFC 8259, section 7).
fn quote(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if needs_escape(c) => {
                // Writing to a String cannot fail; all these characters are below U+10000.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

/// A time in milliseconds, with one digit after the point, not rounded.
pub(crate) struct Milliseconds(pub(crate) Duration);

impl Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0.as_micros() as u64 / 100;
        write!(f, "{}.{} ms", tenths / 10, tenths % 10)
    }
}

/// RFC 3339 in UTC with milliseconds.
fn timestamp(since_1970: Duration) -> String {
    let (seconds, milliseconds) = (since_1970.as_secs(), since_1970.subsec_millis());
    format!("{}.{milliseconds:03}Z", Utc(seconds))
}

#[cfg(test)]
mod tests;
