//! What the tests of the rooms here share: snapshots without a HAProxy.

use std::sync::OnceLock;

use crate::metrics::Scope;
use crate::metrics::catalog::Catalog;
use crate::metrics::cursor::{Cursor, exposition_bytes};
use crate::metrics::exposition::BUFFER_BYTES;
use crate::metrics::selection::{Defaults, Selection};
use crate::metrics::snapshot::Snapshot;
use crate::metrics::value;

fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| Catalog::new(&[]))
}

pub(super) fn defaults() -> Defaults {
    Defaults {
        catalog: catalog(),
        profile: 0,
    }
}

/// All of it.
pub(super) fn selection() -> Selection {
    Selection::all(&defaults())
}

/// A snapshot that shows so many scrapes, and frontends: each has 2 KB of text.
pub(super) fn snapshot(scrapes: u64, frontends: usize) -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.add_row(catalog(), Scope::Exporter, &[], |fact, to| match fact {
        "scrapes" => value::write_display(scrapes, to),
        _ => None,
    });
    for number in 0..frontends {
        let name = format!("frontend{number:06}");
        snapshot.add_constant(catalog(), Scope::Frontend, &[name.as_bytes()]);
    }
    snapshot
}

/// A snapshot that holds so much memory.
pub(super) fn snapshot_of_bytes(bytes: usize) -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.rows_mut(Scope::Server).labels.reserve_exact(bytes);
    assert_eq!(snapshot.memory_bytes(), bytes);
    snapshot
}

/// The text that clients get of a snapshot.
pub(super) fn text(snapshot: &Snapshot) -> String {
    let (mut text, mut cursor, mut piece) = (Vec::new(), Cursor::default(), vec![0; BUFFER_BYTES]);
    loop {
        match cursor.fill(snapshot, &selection(), &mut piece) {
            0 => break,
            count => text.extend_from_slice(&piece[..count]),
        }
    }
    assert_eq!(text.len() as u64, exposition_bytes(snapshot, &selection()));
    String::from_utf8(text).unwrap()
}
