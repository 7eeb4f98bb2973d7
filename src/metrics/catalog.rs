//! The families of both profiles, and the columns that a snapshot keeps for them: which cell reads
//! which column.

use super::{
    Cell, Conversion, EXPORTER, Family, Group, PROFILES, RowsOf, exporter_and_process, names,
};
use crate::haproxy::columns::number;
use crate::haproxy::stat::RowType;

/// A column that a snapshot keeps of the rows of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredColumn {
    /// The column that it is made of.
    pub(crate) column: &'static str,
    /// How it is converted.
    pub(crate) conversion: Conversion,
    /// The state that is counted, for counts of servers.
    state: u8,
}

impl StoredColumn {
    /// The state that is counted, for counts of servers.
    pub(crate) fn state(&self) -> usize {
        usize::from(self.state)
    }

    fn of(cell: &Cell) -> Self {
        Self {
            column: cell.column,
            conversion: cell.conversion,
            state: if cell.conversion.is_aggregate() {
                cell.state
            } else {
                0
            },
        }
    }
}

/// A family of a profile, and where the slots of its cells begin.
#[derive(Clone, Copy, Debug)]
struct FamilyRef {
    group: u8,
    family: u8,
    /// The number of the group's rows: see `Catalog::rows_of`.
    rows: u8,
    first_cell: u16,
}

/// One profile, family by family.
#[derive(Debug, Default)]
struct ProfileIndex {
    families: Vec<FamilyRef>,
    /// For each cell the slot of its column among the stored columns of its rows, or `NO_SLOT`.
    slots: Vec<u8>,
}

/// The cell's column is not stored: `--haproxy.server-metric-fields` excludes it.
const NO_SLOT: u8 = u8::MAX;

/// All families, and the columns that snapshots keep for them. Made once, at start.
#[derive(Debug)]
pub(crate) struct Catalog {
    /// In the order of the exposition.
    groups: Vec<&'static Group>,
    profiles: [ProfileIndex; PROFILES.len()],
    stored: [Vec<StoredColumn>; RowType::ALL.len()],
}

