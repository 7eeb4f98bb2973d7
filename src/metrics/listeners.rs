//! Rows of listeners that have the same name become one row.
//!
//! HAProxy prints a row for each socket of a `bind` line: for each of its addresses and ports, and for each
//! shard and thread group. All have the name of the line, and several lines may have the same name. Counters,
//! current numbers and limits are added up, of maxima the largest is kept, of states the best.

use super::catalog::StoredColumn;
use super::column::Column;
use super::snapshot::Rows;
use super::value::{self, Value};
use crate::haproxy::states::{LISTENER_STATES, NOTHING, OTHER};

/// The rows of listeners in one scrape, while the columns still have a cell for each of them.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    /// For each row which listener it is of, by the number of its labels.
    of_rows: Vec<u32>,
}

impl Listeners {
    /// Forgets all rows, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.of_rows.clear();
    }

    /// Another row, of this listener.
    pub(crate) fn push(&mut self, listener: usize) {
        self.of_rows.push(listener as u32);
    }

    /// Leaves one cell a listener in each column.
    pub(crate) fn join(&self, stored: &[StoredColumn], rows: &mut Rows) {
        let count = rows.count();
        if self.of_rows.len() == count {
            return;
        }
        let mut joined = std::mem::take(&mut rows.columns);
        for (stored, column) in stored.iter().zip(&mut joined) {
            if column.values.is_empty() {
                continue;
            }
            match stored.conversion.is_state() {
                true => self.join_states(rows, column),
                false => {
                    let is_maximum = stored.column.ends_with("max");
                    let join = if is_maximum { i128::max } else { |a, b| a + b };
                    self.join_numbers(join, rows, column);
                }
            }
        }
        rows.columns = joined;
    }

    fn join_states(&self, rows: &Rows, column: &mut Column) {
        let mut best = vec![NOTHING; rows.count()];
        for (state, listener) in column.values.iter().zip(&self.of_rows) {
            let best = &mut best[*listener as usize];
            if rank(*state) > rank(*best) {
                *best = *state;
            }
        }
        column.clear();
        for (row, state) in best.into_iter().enumerate() {
            column.push_state(state, rows.labels_of(row).1);
        }
    }

    fn join_numbers(&self, join: fn(i128, i128) -> i128, rows: &Rows, column: &mut Column) {
        let mut numbers = vec![None; rows.count()];
        let mut rest = &column.values[..];
        for listener in &self.of_rows {
            let Some((length, text)) = rest.split_first() else {
                break;
            };
            let (text, behind) = text.split_at(usize::from(*length));
            rest = behind;
            // Empty where the cell was, or was no number.
            let number = std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse().ok());
            let all = &mut numbers[*listener as usize];
            *all = match (*all, number) {
                (Some(all), Some(number)) => Some(join(all, number)),
                (all, number) => all.or(number),
            };
        }
        column.clear();
        for (row, number) in numbers.into_iter().enumerate() {
            let mut text = [0; value::MAX_VALUE_BYTES];
            // As a cell may be: more than 64 bits hold stays at their end.
            let value = number.map(|all| match all {
                ..0 => Value::Signed(i64::try_from(all).unwrap_or(i64::MIN)),
                _ => Value::Unsigned(u64::try_from(all).unwrap_or(u64::MAX)),
            });
            let length = Value::from(value).write(&mut text);
            column.push(&text[..length], rows.labels_of(row).1);
        }
    }
}

/// Which of two states is the better one: a listener is open while one of its sockets is.
fn rank(state: u8) -> u8 {
    match state {
        NOTHING => 0,
        OTHER => 1,
        state => match LISTENER_STATES.get(usize::from(state)) {
            Some(&"OPEN") => 4,
            Some(&"FULL") => 3,
            _ => 2,
        },
    }
}
