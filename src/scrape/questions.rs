//! What a scrape asks of one HAProxy, and the answers.

use std::fmt::Write;

use crate::commands;
use crate::commands::watch::Watch;
use crate::event::Event;
use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::error::SourceError;
use crate::haproxy::info::{Info, SHOW_INFO};
use crate::haproxy::reader::Limits;
use crate::haproxy::reply::{Need, Question};
use crate::haproxy::resolvers::{self, Resolvers, SHOW_RESOLVERS};
use crate::haproxy::socket::Spent;
use crate::haproxy::source::Source;
use crate::haproxy::stat::{RowType, StatReader};
use crate::haproxy::stick_tables::{SHOW_TABLE, StickTables};
use crate::log::Level;
use crate::metrics::catalog::Catalog;
use crate::metrics::intake::Intake;
use crate::metrics::selection::Wanted;
use crate::metrics::snapshot::Snapshot;

/// The answers to all commands but `show stat`, whose rows go straight into the snapshot. The memory is
/// kept from scrape to scrape.
pub(super) struct Answers {
    pub(super) info: Info,
    pub(super) stick_tables: StickTables,
    pub(super) resolvers: Resolvers,
    /// The other commands that are asked with the rows.
    pub(super) watches: Vec<Watch>,
    /// The command for the rows.
    show_stat: String,
    /// What had been asked of HAProxy when it counted for `show info`.
    pub(super) spent_at_info: Spent,
    /// The release that answered last, for commands that not all know.
    release: Option<(u32, u32)>,
    info_failed: Event,
    stick_tables_failed: Event,
    resolvers_failed: Event,
}

/// Why answers are missing that can be done without.
#[derive(Default)]
struct Failures {
    info: Option<SourceError>,
    stick_tables: Option<SourceError>,
    resolvers: Option<SourceError>,
}

/// Which questions are asked.
struct Asked {
    /// The bit mask of the row types; none if 0.
    row_types: u8,
    info: bool,
    stick_tables: bool,
    resolvers: bool,
}

impl Asked {
    /// `needs_pid`: whether other parts of the answer must know which process it is of.
    fn new(wanted: &Wanted, catalog: &Catalog, source: &Source, needs_pid: bool) -> Self {
        let has = |groups: &[&_]| groups.iter().any(|group| wanted.has_group(catalog, group));
        let wanted_types = RowType::ALL
            .into_iter()
            .filter(|of| wanted.has(catalog, *of));
        let resolvers = has(&commands::resolvers::GROUPS);
        let asked = Self {
            row_types: wanted_types.map(RowType::bit).sum(),
            // Which release answered decides whether it can be asked for resolvers.
            info: needs_pid || resolvers || has(&commands::info::GROUPS),
            stick_tables: has(&commands::stick_tables::GROUPS),
            resolvers,
        };
        match source.takes_commands() {
            // Something must be asked, to see whether HAProxy is up.
            true => Self {
                info: asked.info || asked.row_types == 0,
                ..asked
            },
            false => Self {
                row_types: asked.row_types.max(1),
                info: false,
                stick_tables: false,
                resolvers: false,
            },
        }
    }
}

impl Answers {
    /// Nothing was asked yet.
    pub(super) fn new(target: Option<&str>, watches: Vec<Watch>) -> Self {
        let failed = |message, over| Event::new(Level::Warn, message, over).of(target);
        Self {
            info: Info::default(),
            stick_tables: StickTables::default(),
            resolvers: Resolvers::default(),
            watches,
            show_stat: String::new(),
            spent_at_info: Spent::default(),
            release: None,
            info_failed: failed("show info failed", "show info is answered again"),
            stick_tables_failed: failed("show table failed", "show table is answered again"),
            resolvers_failed: failed(
                "show stat domain resolvers failed",
                "show stat domain resolvers is answered again",
            ),
        }
    }