impl Catalog {
    /// Adds the groups of commands: those about the process come before proxies and servers, the
    /// others after them. Of the server columns under the exporter names, only those in
    /// `server_columns` are stored.
    pub(crate) fn new(server_columns: &[usize], of_commands: &[&'static Group]) -> Self {
        let (of_process, others): (Vec<_>, Vec<_>) = of_commands
            .iter()
            .copied()
            .partition(|group| group.scope == "global");
        let groups = [
            &exporter_and_process::EXPORTER_GROUPS[..],
            &of_process,
            &exporter_and_process::PROCESS_GROUPS,
            &names::GROUPS,
            &others,
        ]
        .concat();
        let mut stored = RowType::ALL.map(|_| Vec::new());
        let is_chosen = |group: &Group, cell: &Cell| {
            group.profile != Some(EXPORTER)
                || (group.rows != RowsOf::Stat(RowType::Server) && !cell.conversion.is_aggregate())
                || number(chosen_with(cell.column))
                    .is_some_and(|number| server_columns.contains(&number))
        };
        let mut profiles = [ProfileIndex::default(), ProfileIndex::default()];
        for (profile, index) in profiles.iter_mut().enumerate() {
            for (number, group) in groups.iter().enumerate() {
                if group.profile.is_none_or(|only| only == profile) {
                    index.add(number, group, &mut stored, is_chosen);
                }
            }
            index.families.shrink_to_fit();
            index.slots.shrink_to_fit();
        }
        Self {
            groups,
            profiles,
            stored,
        }
    }

    /// The columns that a snapshot keeps of rows of a type, by slot.
    pub(crate) fn stored_columns(&self, row_type: RowType) -> &[StoredColumn] {
        &self.stored[row_type as usize]
    }

    /// The slot of a column with this conversion, if it is stored.
    pub(crate) fn slot(
        &self,
        row_type: RowType,
        column: &str,
        conversion: Conversion,
    ) -> Option<usize> {
        let is_it =
            |stored: &StoredColumn| stored.column == column && stored.conversion == conversion;
        self.stored_columns(row_type).iter().position(is_it)
    }

    /// The number of a group's rows in a snapshot: those of `show stat` come first, by type.
    pub(crate) fn rows_of(&self, group: &Group) -> usize {
        let found = self.groups.iter().position(|own| std::ptr::eq(*own, group));
        debug_assert!(found.is_some(), "a group that is not listed: {group:?}");
        rows_number(group, found.unwrap_or(self.groups.len()))
    }

    /// The number of the rows of a family, by its number in a profile.
    pub(crate) fn rows_of_family(&self, profile: usize, number: usize) -> usize {
        usize::from(self.profiles[profile].families[number].rows)
    }

    /// Every family of a profile, with its group.
    pub(crate) fn families(
        &self,
        profile: usize,
    ) -> impl Iterator<Item = (&'static Group, &'static Family)> {
        (0..).map_while(move |number| self.family(profile, number))
    }

    /// A family of a profile by its number.
    pub(crate) fn family(
        &self,
        profile: usize,
        number: usize,
    ) -> Option<(&'static Group, &'static Family)> {
        let entry = self.profiles[profile].families.get(number)?;
        let group = self.groups[usize::from(entry.group)];
        Some((group, &group.families[usize::from(entry.family)]))
    }

    /// The slot of a cell's column, if it is stored.
    pub(crate) fn slot_of_cell(&self, profile: usize, family: usize, cell: usize) -> Option<usize> {
        let index = &self.profiles[profile];
        let first = usize::from(index.families[family].first_cell);
        let slot = index.slots[first + cell];
        (slot != NO_SLOT).then_some(usize::from(slot))
    }

    /// Whether the samples of any family have a label of this name.
    pub(crate) fn has_label(&self, name: &str) -> bool {
        for profile in 0..PROFILES.len() {
            for (group, family) in self.families(profile) {
                if label_names(group, family).contains(&name) {
                    return true;
                }
            }
        }
        false
    }

    /// The text of `--list-metrics`: name, type, labels and help, separated by tabs. A name that
    /// two groups have is listed once.
    pub(crate) fn list(&self, profile: usize) -> String {
        let mut names = std::collections::BTreeSet::new();
        let mut text = String::new();
        for (group, family) in self.families(profile) {
            let name = format!("{}{}", group.prefix, family.name);
            let labels = label_names(group, family).join(",");
            if names.insert(name.clone()) {
                text.push_str(&format!(
                    "{name}\t{}\t{labels}\t{}\n",
                    family.kind.word(),
                    family.help(group).concat()
                ));
            }
        }
        text
    }
}

impl ProfileIndex {
    fn add(
        &mut self,
        group_number: usize,
        group: &Group,
        stored: &mut [Vec<StoredColumn>; RowType::ALL.len()],
        is_chosen: impl Fn(&Group, &Cell) -> bool,
    ) {
        for (number, family) in group.families() {
            self.families.push(FamilyRef {
                group: group_number as u8,
                family: number as u8,
                rows: rows_number(group, group_number) as u8,
                first_cell: self.slots.len() as u16,
            });
            for cell in family.cells {
                self.slots.push(match group.rows {
                    RowsOf::Group => number as u8,
                    RowsOf::Stat(_) if !is_chosen(group, cell) => NO_SLOT,
                    RowsOf::Stat(row_type) => {
                        slot(&mut stored[row_type as usize], StoredColumn::of(cell))
                    }
                });
            }
        }
    }
}

/// The column by which `--haproxy.server-metric-fields` selects a column. Columns that the Go
/// exporter does not know are selected with the status.
fn chosen_with(column: &str) -> &str {
    match column {
        "bck" => "status",
        column => column,
    }
}

fn rows_number(group: &Group, number: usize) -> usize {
    match group.rows {
        RowsOf::Stat(row_type) => row_type as usize,
        RowsOf::Group => RowType::ALL.len() + number,
    }
}

/// Finds the column among the stored ones, or adds it.
fn slot(stored: &mut Vec<StoredColumn>, column: StoredColumn) -> u8 {
    let found = stored.iter().position(|other| *other == column);
    let slot = found.unwrap_or_else(|| {
        stored.push(column);
        stored.len() - 1
    });
    slot as u8
}

/// The label names of a family's samples, in order.
pub(crate) fn label_names(group: &Group, family: &Family) -> Vec<&'static str> {
    let own = family
        .cells
        .first()
        .map_or("", |cell| super::labels::LABELS[usize::from(cell.label)].0);
    let own = Some(own).filter(|name| !name.is_empty());
    group.labels.iter().copied().chain(own).collect()
}
