//! What a request selects: `?scope=`, `?no-maint`, `?metrics=` and `?extra-counters`, with the
//! meaning that HAProxy's built-in exporter gives them, and our own `?names=` and `?target=`.
//!
//! A selection filters what is written. Requests that share a scrape can select different things:
//! HAProxy is queried for everything that any of them selects.

mod error;

pub(crate) use error::SelectionError;
use error::quoted;

use super::catalog::Catalog;
use super::{BUILTIN, PROFILES};
use super::{Conversion, Group, RowsOf};
use crate::haproxy::stat::RowType;

/// Size of a set of families, in words of 64 bits.
const FAMILY_WORDS: usize = 10;

/// A set of families of one profile, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Families([u64; FAMILY_WORDS]);

impl Families {
    fn insert(&mut self, family: usize) {
        self.0[family / 64] |= 1 << (family % 64);
    }

    fn contains(&self, family: usize) -> bool {
        self.0[family / 64] >> (family % 64) & 1 == 1
    }
}

/// What one request selects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection {
    catalog: &'static Catalog,
    /// The number of the profile.
    profile: usize,
    families: Families,
    /// Whether servers in maintenance are excluded.
    no_maint: bool,
}

/// What a request selects if it does not choose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defaults {
    /// Both profiles.
    pub(crate) catalog: &'static Catalog,
    /// The number of the profile without `?names=`.
    pub(crate) profile: usize,
}

/// Scopes that a longer word asks for as well, as in HAProxy 3.0 and later: `resolvers`, `sticktables`.
const SCOPES_BY_PREFIX: [&str; 2] = ["sticktable", "resolver"];
/// Parameters that would be ignored like all unknown ones, and what is meant: `?targets=a` would give the metrics
/// of another HAProxy.
const MISSPELT: [(&str, &str); 4] = [
    ("targets", "target"),
    ("scopes", "scope"),
    ("metric", "metrics"),
    ("name", "names"),
];

/// A query that is understood.
pub(crate) struct Query {
    pub(crate) selection: Selection,
    /// The name of the target.
    pub(crate) target: Option<String>,
    /// Names in `metrics=` that no metric has, in short; they are ignored.
    pub(crate) unknown: Option<String>,
}

/// The parameters of a query, before they are applied to a profile.
struct Parameters {
    profile: usize,
    /// The selected words of `scope=`; `None` selects all.
    scopes: Option<Vec<&'static str>>,
    no_maint: bool,
    has_extra: bool,
    /// Names to include (`true`) or to exclude, in order.
    metrics: Vec<(bool, String)>,
    target: Option<String>,
}

impl Selection {
    /// Whether it wants the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let of = |selection: &Self| (selection.profile, selection.families.0, selection.no_maint);
        std::ptr::eq(self.catalog, other.catalog) && of(self) == of(other)
    }

    /// Everything that is exported without a query.
    pub(crate) fn all(defaults: &Defaults) -> Self {
        Parameters::all(defaults.profile).select(defaults.catalog)
    }

    /// Whether a family is selected, by its number in the profile.
    pub(crate) fn has(&self, family: usize) -> bool {
        self.families.contains(family)
    }

    /// The number of the profile.
    pub(crate) fn profile(&self) -> usize {
        self.profile
    }

    /// Both profiles.
    pub(crate) fn catalog(&self) -> &'static Catalog {
        self.catalog
    }

    /// Whether such rows are excluded while the server is in maintenance.
    pub(crate) fn leaves_out_maint(&self, rows: RowsOf) -> bool {
        self.no_maint && rows == RowsOf::Stat(RowType::Server)
    }
}

impl Query {
    /// Reads a query without its question mark. Unknown parameters are ignored, and so are unknown names in
    /// `metrics=` beside a known one.
    ///
    /// # Errors
    /// If a parameter has an invalid value or is misspelt, or if no metric in `metrics=` is known.
    pub(crate) fn parse(query: &str, defaults: &Defaults) -> Result<Self, SelectionError> {
        let parameters = Parameters::parse(query, defaults)?;
        let unknown = parameters.unknown_metrics(defaults.catalog)?;
        Ok(Self {
            selection: parameters.select(defaults.catalog),
            target: parameters.target,
            unknown,
        })
    }
}

impl Parameters {
    /// The selection without any parameter.
    fn all(profile: usize) -> Self {
        Self {
            profile,
            scopes: None,
            no_maint: false,
            has_extra: false,
            metrics: Vec::new(),
            target: None,
        }
    }

