//! The commands that a scrape sends to one HAProxy instance, and their replies.

use std::fmt::Write;

use crate::commands::command::Release;
use crate::commands::info::{self, Info};
use crate::commands::watch::{self, Watch};
use crate::event::Event;
use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::error::SourceError;
use crate::haproxy::parts::Parts;
use crate::haproxy::reader::Limits;
use crate::haproxy::reply::{Need, Question};
use crate::haproxy::socket::Spent;
use crate::haproxy::source::Source;
use crate::haproxy::stat::{RowType, StatReader};
use crate::metrics::catalog::Catalog;
use crate::metrics::report::State;
use crate::metrics::selection::Wanted;
use crate::metrics::snapshot::Snapshot;
use crate::metrics::writer::RowBatcher;

/// The replies to all commands except `show stat`, whose rows go directly into the snapshot. The
/// memory is kept from scrape to scrape.
pub(super) struct Answers {
    pub(super) info: Info,
    /// The other commands that are sent with `show stat`.
    pub(super) watches: Vec<Watch>,
    /// The text of `show stat`.
    show_stat: String,
    /// Whether rows are read a few proxies at a time.
    parts: Parts,
    /// Traffic that our commands had caused when HAProxy counted for `show info`.
    pub(super) spent_at_info: Spent,
    /// The release that replied last, for commands that only some releases know.
    release: Option<Release>,
    info_failed: Event,
}

/// One scrape: the source, the limits, and where the rows go.
pub(super) struct Scrape<'a> {
    pub(super) source: &'a mut Source,
    pub(super) limits: Limits,
    pub(super) buffer: &'a mut ReadBuffer,
    pub(super) wanted: &'a Wanted,
    pub(super) catalog: &'a Catalog,
    /// Whether the id of the process that replies is needed.
    pub(super) needs_pid: bool,
    pub(super) reader: &'a mut StatReader,
    pub(super) batcher: &'a mut RowBatcher,
    pub(super) into: &'a mut Snapshot,
}

/// The commands that are sent, except those of watches.
struct Asked {
    /// The bit mask of the row types; 0 if no rows are wanted.
    row_types: u8,
    info: bool,
}

