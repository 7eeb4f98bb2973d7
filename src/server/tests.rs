//! What the tests of the rooms here share: snapshots without a HAProxy.

use std::sync::OnceLock;

use super::encoding::Encoding;
use super::response::{Manner, Status};
use crate::commands;
use crate::metrics::RowType;
use crate::metrics::catalog::Catalog;
use crate::metrics::cursor::{Cursor, exposition_bytes};
use crate::metrics::exporter_and_process::{EXPORTER, ExporterFacts};
use crate::metrics::exposition::BUFFER_BYTES;
use crate::metrics::selection::{Defaults, Selection, Wanted};
use crate::metrics::snapshot::Snapshot;

fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| commands::catalog(&[]))
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

/// As a plain response with its body.
pub(super) const MANNER: Manner = Manner {
    is_head: false,
    keep_alive: false,
    encoding: Encoding::Fixed,
    failure_status: Status::OK,
};

/// A snapshot that shows so many scrapes, and frontends: each has 2 KB of text.
pub(super) fn snapshot(scrapes: u64, frontends: usize) -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.wanted = Wanted::of(&selection());
    let facts = ExporterFacts {
        scrapes,
        ..ExporterFacts::default()
    };
    snapshot
        .add(catalog(), &EXPORTER)
        .put(&[], |value| value(&facts));
    let rows = snapshot.stat_rows_mut(RowType::Frontend);
    rows.make_columns(catalog().stored_columns(RowType::Frontend).len());
    for number in 0..frontends {
        let name = format!("frontend{number:06}");
        let label_bytes = rows.push_labels(&[], &[name.as_bytes()]).unwrap();
        for column in &mut rows.columns {
            column.push(b"1", label_bytes);
        }
    }
    snapshot
}

/// A snapshot that holds so much memory.
pub(super) fn snapshot_of_bytes(bytes: usize) -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot
        .stat_rows_mut(RowType::Server)
        .labels
        .reserve_exact(bytes);
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