    fn parse(query: &str, defaults: &Defaults) -> Result<Self, SelectionError> {
        let mut parameters = Self::all(defaults.profile);
        let mut has_scope = false;
        let query = query.split('#').next().unwrap_or_default();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = match part.split_once('=') {
                Some((key, value)) => (decode(key)?, Some(value)),
                None => (decode(part)?, None),
            };
            if value.is_some_and(|value| value.contains('=')) {
                return Err(SelectionError::BadValue(key));
            }
            let in_value = |_| SelectionError::BadEncoding(Some(key.clone()));
            let value = value.map(|value| decode(value).map_err(in_value));
            let value = value.transpose()?;
            match (key.as_str(), value) {
                ("scope", Some(value)) => {
                    if !std::mem::replace(&mut has_scope, true) {
                        parameters.scopes = Some(Vec::new());
                    }
                    parameters.add_scope(value, defaults.catalog)?;
                }
                ("metrics", Some(value)) => parameters.add_metrics(&value),
                ("names", Some(value)) => parameters.profile = profile_number(value)?,
                ("target", Some(value)) => parameters.target = Some(value),
                ("target", None) => return Err(SelectionError::NoValue("target")),
                ("scope", None) => return Err(SelectionError::NoValue("scope")),
                ("metrics", None) => return Err(SelectionError::NoValue("metrics")),
                ("names", None) => return Err(SelectionError::NoValue("names")),
                ("no-maint", _) => parameters.no_maint = true,
                ("extra-counters", _) => parameters.has_extra = true,
                (key, _) => {
                    if let Some((key, right)) = MISSPELT.iter().find(|(wrong, _)| *wrong == key) {
                        return Err(SelectionError::Misspelt(key, right));
                    }
                }
            }
        }
        Ok(parameters)
    }

    fn add_scope(&mut self, word: String, catalog: &Catalog) -> Result<(), SelectionError> {
        match word.as_str() {
            "" => self.scopes = Some(Vec::new()),
            "*" => self.scopes = None,
            _ => {
                let all = scope_words(catalog);
                let is_it = |known: &&&str| {
                    **known == word || SCOPES_BY_PREFIX.contains(known) && word.starts_with(**known)
                };
                let Some(known) = all.iter().find(is_it) else {
                    let names = format!("{} or *", all.join(", "));
                    return Err(SelectionError::UnknownValue("scope", word, names));
                };
                if let Some(scopes) = &mut self.scopes {
                    scopes.push(known);
                }
            }
        }
        Ok(())
    }

    fn add_metrics(&mut self, list: &str) {
        for name in list.split(',') {
            let (keep, name) = match name.strip_prefix('-') {
                Some(name) => (false, name),
                None => (true, name),
            };
            if !name.is_empty() {
                self.metrics.push((keep, name.to_owned()));
            }
        }
    }

    /// The names in `metrics=` that no metric of the profile has.
    ///
    /// # Errors
    /// If there is no known name beside them, and something is to be kept: nothing would be.
    fn unknown_metrics(&self, catalog: &Catalog) -> Result<Option<String>, SelectionError> {
        let is_known = |name: &str| {
            let mut families = catalog.families(self.profile);
            families.any(|(group, family)| name.strip_prefix(group.prefix) == Some(family.name))
        };
        let names = self.metrics.iter().map(|(_, name)| name);
        let unknown: Vec<String> = names.filter(|name| !is_known(name)).cloned().collect();
        let keeps_named_only = self.metrics.iter().any(|(keep, _)| *keep);
        match unknown.len() {
            0 => Ok(None),
            count if count == self.metrics.len() && keeps_named_only => {
                Err(SelectionError::UnknownMetrics(unknown))
            }
            _ => Ok(Some(quoted(&unknown))),
        }
    }

    fn select(&self, catalog: &'static Catalog) -> Selection {
        let keeps_named_only = self.metrics.iter().any(|(keep, _)| *keep);
        let mut families = Families::default();
        for (number, (group, family)) in catalog.families(self.profile).enumerate() {
            if !self.has_group(group) {
                continue;
            }
            let is_it = |name: &str| name.strip_prefix(group.prefix) == Some(family.name);
            let mentioned = self.metrics.iter().rev().find(|(_, name)| is_it(name));
            if mentioned.map_or(!keeps_named_only, |(keep, _)| *keep) {
                families.insert(number);
            }
        }
        Selection {
            catalog,
            profile: self.profile,
            families,
            no_maint: self.no_maint,
        }
    }

    fn has_group(&self, group: &Group) -> bool {
        let is_listed =
            |scopes: &Vec<&str>| group.scope.is_empty() || scopes.contains(&group.scope);
        self.scopes.as_ref().is_none_or(is_listed) && (self.has_extra || !group.is_extra)
    }
}

