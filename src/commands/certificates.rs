//! When the certificates expire that HAProxy has loaded (`--haproxy.certificates`): `show ssl cert` for the
//! names, and `show ssl cert FILE` for each; from 3.2 on only for those that `show ssl sni` lacks, which prints
//! the ones of binds with their expiry (management guide, section 9.3). HAProxy's built-in exporter has no such
//! families.

mod ask;
mod date;
mod list;

use std::time::Duration;

use super::command::{Ask, Command, Missing, OfStatus, Periodic, ReadError, When};
use crate::config::Flag;
use crate::config::Takes::Switch;
use crate::haproxy::error::{Problem, SourceError};
use crate::haproxy::failures::excerpt;
use crate::haproxy::reply::ReplyError;
use crate::metrics::macros::table;
use crate::metrics::snapshot::Sink;
use crate::metrics::value::Value;
use ask::{SHOW_SSL_CERT, SHOW_SSL_SNI};
use list::{Form, List};

/// Interval of reading: a thousand certificates cost HAProxy up to 30 ms.
const READ_EVERY: Duration = Duration::from_secs(300);

pub(super) static COMMAND: Command = Command {
    ask: SHOW_SSL_SNI,
    flag: Some(Flag::new(
        "haproxy.certificates",
        Switch(false),
        "Export when the loaded certificates expire; needs a CLI socket of level operator (user for those of binds from HAProxy 3.2 on)",
        |to, text| to.turn_command(SHOW_SSL_SNI, text),
    )),
    groups: &[&CERTIFICATE.group, &CERTIFICATES.group],
    when: When::NowAndThen {
        every: READ_EVERY,
        answer: || Box::new(Certificates::default()),
        missing: ["certificates may be missing", "no certificate is missing"],
    },
    status: Some(&CERTIFICATES),
    events: [
        "certificates cannot be read",
        "certificates can be read again",
    ],
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
    Gauge   unread = |status| status.missing.into(), "Certificates that HAProxy lists and whose expiry could not be read.";
    Gauge   read_timestamp_seconds = |status| status.read_at.into(), "Time when the certificates were last read, in seconds since 1970-01-01 UTC.";
}

/// Maximum length of a command line: HAProxy's buffers have 16,384 bytes, a part of which is
/// reserved.
const MAX_LINE_BYTES: usize = 15_000;

/// The certificates that HAProxy has loaded.
#[derive(Debug, Default)]
struct Certificates {
    list: List,
    /// Whether HAProxy has listed all of them.
    is_listed: bool,
    /// Why not, if it has listed some, and whether this passes.
    unlisted: Option<(String, bool)>,
}

impl Certificates {
    /// Reads the names of all files, and those files whose expiry is not known yet.
    ///
    /// # Errors
    /// If a command failed, or several processes replied.
    fn read_files(&mut self, ask: &mut Ask<'_>) -> Result<(), ReadError> {
        self.list.expect(Form::Names, &[]);
        ask(SHOW_SSL_CERT, &mut self.list)?;
        self.is_listed = true;
        let (mut from, mut most_bytes) = (0, MAX_LINE_BYTES);
        loop {
            let (line, asked) = self.list.next_unread(from, most_bytes);
            let Some(last) = asked.last() else {
                return Ok(());
            };
            self.list.expect(Form::Details, &asked);
            ask(&line, &mut self.list)?;
            if self.list.take_details() {
                from = last + 1;
                most_bytes = MAX_LINE_BYTES.min(most_bytes * 2);
            } else {
                // A text within a certificate has an empty line: nobody knows which reply belongs to which file.
                most_bytes = line.len() / 2;
            }
        }
    }
}

impl Periodic for Certificates {
    fn kept_bytes(&self) -> usize {
        self.list.kept_bytes()
    }

    /// HAProxy before 3.2 does not know the first command: then each file is queried. Where it knows it, only
    /// the other files depend on the second one.
    fn read(&mut self, ask: &mut Ask<'_>) -> Result<(), ReadError> {
        let has_rows = match ask(SHOW_SSL_SNI, &mut self.list) {
            Err(ReadError::Failed(error)) if is_of_another_kind(&error) => {
                self.list = List::default();
                false
            }
            result => result.map(|()| true)?,
        };
        match self.read_files(ask) {
            Err(ReadError::Failed(error)) if has_rows => {
                if !matches!(error.problem, Problem::Reply(ReplyError::Nothing(_))) {
                    let is_passing = error.is_passing();
                    self.unlisted = Some((error.to_string(), is_passing));
                }
                Ok(())
            }
            result => result,
        }
    }

    fn missing(&self) -> Option<Missing> {
        let (count, first) = self.list.unread();
        let rows = if self.is_listed { 0 } else { self.list.bad_rows() };
        let (count, total) = (count + rows, usize::from(self.list.len()) + rows);
        let (mut why, is_passing) = match &self.unlisted {
            Some((error, is_passing)) => {
                (format!("only those of binds are known: {error}"), *is_passing)
            }
            None if count == 0 => return None,
            None => (format!("{count} of {total} could not be read"), false),
        };
        if let (Some(first), None) = (first, &self.unlisted) {
            why += &format!(", the first is {:?}", excerpt(first));
        }
        Some(Missing {
            count,
            why,
            is_passing,
        })
    }

    fn put_rows(&self, into: &mut Sink<'_>) {
        let mut rows = into.add(&CERTIFICATE);
        for (name, end) in self.list.iter() {
            rows.put(&[name], |value| value(&end));
        }
    }
}

/// Whether the command was rejected, or its reply is empty. After a truncated reply, or one with too many
/// certificates, the more expensive commands would not do better.
fn is_of_another_kind(error: &SourceError) -> bool {
    use ReplyError::{Nothing, OfAnotherKind};
    matches!(
        error.problem,
        Problem::Reply(OfAnotherKind(..) | Nothing(_))
    )
}

#[cfg(test)]
mod tests;
