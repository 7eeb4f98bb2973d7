//! What a scrape asks of one HAProxy, and the answers.

use std::fmt::Write;

use crate::commands::command::Release;
use crate::commands::info::{self, Info};
use crate::commands::watch::{self, Watch};
use crate::event::Event;
use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::error::SourceError;
use crate::haproxy::reader::Limits;
use crate::haproxy::reply::{Need, Question};
use crate::haproxy::socket::Spent;
use crate::haproxy::source::Source;
use crate::haproxy::stat::{RowType, StatReader};
use crate::metrics::catalog::Catalog;
use crate::metrics::intake::Intake;
use crate::metrics::selection::Wanted;
use crate::metrics::snapshot::Snapshot;

/// The answers to all commands but `show stat`, whose rows go straight into the snapshot. The memory is
/// kept from scrape to scrape.
pub(super) struct Answers {
    pub(super) info: Info,
    /// The other commands that are asked with the rows.
    pub(super) watches: Vec<Watch>,
    /// The command for the rows.
    show_stat: String,
    /// What had been asked of HAProxy when it counted for `show info`.
    pub(super) spent_at_info: Spent,
    /// The release that answered last, for commands that not all know.
    release: Option<Release>,
    info_failed: Event,
}

/// Which questions are asked, besides those of watches.
struct Asked {
    /// The bit mask of the row types; none if 0.
    row_types: u8,
    info: bool,
}

impl Asked {
    /// `needs_info`: whether more than its own families depends on `show info`.
    fn new(wanted: &Wanted, catalog: &Catalog, source: &Source, needs_info: bool) -> Self {
        let wanted_types = RowType::ALL
            .into_iter()
            .filter(|of| wanted.has(catalog, *of));
        let row_types = wanted_types.map(RowType::bit).sum();
        let has_info = info::COMMAND.is_wanted(wanted, catalog);
        match source.takes_commands() {
            // Something must be asked, to see whether HAProxy is up.
            true => Self {
                row_types,
                info: needs_info || has_info || row_types == 0,
            },
            false => Self {
                row_types: row_types.max(1),
                info: false,
            },
        }
    }
}

impl Answers {
    /// Nothing was asked yet.
    pub(super) fn new(target: Option<&str>, watches: Vec<Watch>) -> Self {
        Self {
            info: Info::default(),
            watches,
            show_stat: String::new(),
            spent_at_info: Spent::default(),
            release: None,
            info_failed: watch::failed(&info::COMMAND, target),
        }
    }

    /// Forgets what came.
    pub(super) fn clear(&mut self) {
        self.info.clear();
        self.watches.iter_mut().for_each(Watch::clear);
    }

    /// Asks for what is wanted, all of it on one connection and so of one process, and puts the rows into
    /// the snapshot. `needs_pid`: whether it must be known which process that is.
    ///
    /// # Errors
    /// When the rows could not be read whole, or, where none are wanted, `show info`.
    pub(super) fn ask(
        &mut self,
        source: &mut Source,
        (wanted, catalog, needs_pid): (&Wanted, &Catalog, bool),
        limits: Limits,
        buffer: &mut ReadBuffer,
        (reader, intake, into): (&mut StatReader, &mut Intake, &mut Snapshot),
    ) -> Result<(), SourceError> {
        for watch in &mut self.watches {
            watch.prepare(wanted, catalog, source);
        }
        let needs_release = self.watches.iter().any(Watch::needs_release);
        let asked = Asked::new(wanted, catalog, source, needs_pid || needs_release);
        if needs_release && self.release.is_none() {
            self.learn_release(source, limits, buffer)?;
        }
        loop {
            self.clear();
            into.clear();
            reader.clear();
            let before = self.release;
            let to = (&mut *reader, &mut *intake, &mut *into);
            self.ask_once(source, (wanted, &asked), limits, buffer, to)?;
            // The release that answered may know more than the one that was asked before.
            let now = self.release;
            let is_new = |watch: &Watch| watch.is_asked_of(now) && !watch.is_asked_of(before);
            if !self.watches.iter().any(is_new) {
                return Ok(());
            }
        }
    }

    /// See `ask`.
    fn ask_once(
        &mut self,
        source: &mut Source,
        (wanted, asked): (&Wanted, &Asked),
        limits: Limits,
        buffer: &mut ReadBuffer,
        (reader, intake, into): (&mut StatReader, &mut Intake, &mut Snapshot),
    ) -> Result<(), SourceError> {
        self.show_stat.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.show_stat, "show stat -1 {} -1", asked.row_types);
        let mut rows = intake.fill(into, wanted);
        let mut stat = reader.reply(&mut rows);
        let info_need = match asked.row_types {
            0 => Need::All,
            _ => Need::Extra,
        };
        let mut questions = Vec::with_capacity(2 + self.watches.len());
        // What can be done without comes last: the rows stand, whatever becomes of it.
        if asked.row_types > 0 {
            questions.push(Question::new(&self.show_stat, Need::All, &mut stat));
        }
        let info_at = questions.len();
        if asked.info {
            questions.push(Question::new(info::COMMAND.ask, info_need, &mut self.info));
        }
        let release = self.release;
        let is_asked = |watch: &&mut Watch| watch.is_asked_of(release);
        questions.extend(
            self.watches
                .iter_mut()
                .filter(is_asked)
                .map(Watch::question),
        );
        source.ask(&mut questions, limits, buffer)?;
        if asked.info && questions[info_at].failure.is_none() {
            let from_info = questions[info_at..].iter().map(|question| question.bytes);
            self.spent_at_info = source.spent().before_answer(from_info.sum());
        }
        let failures = questions.into_iter().skip(info_at);
        let failures: Vec<_> = failures.map(|question| question.failure).collect();
        rows.finish();
        let mut failures = failures.into_iter();
        if asked.info {
            self.take_info(failures.next().flatten());
        }
        for (watch, failure) in self.watches.iter_mut().filter(is_asked).zip(failures) {
            watch.is_answered(failure);
        }
        Ok(())
    }

    fn take_info(&mut self, failure: Option<SourceError>) {
        match &failure {
            Some(_) => self.info.clear(),
            None => self.release = self.info.release(),
        }
        self.info_failed.report(failure);
    }

    /// Asks HAProxy for its release before the first scrape with a command that not all know: older ones
    /// may take it for another. One that does not say is not asked; the rows stand, and what is wrong
    /// shows where `show info` is asked with them.
    ///
    /// # Errors
    /// When HAProxy could not be reached.
    fn learn_release(
        &mut self,
        source: &mut Source,
        limits: Limits,
        buffer: &mut ReadBuffer,
    ) -> Result<(), SourceError> {
        let mut questions = [Question::new(
            info::COMMAND.ask,
            Need::Extra,
            &mut self.info,
        )];
        source.ask(&mut questions, limits, buffer)?;
        let [question] = questions;
        if question.failure.is_none() {
            self.release = self.info.release();
        }
        self.info.clear();
        Ok(())
    }
}
