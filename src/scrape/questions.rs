//! What a scrape asks of one HAProxy, and the answers.

use std::fmt::Write;

use crate::commands;
use crate::event::Event;
use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::info::{Info, SHOW_INFO};
use crate::haproxy::proxies;
use crate::haproxy::reader::Limits;
use crate::haproxy::reply::{Need, Question, Reply};
use crate::haproxy::resolvers::{self, Resolvers, SHOW_RESOLVERS};
use crate::haproxy::socket::Spent;
use crate::haproxy::source::{Source, SourceError};
use crate::haproxy::stat::{RowSink, RowType, StatReader};
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

/// Which questions are asked.
struct Asked {
    /// The bit mask of the row types; none if 0.
    row_types: u8,
    info: bool,
    stick_tables: bool,
    resolvers: bool,
}

impl Asked {
    fn new(wanted: &Wanted, catalog: &Catalog, source: &Source) -> Self {
        let has = |groups: &[&_]| groups.iter().any(|group| wanted.has_group(catalog, group));
        let wanted_types = RowType::ALL
            .into_iter()
            .filter(|of| wanted.has(catalog, *of));
        let asked = Self {
            row_types: wanted_types.map(RowType::bit).sum(),
            info: has(&commands::info::GROUPS),
            stick_tables: has(&commands::stick_tables::GROUPS),
            resolvers: has(&commands::resolvers::GROUPS),
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

impl Asked {
    /// Whether servers and listeners are asked for proxy by proxy.
    fn is_split(&self, release: Option<(u32, u32)>, reader: &mut StatReader) -> bool {
        release.is_none_or(|release| release < proxies::YIELDS_SINCE)
            && reader.proxies().are_worth_several(self.row_types)
    }

    /// Servers and listeners, where they are wanted.
    fn owned(&self) -> u8 {
        self.row_types & RowType::OWNED
    }

    /// Frontends and backends, where they are wanted, or needed to know whom to ask for what they own.
    fn owners(&self) -> u8 {
        self.row_types & !RowType::OWNED | RowType::owners(self.row_types)
    }
}

impl Answers {
    /// Nothing was asked yet.
    pub(super) fn new(target: Option<&str>) -> Self {
        let failed = |message, over| Event::new(Level::Warn, message, over).of(target);
        Self {
            info: Info::default(),
            stick_tables: StickTables::default(),
            resolvers: Resolvers::default(),
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
    }

    /// Asks for what is wanted and puts the rows into the snapshot.
    ///
    /// # Errors
    /// When the rows could not be read whole, or, where none are wanted, `show info`.
    pub(super) fn ask(
        &mut self,
        source: &mut Source,
        (wanted, catalog): (&Wanted, &Catalog),
        limits: Limits,
        buffer: &mut ReadBuffer,
        (reader, intake, into): (&mut StatReader, &mut Intake, &mut Snapshot),
    ) -> Result<(), SourceError> {
        self.clear();
        let mut asked = Asked::new(wanted, catalog, source);
        if asked.resolvers {
            asked.resolvers = self.know_resolvers(source, limits, buffer)?;
        }
        let is_split = asked.is_split(self.release, reader);
        let listed = match is_split {
            true => asked.owners(),
            false => asked.row_types,
        };
        self.show_stat.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.show_stat, "show stat -1 {listed} -1");
        let mut rows = intake.fill(into, wanted);
        let mut stat = reader.reply(&mut rows).only(asked.row_types);
        let info_need = match asked.row_types {
            0 => Need::All,
            _ => Need::Extra,
        };
        // What can be done without comes last: the rows stand, whatever becomes of it.
        let all: [(bool, &str, Need, &mut dyn Reply); 4] = [
            (asked.row_types > 0, &self.show_stat, Need::All, &mut stat),
            (asked.info, SHOW_INFO, info_need, &mut self.info),
            (
                asked.stick_tables,
                SHOW_TABLE,
                Need::Extra,
                &mut self.stick_tables,
            ),
            (
                asked.resolvers,
                SHOW_RESOLVERS,
                Need::Extra,
                &mut self.resolvers,
            ),
        ];
        let all = all.into_iter().filter(|(is_asked, ..)| *is_asked);
        let mut questions: Vec<Question<'_>> = all
            .map(|(_, command, need, reply)| Question::new(command, need, reply))
            .collect();
        source.ask(&mut questions, limits, buffer)?;
        let is_info = |question: &Question<'_>| question.command == SHOW_INFO;
        if let Some(at) = questions.iter().position(is_info)
            && questions[at].failure.is_none()
        {
            let from_info = questions[at..].iter().map(|question| question.bytes);
            self.spent_at_info = source.spent().before_answer(from_info.sum());
        }
        let mut failures = [None, None, None];
        let used = questions.first().map_or(0, |first| first.bytes);
        for question in questions {
            let at = match question.command {
                SHOW_INFO => 0,
                SHOW_TABLE => 1,
                SHOW_RESOLVERS => 2,
                _ => continue,
            };
            failures[at] = question.failure;
        }
        if is_split {
            let limits = Limits { used, ..limits };
            self.ask_one_by_one(source, asked.owned(), limits, buffer, (reader, &mut rows))?;
        }
        rows.finish();
        if asked.owned() != 0 {
            reader.proxies().remember();
        }
        self.take_failures(&asked, failures);
        Ok(())
    }

    /// Asks for the servers and listeners of the proxies that were listed, on as many connections as
    /// it takes: between two of them HAProxy serves its clients.
    ///
    /// # Errors
    /// When any answer could not be read whole.
    fn ask_one_by_one(
        &mut self,
        source: &mut Source,
        types: u8,
        mut limits: Limits,
        buffer: &mut ReadBuffer,
        (reader, rows): (&mut StatReader, &mut dyn RowSink),
    ) -> Result<(), SourceError> {
        reader.proxies().keep_with(types);
        let mut group = reader.proxies().group(0);
        while !group.is_empty() {
            let end = group.end;
            reader
                .proxies()
                .write_commands(group.clone(), types, &mut self.show_stat);
            let mut reply = reader.reply_of(group, rows);
            let mut question = [Question::new(&self.show_stat, Need::All, &mut reply)];
            source.ask(&mut question, limits, buffer)?;
            limits.used += question[0].bytes;
            group = reader.proxies().group(end);
        }
        Ok(())
    }

    /// An answer that failed costs what is made of it, and a log line when that begins.
    fn take_failures(&mut self, asked: &Asked, failures: [Option<SourceError>; 3]) {
        let [info, stick_tables, resolvers] = failures;
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
        Ok(self
            .release
            .is_some_and(|release| release >= resolvers::SINCE))
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
