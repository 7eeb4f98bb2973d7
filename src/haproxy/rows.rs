//! Decides which rows count.

use super::columns::Header;
use super::csv::Row;
use super::failures::{BadRow, Failures, Why, excerpt};
use super::limits::{MAX_FIELDS, MAX_NAME_BYTES, MIN_FIELDS};
use super::proxy_filter::ProxyFilter;
use super::reply::ReplyError;
use super::states;

/// The kind of a CSV row (column 32, `type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowType {
    /// Type 0.
    Frontend,
    /// Type 1.
    Backend,
    /// Type 2.
    Server,
    /// Type 3, printed for frontends with `option socket-stats`.
    Listener,
}

impl RowType {
    /// All types, in the order of their numbers.
    pub(crate) const ALL: [Self; 4] = [Self::Frontend, Self::Backend, Self::Server, Self::Listener];

    /// The bit for this type in the command's mask.
    pub(crate) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The class of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowClass {
    /// A row that metrics are made of.
    Wanted(RowType),
    /// A server in an excluded state: not exported, but counted among its backend's servers.
    Excluded,
    /// A row of an excluded proxy.
    Unwanted,
    /// Another type, which newer releases of HAProxy can print.
    Unknown,
    /// It has a wrong number of fields.
    Cut,
    /// It is inconsistent.
    Bad,
}

/// Which rows are exported.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Servers whose status matches one of these are excluded.
    pub(crate) excluded_states: Vec<Vec<u8>>,
    /// Excluded proxies.
    pub(crate) proxies: ProxyFilter,
}

/// The rules for the rows of one reply.
#[derive(Debug)]
pub(crate) struct Rules {
    filter: Filter,
    /// The first proxy of this scrape that the filter excludes.
    pub(super) unwanted: Option<String>,
    /// The number of fields that all rows must have: that of the header, otherwise that of the
    /// first row with enough fields.
    field_count: Option<usize>,
    /// How many fields the rows had.
    row_fields: RowFields,
    /// Positions of the fields that decide about rows.
    places: Places,
    /// Of which change of the header that is.
    header: Option<u64>,
}

/// How many fields the rows of a reply had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowFields {
    /// Those of the first row.
    first: usize,
    /// Another row had another number, or was not a row of HAProxy.
    is_mixed: bool,
    /// Some row had as many as the header has names.
    pub(crate) some_as_header: bool,
}

impl RowFields {
    /// The number that all rows had; `None` if there was no row, or not all had the same.
    pub(crate) fn all(self) -> Option<usize> {
        (self.first > 0 && !self.is_mixed).then_some(self.first)
    }