/// The words that `scope=` accepts, in the order of the exposition.
fn scope_words(catalog: &Catalog) -> Vec<&'static str> {
    let all = catalog.families(BUILTIN).map(|(group, _)| group.scope);
    let mut words: Vec<&str> = all.filter(|word| !word.is_empty()).collect();
    words.dedup();
    words
}

/// The number of a profile by its name.
///
/// # Errors
/// If no profile has this name.
pub(crate) fn profile_number(name: String) -> Result<usize, SelectionError> {
    let found = PROFILES.iter().position(|profile| *profile == name);
    found.ok_or_else(|| SelectionError::UnknownValue("names", name, PROFILES.join(" or ")))
}

/// Decodes `%41` and `+`.
fn decode(text: &str) -> Result<String, SelectionError> {
    if !text.contains(['%', '+']) {
        return Ok(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
                let (Some(high), Some(low)) = (digit(), digit()) else {
                    return Err(SelectionError::BadEncoding(None));
                };
                bytes.push((high * 16 + low) as u8);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| SelectionError::BadEncoding(None))
}

/// What all requests that share a scrape select together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    profiles: [Families; PROFILES.len()],
    no_maint: bool,
}

impl Wanted {
    /// What one request selects.
    pub(crate) fn of(selection: &Selection) -> Self {
        let mut wanted = Self::default();
        wanted.add(selection);
        wanted
    }

    /// Adds what another request selects.
    pub(crate) fn add(&mut self, selection: &Selection) {
        let families = &mut self.profiles[selection.profile].0;
        for (word, more) in families.iter_mut().zip(selection.families.0) {
            *word |= more;
        }
        self.no_maint |= selection.no_maint;
    }

    /// Whether any selected family needs rows of this type; families of a backend can also need
    /// those of its servers.
    pub(crate) fn has(&self, catalog: &Catalog, row_type: RowType) -> bool {
        self.cells(catalog).any(|(rows, slot)| {
            rows == row_type as usize
                || row_type == RowType::Server
                    && rows == RowType::Backend as usize
                    && catalog.stored_columns(RowType::Backend)[slot]
                        .conversion
                        .is_aggregate()
        })
    }

    /// Whether any family of a group with its own rows is selected.
    pub(crate) fn has_group(&self, catalog: &Catalog, group: &Group) -> bool {
        let number = catalog.rows_of(group);
        self.cells(catalog).any(|(rows, _)| rows == number)
    }

    /// Whether this includes all cells that `other` selects, under any names.
    pub(crate) fn includes(&self, other: &Self, catalog: &Catalog) -> bool {
        let own: Vec<_> = self.all_cells(catalog).collect();
        other.all_cells(catalog).all(|cell| own.contains(&cell))
    }

    /// Marks the slots of the columns that are wanted of rows of a type.
    pub(crate) fn mark_slots(&self, catalog: &Catalog, row_type: RowType, wanted: &mut Vec<bool>) {
        wanted.clear();
        wanted.resize(catalog.stored_columns(row_type).len(), false);
        for (rows, slot) in self.all_cells(catalog) {
            if rows == row_type as usize {
                wanted[slot] = true;
            }
        }
    }

    /// The cells of the selected families, and the states of servers if servers in maintenance are
    /// excluded.
    fn all_cells<'a>(&'a self, catalog: &'a Catalog) -> impl Iterator<Item = (usize, usize)> + 'a {
        let servers = RowType::Server as usize;
        let chooses = self.no_maint && self.cells(catalog).any(|(rows, _)| rows == servers);
        let state = catalog.slot(RowType::Server, "status", Conversion::ServerState);
        let state = state.filter(|_| chooses).map(|slot| (servers, slot));
        self.cells(catalog).chain(state)
    }

    /// The number of the rows and the slot of each cell of each selected family.
    fn cells<'a>(&'a self, catalog: &'a Catalog) -> impl Iterator<Item = (usize, usize)> + 'a {
        let profiles = self.profiles.iter().enumerate();
        profiles.flat_map(move |(profile, families)| {
            let listed = catalog.families(profile).enumerate();
            let wanted = listed.filter(|(number, _)| families.contains(*number));
            wanted.flat_map(move |(number, (_, family))| {
                let rows = catalog.rows_of_family(profile, number);
                let slots = (0..family.cells.len())
                    .filter_map(move |cell| catalog.slot_of_cell(profile, number, cell));
                slots.map(move |slot| (rows, slot))
            })
        })
    }
}

#[cfg(test)]
mod tests;
