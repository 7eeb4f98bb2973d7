//! Reads the rows of a few proxies at a time, on one connection, so that HAProxy's traffic does not wait for
//! all rows.
//!
//! HAProxy (until late releases of 3.2 and of 3.4) handles no traffic while it prints the replies to one line
//! of commands. `show stat IID TYPES -1` (management guide, 9.3) asks for the rows of one proxy, where `IID` is
//! its number in the column `iid`. The rows of frontends and backends come first, as the list of proxies. All
//! lines go to one process, since they use one connection.

use std::fmt::{Display, Write};
use std::time::Instant;

use super::buffer::ReadBuffer;
use super::columns::Header;
use super::csv::Row;
use super::error::SourceError;
use super::failures::Failures;
use super::prompt::Session;
use super::reader::Limits;
use super::reply::{Need, Question};
use super::socket::SocketSource;
use super::stat::{Place, RowSink, RowType, StatReader};
use crate::net::unsigned;

/// Rows that one line of commands asks for, on average: 25 KB, which HAProxy prints in less than 0.5 ms.
const ROWS_A_LINE: usize = 100;
/// Fewer rows in all are read at once: HAProxy prints them in about 1 ms.
const LEAST_ROWS: usize = 2 * ROWS_A_LINE;
/// Proxies of more rows on average fill the socket anyway: where reading is paced, one command is as good.
const MOST_ROWS_A_PROXY: usize = 5 * ROWS_A_LINE;
/// The cost of a command for HAProxy besides its rows, in rows: a header, and a look at each proxy until
/// the one is found. In all, commands may cost six tenths of the rows.
const COMMAND_ROWS: usize = 4;
const PROXIES_AS_A_ROW: usize = 60;
/// Maximum number of commands in a line: of 27 bytes each, and HAProxy reads lines up to `tune.bufsize`.
const MOST_COMMANDS: usize = 32;
/// Maximum number of listed proxies: with more, the commands cost more than they are worth.
const MOST_PROXIES: usize = 1 << 12;
/// The types of rows that each proxy has one of, or both.
const OF_PROXIES: u8 = RowType::Frontend.bit() | RowType::Backend.bit();

/// After an attempt that was no good, so many scrapes ask for all rows at once.
const REST_SCRAPES: u32 = 10;
/// The part of a scrape's time that round trips may take. A distant HAProxy gets one command: its link slows it
/// down by itself.
const TIME_FOR_ROUND_TRIPS: u32 = 10;

/// The sizes that the last scrape found: whether parts are worth it.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    rows: usize,
    proxies: usize,
    /// Scrapes that ask for all rows at once.
    rest: u32,
}

impl Parts {
    /// Remembers how many rows of each type a scrape of `types` has found. One that leaves out servers or
    /// their proxies says nothing.
    pub(crate) fn remember(&mut self, types: u8, rows: [usize; RowType::ALL.len()]) {
        const NEEDED: u8 = OF_PROXIES | RowType::Server.bit();
        if types & NEEDED == NEEDED {
            self.rows = rows.iter().sum();
            self.proxies = rows[RowType::Frontend as usize] + rows[RowType::Backend as usize];
        }
    }

    /// Whether the next scrape should read rows of `types` in parts.
    pub(crate) fn are_due(&mut self, types: u8, source: &SocketSource) -> bool {
        let is_due = self.are_worth_it(types, source);
        if is_due && self.rest > 0 {
            self.rest -= 1;
            return false;
        }
        is_due
    }

    fn are_worth_it(&self, types: u8, source: &SocketSource) -> bool {
        let (rows, proxies) = (self.rows, self.proxies);
        let cost = proxies * (COMMAND_ROWS + proxies / PROXIES_AS_A_ROW);
        types & !OF_PROXIES != 0
            && rows >= LEAST_ROWS
            && proxies > 1
            && cost <= rows / 10 * 6
            && !(source.is_paced() && rows / proxies > MOST_ROWS_A_PROXY)
    }

    /// Reads the rows of all proxies. Returns the connection, for other commands; `None` if the proxies changed
    /// meanwhile, there are too many, or they are too far away.
    ///
    /// # Errors
    /// If a reply could not be read.
    pub(crate) fn read<'a>(
        &mut self,
        types: u8,
        session: (&'a mut SocketSource, Limits, &'a mut ReadBuffer),
        reader: &mut StatReader,
        rows: &mut dyn RowSink,
    ) -> Result<Option<Session<'a>>, SourceError> {
        let result = self.attempt(types, session, reader, rows);
        if !matches!(result, Ok(Some(_))) {
            self.rest = REST_SCRAPES;
        }
        result
    }

    fn attempt<'a>(
        &self,
        types: u8,
        session: (&'a mut SocketSource, Limits, &'a mut ReadBuffer),
        reader: &mut StatReader,
        rows: &mut dyn RowSink,
    ) -> Result<Option<Session<'a>>, SourceError> {
        let (source, limits, buffer) = session;
        let began = Instant::now();
        let session = Session::new(source, limits.deadline, buffer)?;
        let mut lines = Lines {
            session,
            reader,
            limits,
            text: String::new(),
        };
        let mut list = List::default();
        lines.add(&-1, OF_PROXIES);
        lines.send()?;
        lines.read(&mut list, true)?;
        let most = (ROWS_A_LINE * self.proxies / self.rows.max(1)).clamp(1, MOST_COMMANDS);
        let trips = list.numbers.len().div_ceil(most) as u32;
        let is_far = lines.session.round_trip() * trips
            > limits.deadline.remaining().unwrap_or_default() / TIME_FOR_ROUND_TRIPS;
        // A proxy whose own row is bad is not listed.
        if list.is_unusable || lines.reader.failures().count > 0 || is_far {
            return Ok(None);
        }
        let header = lines.reader.header_changes();
        for numbers in list.numbers.chunks(most) {
            let types = types | OF_PROXIES;
            numbers.iter().for_each(|number| lines.add(number, types));
            lines.send()?;
            for (at, number) in numbers.iter().enumerate() {
                let mut part = Part::new(*number, rows);
                lines.read(&mut part, at + 1 == numbers.len())?;
                if !part.is_whole() || lines.reader.header_changes() != header {
                    return Ok(None);
                }
            }
        }
        let bytes = limits.max_bytes - lines.limits.max_bytes;
        let took = Some(began.elapsed());
        lines
            .session
            .trace("show stat in parts", bytes, took, false);
        Ok((!list.numbers.is_empty()).then_some(lines.session))
    }
}