    fn add(&mut self, count: usize, is_sound: bool, names: Option<usize>) {
        if self.first == 0 {
            self.first = count;
        }
        self.is_mixed |= count != self.first || !is_sound;
        self.some_as_header |= names == Some(count);
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Places {
    field_count: Option<usize>,
    name_count: Option<usize>,
    proxy_name: Option<usize>,
    service_name: Option<usize>,
    status: Option<usize>,
    row_type: Option<usize>,
}

impl Rules {
    /// Rules with a filter.
    pub(crate) fn new(filter: Filter) -> Self {
        Self {
            filter,
            unwanted: None,
            field_count: None,
            row_fields: RowFields::default(),
            places: Places::default(),
            header: None,
        }
    }

    /// Begins another reply, or the rows after its header.
    pub(crate) fn begin(&mut self, header: &Header) {
        if self.header != Some(header.changes()) {
            self.header = Some(header.changes());
            self.places = Places {
                field_count: header.field_count(),
                name_count: header.name_count(),
                proxy_name: header.position("pxname"),
                service_name: header.position("svname"),
                status: header.position("status"),
                row_type: header.position("type"),
            };
        }
        self.field_count = self.places.field_count;
        self.row_fields = RowFields::default();
    }

    /// Classifies a row; an invalid one is added to `failures`.
    ///
    /// # Errors
    /// If a limit is exceeded.
    pub(crate) fn judge(
        &mut self,
        row: &Row<'_>,
        line: u64,
        failures: &mut Failures,
    ) -> Result<RowClass, ReplyError> {
        if row.count > MAX_FIELDS {
            return Err(ReplyError::TooManyFields(line));
        }
        if self.field_count.is_none() && row.count >= MIN_FIELDS {
            self.field_count = Some(row.count);
        }
        let expected = self.field_count.unwrap_or(MIN_FIELDS);
        let identity = self.identity(row);
        let is_sound = row.count == expected || identity.is_ok();
        self.row_fields
            .add(row.count, is_sound, self.places.name_count);
        if row.count != expected {
            let found = row.count;
            let why = Why::FieldCount { found, expected };
            failures.add(BadRow { line, why });
            return Ok(RowClass::Cut);
        }
        let (row_type, proxy, service) = match identity {
            Ok(Some(identity)) => identity,
            Ok(None) => return Ok(RowClass::Unknown),
            Err(why) => {
                failures.add(BadRow { line, why });
                return Ok(RowClass::Bad);
            }
        };
        if proxy.len() > MAX_NAME_BYTES || service.len() > MAX_NAME_BYTES {
            return Err(ReplyError::NameTooLong(line));
        }
        if !self.filter.proxies.allows(proxy) {
            self.unwanted.get_or_insert_with(|| excerpt(proxy));
            return Ok(RowClass::Unwanted);
        }
        Ok(match row_type {
            RowType::Server if self.is_excluded(row) => RowClass::Excluded,
            _ => RowClass::Wanted(row_type),
        })
    }

    /// The type and the names of a row; none if the type is an unknown number.
    fn identity<'a>(&self, row: &'a Row<'_>) -> Result<Option<Identity<'a>>, Why> {
        let field = |place: Option<usize>| place.and_then(|at| row.field(at)).unwrap_or_default();
        let row_type = match field(self.places.row_type) {
            b"0" => RowType::Frontend,
            b"1" => RowType::Backend,
            b"2" => RowType::Server,
            b"3" => RowType::Listener,
            other if is_number(other) => return Ok(None),
            other => return Err(Why::Type(excerpt(other))),
        };
        let proxy = field(self.places.proxy_name);
        let service = field(self.places.service_name);
        match misnamed(row_type, proxy, service) {
            Some(why) => Err(why),
            None => Ok(Some((row_type, proxy, service))),
        }
    }

    /// How many fields the rows of this reply had so far.
    pub(crate) fn row_fields(&self) -> RowFields {
        self.row_fields
    }

    fn is_excluded(&self, row: &Row<'_>) -> bool {
        let status = self.places.status.and_then(|at| row.field(at));
        let status = status.unwrap_or_default();
        let matches = |state: &Vec<u8>| state == status || state == states::bare(status);
        self.filter.excluded_states.iter().any(matches)
    }
}

/// The type of a row, its proxy and its service.
type Identity<'a> = (RowType, &'a [u8], &'a [u8]);

/// An optional sign and digits: possibly a type of newer releases of HAProxy.
fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+"));
    let digits = digits.unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// The error in a row's names. HAProxy 2.3 prints rows without some of them if two clients read its
/// statistics at the same time.
fn misnamed(row_type: RowType, proxy: &[u8], service: &[u8]) -> Option<Why> {
    let is_called = |expected: &'static str| {
        let found = || excerpt(service);
        (service != expected.as_bytes()).then(|| Why::Misnamed {
            expected,
            found: found(),
        })
    };
    match row_type {
        _ if proxy.is_empty() => Some(Why::NoProxyName),
        RowType::Frontend => is_called("FRONTEND"),
        RowType::Backend => is_called("BACKEND"),
        RowType::Server if service.is_empty() => Some(Why::NoServerName(excerpt(proxy))),
        RowType::Server | RowType::Listener => None,
    }
}
