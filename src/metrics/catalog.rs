//! The profiles, held against the columns that a snapshot keeps: which cell shows which column.

use super::{Cell, Family, Group, Profile, Reading, Scope, builtin, exporter};

/// The profiles, by number.
pub(crate) const PROFILES: [&Profile; 2] = [&exporter::PROFILE, &builtin::PROFILE];

/// A column that a snapshot keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Which of the scope's columns it is made of.
    pub(crate) column: u16,
    /// How.
    pub(crate) reading: Reading,
    /// Of which state, for what is counted over servers.
    state: u8,
}

impl Kept {
    /// The state that is counted, for what is counted over servers.
    pub(crate) fn state(&self) -> usize {
        usize::from(self.state)
    }

    fn of(cell: &Cell) -> Self {
        Self {
            column: cell.column,
            reading: cell.reading,
            state: if cell.reading.is_aggregate() {
                cell.state
            } else {
                0
            },
        }
    }
}

/// A family of a profile, with where its cells' slots begin.
#[derive(Clone, Copy, Debug)]
struct Entry {
    group: u8,
    family: u8,
    first_cell: u16,
}

/// One profile, family by family.
#[derive(Debug)]
struct Listed {
    entries: Vec<Entry>,
    /// For each cell the slot of its column among those that its scope keeps, or `NO_SLOT`.
    slots: Vec<u8>,
}

/// The cell's column is not kept: `--haproxy.server-metric-fields` leaves it out.
const NO_SLOT: u8 = u8::MAX;

/// Both profiles and the columns that snapshots keep for them. Made once, at start.
#[derive(Debug)]
pub(crate) struct Catalog {
    profiles: [Listed; PROFILES.len()],
    kept: [Vec<Kept>; Scope::ALL.len()],
}

impl Catalog {
    /// Of the servers' columns under the exporter's names, only those in `server_columns` count.
    pub(crate) fn new(server_columns: &[usize]) -> Self {
        let mut kept = Scope::ALL.map(|_| Vec::new());
        let profiles = PROFILES.map(|profile| {
            let is_chosen = |group: &Group, cell: &Cell| {
                profile.name != exporter::PROFILE.name
                    || group.scope != Scope::Server
                    || server_columns.contains(&usize::from(cell.column))
            };
            Listed::new(profile, &mut kept, is_chosen)
        });
        Self { profiles, kept }
    }

    /// The columns that a snapshot keeps of a scope, by slot.
    pub(crate) fn kept(&self, scope: Scope) -> &[Kept] {
        &self.kept[scope as usize]
    }

    /// The slot of a column that is read this way, if it is kept.
    pub(crate) fn slot(&self, scope: Scope, column: u16, reading: Reading) -> Option<usize> {
        let is_it = |kept: &Kept| kept.column == column && kept.reading == reading;
        self.kept(scope).iter().position(is_it)
    }

    /// A family of a profile by its number.
    pub(crate) fn family(
        &self,
        profile: usize,
        number: usize,
    ) -> Option<(&'static Group, &'static Family)> {
        let entry = self.profiles[profile].entries.get(number)?;
        let group = PROFILES[profile].groups[usize::from(entry.group)];
        Some((group, &group.families[usize::from(entry.family)]))
    }

    /// The slot of a cell's column, unless it is not kept.
    pub(crate) fn slot_of_cell(&self, profile: usize, family: usize, cell: usize) -> Option<usize> {
        let listed = &self.profiles[profile];
        let first = usize::from(listed.entries[family].first_cell);
        let slot = listed.slots[first + cell];
        (slot != NO_SLOT).then_some(usize::from(slot))
    }
}

/// Every family of a profile, with the group that it is in.
pub(crate) fn families(profile: usize) -> impl Iterator<Item = (&'static Group, &'static Family)> {
    let groups = PROFILES[profile].groups.iter();
    groups.flat_map(|group| group.families.iter().map(move |family| (*group, family)))
}

impl Listed {
    fn new(
        profile: &Profile,
        kept: &mut [Vec<Kept>; Scope::ALL.len()],
        is_chosen: impl Fn(&Group, &Cell) -> bool,
    ) -> Self {
        let mut listed = Self {
            entries: Vec::new(),
            slots: Vec::new(),
        };
        for (group_number, group) in profile.groups.iter().enumerate() {
            let kept = &mut kept[group.scope as usize];
            for (family_number, family) in group.families.iter().enumerate() {
                listed.entries.push(Entry {
                    group: group_number as u8,
                    family: family_number as u8,
                    first_cell: listed.slots.len() as u16,
                });
                for cell in family.cells {
                    let slot = match is_chosen(group, cell) {
                        true => slot(kept, Kept::of(cell)),
                        false => NO_SLOT,
                    };
                    listed.slots.push(slot);
                }
            }
        }
        listed.entries.shrink_to_fit();
        listed.slots.shrink_to_fit();
        listed
    }
}

/// Finds the column among those kept, or keeps it.
fn slot(kept: &mut Vec<Kept>, column: Kept) -> u8 {
    let found = kept.iter().position(|other| *other == column);
    let slot = found.unwrap_or_else(|| {
        kept.push(column);
        kept.len() - 1
    });
    slot as u8
}

/// The label names of a group's samples, in their order.
pub(crate) fn label_names(group: &Group, family: &Family) -> Vec<&'static str> {
    let first = Some(group.first_label).filter(|name| !name.is_empty());
    let own = family
        .cells
        .first()
        .map_or("", |cell| super::labels::LABELS[usize::from(cell.label)].0);
    let own = Some(own).filter(|name| !name.is_empty());
    let more = group.scope.more_labels().iter().copied();
    first.into_iter().chain(more).chain(own).collect()
}

/// The text of `--list-metrics`: name, type, labels and help, separated by tabs. A name that two
/// groups can give is listed once.
pub(crate) fn list(profile: usize) -> String {
    let mut names = std::collections::BTreeSet::new();
    let mut text = String::new();
    for (group, family) in families(profile) {
        let name = format!("{}{}", group.prefix, family.name);
        let labels = label_names(group, family).join(",");
        if names.insert(name.clone()) {
            text.push_str(&format!(
                "{name}\t{}\t{labels}\t{}\n",
                family.kind.word(),
                family.help
            ));
        }
    }
    text
}
