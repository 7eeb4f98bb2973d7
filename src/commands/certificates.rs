//! When the certificates expire that HAProxy has loaded (`--haproxy.certificates`): `show ssl sni`
//! (3.2 and later); for older releases `show ssl cert` for the names and `show ssl cert FILE` for
//! each (management guide, section 9.3). HAProxy's built-in exporter has no such families.

use std::collections::BTreeMap;
use std::time::Duration;

use super::command::{Ask, Command, OfStatus, Periodic, ReadError, When};
use crate::config::Flag;
use crate::config::Takes::Switch;
use crate::haproxy::error::{Problem, SourceError};
use crate::haproxy::failures::excerpt;
use crate::haproxy::limits::MAX_NAME_BYTES;
use crate::haproxy::reply::{Proof, Reply, ReplyError, Taken};
use crate::metrics::macros::table;
use crate::metrics::snapshot::Sink;
use crate::metrics::value::Value;
use crate::sys::calendar;

/// Interval of reading: a thousand certificates cost HAProxy up to 30 ms.
const READ_EVERY: Duration = Duration::from_secs(300);

pub(super) static COMMAND: Command = Command {
    ask: SHOW_SSL_SNI,
    flag: Some(Flag::new(
        "haproxy.certificates",
        Switch(false),
        "Export when the loaded certificates expire; needs a CLI socket (level operator before HAProxy 3.2)",
        |to, text| to.turn_command(SHOW_SSL_SNI, text),
    )),
    groups: &[&CERTIFICATE.group, &CERTIFICATES.group],
    when: When::NowAndThen {
        every: READ_EVERY,
        answer: || Box::new(Certificates::new(Form::Sni)),
        status: &CERTIFICATES,
    },
    events: Some([
        "certificates cannot be read",
        "certificates can be read again",
    ]),
    ..Command::USUAL
};

type OfEnd = fn(&i64) -> Value<'_>;

table! {
    /// One row per certificate, by the second since 1970-01-01 UTC at which it expires.
    static CERTIFICATE: OfEnd {
        prefix: "haproxy_ssl_certificate_",
        labels: &["filename"],
    }
    Gauge   not_after_timestamp_seconds = |end| Value::Signed(*end), "Time when a certificate that HAProxy has loaded expires, in seconds since 1970-01-01 UTC.";
}

table! {
    /// One row.
    static CERTIFICATES: OfStatus {
        prefix: "haproxy_ssl_certificates_",
    }
    Gauge   up = |status| status.is_up.into(), "1 if the certificates that HAProxy has loaded could be read, else 0.";
    Gauge   last_read_timestamp_seconds = |status| status.read_at.into(), "Time when the certificates were last read, in seconds since 1970-01-01 UTC.";
}

/// The command of 3.2: a row for each name and bind; any level.
const SHOW_SSL_SNI: &str = "show ssl sni";
/// The names of the files; needs level operator.
const SHOW_SSL_CERT: &str = "show ssl cert";
/// The reply below that level.
const DENIED: &[u8] = b"Can't allocate memory!";
/// Maximum number of certificates: each is a sample of each scrape.
const MAX_CERTIFICATES: usize = 10_000;
/// Size in bytes of a name's entry in the list, without the name.
const ENTRY_BYTES: usize = 64;
/// Maximum length of a command line: HAProxy's buffers have 16,384 bytes, a part of which is
/// reserved.
const MAX_LINE_BYTES: usize = 15_000;
/// Maximum length of a line of a reply; HAProxy prints no longer ones.
const MAX_ANSWER_LINE_BYTES: usize = 64 * 1024;

/// The kind of reply that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Sni,
    Names,
    Files,
}

/// Names of files, and when the certificate of each expires, in seconds since 1970-01-01 UTC.
#[derive(Debug)]
struct Certificates {
    form: Form,
    /// `None` if it is not known yet.
    files: BTreeMap<Vec<u8>, Option<i64>>,
    /// Positions of the file and the expiry in `show ssl sni`.
    columns: Option<(usize, usize)>,
    /// The file that the current lines describe.
    current: Vec<u8>,
    /// Number of replies that are still expected.
    expected: usize,
    lines: usize,
    error: Option<ReplyError>,
}