/// The lines of commands on one connection.
struct Lines<'a, 'r> {
    session: Session<'a>,
    reader: &'r mut StatReader,
    limits: Limits,
    text: String,
}

impl Lines<'_, '_> {
    /// Adds a command to the next line.
    fn add(&mut self, number: &dyn Display, types: u8) {
        if !self.text.is_empty() {
            self.text.push(';');
        }
        // Writing to a String cannot fail.
        let _ = write!(self.text, "show stat {number} {types} -1");
    }

    fn send(&mut self) -> Result<(), SourceError> {
        let mut commands = std::iter::once(self.text.as_str());
        self.session.send(&mut commands, self.limits.deadline)?;
        self.text.clear();
        Ok(())
    }

    /// Reads the next reply; `is_last`: of its line.
    fn read(&mut self, rows: &mut dyn RowSink, is_last: bool) -> Result<(), SourceError> {
        let mut reply = self.reader.reply(rows);
        let mut questions = [Question::new("", Need::All, &mut reply)];
        self.session.read(&mut questions, is_last, self.limits)?;
        // The limit is for the rows of all proxies.
        let left = self.limits.max_bytes.saturating_sub(questions[0].bytes);
        self.limits.max_bytes = left;
        Ok(())
    }
}

/// The numbers of the proxies, in the order in which HAProxy prints them.
#[derive(Default)]
struct List {
    numbers: Vec<u64>,
    /// The position of the number in a row.
    position: Option<usize>,
    /// A proxy has no number, or there are too many.
    is_unusable: bool,
}

/// The rows of one proxy.
struct Part<'a> {
    number: u64,
    position: Option<usize>,
    rows: &'a mut dyn RowSink,
    has_row: bool,
    has_foreign: bool,
}

impl<'a> Part<'a> {
    fn new(number: u64, rows: &'a mut dyn RowSink) -> Self {
        Self {
            number,
            position: None,
            rows,
            has_row: false,
            has_foreign: false,
        }
    }

    /// Whether all rows were of this proxy. One that is listed has at least its own.
    fn is_whole(&self) -> bool {
        self.has_row && !self.has_foreign
    }
}

/// Where a header has the number of the proxy, and how many fields must be read for it.
fn find(header: &Header) -> (Option<usize>, usize) {
    let position = header.position("iid");
    (position, position.map_or(0, |position| position + 1))
}

fn number_of(row: &Row<'_>, position: Option<usize>) -> Option<u64> {
    position.and_then(|at| row.field(at)).and_then(unsigned)
}

impl RowSink for List {
    fn begin(&mut self, header: &Header) -> usize {
        let (position, fields) = find(header);
        self.position = position;
        fields
    }

    fn push(&mut self, _: RowType, row: &Row<'_>, _: Place<'_>, _: &mut Failures) {
        match number_of(row, self.position) {
            // A frontend and a backend can be one proxy: `listen`.
            Some(number) if self.numbers.last() == Some(&number) => {}
            Some(number) if self.numbers.len() < MOST_PROXIES => self.numbers.push(number),
            _ => self.is_unusable = true,
        }
    }

    fn count(&mut self, _: &Row<'_>) {}

    fn flush(&mut self, _: &[u8], _: &mut Failures) {}

    fn name_bytes(&self) -> usize {
        0
    }
}

impl RowSink for Part<'_> {
    fn begin(&mut self, header: &Header) -> usize {
        let (position, fields) = find(header);
        self.position = position;
        self.rows.begin(header).max(fields)
    }

    fn push(&mut self, of: RowType, row: &Row<'_>, place: Place<'_>, failures: &mut Failures) {
        self.has_row = true;
        self.has_foreign |= number_of(row, self.position) != Some(self.number);
        self.rows.push(of, row, place, failures);
    }

    fn count(&mut self, row: &Row<'_>) {
        self.rows.count(row);
    }

    fn flush(&mut self, text: &[u8], failures: &mut Failures) {
        self.rows.flush(text, failures);
    }

    fn name_bytes(&self) -> usize {
        self.rows.name_bytes()
    }
}

#[cfg(test)]
mod tests;
