//! Counters of HAProxy's modules (`?extra-counters`): the columns behind the one named `-`, each under
//! the column's name, with the module as a label. All are of type counter, also those that go up and
//! down, as HAProxy's exporter has them.

use crate::haproxy::columns::{COLUMNS, MODULES};
use crate::metrics::{Cell, Family, Group, Kind, Reading, labels};

/// The number of columns of all modules.
const ALL: usize = MODULES[MODULES.len() - 1].1.end - MODULES[0].1.start;
/// The number of columns of the first module, ssl: the only one that servers and listeners have.
const SSL: usize = MODULES[0].1.end - MODULES[0].1.start;

pub(super) static FRONTEND: Group = extra(&super::frontend::MAIN, ALL);
pub(super) static BACKEND: Group = extra(&super::backend::MAIN, ALL);
pub(super) static SERVER: Group = extra(&super::server::MAIN, SSL);
pub(super) static LISTENER: Group = extra(&super::listener::MAIN, SSL);

/// The first families, of the rows of another group.
const fn extra(of: &Group, families: usize) -> Group {
    Group {
        is_extra: true,
        families: FAMILIES.split_at(families).0,
        ..*of
    }
}

static CELLS: [Cell; ALL] = {
    let mut cells = [Cell::new(0, Reading::Integer); ALL];
    let mut module = 0;
    while module < MODULES.len() {
        let mut column = MODULES[module].1.start;
        while column < MODULES[module].1.end {
            let cell = &mut cells[column - MODULES[0].1.start];
            cell.column = column as u16;
            cell.label = labels::MODULE + module as u8;
            column += 1;
        }
        module += 1;
    }
    cells
};

static FAMILIES: [Family; ALL] = {
    let none = Family {
        kind: Kind::Counter,
        name: "",
        help: "A counter of one of HAProxy's modules, the column of this name in its statistics.",
        cells: &[],
    };
    let mut families = [none; ALL];
    let mut at = 0;
    while at < ALL {
        families[at].name = COLUMNS[MODULES[0].1.start + at];
        families[at].cells = std::slice::from_ref(&CELLS[at]);
        at += 1;
    }
    families
};