impl Certificates {
    fn new(form: Form) -> Self {
        Self {
            form,
            files: BTreeMap::new(),
            columns: None,
            current: Vec::new(),
            expected: 1,
            lines: 0,
            error: None,
        }
    }

    /// All certificates whose expiry is known.
    fn iter(&self) -> impl Iterator<Item = (&[u8], i64)> {
        let files = self.files.iter();
        files.filter_map(|(name, end)| Some((&name[..], (*end)?)))
    }

    /// Command lines that query each file, with the number of replies to each. Files whose names
    /// the CLI would interpret differently are skipped.
    fn commands(&self) -> Vec<(String, usize)> {
        let mut lines: Vec<(String, usize)> = Vec::new();
        for name in self.files.keys() {
            let Some(name) = std::str::from_utf8(name).ok().filter(|name| is_safe(name)) else {
                continue;
            };
            let length = SHOW_SSL_CERT.len() + name.len() + 2;
            match lines.last_mut() {
                Some((line, answers)) if line.len() + length < MAX_LINE_BYTES => {
                    line.push_str(&format!(";{SHOW_SSL_CERT} {name}"));
                    *answers += 1;
                }
                _ => lines.push((format!("{SHOW_SSL_CERT} {name}"), 1)),
            }
        }
        lines
    }

    /// This number of replies to `show ssl cert FILE` follows.
    fn expect_files(&mut self, answers: usize) {
        self.form = Form::Files;
        self.expected = answers;
        self.lines = 0;
        self.current.clear();
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), ReplyError> {
        self.lines += 1;
        match self.form {
            Form::Sni => self.take_row(line),
            Form::Names => self.take_name(line),
            Form::Files => self.take_detail(line),
        }
    }

    /// The columns are identified by the header.
    fn take_row(&mut self, line: &[u8]) -> Result<(), ReplyError> {
        let cells = || line.split(|byte| *byte == b'\t');
        let Some((file, end)) = self.columns else {
            let at = |name: &[u8]| cells().position(|cell| cell == name);
            self.columns = at(b"Filename").zip(at(b"NotAfter"));
            let is_header = self.columns.is_some() && line.starts_with(b"# ");
            return is_header.then_some(()).ok_or_else(|| self.refused(line));
        };
        let refused = || self.refused(line);
        let file = cells().nth(file).ok_or_else(refused)?;
        let end = cells().nth(end).and_then(seconds).ok_or_else(refused)?;
        self.put(file, Some(end))
    }

    /// `# filename`, and before it possibly `# transaction` with uncommitted files: `*/path`.
    fn take_name(&mut self, line: &[u8]) -> Result<(), ReplyError> {
        if self.lines == 1 && !line.starts_with(b"# ") {
            return Err(self.refused(line));
        }
        match line.first() {
            Some(b'#' | b'*') => Ok(()),
            _ => self.put(line, None),
        }
    }

    /// For a file that was deleted meanwhile, or a bundle, the reply is another line: it has no
    /// expiry.
    fn take_detail(&mut self, line: &[u8]) -> Result<(), ReplyError> {
        if line == DENIED {
            return Err(self.refused(line));
        }
        if let Some(name) = line.strip_prefix(b"Filename: ") {
            self.current = name.to_vec();
        }
        let end = line.strip_prefix(b"notAfter: ").and_then(seconds);
        if let (Some(end), Some(file)) = (end, self.files.get_mut(&self.current)) {
            *file = Some(end);
        }
        Ok(())
    }

    /// The reply contains a line of another command.
    fn refused(&self, line: &[u8]) -> ReplyError {
        let command = match self.form {
            Form::Sni => SHOW_SSL_SNI,
            Form::Names | Form::Files => SHOW_SSL_CERT,
        };
        ReplyError::OfAnotherKind(command, excerpt(line))
    }

