//! One column of a snapshot: the value texts of the rows, or the numbers of their states.

use super::Conversion;
use super::value::{self, MAX_VALUE_BYTES, Text};
use crate::haproxy::states::{self, NOTHING};

/// Maximum size of a value in bytes: its length and its text.
pub(crate) const MAX_STORED_BYTES: usize = 1 + MAX_VALUE_BYTES;

/// The values of all rows, in order, and what is needed to compute the length of their sample
/// lines.
#[derive(Debug, Default)]
pub(crate) struct Column {
    /// For each row one byte with the length of the value (0: no sample) and the value. If the
    /// column keeps states, for each row only the number of the state.
    pub(crate) values: Vec<u8>,
    /// Number of rows with a sample.
    pub(crate) samples: u32,
    /// Size of the labels of these rows in bytes.
    pub(crate) label_bytes: u64,
    /// Size of their values in bytes.
    pub(crate) value_bytes: u64,
}

/// The fields of one row that a value is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    /// The field of the column.
    pub(crate) own: &'a [u8],
    /// The field that decides whether it counts, for conversions of two fields.
    pub(crate) other: &'a [u8],
}

impl Column {
    /// Forgets the rows, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        (self.samples, self.label_bytes, self.value_bytes) = (0, 0, 0);
    }

    /// Appends the value of the next row, whose labels have `label_bytes`; an empty value is no
    /// sample.
    pub(crate) fn push(&mut self, text: &[u8], label_bytes: usize) {
        let text = &text[..text.len().min(MAX_VALUE_BYTES)];
        self.values.push(text.len() as u8);
        self.values.extend_from_slice(text);
        self.count(text.len(), label_bytes);
    }

    /// Appends the state of the next row.
    pub(crate) fn push_state(&mut self, state: u8, label_bytes: usize) {
        self.values.push(state);
        self.count(usize::from(state != NOTHING), label_bytes);
    }

    fn count(&mut self, value_bytes: usize, label_bytes: usize) {
        let is_sample = value_bytes > 0;
        self.samples += u32::from(is_sample);
        self.value_bytes += value_bytes as u64;
        self.label_bytes += if is_sample { label_bytes as u64 } else { 0 };
    }
}

/// The state in a field, for the conversions that keep one.
pub(crate) fn state(conversion: Conversion, field: &[u8]) -> u8 {
    match conversion {
        Conversion::FrontendState => states::frontend_state(field),
        Conversion::BackendState => states::backend_state(field),
        Conversion::ListenerState => states::listener_state(field),
        Conversion::ServerState => states::server_state(field),
        Conversion::OutOfService => states::out_of_service(field),
        Conversion::Flag if field == b"1" => 0,
        Conversion::Flag => NOTHING,
        _ => states::check_result(field),
    }
}

/// Writes the value text of a row's fields to the beginning of `to`. Returns its length, 0 for no
/// sample, or `None` if the field is invalid.
pub(crate) fn write(conversion: Conversion, fields: Fields<'_>, to: &mut Text) -> Option<usize> {
    let Fields { own, other } = fields;
    match conversion {
        Conversion::HttpInteger | Conversion::Published if other.is_empty() => Some(0),
        Conversion::AgentMilliseconds if !states::has_result(other) => Some(0),
        Conversion::CheckCode | Conversion::AgentCode if other.is_empty() => Some(0),
        Conversion::CheckCode | Conversion::AgentCode if own.is_empty() => {
            to[0] = b'0';
            Some(1)
        }
        _ if own.is_empty() => Some(0),
        Conversion::Milliseconds | Conversion::AgentMilliseconds => {
            value::write_milliseconds(own, to)
        }
        Conversion::TakesTraffic => {
            to[0] = if states::takes_traffic(own) {
                b'1'
            } else {
                b'0'
            };
            Some(1)
        }
        Conversion::Published => {
            to[0] = b'0' + u8::from(states::is_published(own));
            Some(1)
        }
        _ => value::write_integer(own, to),
    }
}