    /// Forgets what came.
    pub(super) fn clear(&mut self) {
        self.info.clear();
        self.stick_tables.clear();
        self.resolvers.clear();
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
        let mut asked = Asked::new(wanted, catalog, source, needs_pid);
        for watch in &mut self.watches {
            let is_wanted = watch.is_wanted(wanted, catalog);
            watch.prepare(is_wanted, source);
        }
        let wants_resolvers = asked.resolvers;
        if wants_resolvers {
            asked.resolvers = self.know_resolvers(source, limits, buffer)?;
        }
        loop {
            self.clear();
            into.clear();
            reader.clear();
            let to = (&mut *reader, &mut *intake, &mut *into);
            self.ask_once(source, (wanted, &asked), limits, buffer, to)?;
            // The release that answered is not the one that was asked before.
            if asked.resolvers || !(wants_resolvers && self.knows_resolvers()) {
                return Ok(());
            }
            asked.resolvers = true;
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
        let mut questions = Vec::with_capacity(4 + self.watches.len());
        let mut add = |is_asked: bool, command, need, reply| {
            if is_asked {
                questions.push(Question::new(command, need, reply));
            }
        };
        // What can be done without comes last: the rows stand, whatever becomes of it.
        add(asked.row_types > 0, &self.show_stat, Need::All, &mut stat);
        add(asked.info, SHOW_INFO, info_need, &mut self.info);
        let tables = &mut self.stick_tables;
        add(asked.stick_tables, SHOW_TABLE, Need::Extra, tables);
        let resolvers = &mut self.resolvers;
        add(asked.resolvers, SHOW_RESOLVERS, Need::Extra, resolvers);
        let of_watches = questions.len();
        let release = self.release;
        let watches = self.watches.iter_mut();
        let watches = watches.filter(|watch| watch.is_asked_of(release));
        questions.extend(watches.map(Watch::question));
        source.ask(&mut questions, limits, buffer)?;
        let is_info = |question: &Question<'_>| question.command == SHOW_INFO;
        if let Some(at) = questions.iter().position(is_info)
            && questions[at].failure.is_none()
        {
            let from_info = questions[at..].iter().map(|question| question.bytes);
            self.spent_at_info = source.spent().before_answer(from_info.sum());
        }
        let of_watches = questions.split_off(of_watches).into_iter();
        let of_watches: Vec<_> = of_watches.map(|question| question.failure).collect();
        let mut failures = Failures::default();
        for question in questions {
            let failure = match question.command {
                SHOW_INFO => &mut failures.info,
                SHOW_TABLE => &mut failures.stick_tables,
                SHOW_RESOLVERS => &mut failures.resolvers,
                _ => continue,
            };
            *failure = question.failure;
        }
        rows.finish();
        let watches = self.watches.iter_mut();
        let watches = watches.filter(|watch| watch.is_asked_of(release));
        for (watch, failure) in watches.zip(of_watches) {
            watch.is_answered(failure);
        }
        self.take_failures(asked, failures);
        Ok(())
    }

    /// An answer that failed costs what is made of it, and a log line when that begins.
    fn take_failures(&mut self, asked: &Asked, failures: Failures) {
        let Failures {
            info,
            stick_tables,
            resolvers,
        } = failures;
        if asked.info {
            match &info {
                Some(_) => self.info.clear(),
                None => self.release = self.info.get("Version").and_then(release),
            }
            self.info_failed.report(info);
        }
        if asked.stick_tables {
            if stick_tables.is_some() {
                self.stick_tables.clear();
            }
            self.stick_tables_failed.report(stick_tables);
        }
        if asked.resolvers {
            if resolvers.is_some() {
                self.resolvers.clear();
            }
            self.resolvers_failed.report(resolvers);
        }
    }

    /// Whether the release that answered last knows `show stat domain resolvers`.
    fn knows_resolvers(&self) -> bool {
        let release = self.release;
        release.is_some_and(|release| release >= resolvers::SINCE)
    }

    /// Whether HAProxy knows `show stat domain resolvers`. At the first scrape it is asked for its
    /// release before: older ones print all rows a second time instead. One that does not say is not
    /// asked; the rows stand, and what is wrong shows where `show info` is asked with them.
    ///
    /// # Errors
    /// When HAProxy could not be reached.
    fn know_resolvers(
        &mut self,
        source: &mut Source,
        limits: Limits,
        buffer: &mut ReadBuffer,
    ) -> Result<bool, SourceError> {
        if self.release.is_none() {
            let mut questions = [Question::new(SHOW_INFO, Need::Extra, &mut self.info)];
            source.ask(&mut questions, limits, buffer)?;
            let [question] = questions;
            if question.failure.is_none() {
                self.release = self.info.get("Version").and_then(release);
            }
            self.info.clear();
        }
        Ok(self.knows_resolvers())
    }
}

/// The first two numbers of `2.6.12-1+deb12u4`.
fn release(version: &[u8]) -> Option<(u32, u32)> {
    let text = std::str::from_utf8(version).ok()?;
    let (major, rest) = text.split_once('.')?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    Some((major.parse().ok()?, rest[..end].parse().ok()?))
}

#[cfg(test)]
mod tests;
