//! The certificates of `--haproxy.certificates`: read now and then, shown from memory in between.

use std::time::{Duration, Instant};

use crate::commands::certificates::{CERTIFICATE, CERTIFICATES, Reading};
use crate::event::Event;
use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::certificates::{Certificates, SHOW_SSL_CERT, SHOW_SSL_SNI};
use crate::haproxy::error::{Problem, SourceError};
use crate::haproxy::info::{Info, SHOW_INFO};
use crate::haproxy::reader::Limits;
use crate::haproxy::reply::{Need, Question, ReplyError};
use crate::haproxy::source::Source;
use crate::log::Level;
use crate::metrics::catalog::Catalog;
use crate::metrics::snapshot::Snapshot;
use crate::sys;

/// How often they are read: a thousand cost HAProxy up to 30 ms.
const READ_EVERY: Duration = Duration::from_secs(300);

/// What is said of replies that do not belong together.
const MIXED: &str = "the replies are of several processes at this address";

/// The certificates that were read last.
pub(super) struct CertificateWatch {
    /// `None` where the last reading failed.
    read: Option<Certificates>,
    /// When they were read last, in seconds since 1970-01-01 UTC.
    read_at: Option<u64>,
    tried: Option<Instant>,
    /// The process that was read or, where that failed, that answered the scrape.
    of: Pid,
    /// The next scrape reads them, however recent they are.
    is_due: bool,
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
            of: None,
            is_due: false,
            failed: Event::new(Level::Warn, message, over).of(target),
        }
    }

    /// Reads the certificates, if it is time, and puts their rows into the snapshot. A failure costs
    /// them alone: it has a quarter of the time that is left. Where another process answers than the one
    /// that was read, the scrape after this one reads again.
    pub(super) fn add(
        &mut self,
        (source, answering): (&mut Source, Pid),
        limits: Limits,
        buffer: &mut ReadBuffer,
        (catalog, into): (&Catalog, &mut Snapshot),
    ) {
        let now = Instant::now();
        let is_recent = |tried: Instant| now.saturating_duration_since(tried) < READ_EVERY;
        if self.is_due || !self.tried.is_some_and(is_recent) {
            self.tried = Some(now);
            self.of = answering;
            self.is_due = false;
            self.read_all(source, limits, buffer);
        } else {
            self.is_due = answering.is_some() && answering != self.of;
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
        let limits = limits.of_extra();
        let mut found = read(source, limits, buffer);
        if matches!(found, Ok(Found::Mixed)) {
            // A reload, most likely.
            found = read(source, limits, buffer);
        }
        match found {
            Ok(Found::Of(pid, certificates)) => {
                self.read = Some(certificates);
                self.read_at = Some(sys::time_of_day().as_secs());
                self.of = pid.or(self.of);
                self.failed.is_over();
            }
            Ok(Found::Mixed) => {
                self.is_due = true;
                self.failed.report(Some(MIXED));
            }
            Err(error) => self.failed.report(Some(error)),
        }
    }
}

/// Whether the command was not answered but refused: a cut answer, or one with too many certificates, is
/// not better with the dearer question.
fn is_unknown(error: &SourceError) -> bool {
    matches!(error.problem, Problem::Reply(ReplyError::OfAnotherKind(..)))
}

/// A process, as far as it said which it is.
type Pid = Option<u64>;

/// What became of reading them.
enum Found {
    /// All of one process.
    Of(Pid, Certificates),
    /// Some connections led to another process than others.
    Mixed,
}

/// HAProxy before 3.2 does not know the first command: then the files are asked for one by one, on as many
/// connections as it takes, and each says of which process it is.
fn read(
    source: &mut Source,
    limits: Limits,
    buffer: &mut ReadBuffer,
) -> Result<Found, SourceError> {
    let mut ask = |command: &str, reply: &mut Certificates| -> Result<Pid, SourceError> {
        let mut info = Info::default();
        let mut questions = [
            Question::new(command, Need::All, reply),
            Question::new(SHOW_INFO, Need::Extra, &mut info),
        ];
        source.ask(&mut questions, limits, buffer)?;
        let is_whole = questions[1].failure.is_none();
        Ok(info.number("Pid").filter(|_| is_whole))
    };
    let mut certificates = Certificates::of_sni();
    match ask(SHOW_SSL_SNI, &mut certificates) {
        Ok(pid) => return Ok(Found::Of(pid, certificates)),
        Err(error) if is_unknown(&error) => {}
        Err(error) => return Err(error),
    }
    let mut certificates = Certificates::of_names();
    let pid = ask(SHOW_SSL_CERT, &mut certificates)?;
    for (line, answers) in certificates.commands() {
        certificates.expect_files(answers);
        if ask(&line, &mut certificates)? != pid {
            return Ok(Found::Mixed);
        }
    }
    Ok(Found::Of(pid, certificates))
}
