//! The certificates of `--haproxy.certificates`: read now and then, shown from memory in between.

use std::time::{Duration, Instant};

use crate::commands::certificates::{CERTIFICATE, CERTIFICATES, Reading};
use crate::event::Event;
use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::certificates::{Certificates, SHOW_SSL_CERT, SHOW_SSL_SNI};
use crate::haproxy::error::{Problem, SourceError};
use crate::haproxy::reader::Limits;
use crate::haproxy::reply::{Need, Question, ReplyError};
use crate::haproxy::source::Source;
use crate::log::Level;
use crate::metrics::catalog::Catalog;
use crate::metrics::snapshot::Snapshot;
use crate::sys;

/// How often they are read: a thousand cost HAProxy up to 30 ms.
const READ_EVERY: Duration = Duration::from_secs(300);

/// The certificates that were read last.
pub(super) struct CertificateWatch {
    /// `None` where the last reading failed.
    read: Option<Certificates>,
    /// When they were read last, in seconds since 1970-01-01 UTC.
    read_at: Option<u64>,
    tried: Option<Instant>,
    failed: Event,
}

impl CertificateWatch {
    /// Nothing was read yet.
    pub(super) fn new(target: Option<&str>) -> Self {
        let (message, over) = (
            "certificates cannot be read",
            "certificates can be read again",
        );
        Self {
            read: None,
            read_at: None,
            tried: None,
            failed: Event::new(Level::Warn, message, over).of(target),
        }
    }

    /// Reads the certificates, if it is time, and puts their rows into the snapshot. A failure costs
    /// them alone: it has a quarter of the time that is left.
    pub(super) fn add(
        &mut self,
        source: &mut Source,
        limits: Limits,
        buffer: &mut ReadBuffer,
        (catalog, into): (&Catalog, &mut Snapshot),
    ) {
        let now = Instant::now();
        let is_recent = |tried: Instant| now.saturating_duration_since(tried) < READ_EVERY;
        if !self.tried.is_some_and(is_recent) {
            self.tried = Some(now);
            self.read_all(source, limits, buffer);
        }
        let mut rows = into.add(catalog, &CERTIFICATE);
        for (name, end) in self.read.iter().flat_map(Certificates::iter) {
            rows.put(&[name], |value| value(&end));
        }
        let reading = Reading {
            is_up: self.read.is_some(),
            read_at: self.read_at,
        };
        into.add(catalog, &CERTIFICATES)
            .put(&[], |value| value(&reading));
    }

    fn read_all(&mut self, source: &mut Source, limits: Limits, buffer: &mut ReadBuffer) {
        self.read = None;
        if !source.takes_commands() {
            self.failed.report(Some(crate::commands::watch::NO_CLI));
            return;
        }
        match read(source, limits.of_extra(), buffer) {
            Ok(certificates) => {
                self.read = Some(certificates);
                self.read_at = Some(sys::time_of_day().as_secs());
                self.failed.is_over();
            }
            Err(error) => {
                self.failed.report(Some(error));
            }
        }
    }
}

/// Whether the command was not answered but refused: a cut answer, or one with too many certificates, is
/// not better with the dearer question.
fn is_unknown(error: &SourceError) -> bool {
    matches!(error.problem, Problem::Reply(ReplyError::OfAnotherKind(..)))
}

/// HAProxy before 3.2 does not know the first command: then the files are asked for one by one.
fn read(
    source: &mut Source,
    limits: Limits,
    buffer: &mut ReadBuffer,
) -> Result<Certificates, SourceError> {
    let mut ask = |command: &str, reply: &mut Certificates| {
        let mut question = [Question::new(command, Need::All, reply)];
        source.ask(&mut question, limits, buffer)
    };
    let mut certificates = Certificates::of_sni();
    match ask(SHOW_SSL_SNI, &mut certificates) {
        Ok(()) => return Ok(certificates),
        Err(error) if is_unknown(&error) => {}
        Err(error) => return Err(error),
    }
    let mut certificates = Certificates::of_names();
    ask(SHOW_SSL_CERT, &mut certificates)?;
    for (line, answers) in certificates.commands() {
        certificates.expect_files(answers);
        ask(&line, &mut certificates)?;
    }
    Ok(certificates)
}