    fn put(&mut self, file: &[u8], end: Option<i64>) -> Result<(), ReplyError> {
        if file.len() > MAX_NAME_BYTES {
            return Err(ReplyError::NameTooLong(self.lines as u64));
        }
        self.files.entry(file.to_vec()).or_insert(end);
        match self.files.len() > MAX_CERTIFICATES {
            true => Err(ReplyError::TooMany(MAX_CERTIFICATES, "certificates")),
            false => Ok(()),
        }
    }
}

impl Periodic for Certificates {
    fn kept_bytes(&self) -> usize {
        let names = self.files.keys().map(Vec::len).sum::<usize>();
        names + self.files.len() * ENTRY_BYTES
    }

    /// HAProxy before 3.2 does not know the first command: then each file is queried.
    fn read(&mut self, ask: &mut Ask<'_>) -> Result<(), ReadError> {
        *self = Self::new(Form::Sni);
        match ask(SHOW_SSL_SNI, self) {
            Err(ReadError::Failed(error)) if is_unknown(&error) => {}
            result => return result,
        }
        *self = Self::new(Form::Names);
        ask(SHOW_SSL_CERT, self)?;
        for (line, answers) in self.commands() {
            self.expect_files(answers);
            ask(&line, self)?;
        }
        Ok(())
    }

    fn put_rows(&self, into: &mut Sink<'_>) {
        let mut rows = into.add(&CERTIFICATE);
        for (name, end) in self.iter() {
            rows.put(&[name], |value| value(&end));
        }
    }
}

impl Reply for Certificates {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        let mut bytes = 0;
        while let Some(end) = memchr::memchr(b'\n', &input[bytes..]) {
            let line = &input[bytes..bytes + end];
            bytes += end + 1;
            if line.is_empty() {
                self.expected = self.expected.saturating_sub(1);
                self.current.clear();
                if self.expected == 0 {
                    return Ok(Taken { bytes, ends: true });
                }
            } else if line.len() > MAX_ANSWER_LINE_BYTES {
                return Err(self.refused(line));
            } else if self.error.is_none() {
                self.error = self.take_line(line).err();
            }
        }
        // Do not wait for the end of a line that is too long.
        match &input[bytes..] {
            line if line.len() > MAX_ANSWER_LINE_BYTES => Err(self.refused(line)),
            _ => Ok(Taken { bytes, ends: false }),
        }
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        match self.expected == 0 && rest.is_empty() {
            true => Ok(()),
            false => Err(ReplyError::Cut(Proof::EmptyLine)),
        }
    }

    fn is_denial(&self, error: &ReplyError) -> bool {
        matches!(error, ReplyError::OfAnotherKind(_, line) if line.as_bytes() == DENIED)
    }
}

/// Whether the command was rejected. After a truncated reply, or one with too many certificates,
/// the more expensive commands would not do better.
fn is_unknown(error: &SourceError) -> bool {
    matches!(error.problem, Problem::Reply(ReplyError::OfAnotherKind(..)))
}

/// Whether a name is exactly one word of the CLI: no space, quote, backslash, `;`, `<<` (a
/// payload), and no leading `*` (a transaction).
fn is_safe(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@,=~%".contains(c);
    !name.is_empty() && name.len() < 4096 && name.chars().all(is_plain)
}

/// `Dec 25 03:53:13 2026 GMT` as OpenSSL prints it, in seconds since 1970-01-01 UTC.
fn seconds(text: &[u8]) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.split_ascii_whitespace();
    let name = words.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as i64;
    let number = |text: &str| -> Option<i64> {
        let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| text.parse().ok())?
    };
    let day = number(words.next()?)?;
    let mut time = words.next()?.split(':').map(number);
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let year = number(words.next()?)?;
    let is_end = time.next().is_none() && words.next() == Some("GMT") && words.next().is_none();
    let is_valid = (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let days = calendar::days(year, month + 1, day);
    // There is no 30 February.
    let next = month + 1;
    let has_day = days < calendar::days(year + next / 12, next % 12 + 1, 1);
    if !is_end || !is_valid || !has_day {
        return None;
    }
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests;