impl Asked {
    /// `needs_info`: whether more than its own families depends on `show info`.
    fn new(scrape: &Scrape<'_>, needs_info: bool) -> Self {
        let (wanted, catalog) = (scrape.wanted, scrape.catalog);
        let server_info = &scrape.batcher.server_info;
        let has_info_of = |of| of == RowType::Server && server_info.is_wanted(wanted, catalog);
        let wanted_types = RowType::ALL
            .into_iter()
            .filter(|of| wanted.has(catalog, *of) || has_info_of(*of));
        let row_types = wanted_types.map(RowType::bit).sum();
        let has_info = info::COMMAND.is_wanted(wanted, catalog);
        match scrape.source.takes_commands() {
            // At least one command must be sent, to find whether HAProxy is up.
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
    /// Nothing was sent yet.
    pub(super) fn new(target: Option<&'static str>, watches: Vec<Watch>) -> Self {
        Self {
            info: Info::default(),
            watches,
            show_stat: String::new(),
            parts: Parts::default(),
            spent_at_info: Spent::default(),
            release: None,
            info_failed: watch::failed(&info::COMMAND, target),
        }
    }

    /// Adds whether `show info` and the other commands were read, by name; where there is no CLI, only those that
    /// a flag has turned on.
    pub(super) fn add_states(&self, source: &Source, to: &mut Vec<(String, State)>) {
        let has_cli = source.takes_commands();
        if has_cli {
            to.push((info::COMMAND.name(), State::of(self.info_failed.reason())));
        }
        for watch in &self.watches {
            if has_cli || watch.has_flag() {
                to.push(watch.state(self.release));
            }
        }
    }

    /// Discards the replies.
    pub(super) fn clear(&mut self) {
        self.info.clear();
        self.watches.iter_mut().for_each(Watch::clear);
    }

    /// Sends all wanted commands on one connection, and so to one process, and adds the rows to the
    /// snapshot.
    ///
    /// # Errors
    /// If the rows could not be read completely, or `show info` if no rows are wanted.
    pub(super) fn ask(&mut self, scrape: &mut Scrape<'_>) -> Result<(), SourceError> {
        for watch in &mut self.watches {
            watch.prepare(scrape.wanted, scrape.catalog, scrape.source);
        }
        let needs_release = self.watches.iter().any(Watch::needs_release);
        let asked = Asked::new(scrape, scrape.needs_pid || needs_release);
        if needs_release && self.release.is_none() {
            self.learn_release(scrape)?;
        }
        let mut may_learn_info = true;
        let mut may_need_further = true;
        let mut may_learn = asked.row_types > 0;
        loop {
            self.clear();
            scrape.into.clear();
            scrape.reader.clear();
            let before = self.release;
            let learns_info = std::mem::take(&mut may_learn_info);
            // A reply that took the next ones for its own has to come once more.
            if !self.ask_once(scrape, &asked, learns_info)? {
                continue;
            }
            // The release that replied can know more than the previous one.
            let now = self.release;
            let is_new = |watch: &Watch| watch.is_new(before, now);
            // Rows that are read in another way have to come once more.
            let has_learned = may_learn && scrape.reader.has_learned();
            may_learn &= !has_learned;
            let mut watches = self.watches.iter_mut();
            let needs_further = may_need_further && watches.any(Watch::needs_further);
            may_need_further &= !needs_further;
            if !has_learned && !needs_further && !self.watches.iter().any(is_new) {
                let failures = scrape.reader.failures_mut();
                let watches = self.watches.iter();
                watches.for_each(|watch| watch.count_bad_rows(failures));
                return Ok(());
            }
        }
    }

    /// See `ask`. Returns whether the reply to `show info` ended where it should, which is checked if
    /// `learns_info`.
    fn ask_once(
        &mut self,
        scrape: &mut Scrape<'_>,
        asked: &Asked,
        learns_info: bool,
    ) -> Result<bool, SourceError> {
        self.show_stat.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.show_stat, "show stat -1 {} -1", asked.row_types);
        let mut rows = scrape.batcher.fill(scrape.into, scrape.wanted);
        let limits = scrape.limits;
        let mut session = None;
        if let Some(source) = scrape.source.socket()
            && self.parts.are_due(asked.row_types, source)
        {
            let into = (source, limits, &mut *scrape.buffer);
            match self
                .parts
                .read(asked.row_types, into, scrape.reader, &mut rows)
            {
                Ok(Some(read)) => session = Some(read),
                Err(error) if limits.deadline.remaining().is_none() => return Err(error),
                // They are read at once, as there is time.
                Ok(None) | Err(_) => {
                    scrape.into.clear();
                    scrape.reader.clear();
                    rows = scrape.batcher.fill(scrape.into, scrape.wanted);
                }
            }
        }
        let mut stat;
        let info_need = match asked.row_types {
            0 => Need::All,
            _ => Need::Extra,
        };
        let mut questions = Vec::with_capacity(2 + self.watches.len());
        // Optional commands come last, so that their failure does not affect `show stat`.
        if asked.row_types > 0 && session.is_none() {
            stat = scrape.reader.reply(&mut rows);
            questions.push(Question::new(&self.show_stat, Need::All, &mut stat));
        }
        let info_at = questions.len();
        if asked.info {
            questions.push(Question::new(info::COMMAND.ask, info_need, &mut self.info));
        }
        let release = self.release;
        // How many each of them sends.
        let mut counts = Vec::with_capacity(self.watches.len());
        for watch in &mut self.watches {
            let of_watch = watch.questions(release);
            counts.push(of_watch.len());
            questions.extend(of_watch);
        }
        let result = match session {
            Some(session) => session.ask(&mut questions, limits),
            None => scrape.source.ask(&mut questions, limits, scrape.buffer),
        };
        if result.is_ok() && asked.info && questions[info_at].failure.is_none() {
            let from_info = questions[info_at..].iter().map(|question| question.bytes);
            self.spent_at_info = scrape.source.spent().before_answer(from_info.sum());
        }
        let failures = questions.into_iter().skip(info_at);
        let failures: Vec<_> = failures.map(|question| question.failure).collect();
        if learns_info && self.info.has_learned() {
            return Ok(false);
        }
        result?;
        rows.finish();
        let found = RowType::ALL.map(|of| scrape.into.stat_rows(of).count());
        self.parts.remember(asked.row_types, found);
        if scrape.limits.deadline.is_repeated() {
            return Ok(true);
        }
        let mut failures = failures.into_iter();
        if asked.info {
            self.take_info(failures.next().flatten());
        }
        for (watch, count) in self.watches.iter_mut().zip(counts) {
            let of_watch: Vec<_> = failures.by_ref().take(count).collect();
            match of_watch.into_iter().next() {
                // It is sent again, as the release that replied wants it.
                Some(_) if watch.is_new(release, self.release) => {}
                Some(failure) => watch.is_answered(failure),
                None => {}
            }
        }
        Ok(true)
    }

    fn take_info(&mut self, failure: Option<SourceError>) {
        match &failure {
            Some(_) => self.info.clear(),
            None => self.release = self.info.release(),
        }
        self.info_failed.report(failure);
    }

    /// Queries HAProxy's release before the first scrape with a command that only some releases
    /// know: older ones can interpret it as another command. If HAProxy does not report it, the
    /// command is not sent. The rows are unaffected; the error is reported when `show info` is sent
    /// with them.
    ///
    /// # Errors
    /// If HAProxy could not be reached.
    fn learn_release(&mut self, scrape: &mut Scrape<'_>) -> Result<(), SourceError> {
        let mut questions = [Question::new(
            info::COMMAND.ask,
            Need::Extra,
            &mut self.info,
        )];
        let (limits, buffer) = (scrape.limits, &mut *scrape.buffer);
        scrape.source.ask(&mut questions, limits, buffer)?;
        let [question] = questions;
        if question.failure.is_none() {
            self.release = self.info.release();
        }
        // What it says of quotes is known from now on.
        self.info.has_learned();
        self.info.clear();
        Ok(())
    }
}
